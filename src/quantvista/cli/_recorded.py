"""``qv replay`` and ``qv explain``: what a recorded run proves, and why it did what it did."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import typer
from rich.text import Text

from quantvista.backtest.recorded import Explanation, Happening, Replay, derive, explain, replay
from quantvista.cli._print import console, print_json, say, table
from quantvista.cli._progress import progress_bar
from quantvista.fund import load_fund

__all__ = ["explain_order", "replay_run"]

_SHOWN = 12
_WIDTH = 34


def replay_run(folder: Path, *, fund: Path | None, as_json: bool) -> None:
    """Replay a run and say whether everything came out again.

    Parameters
    ----------
    folder : pathlib.Path
        Its journal.
    fund : pathlib.Path or None
        The fund file, to go through data and strategies again too.
    as_json : bool
        Print JSON, nothing else.

    Raises
    ------
    typer.Exit
        With 1 where replay and journal part.
    QuantVistaError
        Of any kind; see the exit codes.
    """
    changed: list[str] = []
    with progress_bar(enabled=not as_json) as advance:
        if fund is None:
            found = replay(folder, progress=advance)
        else:
            loaded = load_fund(fund)
            loaded.must_encrypt()  # which names the ring of its journals
            found, changed = derive(folder, loaded, progress=advance)
    if as_json:
        print_json(_plain(found, changed))
    else:
        _show_replay(found, changed)
    if not found.agrees:
        raise typer.Exit(1)


def _plain(found: Replay, changed: list[str]) -> dict[str, Any]:
    parting = found.parting
    return {
        "level": found.level,
        "fund": found.fund,
        "agrees": found.agrees,
        "inputs": found.inputs,
        "outputs": found.outputs,
        "decisions": found.decisions,
        "state_hash": found.state_hash,
        "status": found.status,
        "changed": changed,
        "parting": None
        if parting is None
        else {
            "sequence": parting.sequence,
            "ts": parting.ts,
            "kind": parting.kind,
            "recorded": parting.recorded,
            "replayed": parting.replayed,
        },
    }


def _show_replay(found: Replay, changed: list[str]) -> None:
    out = console()
    what = "the engine from its inputs" if found.level == "R1" else "everything from the data"
    counts = f"{found.inputs:,} inputs, {found.decisions:,} decisions, {found.outputs:,} outputs"
    if found.agrees:
        out.print(Text(f"{found.fund}: the replay agrees ({found.level}, {what})", style="bold"))
        say(f"{counts}, all the same.")
        say(f"State at the end: {found.state_hash[:16]}")
        if not found.status:
            say("The journal has no end yet: its process runs, or was stopped before it ended.")
        for each in changed:
            say(f"Changed since: {each}")
        return
    parting = found.parting
    assert parting is not None, "it does not agree"
    out.print(Text(f"{found.fund}: the replay parts from the journal", style="bold"))
    when = f", {_time(parting.ts)}" if parting.ts else ""
    say(f"The first difference is record {parting.sequence:,} ({parting.kind}){when}.")
    say(f"Before it were {counts}, all the same.")
    for each in changed:
        say(f"Changed since: {each}")
    say("")
    differences = parting.differences()
    rows = [(name, _brief(one), _brief(other)) for name, one, other in differences[:_SHOWN]]
    table(("", "journal", "replay"), rows)
    if len(differences) > _SHOWN:
        say(f"and {len(differences) - _SHOWN:,} more; --json shows all")


def explain_order(folder: Path, order: str, *, as_json: bool) -> None:
    """Show why there is an order, and what became of it.

    Parameters
    ----------
    folder : pathlib.Path
        The journal of its run.
    order : str
        Its number or name.
    as_json : bool
        Print JSON with whole records, nothing else.

    Raises
    ------
    QuantVistaError
        Of any kind; see the exit codes.
    """
    with progress_bar(enabled=not as_json) as advance:
        found = explain(folder, order, progress=advance)
    if as_json:
        print_json(found.to_dict())
    else:
        _show_order(found)


def _show_order(found: Explanation) -> None:
    out = console()
    title = f"Order {found.order}, sleeve {found.sleeve}: {found.title}"
    out.print(Text(title, style="bold"))
    for heading, happenings in (("Why", found.causes), ("What followed", found.events)):
        say("")
        out.print(Text(heading, style="bold"))
        for each in happenings:
            out.print(_line(each), soft_wrap=True)


def _line(each: Happening) -> Text:
    name = each.what.replace("_", " ").removeprefix("order ")
    return Text.assemble(
        (f"  #{each.sequence:<8} {_time(each.ts)}  ", "dim"),
        f"{name}: {each.text}" if each.text else name,
    )


def _time(ts: int) -> str:
    stamp = pl.from_epoch(pl.Series([ts]), time_unit="ns").dt.strftime("%Y-%m-%d %H:%M:%S%.f")[0]
    whole, _, fraction = str(stamp).partition(".")
    return f"{whole}.{fraction.rstrip('0')}".rstrip(".")


def _brief(value: object) -> str:
    text = json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
