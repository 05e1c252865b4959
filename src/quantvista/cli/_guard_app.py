"""``qv guard``, which the supervisor starts, and ``qv drill``."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._failure import guarded
from quantvista.cli._options import FundFile, Json, StateBeside, StateFolder

__all__ = ["guard_app"]

guard_app = typer.Typer(rich_markup_mode=None)


@guard_app.command(hidden=True)
@guarded
def guard(
    fund: FundFile = Path("fund.toml"),
    state: StateBeside = None,
) -> None:
    """Guard a fund until it is told to stop; qv up starts it."""
    from quantvista.cli._guard import run_guard

    run_guard(fund, state)


@guard_app.command(
    epilog="Examples: qv drill    qv drill --resume --state demo/state    qv drill --schedule"
)
@guarded
def drill(
    state: StateFolder = Path("state"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Let the fund trade again afterwards.")
    ] = False,
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Print lines for cron and systemd, and do nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Prove on paper that a fund can be taken off the market.

    The guard sends an order that rests and one that fills, then fences the node, cancels
    everything and takes ALL positions of the fund off, as it would in earnest. Refused where a
    venue is not on paper. Ends with 1 if a step was not confirmed.
    """
    from quantvista.cli._guard import hold_drill, show_schedule

    if schedule:
        show_schedule(state)
    elif not hold_drill(state, resume=resume, as_json=json):
        raise typer.Exit(1)
