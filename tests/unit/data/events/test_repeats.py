"""Recordings with other line ends, and with messages that stand in them twice."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.events import EventSource, read_events
from quantvista.data.importing import ImportOptions, import_into
from quantvista.data.lake import Lake
from quantvista.errors import MarketDataError
from quantvista.market import Records

T = 1_700_000_000_000_000_000
NAME = "BTC-USDT.BINANCE"
USE = ("levels", "trades", "quotes")


def message(stream: str, data: dict[str, object]) -> str:
    return json.dumps({"stream": f"btcusdt@{stream}", "data": data}, separators=(",", ":"))


def depth(first: int, final: int, price: str) -> str:
    data = {"E": T // 10**6, "s": "BTCUSDT", "U": first, "u": final, "b": [[price, "1"]], "a": []}
    return message("depth@100ms", data)


def trade(number: int, kind: str = "trade") -> str:
    named = {"t": number} if kind == "trade" else {"a": number}
    data = {"s": "BTCUSDT", **named, "p": "5.5", "q": "1", "T": T // 10**6, "m": True}
    return message(kind, data)


def quote(update: int) -> str:
    return message(
        "bookTicker", {"u": update, "s": "BTCUSDT", "b": "5", "B": "1", "a": "6", "A": "1"}
    )


BOOK = json.dumps({"lastUpdateId": 10, "bids": [["5", "1"]], "asks": [["6", "2"]]})
LINES = [
    BOOK,
    *(depth(11 + k, 11 + k, f"4.{k}") for k in range(6)),
    *(trade(100 + k) for k in range(6)),
    *(quote(200 + k) for k in range(4)),
]


def read(folder: Path, lines: list[str], name: str = "r.jsonl", end: str = "\n") -> list[Records]:
    text = "".join(f"{T + k} {line}{end}" for k, line in enumerate(lines))
    (folder / name).write_bytes(text.encode())
    return read_events(EventSource(name, instrument=NAME, use=USE), folder)


def values(found: list[Records]) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [(each.kind, each.frame.drop("row", "message", strict=False).rows()) for each in found]


@pytest.mark.parametrize("last", ["\r\n", ""])
def test_line_ends_of_windows_change_nothing(tmp_path: Path, last: str) -> None:
    plain = read(tmp_path, LINES)
    windows = read(tmp_path, LINES, "w.jsonl", "\r\n")
    path = tmp_path / "w.jsonl"
    path.write_bytes(path.read_bytes().removesuffix(b"\r\n") + last.encode())
    windows = read_events(EventSource("w.jsonl", instrument=NAME, use=USE), tmp_path)
    assert values(windows) == values(plain)


def test_an_empty_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(f"{T} {BOOK}\r\n\r\n{T} {BOOK}\r\n".encode())
    with pytest.raises(MarketDataError, match=r"must begin with the time received.*in row 2"):
        read_events(EventSource("r.jsonl", instrument=NAME), tmp_path)


@settings(max_examples=40, deadline=None)
@given(again=st.lists(st.integers(0, len(LINES) - 1)), data=st.data(), crlf=st.booleans())
def test_what_was_recorded_twice_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, again: list[int], data: st.DataObject, crlf: bool
) -> None:
    """Repeat any messages behind their first time: prices, sizes and books are the same."""
    folder = tmp_path_factory.mktemp("r")
    once = [(number * 100, line) for number, line in enumerate(LINES)]
    more = [
        (data.draw(st.integers(number * 100 + 1, 100 * len(LINES))), LINES[number])
        for number in again
    ]
    lines = sorted(once + more, key=lambda each: each[0])
    end = "\r\n" if crlf else "\n"
    (folder / "r.jsonl").write_bytes("".join(f"{T + k} {text}{end}" for k, text in lines).encode())
    (folder / "o.jsonl").write_bytes("".join(f"{T + k} {text}\n" for k, text in once).encode())
    found, whole = (
        read_events(EventSource(name, instrument=NAME, use=USE), folder)
        for name in ("r.jsonl", "o.jsonl")
    )
    assert values(found) == values(whole)
    said = [note for note in found[0].notes if "again" in note]
    assert bool(said) == bool(again)
    assert not said or f": {len(again)} messages" in said[0]


def test_a_file_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    text = "".join(f"{T + k} {line}\n" for k, line in enumerate(LINES))
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jsonl", "copy of a.jsonl"):
        (folder / name).write_text(text)
    dataset = Lake(tmp_path / "lake").dataset("d")
    done = import_into(dataset, folder, ImportOptions(instrument=NAME))
    assert dict(done.rows) == {"levels": 8, "trades": 6, "quotes": 4}
    assert sum("again" in note for note in done.notes) == 1


def test_messages_without_a_number_are_never_left_out(tmp_path: Path) -> None:
    """Two trades of one price, size and time are two trades."""
    nameless = trade(1).replace('"t":1,', "")
    lines = [*LINES, nameless, nameless, trade(7), trade(7)]
    found = read(tmp_path, lines)
    assert [each.frame.height for each in found if each.kind == "trades"] == [6 + 3]
