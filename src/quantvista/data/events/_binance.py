"""Recordings of Binance's combined streams: books from depth differences, trades, best quotes."""

import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista._native import decode_binance
from quantvista.data._event_source import EventSource
from quantvista.data.events._again import Repeats
from quantvista.errors import MarketDataError
from quantvista.market import Records

__all__ = ["read_binance"]

# Binance gives no price and no size with more decimals than these.
_DECIMALS = 8
_EXACT_MOST = 2**53

type _Columns = dict[str, NDArray[Any]]


def read_binance(paths: list[tuple[Path, str]], source: EventSource) -> list[Records]:
    """Read a recording of one symbol.

    Parameters
    ----------
    paths : list of (path, name)
        Files of lines ``receive time in nanoseconds, space, JSON``, one after the other; the
        second is how messages call it. A line without ``stream`` is a depth snapshot of REST.
    source : EventSource
        With ``instrument``; ``use`` says which streams are read.

    Returns
    -------
    list of Records
        ``levels``, ``trades`` and ``quotes``, of those that are used and are there. Aggregated
        trades are used where no single ones were recorded.

    Raises
    ------
    MarketDataError
        If a line is something else, no snapshot fits the differences, or differences are missing
        and ``set_aside`` does not say to wait for the next snapshot.

    Notes
    -----
    As Binance prescribes: differences that arrive before the snapshot are kept, those that it
    already contains are dropped, the first one after it must reach back to it, and each later one
    must begin where the one before it ended. What is known only with the snapshot counts as
    received with it. Later snapshots that are newer than the book replace it. A message that
    stands in the recording again, with the number that the venue gave it, is read once.
    """
    where = source.source
    repeats = Repeats()
    files = [_decoded(path, name, repeats) for path, name in paths]
    symbols = {file["symbol"] for file in files} - {""}
    if len(symbols) > 1:
        found = ", ".join(sorted(symbols))
        raise MarketDataError(f"{where}: must be a recording of one symbol; found {found}")
    if source.instrument is None:
        raise MarketDataError(
            f"{where}: `data.events.instrument` must say whose events these are; found none"
        )
    books, trades, quotes = (_joined(files, kind) for kind in ("books", "trades", "quotes"))
    others = sum(file["others"] for file in files)
    notes: tuple[str, ...] = ()
    if others:
        notes += (f"{where}: {others} messages of other streams are not read.",)
    if again := sum(file["again"] for file in files):
        notes += (f"{where}: {again} messages stand there again, and are read once, as first.",)
    instrument = pl.lit(source.instrument, dtype=pl.Categorical).alias("instrument")
    result = []
    if "levels" in source.use:
        if books["snapshot"].all():
            raise MarketDataError(f"{where}: must have depth messages for the book; found none")
        frame, of_book = _levels(books, source)
        result.append(Records("levels", frame.with_columns(instrument), where, 1, of_book + notes))
    if "trades" in source.use and trades["row"].size:
        frame = _trades(trades).with_columns(instrument)
        result.append(Records("trades", frame, where, 1, notes))
    if "quotes" in source.use and quotes["row"].size:
        columns = {
            name: _decimals(values) if name in ("bid", "bid_size", "ask", "ask_size") else values
            for name, values in quotes.items()
        }
        frame = pl.DataFrame(columns).rename({"received": "ts_received"})
        result.append(Records("quotes", frame.with_columns(instrument), where, 1, notes))
    return result


def _decoded(path: Path, where: str, repeats: Repeats) -> dict[str, Any]:
    """Columns of one file, without what was recorded before, which is counted."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise MarketDataError(f"{where}: not a whole recording ({error})") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise MarketDataError(f"{where}: cannot be read: {reason}") from None
    try:
        found = decode_binance(content, _DECIMALS)
    except MarketDataError as error:
        raise MarketDataError(f"{where}: {error}") from None
    return {**found, **_once(found, repeats.rows(content))}


def _once(file: dict[str, Any], again: NDArray[np.int64]) -> dict[str, Any]:
    """Leave messages out by their rows, and count them."""
    kept: dict[str, Any] = {"again": 0}
    for kind in ("books", "trades", "quotes") if again.size else ():
        columns: _Columns = file[kind]
        fresh = ~np.isin(columns["row"], again)
        levels = np.repeat(fresh, columns["bids"] + columns["asks"]) if kind == "books" else fresh
        kept["again"] += int((~fresh).sum())
        kept[kind] = {
            name: values[levels if name in ("price", "size") else fresh]
            for name, values in columns.items()
        }
    return kept


def _joined(files: list[dict[str, Any]], kind: str) -> _Columns:
    parts: list[_Columns] = [file[kind] for file in files]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _decimals(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the floats that are nearest to exact decimals."""
    result: NDArray[np.float64] = values / 10**_DECIMALS
    # Beyond 53 bits the number itself would be rounded before the quotient is; Python's is not.
    large = np.flatnonzero(values > _EXACT_MOST)
    result[large] = [number / 10**_DECIMALS for number in values[large].tolist()]
    return result


def _trades(trades: _Columns) -> pl.DataFrame:
    single = ~trades["aggregate"]
    used = single if single.any() else ~single
    buyer_made = trades["buyer_made"][used]
    return pl.DataFrame(
        {
            "row": trades["row"][used],
            "ts_received": trades["received"][used],
            "ts_event": trades["event"][used],
            "price": _decimals(trades["price"][used]),
            "size": _decimals(trades["size"][used]),
        }
    ).with_columns(
        # If the buyer was the maker, the seller took.
        aggressor=pl.when(pl.Series(buyer_made)).then(pl.lit("sell")).otherwise(pl.lit("buy"))
    )


@dataclass
class _Book:
    """Which messages make the book, and when each is known."""

    source: EventSource
    chosen: list[tuple[int, int, bool]] = field(default_factory=list)  # index, received, snapshot
    cleared: list[tuple[int, int]] = field(default_factory=list)  # place in chosen, received
    waiting: list[tuple[int, int, int]] = field(default_factory=list)
    last: int | None = None
    dropped: int = 0
    gaps: int = 0

    def snapshot(self, index: int, number: int, received: int) -> None:
        """Start the book anew, unless it is ahead of the snapshot already."""
        if self.last is not None and number <= self.last:
            return
        kept = [each for each in self.waiting if each[2] > number]
        self.dropped += len(self.waiting) - len(kept)
        self.waiting = []
        if kept and kept[0][1] > number + 1:
            self.waiting = kept  # it is too old for the differences that are there
            return
        self.last = number
        self.chosen.append((index, received, True))
        for at, first, final in kept:
            self._apply(at, first, final, received)

    def difference(self, index: int, first: int, final: int, received: int, row: int) -> None:
        """Apply a difference where it continues the book, else wait for a snapshot."""
        if self.last is None:
            self.waiting.append((index, first, final))
        elif final <= self.last:
            self.dropped += 1
        elif first > self.last + 1:
            if "gaps" not in self.source.set_aside:
                raise MarketDataError(
                    f"{self.source.source}: depth differences must continue each other; found "
                    f"{first} after {self.last} in row {row} "
                    '(set_aside = ["gaps"] leaves the book empty until the next snapshot)'
                )
            self.gaps += 1
            self.last = None
            self.cleared.append((len(self.chosen), received))
            self.waiting = [(index, first, final)]
        else:
            self._apply(index, first, final, received)

    def _apply(self, index: int, first: int, final: int, received: int) -> None:
        assert self.last is not None
        assert first <= self.last + 1
        self.last = final
        self.chosen.append((index, received, False))


def _levels(books: _Columns, source: EventSource) -> tuple[pl.DataFrame, tuple[str, ...]]:
    book = _Book(source)
    names = ("snapshot", "first", "last", "received", "row")
    messages = zip(*(books[name].tolist() for name in names), strict=True)
    for index, (is_snapshot, first, final, received, row) in enumerate(messages):
        if is_snapshot:
            book.snapshot(index, final, received)
        else:
            book.difference(index, first, final, received, row)
    if not any(each[2] for each in book.chosen):
        raise MarketDataError(
            f"{source.source}: must hold a depth snapshot that fits its differences; found none "
            "(name the folder, or the file with the snapshot too)"
        )
    frame = _assemble(book, books)
    unsure = len(book.waiting) if book.last is None else 0
    notes = [
        f"{source.source}: the book starts at its snapshot; {book.dropped} differences before it "
        "are part of it."
    ]
    if book.gaps:
        notes.append(
            f"{source.source}: {book.gaps} gaps of the recording, after which the book is empty "
            f"until the next snapshot; {unsure} differences at the end are left out."
        )
    return frame, tuple(notes)


def _assemble(book: _Book, books: _Columns) -> pl.DataFrame:
    """Rows of levels of the chosen messages, in their order."""
    chosen = np.array([each[0] for each in book.chosen], dtype=np.int64)
    received = np.array([each[1] for each in book.chosen], dtype=np.int64)
    every = books["bids"].astype(np.int64) + books["asks"]
    starts = np.cumsum(every) - every
    counts = every[chosen]
    # The place of each level in its message, and with it in the recording.
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    level = np.repeat(starts[chosen], counts) + place

    def of_message(values: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(values, counts)

    is_bid = pl.Series(place < of_message(books["bids"][chosen].astype(np.int64)))
    levels = pl.DataFrame(
        {
            "message": of_message(np.arange(chosen.size) * 2),
            "ts_received": of_message(received),
            "ts_event": of_message(books["event"][chosen]),
            "snapshot": of_message(books["snapshot"][chosen]),
            "row": of_message(books["row"][chosen]),
            "price": _decimals(books["price"][level]),
            "size": _decimals(books["size"][level]),
        }
    ).with_columns(side=pl.when(is_bid).then(pl.lit("bid")).otherwise(pl.lit("ask")))
    if not book.cleared:
        return levels
    emptied = pl.DataFrame(
        {
            "message": [2 * place - 1 for place, _ in book.cleared],
            "ts_received": [received for _, received in book.cleared],
        }
    ).with_columns(ts_event="ts_received", snapshot=True, row=pl.lit(0, dtype=pl.UInt32))
    joined = pl.concat([levels, emptied], how="diagonal")
    return joined.sort("message", maintain_order=True)
