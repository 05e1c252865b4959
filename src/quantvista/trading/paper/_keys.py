"""Keys of accounts and of the console, in a file that only its owner reads."""

import json
import os
import secrets
from pathlib import Path

from quantvista.errors import ConfigError
from quantvista.trading.paper._auth import Key

__all__ = ["KeyFile"]


class KeyFile:
    """The keys of a server's folder; what is added by another process is found too.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, Key] = {}

    def find(self, name: str) -> Key | None:
        """Find a key by its name."""
        if name not in self._keys:
            self._read()
        return self._keys.get(name)

    def console(self, venue: str) -> Key | None:
        """Find the key of a venue's console."""
        self._read()
        found = (each for each in self._keys.values() if (each.venue, each.account) == (venue, ""))
        return next(found, None)

    def make(self, venue: str, account: str) -> Key:
        """Make a key; without an account it is the console's."""
        self._read()
        name = f"{account or 'console'}-{secrets.token_hex(4)}"
        key = Key(name, secrets.token_hex(32), venue, account)
        self._keys[name] = key
        self._write()
        return key

    def _read(self) -> None:
        try:
            rows = json.loads(self._path.read_text())
            self._keys = {row["key"]: Key(**row) for row in rows}
        except FileNotFoundError:
            self._keys = {}
        except (ValueError, TypeError, KeyError):
            raise ConfigError(f"{self._path}: must be the keys of a paper venue") from None

    def _write(self) -> None:
        """Write beside, then rename: a crash leaves the old file or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        rows = [
            {"key": each.key, "secret": each.secret, "venue": each.venue, "account": each.account}
            for each in self._keys.values()
        ]
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(rows, indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
