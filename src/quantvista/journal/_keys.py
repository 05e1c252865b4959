"""Keys that seal: a file that only its owner reads, never printed.

The file is text: a title, the secret and the public key in hexadecimal digits. The public key
lies beside it in a file ``.pub``, to be handed on.
"""

import secrets
from pathlib import Path

from quantvista._native import SecretKey
from quantvista.errors import ConfigError
from quantvista.keyfiles import find_key_file, make_key_file, read_key_file

__all__ = ["KEY_VARIABLE", "make_key", "read_public_key", "read_secret_key"]

KEY_VARIABLE = "QUANTVISTA_SEAL_KEY"
"""The environment variable that holds the path of the key file."""

_TITLE = "quantvista sealing key 1"
_SIZE = 32


def make_key(path: Path) -> bytes:
    """Make a new key, and write it to a file that is not there yet, and ``.pub`` beside it.

    Parameters
    ----------
    path : Path
        Where to; its folder must exist.

    Returns
    -------
    bytes
        The public key.

    Raises
    ------
    OutputError
        If there is a file already, or it cannot be written.
    """
    content = secrets.token_bytes(_SIZE)
    public = SecretKey(content).public
    text = f"{_TITLE}\nsecret {content.hex()}\npublic {public.hex()}\n"
    beside = path.with_name(f"{path.name}.pub")
    make_key_file(path, text)
    make_key_file(beside, f"{public.hex()}\n", mode=0o644)
    return public


def read_secret_key(path: Path | None = None) -> SecretKey:
    """Read the key that seals.

    Parameters
    ----------
    path : Path, optional
        Its file; where the environment variable says by default.

    Returns
    -------
    SecretKey
        Which cannot be printed.

    Raises
    ------
    ConfigError
        If no file is named, it is not there, others may read it, or it holds no key.
    """
    path = find_key_file(path, [KEY_VARIABLE], option="--key", made_by="qv journal key --out FILE")
    text = read_key_file(path)
    lines = dict(line.split(" ", 1) for line in text.splitlines()[1:] if " " in line)
    content = _bytes(lines.get("secret", ""))
    if not text.startswith(f"{_TITLE}\n") or content is None:
        raise ConfigError(f"`--key` must be a file of `qv journal key`; found another: {path}")
    return SecretKey(content)


def read_public_key(text: str) -> bytes:
    """Read a public key, or the file that holds one.

    Parameters
    ----------
    text : str
        64 hexadecimal digits, or the path of a ``.pub`` file.

    Returns
    -------
    bytes
        Its 32 bytes.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    found = _bytes(text.strip())
    if found is None:
        try:
            found = _bytes(Path(text).expanduser().read_text("ascii").strip())
        except (OSError, UnicodeDecodeError):
            found = None
    if found is None:
        raise ConfigError(
            f"`--key` must be a public key of 64 hexadecimal digits, or its .pub file; found {text}"
        )
    return found


def _bytes(text: str) -> bytes | None:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if len(found) == _SIZE and len(text) == 2 * _SIZE else None
