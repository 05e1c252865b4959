"""``qv data universe``."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import bar_sources, funds
from quantvista.cli._data import LakeFolder, data_app
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["universe"]

_Names = list[str] | None  # Typer does not look through a type statement


@data_app.command(
    epilog="Examples: qv data universe --top 100 --keep 120 --input lake:mine --output lake:top    "
    "qv data universe rules.toml -i bars.csv -o members.csv --html members.html"
)
@guarded
def universe(
    source: Annotated[
        str,
        typer.Option(
            "--input",
            "-i",
            help="Bars: a file, a folder, or lake:NAME.",
            autocompletion=bar_sources,
        ),
    ],
    rules: Annotated[
        Path | None,
        typer.Argument(
            metavar="RULES", help="A TOML file; options go first.", autocompletion=funds
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="lake:NAME, .csv or .parquet.", autocompletion=bar_sources
        ),
    ] = None,
    top: Annotated[int | None, typer.Option("--top", help="Enter with a rank up to it.")] = None,
    keep: Annotated[int | None, typer.Option("--keep", help="Stay with a rank up to it.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="What ranks: dollar_volume.")] = None,
    statistic: Annotated[
        str | None, typer.Option("--statistic", help="Of the sessions: mean, median.")
    ] = None,
    sessions: Annotated[
        int | None, typer.Option("--sessions", help="How many trailing sessions.")
    ] = None,
    price_min: Annotated[
        float | None, typer.Option("--price-min", help="Raw close, at least.")
    ] = None,
    price_max: Annotated[
        float | None, typer.Option("--price-max", help="Raw close, at most.")
    ] = None,
    history_min: Annotated[
        int | None, typer.Option("--history-min", help="Sessions with a bar, at least.")
    ] = None,
    sector: Annotated[_Names, typer.Option("--sector", help="Only of this one; repeat it.")] = None,
    include: Annotated[_Names, typer.Option("--include", help="An instrument; repeat it.")] = None,
    exclude: Annotated[_Names, typer.Option("--exclude", help="An instrument; repeat it.")] = None,
    rebalance: Annotated[
        str | None, typer.Option("--rebalance", help="daily, week, month, quarter.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="Of the period: first, last.")
    ] = None,
    lag: Annotated[
        int | None, typer.Option("--lag", metavar="SESSIONS", help="Until it holds.")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option("--calendar", help="Whose sessions: XNYS, 24/7.")
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", help="Only of this universe: a file, lake:NAME.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page: size and turnover.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it."),
    ] = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Decide who belonged to a universe at each time, by what was known then.

    What is gone today was a candidate while it traded. All rules can stand in a file; see the
    guide on universes.
    """
    from quantvista.cli._universe import make_universe

    changes = {
        "top": top,
        "keep": keep,
        "by": by,
        "statistic": statistic,
        "sessions": sessions,
        "price_min": price_min,
        "price_max": price_max,
        "history_min": history_min,
        "sectors": sector,
        "include": include,
        "exclude": exclude,
        "rebalance": rebalance,
        "session": session,
        "lag": lag,
        "calendar": calendar,
    }
    make_universe(
        rules,
        {name: value for name, value in changes.items() if value is not None},
        source,
        output,
        within=within,
        html=html,
        columns=column or [],
        lake=lake,
        as_json=json,
    )
