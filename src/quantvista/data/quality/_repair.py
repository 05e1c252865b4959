"""What becomes of bars that were flagged: kept, set aside, or mended with a record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from quantvista.data.quality._bars import PRICES
from quantvista.data.quality._check import prepared
from quantvista.data.quality._types import Report

__all__ = ["Repaired", "repair_bars"]

_TOUCH = 1e-9


@dataclass(frozen=True, slots=True)
class Repaired:
    """Bars after the policies of a report.

    Parameters
    ----------
    bars : polars.DataFrame
        Those that are left, ordered by time, then instrument, with the columns of the data.
    quarantined : polars.DataFrame
        Those that were set aside, with ``check``, ``text`` and the ``row`` they had.
    changes : polars.DataFrame
        ``row``, ``instrument``, ``ts``, ``check``, ``column``, ``before``, ``after``.
    """

    bars: pl.DataFrame
    quarantined: pl.DataFrame
    changes: pl.DataFrame


def repair_bars(bars: pl.DataFrame, report: Report) -> Repaired:
    """Do with flagged bars what the policies of the report say.

    Parameters
    ----------
    bars : polars.DataFrame
        Those that were checked.
    report : Report
        Of ``check_bars``.

    Returns
    -------
    Repaired
        Every row of the data is in ``bars`` or in ``quarantined``, never in both or neither.
    """
    frame = prepared(bars)
    columns = {n: frame[n].to_numpy().copy() for n in (*PRICES, "volume") if n in frame.columns}
    rowed = report.flags.filter(pl.col("row") >= 0)
    changes: list[tuple[object, ...]] = []
    gone: dict[int, tuple[str, str]] = {}
    for check in report.flags["check"].unique(maintain_order=True):
        policy = report.policies[check]
        rows = rowed.filter(pl.col("check") == check)
        if policy == "quarantine" or (check == "duplicate" and policy == "repair"):
            for row, text in rows.select("row", "text").iter_rows():
                gone.setdefault(row, (check, text))
        elif policy == "repair":
            for flag in rows.iter_rows(named=True):
                changes += _mended(columns, flag)
    lower = {name.lower(): name for name in bars.columns}
    mended = bars.with_columns(
        [
            pl.Series(lower[name], values)
            for name, values in columns.items()
            if any(change[4] == name for change in changes)
        ]
    ).with_row_index("row")
    out = sorted(gone)
    reasons = pl.DataFrame(
        {
            "row": pl.Series(out, dtype=mended["row"].dtype),
            "check": pl.Series([gone[row][0] for row in out], dtype=pl.String),
            "text": pl.Series([gone[row][1] for row in out], dtype=pl.String),
        }
    )
    left = mended.join(reasons.select("row"), on="row", how="anti", maintain_order="left")
    time = lower[
        next(n for n in ("ts", "ts_event", "date", "time", "timestamp", "datetime") if n in lower)
    ]
    keys = [time, *(lower[n] for n in ("instrument", "symbol") if n in lower)]
    if report.policies["time_order"] == "repair":
        left = left.sort(keys, maintain_order=True)
    schema = {
        "row": pl.Int64,
        "instrument": pl.String,
        "ts": pl.Int64,
        "check": pl.String,
        "column": pl.String,
        "before": pl.Float64,
        "after": pl.Float64,
    }
    record = pl.DataFrame(changes, schema=schema, orient="row")
    taken = mended.join(reasons, on="row", how="inner", maintain_order="left")
    return Repaired(left.drop("row"), taken, record)


def _mended(
    columns: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]], flag: dict[str, object]
) -> Sequence[tuple[object, ...]]:
    """Change what a flag says is wrong, and record it."""
    row, name, check = int(str(flag["row"])), str(flag["column"]), str(flag["check"])
    wanted: dict[str, float] = {}
    if check == "swapped":
        partner = "low" if "low" in str(flag["text"]) else "volume"
        wanted = {name: columns[partner][row], partner: columns[name][row]}
    elif check == "ohlc_order" and name in ("open", "close"):
        value = columns[name][row]
        wanted = {
            "high": max(columns["high"][row], value),
            "low": min(columns["low"][row], value),
        }
    elif check == "magnitude" and flag["value"] and flag["expected"]:
        factor = float(str(flag["expected"])) / float(str(flag["value"]))
        unit = 10.0 ** round(float(np.log10(factor)))
        wanted = {each: columns[each][row] * unit for each in PRICES if each in columns}
    done = []
    for each, after in wanted.items():
        before = float(columns[each][row])
        if not np.isclose(before, after, rtol=_TOUCH, atol=0.0, equal_nan=True):
            columns[each][row] = after
            done.append((row, flag["instrument"], flag["ts"], check, each, before, float(after)))
    return done
