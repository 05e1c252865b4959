"""Bars of a whole table at once: the same builder, told that nothing more comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from quantvista.data.bars._builder import BarBuilder, BarCounts
from quantvista.data.bars._options import BarOptions
from quantvista.data.bars._rows import rows_of
from quantvista.data.bars._spec import BarSpec
from quantvista.errors import MarketDataError

__all__ = ["Aggregated", "aggregate", "collected"]


@dataclass(frozen=True, slots=True)
class Aggregated:
    """Bars, and what is in none of them.

    Parameters
    ----------
    bars : mapping of str to polars.DataFrame
        By the name of each kind; see `aggregate`.
    counts : BarCounts
        Rows, and those that were left out.
    """

    bars: Mapping[str, pl.DataFrame]
    counts: BarCounts


def aggregate(
    rows: pl.DataFrame | Iterable[pl.DataFrame],
    specs: BarSpec | Sequence[BarSpec],
    options: BarOptions | None = None,
    *,
    kind: str | None = None,
    until: int | None = None,
    partial: bool = False,
) -> Aggregated:
    """Make bars of ticks or of shorter bars, several kinds in one pass.

    Parameters
    ----------
    rows : polars.DataFrame or iterable of them
        As of `BarBuilder.add`, shape (n_rows, n_columns); chunks of any size give the same bars.
    specs : BarSpec or sequence of BarSpec
        What ends a bar.
    options : BarOptions or None
        Sessions, time zone, what is done about rows that cannot be used.
    kind : {"trades", "quotes", "bars", "quote_bars"} or None
        What the rows are; ``None`` tells it by their columns.
    until : int or None
        UTC nanoseconds up to which the rows are known to be complete: windows that are over by then
        are closed, although no row says so.
    partial : bool
        Give the bars too that did not end; their ``ended_by`` is "open".

    Returns
    -------
    Aggregated
        With a table for each kind, shape (n_bars, n_columns), ascending in ``ts_event``:
        ``instrument``; ``ts_event``, the end of the window or the last row of a bar of a size, and
        ``ts_start``; ``ts_received``, the latest of its rows and not before the end; ``known_at``
        likewise; ``open``, ``high``, ``low``, ``close``; ``volume`` in units of the instrument,
        ``value`` (sum of price times size) in its currency, ``vwap``, ``buy_volume`` and
        ``sell_volume`` by who took; ``ticks``, the number of trades or quotes; ``number`` of the
        bar, from 1; ``ended_by``: clock, size, most, session or open. Columns are left out of
        which the rows say nothing.

    Raises
    ------
    MarketDataError
        If there are no rows, or one cannot be used.

    Notes
    -----
    Missing data: never filled but with ``fill``. Causality: a bar holds rows up to its end only.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"ts_event": [1, 2, 3], "price": [5.0, 7.0, 6.0], "size": [2.0, 1.0, 4.0]}
    >>> bars = aggregate(pl.DataFrame(rows), BarSpec("volume", 3)).bars["volume_3"]
    >>> bars.select("ts_event", "high", "volume", "ended_by").rows()
    [(2, 7.0, 3.0, 'size'), (3, 6.0, 4.0, 'size')]
    """
    wanted = [specs] if isinstance(specs, BarSpec) else list(specs)
    frames = [rows] if isinstance(rows, pl.DataFrame) else rows
    builder: BarBuilder | None = None
    parts: list[dict[str, pl.DataFrame]] = []
    for frame in frames:
        if builder is None:
            builder = BarBuilder(wanted, options, rows=kind or rows_of(frame.columns))
        parts.append(builder.add(frame))
    if builder is None or not builder.counts.rows:
        raise MarketDataError("`rows` must have at least one row; found none")
    return collected(builder, parts, until=until, partial=partial)


def collected(
    builder: BarBuilder,
    parts: list[dict[str, pl.DataFrame]],
    *,
    until: int | None,
    partial: bool,
) -> Aggregated:
    """Put what a builder gave into whole tables, and end it."""
    if until is not None:
        parts.append(builder.close(until))
    if partial:
        parts.append(builder.open_bars())
    bars = {}
    for name in parts[0]:
        whole = pl.concat([part[name] for part in parts])
        order = [each for each in ("ts_event", "instrument", "number") if each in whole.columns]
        bars[name] = whole.sort(order, maintain_order=True)
    return Aggregated(bars, builder.counts)
