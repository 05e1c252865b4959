"""Files of events become records, or are refused with file, row and rule."""

from pathlib import Path

import polars as pl
import pytest

from quantvista.data.events import EventSource, read_events
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import Records

T = 1_700_000_000_000_000_000
NEW_YORK = "America/New_York"


def read(folder: Path, name: str, text: str, **options: object) -> list[Records]:
    (folder / name).write_text(text)
    return read_events(EventSource(name, **options), folder)  # type: ignore[arg-type]


def one(folder: Path, text: str, **options: object) -> Records:
    (records,) = read(folder, "f.csv", text, **options)
    return records


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ts,instrument,bid,ask\n{t},A.X,1,2\n", "quotes"),
        ("ts,instrument,price,size,aggressor\n{t},A.X,1,2,buy\n", "trades"),
        ("ts,instrument,side,price,size,message,snapshot\n{t},A.X,bid,1,2,1,true\n", "levels"),
        (
            "ts,instrument,action,side,price,size,order_id,message\n{t},A.X,added,bid,1,2,9,1\n",
            "orders",
        ),
        ("ts,instrument,phase,price,volume\n{t},A.X,open,1,2\n", "auctions"),
        ("ts,instrument,status\n{t},A.X,halted\n", "statuses"),
        ("ts,instrument,rate\n{t},A.X,0.0001\n", "funding"),
        ("ts,currency,rate\n{t},EUR,1.1\n", "rates"),
    ],
)
def test_the_kind_is_found_by_the_columns(tmp_path: Path, text: str, kind: str) -> None:
    records = one(tmp_path, text.replace("{t}", str(T)))
    assert records.kind == kind
    assert records.frame["ts_received"].to_list() == [T]
    assert records.notes == ()


def test_times_columns_venue_and_delay(tmp_path: Path) -> None:
    text = "Time,Symbol,Price,Qty,Side\n2023-11-14T22:13:20Z,ACME,1.5,2,BUY\n"
    columns = {"ts": "time", "instrument": "symbol", "size": "Qty", "aggressor": "Side"}
    records = one(tmp_path, text, columns=columns, venue="XNYS", delay_us=5)
    row = records.frame.row(0, named=True)
    assert (row["ts_event"], row["ts_received"]) == (T, T + 5000)
    assert (row["instrument"], row["size"], row["aggressor"]) == ("ACME.XNYS", 2.0, "buy")
    both = one(tmp_path, f"ts_event,ts_received,instrument,rate\n{T},{T + 1},A.X,0\n")
    assert both.frame.select("ts_event", "ts_received").row(0) == (T, T + 1)


def test_columns_that_are_not_used_are_said(tmp_path: Path) -> None:
    records = one(tmp_path, f"ts,price,size,venue\n{T},1,2,q\n", instrument="A.X")
    assert records.notes == ("f.csv: columns that are not used: venue.",)


def test_rows_of_one_time_are_a_message_where_none_is_said(tmp_path: Path) -> None:
    text = f"ts,side,price,size\n{T},bid,1,2\n{T},ask,2,2\n{T + 1},ask,2,0\n"
    records = one(tmp_path, text, instrument="A.X", format="levels")
    assert records.frame["message"].to_list() == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n", {}, "f.csv: must have columns of quotes.*found a, b"),
        ("ts,bid,ask\n{t},1,2\n", {}, "must have a column 'instrument', or `data.events.instr"),
        ("bid,ask,instrument\n1,2,A.X\n", {}, "must have a column 'ts'"),
        ("ts,price,instrument\n{t},1,A.X\n", {"format": "trades"}, "must have a column 'size'"),
        ("ts,instrument,status\n{t},A.X,open\n", {}, "'status' must be trading or halted.*'open'"),
        ("ts,instrument,price,size\n{t},A.X,one,1\n", {}, "'price' must be a number.*in row 2"),
        ("ts,instrument,rate\n2024-01-02,A.X,1\n", {}, "'ts' must have a UTC offset"),
        (
            "ts,instrument,side,price,size,message,snapshot\n{t},A.X,bid,1,1,1,yes\n",
            {},
            "'snapshot' must be true or false; found 'yes' in row 2",
        ),
        (
            "ts,instrument,side,price,size,message\n{t},A.X,bid,1,1,1.5\n",
            {},
            "'message' must hold whole numbers; found '1.5' in row 2",
        ),
        ("timestamp,side,price,amount\n1,up,1,1\n", {}, "'side' must be buy or sell; found 'up'"),
        ("date,ms,bid,ask\n2024-01-02,1,1,2\n", {"instrument": "A.X"}, "time_zone` must say"),
        (
            "date,ms,bid,ask\n2024-01-02,86400000,1,2\n",
            {"instrument": "A.X", "time_zone": "UTC"},
            "'ms' must be whole milliseconds of a day; found 86400000.0 in row 2",
        ),
        (
            "date,ms,bid,ask\n2024-01-02,1,0,0\n",
            {"instrument": "A.X", "time_zone": "UTC"},
            "must have a bid or an ask; found neither in row 2",
        ),
        (
            "date,ms,price,size,suspicious\n2024-01-02,1,1,1,1\n",
            {"instrument": "A.X", "time_zone": "UTC"},
            "'suspicious' must be 0; found 1 in row 2.*set_aside",
        ),
        ("ts,bid_close,ask_close\n{t},1,2\n", {"instrument": "A.X"}, "stamp` must say whether"),
        ("date,ms,price,size\n2024-01-02,1,1,1\n", {"time_zone": "UTC"}, "whose events these are"),
    ],
)
def test_files_that_cannot_be_used_are_refused(
    tmp_path: Path, text: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(MarketDataError, match=message):
        one(tmp_path, text.replace("{t}", str(T)), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "tick"}, "`data.events.format` must be one of quotes"),
        ({"set_aside": ("bad",)}, "`data.events.set_aside` must be one of crossed"),
        ({"use": ("all",)}, "`data.events.use` must be one of levels"),
        ({"stamp": "middle"}, "`data.events.stamp` must be one of open, close"),
        ({"time_zone": "New York"}, "`data.events.time_zone` must be an IANA time zone"),
        ({"delay_us": -1}, "`data.events.delay_us` must not be negative"),
        ({"instrument": "a"}, "must be SYMBOL.VENUE"),
        ({"columns": {"bid": "nope"}}, "must name columns of f.csv; found 'nope' for bid"),
    ],
)
def test_options_that_do_not_exist_are_refused(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        one(tmp_path, f"ts,instrument,bid,ask\n{T},A.X,1,2\n", **options)


def test_lean_quotes_carry_the_side_that_a_tick_does_not_speak_of(tmp_path: Path) -> None:
    text = (
        "date,ms,bid_e4,bid_size,ask_e4,ask_size,suspicious\n"
        "2013-10-07,34200000,0,0,139200,100,0\n"
        "2013-10-07,34200000,139100,200,0,0,0\n"
        "2013-10-07,34200001,0,0,139300,300,0\n"
    )
    records = one(tmp_path, text, instrument="BAC.XNYS", time_zone=NEW_YORK)
    assert records.kind == "quotes"
    assert records.frame["bid"].to_list() == [None, 13.91, 13.91]
    assert records.frame["ask"].to_list() == [13.92, 13.92, 13.93]
    assert records.frame["bid_size"].to_list() == [None, 200.0, 200.0]
    first = pl.from_epoch(records.frame["ts_event"], time_unit="ns")[0]
    assert str(first) == "2013-10-07 13:30:00"  # half past nine in New York, by daylight saving


def test_suspicious_ticks_are_left_out_and_counted(tmp_path: Path) -> None:
    text = "date,ms,price_e4,size,suspicious\n2013-10-07,1,10000,1,0\n2013-10-07,2,99000,1,1\n"
    options = {"instrument": "A.X", "time_zone": "UTC", "set_aside": ("suspicious",)}
    records = one(tmp_path, text, **options)
    assert records.frame["price"].to_list() == [1.0]
    assert records.notes == ("f.csv: 1 ticks that are flagged suspicious are left out.",)


def test_bars_of_quotes_are_the_quotes_of_their_closes(tmp_path: Path) -> None:
    text = "ts,bid_close,ask_close\n{t},1.0,1.1\n{u},1.2,1.1\n"
    text = text.replace("{t}", str(T)).replace("{u}", str(T + 60 * 10**9))
    opened = one(tmp_path, text, instrument="A.X", stamp="open", set_aside=("crossed",))
    assert opened.frame["ts_received"].to_list() == [T + 60 * 10**9]
    assert "1 of 2 quotes, which are crossed, are left out." in opened.notes[1]
    closed = one(tmp_path, text, instrument="A.X", stamp="close")
    assert closed.frame["ts_received"].to_list() == [T, T + 60 * 10**9]
    lean = one(
        tmp_path,
        "date,ms,bid_close,ask_close,bid_size,ask_size\n2024-01-02,0,1,2,3,4\n",
        instrument="A.X",
        time_zone="UTC",
        period_s=1,
    )
    assert lean.frame["ts_event"].to_list() == [1_704_153_601_000_000_000]
    assert lean.frame["bid_size"].to_list() == [3.0]


def test_trades_of_freqtrade(tmp_path: Path) -> None:
    text = "timestamp,id,type,side,price,amount,cost\n1700000000123,1,,sell,0.0014,23,0.03\n"
    records = one(tmp_path, text, instrument="XRP-ETH.BINANCE")
    row = records.frame.row(0, named=True)
    assert row["ts_event"] == T + 123_000_000
    assert (row["price"], row["size"], row["aggressor"]) == (0.0014, 23.0, "sell")


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name, stamp in (("b.csv", T + 1), ("a.csv", T)):
        (tmp_path / "d" / name).write_text(f"ts,instrument,rate\n{stamp},A.X,0\n")
    found = read_events(EventSource("d"), tmp_path)
    assert [each.frame["ts_received"][0] for each in found] == [T, T + 1]
    assert [each.where for each in found] == ["d/a.csv", "d/b.csv"]
    with pytest.raises(MarketDataError, match=r"`data.events.source` 'e' does not exist"):
        read_events(EventSource("e"), tmp_path)
