"""All checks over a table of quotes or of trades."""

from collections.abc import Callable
from functools import partial

import polars as pl

from quantvista.data.quality._calendar import check_zone, sessions_of
from quantvista.data.quality._each import Findings, Rows, each_instrument
from quantvista.data.quality._rows import check_order
from quantvista.data.quality._table import VALUES, prepared
from quantvista.data.quality._tick_moves import check_frozen, check_jumps, check_spread
from quantvista.data.quality._tick_times import (
    check_holes,
    check_ids,
    check_outside,
    check_repeated,
)
from quantvista.data.quality._ticks import (
    check_both_sides,
    check_numbers,
    check_quote,
    check_trade,
)
from quantvista.data.quality._types import PRICES, CheckOptions, Report
from quantvista.errors import MarketDataError

__all__ = ["check_quotes", "check_trades"]

type _Progress = Callable[[int, int], None] | None


def check_quotes(
    quotes: pl.DataFrame, options: CheckOptions | None = None, *, progress: _Progress = None
) -> Report:
    """Look for everything that is wrong with quotes. Nothing is changed.

    Parameters
    ----------
    quotes : polars.DataFrame
        ``ts`` or ``date``, ``instrument`` unless all rows are of one, ``bid``, ``ask``, and what
        there is of ``bid_size`` and ``ask_size``. A missing price is a side without a quote.
    options : CheckOptions or None
        What is expected of them.
    progress : callable or None
        Told instruments done and in all.

    Returns
    -------
    Report
        Flags with the rows of ``quotes``, counted from 0.

    Raises
    ------
    MarketDataError
        If a column is missing or is none of numbers.

    Examples
    --------
    >>> import polars as pl
    >>> quotes = pl.DataFrame({"ts": range(4), "bid": [9.9, 9.9, 10.2, 9.9], "ask": [10.0] * 4})
    >>> check_quotes(quotes).counts
    {'crossed': 1}
    """
    return _checked(quotes, "quotes", _quotes, options, progress)


def check_trades(
    trades: pl.DataFrame, options: CheckOptions | None = None, *, progress: _Progress = None
) -> Report:
    """Look for everything that is wrong with trades. Nothing is changed.

    Parameters
    ----------
    trades : polars.DataFrame
        ``ts`` or ``date``, ``instrument`` unless all rows are of one, ``price``, and what there is
        of ``size`` and ``id`` (or ``trade_id``), by which trades are told apart.
    options : CheckOptions or None
        What is expected of them.
    progress : callable or None
        Told instruments done and in all.

    Returns
    -------
    Report
        Flags with the rows of ``trades``, counted from 0.

    Raises
    ------
    MarketDataError
        If a column is missing or is none of numbers.

    Examples
    --------
    >>> import polars as pl
    >>> trades = pl.DataFrame({"ts": range(5), "price": [9.9] * 5, "id": [1, 2, 2, 3, 4]})
    >>> check_trades(trades).counts
    {'duplicate': 1}
    """
    return _checked(trades, "trades", _trades, options, progress)


def _checked(
    table: pl.DataFrame,
    kind: str,
    check: Callable[[Rows, Findings], None],
    options: CheckOptions | None,
    progress: _Progress,
) -> Report:
    options = options or CheckOptions()
    policies = options.policies_of(kind)
    frame = prepared(table, kind)
    if frame.is_empty():
        raise MarketDataError(f"`{kind}` must have at least one row; found none")
    first, last = int(frame["ts"].min() or 0), int(frame["ts"].max() or 0)  # type: ignore[arg-type]
    known = None if options.calendar is None else sessions_of(options.calendar, first, last)
    total = frame["instrument"].n_unique()
    found = Findings(kind)
    for done, (raw, ordered) in enumerate(each_instrument(frame, once=False)):
        check_order(raw, found)
        check(ordered, found)
        if known is not None:
            check_holes(ordered, known, found)
            check_zone(ordered, known, found)
            check_outside(ordered, known, found)
        if progress is not None:
            progress(done + 1, total)
    again = partial(_checked, kind=kind, check=check, options=options, progress=None)
    flags = found.table()
    skipped = ("gap", "time_zone", "outside_session") if known is None else ()
    return Report(kind, frame.height, total, first, last, flags, policies, None, skipped, again)


def _quotes(rows: Rows, found: Findings) -> None:
    check_numbers(rows, PRICES["quotes"], found)
    sound = check_quote(rows, found)
    check_both_sides(rows, found)
    check_repeated(rows, found)
    same_units = check_jumps(rows, PRICES["quotes"], sound, found)
    check_spread(rows, sound & same_units, found)
    check_frozen(rows, tuple(name for name in VALUES["quotes"] if name in rows.columns), found)


def _trades(rows: Rows, found: Findings) -> None:
    check_numbers(rows, PRICES["trades"], found)
    sound = check_trade(rows, found)
    if not check_ids(rows, found):
        check_repeated(rows, found)
    check_jumps(rows, PRICES["trades"], sound, found)
    check_frozen(rows, tuple(name for name in VALUES["trades"] if name in rows.columns), found)
