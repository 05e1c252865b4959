"""Which column of a file is which, and what to say when that is not clear."""

import difflib
import re
from collections.abc import Mapping

import polars as pl

from quantvista.data._read import Table
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import check_instrument_id

__all__ = [
    "COLUMNS",
    "PRICES",
    "check_time",
    "close_hint",
    "instrument_hint",
    "instrument_id",
    "long_hint",
    "resolve",
    "some",
]

PRICES = ("close", "open", "high", "low")
COLUMNS = ("date", "ts", "instrument", *PRICES, "volume", "sector")

_ASKED_FOR = ("sector",)  # read only if `columns` names it
_OWN_TIMES = ("ts_event", "ts_received")
_ALIASES = {
    "date": ("day", "dates", "trade_date", "session"),
    "ts": ("timestamp", "datetime", "time"),
    "instrument": ("symbol", "ticker", "sym", "code", "asset"),
    "close": ("adj close", "adj_close", "adjclose", "price", "last"),
}


def resolve(table: Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Find the file's names of our columns.

    Parameters
    ----------
    table : Table
        The file.
    columns : mapping of str to str
        Our name to the file's, where they differ; empty for a column that is not to be used.

    Returns
    -------
    dict of str to str
        Our name to the file's, of all columns that there are. A file with neither ``date`` nor
        ``ts`` but with ``ts_event`` and ``ts_received``, as ``qv data repair`` writes it, has the
        latter for its time.

    Raises
    ------
    ConfigError
        If ``columns`` names something that does not exist.
    MarketDataError
        If two columns of the file have one of our names.
    """
    names = table.frame.columns
    found: dict[str, str] = {}
    for ours in COLUMNS:
        if ours in columns:
            if columns[ours] not in ("", *names):
                close = difflib.get_close_matches(columns[ours], names, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ConfigError(
                    f"`data.columns.{ours}` must be a column of {table.where}; "
                    f"found {columns[ours]!r}{hint}"
                )
            if columns[ours]:
                found[ours] = columns[ours]
            continue
        taken = columns.values()
        same = [name for name in names if name.lower() == ours and name not in taken]
        if len(same) > 1:
            raise MarketDataError(f"{table.where}: column '{ours}' must be unique; found {same}")
        if same and ours not in _ASKED_FOR:
            found[ours] = same[0]
    if not {"date", "ts"} & {*found, *columns} and {*_OWN_TIMES} <= {*names}:
        found["ts"] = _OWN_TIMES[1]  # bars that we wrote: known then, and no sooner
    return found


def check_time(table: Table, found: Mapping[str, str]) -> None:
    """Refuse a file without a time column, or with two.

    Parameters
    ----------
    table : Table
        The file.
    found : mapping of str to str
        From `resolve`.

    Raises
    ------
    MarketDataError
        With the column that may be meant.
    """
    if "date" in found and "ts" in found:
        raise MarketDataError(
            f"{table.where}: must have one time column; found 'date' and 'ts'; "
            'leave one out with data.columns = { date = "" }'
        )
    if "date" in found or "ts" in found:
        return
    names = table.frame.columns
    other = _alias(names, "date") or _alias(names, "ts")
    close = difflib.get_close_matches("date", [name.lower() for name in names], n=1)
    if other is None and close:
        other = next(name for name in names if name.lower() == close[0])
    hint = ""
    if other is not None:
        ours = "date" if _holds_dates(table.frame[other]) else "ts"
        hint = f"; is it {other!r}? set {_mapping({ours: other})}"
    raise MarketDataError(
        f"{table.where}: must have a column 'date' or 'ts'; found {some(names)}{hint}"
    )


def instrument_id(name: str, venue: str | None, where: str, hint: str = "") -> str:
    """Id of an instrument from its name in a file.

    Parameters
    ----------
    name : str
        As written there.
    venue : str or None
        Appended, with a point between.
    where : str
        The file.
    hint : str
        Ends the message if it is none.

    Returns
    -------
    str
        ``SYMBOL.VENUE``.

    Raises
    ------
    MarketDataError
        If it is none.
    """
    try:
        return check_instrument_id(f"{name}.{venue}" if venue else name)
    except ConfigError as error:
        if not venue and not hint:
            hint = '; set data.venue = "XNAS" to append a venue to bare symbols'
        raise MarketDataError(f"{where}: {error}{hint}") from None


def instrument_hint(table: Table, found: Mapping[str, str]) -> str:
    """Words for a long file without names of instruments, whose own name was taken.

    Examples
    --------
    >>> frame = pl.DataFrame({"date": ["2024-01-02"], "close": ["1"], "Ticker": ["AAPL"]})
    >>> table = Table("raw.csv", "raw", frame, 2)
    >>> print(instrument_hint(table, {"date": "date", "close": "close"}))
    ; no column 'instrument', so the file's name was taken; columns not used: 'Ticker'; \
set data.columns = { instrument = "Ticker" }
    """
    names = _unused(table, found)
    unused = f"; columns not used: {some(names)}" if names else ""
    other = _alias(names, "instrument")
    way = f"set {_mapping({'instrument': other})}" if other else "name the file like AAPL.XNAS.csv"
    return f"; no column 'instrument', so the file's name was taken{unused}; {way}"


def close_hint(table: Table, found: Mapping[str, str]) -> str:
    """Words that name the column which may be the close; empty if none looks like it."""
    close = _close(table, found)
    return f"; is it {close!r}? set {_mapping({'close': close})}" if close else ""


def long_hint(table: Table, found: Mapping[str, str]) -> str:
    """Words for a file whose columns are no instruments, because one holds their names.

    Parameters
    ----------
    table : Table
        The file, with neither ``instrument`` nor ``close``.
    found : mapping of str to str
        From `resolve`.

    Returns
    -------
    str
        Empty if there is no such column.
    """
    other = _alias(_unused(table, found), "instrument")
    if other is None or not _holds_names(table.frame[other]):
        return ""
    close = _close(table, found) or "..."
    return f"set {_mapping({'instrument': other, 'close': close})}"


def some(names: list[str]) -> str:
    """Quote the first names of a list, and count the others."""
    shown = ", ".join(repr(name) for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _unused(table: Table, found: Mapping[str, str]) -> list[str]:
    return [name for name in table.frame.columns if name not in found.values()]


def _close(table: Table, found: Mapping[str, str]) -> str | None:
    names = _unused(table, found)
    near = difflib.get_close_matches("close", names, n=1)
    return _alias(names, "close") or (near[0] if near else None)


def _alias(names: list[str], ours: str) -> str | None:
    """Find a column under one of the names that others give to ours."""
    lower = {name.lower(): name for name in names}
    return next((lower[alias] for alias in _ALIASES[ours] if alias in lower), None)


def _mapping(wanted: Mapping[str, str]) -> str:
    inside = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in wanted.items())
    return f"data.columns = {{ {inside} }}"


def _holds_dates(series: pl.Series) -> bool:
    if series.dtype == pl.String:
        return re.fullmatch(r"\s*\d{4}-\d\d-\d\d\s*", series[0] or "") is not None
    return series.dtype == pl.Date or series.dtype == pl.Datetime(time_zone=None)


def _holds_names(series: pl.Series) -> bool:
    if series.dtype == pl.String:
        return re.match(r"\s*[A-Za-z]", series[0] or "") is not None
    return series.dtype in (pl.Categorical, pl.Enum)
