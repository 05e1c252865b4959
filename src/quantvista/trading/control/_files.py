"""Small files that are whole whenever they are read: JSON, written beside and renamed."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quantvista.durable import replace_file
from quantvista.errors import ControlError

__all__ = ["reach", "read_json", "write_json"]

_PATH_BYTES_MAX = 100  # the kernel takes 107 bytes as the address of a socket


def write_json(path: Path, value: Mapping[str, Any], mode: int = 0o600) -> None:
    """Write a file so that a crash leaves the old one or the new one, and it is on disk.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder must be there.
    value : mapping
        Plain JSON.
    mode : int
        Of the new file; only its owner's by default.
    """
    replace_file(path, f"{json.dumps(value)}\n".encode(), mode=mode)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read such a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict or None
        What it holds; None if it is not there.

    Raises
    ------
    ControlError
        If it holds something else. Nothing of ours writes half a file.
    """
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ControlError(f"{path} is damaged: it must hold a JSON object; see to it, remove it")
    return value


@contextlib.contextmanager
def reach(path: Path) -> Iterator[str]:
    """Give an address of a socket that is short enough for the kernel, while the block lasts.

    A long one goes by way of the open folder. The other way, a socket in a folder for temporary
    files, ends on the day on which that is cleaned, and the fund could not be halted any more.
    """
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
