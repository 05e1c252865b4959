"""The pages themselves: templates filled with the view of a run."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import Curve, curves
from quantvista.portfolio.metrics import simple_returns
from quantvista.portfolio.periodic import rolling_sharpe
from quantvista.reporting import _assets, _money, _svg, _view
from quantvista.reporting._format import money, number, percent, short, spoken_date
from quantvista.reporting._payload import (
    FILLS_SHOWN,
    as_json,
    payload,
    rolling_window,
    scaled_levels,
)

__all__ = ["plot_page", "report_page"]

_SECTIONS: Final = (
    ("overview", "Verdict"),
    ("equity", "Equity"),
    ("drawdowns", "Drawdowns"),
    ("numbers", "Key numbers"),
    ("belief", "Belief"),
    ("months", "Months"),
    ("rolling", "Rolling"),
    ("exposure", "Exposure"),
    ("costs", "Costs"),
    ("contribution", "Contribution"),
    ("days", "Days"),
    ("trades", "Trades"),
    ("limits", "Limits"),
    ("method", "Assumptions"),
)
_FILL_COLUMNS: Final = (
    ("ts", "Date"),
    ("sleeve", "Sleeve"),
    ("instrument", "Instrument"),
    ("side", "Side"),
    ("quantity", "Quantity"),
    ("price", "Price"),
    ("notional", "Value"),
    ("fee", "Fee"),
    ("slippage", "Slippage"),
    ("kind", "Kind"),
)
_KEYS: Final = (
    ("j k", "next and previous section"),
    ("+ \N{HYPHEN-MINUS} 0", "zoom in, out, reset"),
    ("\N{LEFTWARDS ARROW} \N{RIGHTWARDS ARROW}", "move the cursor in a chart (with shift: a month)"),
    ("l", "log or linear equity"),
    ("/", "filter the fills"),
    ("t", "light, dark or as the system"),
    ("c", "hues of gain and loss"),
    ("?", "this list"),
)


def report_page(
    frames: RunFrames, summary: Mapping[str, Any], missing: tuple[str, ...], run_toml: str
) -> str:
    """Write the whole report as one page of HTML."""
    found = curves(frames)
    ours = found["fund"]
    benchmark = summary["comparisons"].get("benchmark")
    holdings = _money.holdings_table(frames, summary)
    held = holdings["count"] if holdings else 0
    invested = holdings["invested"] if holdings and "positions" not in missing else None
    returns = simple_returns(ours.level)
    metrics = summary["metrics"]
    return _environment().get_template("report.html").render(
        s=summary,
        style=_assets.style_sheet(),
        script=_assets.script(),
        payload=as_json(payload(frames, summary)),
        sections=_SECTIONS,
        keys=_KEYS,
        missing=missing,
        run_toml=run_toml,
        drawable=ours.ts.size >= 2,
        benchmark=benchmark["id"] if benchmark else "",
        eyebrow=_eyebrow(summary),
        verdict=_sentences(summary["verdict"]),
        headline=_view.headline(summary, held, invested),
        drawdowns=_view.drawdown_rows(summary, found),
        numbers=_view.key_numbers(summary),
        intervals=_svg.intervals(_view.belief(summary)) if _view.belief(summary) else "",
        months=_view.months(found),
        holdings=holdings,
        contribution=_money.contribution_table(summary),
        limits=_money.limit_rows(summary),
        histogram=_svg.histogram(returns, metrics["var_95"]["value"], metrics["cvar_95"]["value"]),
        sleeves=frames.sleeves.height > 0,
        cost_title=_money.cost_title(summary),
        fill_columns=_FILL_COLUMNS,
        **_equity_texts(found, summary),
        **_rolling_texts(ours, summary),
        **_trade_texts(summary),
        **_fact_lists(summary),
    ) + "\n"  # fmt: skip


def plot_page(frames: RunFrames, summary: Mapping[str, Any]) -> str:
    """Write equity and drawdown alone, for a notebook cell."""
    return (
        _environment()
        .get_template("plot.html")
        .render(
            fund=summary["fund"]["name"],
            title=_equity_texts(curves(frames), summary)["equity_title"],
            style=_assets.style_sheet(),
            script=_assets.script(),
            payload=as_json(payload(frames, summary)),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "_templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["digits"] = _digits
    made.filters["words"] = lambda text: text.replace("_", " ").replace("-", " ").capitalize()
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return made


def _digits(text: str) -> str:
    """Turn a printed number back into one that a program reads."""
    plain = text.replace("\N{MINUS SIGN}", "-")
    return "".join(each for each in plain if each in "-.0123456789")


def _sentences(text: str) -> list[str]:
    parts = text.split(". ")
    return [part if part.endswith(".") else f"{part}." for part in parts]


def _eyebrow(summary: Mapping[str, Any]) -> str:
    period, fund = summary["period"], summary["fund"]
    if period["start"] is None:
        return "no session"
    cash = short(float(fund["cash"]))
    return (
        f"backtest, {spoken_date(period['start'])} to {spoken_date(period['end'])}, "
        f"{number(period['sessions'])} sessions, {fund['currency']} {cash} to start with"
    )


def _equity_texts(found: Mapping[str, Curve], summary: Mapping[str, Any]) -> dict[str, str]:
    fund, period = summary["fund"], summary["period"]
    level = found["fund"].level
    if level.size < 2:
        return {"equity_title": "Equity", "equity_subtitle": "No two sessions were recorded"}
    title = f"{fund['currency']} {short(level[0])} became {short(level[-1])}"
    scaled = scaled_levels(found)
    other = summary["comparisons"].get("benchmark")
    if other and "benchmark" in scaled:
        ends = scaled["benchmark"][np.isfinite(scaled["benchmark"])]
        title += f"; {other['id']} would have made it {short(ends[-1])}"
    scale = "; comparisons start at the same level and bear no costs" if len(scaled) > 1 else ""
    subtitle = f"Equity after costs, {fund['currency']}, {period['start']} to {period['end']}{scale}"
    return {"equity_title": title, "equity_subtitle": subtitle}


def _rolling_texts(ours: Curve, summary: Mapping[str, Any]) -> dict[str, Any]:
    periods = float(summary["period"]["periods_a_year"])
    window = rolling_window(periods)
    ratio = rolling_sharpe(ours.level, window, periods)
    known = ratio[np.isfinite(ratio)]
    title = "The rolling year"
    if known.size:
        title = f"Over a rolling year the Sharpe ratio was negative {percent(float(np.mean(known < 0)), 0)} of the time"
    exposure, invested = (summary["metrics"][n]["value"] for n in ("exposure", "time_invested"))
    exposed = "Exposure"
    if exposure is not None:
        exposed = f"Invested {percent(exposure, 0)} on average, and on {percent(invested, 0)} of the sessions"
    return {
        "window": window,
        "rolling": bool(known.size),
        "rolling_title": title,
        "exposure_title": exposed,
    }


def _trade_texts(summary: Mapping[str, Any]) -> dict[str, Any]:
    counts, worst = summary["counts"], summary["worst_days"]
    total, limits = counts["fills"], sum(each["count"] for each in summary["limits_hit"])
    of_which = [
        f"{number(counts[name])} {text}"
        for name, text in (("crosses", "crossed between sleeves"), ("settlements", "settlements"))
        if counts[name]
    ]
    subtitle = "Prices include slippage; slippage is money and positive is a cost"
    if total > FILLS_SHOWN:
        subtitle = f"The latest {number(FILLS_SHOWN)} are here, all of them in fills.parquet. {subtitle}"
    days = "Worst days"
    if worst:
        days = f"The worst day was {spoken_date(worst[0]['date'])}: {percent(worst[0]['return'])}"
    return {
        "fills_count": total,
        "fills_title": f"{number(total)} fills{': ' + ', '.join(of_which) if of_which else ''}",
        "fills_subtitle": subtitle,
        "limits_title": f"Limits spoke {number(limits)} times" if limits else "No limit was hit",
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


def _fact_lists(summary: Mapping[str, Any]) -> dict[str, Any]:
    fund, costs, counts = summary["fund"], summary["costs"], summary["counts"]
    currency = fund["currency"]
    per_trade = costs["bps_of_turnover"]
    prints = dict(summary["fingerprint"])
    environment = prints.pop("environment", {})
    return {
        "cost_facts": [
            (f"Fees, {currency}", money(Decimal(costs["fees"]))),
            (f"Slippage, {currency}", money(Decimal(costs["slippage"]))),
            (f"Both, {currency}", money(Decimal(costs["total"]))),
            (f"Traded, {currency}", money(Decimal(costs["traded"]))),
            ("Of what was traded", f"{number(per_trade, 1)} bp" if per_trade is not None else ""),
        ],
        "counts": [
            (name.replace("_", " ").capitalize(), number(counts[name]))
            for name in ("orders", "accepted", "cut", "rejected", "held", "expired", "cancelled",
                         "missing_bars")
        ],
        "final_equity": money(Decimal(fund["equity"])) if fund["equity"] else "",
        "starting_cash": money(Decimal(fund["cash"])),
        "fingerprint": [
            ("Data source", fund["source"]),
            ("Calendar", f"{fund['calendar']}, {fund['time_zone']}".strip(", ")),
            *((name.replace("_", " ").capitalize(), str(each)) for name, each in prints.items()),
            *((name.replace("_", " ").capitalize(), str(each)) for name, each in environment.items()),
        ],
    }  # fmt: skip
