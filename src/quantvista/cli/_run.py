"""``qv run``: the run with its progress, and what it says at the end."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from rich.text import Text

from quantvista import backtest, reporting
from quantvista.backtest._verdict import since_first_fill
from quantvista.cli._metrics import brief_rows, metric_rows
from quantvista.cli._print import console, money, next_steps, number, print_json, say, table
from quantvista.cli._progress import progress_bar
from quantvista.errors import ConfigError
from quantvista.fund import LoadedFund, load_fund, template_path

__all__ = ["run_fund"]


def run_fund(
    fund: Path | None,
    *,
    out: str | None,
    demo: bool,
    as_json: bool,
    quiet: bool,
    journal: str | None = None,
) -> None:
    """Run a fund, write its report and print what came out.

    Parameters
    ----------
    fund : pathlib.Path or None
        The fund file; ``fund.toml`` by default.
    out : str or None
        The run folder; ``out/NAME`` by default.
    demo : bool
        Run the built-in demo fund instead.
    as_json : bool
        Print the summary as JSON, nothing else.
    quiet : bool
        Print the verdict, nothing else.
    journal : str or None
        Folder to record the run in.

    Raises
    ------
    QuantVistaError
        Of any kind; see the exit codes.
    """
    loaded = _load(fund, demo)
    named = out if out is not None else str(Path("out") / loaded.fund.fund.name)
    # Where something reads what we print, what a strategy prints must not be among it.
    ours_alone = redirect_stdout(sys.stderr) if as_json or quiet else nullcontext()
    with progress_bar(enabled=not (as_json or quiet)) as advance, ours_alone:
        outcome = backtest.run(loaded, out=named, progress=advance, pages=_report, journal=journal)
    folder = Path(named)
    if as_json:
        print_json(outcome.summary)
    elif quiet:
        say(str(outcome.summary["verdict"]))
    else:
        _show(outcome.summary, folder, demo, journal)


def _report(outcome: backtest.Outcome) -> dict[str, str]:
    page = reporting.report_html(outcome.frames, outcome.summary, outcome.config)
    return {"report.html": page}


def _load(fund: Path | None, demo: bool) -> LoadedFund:
    if demo and fund is not None:
        raise ConfigError(f"`--demo` must stand without a fund file; found {fund}")
    if demo:
        return load_fund(template_path("demo"))
    if fund is None and not Path("fund.toml").exists():
        raise ConfigError(
            "`fund` must name a fund file where there is no fund.toml; "
            "`qv init` makes one, and `qv run --demo` needs none"
        )
    return load_fund(fund or Path("fund.toml"))


def _show(summary: dict[str, Any], folder: Path, demo: bool, journal: str | None) -> None:
    out = console()
    fund, period = summary["fund"], summary["period"]
    within = period.get("within")
    first, last = period["start"], period["end"]
    if within:
        first = within["first"][:19].replace("T", " ")
        last = within["last"][:19].replace("T", " ") + " UTC"
    title = f"{fund['name']}, {first} to {last}"
    out.print(Text(title, style="bold"))
    out.print(Text(str(summary["verdict"])))
    if since := since_first_fill(summary):
        out.print(Text(since))
    say("")
    comparisons = summary["comparisons"]
    header, columns = ["", fund["name"]], [summary["metrics"]]
    for key, label in (("benchmark", fund.get("benchmark")), ("equal_weight", "equal weight")):
        if key in comparisons:
            header.append(str(label or key))
            columns.append(comparisons[key]["metrics"])
    if within:
        table(header, brief_rows(columns, summary["drawdowns"]))
    else:
        table(header, metric_rows(columns))
    say("")
    for label, text in _facts(summary):
        grid = Text.assemble((f"{label}: ", "bold"), text)
        out.print(grid)
    say("")
    out.print(Text(f"Report: {folder}/report.html"), soft_wrap=True)
    out.print(Text(f"Tables: {folder}/*.parquet, {folder}/summary.json"), soft_wrap=True)
    if journal is not None:
        out.print(Text(f"Journal: {journal}"), soft_wrap=True)
        next_steps([f"qv replay {journal}", f"qv explain {journal} 1"])
    elif demo:
        next_steps(
            [
                f"qv report {folder} --open",
                "qv init my-fund --template strategy",
                "cd my-fund && qv run",
            ]
        )
    else:
        next_steps([f"qv report {folder} --open", f"qv compare {folder} OTHER_RUN"])


def _facts(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    currency, costs, counts = summary["fund"]["currency"], summary["costs"], summary["counts"]
    fees, slippage = money(costs["fees"], currency), money(costs["slippage"], currency)
    text = f"{money(costs['total'], currency)} ({fees} fees, {slippage} slippage)"
    if costs.get("bps_of_turnover") is not None:
        text += f", {number(costs['bps_of_turnover'], 1)} bp of what was traded"
    yield "Costs", text + "."
    names = (
        ("cut", "cut"),
        ("rejected", "rejected"),
        ("expired", "expired"),
        ("cancelled", "cancelled"),
    )
    text = f"{counts['orders']:,} sent, {counts['fills']:,} fills"
    if counts.get("crosses"):
        text += f" ({counts['crosses']:,} between sleeves, two to a cross)"
    found = [f"{counts[key]:,} {word}" for key, word in names if counts.get(key)]
    yield "Orders", ", ".join([text, *found]) + "."
    if left := summary["unfilled"]:
        shown = (f"{each['reason']} {each['count']:,}" for each in left)
        yield "Left unfilled", ", ".join(shown) + "."
    if hits := summary["limits_hit"]:
        shown = (f"{each['rule']} {each['outcome']} {each['count']:,}" for each in hits)
        yield "Limits hit", ", ".join(shown) + "."
    for bias in summary["biases"]:
        yield f"Bias, {str(bias['name']).replace('_', ' ')}", str(bias["text"])
