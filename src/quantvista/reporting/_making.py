"""The tear sheet of a market maker: what its fills earned, and what the market did after them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

import numpy as np
import polars as pl

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._markouts import fills_summed
from quantvista.portfolio.making import HORIZONS_S, FillQuality, inventory
from quantvista.reporting._format import MISSING, money, number, percent
from quantvista.reporting._svg import Line, bars_across, curve, steps

__all__ = ["making_view"]

_DRAWN: Final = 4  # instruments that have a chart of their own; the table has all
_SHOWN: Final = 400
_LAST: Final = HORIZONS_S[-1]


def making_view(frames: RunFrames, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write the tear sheet; None where no fill has mark-outs.

    Parameters
    ----------
    frames : RunFrames
        Tables of the run.
    summary : mapping
        Content of its ``summary.json``.

    Returns
    -------
    dict or None
        Text, rows and figures for the template.
    """
    if not frames.markouts.height:
        return None
    found = sorted(fills_summed(frames, summary), key=lambda each: -each.traded)
    names = [each.instrument for each in found]
    fills = frames.fills.filter(pl.col("instrument").is_in(names))
    currencies = dict(zip(fills["instrument"], fills["currency"], strict=True))
    same = [each for each in found if currencies[each.instrument] == currencies[names[0]]]
    currency = currencies[names[0]]
    return {
        "title": _title(same, currency),
        "subtitle": _subtitle(found, same, currency),
        "split": bars_across(_split(same), "Profit in parts"),
        "split_title": f"Profit in parts, {currency}",
        "realised": curve(
            [0, *HORIZONS_S],
            [_line(each) for each in found[:_DRAWN]],
            "Realised spread by seconds since the fill",
        ),
        "paths": _paths(frames, fills, names[:_DRAWN], summary),
        "rows": [_row(each, currencies[each.instrument]) for each in found[:_SHOWN]],
        "horizons": HORIZONS_S,
        "more": max(0, len(found) - _SHOWN),
        "unmarked": sum(each.unmarked for each in found),
    }


def _title(found: Sequence[FillQuality], currency: str) -> str:
    captured = sum((each.captured for each in found), Decimal(0))
    selection = sum((each.selection for each in found), Decimal(0))
    verb = "Captured" if captured >= 0 else "Paid"
    back = "the market took back" if selection < 0 else "the market then added"
    first = f"{verb} {currency} {_amount(abs(captured))} of spread; {back}"
    return f"{first} {_amount(abs(selection))} within {_LAST} s"


def _subtitle(found: Sequence[FillQuality], same: Sequence[FillQuality], currency: str) -> str:
    count = sum(each.fills for each in found)
    makers = sum(each.makers for each in found)
    text = f"{count:,} fills, {percent(makers / count, 0)} of them resting; bp of the mid"
    if len(same) < len(found):
        text += f"; sums are of the {len(same)} instruments in {currency}"
    return text


def _split(found: Sequence[FillQuality]) -> list[tuple[str, str, float, float]]:
    """Write bars from where the one before ended: name, figure, start and end."""
    parts = [
        ("Spread captured", sum((each.captured for each in found), Decimal(0))),
        ("Adverse selection", sum((each.selection for each in found), Decimal(0))),
        ("Inventory after that", sum((each.inventory for each in found), Decimal(0))),
        ("Fees", -sum((each.fees for each in found), Decimal(0))),
    ]
    ends = list(accumulate(value for _, value in parts))
    starts = [Decimal(0), *ends[:-1]]
    bars = [
        (name, _amount(value), float(start), float(end))
        for (name, value), start, end in zip(parts, starts, ends, strict=True)
    ]
    return [*bars, ("Profit", _amount(ends[-1]), 0.0, float(ends[-1]))]


def _line(each: FillQuality) -> Line:
    values = [each.captured_bps, *each.realised_bps.values()]
    return Line(each.instrument, values, [number(value, 2) for value in values])


def _paths(
    frames: RunFrames, fills: pl.DataFrame, names: Sequence[str], summary: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Draw inventory of each instrument, and the fund's profit, over one range of time."""
    equity = frames.equity.select(pl.col("ts").cast(pl.Int64), pl.col("equity").cast(pl.Float64))
    held = inventory(fills).with_columns(pl.col("ts").cast(pl.Int64))
    first = min(int(equity["ts"][0]), *held["ts"].to_list())
    last = int(equity["ts"][-1])
    start = float(summary["fund"]["cash"])
    found = []
    for name in names:
        part = held.filter(pl.col("instrument") == name)
        ts = np.concatenate([[first], part["ts"].to_numpy()])
        quantity = np.concatenate([[0.0], part["quantity"].cast(pl.Float64).to_numpy()])
        found.append((f"Inventory, {name}", ts, quantity))
    ts = np.concatenate([[first], equity["ts"].to_numpy()])
    profit = np.concatenate([[0.0], equity["equity"].to_numpy() - start])
    found.append((f"Profit of the fund, {summary['fund']['currency']}", ts, profit))
    return [
        {"title": title, "figure": steps(ts, values, (first, last), title)}
        for title, ts, values in found
    ]


def _row(each: FillQuality, currency: str) -> dict[str, Any]:
    return {
        "instrument": each.instrument,
        "currency": currency,
        "fills": f"{each.fills:,}",
        "makers": percent(each.makers / each.fills, 0),
        "bought": _quantity(each.bought),
        "sold": _quantity(each.sold),
        "captured_bps": number(each.captured_bps, 2),
        "realised": [number(each.realised_bps[key], 2) for key in HORIZONS_S],
        "held": f"{_quantity(each.held_min)} to {_quantity(each.held_max)}",
        "mean": f"{number(float(each.held_mean), 4)}",
        "parts": [_amount(value) for value in (each.captured, each.selection, each.inventory)],
        "fees": _amount(-each.fees),
        "profit": _amount(each.profit),
    }


def _amount(value: Decimal) -> str:
    return money(value, 2 if abs(value) >= 100 or value == 0 else 4)


def _quantity(value: Decimal) -> str:
    text = f"{value.normalize():,f}".replace("-", "\N{MINUS SIGN}")
    return text if value else MISSING
