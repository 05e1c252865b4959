"""Keys of backups: 32 random bytes in a file that only its owner reads, never printed."""

import os
import secrets
import stat
from pathlib import Path

from quantvista.errors import ConfigError, OutputError

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
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise OutputError(
            f"the file of a new key must not be there yet, so that no key is lost; found {path}"
        ) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"the key cannot be written to {path}: {reason}") from None


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
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            lines = file.read(1024).decode("ascii", "replace").splitlines()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`--key` must be a file that can be read; {reason}: {path}") from None
    if mode & 0o077:
        raise ConfigError(
            f"`--key` must be readable by its owner alone; found mode {mode:04o}: {path}; "
            f"`chmod 600 {path}`, and make a new key if others may have read it"
        )
    try:
        title, digits = lines
        key = bytes.fromhex(digits)
    except ValueError:
        title, key = "", b""
    if title != _TITLE or len(key) != _SIZE:
        raise ConfigError(f"`--key` must be a file of `qv backup key`; found another: {path}")
    return key
