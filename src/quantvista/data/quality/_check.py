"""All checks over a table of bars."""

from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from quantvista.data.quality._calendar import check_gaps, check_zone, sessions_of
from quantvista.data.quality._each import Findings, each_instrument
from quantvista.data.quality._rows import check_order, check_rows, check_twice
from quantvista.data.quality._shape import check_moves, check_stale
from quantvista.data.quality._sources import check_dividends, check_other, split_times
from quantvista.data.quality._table import prepared
from quantvista.data.quality._types import CheckOptions, Report
from quantvista.errors import MarketDataError
from quantvista.market import CorporateAction

__all__ = ["check_bars"]


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
    policies = options.policies_of("bars")
    frame = prepared(bars)
    found = Findings("bars")
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
        check_twice(raw, found)
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
    flags, known_in = found.table(), None if other is None else compared
    again = partial(check_bars, options=options, other=other, actions=actions)
    without = [] if known is not None else ["gap", "time_zone"]
    without += [] if options.adjusted and actions else ["unadjusted_dividend"]
    skipped = (*without, *(["disagreement"] if other is None else []))
    return Report(
        "bars", frame.height, total, first, last, flags, policies, known_in, skipped, again
    )
