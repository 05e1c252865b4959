"""The database of a venue, in the clear or encrypted with a key of the ring.

SQLCipher encrypts it: every page, and those in the log beside it, AES-256 and an HMAC each. Which
key of the ring it has is found by trying them, the newest first.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quantvista.durable import sync_folder
from quantvista.errors import ConfigError
from quantvista.keyring import Ring

__all__ = [
    "damaged",
    "encrypt_database",
    "is_damage",
    "is_encrypted_database",
    "open_database",
]

_IN_THE_CLEAR = b"SQLite format 3\0"
_INFO = b"quantvista database 1"
_TIMEOUT_S = 1.0


def is_encrypted_database(path: Path) -> bool:
    """Say whether a database is encrypted; one that is not there, or empty, is not."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(_IN_THE_CLEAR))
    except FileNotFoundError:
        return False
    return bool(begin) and begin != _IN_THE_CLEAR


def open_database(path: Path, ring: Ring | None = None) -> sqlite3.Connection:
    """Open a database, or make one.

    Parameters
    ----------
    path : pathlib.Path
        Its file, in a folder that is there.
    ring : Ring or None
        Keys of one that is encrypted, or that will be; ``None`` for one in the clear.

    Returns
    -------
    sqlite3.Connection
        Without transactions of its own. One that had an older key than the newest has that now.

    Raises
    ------
    ConfigError
        If it is empty, which no database is, no key fits, or SQLCipher is not installed.
    """
    if path.exists() and not path.stat().st_size:
        raise ConfigError(
            f"the database {path} is empty: what was in it is lost; restore it from a backup, or "
            "remove it for a new venue, which knows of no orders and no trades"
        )
    if ring is None:
        return sqlite3.connect(path, isolation_level=None, timeout=_TIMEOUT_S)
    if path.exists() and not is_encrypted_database(path):
        raise ConfigError(f"the database {path} must be encrypted; found it in the clear")
    for key in reversed(ring.keys):
        db = _open(path, key)
        if db is not None:
            break
    else:
        raise ConfigError(
            f"the database {path} is encrypted with a key that the ring does not have, or damaged "
            f"(tried: {len(ring.keys)}); name its ring with `--key-ring` or QV_KEY_RING, or "
            "restore it"
        )
    if key != ring.newest:
        db.execute(f"PRAGMA rekey = {_literal(ring.newest)}").fetchall()
    return db


def encrypt_database(path: Path, ring: Ring) -> None:
    """Put an encrypted copy in the place of a database that nobody has open.

    Parameters
    ----------
    path : pathlib.Path
        The database, in the clear.
    ring : Ring
        Of which the newest key encrypts.

    Notes
    -----
    The copy is on the disk and was checked before it takes the name. Killed before, the database
    is in the clear, and as it was.
    """
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, timeout=_TIMEOUT_S)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        db.execute("PRAGMA journal_mode=DELETE").fetchall()  # so that no log stays beside it
    with closing(_sqlcipher().connect(path, isolation_level=None)) as db:
        db.execute(f"ATTACH DATABASE ? AS copy KEY {_literal(ring.newest)}", (str(beside),))
        db.execute("SELECT sqlcipher_export('copy')").fetchall()
        db.execute("DETACH DATABASE copy")
        before = _rows(db)
    with closing(open_database(beside, ring)) as db:
        damaged = db.execute("PRAGMA cipher_integrity_check").fetchall()
        if damaged or _rows(db) != before:
            raise ConfigError(f"the database {path} could not be encrypted: its copy differs")
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def _open(path: Path, key: bytes) -> sqlite3.Connection | None:
    """Open with a key; None if it is another one's."""
    db: sqlite3.Connection = _sqlcipher().connect(path, isolation_level=None, timeout=_TIMEOUT_S)
    db.execute("PRAGMA cipher_log_level = NONE").fetchall()  # errors are raised; stderr is ours
    db.execute(f"PRAGMA key = {_literal(key)}").fetchall()
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except db.DatabaseError as error:
        db.close()
        if "not a database" in str(error):
            return None
        if is_damage(db, error):
            raise damaged(path, error) from None
        raise
    return db


def is_damage(db: sqlite3.Connection, error: Exception) -> bool:
    """Say whether an error is about what is in a database: neither a lock nor a full disk."""
    if isinstance(error, db.OperationalError):
        return str(error).startswith("disk I/O")
    return isinstance(error, db.DatabaseError)


def damaged(path: Path, error: Exception) -> ConfigError:
    """Say that a database is damaged."""
    return ConfigError(f"the database {path} is damaged ({error}); restore it from a backup")


def _literal(key: bytes) -> str:
    """Derive the key of databases, and write it as SQLCipher takes one that is no password."""
    return f"\"x'{HKDF(SHA256(), 32, None, _INFO).derive(key).hex()}'\""


def _rows(db: sqlite3.Connection) -> list[tuple[str, int]]:
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()
    return [(name, db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for (name,) in names]


def _sqlcipher() -> Any:  # noqa: ANN401 - a module without types
    try:
        import sqlcipher3
    except ImportError:
        raise ConfigError(
            "an encrypted database needs the package sqlcipher3, which is not installed: "
            "pip install 'quantvista[encryption]'"
        ) from None
    return sqlcipher3
