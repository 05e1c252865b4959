"""Books are put together from a snapshot and differences, as Binance prescribes."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista._native import decode_binance
from quantvista.data.events import EventSource, read_events
from quantvista.data.events._binance import _decimals
from quantvista.errors import MarketDataError
from quantvista.market import Records

T = 1_700_000_000_000_000_000
NAME = "BTC-USDT.BINANCE"


def depth(first: int, final: int, bids: list[list[str]], symbol: str = "BTCUSDT") -> str:
    data = {"e": "depthUpdate", "E": 1_700_000_000_000, "s": symbol, "U": first, "u": final}
    return json.dumps(
        {"stream": "btcusdt@depth@100ms", "data": {**data, "b": bids, "a": []}},
        separators=(",", ":"),
    )


def snapshot(number: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    return json.dumps({"lastUpdateId": number, "bids": bids, "asks": asks}, separators=(",", ":"))


def read(folder: Path, lines: list[str], **options: object) -> list[Records]:
    text = "".join(f"{T + k} {line}\n" for k, line in enumerate(lines))
    (folder / "r.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    source = EventSource("r.jsonl.gz", **{"instrument": NAME, **options})  # type: ignore[arg-type]
    return read_events(source, folder)


def rows(records: Records) -> list[tuple[object, ...]]:
    columns = ("ts_received", "snapshot", "side", "price", "size", "row")
    return [(row[0] - T, *row[1:]) for row in records.frame.select(columns).iter_rows()]


BOOK = snapshot(10, [["5", "1"]], [["6", "2"]])


def test_differences_before_the_snapshot_are_known_with_it(tmp_path: Path) -> None:
    lines = [
        depth(1, 5, [["4", "9"]]),
        depth(6, 12, [["5", "3"]]),
        BOOK,
        depth(13, 14, [["5", "0"]]),
    ]
    (levels,) = read(tmp_path, lines)
    assert levels.kind == "levels"
    assert rows(levels) == [
        (2, True, "bid", 5.0, 1.0, 3),
        (2, True, "ask", 6.0, 2.0, 3),
        (2, False, "bid", 5.0, 3.0, 2),  # received before, but of no use until the snapshot
        (3, False, "bid", 5.0, 0.0, 4),
    ]
    assert levels.frame["message"].n_unique() == 3
    assert "1 differences before it are part of it" in levels.notes[0]


def test_a_gap_is_refused_or_empties_the_book_until_the_next_snapshot(tmp_path: Path) -> None:
    later = snapshot(30, [["7", "1"]], [])
    lines = [BOOK, depth(11, 12, [["5", "3"]]), depth(20, 31, [["7", "2"]]), later]
    with pytest.raises(MarketDataError, match=r"found 20 after 12 in row 3 \(set_aside"):
        read(tmp_path, lines)
    (levels,) = read(tmp_path, lines, set_aside=("gaps",))
    assert rows(levels)[3:] == [
        (2, True, None, None, None, 0),
        (3, True, "bid", 7.0, 1.0, 4),
        (3, False, "bid", 7.0, 2.0, 3),
    ]
    assert "1 gaps of the recording" in levels.notes[1]


def test_a_newer_snapshot_replaces_the_book_and_an_older_one_does_not(tmp_path: Path) -> None:
    lines = [BOOK, depth(11, 12, [["5", "3"]]), snapshot(11, [], [["9", "9"]])]
    assert len(rows(read(tmp_path, lines)[0])) == 3
    lines = [*lines[:2], snapshot(20, [["8", "1"]], []), depth(19, 21, [["8", "2"]])]
    assert rows(read(tmp_path, lines)[0])[3:] == [
        (2, True, "bid", 8.0, 1.0, 3),
        (3, False, "bid", 8.0, 2.0, 4),
    ]


def test_without_a_snapshot_that_fits_there_is_no_book(tmp_path: Path) -> None:
    for lines in ([depth(1, 2, [])], [depth(20, 22, []), BOOK]):
        with pytest.raises(MarketDataError, match="must hold a depth snapshot that fits"):
            read(tmp_path, lines)


def test_trades_and_best_quotes(tmp_path: Path) -> None:
    trade = {"s": "BTCUSDT", "T": 1_700_000_000_001, "p": "5.5", "q": "0.1", "m": True}
    ticker = {"s": "BTCUSDT", "b": "5", "B": "1", "a": "6", "A": "2"}
    lines = [
        json.dumps({"stream": "btcusdt@trade", "data": trade}, separators=(",", ":")),
        json.dumps({"stream": "btcusdt@bookTicker", "data": ticker}, separators=(",", ":")),
    ]
    trades, quotes = read(tmp_path, lines, use=("trades", "quotes"))
    row = trades.frame.row(0, named=True)
    assert (row["price"], row["size"], row["aggressor"]) == (5.5, 0.1, "sell")
    assert (row["ts_received"], row["ts_event"]) == (T, T + 1_000_000)
    assert quotes.frame.select("bid", "bid_size", "ask", "ask_size").row(0) == (5, 1, 6, 2)
    with pytest.raises(MarketDataError, match="must have depth messages for the book"):
        read(tmp_path, lines)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([depth(1, 2, []), depth(3, 4, [], "ETHUSDT")], "one symbol; found BTCUSDT, ETHUSDT"),
        (
            ['{"stream":"btcusdt@depth@100ms","data":{'],
            "gz: a depth message is not readable",
        ),
        (
            [BOOK, depth(11, 12, [["5", "1e2"]])],
            "`b` must be a decimal number; found",
        ),
        (
            [depth(11, 12, [["5.123456789", "1"]])],
            "`b` must have at most 8 decimals",
        ),
        ([snapshot(10, [["5"]], [])], "`bids` must have levels of a price and a size"),
        (['{"lastUpdateId":10,"bids":[]}'], "`asks` must be there; found none in row 1"),
        (['{"lastUpdateId":1,"lastUpdateId":1}'], "`lastUpdateId` must be there once"),
    ],
)
def test_recordings_that_cannot_be_used(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        read(tmp_path, lines)


def test_lines_without_a_time_and_torn_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    with pytest.raises(MarketDataError, match=r"must begin with the time received.*in row 1"):
        read_events(EventSource("a.jsonl", instrument=NAME), tmp_path)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"x")[:-4])
    with pytest.raises(MarketDataError, match="not a whole recording"):
        read_events(EventSource("b.jsonl.gz", instrument=NAME), tmp_path)
    with pytest.raises(MarketDataError, match="must say whose events these are"):
        read(tmp_path, [BOOK, depth(11, 12, [])], instrument=None)
    (tmp_path / "c.jsonl").write_bytes(f"{T} {BOOK}\n{T} \xff".encode("latin-1"))
    with pytest.raises(MarketDataError, match=r"must be text in UTF-8; found other bytes in row 2"):
        read_events(EventSource("c.jsonl", instrument=NAME), tmp_path)


def trade(stream: str, price: str, size: str = "1") -> str:
    data = {"s": "BTCUSDT", "T": 1_700_000_000_001, "p": price, "q": size, "m": False}
    return json.dumps({"stream": f"btcusdt@{stream}", "data": data}, separators=(",", ":"))


def test_aggregated_trades_count_where_there_are_no_single_ones(tmp_path: Path) -> None:
    lines = [trade("aggTrade", "5"), trade("aggTrade", "6"), '{"result":null,"id":1}']
    (trades,) = read(tmp_path, lines, use=("trades",))
    assert trades.frame["price"].to_list() == [5, 6]
    assert trades.notes == ("r.jsonl.gz: 1 messages of other streams are not read.",)
    (trades,) = read(tmp_path, [*lines, trade("trade", "7")], use=("trades",))
    assert trades.frame["price"].to_list() == [7]


@given(st.integers(0, 2**63 - 1))
def test_numbers_are_the_floats_that_their_text_means(number: int) -> None:
    text = f"{number // 10**8}.{number % 10**8:08d}"
    found = decode_binance(f"{T} {trade('trade', text)}".encode(), 8)["trades"]["price"]
    assert found.tolist() == [number]
    assert _decimals(found).tolist() == [float(text)]
