"""Titles that say what was found, and the facts around them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np

from quantvista.backtest._curves import Curve
from quantvista.portfolio.periodic import rolling_sharpe
from quantvista.reporting._brief import left_out, share, span_text
from quantvista.reporting._format import money, number, percent, short, spoken_date
from quantvista.reporting._payload import FILLS_SHOWN, rolling_window, scaled_levels

__all__ = [
    "equity_texts",
    "eyebrow",
    "fact_lists",
    "headline_text",
    "rolling_texts",
    "sentences",
    "trade_texts",
    "trials_text",
    "unbroken",
]

_COUNTS: Final = (
    "orders",
    "accepted",
    "cut",
    "rejected",
    "held",
    "expired",
    "cancelled",
    "missing_bars",
)


def sentences(text: str) -> list[str]:
    """Split a verdict, so that the page can set its sentences apart."""
    parts = unbroken(text).split(". ")
    return [part if part.endswith(".") else f"{part}." for part in parts]


def unbroken(text: str) -> str:
    """Keep percent signs on the line of their figure."""
    return text.replace(" %", "\N{NARROW NO-BREAK SPACE}%")


def headline_text(summary: Mapping[str, Any]) -> str:
    """Take the error out of the verdict: the banner above it has that, with its lines of code."""
    error = str(summary["error"]).rstrip(".")
    return str(summary["verdict"]).replace(f": {error}", "", 1) if error else summary["verdict"]


def trials_text(trials: int | None) -> str:
    """Say what the number of variants that were tried means for the ratio."""
    if trials is None:
        return (
            "Trials are not counted, so the ratio is not deflated for choosing the best of many. "
            "Count them yourself: every variant that was tried before this one is a trial that "
            "this page cannot see."
        )
    tried = "One variant was" if trials == 1 else f"{number(trials)} variants were"
    return (
        f"{tried} tried on this data and the ratio is not deflated for that: the best of many "
        "looks better than it is."
    )


def eyebrow(summary: Mapping[str, Any]) -> str:
    """Say what this is, above the verdict."""
    period, fund = summary["period"], summary["fund"]
    if period["start"] is None:
        return "no session"
    cash = short(float(fund["cash"]))
    return (
        f"backtest, {span_text(summary)}, "
        f"{_count(period['sessions'], 'session')}, {fund['currency']} {cash} to start with"
    )


def equity_texts(found: Mapping[str, Curve], summary: Mapping[str, Any]) -> dict[str, str]:
    """Write the title and subtitle of the equity chart."""
    fund, period = summary["fund"], summary["period"]
    level = found["fund"].level
    if level.size < 2:
        return {"equity_title": "Equity", "equity_subtitle": "No two sessions were recorded"}
    ends = short(level[0]), short(level[-1])
    if found["fund"].within and ends[0] == ends[1]:
        ends = number(level[0], 2), number(level[-1], 2)
    title = f"{fund['currency']} {ends[0]} became {ends[1]}"
    scaled = scaled_levels(found)
    other = summary["comparisons"].get("benchmark")
    if other and "benchmark" in scaled:
        known = scaled["benchmark"][np.isfinite(scaled["benchmark"])]
        title += f"; {other['id']} would have made it {short(known[-1])}"
    subtitle = f"Equity after costs, {fund['currency']}, {period['start']} to {period['end']}"
    if len(scaled) > 1:
        subtitle += "; comparisons start at the same level"
    if found["fund"].within:
        subtitle = f"Equity after costs, {fund['currency']}, {span_text(summary)}"
    elif period["first_fill"]:
        subtitle += f"; in cash until {period['first_fill']}"
    return {"equity_title": title, "equity_subtitle": subtitle}


def rolling_texts(ours: Curve, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Write the titles of what rolls, and whether there is enough of it."""
    periods = float(summary["period"]["periods_a_year"])
    window = rolling_window(periods)
    ratio = rolling_sharpe(ours.level, window, periods)
    known = ratio[np.isfinite(ratio)]
    title = "The rolling year"
    if known.size:
        below = percent(float(np.mean(known < 0)), 0)
        title = f"Over a rolling year the Sharpe ratio was negative {below} of the time"
    exposure, invested = (summary["metrics"][n]["value"] for n in ("exposure", "time_invested"))
    exposed = "Exposure"
    if exposure is not None:
        on = percent(invested, 0)
        exposed = f"Invested {percent(exposure, 0)} on average, and on {on} of the sessions"
        if "days" in left_out(summary):
            exposed = f"Invested {share(exposure)} on average"
    return {
        "window": window,
        "rolling": bool(known.size),
        "rolling_title": title,
        "exposure_title": exposed,
    }


def trade_texts(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Write the titles of fills, limits and days."""
    counts, worst = summary["counts"], summary["worst_days"]
    total, limits = counts["fills"], sum(each["count"] for each in summary["limits_hit"])
    of_which = [
        f"{number(counts[name])} {text}"
        for name, text in (("crosses", "crossed between sleeves"), ("settlements", "settled"))
        if counts[name]
    ]
    subtitle = "Prices include slippage; slippage is money and positive is a cost"
    if total > FILLS_SHOWN:
        subtitle = (
            f"The latest {number(FILLS_SHOWN)} are here, all of them in fills.parquet. {subtitle}"
        )
    if counts["crosses"]:
        subtitle += "; a cross is two fills, one of each sleeve"
    days = "Worst days"
    if worst:
        days = f"The worst day was {spoken_date(worst[0]['date'])}: {percent(worst[0]['return'])}"
    return {
        "fills_count": total,
        "fills_title": _count(total, "fill") + (f": {', '.join(of_which)}" if of_which else ""),
        "fills_subtitle": subtitle,
        "limits_title": f"Limits acted {_count(limits, 'time')}" if limits else "No limit was hit",
        "days_title": days,
        "worst_days": [
            {
                "date": each["date"],
                "return": percent(each["return"], 2),
                "benchmark": percent(each["benchmark"], 2),
            }
            for each in worst
        ],
    }


def fact_lists(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Write the lists of names and values."""
    fund, costs, counts = summary["fund"], summary["costs"], summary["counts"]
    currency = fund["currency"]
    per_trade = costs["bps_of_turnover"]
    return {
        "cost_facts": [
            (f"Fees, {currency}", money(Decimal(costs["fees"]))),
            (f"Slippage, {currency}", money(Decimal(costs["slippage"]))),
            (f"Both, {currency}", money(Decimal(costs["total"]))),
            (f"Traded, {currency}", money(Decimal(costs["traded"]))),
            ("Of what was traded", f"{number(per_trade, 1)} bp" if per_trade is not None else ""),
        ],
        "counts": [(name.replace("_", " ").capitalize(), number(counts[name])) for name in _COUNTS],
        "final_equity": money(Decimal(fund["equity"])) if fund["equity"] else "",
        "starting_cash": money(Decimal(fund["cash"])),
        "fingerprint": [
            ("Data source", fund["source"]),
            ("Calendar", f"{fund['calendar']}, {fund['time_zone']}".strip(", ")),
            *_flat(summary["fingerprint"]),
        ],
    }


def _count(count: int, what: str) -> str:
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def _flat(found: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Write nested facts as one list; those of the environment need no prefix."""
    rows = []
    for name, value in found.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flat(value, "" if name == "environment" else f"{name} ")
        else:
            rows.append((label[:1].upper() + label[1:], str(value)))
    return rows
