"""Recordings of Binance's combined streams: books from depth differences, trades, best quotes."""

import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from quantvista.data._event_source import EventSource
from quantvista.errors import MarketDataError
from quantvista.market import Records

__all__ = ["read_binance"]

_PAIRS = pl.List(pl.List(pl.String))
_DEPTH = pl.Struct(
    {
        "data": pl.Struct(
            {"s": pl.String, "E": pl.Int64, "U": pl.Int64, "u": pl.Int64, "b": _PAIRS, "a": _PAIRS}
        )
    }
)
_SNAPSHOT = pl.Struct({"lastUpdateId": pl.Int64, "bids": _PAIRS, "asks": _PAIRS})
_TICKER = pl.Struct({"data": pl.Struct({"s": pl.String, **dict.fromkeys("bBaA", pl.String)})})
_TRADE = pl.Struct(
    {
        "data": pl.Struct(
            {"s": pl.String, "T": pl.Int64, "p": pl.String, "q": pl.String, "m": pl.Boolean}
        )
    }
)
_STREAMS = {"depth": _DEPTH, "bookTicker": _TICKER, "trade": _TRADE, "snapshot": _SNAPSHOT}
_NS_IN_MS = 1_000_000


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
        ``levels``, ``trades`` and ``quotes``, of those that are used and are there.

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
    received with it. Later snapshots that are newer than the book replace it.
    """
    lines = _lines(paths)
    parts = {name: _decoded(lines, name, paths) for name in _STREAMS}
    symbols = {
        name for key in ("depth", "bookTicker", "trade") for name in parts[key]["s"].unique()
    }
    where = source.source
    if len(symbols) > 1:
        found = ", ".join(sorted(map(str, symbols)))
        raise MarketDataError(f"{where}: must be a recording of one symbol; found {found}")
    if source.instrument is None:
        raise MarketDataError(
            f"{where}: `data.events.instrument` must say whose events these are; found none"
        )
    instrument = pl.lit(source.instrument, dtype=pl.Categorical).alias("instrument")
    result = []
    if "levels" in source.use:
        if not parts["depth"].height:
            raise MarketDataError(f"{where}: must have depth messages for the book; found none")
        frame, notes = _levels(parts["depth"], parts["snapshot"], source)
        result.append(Records("levels", frame.with_columns(instrument), where, 1, notes))
    if "trades" in source.use and parts["trade"].height:
        trades = parts["trade"].select(
            "row",
            pl.col("received").alias("ts_received"),
            (pl.col("T") * _NS_IN_MS).alias("ts_event"),
            _number("p").alias("price"),
            _number("q").alias("size"),
            # If the buyer was the maker, the seller took.
            pl.when("m").then(pl.lit("sell")).otherwise(pl.lit("buy")).alias("aggressor"),
            instrument,
        )
        result.append(Records("trades", trades, where))
    if "quotes" in source.use and parts["bookTicker"].height:
        quotes = parts["bookTicker"].select(
            "row",
            pl.col("received").alias("ts_received"),
            *(
                _number(theirs).alias(ours)
                for theirs, ours in zip("bBaA", ("bid", "bid_size", "ask", "ask_size"), strict=True)
            ),
            instrument,
        )
        result.append(Records("quotes", quotes, where))
    return result


def _lines(paths: list[tuple[Path, str]]) -> pl.DataFrame:
    """Lines of all files with the time received, their row, and the stream they are of."""
    frames = []
    for path, where in paths:
        try:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            text = content.decode("utf-8")
        except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
            raise MarketDataError(f"{where}: not a whole recording ({error})") from None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise MarketDataError(f"{where}: cannot be read: {reason}") from None
        line = pl.DataFrame({"line": text.splitlines()}).with_row_index("row", 1)
        frame = line.with_columns(
            pl.col("line")
            .str.extract(r"^(\d{16,19}) ")
            .cast(pl.Int64, strict=False)
            .alias("received"),
            pl.col("line").str.replace(r"^\d+ ", "").alias("json"),
        )
        bad = frame["received"].is_null()
        if bad.any():
            row = (bad.arg_max() or 0) + 1
            rule = "must begin with the time received in nanoseconds, and a space"
            raise MarketDataError(f"{where}: a line {rule}; found another in row {row}")
        frames.append(frame.drop("line"))
    joined = pl.concat(frames)
    stream = pl.col("json").str.extract(r'"stream":"[^"@]*@([A-Za-z]+)')
    kind = (
        pl.when(pl.col("json").str.contains('"lastUpdateId"', literal=True))
        .then(pl.lit("snapshot"))
        .otherwise(stream)
    )
    return joined.with_columns(kind.alias("stream")).with_row_index("at")


def _decoded(lines: pl.DataFrame, name: str, paths: list[tuple[Path, str]]) -> pl.DataFrame:
    part = lines.filter(pl.col("stream") == name)
    try:
        values = part["json"].str.json_decode(_STREAMS[name])
    except pl.exceptions.PolarsError as error:
        names = ", ".join(where for _, where in paths)
        reason = str(error).splitlines()[0]
        raise MarketDataError(f"{names}: a {name} message is not readable: {reason}") from None
    frame = part.select("at", "row", "received").with_columns(values.alias("value"))
    frame = frame.unnest("value")
    return frame if name == "snapshot" else frame.unnest("data")


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


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


def _levels(
    depth: pl.DataFrame, snapshots: pl.DataFrame, source: EventSource
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    book = _Book(source)
    events = [
        (at, False, index, first, final, received, row)
        for index, (at, first, final, received, row) in enumerate(
            depth.select("at", "U", "u", "received", "row").iter_rows()
        )
    ]
    events += [
        (at, True, index, number, number, received, row)
        for index, (at, number, received, row) in enumerate(
            snapshots.select("at", "lastUpdateId", "received", "row").iter_rows()
        )
    ]
    for _, is_snapshot, index, first, final, received, row in sorted(events):
        if is_snapshot:
            book.snapshot(index, final, received)
        else:
            book.difference(index, first, final, received, row)
    if not any(each[2] for each in book.chosen):
        raise MarketDataError(
            f"{source.source}: must hold a depth snapshot that fits its differences; found none "
            "(name the folder, or the file with the snapshot too)"
        )
    frame = _assemble(book, depth, snapshots)
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


def _assemble(book: _Book, depth: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """Rows of levels of the chosen messages, in their order."""
    order = pl.DataFrame(
        {
            "message": np.arange(len(book.chosen), dtype=np.int64) * 2,
            "index": [each[0] for each in book.chosen],
            "ts_received": [each[1] for each in book.chosen],
            "snapshot": [each[2] for each in book.chosen],
        },
        schema_overrides={"index": pl.UInt32},
    )
    diffs = depth.with_row_index("index").select(
        "index", "row", (pl.col("E") * _NS_IN_MS).alias("ts_event"), bid="b", ask="a"
    )
    wholes = snapshots.with_row_index("index").select(
        "index", "row", pl.col("received").alias("ts_event"), bid="bids", ask="asks"
    )
    rows = []
    for whole, table in ((False, diffs), (True, wholes)):
        joined = order.filter(pl.col("snapshot") == whole).join(table, on="index", how="left")
        for rank, side in enumerate(("bid", "ask")):
            pairs = joined.select(
                "message", "ts_received", "ts_event", "snapshot", "row", pair=side
            ).explode("pair")
            rows.append(
                pairs.drop_nulls("pair").select(
                    "message",
                    "ts_received",
                    "ts_event",
                    "snapshot",
                    "row",
                    pl.lit(side).alias("side"),
                    pl.lit(rank).alias("rank"),
                    pl.col("pair").list.get(0).cast(pl.Float64).alias("price"),
                    pl.col("pair").list.get(1).cast(pl.Float64).alias("size"),
                )
            )
    if book.cleared:
        rows.append(
            pl.DataFrame(
                {
                    "message": [2 * place - 1 for place, _ in book.cleared],
                    "ts_received": [received for _, received in book.cleared],
                }
            ).select(
                "message",
                "ts_received",
                pl.col("ts_received").alias("ts_event"),
                pl.lit(True).alias("snapshot"),
                pl.lit(None, dtype=pl.UInt32).alias("row"),
                pl.lit(None, dtype=pl.String).alias("side"),
                pl.lit(0).alias("rank"),
                pl.lit(None, dtype=pl.Float64).alias("price"),
                pl.lit(None, dtype=pl.Float64).alias("size"),
            )
        )
    levels = pl.concat(rows).sort("message", "rank", maintain_order=True)
    return levels.drop("rank").with_columns(pl.col("row").fill_null(0))
