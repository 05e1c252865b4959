"""``qv up`` and what is said to a fund that runs."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import funds, one_of
from quantvista.cli._failure import guarded
from quantvista.cli._options import FundFile, Json, Reason, StateBeside, StateFolder

__all__ = ["fund_app"]

fund_app = typer.Typer(rich_markup_mode=None)


@fund_app.command(
    epilog="Examples: qv up    qv up fund.toml --detach    qv up --no-guard --plain    "
    "qv up --systemd > quantvista.service"
)
@guarded
def up(
    fund: FundFile = Path("fund.toml"),
    state: StateBeside = None,
    no_guard: Annotated[bool, typer.Option("--no-guard", help="Trade without a guard.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it in the background once it runs.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines in the place of the live view.")
    ] = False,
    systemd: Annotated[
        bool, typer.Option("--systemd", help="Print a unit file, and start nothing.")
    ] = False,
) -> None:
    """Run a fund: its paper venue if it has one here, its guard, its node.

    Each is started when the one before is ready, and again if it ends. Ctrl-C stops them in order;
    a terminal that is lost does not.
    """
    from quantvista.cli._up import Up, show_units, start_fund

    what = Up(fund, state, not no_guard, plain)
    if systemd:
        show_units(what)
    elif code := start_fund(what, detach=detach):
        raise typer.Exit(code)


@fund_app.command(epilog="Examples: qv down    qv down --state demo/state")
@guarded
def down(state: StateFolder = Path("state")) -> None:
    """Stop a fund in order: node, guard, paper venue; positions and orders stay as they are."""
    from quantvista.cli._up import stop_all

    stop_all(state)


@fund_app.command(
    epilog="Examples: qv status    qv status --follow    qv status --state demo/state --json"
)
@guarded
def status(
    state: StateFolder = Path("state"),
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show it live until Ctrl-C.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how a fund that runs stands; ends with 1 if its node does not answer."""
    from quantvista.cli._status import show_status

    if not show_status(state, as_json=json, follow=follow):
        raise typer.Exit(1)


@fund_app.command(epilog="Examples: qv logs    qv logs node -n 100    qv logs --follow")
@guarded
def logs(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="node, guard, paper or supervisor; all by default.",
            autocompletion=one_of("node", "guard", "paper", "supervisor"),
        ),
    ] = None,
    state: StateFolder = Path("state"),
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="How many last lines of each.")
    ] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what the processes of a fund have said."""
    from quantvista.cli._up import follow_logs

    follow_logs(state, name, count, follow=follow)


@fund_app.command(epilog="Examples: qv halt    qv halt --reason 'odd prices' --state demo/state")
@guarded
def halt(state: StateFolder = Path("state"), reason: Reason = "", json: Json = False) -> None:
    """Stop a fund from sending anything new, at once.

    The node is asked; if it does not answer within 2 s, the guard, which fences the node and
    acts. If neither answers, the order is left where both obey it at their next look or start,
    and the command ends with 1.
    """
    _give("halt", state, reason, as_json=json)


@fund_app.command(epilog="Example: qv reduce --reason 'before the election'")
@guarded
def reduce(state: StateFolder = Path("state"), reason: Reason = "", json: Json = False) -> None:
    """Let positions only get smaller from now on."""
    _give("reduce", state, reason, as_json=json)


@fund_app.command(epilog="Example: qv resume --reason 'prices are well again'")
@guarded
def resume(state: StateFolder = Path("state"), reason: Reason = "", json: Json = False) -> None:
    """Trade again after a halt; refused until node and guard find everything clean."""
    _give("resume", state, reason, as_json=json)


@fund_app.command(epilog="Examples: qv flatten    qv flatten --yes --reason 'end of the test'")
@guarded
def flatten(
    state: StateFolder = Path("state"),
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")] = False,
    json: Json = False,
) -> None:
    """Cancel all orders and close all positions; asks for a typed word first."""
    _give("flatten", state, reason, yes=yes, as_json=json)


@fund_app.command(
    epilog="Examples: qv divergence    qv divergence --html divergence.html    "
    "qv divergence --data history.parquet    qv divergence --fund changed.toml --json"
)
@guarded
def divergence(
    state: StateFolder = Path("state"),
    fund: Annotated[
        Path | None,
        typer.Option(
            "--fund", help="Backtest this file; by default the journaled one.", autocompletion=funds
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="HISTORY",
            help="Backtest on bars (a file, a folder, lake:NAME), or on [data] of a fund file; by "
            "default on what the node saw.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare what a fund did on paper with its backtest, and attribute the gap in profit.

    The causes are data, signal, reactions, timing, fills, costs and interventions; they sum to the
    gap, exactly. The first order at which the two part is named.
    """
    from quantvista.cli._divergence import Asked, show_divergence

    show_divergence(Asked(state, fund, data, html), as_json=json)


def _give(
    command: str, state: Path, reason: str, *, yes: bool = False, as_json: bool = False
) -> None:
    from quantvista.cli._operator import Order, give

    if code := give(Order(command, state, reason, yes, as_json)):
        raise typer.Exit(code)


@fund_app.command(hidden=True)
@guarded
def node(
    fund: Annotated[Path, typer.Argument(help="Fund file.")],
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="State folder of the fund.")
    ],
    no_guard: Annotated[bool, typer.Option("--no-guard", help="Trade without a guard.")] = False,
) -> None:
    """Trade, in this process; ``qv up`` starts it."""
    from quantvista.cli._lines import log_in_lines
    from quantvista.cli._print import say
    from quantvista.trading.node.serving import serve_node

    log_in_lines()
    serve_node(fund, state, guarded=not no_guard, said=say)
