"""Bars as rows come in, a chunk at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from quantvista._native import BAR_ENDINGS
from quantvista._native import BarBuilder as NativeBuilder
from quantvista.data.bars._clock import Clock
from quantvista.data.bars._options import BarOptions
from quantvista.data.bars._rows import ROWS, columns_of
from quantvista.data.bars._spec import BarSpec
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["BarBuilder", "BarCounts"]

_ORDER = (
    *("ts_event", "ts_received", "known_at", "ts_start", "open", "high", "low", "close"),
    *("volume", "value", "vwap", "buy_volume", "sell_volume", "ticks", "number", "ended_by"),
)
_NEEDS = {"volume": "volume", "dollar": "value"}
_OF_BARS = ("time", "volume", "dollar")
_EVERYONE = "all rows"  # the instrument of a table without a column of instruments


@dataclass(frozen=True, slots=True)
class BarCounts:
    """Rows that were given, and those of them that are in no bar.

    Parameters
    ----------
    rows : int
        Given.
    late : int
        Before an earlier row of their instrument.
    missing : int
        Without a price or a size.
    outside : int
        Outside the sessions.
    """

    rows: int = 0
    late: int = 0
    missing: int = 0
    outside: int = 0


class BarBuilder:
    """Makes bars of several kinds and instruments in one pass.

    Parameters
    ----------
    specs : sequence of BarSpec
        Kinds of bars, with different names.
    options : BarOptions or None
        How they are made.
    rows : {"trades", "quotes", "bars", "quote_bars"}
        What goes in.

    Raises
    ------
    ConfigError
        If the kinds cannot be made of these rows.

    Notes
    -----
    Causality: a bar comes out with the row, or the instant, by which it is known to have ended. A
    window of the clock is over when a row of its instrument lies behind it; `close` says so where
    there is none. Rows go in in the order of their time for each instrument; whether several come
    at once, and whether the builder was saved in between, changes no bit of any bar. Missing
    values: see `BarOptions`; a bar without volume makes that of the longer bar missing.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapter 2, for bars of sizes and
    of imbalances. The row that reaches a size ends the bar and is not split.

    Examples
    --------
    >>> import polars as pl
    >>> builder = BarBuilder([BarSpec("time", "1m"), BarSpec("tick", 2)])
    >>> rows = {"ts_event": [0, 59 * 10**9, 60 * 10**9], "price": [1, 3, 2], "size": [1, 1, 1]}
    >>> found = builder.add(pl.DataFrame(rows))
    >>> found["1m"].select("ts_event", "open", "close", "volume").row(0)
    (60000000000, 1.0, 3.0, 2.0)
    """

    def __init__(
        self,
        specs: Sequence[BarSpec],
        options: BarOptions | None = None,
        *,
        rows: str = "trades",
    ) -> None:
        self._specs = tuple(specs)
        self._options = options or BarOptions()
        if rows not in ROWS:
            raise ConfigError(f"`rows` must be one of {', '.join(ROWS)}; found {rows!r}")
        self._rows = rows
        names = [spec.name for spec in self._specs]
        if not names:
            raise ConfigError("`specs` must name at least one kind of bar; found none")
        if len(set(names)) < len(names):
            raise ConfigError(f"`specs` must be different; found {', '.join(names)}")
        self._check_kinds()
        self._clock = Clock(self._options)
        self._native: NativeBuilder | None = None
        self._sides = self._options.sides or ""
        self._columns: frozenset[str] = frozenset()
        self._places: dict[str, int] = {}

    def add(self, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Take the next rows.

        Parameters
        ----------
        frame : polars.DataFrame
            ``ts_event`` in UTC nanoseconds or with a time zone, ascending for each instrument;
            ``instrument`` unless all are of one; ``ts_received`` and ``known_at`` where they
            differ; of trades ``price``, ``size`` and ``aggressor`` (buy, sell or null) where it is
            known; of quotes ``bid`` and ``ask``; of bars ``close`` or all four prices, what there
            is of ``volume``, ``value``, ``buy_volume``, ``sell_volume`` and ``ticks``, and
            ``ts_start``.

        Returns
        -------
        dict of str to polars.DataFrame
            By the name of each kind, the bars that ended; see `aggregate` for their columns.

        Raises
        ------
        MarketDataError
            If a row cannot be used; nothing of the chunk is then in any bar.
        """
        if self._native is None:
            self._begin(frame)
        given = _EVERYONE if "instrument" not in frame.columns else None
        columns = columns_of(frame, self._rows, self._options.price, sides=self._sides == "given")
        if frozenset(columns) - {"ts_received", "known_at"} != self._columns:
            known = ", ".join(sorted(self._columns))
            raise MarketDataError(f"`rows` must keep their columns ({known}); found others")
        assert self._native is not None
        if frame.height:
            self._enter(frame, given, columns)
            self._reach(int(columns["ts_event"].min()), int(columns["ts_event"].max()))
        return self._tables(self._native.advance(columns))

    def close(self, until: int) -> dict[str, pl.DataFrame]:
        """Say that the rows are complete up to an instant.

        Parameters
        ----------
        until : int
            UTC nanoseconds, exclusive. Rows before it are late from then on.

        Returns
        -------
        dict of str to polars.DataFrame
            Windows and sessions that are over by then, filled where that was asked for.
        """
        if self._native is None:
            return {}
        self._reach(until, until)
        return self._tables(self._native.close_until(until))

    def open_bars(self) -> dict[str, pl.DataFrame]:
        """Bars that did not end yet, as they stand: ``ended_by`` is "open". Nothing changes."""
        return {} if self._native is None else self._tables(self._native.open_bars())

    @property
    def counts(self) -> BarCounts:
        """Rows so far, and those that were left out."""
        return BarCounts() if self._native is None else BarCounts(*self._native.counts)

    def snapshot(self) -> bytes:
        """Save the state, with the kinds and options that it belongs to.

        Raises
        ------
        ConfigError
            If no row came in yet.
        """
        if self._native is None:
            raise ConfigError("`snapshot` must be of a builder that was given rows; found none")
        first, last = self._clock.covered
        head = f"{self._sides}|{','.join(sorted(self._columns))}|{first}|{last}\n".encode()
        return head + self._native.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot of a builder of the same kinds, options and rows.

        Raises
        ------
        ConfigError
            If it is of another one, or damaged; the state is then as it was.
        """
        head, _, body = snapshot.partition(b"\n")
        try:
            sides, columns, first, last = head.decode().split("|")
            span = int(first), int(last)
            made = self._make(sides)
        except (ValueError, ConfigError):
            raise ConfigError(
                "`snapshot` must be one of this builder; found that it is damaged"
            ) from None
        made.restore(body)
        self._native, self._sides = made, sides
        self._columns = frozenset(columns.split(","))
        self._places = {name: place for place, name in enumerate(made.names)}
        self._clock = Clock(self._options)
        self._reach(*span)

    def _check_kinds(self) -> None:
        for spec in self._specs:
            if self._rows == "quotes" and spec.kind not in ("time", "tick", "tick_imbalance"):
                raise ConfigError(
                    f"`kind` must be time, tick or tick_imbalance of quotes, which have no volume; "
                    f"found {spec.kind}"
                )
            if self._rows in ("bars", "quote_bars") and spec.kind not in (
                "time",
                "volume",
                "dollar",
            ):
                rule = "must be time, volume or dollar of bars, which are no ticks"
                raise ConfigError(f"`kind` {rule}; found {spec.kind}")

    def _begin(self, frame: pl.DataFrame) -> None:
        """Make the kernel's builder by the columns of the first rows."""
        there = set(frame.columns)
        sides = self._options.sides or ("given" if "aggressor" in there else "")
        if self._rows != "trades":
            sides = (
                "tick_rule" if self._options.sides == "tick_rule" and self._rows == "quotes" else ""
            )
        needs = [spec.kind for spec in self._specs if spec.imbalance]
        if needs and not sides:
            raise ConfigError(
                f"`sides` must be known for {needs[0]} bars; found no column 'aggressor': "
                "tick_rule takes the side from the last change of the price (--sides tick_rule)"
            )
        for spec in self._specs:
            column = _NEEDS.get(spec.kind, "")
            if column and self._rows in ("bars", "quote_bars") and column not in there:
                raise ConfigError(
                    f"`kind` {spec.kind} needs a column '{column}' of the bars; found "
                    f"{', '.join(frame.columns)}"
                )
        if self._rows in ("bars", "quote_bars") and "ts_start" not in there:
            self._check_steps(frame)
        columns = columns_of(frame.head(0), self._rows, self._options.price, sides=sides == "given")
        self._sides = sides
        self._columns = frozenset(columns) - {"ts_received", "known_at"}
        self._native = self._make(sides)

    def _check_steps(self, frame: pl.DataFrame) -> None:
        """Refuse steps that the bars do not fit into, by the usual distance between them."""
        gaps = pl.Series(columns_of(frame, self._rows, "mid", sides=False)["ts_event"])
        rows = pl.DataFrame({"gap": gaps})
        if "instrument" in frame.columns:
            whose = rows.with_columns(frame["instrument"])
            usual = whose.select(pl.col("gap").diff().over("instrument"))["gap"]
        else:
            usual = rows["gap"].diff()
        length = int(usual.drop_nulls().mode().min() or 0)  # type: ignore[arg-type]
        for spec in self._specs:
            if spec.kind == "time" and not spec.unit and length > 0 and spec.step_ns % length:
                raise ConfigError(
                    f"`every` must be a multiple of the bars' own length; found {spec.size} of "
                    f"bars that are {length / 10**9:,.9g} s apart"
                )

    def _make(self, sides: str) -> NativeBuilder:
        rows = "bars" if self._rows == "quote_bars" else self._rows
        return NativeBuilder(
            {
                "rows": rows,
                "kinds": [spec.native(fill=self._options.fill) for spec in self._specs],
                "sides": sides or "unknown",
                "late": self._options.late,
                "missing": self._options.missing,
            }
        )

    def _enter(self, frame: pl.DataFrame, given: str | None, columns: dict[str, Any]) -> None:
        """Find the places of instruments; new ones come behind."""
        assert self._native is not None
        names = [given] if given else frame["instrument"].unique(maintain_order=True).to_list()
        if None in names:
            row = int(frame["instrument"].is_null().arg_max() or 0) + 1
            raise MarketDataError(f"column 'instrument' must not be empty; found none in row {row}")
        new = [name for name in names if name not in self._places]
        self._native.grow(new)
        for name in new:
            self._places[name] = len(self._places)
        if len(self._places) > 1:
            if given:
                place = np.uint32(self._places[given])
                columns["instrument"] = np.full(frame.height, place, np.uint32)
            else:
                codes = frame["instrument"].cast(pl.String)
                codes = codes.replace_strict(self._places, return_dtype=pl.UInt32)
                columns["instrument"] = codes.to_numpy()

    def _reach(self, first: int, last: int) -> None:
        if self._clock.cover(first, last):
            assert self._native is not None
            sessions = self._clock.sessions()
            self._native.set_clock(sessions, [self._clock.frames(spec) for spec in self._specs])

    def _tables(self, outputs: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
        names = pl.Series(list(self._places), dtype=pl.String)
        gone = self._absent()
        tables = {}
        for spec, columns in zip(self._specs, outputs, strict=True):
            endings = pl.Series(BAR_ENDINGS, dtype=pl.String)
            frame = pl.DataFrame({**columns, "ts_start": columns["start"]})
            frame = frame.with_columns(
                names.gather(frame["instrument"]).alias("instrument"),
                endings.gather(frame["ended_by"]).alias("ended_by"),
                pl.col(pl.Float64).fill_nan(None),
            )
            whose = [] if _EVERYONE in self._places else ["instrument"]
            tables[spec.name] = frame.select(*whose, *(n for n in _ORDER if n not in gone))
        return tables

    def _absent(self) -> set[str]:
        """Columns that say nothing, since the rows do not."""
        if self._rows == "quotes":
            return {"volume", "value", "vwap", "buy_volume", "sell_volume"}
        if self._rows == "trades":
            return set() if self._sides else {"buy_volume", "sell_volume"}
        gone = {
            name
            for name in ("volume", "value", "buy_volume", "sell_volume", "ticks")
            if name not in self._columns
        }
        return gone | ({"vwap"} if gone & {"volume", "value"} else set())
