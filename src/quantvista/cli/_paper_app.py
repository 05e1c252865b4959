"""``qv paper``: a venue to trade against without money."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["paper_app"]

paper_app = typer.Typer(
    help="A venue on paper: real matching and a real protocol, no real money.",
    epilog="Start with: qv paper serve    then: qv paper status",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration; ./paper.toml, else the built-in one."),
]
Venue = Annotated[str | None, typer.Option("--venue", help="Which; the first by default.")]
Account = Annotated[str | None, typer.Option("--account", help="Which; the first by default.")]


@paper_app.command(
    epilog="Examples: qv paper serve    qv paper serve --config paper.toml --port 9000"
)
@guarded
def serve(
    config: Config = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="0 takes any that is free.")
    ] = None,
    json: Json = False,
) -> None:
    """Serve the venues of a configuration until Ctrl-C; what was acknowledged stays.

    Everything is kept in the folder that the configuration names, ./paper by default, and is there
    again at the next start.
    """
    from quantvista.cli._paper import serve_venues

    serve_venues(config, port, as_json=json)


@paper_app.command(
    epilog="Examples: qv paper key    qv paper key --venue fast --account main --json"
)
@guarded
def key(
    config: Config = None, venue: Venue = None, account: Account = None, json: Json = False
) -> None:
    """Make an API key of an account, and print its secret, once.

    A server that runs knows it at once.
    """
    from quantvista.cli._paper import make_key

    make_key(config, venue, account, as_json=json)


@paper_app.command(epilog="Examples: qv paper status    qv paper status --json")
@guarded
def status(config: Config = None, venue: Venue = None, json: Json = False) -> None:
    """Show accounts, working orders, instruments and faults of a venue that runs."""
    from quantvista.cli._paper import show_status

    show_status(config, venue, as_json=json)


@paper_app.command(
    epilog="Examples: qv paper fault drop --on report --count 3    "
    "qv paper fault reject --on submit reason=maintenance    "
    "qv paper fault disconnect seconds=5    qv paper fault halt instrument=BTC-USDT.PAPER    "
    "qv paper fault trade side=sell instrument=BTC-USDT.PAPER quantity=0.1    "
    "qv paper fault bust trade_id=17    qv paper fault clear"
)
@guarded
def fault(
    kind: Annotated[
        str,
        typer.Argument(
            help="drop, delay, duplicate, reorder, reject, error, lie, disconnect, halt, resume, "
            "trade, bust; or clear, which forgets those that wait."
        ),
    ],
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="What it needs.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", help="submit, cancel, amend, query, answer, report or market; by its kind."
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=0, help="How often; 0 for always. Default 1.")
    ] = None,
    config: Config = None,
    venue: Venue = None,
    json: Json = False,
) -> None:
    """Let something go wrong at a venue that runs."""
    from quantvista.cli._paper import cause_fault

    cause_fault(config, venue, kind, terms or [], on, count, as_json=json)


@paper_app.command(
    epilog="Examples: qv paper pay 1000 USDT    qv paper pay 0.5 BTC --out --venue alpha"
)
@guarded
def pay(
    amount: Annotated[str, typer.Argument(help="How much; more than 0.")],
    currency: Annotated[str, typer.Argument(help="Of what.")],
    out: Annotated[bool, typer.Option("--out", help="Take it out of the account.")] = False,
    config: Config = None,
    venue: Venue = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Pay money into an account of a venue that runs, or take it out."""
    from quantvista.cli._paper import pay_money

    pay_money(config, venue, account, (amount, currency), is_out=out, as_json=json)
