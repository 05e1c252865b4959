"""Who belonged to a universe, and since when that was known."""

import hashlib
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import MarketDataError

__all__ = ["MEMBER_COLUMN", "Membership"]

MEMBER_COLUMN = "universe.member"
"""Column of features that is 1 for members, and missing for others."""

_TIMES = ("ts_event", "ts_end", "known_at")
_DAY_NS = 86_400 * 10**9


class Membership:
    """Intervals of membership, each with what was known of it when.

    Parameters
    ----------
    table : polars.DataFrame
        ``instrument``; ``ts_event`` and ``ts_end``, from when, and until when (exclusive; empty:
        still); ``known_at``, from which on that is known, ``ts_event`` where it is missing. All
        as UTC nanoseconds, timestamps with a time zone, ISO text with an offset, or dates. An
        interval
        whose end became known later has two rows: one without the end, and one with it and a
        later ``known_at``. Other columns are kept. A date is a day of UTC: what is from or until
        it begins or ends with its first instant, and what is known on it is known once it is over.

    Raises
    ------
    MarketDataError
        If a column is missing, or a time is none.

    Notes
    -----
    That an end stands in the row of the beginning does no harm: whether something is a member is
    only asked of times, and of the knowledge of these times.

    Examples
    --------
    >>> rows = [("A.X", 1, None, 1), ("A.X", 1, 9, 8), ("B.X", 4, None, 3)]
    >>> names = ["instrument", "ts_event", "ts_end", "known_at"]
    >>> index = Membership(pl.DataFrame(rows, schema=names, orient="row"))
    >>> index.members(3), index.members(8), index.members(9)
    (('A.X',), ('A.X', 'B.X'), ('B.X',))
    """

    def __init__(self, table: pl.DataFrame) -> None:
        for name in ("instrument", "ts_event"):
            if name not in table.columns:
                found = ", ".join(table.columns)
                raise MarketDataError(f"`universe` must have a column {name!r}; found {found}")
        if "ts_end" not in table.columns:
            table = table.with_columns(pl.lit(None, pl.Int64).alias("ts_end"))
        if "known_at" not in table.columns:
            table = table.with_columns(_instants(table["ts_event"]).alias("known_at"))
        made = table.with_columns(
            table["instrument"].cast(pl.String),
            *(_instants(table[name], over=name == "known_at") for name in _TIMES),
        )
        for name in ("instrument", "ts_event", "known_at"):
            if made[name].null_count():
                raise MarketDataError(f"`universe` must have {name!r} in each row; found none")
        self._table = made.sort("instrument", "ts_event", "known_at", maintain_order=True)
        twice = self._table.filter(pl.struct("instrument", "ts_event", "known_at").is_duplicated())
        if twice.height:
            row = twice.row(0, named=True)
            raise MarketDataError(
                "`universe` must say one thing at a time; found two rows of "
                f"'{row['instrument']}' from {row['ts_event']} known at {row['known_at']}"
            )

    def __repr__(self) -> str:
        return f"Membership({len(self.instruments)} instruments)"

    @property
    def table(self) -> pl.DataFrame:
        """All rows, by instrument, time and knowledge."""
        return self._table

    @property
    def instruments(self) -> tuple[str, ...]:
        """All that ever belonged to it, ascending."""
        return tuple(self._table["instrument"].unique().sort())

    @property
    def digest(self) -> str:
        """SHA-256 of who belonged when, and of when that was known, in hexadecimal."""
        digest = hashlib.sha256(b"quantvista universe 1\n")
        for row in self._table.select("instrument", *_TIMES).iter_rows():
            digest.update(f"{row}\n".encode())
        return digest.hexdigest()

    def members(self, at: int, *, known_at: int | None = None) -> tuple[str, ...]:
        """List who belongs to it.

        Parameters
        ----------
        at : int
            UTC nanoseconds.
        known_at : int or None
            By whose knowledge; ``None`` is ``at``.

        Returns
        -------
        tuple of str
            Ids, ascending.
        """
        rows = self._table.filter(pl.col("known_at") <= (at if known_at is None else known_at))
        rows = rows.unique(["instrument", "ts_event"], keep="last", maintain_order=True)
        rows = rows.filter(
            (pl.col("ts_event") <= at) & (pl.col("ts_end").is_null() | (pl.col("ts_end") > at))
        )
        return tuple(rows["instrument"].unique().sort())

    def spans(self) -> pl.DataFrame:
        """List when each was a member by the knowledge of the time itself.

        Returns
        -------
        polars.DataFrame
            ``instrument``, ``start`` and ``end`` (exclusive, null: still), in that order.
        """
        key = ["instrument", "ts_event"]
        later = pl.col("known_at").shift(-1).over(key)
        start, end = pl.max_horizontal("ts_event", "known_at"), pl.min_horizontal("ts_end", later)
        found = self._table.select("instrument", start.alias("start"), end.alias("end"))
        return found.filter(pl.col("end").is_null() | (pl.col("start") < pl.col("end"))).sort(
            "instrument", "start"
        )

    def mask(self, ts: NDArray[np.int64], instruments: Sequence[str]) -> NDArray[np.bool_]:
        """Say for each time and instrument what `members` says.

        Parameters
        ----------
        ts : int64, shape (T,)
            Ascending, UTC nanoseconds.
        instruments : sequence of str, length n
            Ids.

        Returns
        -------
        bool, shape (T, n)
            Whether it was a member then, by what was known then.
        """
        found = np.zeros((len(ts), len(instruments)), dtype=np.bool_)
        place = {name: column for column, name in enumerate(instruments)}
        for name, start, end in self.spans().iter_rows():
            if name in place:
                low = int(np.searchsorted(ts, start, side="left"))
                high = len(ts) if end is None else int(np.searchsorted(ts, end, side="left"))
                found[low:high, place[name]] = True
        return found

    def column(self, ts: NDArray[np.int64], instruments: Sequence[str]) -> NDArray[np.float64]:
        """Write the mask as `MEMBER_COLUMN`: 1 for members, NaN for others."""
        return np.where(self.mask(ts, instruments), 1.0, np.nan)


def _instants(series: pl.Series, *, over: bool = False) -> pl.Series:
    """UTC nanoseconds; of a date its first instant, or that after it."""
    dtype = series.dtype
    if dtype == pl.Null or dtype.is_integer():
        return series.cast(pl.Int64)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return series.dt.cast_time_unit("ns").to_physical()
    if dtype == pl.String:
        text = series.replace("", None)
        if text.str.contains(r"^-?\d+$").all():  # of a CSV file
            return text.cast(pl.Int64)
        form = "%F" if text.str.contains(r"^\d{4}-\d\d-\d\d$").all() else "%+"
        try:
            read = text.str.to_datetime(form, time_unit="ns", time_zone="UTC", strict=True)
        except pl.exceptions.PolarsError:
            shown = text.drop_nulls()[:1].to_list()
            raise MarketDataError(
                f"`universe` must have instants such as 2024-01-31T21:00:00Z, or dates alone, in "
                f"{series.name!r}; found {shown}"
            ) from None
        return read.to_physical() + (_DAY_NS if over and form == "%F" else 0)
    if dtype == pl.Date:
        return series.cast(pl.Datetime("ns")).to_physical() + (_DAY_NS if over else 0)
    raise MarketDataError(f"`universe` must have instants in {series.name!r}; found type {dtype}")
