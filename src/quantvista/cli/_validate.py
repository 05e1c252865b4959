"""``qv validate``: how far the engine agrees with another system."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import typer
from rich.text import Text

from quantvista.backtest.validate import KINDS, Finding, Report, validate
from quantvista.backtest.validate._result import Fill
from quantvista.cli._print import NONE, console, next_steps, print_json, say, table
from quantvista.cli._progress import progress_bar
from quantvista.errors import ConfigError

__all__ = ["validate_engine"]

_SHOWN_MAX = 3
_ORDERS_MAX = 5  # where it is not the fills of some that differ
_PAGE = "docs/validation.md"


def validate_engine(
    *,
    against: str,
    sessions: int,
    seed: int,
    kind: str,
    as_json: bool,
    python: Path | None,
    keep: Path | None,
) -> None:
    """Compare and print; ends with 1 if a difference is not explained.

    Parameters
    ----------
    against : str
        ``nautilus``.
    sessions, seed : int
        How many, and the seed of the first.
    kind : str
        A kind of data, or ``all``.
    as_json : bool
        Print JSON instead of words.
    python : pathlib.Path or None
        Interpreter of the other system's environment.
    keep : pathlib.Path or None
        Where to keep sessions and results.

    Raises
    ------
    ConfigError
        If an option cannot be used, or the environment is not there.
    """
    if against != "nautilus":
        raise ConfigError(f"`--against` must be nautilus; found {against!r}")
    if sessions < 1:
        raise ConfigError(f"`--sessions` must be at least 1; found {sessions}")
    chosen = next((each for each in KINDS if each == kind), None)
    if chosen is None and kind != "all":
        raise ConfigError(f"`--kind` must be all, {', '.join(KINDS)}; found {kind!r}")
    with progress_bar(enabled=not as_json) as advance:
        report = validate(
            sessions=sessions,
            seed=seed,
            kind=chosen,
            python=python,
            keep=keep,
            progress=advance,
        )
    if as_json:
        print_json(report.to_json())
    else:
        _show(report)
    if report.unexplained:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    out = console()
    title = f"{report.sessions:,} sessions against NautilusTrader {report.version}"
    out.print(Text(title, style="bold"))
    value = report.to_json()
    say(
        f"{report.alike:,} alike to the end ({100 * report.share:.1f} %), "
        f"{report.fills:,} fills, at least {report.fills_min:,} in each"
    )
    say("")
    rows = [
        [name, f"{counts['alike']:,}", f"{counts['sessions']:,}"]
        for name, counts in value["kinds"].items()
    ]
    table(["Data", "alike", "sessions"], rows)
    if value["rules"]:
        say("")
        rows = [[rule["name"], str(rule["count"]), rule["right"]] for rule in value["rules"]]
        table(["Known difference", "sessions", "right"], rows)
        say(f"\n{_PAGE} explains each.")
    if not report.unexplained:
        say("\nNo difference is unexplained.")
        return
    count = len(report.unexplained)
    word = "session differs" if count == 1 else "sessions differ"
    say(f"\n{count:,} {word} without an explanation:")
    for finding in report.unexplained[:_SHOWN_MAX]:
        _show_finding(finding)
    first = report.unexplained[0].session
    again = f"qv validate --against nautilus --kind {first.kind} --seed {first.seed} --sessions 1"
    next_steps([again])


def _show_finding(finding: Finding) -> None:
    session, difference = finding.session, finding.difference
    say("")
    head = f"seed {session.seed}, {session.kind}, {len(session.commands)} commands left"
    console().print(Text(head, style="bold"))
    say(f"At {difference.ts}: {difference.text}.")
    orders = session.orders()
    for number in sorted(difference.orders()) or list(orders)[-_ORDERS_MAX:]:
        order = orders[number]
        terms = {
            each.name: getattr(order, each.name)
            for each in fields(order)
            if getattr(order, each.name) not in (None, False) and each.name != "trail_unit"
        }
        say("  " + ", ".join(f"{name} {value}" for name, value in terms.items()))
    table(["ours", "theirs"], _beside(difference.ours, difference.theirs))


def _beside(ours: tuple[Fill, ...], theirs: tuple[Fill, ...]) -> Iterable[tuple[str, str]]:
    for index in range(max(len(ours), len(theirs), 1)):
        yield _line(ours, index), _line(theirs, index)


def _line(fills: tuple[Fill, ...], index: int) -> str:
    if index >= len(fills):
        return NONE if index == 0 else ""
    fill = fills[index]
    return f"{fill.order}: {fill.side} {fill.quantity} @ {fill.price} {fill.liquidity}"
