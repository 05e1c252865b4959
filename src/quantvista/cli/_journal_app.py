"""``qv journal``: is it whole, what does it say, and proof of it."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import journals, record_kinds
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json

__all__ = ["journal_app"]

journal_app = typer.Typer(
    help="Journals: check every byte, read what was recorded, prove it.",
    epilog="Start with: qv journal verify out/node/journal    "
    "then: qv journal tail out/node/journal --follow",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[Path, typer.Argument(help="Folder of a journal.", autocompletion=journals)]
KindFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        "-k",
        metavar="KIND",
        help="Only of this kind, by name or number; repeat it.",
        autocompletion=record_kinds,
    ),
]


@journal_app.command(
    epilog="Examples: qv journal verify out/node/journal    "
    "qv journal verify proof --key seal.key.pub    qv journal verify proof --json"
)
@guarded
def verify(
    folder: Folder,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="KEY", help="Public key of the seals: its digits, or its .pub file."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check every byte, checksum, hash and seal; say where damage begins.

    Ends with 3 if anything is not what was written. A journal may be written to meanwhile.
    """
    from quantvista.cli._journal import verify_journal

    verify_journal(folder, key=key, as_json=json)


@journal_app.command(
    epilog="Examples: qv journal tail out/node/journal    "
    "qv journal tail out/node/journal -n 50 --kind note    "
    "qv journal tail out/node/journal --follow --json"
)
@guarded
def tail(
    folder: Folder,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="How many records.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as records become durable.")
    ] = False,
    kind: KindFilter = None,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a record.")] = False,
) -> None:
    """Print the last records, one a line."""
    from quantvista.cli._journal_show import tail_journal

    tail_journal(folder, count, follow=follow, kinds=kind or [], as_json=json)


@journal_app.command(
    epilog="Examples: qv journal show out/node/journal 12    "
    "qv journal show out/node/journal 12..15    qv journal show out/node/journal 12.. --json"
)
@guarded
def show(
    folder: Folder,
    sequences: Annotated[
        str, typer.Argument(metavar="SEQ[..SEQ]", help="One record, or from one to another.")
    ],
    kind: KindFilter = None,
    json: Json = False,
) -> None:
    """Print records in full."""
    from quantvista.cli._journal_show import show_records

    show_records(folder, sequences, kinds=kind or [], as_json=json)


@journal_app.command(
    epilog="Examples: qv journal export out/node/journal --out day.parquet    "
    "qv journal export out/node/journal --out notes.jsonl --kind note --range 100..900    "
    "qv journal export out/node/journal --proof proof"
)
@guarded
def export(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="<path>", help="A file .parquet or .jsonl."),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", metavar="<path>", help="New folder for segments, seals and how to check."
        ),
    ] = None,
    sequences: Annotated[
        str, typer.Option("--range", metavar="SEQ..SEQ", help="Only these records, of --out.")
    ] = "1..",
    kind: KindFilter = None,
    json: Json = False,
) -> None:
    """Write records as a table, and a proof for who has the public key.

    The proof holds what the newest seal covers, unchanged, and a text that says how to check it,
    with QuantVista and without.
    """
    from quantvista.cli._journal_export import export_journal

    export_journal(folder, out, proof, sequences, kinds=kind or [], as_json=json)


@journal_app.command(
    epilog="Examples: qv journal seal out/node/journal --key seal.key    "
    "QUANTVISTA_SEAL_KEY=seal.key qv journal seal out/node/journal"
)
@guarded
def seal(
    folder: Folder,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="<path>", help="Key file; by default as QUANTVISTA_SEAL_KEY says."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Sign where a journal ends, so that no change before goes unnoticed.

    The journal must not be written by another process meanwhile.
    """
    from quantvista.cli._journal import seal_journal

    seal_journal(folder, key, as_json=json)


@journal_app.command(epilog="Example: qv journal key --out seal.key")
@guarded
def key(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="<path>", help="A new file.")],
    json: Json = False,
) -> None:
    """Make a key that seals journals: a file for its owner, and FILE.pub for all others."""
    from quantvista.cli._journal import new_key

    new_key(out, as_json=json)


@journal_app.command(
    epilog="Examples: qv --key-ring coins.keys journal encrypt state/journal    "
    "qv journal encrypt state/guard/journal --keep old-guard-journal"
)
@guarded
def encrypt(
    folder: Folder,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="<path>",
            help="New folder for the journal as it was; removed by default.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Encrypt a journal that is there, with the newest key of the key ring.

    An encrypted copy is made, every record of it held against its own, and then it takes the
    journal's place at one stroke. The fund must not run meanwhile. An encrypted journal is
    encrypted anew, so that no older key is needed any more.
    """
    from quantvista.cli._journal_encrypt import encrypt_there

    encrypt_there(folder, keep, as_json=json)
