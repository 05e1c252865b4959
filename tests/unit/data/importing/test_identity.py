"""An id of a dataset stays that of one instrument, whatever later imports call theirs."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.importing import Imported, ImportOptions, import_into
from quantvista.data.importing._names import id_of
from quantvista.data.lake import Dataset, Lake, compact
from quantvista.errors import MarketDataError

DAY = 86_400 * 10**9


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Lake(tmp_path / "lake").dataset("d")


def bring(dataset: Dataset, rows: str, **options: object) -> Imported:
    frame = pl.read_csv(rows.encode(), infer_schema=False)
    given = {"venue": "XNYS", **options}
    return import_into(dataset, frame, ImportOptions(**given))  # type: ignore[arg-type]


def closes(name: str, day: str = "2024-01-02", close: float = 1.0) -> str:
    return f"date,symbol,close\n{day},{name},{close}\n"


def stored(dataset: Dataset) -> list[tuple[str, float]]:
    rows = dataset.at().scan("bars").select("instrument", "close").collect()
    return rows.sort("instrument", "close").rows()


@pytest.mark.parametrize(("one", "other"), [("ABC", "ABC+"), ("^VIX", "VIX"), ("ES=F", "ES-F")])
@pytest.mark.parametrize("turned", [False, True])
def test_another_name_of_a_later_import_is_refused(
    dataset: Dataset, one: str, other: str, turned: bool
) -> None:
    one, other = (other, one) if turned else (one, other)
    bring(dataset, closes(one))
    before = dataset.head()
    with pytest.raises(MarketDataError, match=r"names must stay apart; found .*--instrument"):
        bring(dataset, closes(other, "2024-01-03", 2.0))
    assert dataset.head() == before
    assert len(stored(dataset)) == 1
    bring(dataset, closes(one.lower(), "2024-01-03", 3.0))
    assert len(stored(dataset)) == 2


def test_the_user_says_which_instrument_it_is(dataset: Dataset) -> None:
    bring(dataset, closes("ABC"))
    alone = "date,close\n2024-01-03,9\n"
    bring(dataset, alone, instrument="ABC-WS.XNYS", venue=None)
    bring(dataset, alone.replace("9", "2"), instrument="ABC.XNYS", venue=None)
    assert stored(dataset) == [("ABC-WS.XNYS", 9.0), ("ABC.XNYS", 1.0), ("ABC.XNYS", 2.0)]
    with pytest.raises(MarketDataError, match="as which the dataset has 'ABC-WS'"):
        bring(dataset, closes("ABC WS+", "2024-01-04"))


def test_what_the_user_called_so_is_compared_too(dataset: Dataset) -> None:
    bring(dataset, "date,close\n2024-01-02,9\n", instrument="ABC.XNYS", venue=None)
    with pytest.raises(MarketDataError, match=r"found 'ABC\+', which would be ABC.XNYS"):
        bring(dataset, closes("ABC+", "2024-01-03"))


@pytest.mark.parametrize("layout", ["rows", "wide", "file"])
def test_every_layout_has_names(dataset: Dataset, tmp_path: Path, layout: str) -> None:
    bring(dataset, closes("GSPC"))
    source: object = pl.read_csv(b"date,^GSPC,DJI\n2024-01-03,2,3\n")
    if layout == "rows":
        source = pl.read_csv(closes("^GSPC", "2024-01-03").encode())
    elif layout == "file":
        source = tmp_path / "^GSPC.csv"
        Path(str(source)).write_text("date,close\n2024-01-03,2\n")
    with pytest.raises(MarketDataError, match=r"found '\^GSPC', which would be GSPC.XNYS"):
        import_into(dataset, source, ImportOptions(venue="XNYS", kind="bars"))


def test_series_are_called_after_their_files(dataset: Dataset, tmp_path: Path) -> None:
    for number, name in enumerate(("CPI+.csv", "CPI.csv")):
        path = tmp_path / name
        path.write_text(f"date,value\n2024-01-0{number + 1},2\n")
        options = ImportOptions(kind="series")
        if number == 0:
            import_into(dataset, path, options)
            continue
        with pytest.raises(MarketDataError, match="names must stay apart"):
            import_into(dataset, path, options)
        with pytest.raises(MarketDataError, match="names must stay apart"):
            import_into(Lake(tmp_path / "other").dataset("d"), _both(tmp_path), options)


def _both(folder: Path) -> Path:
    into = folder / "both"
    into.mkdir()
    for name in ("CPI+.csv", "CPI.csv"):
        (into / name).write_text("date,value\n2024-01-01,2\n")
    return into


def test_another_sign_between_the_parts_is_told(dataset: Dataset) -> None:
    coin = {"venue": "BINANCE", "period_s": 60, "stamp": "close"}
    bring(dataset, closes("XRP/USDT"), **coin)
    done = bring(dataset, closes("XRP-USDT", "2024-01-03"), **coin)
    (note,) = done.notes
    assert "XRP-USDT.BINANCE for 'XRP/USDT' and 'XRP-USDT'" in note
    assert "another dataset" in note
    assert bring(dataset, closes("XRP-USDT", "2024-01-04"), **coin).notes == ()
    assert bring(dataset, closes("XRP/USDT", "2024-01-05"), **coin).notes == ()


def test_an_id_is_the_name_of_its_symbol(dataset: Dataset) -> None:
    bring(dataset, closes("AAPL"), venue="XNAS")
    assert bring(dataset, closes("AAPL.XNAS", "2024-01-03"), venue=None).notes == ()


def test_names_outlive_other_commits(dataset: Dataset) -> None:
    """What the dataset knows of names is in its newest commit, whoever wrote that."""
    bring(dataset, closes("ABC"))
    with dataset.write() as writer:
        rows = {"instrument": ["ZZZ.XNYS"], "ts_event": [DAY], "close": [1.0]}
        writer.append("bars", pl.DataFrame(rows))
        writer.commit()
    bring(dataset, closes("DEF", "2024-01-03"))
    compact(dataset)
    dataset.vacuum(keep=1)
    assert len(list(dataset.history())) == 1
    for name in ("ABC+", "DEF+"):
        with pytest.raises(MarketDataError, match="names must stay apart"):
            bring(dataset, closes(name, "2024-01-04"))


NAME = st.text(alphabet="AB=^+-/. &", min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(imports=st.lists(st.lists(NAME, min_size=1, max_size=3), min_size=2, max_size=4))
def test_rows_of_two_names_never_meet_in_silence(
    tmp_path_factory: pytest.TempPathFactory, imports: list[list[str]]
) -> None:
    """Whatever is imported after whatever: one id, one name, or a note that names both."""
    dataset = Lake(tmp_path_factory.mktemp("lake")).dataset("d")
    owners: dict[str, str] = {}
    for day, names in enumerate(imports):
        table = pl.DataFrame(
            {"date": [f"2024-01-{day + 2:02d}"] * len(names), "symbol": names, "close": 1.0}
        )
        try:
            done = import_into(dataset, table, ImportOptions(venue="XNYS", calendar="24/7"))
        except MarketDataError:
            continue
        for name in names:
            made = id_of(name, "XNYS")
            if made is None:
                continue
            said = name.strip().upper()
            if owners.setdefault(made, said) != said:
                assert any(repr(said) in note for note in done.notes) or _told(owners, made, said)
            owners[made + said] = said


def _told(owners: dict[str, str], made: str, said: str) -> bool:
    """Whether that spelling was told of by an earlier import."""
    return made + said in owners


def test_a_symbol_that_was_silent_for_long_is_told(dataset: Dataset) -> None:
    bring(dataset, closes("ABC", "2015-03-02"))
    assert bring(dataset, closes("ABC", "2015-05-01")).notes == ()
    assert bring(dataset, closes("NEW", "2024-01-02")).notes == ()
    (note,) = bring(dataset, closes("ABC", "2024-01-02")).notes
    assert "ABC.XNYS between 2015-05-01 and 2024-01-02" in note
    assert "--instrument" in note
    assert bring(dataset, closes("ABC", "2024-01-03")).notes == ()
    (note,) = bring(dataset, closes("ABC", "2010-01-04")).notes
    assert "ABC.XNYS between 2010-01-04 and 2015-03-02" in note


def test_another_company_under_a_symbol_is_told(dataset: Dataset) -> None:
    def facts(name: str, known: int) -> Imported:
        rows = f"symbol,name,sector\nMETA,{name},Tech\n"
        return bring(dataset, rows, kind="reference", known_at=known * DAY)

    assert facts("Roundhill Ball", 18_000).notes == ()
    assert facts("ROUNDHILL BALL", 18_100).notes == ()
    (note,) = facts("Meta Platforms", 19_000).notes
    assert "META.XNYS was 'ROUNDHILL BALL' and is 'Meta Platforms'" in note


def test_events_of_a_time_that_has_some_are_told(dataset: Dataset) -> None:
    def trades(*seconds: int) -> Imported:
        lines = "".join(f"{1_700_000_000 + each},A,5,1\n" for each in seconds)
        return bring(dataset, f"ts,symbol,price,size\n{lines}", kind="trades", unit="s")

    assert trades(0, 10).notes == ()
    assert trades(11, 20).notes == ()
    (note,) = trades(5, 30).notes
    assert "trades of the same time already: A.XNYS from 2023-11-14T22:13:30Z" in note
