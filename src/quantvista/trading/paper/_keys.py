"""Keys of accounts and of the console, in a file that only its owner reads."""

import json
import secrets
from pathlib import Path

from quantvista.durable import replace_file
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
        """Write all of them, durably."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"key": each.key, "secret": each.secret, "venue": each.venue, "account": each.account}
            for each in self._keys.values()
        ]
        replace_file(self._path, json.dumps(rows, indent=1).encode())
