"""What the page says in words and tables: text for the template, no arithmetic left to do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from quantvista.backtest._curves import Curve
from quantvista.portfolio.drawdowns import drawdowns
from quantvista.portfolio.periodic import MonthlyReturns, monthly_returns
from quantvista.reporting._brief import drawdown_cells, left_out, share
from quantvista.reporting._brief import headline as brief_headline
from quantvista.reporting._format import MISSING, day_count, number, percent, short

__all__ = ["EQUAL_WEIGHT", "Cell", "belief", "drawdown_rows", "headline", "key_numbers", "months"]

type Cell = dict[str, Any]
type Metrics = Mapping[str, Mapping[str, Any]]

EQUAL_WEIGHT: Final = "Equal weight"
_PLUS_MINUS: Final = "\N{PLUS-MINUS SIGN}"
# (name in the summary, what it is called here, how it is written, what it means)
_KEY_NUMBERS: Final = (
    (
        "Return",
        (
            ("cagr", "Return a year", "percent", "Compounded, over calendar time"),
            ("total_return", "Return in all", "percent", ""),
            ("best_day", "Best day", "percent", ""),
            ("worst_day", "Worst day", "percent", ""),
            ("win_rate", "Winning days", "percent", "Share of the days that moved"),
        ),
    ),
    (
        "Risk",
        (
            ("volatility", "Volatility a year", "percent", "Standard deviation of daily returns"),
            ("max_drawdown", "Deepest drawdown", "percent", "From the highest level before it"),
            ("max_drawdown_days", "… peak to recovery", "days", "Calendar days"),
            ("longest_drawdown_days", "Longest drawdown", "days", "Calendar days"),
            ("var_95", "VaR 95 %, one day", "percent", "5th percentile of daily returns"),
            ("cvar_95", "CVaR 95 %, one day", "percent", "Mean of the worst 5 % of days"),
        ),
    ),
    (
        "Reward for risk",
        (
            ("sharpe", "Sharpe ratio", "sharpe", "± one standard error, Lo (2002), Mertens (2002)"),
            ("sortino", "Sortino ratio", "ratio", "Downside deviation below zero"),
            ("calmar", "Calmar ratio", "ratio", "Return a year over deepest drawdown"),
            ("profit_factor", "Profit factor", "ratio", "Gaining days over losing days, by sum"),
            ("skew", "Skew", "ratio", ""),
            ("kurtosis", "Excess kurtosis", "ratio", "0 for a normal distribution"),
            ("tail_ratio", "Tail ratio", "ratio", "95th over 5th percentile, by size"),
        ),
    ),
)
_RELATIVE: Final = (
    ("beta", "Beta", "ratio", ""),
    ("alpha", "Alpha a year", "percent", "Return that beta does not explain"),
    ("correlation", "Correlation", "ratio", "Of daily returns"),
    ("tracking_error", "Tracking error a year", "percent", ""),
    ("information_ratio", "Information ratio", "ratio", "Active return over tracking error"),
)
_FOR_A_YEAR: Final = {
    "cagr", "volatility", "sharpe", "sortino", "calmar", "turnover", "alpha", "tracking_error",
    "information_ratio",
}  # fmt: skip
_OF_DAYS: Final = {
    "best_day", "worst_day", "win_rate", "var_95", "cvar_95", "profit_factor", "skew", "kurtosis",
    "tail_ratio", "beta", "correlation", "time_invested",
}  # fmt: skip
_TRADING: Final = (
    ("exposure", "Invested on average", "percent", "Gross exposure over equity"),
    ("time_invested", "Sessions with a position", "percent", ""),
    ("turnover", "Turnover a year, one-way", "percent", "Half of what was traded, over equity"),
)


def cell(metrics: Metrics | None, name: str, kind: str, *, within: bool = False) -> Cell:
    """Write one metric, with the reason where it has no value; small ones of a brief run in bp."""
    found = None if metrics is None else metrics.get(name)
    if metrics is None or found is None:
        return {"text": "", "why": ""}
    value = found["value"]
    if value is None:
        return {"text": MISSING, "why": str(found.get("reason", "undefined"))}
    if within and kind == "percent":
        return {"text": share(value), "why": ""}
    text = {"percent": percent, "days": number}.get(kind, _ratio)(value)
    error = metrics.get("sharpe_se", {}).get("value") if kind == "sharpe" else None
    return {"text": text if error is None else f"{text} {_PLUS_MINUS} {error:.2f}", "why": ""}


def key_numbers(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the groups of metrics: ours, the benchmark's and equal weight's side by side.

    Of a run that is too short for it, rows for a year and rows of daily returns are left out.
    """
    columns = [(summary["fund"]["name"], summary["metrics"]), *_others(summary)]
    skipped, within = _skipped(summary), "within" in summary["period"]
    if within:
        skipped |= {"max_drawdown_days", "longest_drawdown_days"}  # the table of drawdowns has them
    groups = [
        {
            "title": title,
            "columns": [label for label, _ in columns],
            "rows": [
                {
                    "label": label,
                    "hint": hint,
                    "cells": [cell(m, name, kind, within=within) for _, m in columns],
                }
                for name, label, kind, hint in rows
                if name not in skipped
            ],
        }
        for title, rows in _KEY_NUMBERS
    ]
    benchmark = summary["comparisons"].get("benchmark")
    against = [(f"Against {benchmark['id']}", _RELATIVE)] if benchmark else []
    for title, rows in [*against, ("Trading", _TRADING)]:
        groups.append(
            {
                "title": title,
                "columns": [summary["fund"]["name"]],
                "rows": [
                    {
                        "label": label,
                        "hint": hint,
                        "cells": [cell(summary["metrics"], name, kind, within=within)],
                    }
                    for name, label, kind, hint in rows
                    if name not in skipped
                ],
            }
        )
    return [group for group in groups if group["rows"]]


def _skipped(summary: Mapping[str, Any]) -> set[str]:
    """Name the metrics for which the run is too short."""
    parts = left_out(summary)
    found: set[str] = set()
    if "yearly" in parts:
        found |= _FOR_A_YEAR
    if "days" in parts:
        found |= _OF_DAYS
    return found


def headline(summary: Mapping[str, Any], held: int, invested: float | None) -> list[Cell]:
    """Write the five figures under the verdict: pay, pain, skill, cost, and what it holds now."""
    if (found := brief_headline(summary, held, invested)) is not None:
        return found
    metrics, others = summary["metrics"], _others(summary)
    period, costs = summary["period"], summary["costs"]
    name = "cagr" if period["years"] >= 1 else "total_return"
    worst = summary["drawdowns"][0] if summary["drawdowns"] else None
    currency = summary["fund"]["currency"]

    def compare(which: str, kind: str) -> list[str]:
        return [f"{label} {cell(m, which, kind)['text']}" for label, m in others]

    yearly = costs["bps_a_year"]
    lasted = []
    if worst:
        days = day_count(worst["days"])
        lasted = [f"recovered after {days}" if worst["recovery"] else f"{days} and counting"]
    return [
        {
            "label": "Return a year" if name == "cagr" else "Return in all",
            **cell(metrics, name, "percent"),
            "notes": compare(name, "percent"),
        },
        {
            "label": "Deepest drawdown",
            **cell(metrics, "max_drawdown", "percent"),
            "notes": lasted + compare("max_drawdown", "percent"),
        },
        {
            "label": "Sharpe ratio",
            **cell(metrics, "sharpe", "sharpe"),
            "notes": compare("sharpe", "ratio"),
        },
        {
            "label": "Costs",
            "text": MISSING if yearly is None else f"{number(yearly)} bp a year",
            "why": _why_no_yearly_costs(summary) if yearly is None else "",
            "notes": [f"{currency} {short(float(costs['total']))}", "fees and slippage"],
        },
        {
            "label": "At the end",
            "text": MISSING if invested is None else f"{percent(invested, 0)} invested",
            "why": "positions.parquet is missing" if invested is None else "",
            "notes": []
            if invested is None
            else [f"in {held} {'instrument' if held == 1 else 'instruments'}", period["end"]],
        },
    ]


def belief(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List Sharpe ratios and their standard errors, for drawing."""
    rows = []
    for label, metrics in [(summary["fund"]["name"], summary["metrics"]), *_others(summary)]:
        ratio, error = metrics["sharpe"]["value"], metrics["sharpe_se"]["value"]
        if ratio is not None and error is not None:
            rows.append({"label": label, "ratio": ratio, "error": error})
    return rows


def drawdown_rows(summary: Mapping[str, Any], found: Mapping[str, Curve]) -> list[dict[str, Any]]:
    """Write the worst drawdowns, with what the benchmark did from their peak to their trough."""
    rows: list[dict[str, Any]] = []
    ours, other = found["fund"], found.get("benchmark")
    if ours.ts.size < 2 or ours.level[0] <= 0:
        return rows
    spans = drawdowns(ours.ts, ours.level)
    several = len({at[:10] for each in summary["drawdowns"] for at in each.get("times", ())}) > 1
    for rank, (each, span) in enumerate(zip(summary["drawdowns"], spans, strict=False), 1):
        end = each["recovery"] or summary["period"]["end"]
        rows.append(
            {
                "rank": rank,
                "depth": percent(each["depth"]),
                "start": each["start"],
                "trough": each["trough"],
                "recovery": each["recovery"],
                "days": number(each["days"]),
                "benchmark": _between(other, span.start, span.trough),
                "from": _day(each["start"]),
                "to": _day(end),
            }
        )
        if ours.within and "times" in each:
            rows[-1] |= drawdown_cells(each, several_days=several)
            at = [span.start, ours.ts.size - 1 if span.recovery is None else span.recovery]
            rows[-1] |= dict(zip(("from", "to"), (ours.ts[at] / 86_400e9).tolist(), strict=True))
    return rows


def months(found: Mapping[str, Curve]) -> dict[str, Any]:
    """Write the year by month table, shaded by size, and what stands out in it."""
    ours = found["fund"]
    table = monthly_returns(ours.date, ours.level)
    other = found.get("benchmark")
    theirs = _benchmark_years(other, table.years) if other else {}
    known = np.abs(table.months[np.isfinite(table.months)])
    # The shade saturates where one month in twenty is stronger: one crash must not pale the rest.
    strongest = float(np.quantile(known, 0.95)) if known.size else 1.0
    rows = [
        {
            "year": year,
            "cells": [_shaded(value, strongest) for value in table.months[k].tolist()],
            "total": _shaded(float(table.totals[k]), strongest * 3),
            "benchmark": number(theirs[year] * 100, 1) if year in theirs else "",
        }
        for k, year in enumerate(table.years)
    ]
    return {"rows": rows, "title": _months_title(table), "benchmark": bool(theirs)}


def _why_no_yearly_costs(summary: Mapping[str, Any]) -> str:
    return str(summary["metrics"]["turnover"].get("reason", "undefined"))


# -- parts -----------------------------------------------------------------------------------
def _others(summary: Mapping[str, Any]) -> list[tuple[str, Metrics]]:
    comparisons = summary["comparisons"]
    found = []
    if "benchmark" in comparisons:
        found.append((comparisons["benchmark"]["id"], comparisons["benchmark"]["metrics"]))
    for name in sorted(set(comparisons) - {"benchmark"}):
        label = EQUAL_WEIGHT if name == "equal_weight" else name
        found.append((label, comparisons[name]["metrics"]))
    return found


def _ratio(value: float) -> str:
    return number(value, 2)


def _shaded(value: float, strongest: float) -> Cell:
    if not np.isfinite(value):
        return {"text": "", "sign": "", "shade": 0}
    shade = min(100, round(abs(value) / strongest * 100)) if strongest else 0
    return {"text": number(value * 100, 1), "sign": "g" if value >= 0 else "l", "shade": shade}


def _months_title(table: MonthlyReturns) -> str:
    known = np.argwhere(np.isfinite(table.months))
    if known.size == 0:
        return "No whole month yet"
    values = [float(table.months[y, m]) for y, m in known]
    won = sum(value > 0 for value in values) / len(values)
    low, high = int(np.argmin(values)), int(np.argmax(values))

    def name(which: int) -> str:
        year, month = known[which]
        when = np.datetime64(f"{table.years[year]}-{month + 1:02d}").astype(object)
        return f"{when:%B %Y} {percent(values[which])}"

    return f"{percent(won, 0)} of months made money; best {name(high)}, worst {name(low)}"


def _benchmark_years(curve: Curve, years: Sequence[int]) -> dict[int, float]:
    known = np.isfinite(curve.level)
    table = monthly_returns(curve.date[known], curve.level[known])
    totals = dict(zip(table.years, table.totals.tolist(), strict=True))
    return {year: totals[year] for year in years if np.isfinite(totals.get(year, np.nan))}


def _between(curve: Curve | None, first: int, last: int) -> str:
    if curve is None:
        return ""
    change = float(curve.level[last] / curve.level[first] - 1.0)
    return percent(change) if np.isfinite(change) else MISSING


def _day(iso: str) -> int:
    return int(np.datetime64(iso, "D").astype(np.int64))
