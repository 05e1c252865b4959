"""``qv data``: the lake and what goes into it.

Further commands on data register here, in the order of a user's work.
"""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import data_sets, import_kinds, table_kinds
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["data_app"]

data_app = typer.Typer(
    help="Bring your own data, and see what is there.",
    epilog="Start with: qv data import prices.csv --into mine    then: qv data show mine",
    no_args_is_help=True,
    rich_markup_mode=None,
)

LakeFolder = Annotated[
    Path | None,
    typer.Option(
        "--lake", metavar="<path>", help="The lake; QUANTVISTA_LAKE, or the folder lake here."
    ),
]
DataSet = Annotated[
    str, typer.Argument(metavar="NAME", help="A dataset.", autocompletion=data_sets)
]


@data_app.command("list", epilog="Examples: qv data list    qv data list --json")
@guarded
def list_data(lake: LakeFolder = None, json: Json = False) -> None:
    """List the datasets of the lake."""
    from quantvista.cli._lake import list_datasets

    list_datasets(lake, as_json=json)


@data_app.command(
    "import",
    epilog="Examples: qv data import prices.csv --into mine --venue XNAS --dry-run    "
    "qv data import ticks/ --into ticks --instrument SPY.ARCX    "
    "qv data import rates.csv --into macro --kind series --delay 2592000",
)
@guarded
def import_data(
    source: Annotated[Path, typer.Argument(help="A file, or a folder of files.")],
    into: Annotated[
        str,
        typer.Option("--into", "-i", metavar="NAME", help="Dataset.", autocompletion=data_sets),
    ],
    kind: Annotated[
        str | None,
        typer.Option("--kind", "-k", help="What it holds.", autocompletion=import_kinds),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", metavar="OURS=THEIRS", help="A column; repeat it."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option("--instrument", help="Whose rows: SYMBOL.VENUE.")
    ] = None,
    venue: Annotated[str | None, typer.Option("--venue", help="Appended to bare symbols.")] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="Of times without an offset.")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option("--time-format", help="Of times as text: %d/%m/%Y.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Of times as numbers: s, ms, us, ns.")
    ] = None,
    stamp: Annotated[
        str | None, typer.Option("--stamp", help="End of a bar that its time is: open, close.")
    ] = None,
    period: Annotated[
        int | None, typer.Option("--period", metavar="SECONDS", help="Length of a bar.")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option("--calendar", help="Of dates: XNYS, 24/7.")
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", metavar="TIME", help="When it became known: ISO, or now."),
    ] = None,
    delay: Annotated[
        int, typer.Option("--delay", metavar="SECONDS", help="From the event until we know it.")
    ] = 0,
    scale: Annotated[
        float | None, typer.Option("--scale", help="Prices are divided by it.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option("--decimal", help="Mark of numbers as text: . or ,")
    ] = None,
    separator: Annotated[str | None, typer.Option("--separator", help="Of CSV files.")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="Of CSV files.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse rows that would be quarantined.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say how it is understood, no more.")
    ] = False,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Import files: CSV, Parquet, Arrow, recordings; folders of them.

    Everything that is not said is guessed, and the guess is shown. Rows that cannot be used go to
    the quarantine of the dataset with their reason.
    """
    from quantvista.cli._lake import import_files

    options = {
        "kind": kind,
        "instrument": instrument,
        "venue": venue,
        "time_zone": time_zone,
        "time_format": time_format,
        "unit": unit,
        "stamp": stamp,
        "period_s": period,
        "calendar": calendar,
        "delay_s": delay,
        "scale": scale,
        "decimal": decimal,
        "separator": separator,
        "encoding": encoding,
    }
    import_files(
        lake,
        into,
        source,
        options,
        columns=column or [],
        known_at=known_at,
        strict=strict,
        dry_run=dry_run,
        as_json=json,
    )


@data_app.command(
    epilog="Examples: qv data show mine    qv data show mine --kind quarantine    "
    "qv data show mine --as-of 2020-01-31 --rows 20"
)
@guarded
def show(
    name: DataSet,
    kind: Annotated[
        str | None, typer.Option("--kind", "-k", help="Its rows.", autocompletion=table_kinds)
    ] = None,
    instrument: Annotated[
        str | None, typer.Option("--instrument", help="Only rows of this one.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As it was known then: ISO.")
    ] = None,
    commit: Annotated[
        str | None, typer.Option("--commit", help="As of a commit; the newest by default.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-r", help="How many rows.")] = 10,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file with its hash.")
    ] = False,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Show what a dataset holds."""
    from quantvista.cli._lake import show_dataset

    show_dataset(
        lake,
        name,
        kind=kind,
        instrument=instrument,
        as_of=as_of,
        commit=commit,
        rows=rows,
        verify=verify,
        as_json=json,
    )


@data_app.command(epilog="Example: qv data history mine")
@guarded
def history(name: DataSet, lake: LakeFolder = None, json: Json = False) -> None:
    """List the commits of a dataset, the newest first."""
    from quantvista.cli._lake import show_history

    show_history(lake, name, as_json=json)


@data_app.command(
    epilog="Examples: export QV_KEY_RING=$PWD/coins.keys; qv data encrypt    "
    "qv keys rotate coins.keys; qv data encrypt"
)
@guarded
def encrypt(lake: LakeFolder = None, json: Json = False) -> None:
    """Encrypt the lake: what is in it, and what comes into it from now on.

    Rows, commits and their ids stay as they are. Each file is read back before those in the clear
    are removed. What is encrypted already is encrypted anew where it has an older key than the
    newest of the ring, so that no older key is needed any more.
    """
    from quantvista.cli._lake import encrypt_datasets

    encrypt_datasets(lake, as_json=json)


@data_app.command(epilog="Examples: qv data compact mine    qv data compact mine --keep 5")
@guarded
def compact(
    name: DataSet,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="COUNT", help="Remove what older commits alone name."),
    ] = None,
    lake: LakeFolder = None,
    json: Json = False,
) -> None:
    """Merge small files of a dataset; with --keep, forget old commits too."""
    from quantvista.cli._lake import compact_dataset

    compact_dataset(lake, name, keep=keep, as_json=json)
