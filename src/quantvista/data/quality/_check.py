"""All checks over a table of bars."""

from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from quantvista.data.quality._bars import PRICES, Findings, each_instrument
from quantvista.data.quality._calendar import check_gaps, check_zone, sessions_of
from quantvista.data.quality._rows import check_order, check_rows
from quantvista.data.quality._shape import check_moves, check_stale
from quantvista.data.quality._sources import check_dividends, check_other, split_times
from quantvista.data.quality._types import CHECKS, CheckOptions, Report
from quantvista.errors import MarketDataError
from quantvista.market import CorporateAction

__all__ = ["check_bars", "prepared"]

_TIMES = ("ts", "ts_event", "date", "time", "timestamp", "datetime")


def check_bars(
    bars: pl.DataFrame,
    options: CheckOptions | None = None,
    *,
    other: pl.DataFrame | None = None,
    actions: Sequence[CorporateAction] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Look for everything that is wrong with bars. Nothing is changed.

    Parameters
    ----------
    bars : polars.DataFrame
        ``ts`` or ``date``, ``instrument`` unless all rows are of one, ``close``, and what there is
        of ``open``, ``high``, ``low`` and ``volume``. Rows may come in any order, which is checked.
    options : CheckOptions or None
        What is expected of them.
    other : polars.DataFrame or None
        The same bars by another source, compared by instrument and time; where both have but one
        instrument, whatever each calls it.
    actions : sequence of CorporateAction
        Splits and dividends that are known.
    progress : callable or None
        Told instruments done and in all.

    Returns
    -------
    Report
        Flags with the rows of ``bars``, counted from 0.

    Raises
    ------
    MarketDataError
        If a column is missing or is none of numbers, or the other source has none of the bars.

    Examples
    --------
    >>> import polars as pl
    >>> bars = pl.DataFrame({"ts": range(12), "close": [10.0] * 5 + [-10.0] + [10.1, 10.2] * 3})
    >>> check_bars(bars).counts
    {'price_sign': 1}
    """
    options = options or CheckOptions()
    frame = prepared(bars)
    found = Findings()
    if frame.is_empty():
        raise MarketDataError("`bars` must have at least one row; found none")
    first, last = int(frame["ts"].min() or 0), int(frame["ts"].max() or 0)  # type: ignore[arg-type]
    known = None if options.calendar is None else sessions_of(options.calendar, first, last)
    total = frame["instrument"].n_unique()
    others, compared = {}, 0
    if other is not None:
        others = {each.instrument: each for _, each in each_instrument(prepared(other))}
        if total == len(others) == 1:
            others = {str(frame["instrument"][0]): next(iter(others.values()))}
    for done, (raw, ordered) in enumerate(each_instrument(frame)):
        check_order(raw, found)
        check_rows(ordered, found, volume_expected=options.volume_expected)
        check_stale(ordered, found)
        check_moves(ordered, found, split_days=split_times(ordered, actions))
        if known is not None:
            check_gaps(ordered, known, found)
            check_zone(ordered, known, found)
        if options.adjusted and actions:
            check_dividends(ordered, actions, found)
        if ordered.instrument in others:
            compared += check_other(ordered, others[ordered.instrument], found)
        if progress is not None:
            progress(done + 1, total)
    if other is not None and not compared:
        names = ", ".join(list(others)[:5])
        rule = "must have instruments and times of `bars`, at least 5 of one"
        raise MarketDataError(f"`other` {rule}; found none in common with {names}")
    policies = {name: options.policy(name) for name in CHECKS}
    flags, known_in = found.table(), None if other is None else compared
    again = partial(check_bars, options=options, other=other, actions=actions)
    return Report(frame.height, total, first, last, flags, policies, known_in, again)


def prepared(bars: pl.DataFrame) -> pl.DataFrame:
    """Give a table the columns ``ts``, ``instrument`` and floats, rows as they stand.

    Raises
    ------
    MarketDataError
        If there is no time or instrument, or a price is no number.
    """
    lower = {name.lower(): name for name in bars.columns}
    time = next((lower[each] for each in _TIMES if each in lower), None)
    if time is None:
        found = ", ".join(bars.columns[:20])
        raise MarketDataError(f"`bars` must have a column ts or date; found {found}")
    instrument = next((lower[each] for each in ("instrument", "symbol") if each in lower), None)
    columns = [_stamps(bars[time])]
    if instrument is None:
        columns.append(pl.Series("instrument", ["bars"] * bars.height, dtype=pl.String))
    else:
        if bars[instrument].null_count():
            raise MarketDataError("`bars` must have an instrument in every row; found a null")
        columns.append(bars[instrument].cast(pl.String).alias("instrument"))
    for name in (*PRICES, "volume"):
        if name in lower:
            series = bars[lower[name]]
            if not (series.dtype.is_numeric() or series.dtype == pl.Null):
                rule = f"column {name!r} must hold numbers"
                raise MarketDataError(f"{rule}; found type {series.dtype}")
            if series.dtype == pl.Float32:
                series = series.cast(pl.String)  # its shortest decimals, not their long doubles
            columns.append(series.cast(pl.Float64).alias(name))
    return pl.DataFrame(columns)


def _stamps(series: pl.Series) -> pl.Series:
    if series.null_count():
        raise MarketDataError("`bars` must have a time in every row; found a null")
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("ns")).dt.epoch("ns").alias("ts")
    if isinstance(series.dtype, pl.Datetime):
        return series.dt.epoch("ns").alias("ts")
    if series.dtype == pl.String:
        return _parsed(series)
    if series.dtype.is_integer():
        return series.cast(pl.Int64).alias("ts")
    raise MarketDataError(f"`ts` must hold dates, timestamps or nanoseconds; found {series.dtype}")


def _parsed(series: pl.Series) -> pl.Series:
    """Read times that are text; the first that is none is named."""
    try:
        stamps = series.str.to_datetime(time_unit="ns", strict=False)
    except pl.exceptions.PolarsError:  # no form of time fits even the first
        stamps = pl.Series([None] * len(series), dtype=pl.Datetime("ns"))
    if stamps.null_count():
        row = int(stamps.is_null().arg_max() or 0)
        rule = "`ts` must hold dates, timestamps or nanoseconds, all in one form"
        raise MarketDataError(f"{rule}; found {series[row]!r} in row {row + 1}")
    return stamps.dt.epoch("ns").alias("ts")
