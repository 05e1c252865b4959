"""The pages themselves: templates filled with the view of a run."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2

from quantvista.backtest._curves import curves_of
from quantvista.backtest._frames import RunFrames
from quantvista.backtest._verdict import since_first_fill
from quantvista.portfolio.metrics import simple_returns
from quantvista.reporting import _assets, _brief, _money, _svg, _texts, _view
from quantvista.reporting._making import making_view
from quantvista.reporting._payload import as_json, payload

__all__ = ["environment", "plot_page", "report_page"]

_SECTIONS: Final[tuple[tuple[str, str], ...]] = (
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
    ("making", "Market making"),
    ("days", "Days"),
    ("trades", "Trades"),
    ("limits", "Limits"),
    ("method", "Assumptions"),
)
_ALWAYS: Final = frozenset({"overview", "equity", "making", "trades", "limits", "method"})
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
    (
        "\N{LEFTWARDS ARROW} \N{RIGHTWARDS ARROW}",
        "move the cursor in a chart (with shift: a month)",
    ),
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
    found = curves_of(frames, summary, fine=True)
    ours = found["fund"]
    sessions = curves_of(frames, summary)["fund"]
    left_out = _brief.left_out(summary)
    drawable = ours.ts.size >= 2
    benchmark = summary["comparisons"].get("benchmark")
    holdings = _money.holdings_table(frames, summary)
    held = holdings["count"] if holdings else 0
    invested = holdings["invested"] if holdings and "positions" not in missing else None
    making = making_view(frames, summary)
    returns = simple_returns(sessions.level)
    metrics = summary["metrics"]
    return environment().get_template("report.html").render(
        s=summary,
        style=_assets.style_sheet(),
        script=_assets.script(),
        payload=as_json(payload(frames, summary)),
        sections=[
            each
            for each in _SECTIONS
            if (drawable or each[0] in _ALWAYS)
            and (making or each[0] != "making")
            and each[0] not in left_out
        ],
        left_out=left_out,
        left_out_text=_brief.left_out_text(summary, left_out),
        keys=_KEYS,
        missing=missing,
        run_toml=run_toml,
        drawable=drawable,
        benchmark=benchmark["id"] if benchmark else "",
        eyebrow=_texts.eyebrow(summary),
        verdict=_texts.sentences(_texts.headline_text(summary)),
        since=_texts.unbroken(since_first_fill(summary)),
        trials_text=_texts.trials_text(summary["trials"]),
        headline=_view.headline(summary, held, invested),
        drawdowns=_view.drawdown_rows(summary, found),
        numbers=_view.key_numbers(summary),
        intervals=_svg.intervals(_view.belief(summary)) if _view.belief(summary) else "",
        months=_view.months(found),
        holdings=holdings,
        making=making,
        contribution=_money.contribution_table(summary),
        limits=_money.limit_rows(summary),
        unfilled=_money.unfilled_rows(summary),
        histogram=_svg.histogram(returns, metrics["var_95"]["value"], metrics["cvar_95"]["value"]),
        sleeves=frames.sleeves.height > 0,
        cost_title=_money.cost_title(summary),
        fill_columns=(("ts", "Time, UTC"), *_FILL_COLUMNS[1:]) if ours.within else _FILL_COLUMNS,
        **_texts.equity_texts(found, summary),
        **_texts.rolling_texts(sessions, summary),
        **_texts.trade_texts(summary),
        **_texts.fact_lists(summary),
    ) + "\n"  # fmt: skip


def plot_page(frames: RunFrames, summary: Mapping[str, Any]) -> str:
    """Write equity and drawdown alone, for a notebook cell."""
    return (
        environment()
        .get_template("plot.html")
        .render(
            fund=summary["fund"]["name"],
            title=_texts.equity_texts(curves_of(frames, summary, fine=True), summary)[
                "equity_title"
            ],
            style=_assets.style_sheet(),
            script=_assets.script(),
            payload=as_json(payload(frames, summary)),
        )
    )


@cache
def environment() -> jinja2.Environment:
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
