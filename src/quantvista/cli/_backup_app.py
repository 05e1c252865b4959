"""``qv backup`` and ``qv restore``."""

from pathlib import Path
from typing import Annotated

import typer

from quantvista.cli._complete import funds
from quantvista.cli._failure import guarded
from quantvista.cli._options import Json, StateBeside

__all__ = ["backup_app", "restore_app"]

backup_app = typer.Typer(
    epilog="Examples: qv backup --out /mnt/safe/coins.qvb --key backup.key    "
    "qv backup --with-keys    qv backup key backup.key    qv backup verify coins.qvb",
    rich_markup_mode=None,
    invoke_without_command=True,
)
restore_app = typer.Typer(rich_markup_mode=None)

KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="File of the key; $QV_BACKUP_KEY names it."),
]
BackupFile = Annotated[Path, typer.Argument(metavar="BACKUP", help="A file of qv backup.")]


@backup_app.callback()
@guarded
def backup(
    context: typer.Context,
    fund: Annotated[
        Path, typer.Option("--fund", help="Fund file; ./fund.toml.", autocompletion=funds)
    ] = Path("fund.toml"),
    state: StateBeside = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="<path>", help="A new file; ./FUND-TIME.qvb."),
    ] = None,
    key: KeyFile = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Take the API keys of venues, too.")
    ] = False,
    with_lake: Annotated[
        bool, typer.Option("--with-lake", help="Take the lake beside the fund file, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Write an encrypted backup of a fund, which may go on trading meanwhile.

    In it are the journals up to their last whole batch, the fund file and its strategies, and the
    paper venue beside it; with --with-lake all datasets of the lake, to which nobody can write
    until it is done. Who loses the key has lost the backup.
    """
    if context.invoked_subcommand is None:
        from quantvista.cli._backup import back_up

        back_up(fund, state, out, key, with_keys=with_keys, with_lake=with_lake, as_json=json)


@backup_app.command(epilog="Example: qv backup key backup.key")
@guarded
def key(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    json: Json = False,
) -> None:
    """Make a key for backups, in a file that only you can read.

    It is 32 random bytes. Keep a copy where neither the fund nor its backups are. Without it nobody
    can read them.
    """
    from quantvista.cli._backup import new_key

    new_key(out, as_json=json)


@backup_app.command(
    epilog="Examples: qv backup verify coins.qvb --key backup.key    "
    "qv backup verify coins.qvb --json"
)
@guarded
def verify(backup: BackupFile, key: KeyFile = None, json: Json = False) -> None:
    """Check every byte of a backup; write nothing.

    All of it is decrypted, and every hash compared. Ends with 3 if anything is not what was
    written, or the key is another one. That the fund comes
    to its state again is shown by qv restore.
    """
    from quantvista.cli._backup import check_backup

    check_backup(backup, key, as_json=json)


@restore_app.command(
    epilog="Examples: qv restore coins.qvb --to coins --key backup.key    "
    "qv restore coins.qvb --to coins --quick"
)
@guarded
def restore(
    backup: BackupFile,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="An empty folder, or a new one.")],
    key: KeyFile = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare the state at the newest snapshot only.")
    ] = False,
    json: Json = False,
) -> None:
    """Get a fund back out of a backup, and prove that it is the one that went in.

    Every byte is checked, the journals as qv journal verify does; then the engine does all recorded
    inputs again, and must come to the state in the backup. Ends with 3, and leaves nothing, if not.
    """
    from quantvista.cli._backup import get_back

    get_back(backup, to, key, quick=quick, as_json=json)
