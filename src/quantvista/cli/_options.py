"""Options and arguments that several commands have, in the same words."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import funds

__all__ = ["FundFile", "Json", "Reason", "StateBeside", "StateFolder"]

FundFile = Annotated[
    Path, typer.Argument(help="Fund file; fund.toml by default.", autocompletion=funds)
]
StateBeside = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="State folder; beside the fund file."),
]
StateFolder = Annotated[
    Path, typer.Option("--state", metavar="DIR", help="State folder of the fund; ./state.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is journaled.")]
Json = Annotated[bool, typer.Option("--json", help="Print pure JSON on standard output.")]
