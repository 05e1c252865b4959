"""Files of secret keys: made once, read by their owner alone, never printed."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from quantvista.durable import create_file
from quantvista.errors import ConfigError, OutputError

__all__ = ["find_key_file", "make_key_file", "read_key_file"]

_TEXT_MAX = 1024


def find_key_file(
    path: Path | None, variables: Sequence[str], *, option: str, made_by: str
) -> Path:
    """Find the file of a key: where it is named, else where the environment says.

    Parameters
    ----------
    path : pathlib.Path, optional
        As the option names it.
    variables : sequence of str
        Environment variables, of which the first that is set is taken.
    option, made_by : str
        For messages: what names it, and the command that makes one.

    Returns
    -------
    pathlib.Path
        Need not be there.

    Raises
    ------
    ConfigError
        If nothing names one.
    """
    if path is not None:
        return path
    for each in variables:
        if named := os.environ.get(each):
            return Path(named).expanduser()
    where = "variable" if len(variables) == 1 else "variables"
    raise ConfigError(
        f"`{option}` must name the file of the key; found none, and no path in the environment "
        f"{where} {' and '.join(variables)}; `{made_by}` makes one"
    )


def make_key_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a key to a file that is not there yet.

    Parameters
    ----------
    path : pathlib.Path
        Its folder must be there.
    text : str
        ASCII.
    mode : int
        Only its owner's by default.

    Raises
    ------
    OutputError
        If there is a file already, or it cannot be written.
    """
    try:
        create_file(path, text.encode("ascii"), mode=mode)
    except FileExistsError:
        raise OutputError(
            f"the file of a new key must not be there yet, so that no key is lost; found {path}"
        ) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"the key cannot be written to {path}: {reason}") from None


def read_key_file(path: Path, option: str = "--key", *, size_max: int = _TEXT_MAX) -> str:
    """Read the file of a secret key.

    Parameters
    ----------
    path : pathlib.Path
        As the option names it.
    option : str
        For messages.
    size_max : int
        How many bytes of it are read.

    Returns
    -------
    str
        Its text; what is not ASCII is replaced.

    Raises
    ------
    ConfigError
        If it is not there, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(size_max)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`{option}` must be a file that can be read; {reason}: {path}") from None
    if mode & 0o077:
        raise ConfigError(
            f"`{option}` must be readable by its owner alone; found mode {mode:04o}: {path}; "
            f"`chmod 600 {path}`, and make a new key if others may have read it"
        )
    return content.decode("ascii", "replace")
