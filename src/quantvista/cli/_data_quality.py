"""``qv data check`` and ``qv data repair``."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import bar_sources, check_names, one_of
from quantvista.cli._data import LakeFolder, data_app
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["check", "repair"]

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A file, a folder, or lake:NAME.", autocompletion=bar_sources
    ),
]
Rows = Annotated[
    str | None,
    typer.Option(
        "--rows",
        help="What the rows are: bars, quotes or trades.",
        autocompletion=one_of("bars", "quotes", "trades"),
    ),
]
Policy = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        "-p",
        metavar="CHECK=POLICY",
        help="keep, flag, quarantine or repair; repeat it.",
        autocompletion=check_names,
    ),
]
Calendar = Annotated[
    str | None,
    typer.Option("--calendar", help="Whose sessions there must be: XNYS, 24/7."),
]
Raw = Annotated[bool, typer.Option("--raw", help="Prices are not adjusted, and need not be.")]
Against = Annotated[Path | None, typer.Option("--against", help="The same bars by another source.")]
Actions = Annotated[Path | None, typer.Option("--actions", help="Known splits and dividends.")]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it."),
]


@data_app.command(
    epilog="Examples: qv data check prices.csv    qv data check prices.csv --html check.html    "
    "qv data check lake:mine --calendar XNYS --json    qv data check ticks.parquet --rows quotes"
)
@guarded
def check(
    source: Source,
    rows: Rows = None,
    calendar: Calendar = None,
    against: Against = None,
    actions: Actions = None,
    raw: Raw = False,
    policy: Policy = None,
    column: Column = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page that shows what is flagged.")
    ] = None,
    flags: Annotated[
        Path | None, typer.Option("--flags", help="Write all flags: .csv or .parquet.")
    ] = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Look for everything that is wrong with bars, quotes or trades. Nothing is changed.

    Ends with 3 if there are errors, or rows that could not be read.
    """
    from quantvista.cli._quality import Asked, check_source

    told = (rows, calendar, against, actions, raw, policy or [], column or [], lake, json)
    check_source(Asked(source, *told), html=html, flags=flags)


@data_app.command(
    epilog="Example: qv data repair prices.csv --output clean.parquet --policy magnitude=repair"
)
@guarded
def repair(
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to: .csv or .parquet.")],
    rows: Rows = None,
    calendar: Calendar = None,
    against: Against = None,
    actions: Actions = None,
    raw: Raw = False,
    policy: Policy = None,
    column: Column = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Write rows after the policies, and beside them what was set aside and what was changed.

    Every row is in the output or, with its reason, in NAME.quarantine.parquet, also those that
    could not be read; NAME.changes.parquet says what a repair changed.
    """
    from quantvista.cli._quality import Asked, repair_source

    told = (rows, calendar, against, actions, raw, policy or [], column or [], lake, json)
    repair_source(Asked(source, *told), output)
