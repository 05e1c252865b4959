"""Runs of funds whose prices are in the lake: raw, with their corporate actions, named exactly."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from quantvista.backtest import Outcome, run
from quantvista.data import DataSpec, MarketData, load
from quantvista.data.importing import ImportOptions, action_frame, import_into, understand
from quantvista.data.lake import Dataset, Lake
from quantvista.errors import ConfigError, MarketDataError
from quantvista.fund import load_fund
from quantvista.market import CorporateAction, sessions

EX_DATE = 80  # of 120 sessions, long enough for a fund to have begun


def table() -> str:
    """Raw prices of a stock that is split four for one."""
    lines = ["date,instrument,open,high,low,close,volume"]
    days = sessions("XNYS", "2024-01-02", "2024-06-30").labels[:120]
    for row, day in enumerate(days):
        close = round((100 + row % 7) / (1 if row < EX_DATE else 4), 2)
        lines.append(f"{day},A.XNYS,{close},{close + 1},{close - 1},{close},1000")
    return "\n".join(lines) + "\n"


CSV = table()
EX_DAY = dt.date.fromisoformat(CSV.splitlines()[EX_DATE + 1].split(",")[0])
SPLIT = CorporateAction(EX_DAY, "A.XNYS", "split", 4, 1)


@pytest.fixture(autouse=True)
def no_other_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    (tmp_path / "prices.csv").write_text(CSV)
    found = Lake(tmp_path / "lake").dataset("us")
    import_into(found, tmp_path / "prices.csv", ImportOptions(calendar="XNYS"))
    return found


def add_split(dataset: Dataset, source: str = "one") -> None:
    with dataset.write() as writer:
        writer.upsert("actions", action_frame((SPLIT,), "XNYS", source, None))
        writer.commit()


def fund(source: str, tmp_path: Path) -> Outcome:
    content = {
        "version": 1,
        "fund": {"name": "lake", "cash": "10000.00"},
        "data": {"source": source},
        "sleeve": [{"id": "all", "strategy": "equal_weight"}],
        "portfolio": {"rebalance": "daily", "weighting": "equal"},
    }
    return run(load_fund(content, base=tmp_path), out=tmp_path / "out" / source.replace(":", "-"))


def test_bars_of_the_lake_are_those_of_the_file(dataset: Dataset, tmp_path: Path) -> None:
    of_file = load(DataSpec("prices.csv"), base=tmp_path, calendar="XNYS")
    of_lake = load(DataSpec("lake:us"), base=tmp_path, calendar="XNYS")
    assert of_lake.fingerprint == of_file.fingerprint
    assert (of_lake.commit, of_file.commit) == (dataset.head(), "")


def test_a_run_names_the_commit(dataset: Dataset, tmp_path: Path) -> None:
    outcome = fund("lake:us", tmp_path)
    found = outcome.summary["fingerprint"]["lake"]
    assert found == {"source": "lake:us", "commit": dataset.head()}
    assert "lake" not in fund("prices.csv", tmp_path).summary["fingerprint"]


def test_a_run_of_an_older_commit_is_the_same_again(dataset: Dataset, tmp_path: Path) -> None:
    commit = dataset.head()
    assert commit is not None
    before = fund("lake:us", tmp_path)
    add_split(dataset)
    again = fund(f"lake:us@{commit[:12]}", tmp_path)
    assert again.summary["metrics"] == before.summary["metrics"]
    assert again.summary["fingerprint"]["lake"]["commit"] == commit
    assert fund("lake:us", tmp_path).summary["metrics"] != before.summary["metrics"]


@pytest.mark.parametrize("sources", [["one"], ["one", "two"]])
def test_raw_prices_with_actions_are_not_traded_through_a_split(
    dataset: Dataset, tmp_path: Path, sources: list[str]
) -> None:
    for source in sources:
        add_split(dataset, source)
    outcome = fund("lake:us", tmp_path)
    equity = [float(value) for value in outcome.frames.equity["equity"]]
    assert min(equity) > 9_000, "three quarters are not lost on the day of the split"
    held = [float(value) for value in outcome.frames.positions["quantity"]]
    assert max(held) > 300
    unsplit = fund("prices.csv", tmp_path)
    assert min(float(value) for value in unsplit.frames.equity["equity"]) < 5_000


def test_a_bar_is_seen_as_first_known(dataset: Dataset, tmp_path: Path) -> None:
    before = load(DataSpec("lake:us"), base=tmp_path, calendar="XNYS")
    *others, last = CSV.splitlines()
    revised = ",".join([*last.split(",")[:2], "25.0", "90.0", "20.0", "80.0", "1000"])
    (tmp_path / "later.csv").write_text("\n".join([*others, revised]))
    known_at = 19_999 * 86_400 * 10**9
    options = ImportOptions(calendar="XNYS", known_at=known_at)
    import_into(dataset, tmp_path / "later.csv", options)
    after = load(DataSpec("lake:us"), base=tmp_path, calendar="XNYS")
    assert (after.close == before.close).all()
    assert "1 later vintages of bars are not seen: each bar is as first known." in after.assumptions
    assert not [bias for bias in after.biases if bias.name == "known_later"]


def test_bars_that_were_known_late_are_a_bias(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(CSV)
    dataset = Lake(tmp_path / "lake").dataset("late")
    options = ImportOptions(calendar="XNYS", known_at=19_999 * 86_400 * 10**9)
    import_into(dataset, tmp_path / "prices.csv", options)
    found = load(DataSpec("lake:late"), base=tmp_path, calendar="XNYS")
    (bias,) = (each for each in found.biases if each.name == "known_later")
    assert "120 of 120 bars were known later than the run sees them, by up to 274.1" in bias.text


def test_bars_within_the_day(tmp_path: Path) -> None:
    stamps = ["2024-01-02T15:00:00Z", "2024-01-02T16:00:00Z", "2024-01-03T15:00:00Z"]
    frame = pl.DataFrame({"ts": stamps, "close": [1.0, 2.0, 3.0]})
    import_into(Lake(tmp_path / "lake").dataset("hours"), frame, ImportOptions(instrument="A.XNYS"))
    found = load(DataSpec("lake:hours"), base=tmp_path, calendar="XNYS")
    assert found.close[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert found.session_start.tolist() == [True, False, True]


def test_what_a_run_cannot_use_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    def read(source: str, venue: str | None = None) -> None:
        load(DataSpec(source, venue=venue), base=tmp_path, calendar="XNYS")

    with pytest.raises(MarketDataError, match="found no 'eu', there are us"):
        read("lake:eu")
    with pytest.raises(MarketDataError, match="must name one commit"):
        read("lake:us@123456")
    with pytest.raises(ConfigError, match="must name a commit after @"):
        read("lake:us@")
    with pytest.raises(ConfigError, match=r"`data\.venue` must be left out"):
        read("lake:us", venue="XNYS")
    with dataset.write() as writer:
        row = {"instrument": ["A.XNYS"], "ts_event": [1], "close": [1.0]}
        writer.append("bars", pl.DataFrame(row))
        writer.commit()
    with pytest.raises(MarketDataError, match="must agree on dates or instants; found 120 of 121"):
        read("lake:us")
    news = Lake(tmp_path / "lake").dataset("news")
    import_into(news, pl.DataFrame({"text": ["up"]}), ImportOptions(known_at=1))
    with pytest.raises(MarketDataError, match="must have bars; found news"):
        read("lake:news")
    for path in dataset.folder.rglob("*.parquet"):
        path.write_bytes(b"changed")
    with pytest.raises(MarketDataError, match="must have the content that commit"):
        read("lake:us")


DAY_NS = 86_400 * 10**9
BEFORE = 19_700 * DAY_NS  # 2023-12-09
WITHIN = 19_800 * DAY_NS  # 2024-03-18


def add_facts(dataset: Dataset, *facts: tuple[str, str, int, int]) -> None:
    """Field, value, from when, and since when known."""
    rows = [("A.XNYS", *fact) for fact in facts]
    names = ["instrument", "field", "value", "ts_event", "known_at"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    with dataset.write() as writer:
        writer.upsert(
            "reference", frame.with_columns(ts_received=pl.min_horizontal("ts_event", "known_at"))
        )
        writer.commit()


def loaded(tmp_path: Path, *, limited: bool = False, **spec: object) -> MarketData:
    given = DataSpec("lake:us", **spec)  # type: ignore[arg-type]
    return load(given, base=tmp_path, calendar="XNYS", sectors_required=limited)


def test_reference_data_give_sectors_and_steps(dataset: Dataset, tmp_path: Path) -> None:
    add_facts(
        dataset,
        ("sector", "Steel", BEFORE, BEFORE),
        ("tick_size", "0.005", BEFORE, BEFORE),
        ("lot_size", "10", BEFORE, BEFORE),
    )
    data = loaded(tmp_path, limited=True)
    (instrument,) = data.instruments
    assert instrument.sector == "Steel"
    assert (str(instrument.tick_size), instrument.price_precision) == ("0.005", 3)
    assert str(instrument.lot_size) == "10"
    assert any("knew when the data begin: 1 instrument (A.XNYS)" in e for e in data.assumptions)


def test_what_a_fund_says_comes_first(dataset: Dataset, tmp_path: Path) -> None:
    add_facts(dataset, ("sector", "Steel", BEFORE, BEFORE), ("tick_size", "0.005", WITHIN, WITHIN))
    add_facts(dataset, ("tick_size", "0.05", BEFORE, BEFORE))
    tick = {"A.XNYS": {"tick_size": Decimal("0.01")}}
    (instrument,) = loaded(tmp_path, sectors={"A.XNYS": "Own"}, declared=tick).instruments
    assert (instrument.sector, str(instrument.tick_size)) == ("Own", "0.01")


def test_a_sector_that_became_known_later_is_not_used(dataset: Dataset, tmp_path: Path) -> None:
    add_facts(dataset, ("sector", "Steel", BEFORE, WITHIN))
    data = loaded(tmp_path)
    assert data.instruments[0].sector == ""
    assert any("known only later are not used: 1 instr" in each for each in data.assumptions)
    with pytest.raises(ConfigError, match="must name a sector for each instrument"):
        loaded(tmp_path, limited=True)
    later = loaded(tmp_path, limited=True, start=dt.date(2024, 4, 1))
    assert later.instruments[0].sector == "Steel"


def test_terms_that_change_within_a_run_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    add_facts(dataset, ("sector", "Steel", BEFORE, BEFORE), ("sector", "Coal", WITHIN, BEFORE))
    assert any("stay as they were" in each for each in loaded(tmp_path).assumptions)
    with pytest.raises(MarketDataError, match=r"another one for 'A\.XNYS' on 2024-03-18"):
        loaded(tmp_path, limited=True)
    assert loaded(tmp_path, limited=True, start=dt.date(2024, 4, 1)).sectors == ("Coal",)
    add_facts(dataset, ("lot_size", "10", BEFORE, BEFORE), ("lot_size", "1", WITHIN, BEFORE))
    with pytest.raises(MarketDataError, match=r"`lot_size` of 'A\.XNYS' must not change .*03-18"):
        loaded(tmp_path)
    assert str(loaded(tmp_path, end=dt.date(2024, 3, 15)).instruments[0].lot_size) == "10"


def test_a_step_that_is_none_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    add_facts(dataset, ("tick_size", "fine", BEFORE, BEFORE))
    with pytest.raises(MarketDataError, match="must be a positive number; found 'fine'"):
        loaded(tmp_path)


def test_a_run_repeats_what_the_import_guessed_and_set_aside(tmp_path: Path) -> None:
    rows = CSV.splitlines()
    (tmp_path / "vendor.csv").write_text("\n".join([*rows, "2024-07-05,A.XNYS,1,1,1,n/a,1"]))
    found = Lake(tmp_path / "lake").dataset("us")
    import_into(found, tmp_path / "vendor.csv", ImportOptions())
    guesses = [
        text for what, text in understand(tmp_path / "vendor.csv")[0].words() if what == "guessed"
    ]
    assert guesses
    said = fund("lake:us", tmp_path).summary["assumptions"]
    for guess in guesses:
        assert any(guess in each and "vendor.csv" in each for each in said)
    assert any("Imports set 1 row aside" in each for each in said)
    first = found.head()
    assert first is not None
    add_split(found)
    assert any("set 1 row aside" in e for e in loaded(tmp_path).assumptions)
