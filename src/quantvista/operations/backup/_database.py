"""Copying the database of a paper venue while the venue writes it."""

import shutil
import sqlite3
from pathlib import Path

from quantvista.errors import BackupError, ConfigError
from quantvista.keyring import read_ring
from quantvista.trading.paper import is_encrypted_database, open_database

__all__ = ["copy_database"]

_TRIES = 20
_LOG_HEADER_BYTES = 32


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with a write-ahead log to one consistent file.

    The venue holds the database's lock as long as it runs, so that nobody else can open it. Its
    files can be read: first the database, then the log. All pages that were written into the
    database meanwhile are in the log too, unless that was begun anew, which its header shows: then
    it is done again. Opening the copy applies the log, up to its last whole transaction.

    Parameters
    ----------
    source : pathlib.Path
        The database.
    target : pathlib.Path
        A new file.

    Raises
    ------
    BackupError
        If it could not be copied whole.
    ConfigError
        If it is encrypted and its key is not at hand: what was copied must be checked.
    """
    log = source.with_name(f"{source.name}-wal")
    beside = target.with_name(f"{target.name}-wal")
    for _ in range(_TRIES):
        before = _salt(log)
        shutil.copyfile(source, target)
        if log.exists():
            shutil.copyfile(log, beside)
        if _salt(log) == before and _salt(beside) == before:
            break
        beside.unlink(missing_ok=True)
    else:
        raise BackupError(
            f"{source} is written too fast to be copied; try again, or stop the venue meanwhile"
        )
    db = _open(source, target)
    try:
        ((said,), *_) = db.execute("PRAGMA integrity_check").fetchall()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except db.DatabaseError as error:
        said = str(error)
    finally:
        db.close()
    if said != "ok":
        raise BackupError(
            f"{source} is damaged: {said}; restore the venue from an older backup, or move its "
            "folder away to back up the fund without it"
        )


def _open(source: Path, target: Path) -> sqlite3.Connection:
    if not is_encrypted_database(target):
        return open_database(target)
    try:
        return open_database(target, read_ring())
    except ConfigError as error:
        raise ConfigError(f"the database {source} is encrypted: {error}") from None


def _salt(log: Path) -> bytes:
    """Read what is new whenever a log is begun anew."""
    try:
        with log.open("rb") as file:
            return file.read(_LOG_HEADER_BYTES)
    except FileNotFoundError:
        return b""
