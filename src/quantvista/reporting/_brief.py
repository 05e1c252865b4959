"""What the report of a brief run says otherwise, and what it leaves out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from quantvista.backtest._within import lasting, profit_share
from quantvista.portfolio.metrics import SHORTEST_YEARS
from quantvista.reporting._format import MISSING, money, number, short, spoken_date

__all__ = [
    "drawdown_cells",
    "headline",
    "is_brief",
    "left_out",
    "left_out_text",
    "share",
    "span_text",
    "thin",
]

_DAYS_LEAST: Final = 5  # sessions; a distribution of fewer says nothing
_NAMES: Final = {
    "months": "months",
    "rolling": "rolling ratios",
    "yearly": "figures for a year (return, volatility, Sharpe ratio, turnover)",
    "days": "the distribution of daily returns",
}


def is_brief(summary: Mapping[str, Any]) -> bool:
    """Tell whether a run is too short for figures for a year."""
    return bool(summary["period"]["years"] < SHORTEST_YEARS)


def thin(text: str) -> str:
    """Keep a unit on the line of its figure."""
    return text.replace(" ", "\N{NARROW NO-BREAK SPACE}")


def share(value: float | None) -> str:
    """Write a return so that it can be read however small it is."""
    return MISSING if value is None else thin(profit_share(value))


def left_out(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the parts of the page for which a run is too short."""
    found = ["months", "rolling", "yearly"] if is_brief(summary) else []
    if summary["period"]["sessions"] < _DAYS_LEAST:
        found.append("days")
    return tuple(found)


def left_out_text(summary: Mapping[str, Any], parts: tuple[str, ...]) -> str:
    """Say what is left out and why."""
    if not parts:
        return ""
    names = [_NAMES[each] for each in parts]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    needs = []
    if "yearly" in parts:
        needs.append("30 days")
    if "days" in parts:
        needs.append(f"{_DAYS_LEAST} sessions for daily returns")
    return f"Left out: {listed}. They need {' and '.join(needs)}; this run has {_length(summary)}."


def span_text(summary: Mapping[str, Any]) -> str:
    """Say when the run was."""
    period = summary["period"]
    found = period.get("within")
    if found is None:
        return f"{spoken_date(period['start'])} to {spoken_date(period['end'])}"
    first, last = found["first"], found["last"]
    end = last[11:16] if first[:10] == last[:10] else f"{spoken_date(last[:10])} {last[11:16]}"
    start = f"{spoken_date(first[:10])} {first[11:16]}"
    return f"{start} to {end} UTC, {lasting(found['seconds'])}"


def headline(
    summary: Mapping[str, Any], held: int, invested: float | None
) -> list[dict[str, Any]] | None:
    """Write the five figures under the verdict; None where the run is not drawn within days."""
    period, costs = summary["period"], summary["costs"]
    if "within" not in period:
        return None
    currency, counts = summary["fund"]["currency"], summary["counts"]
    worst = summary["drawdowns"][0] if summary["drawdowns"] else None
    made = Decimal(summary["contribution"]["total"])
    total = summary["metrics"]["total_return"]
    lasted = ""
    if worst:
        how = "recovered after" if worst["recovery"] else "not recovered after"
        lasted = f"{how} {lasting(worst['seconds'])}"
    per_trade = costs["bps_of_turnover"]
    ends = "flat" if not held else f"in {held} instrument{'' if held == 1 else 's'}"
    return [
        {
            "label": f"Profit, {currency}",
            "text": money(made),
            "why": "",
            "notes": [f"{share(total['value'])} of the capital"],
        },
        {
            "label": "Deepest drawdown",
            "text": share(summary["metrics"]["max_drawdown"]["value"]),
            "why": str(summary["metrics"]["max_drawdown"].get("reason", "")),
            "notes": [lasted],
        },
        {
            "label": "Fills",
            "text": number(counts["fills"]),
            "why": "",
            "notes": [
                f"of {number(counts['orders'])} orders",
                f"{currency} {short(float(costs['traded']))} traded",
            ],
        },
        {
            "label": f"Costs, {currency}",
            "text": money(Decimal(costs["total"])),
            "why": "",
            "notes": [
                "fees and slippage",
                "" if per_trade is None else f"{number(per_trade, 1)} bp of what was traded",
            ],
        },
        {
            "label": "At the end",
            "text": MISSING if invested is None else f"{thin(f'{invested * 100:.0f} %')} invested",
            "why": "positions.parquet is missing" if invested is None else "",
            "notes": [ends, f"{period['within']['last'][11:19]} UTC"],
        },
    ]


def drawdown_cells(row: Mapping[str, Any], *, several_days: bool) -> dict[str, str]:
    """Write the times of a drawdown within days."""
    start, trough, end = ((_clock(each, several_days)) for each in row["times"])
    return {
        "depth": share(row["depth"]),
        "start": start,
        "trough": trough,
        "recovery": end if row["recovery"] else "",
        "days": lasting(row["seconds"]),
    }


def _clock(text: str, several_days: bool) -> str:
    return text[:19].replace("T", " ") if several_days else text[11:19]


def _length(summary: Mapping[str, Any]) -> str:
    found = summary["period"].get("within")
    if found:
        return lasting(found["seconds"])
    sessions = summary["period"]["sessions"]
    return f"{number(sessions)} session{'' if sessions == 1 else 's'}"
