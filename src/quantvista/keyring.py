"""Key rings: the keys of what is encrypted on this machine, in one file that its owner reads.

A ring is text: a title, then the 32 bytes of each key in hexadecimal digits, oldest first. The last
key encrypts; those before it read what was encrypted earlier. Backups, journals and lakes take
their keys from it.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantvista.durable import replace_file
from quantvista.errors import ConfigError, OutputError
from quantvista.keyfiles import find_key_file, make_key_file, read_key_file

__all__ = ["KEY_RING_VARIABLE", "Ring", "add_key", "make_ring", "read_ring", "use_ring"]

KEY_RING_VARIABLE = "QV_KEY_RING"
"""The environment variable that holds the path of the ring."""

_TITLE = "quantvista key ring 1"
_TITLES = (_TITLE, "quantvista backup key 1")
_SIZE = 32
_KEYS_MAX = 1_000
_TEXT_MAX = 128 << 10


@dataclass(frozen=True, slots=True)
class Ring:
    """Secret keys; printing it does not show them.

    Parameters
    ----------
    keys : tuple of bytes
        At least one, of 32 bytes each, oldest first.
    """

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def newest(self) -> bytes:
        """What encrypts from now on."""
        return self.keys[-1]


def make_ring(path: Path) -> None:
    """Make a ring with one new key, in a file that is not there yet.

    Parameters
    ----------
    path : pathlib.Path
        Where to; its folder must exist.

    Raises
    ------
    OutputError
        If there is a file already, or it cannot be written.
    """
    make_key_file(path, _text([secrets.token_bytes(_SIZE)]))


def add_key(path: Path) -> None:
    """Add a new key to a ring, which encrypts from now on; the others stay to read with.

    Parameters
    ----------
    path : pathlib.Path
        The ring.

    Raises
    ------
    ConfigError
        If it is no ring, or holds as many keys as it may.
    OutputError
        If it cannot be written; the old ring is still there.
    """
    ring = read_ring(path)
    if len(ring.keys) >= _KEYS_MAX:
        raise ConfigError(
            f"a key ring must have at most {_KEYS_MAX} keys; found as many in {path}; make another"
        )
    text = _text([*ring.keys, secrets.token_bytes(_SIZE)])
    try:
        replace_file(path, text.encode("ascii"))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"the key ring cannot be written to {path}: {reason}") from None


def read_ring(path: Path | None = None, option: str = "--key-ring") -> Ring:
    """Read a ring.

    Parameters
    ----------
    path : pathlib.Path, optional
        Its file; where the environment variable says by default.
    option : str
        For messages.

    Returns
    -------
    Ring
        Its secrets.

    Raises
    ------
    ConfigError
        If no file is named, it is not there, others may read it, or it holds no keys.
    """
    path = find_key_file(
        path, [KEY_RING_VARIABLE], option="--key-ring", made_by="qv keys make FILE"
    )
    title, *lines = read_key_file(path, option, size_max=_TEXT_MAX).splitlines() or [""]
    try:
        keys = [bytes.fromhex(line) for line in lines]
    except ValueError:
        keys = []
    if title not in _TITLES or not keys or any(len(key) != _SIZE for key in keys):
        raise ConfigError(
            f"`{option}` must be a file of `qv backup key` or `qv keys make`; found another: {path}"
        )
    return Ring(tuple(keys))


def use_ring(path: Path) -> None:
    """Name the ring of this process, and of those that it starts, where none is named yet.

    Parameters
    ----------
    path : pathlib.Path
        The ring.
    """
    os.environ.setdefault(KEY_RING_VARIABLE, str(path.expanduser().absolute()))


def _text(keys: Sequence[bytes]) -> str:
    return "\n".join([_TITLE, *(key.hex() for key in keys), ""])
