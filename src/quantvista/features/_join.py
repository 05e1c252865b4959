"""Slow data beside fast data: for each bar, what was known of a series by then."""

from collections.abc import Sequence

import polars as pl

from quantvista.errors import ConfigError, MarketDataError

__all__ = ["join"]


def join(
    bars: pl.DataFrame,
    series: pl.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    tolerance_ns: int | None = None,
    on: str = "ts_received",
) -> pl.DataFrame:
    """Put the values of a series beside bars, each as it was known at the time of the bar.

    Parameters
    ----------
    bars : polars.DataFrame
        With a column ``on`` of whole UTC nanoseconds, the time at which each row is decided on.
    series : polars.DataFrame
        With ``ts_event``, what period a row is about, and ``known_at``, when it was published,
        both UTC nanoseconds; with ``instrument`` for values of single instruments, without it for
        values that are the same for all. Rows may come in any order. A row about the same period
        with a later ``known_at`` is a revision.
    columns : sequence of str or None
        Of the series; ``None`` takes all of its values.
    tolerance_ns : int or None
        The value is null where its ``ts_event`` is further back than this.
    on : str
        Time of a row of the bars. Never ``ts_event``: what had happened was not known yet.

    Returns
    -------
    polars.DataFrame
        The bars, in their order, with the columns beside them; null where nothing was known.

    Raises
    ------
    MarketDataError
        If a column is missing, is in both tables, or a time is missing.
    ConfigError
        If ``on`` is ``ts_event`` beside bars that say when they were received.

    Notes
    -----
    Of what was known by then, the row about the latest period counts, in its latest revision: one
    of an earlier period that comes afterwards changes nothing. Missing data: a null in the series
    is a value that was published as missing.

    Examples
    --------
    >>> import polars as pl
    >>> bars = pl.DataFrame({"ts_received": [10, 20, 30], "instrument": ["A.X"] * 3})
    >>> periods, published = [5, 5, 15], [12, 28, 25]
    >>> cpi = pl.DataFrame({"ts_event": periods, "known_at": published, "cpi": [1.0, 1.5, 2.0]})
    >>> join(bars, cpi)["cpi"].to_list()
    [None, 1.0, 2.0]
    """
    if on == "ts_event" and "ts_received" in bars.columns:
        raise ConfigError(
            "`on` must be the time at which a bar is known, ts_received; found 'ts_event', "
            "by which a value would be used before it could be known"
        )
    by = ["instrument"] if "instrument" in series.columns else []
    keys = {"ts_event", "known_at", "ts_received", *by}
    names = [name for name in series.columns if name not in keys] if columns is None else columns
    for table, where, needed in (
        (bars, "bars", [on, *by]),
        (series, "series", ["ts_event", "known_at", *names]),
    ):
        for name in needed:
            if name not in table.columns:
                found = ", ".join(table.columns[:20])
                raise MarketDataError(f"`{where}` must have a column {name!r}; found {found}")
        for name in needed:
            if name in (on, "known_at", "ts_event") and table[name].null_count():
                raise MarketDataError(f"`{where}` must have {name!r} in every row; found a null")
    if twice := [name for name in names if name in bars.columns]:
        raise MarketDataError(f"`bars` must not have the columns of the series; found {twice[0]!r}")
    times = [pl.col(name).cast(pl.Int64) for name in ("ts_event", "known_at")]
    known = series.select(*[pl.col(each).cast(pl.String) for each in by], *times, *names)
    newest = pl.col("ts_event").cum_max()
    known = known.sort("known_at", "ts_event", maintain_order=True).filter(
        pl.col("ts_event") >= (newest.over(by) if by else newest)
    )
    known = known.rename({"ts_event": "_event", "known_at": "_known"})
    left = bars.with_row_index("_row").with_columns(pl.col(on).cast(pl.Int64).alias("_at"))
    if by:
        left = left.with_columns(pl.col("instrument").cast(pl.String).alias("_by"))
        known = known.rename({"instrument": "_by"})
    in_order = left["_at"].is_sorted()  # bars mostly are, and two sorts cost as much as the join
    joined = (left if in_order else left.sort("_at", maintain_order=True)).join_asof(
        known,
        left_on="_at",
        right_on="_known",
        by="_by" if by else None,
        strategy="backward",
        check_sortedness=False,
    )
    if tolerance_ns is not None:
        fresh = pl.col("_at") - pl.col("_event") <= tolerance_ns
        joined = joined.with_columns(
            [pl.when(fresh).then(pl.col(name)).alias(name) for name in names]
        )
    drop = [name for name in ("_row", "_at", "_by", "_event", "_known") if name in joined.columns]
    return (joined if in_order else joined.sort("_row")).drop(drop)
