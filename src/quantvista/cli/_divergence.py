"""``qv divergence``: what a fund earned on paper beside its backtest, and why they differ."""

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from quantvista.cli._print import console, next_steps, print_json, say, table, write_text
from quantvista.cli._progress import progress_bar
from quantvista.errors import ConfigError
from quantvista.fund import load_fund
from quantvista.journal import require_journal
from quantvista.trading.control import Place
from quantvista.trading.divergence import (
    CAUSES,
    Divergence,
    bps_text,
    counted_text,
    diverge,
    money_text,
    order_text,
    verdict,
)

__all__ = ["Asked", "show_divergence"]

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Parameters
    ----------
    state : pathlib.Path
        State folder of the fund.
    fund : pathlib.Path or None
        Fund file of the backtest.
    data : str or None
        History of the backtest.
    html : pathlib.Path or None
        Where the page goes.
    """

    state: Path
    fund: Path | None
    data: str | None
    html: Path | None


def show_divergence(asked: Asked, *, as_json: bool) -> None:
    """Compare a fund's paper trading with its backtest.

    Parameters
    ----------
    asked : Asked
        What.
    as_json : bool
        Print JSON, nothing else.

    Raises
    ------
    QuantVistaError
        Of any kind; see the exit codes.
    """
    journal = _journal(asked.state)
    loaded = None if asked.fund is None else load_fund(asked.fund)
    base = asked.state.absolute().parent if loaded is None else loaded.base
    if (beside := base / "fund.toml").is_file():
        (loaded or load_fund(beside)).name_ring()  # its journal may be encrypted
    with progress_bar(enabled=not as_json) as advance:
        found = diverge(journal, base=base, fund=loaded, data=asked.data, progress=advance)
    if asked.html is not None:
        from quantvista.reporting import divergence_page

        write_text(asked.html, divergence_page(found))
    if as_json:
        print_json(found.to_dict())
        return
    _show(found)
    if asked.html is not None:
        say(f"\nwrote {asked.html}")
    _next(found, journal, asked)


def _journal(state: Path) -> Path:
    """Find the journal: of a state folder, or the folder itself."""
    if not state.is_dir():
        raise ConfigError(
            f"`state` must be the state folder of a fund; found no folder {state}. `qv up` makes "
            "one; name it with --state"
        )
    inside = Place(state).journal
    place = inside if inside.is_dir() else state
    require_journal(place)
    return place


def _show(found: Divergence) -> None:
    out = console()
    out.print(Text(verdict(found), style="bold"))
    say(f"{_time(found.ts[0])} to {_time(found.ts[-1])} UTC; backtest on {found.data}.")
    say("")
    unit = found.currency
    table(
        ("", unit, "bp", "orders", "fills", f"fees, {unit}"),
        [
            (
                name,
                money_text(side.profit, found),
                bps_text(side.profit, found),
                f"{side.orders:,}",
                f"{side.fills:,}",
                money_text(side.fees, found),
            )
            for name, side in (("on paper", found.paper), ("backtest", found.backtest))
        ],
    )
    say("")
    rows = [(each.name, *_figures(each.amount, found), CAUSES[each.name]) for each in found.causes]
    _causes(unit, [*rows, ("the gap", *_figures(found.gap, found), "their sum, exactly")])
    _show_parts(found)
    _show_orders(found)
    _show_incidents(found)
    for note in found.notes:
        say("\n" + textwrap.fill(note, 80))


def _causes(unit: str, rows: list[tuple[str, str, str, str]]) -> None:
    """Print causes: figures at the right, words at the left."""
    wide = [max(len(row[at]) for row in [*rows, ("", unit, "bp", "")]) for at in range(3)]
    say(f"{'':<{wide[0]}}   {unit:>{wide[1]}}   {'bp':>{wide[2]}}")
    room = 80 - sum(wide) - 9
    for name, amount, bps, words in rows:
        line = f"{name:<{wide[0]}}   {amount:>{wide[1]}}   {bps:>{wide[2]}}   "
        say(line + (words if len(words) <= room else f"{words[: room - 3]}..."))


def _figures(amount: int, found: Divergence) -> tuple[str, str]:
    return money_text(amount, found), bps_text(amount, found)


def _show_parts(found: Divergence) -> None:
    """Print instruments and sleeves with their gaps, where there are several."""
    for title, one, other in (
        ("Instruments", found.paper.of_instruments, found.backtest.of_instruments),
        ("Sleeves", found.paper.of_sleeves, found.backtest.of_sleeves),
    ):
        gaps = {name: one.get(name, 0) - other.get(name, 0) for name in {**one, **other}}
        if len(gaps) < 2 or not any(gaps.values()):
            continue
        worst = sorted(gaps, key=lambda name: (-abs(gaps[name]), name))[:_SHOWN]
        say("")
        rows = [(name, *_figures(gaps[name], found)) for name in worst]
        table((title, found.currency, "bp"), rows)
        if len(gaps) > len(worst):
            say(f"and {len(gaps) - len(worst):,} more with smaller gaps; --json has all")


def _show_orders(found: Divergence) -> None:
    matching = found.matching
    say("")
    if matching.first is None:
        say(f"Orders: all {matching.same:,} are the same on both sides.")
        return
    first = matching.first
    say(f"Orders: {matching.same:,} the same, {len(matching.pairs):,} not")
    say(f"({counted_text(matching)}).")
    say(f"They first part at {_time(first.ts)}:")
    for side, order in (("on paper", first.paper), ("backtest", first.backtest)):
        say(f"  {side}  {order_text(order)}")


def _show_incidents(found: Divergence) -> None:
    if not found.incidents:
        return
    say("")
    say(f"Not in a backtest: {found.incident_count:,} interventions, the first of them")
    for each in found.incidents[:_SHOWN]:
        text = f"  {_time(each.ts)}  {each.kind}: {each.text}"
        say(text if len(text) <= 80 else f"{text[:77]}...")


def _next(found: Divergence, journal: Path, asked: Asked) -> None:
    commands = []
    first = found.matching.first
    if first is not None and first.paper is not None:
        commands.append(f"qv explain {journal} {first.paper.number}")
    named = "" if asked.state == Path("state") else f" --state {asked.state}"
    if asked.html is None:
        commands.append(f"qv divergence{named} --html divergence.html")
    if asked.data is None:
        commands.append(f"qv divergence{named} --data HISTORY  # for the gap that data made")
    if commands:
        next_steps(commands)


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
