"""Keys of backups: 32 random bytes in a file that only its owner reads, never printed."""

import os
import secrets
from pathlib import Path

from quantvista.errors import ConfigError
from quantvista.keyfiles import make_key_file, read_key_file

__all__ = ["KEY_VARIABLE", "make_backup_key", "read_backup_key"]

KEY_VARIABLE = "QV_BACKUP_KEY"
"""The environment variable that holds the path of the key file."""

_TITLE = "quantvista backup key 1"
_SIZE = 32


def make_backup_key(path: Path) -> None:
    """Make a new key, and write it to a file that is not there yet.

    Parameters
    ----------
    path : pathlib.Path
        Where to; its folder must exist.

    Raises
    ------
    OutputError
        If there is a file already, or it cannot be written.
    """
    text = f"{_TITLE}\n{secrets.token_bytes(_SIZE).hex()}\n"
    make_key_file(path, text)


def read_backup_key(path: Path | None = None) -> bytes:
    """Read a key.

    Parameters
    ----------
    path : pathlib.Path, optional
        Its file; where the environment variable says by default.

    Returns
    -------
    bytes
        The secret.

    Raises
    ------
    ConfigError
        If no file is named, it is not there, others may read it, or it holds no key.
    """
    named = os.environ.get(KEY_VARIABLE)
    if path is None and not named:
        raise ConfigError(
            "`--key` must name the file of the backup key; found none, and no path in the "
            f"environment variable {KEY_VARIABLE}; `qv backup key FILE` makes one"
        )
    path = path or Path(str(named)).expanduser()
    lines = read_key_file(path).splitlines()
    try:
        title, digits = lines
        key = bytes.fromhex(digits)
    except ValueError:
        title, key = "", b""
    if title != _TITLE or len(key) != _SIZE:
        raise ConfigError(f"`--key` must be a file of `qv backup key`; found another: {path}")
    return key
