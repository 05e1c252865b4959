"""What becomes of rows that were flagged: kept, set aside, or mended with a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from quantvista.data.quality._table import TIMES, VALUES, prepared
from quantvista.data.quality._types import PRICES, Report

__all__ = ["Repaired", "apart", "repair_rows"]

_TOUCH = 1e-9
_ROW = "__row"
_ROUNDS = 4  # of mending: what is put right may show another fault, seldom a third

type _Columns = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]


@dataclass(frozen=True, slots=True)
class Repaired:
    """Rows after the policies of a report.

    Parameters
    ----------
    rows : polars.DataFrame
        Those that are left, ordered by time, then instrument, with the columns of the data.
    quarantined : polars.DataFrame
        Those that were set aside, with ``check``, ``text`` and the ``row`` they had; a column of
        the data by one of these names is called ``check_data`` and the like.
    changes : polars.DataFrame
        ``row``, ``instrument``, ``ts``, ``check``, ``column``, ``before``, ``after``.
    """

    rows: pl.DataFrame
    quarantined: pl.DataFrame
    changes: pl.DataFrame


def repair_rows(rows: pl.DataFrame, report: Report) -> Repaired:
    """Do with flagged rows what the policies of the report say.

    Parameters
    ----------
    rows : polars.DataFrame
        Bars, quotes or trades, as they were checked.
    report : Report
        Of that check.

    Returns
    -------
    Repaired
        Every row of the data is in ``rows`` or in ``quarantined``, never in both or neither.

    Notes
    -----
    Mended rows are checked again with all the others. What counts are the flags of that: a bar
    that looked like an outlier because a price and the volume had changed places stays, and one
    that has an error still, though it was to be mended, is set aside.
    """
    frame = prepared(rows, report.kind)
    columns = {n: frame[n].to_numpy().copy() for n in VALUES[report.kind] if n in frame.columns}
    changes: list[tuple[object, ...]] = []
    lower = {name.lower(): name for name in rows.columns}
    mended = rows
    for _ in range(_ROUNDS):
        done = _mend_all(columns, report)
        if not done:
            break
        changes += done
        names = {str(change[4]) for change in changes}
        mended = rows.with_columns(pl.Series(lower[name], columns[name]) for name in names)
        report = report.again(mended)
    mended = mended.with_row_index(_ROW)
    gone = _set_aside(report)
    out = sorted(gone)
    reasons = pl.DataFrame(
        {
            _ROW: pl.Series(out, dtype=mended[_ROW].dtype),
            "check": pl.Series([gone[row][0] for row in out], dtype=pl.String),
            "text": pl.Series([gone[row][1] for row in out], dtype=pl.String),
        }
    )
    left = mended.join(reasons.select(_ROW), on=_ROW, how="anti", maintain_order="left")
    time = lower[next(n for n in TIMES if n in lower)]
    keys = [time, *(lower[n] for n in ("instrument", "symbol") if n in lower)]
    if report.policies["time_order"] == "repair":
        left = left.sort(keys, maintain_order=True)
    taken = apart(mended, ("row", "check", "text"))
    taken = taken.join(reasons, on=_ROW, how="inner", maintain_order="left")
    return Repaired(left.drop(_ROW), taken.rename({_ROW: "row"}), _record(changes))


def apart(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Call columns of data otherwise that have names which are needed beside them.

    Examples
    --------
    >>> apart(pl.DataFrame({"close": [1.0], "row": ["x"]}), ("row", "text")).columns
    ['close', 'row_data']
    """
    taken = set(frame.columns)
    renamed = {}
    for name in names:
        if name in taken:
            other = f"{name}_data"
            while other in taken:
                other += "_"
            taken.add(other)
            renamed[name] = other
    return frame.rename(renamed)


def _mend_all(columns: _Columns, report: Report) -> list[tuple[object, ...]]:
    """Change what is wrong by the checks whose policy is repair; gives the changes."""
    changes: list[tuple[object, ...]] = []
    repaired = [name for name, policy in report.policies.items() if policy == "repair"]
    found = report.flags.filter((pl.col("row") >= 0) & pl.col("check").is_in(repaired))
    for flag in found.iter_rows(named=True):
        changes += _mended(columns, flag, PRICES[report.kind])
    return changes


def _set_aside(report: Report) -> Mapping[int, tuple[str, str]]:
    """Rows that go, each with the first check that says so and its words."""
    gone: dict[int, tuple[str, str]] = {}
    for check, row, text in report.flags.select("check", "row", "text").iter_rows():
        policy = report.policies[check]
        if row < 0 or policy in ("keep", "flag"):
            continue
        if policy == "quarantine" or check == "duplicate":
            gone.setdefault(row, (check, text))
        elif check != "time_order":  # which sorting mends
            gone.setdefault(row, (check, f"{text}; could not be mended"))
    return gone


def _record(changes: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    schema = {
        "row": pl.Int64,
        "instrument": pl.String,
        "ts": pl.Int64,
        "check": pl.String,
        "column": pl.String,
        "before": pl.Float64,
        "after": pl.Float64,
    }
    return pl.DataFrame(changes, schema=schema, orient="row")


def _mended(
    columns: _Columns, flag: dict[str, object], prices: Sequence[str]
) -> Sequence[tuple[object, ...]]:
    """Change what a flag says is wrong, and record it."""
    row, name, check = int(str(flag["row"])), str(flag["column"]), str(flag["check"])
    wanted: dict[str, float] = {}
    if check == "swapped":
        partner = str(flag["text"]).split(" and ")[1].split()[0]  # "high and low have changed ..."
        wanted = {name: columns[partner][row], partner: columns[name][row]}
    elif check == "ohlc_order" and name in ("open", "close"):
        value = columns[name][row]
        wanted = {
            "high": max(columns["high"][row], value),
            "low": min(columns["low"][row], value),
        }
    elif check == "magnitude" and flag["value"] and flag["expected"]:
        factor = float(str(flag["expected"])) / float(str(flag["value"]))
        power = round(float(np.log10(factor)))
        up, down = 10.0 ** max(power, 0), 10.0 ** max(-power, 0)  # whole: 0.01 is no double
        wanted = {each: columns[each][row] * up / down for each in prices if each in columns}
    done = []
    for each, after in wanted.items():
        before = float(columns[each][row])
        if not np.isclose(before, after, rtol=_TOUCH, atol=0.0, equal_nan=True):
            columns[each][row] = after
            done.append((row, flag["instrument"], flag["ts"], check, each, before, float(after)))
    return done
