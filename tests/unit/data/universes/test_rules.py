"""Rules of universes: what is refused, and what each of them does."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from quantvista.data.lake import Lake
from quantvista.data.universes import (
    Membership,
    UniverseRules,
    build_universe,
    read_membership,
    read_rules,
    read_universe_source,
    stored_table,
)
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import SecurityMaster, sessions

DAYS = sessions("XNYS", "2024-01-02", "2024-03-28")
LAST = int(DAYS.close_ns[-1])
FACTS = ("instrument", "field", "value", "ts_event", "known_at")


def bars(**rows: tuple[float, float]) -> pl.DataFrame:
    """A close and a volume for each instrument, the same in all sessions."""
    parts = [
        pl.DataFrame(
            {
                "instrument": f"{name}.XNYS",
                "ts_event": DAYS.close_ns,
                "known_at": DAYS.close_ns,
                "close": close,
                "volume": volume,
            }
        )
        for name, (close, volume) in rows.items()
    ]
    return pl.concat(parts)


FOUR = bars(A=(10.0, 100.0), B=(20.0, 100.0), C=(1.0, 5_000.0), D=(50.0, 1.0))


def members(rules: UniverseRules, master: SecurityMaster | None = None) -> tuple[str, ...]:
    found = build_universe(rules, FOUR, master=master)
    return tuple(name.removesuffix(".XNYS") for name in found.members(LAST))


def master(*rows: tuple[str, str, str]) -> SecurityMaster:
    facts = [(f"{name}.XNYS", field, value, 0, 0) for name, field, value in rows]
    return SecurityMaster(pl.DataFrame(facts, schema=list(FACTS), orient="row"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("A", "B", "C", "D")),
        ({"top": 2}, ("B", "C")),
        ({"top": 2, "statistic": "mean"}, ("B", "C")),
        ({"top": 2, "exclude": ("C.XNYS",)}, ("A", "B")),
        ({"top": 2, "include": ("D.XNYS",)}, ("B", "C", "D")),
        ({"price_min": 10.0}, ("A", "B", "D")),
        ({"price_max": 10.0}, ("A", "C")),
        ({"dollar_volume_min": 1_500.0}, ("B", "C")),
        ({"history_min": len(DAYS)}, ("A", "B", "C", "D")),
        ({"history_min": len(DAYS) + 1}, ()),
        ({"listed_days_min": 60}, ("A", "B", "C", "D")),
        ({"listed_days_min": 90}, ()),
    ],
)
def test_each_rule(changes: dict[str, object], expected: tuple[str, ...]) -> None:
    rules = UniverseRules.model_validate({"sessions": 20, "session": "last", **changes})
    assert members(rules) == expected


def test_sectors_kinds_and_currencies_are_those_of_the_reference_data() -> None:
    known = master(
        *((name, "status", "listed") for name in "ABC"),
        ("A", "sector", "Energy"),
        ("B", "sector", "Banks"),
        ("A", "kind", "equity"),
        ("C", "kind", "etf"),
        ("A", "currency", "USD"),
        ("C", "currency", "CAD"),
    )
    assert members(UniverseRules(), known) == ("A", "B", "C")  # of D nothing is known
    assert members(UniverseRules(sectors=("Energy",)), known) == ("A",)
    assert members(UniverseRules(sectors_out=("Energy",)), known) == ("B", "C")
    assert members(UniverseRules(kinds=("etf",)), known) == ("C",)
    assert members(UniverseRules(top=5, currencies=("USD",)), known) == ("A",)
    with pytest.raises(MarketDataError, match="one currency; found CAD, USD"):
        members(UniverseRules(top=5), known)


def test_a_buffer_keeps_members_until_they_fall_far() -> None:
    """Generated: the volume of B falls in February, so that its rank goes from 2 to 3."""
    after = pl.col("ts_event") > int(DAYS.close_ns[21])
    fallen = FOUR.with_columns(
        pl.when((pl.col("instrument") == "B.XNYS") & after)
        .then(30.0)
        .otherwise("volume")
        .alias("volume")
    )
    for keep, expected in ((None, ["B.XNYS"]), (3, [])):
        found = build_universe(UniverseRules(top=2, keep=keep, sessions=5), fallen)
        left = found.membership.table.filter(pl.col("ts_end").is_not_null())
        assert left["instrument"].to_list() == expected
        assert left["reason_end"].to_list() == ["rank"] * len(expected)
    assert found.decisions["members"].to_list() == [2, 3, 3]


def test_a_decision_holds_after_its_lag() -> None:
    found = build_universe(UniverseRules(lag=2, session="first"), FOUR)
    decided, effective = (found.decisions[name].to_list() for name in ("ts", "effective"))
    rows = [int((DAYS.close_ns == each).nonzero()[0][0]) for each in decided]
    assert effective == [int(DAYS.close_ns[row + 2]) for row in rows]
    assert found.members(effective[0] - 1) == ()
    assert len(found.members(effective[0])) == 4


def test_a_delisting_ends_a_membership_at_once() -> None:
    at = int(DAYS.close_ns[30])
    rows = [(f"{name}.XNYS", "status", "listed", 0, 0) for name in "ABCD"]
    rows.append(("A.XNYS", "status", "delisted", at, at - 5))
    known = SecurityMaster(pl.DataFrame(rows, schema=list(FACTS), orient="row"))
    found = build_universe(UniverseRules(), FOUR, master=known)
    assert "A.XNYS" in found.members(at - 1)
    assert "A.XNYS" not in found.members(at)
    ended = found.membership.table.filter(pl.col("reason_end") == "delisted")
    assert ended.select("instrument", "ts_end", "known_at").rows() == [("A.XNYS", at, at)]
    assert found.decisions["left"].to_list() == [0, 1, 0]


def test_candidates_may_be_members_of_another_universe() -> None:
    inside = Membership(pl.DataFrame({"instrument": ["A.XNYS", "Z.XNYS"], "ts_event": [0, 0]}))
    assert build_universe(UniverseRules(), FOUR, within=inside).members(LAST) == ("A.XNYS",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tops = 3", "`tops`: there is no such rule"),
        ("top = 0", "`top`: .* greater than or equal to 1; found 0"),
        ("keep = 3", "`keep` must not be below `top`, None"),
        ("price_min = 5.0\nprice_max = 1.0", "`price_min` must not be above `price_max`, 1.0"),
        ('include = ["A.X"]\nexclude = ["A.X"]', "`include` must not name .* A.X"),
        ("top = ", "must be TOML"),
    ],
)
def test_bad_rules_are_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_rules(path, {})
    assert str(path) in str(caught.value)


def test_options_go_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('version = 1\ntop = 100\nsectors = ["Energy"]\n')
    assert read_rules(path, {"top": 5}) == UniverseRules(top=5, sectors=("Energy",))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rules(tmp_path / "none.toml", {})


def test_rules_that_read_what_is_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match="`sectors` must come with reference data"):
        build_universe(UniverseRules(sectors=("Energy",)), FOUR)
    with pytest.raises(MarketDataError, match="must have volume to rank by dollar_volume"):
        build_universe(UniverseRules(top=1), FOUR.drop("volume"))
    with pytest.raises(MarketDataError, match="at least one bar"):
        build_universe(UniverseRules(), FOUR.clear())
    with pytest.raises(MarketDataError, match="must reach over the last session of a quarter"):
        build_universe(UniverseRules(rebalance="quarter"), FOUR.head(10))
    late = SecurityMaster(
        pl.DataFrame(
            [("A.XNYS", "status", "listed", 0, 2 * LAST)], schema=list(FACTS), orient="row"
        )
    )
    with pytest.raises(MarketDataError, match="reference data knows no listed instrument"):
        build_universe(UniverseRules(), FOUR, master=late)


def test_what_is_stored_reads_back(tmp_path: Path) -> None:
    found = build_universe(UniverseRules(top=2, sessions=5), FOUR).membership
    table = stored_table(found)
    table.write_parquet(tmp_path / "members.parquet")
    table.write_csv(tmp_path / "members.csv")
    with Lake(tmp_path / "lake").dataset("mine").write() as writer:
        writer.upsert("members", found.table)
        writer.append("bars", FOUR)
        writer.commit()
    for source in ("members.parquet", "members.csv", "lake:mine"):
        assert read_membership(source, tmp_path).digest == found.digest
    read, facts = read_universe_source("lake:mine", tmp_path)
    assert (read.height, facts) == (FOUR.height, None)
    with Lake(tmp_path / "lake").dataset("mine").write() as writer:
        rows = found.table.with_columns(reason=pl.lit("another"))
        with pytest.raises(MarketDataError):
            writer.upsert("members", rows)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"ts_event": [1]}, "must have a column 'instrument'"),
        ({"instrument": ["A.X"]}, "must have a column 'ts_event'"),
        ({"instrument": ["A.X"], "ts_event": ["31.01.2024"]}, "must have instants such as"),
        ({"instrument": ["A.X"], "ts_event": [1.5]}, "must have instants in 'ts_event'"),
        ({"instrument": [None], "ts_event": [1]}, "must have 'instrument' in each row"),
        ({"instrument": ["A.X"] * 2, "ts_event": [1, 1]}, "one thing at a time"),
    ],
)
def test_other_tables_are_refused(frame: dict[str, list[object]], message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        Membership(pl.DataFrame(frame))


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("no")
    for name, message in (
        ("none.csv", "cannot be read"),
        ("bad.parquet", "cannot be read"),
        ("members.txt", "must be a .csv or .parquet file"),
        ("lake:none", "must be in the lake"),
    ):
        with pytest.raises(MarketDataError, match=message):
            read_membership(name, tmp_path)


def test_dates_of_a_membership_are_days_of_utc() -> None:
    day = 86_400 * 10**9
    for dates in (["2024-01-02", "2024-01-05"], [date(2024, 1, 2), date(2024, 1, 5)]):
        columns = {"instrument": ["A.X"], "ts_event": [dates[0]], "ts_end": [dates[1]]}
        since = 19_724 * day
        index = Membership(pl.DataFrame(columns))
        spans = index.spans().rows()
        assert spans == [("A.X", since, since + 3 * day)]
        known = Membership(pl.DataFrame({**columns, "known_at": [dates[0]]}))
        assert known.members(since + day - 1) == (), "what is known on a day is known at its end"
        assert known.members(since + day) == ("A.X",)
