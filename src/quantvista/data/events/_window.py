"""Cutting events to the sessions between ``start`` and ``end``."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from quantvista.data._types import DataSpec, MarketData
from quantvista.data.events._clock import Clock, session_clock
from quantvista.errors import MarketDataError
from quantvista.market import Records, calendar_zone

__all__ = ["window"]


def window(
    spec: DataSpec,
    bars: MarketData | None,
    records: Sequence[Records],
    calendar: str,
    time_zone: str,
) -> tuple[Clock, list[Records]]:
    """Cut events to the window, and find the sessions that are left.

    Parameters
    ----------
    spec : DataSpec
        With ``start`` and ``end``.
    bars : MarketData or None
        Cut already.
    records : sequence of Records
        All events.
    calendar, time_zone : str
        Of the fund.

    Returns
    -------
    (Clock, list of Records)
        Sessions that the window and the data touch, and the events in them.

    Raises
    ------
    MarketDataError
        If nothing is left, or a book would lose the snapshot that it starts from.
    """
    zone = calendar_zone(calendar) or time_zone
    spans = [span for each in records if (span := _span(each)) is not None]
    if bars is not None:
        spans.append((int(bars.ts[0]), int(bars.ts[-1])))
    if not spans:
        raise MarketDataError("`data` must have events; found none")
    clock = session_clock(calendar, zone, min(a for a, _ in spans), max(b for _, b in spans))
    if spec.start is None and spec.end is None:
        return clock, list(records)
    labels = clock.days.labels
    first = np.datetime64(spec.start) if spec.start else labels[0]
    last = np.datetime64(spec.end) if spec.end else labels[-1]
    inside = (labels >= first) & (labels <= last)
    if not inside.any():
        raise MarketDataError(
            "`data.start` to `data.end` must hold a session of the data, "
            f"{labels[0]} to {labels[-1]}; found none from {first} to {last}"
        )
    clock = clock.part(inside)
    low, high = clock.span
    kept = [cut for each in records if len(cut := _between(each, low, high))]
    if bars is None and not any(each.kind != "rates" for each in kept):
        raise MarketDataError(f"`data` must have events from {first} to {last}; found none")
    return clock, kept


def _span(records: Records) -> tuple[int, int] | None:
    received = records.frame["ts_received"].drop_nulls()
    return (int(received[0]), int(received[-1])) if len(received) else None


def _between(records: Records, low: int, high: int) -> Records:
    """Events after ``low`` and up to ``high``; those at an end belong to the session before."""
    frame = records.frame
    if "row" not in frame.columns:
        frame = frame.with_row_index("row", records.row_first)
    inside = pl.col("ts_received").is_between(low, high, closed="right").fill_null(True)
    kept = frame.filter(inside)
    if records.kind in ("levels", "orders") and kept.height < frame.height and kept.height:
        began = frame.filter(pl.col("ts_received") <= low).height > 0
        whole = (
            bool(kept["snapshot"][0])
            if records.kind == "levels"
            else kept["action"][0] == "cleared"
        )
        if began and not whole:
            raise MarketDataError(
                f"{records.where}: `data.start` must not cut a book off the snapshot before it"
            )
    return replace(records, frame=kept)
