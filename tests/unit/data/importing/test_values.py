"""Numbers and names as files have them: none becomes another, and what is in doubt must be said."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.data.importing import (
    Imported,
    ImportOptions,
    Understanding,
    import_into,
    read_bars,
    understand,
)
from quantvista.data.importing._convert import decimals
from quantvista.data.importing._names import Names, id_of
from quantvista.data.lake import Lake
from quantvista.errors import MarketDataError


def said(**options: object) -> ImportOptions:
    return ImportOptions(**options)  # type: ignore[arg-type]


def table(tmp_path: Path, text: str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(path: object, **options: object) -> Understanding:
    return understand(path, said(**options))[0]


def bring(tmp_path: Path, source: object, **options: object) -> tuple[Imported, pl.DataFrame]:
    dataset = Lake(tmp_path / "lake").dataset("d")
    done = import_into(dataset, source, said(**options))
    return done, dataset.at().scan("bars").collect().sort("ts_event", "instrument")


EUROPEAN = "date;close\n2024-01-02;1.234\n2024-01-03;1.235,50\n2024-01-04;1.236\n"


def test_a_decimal_mark_must_be_said_where_there_are_commas(tmp_path: Path) -> None:
    path = table(tmp_path, EUROPEAN)
    with pytest.raises(MarketDataError, match=r"'close' must say which mark .* found '1\.235,50'"):
        bring(tmp_path, path, instrument="A.XNYS")
    done, rows = bring(tmp_path, path, instrument="A.XNYS", decimal=",")
    assert rows["close"].to_list() == [1234.0, 1235.5, 1236.0]
    assert done.rejected.is_empty()
    assert ("decimal mark", "','") in done.understood[0].words()


def test_numbers_of_another_notation_than_was_said_are_quarantined(tmp_path: Path) -> None:
    path = table(tmp_path, EUROPEAN)
    done, rows = bring(tmp_path, path, instrument="A.XNYS", decimal=".")
    assert rows["close"].to_list() == [1.234, 1.236]
    assert done.rejected["row"].to_list() == [3]
    thousands = table(tmp_path, 'date,close\n2024-01-02,"1,234.5"\n2024-01-03,999\n', "us.csv")
    _, rows = bring(tmp_path / "us", thousands, instrument="A.XNYS", decimal=".")
    assert rows["close"].to_list() == [1234.5, 999.0]


@given(st.integers(-(10**9), 10**9), st.integers(0, 99), st.sampled_from([",", "."]))
def test_every_number_with_marks_between_thousands_is_read(
    whole: int, cents: int, mark: str
) -> None:
    written = f"{whole:,}.{cents:02}"
    if mark == ",":
        written = written.translate(str.maketrans(",.", ".,"))
    found = decimals(pl.Series([written]), mark, "a")
    assert found.to_list() == [f"{whole}.{cents:02}"]


@given(st.text(alphabet="0123456789.,", min_size=1, max_size=8))
def test_no_text_is_one_number_here_and_another_there(text: str) -> None:
    values = [
        decimals(pl.Series([text]), mark, "a").cast(pl.Float64, strict=False)[0]
        for mark in (",", ".")
    ]
    try:
        alone = decimals(pl.Series([text]), "", "a").cast(pl.Float64, strict=False)[0]
    except MarketDataError:
        return  # it must be said
    assert alone is None or alone in values


def test_prices_that_a_scale_makes_infinite_are_quarantined(tmp_path: Path) -> None:
    path = table(tmp_path, "date,close\n2024-01-02,1e300\n2024-01-03,5\n")
    done, rows = bring(tmp_path, path, instrument="A.XNYS", scale=1e-12)
    assert rows["close"].to_list() == [5e12]
    assert done.rejected["reason"].to_list() == ["'close' is too large"]
    wide = table(tmp_path, "date,AAPL,MSFT\n2024-01-02,100,200\n", "wide.csv")
    _, rows = bring(tmp_path / "wide", wide, venue="XNAS", scale=100.0)
    assert rows["close"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(("one", "other"), [("ES=F", "ES-F"), ("^GSPC", "GSPC"), ("A/B", "A B")])
@pytest.mark.parametrize("layout", ["rows", "wide", "files", "frames"])
def test_two_names_do_not_become_one_instrument(
    tmp_path: Path, one: str, other: str, layout: str
) -> None:
    source = tmp_path / "in"
    rows = f"date,symbol,close\n2024-01-02,{one},1\n2024-01-03,{other},2\n"
    if layout == "rows":
        table(source, rows)
    elif layout == "wide":
        table(source, f"date,{one},{other}\n2024-01-02,1,2\n")
    elif layout == "files":  # each alone is right
        for number, line in enumerate(rows.splitlines()[1:]):
            table(source, f"date,symbol,close\n{line}\n", f"{number}.csv")
    else:
        with pytest.raises(MarketDataError, match="names must stay apart"):
            read_bars(pl.read_csv(rows.encode()), said(venue="XNAS"))
        return
    with pytest.raises(MarketDataError, match=r"names must stay apart; found .*would both be"):
        bring(tmp_path, source, venue="XNAS", kind="bars")


def test_names_of_files_do_not_become_one_instrument(tmp_path: Path) -> None:
    for name in ("^GSPC.csv", "GSPC.csv"):
        table(tmp_path / "in", "date,close\n2024-01-02,1\n", name)
    with pytest.raises(MarketDataError, match="names must stay apart"):
        bring(tmp_path, tmp_path / "in", venue="INDEX")


@given(st.lists(st.text(alphabet="AB\u00d6\u00dc=^-/. &", min_size=1, max_size=4), max_size=6))
def test_an_id_has_one_name(names: list[str]) -> None:
    known, of = Names("here"), dict[str, str]()
    try:
        for name in names:
            made = known.id_of(name, "XNAS")
            if made is not None:
                assert of.setdefault(made, name.strip()) == name.strip()
    except MarketDataError:
        pass  # they would


def test_letters_of_other_alphabets_make_no_id() -> None:
    assert id_of("A\u00d6B", "XNAS") is None
    assert (id_of("AAPL.XNAS", "XNAS"), id_of("aapl", "XNAS")) == ("AAPL.XNAS", "AAPL.XNAS")


def test_a_class_of_shares_is_no_venue(tmp_path: Path) -> None:
    path = table(tmp_path, "date,symbol,close\n2024-01-02,BRK.B,1\n2024-01-02,BF.B,2\n")
    with pytest.raises(MarketDataError, match=r"end of 'BRK\.B' is a class of shares or a venue"):
        read(path)
    _, rows = bring(tmp_path, path, venue="XNYS")
    assert rows["instrument"].to_list() == ["BF.B.XNYS", "BRK.B.XNYS"]
    with pytest.raises(MarketDataError, match=r"end of 'BRK\.B'"):
        read(table(tmp_path, "date,BRK.B,BF.B\n2024-01-02,1,2\n", "wide.csv"))
    with pytest.raises(MarketDataError, match="must say whose rows"):
        read(table(tmp_path, "date,close\n2024-01-02,1\n", "BRK.B.csv"))
    short = table(tmp_path, "date,symbol,close\n2024-01-02,SAP.DE,1\n", "de.csv")
    assert any("'.DE' at the end of names is their venue" in each for each in read(short).guessed)


def test_a_column_of_closes_with_a_value_that_is_no_price_must_say_its_kind(
    tmp_path: Path,
) -> None:
    path = table(tmp_path, "date,AAPL,MSFT\n2024-01-02,1,2\n2024-01-03,-1,2\n")
    with pytest.raises(MarketDataError, match=r"column 'AAPL' .* found -1, which is no price: say"):
        read(path, venue="XNAS")
    assert read(path, kind="series").kind == "series"
    prices = table(tmp_path, "date,AAPL,MSFT\n2024-01-02,1,2\n", "prices.csv")
    assert any("(--kind series if" in each for each in read(prices, venue="XNAS").guessed)


def test_columns_that_no_series_is_made_of_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, "date,Rate,Note\n2024-01-02,1.5,a\n2024-02-02,1.6,b\n")
    assert "left out, for they hold other than numbers: Note" in read(path).guessed


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "date,pair,close\n2024-01-02,ETH/BTC,1\n", "--venue, such as BINANCE"),
        ("a.csv", "date,symbol,close\n2024-01-02,AAPL,1\n", "--venue, such as XNYS"),
        (
            "freqtrade_XRP_USDT_USDT-8h-funding_rate.csv",
            "date,funding_rate\n2024-01-02T08:00:00Z,1\n",
            "--venue VENUE for XRP-USDT-PERP",
        ),
    ],
)
def test_what_is_said_of_venues_fits_the_instrument(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    kind = "funding" if "funding" in name else None
    with pytest.raises(MarketDataError, match=message):
        read(table(tmp_path, text, name), kind=kind)


def test_columns_that_are_called_like_ours_are_kept_beside_them(tmp_path: Path) -> None:
    text = "date,instrument,close,row,Row_,ts_event\n2024-01-02,A.XNYS,1.5,7,8,9\n"
    (tmp_path / "a.csv").write_text(text)
    found = Lake(tmp_path / "lake").dataset("mine")
    columns = {"date": "date"}
    import_into(found, tmp_path / "a.csv", ImportOptions(calendar="XNYS", columns=columns))
    (row,) = found.at().scan("bars").collect().rows(named=True)
    assert (row["row_"], row["row__"], row["ts_event_"]) == (7.0, 8.0, 9.0)


def test_a_side_that_is_none_is_rejected_and_an_unknown_one_is_missing(tmp_path: Path) -> None:
    text = "ts,instrument,price,size,side\n"
    for second, side in enumerate(("BUY", "s", "", "unknown", "maybe")):
        text += f"2024-03-05T14:30:0{second}Z,A.XNYS,10,1,{side}\n"
    (tmp_path / "trades.csv").write_text(text)
    found = Lake(tmp_path / "lake").dataset("mine")
    done = import_into(found, tmp_path / "trades.csv")
    rows = found.at().scan("trades").collect()
    assert rows["aggressor"].to_list() == ["buy", "sell", None, None]
    assert done.rejected["reason"].to_list() == ["'side' is no side: maybe"]
