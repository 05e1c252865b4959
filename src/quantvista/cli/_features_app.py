"""``qv features``: what there is, and computing it."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import bar_sources, data_sets, feature_groups, feature_names
from quantvista.cli._data import LakeFolder
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["features_app"]

features_app = typer.Typer(
    help="Features: expressions over bars, the same values in research and live.",
    epilog="Start with: qv features list    then: qv features show rsi_14",
    no_args_is_help=True,
    rich_markup_mode=None,
)
store_app = typer.Typer(
    help="Features kept in the lake, by version.", no_args_is_help=True, rich_markup_mode=None
)
features_app.add_typer(store_app, name="store")

Expressions = Annotated[
    list[str],
    typer.Argument(
        metavar="FEATURE...",
        help="Names or expressions; NAME=EXPRESSION names its column.",
        autocompletion=feature_names,
    ),
]
Input = Annotated[
    str,
    typer.Option(
        "--input", "-i", help="Bars: a file, a folder, or lake:NAME.", autocompletion=bar_sources
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it."),
]
Own = Annotated[
    list[str] | None,
    typer.Option("--operator", metavar="FILE.py:Class", help="One of your own; repeat it."),
]


@features_app.command(
    "list",
    epilog="Examples: qv features list    qv features list --group volatility    "
    "qv features list --operators",
)
@guarded
def list_all(
    group: Annotated[
        str | None,
        typer.Option("--group", "-g", help="Only of this one.", autocompletion=feature_groups),
    ] = None,
    operators: Annotated[
        bool, typer.Option("--operators", help="What expressions are made of, instead.")
    ] = False,
    json: Json = False,
) -> None:
    """List shipped features, or the operators of expressions."""
    from quantvista.cli._features import list_features, list_operators

    if operators:
        list_operators(as_json=json)
    else:
        list_features(group, as_json=json)


@features_app.command(
    epilog="Examples: qv features show rsi_14    qv features show 'mean(close, 20) / std(20)'"
)
@guarded
def show(
    feature: Annotated[
        str, typer.Argument(help="A name or an expression.", autocompletion=feature_names)
    ],
    json: Json = False,
) -> None:
    """Show what a feature or an operator is, what it needs, and where it is from."""
    from quantvista.cli._features import show_feature

    show_feature(feature, as_json=json)


@features_app.command(
    epilog="Examples: qv features compute 'rsi(close, 14)' --input bars.csv --output out.parquet  "
    "qv features compute fast=mean(5) slow=mean(20) -i lake:mine -o means.csv"
)
@guarded
def compute(
    features: Expressions,
    source: Input,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".csv or .parquet; the last rows are shown without."),
    ] = None,
    universe: Annotated[
        str | None,
        typer.Option("--universe", help="Ranks compare its members: a file, lake:NAME."),
    ] = None,
    column: Column = None,
    operator: Own = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Compute features of bars."""
    from quantvista.cli._features import compute_features

    compute_features(
        features,
        source,
        output,
        column or [],
        operator or [],
        lake,
        universe=universe,
        as_json=json,
    )


@features_app.command(
    epilog="Example: qv features plot rsi_14 macd --input bars.csv --output features.html"
)
@guarded
def plot(
    features: Expressions,
    source: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path(
        "features.html"
    ),
    instrument: Annotated[
        str | None, typer.Option("--instrument", help="Whose; the first by default.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-r", help="How many of the last bars.")] = 500,
    column: Column = None,
    operator: Own = None,
    lake: LakeFolder = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Draw features below the price."""
    from quantvista.cli._features import plot_features

    path = plot_features(
        features, source, output, instrument, rows, column or [], operator or [], lake
    )
    if open_it:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())


@store_app.command(
    "add", epilog="Example: qv features store add core rsi_14 macd --input lake:mine"
)
@guarded
def store_add(
    name: Annotated[str, typer.Argument(help="Of the set of features.")],
    features: Expressions,
    source: Input,
    into: Annotated[
        str,
        typer.Option("--into", help="Dataset of the lake.", autocompletion=data_sets),
    ] = "features",
    column: Column = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Compute features and keep them in the lake."""
    from quantvista.cli._features import add_to_store

    add_to_store(name, features, source, into, column or [], lake, as_json=json)


@store_app.command("list", epilog="Example: qv features store list")
@guarded
def store_list(
    dataset: Annotated[
        str, typer.Option("--from", help="Dataset of the lake.", autocompletion=data_sets)
    ] = "features",
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """List what is kept, the newest first."""
    from quantvista.cli._features import list_store

    list_store(dataset, lake, as_json=json)
