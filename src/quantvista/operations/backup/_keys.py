"""Keys of backups: a key ring, of which the newest key encrypts and all of them decrypt."""

from pathlib import Path

from quantvista.keyfiles import find_key_file
from quantvista.keyring import KEY_RING_VARIABLE, Ring, make_ring, read_ring

__all__ = ["KEY_VARIABLE", "make_backup_key", "read_backup_key"]

KEY_VARIABLE = "QV_BACKUP_KEY"
"""The environment variable that holds the path of the ring, where backups have their own."""


def make_backup_key(path: Path) -> None:
    """Make a ring with a new key, and write it to a file that is not there yet.

    Parameters
    ----------
    path : pathlib.Path
        Where to; its folder must exist.

    Raises
    ------
    OutputError
        If there is a file already, or it cannot be written.
    """
    make_ring(path)


def read_backup_key(path: Path | None = None) -> Ring:
    """Read the keys of backups.

    Parameters
    ----------
    path : pathlib.Path, optional
        Their file; where ``QV_BACKUP_KEY`` says by default, or ``QV_KEY_RING``.

    Returns
    -------
    Ring
        The secrets.

    Raises
    ------
    ConfigError
        If no file is named, it is not there, others may read it, or it holds no key.
    """
    variables = [KEY_VARIABLE, KEY_RING_VARIABLE]
    found = find_key_file(path, variables, option="--key", made_by="qv backup key FILE")
    return read_ring(found, "--key")
