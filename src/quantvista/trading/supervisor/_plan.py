"""From a fund file to the processes that it needs."""

import fcntl
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quantvista.errors import ConfigError
from quantvista.trading.control import ApiKey, Place
from quantvista.trading.supervisor._children import left_over
from quantvista.trading.supervisor._program import Program

__all__ = ["plan"]

_PORT = 8710  # of a paper venue that does not say
# As the fund file has them. To read all of it takes seconds, and the node does that.
_DEFAULTS = {
    "id": "sim",
    "url": f"http://127.0.0.1:{_PORT}",
    "account": "main",
    "key": "node",
}
_LOCAL = ("127.0.0.1", "localhost", "::1")


def plan(fund: Path, place: Place, *, guard: bool = True, keys: bool = True) -> list[Program]:
    """Say which processes a fund needs, and make the keys that are missing.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file. The node reads all of it; this looks only at its venues.
    place : Place
        Its state folder.
    guard : bool
        Whether there is a guard; there is none either if the fund file says so.
    keys : bool
        Whether to make keys.

    Returns
    -------
    list of Program
        In the order in which they are started: the paper venue if the fund trades on one of this
        machine and ``paper.toml`` lies beside the fund file, the guard, the node.

    Raises
    ------
    ConfigError
        If the fund file cannot be read, or the paper venue is not where the fund looks for it.
    """
    table = _table(fund, "fund")
    section = table.get("guard")
    guard = guard and not (isinstance(section, Mapping) and section.get("on") is False)
    venues = [
        {**_DEFAULTS, "venue": each.get("id", "sim"), **each}
        for each in _venues(table)
        if each.get("kind") == "paper"
    ]
    paper = fund.absolute().parent / "paper.toml"
    programs = []
    local = [each for each in venues if urlsplit(str(each["url"])).hostname in _LOCAL]
    if local and paper.is_file():
        names = ("node", "guard")[: (1 + guard) if keys else 0]
        programs += _paper(paper, local, place, names)
    words = (str(fund.absolute()), "--state", str(place.folder.absolute()))
    cwd = fund.absolute().parent
    if guard:
        programs.append(Program("guard", (*_qv("guard"), *words), cwd))
    rest = () if guard else ("--no-guard",)
    programs.append(Program("node", (*_qv("node"), *words, *rest), cwd, takes_stop=True))
    return programs


def _qv(command: str) -> tuple[str, ...]:
    return sys.executable, "-m", "quantvista", command


def _table(path: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`{name}` must be a readable file; found {reason}: {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _venues(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = table.get("venue")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _paper(
    config: Path, venues: Sequence[Mapping[str, Any]], place: Place, names: tuple[str, ...]
) -> list[Program]:
    """Plan a venue. Its own code reads the file strictly, but takes seconds to load."""
    table = _table(config, "paper.toml")
    port, host = table.get("port", _PORT), table.get("host", "127.0.0.1")
    folder = config.parent / str(table.get("folder", "paper"))
    accounts = {str(each.get("id")): sorted(each.get("accounts") or {}) for each in _venues(table)}
    for each in venues:
        if urlsplit(str(each["url"])).port != port or not port:
            raise ConfigError(
                f"`venue.url` must have the port of {config}, and that must not be 0; found "
                f"{each['url']} and port {port}"
            )
        venue, account = str(each["venue"]), str(each["account"])
        if venue not in accounts:
            raise ConfigError(
                f"`venue.venue` must be one of {', '.join(accounts)}, which {config} has; found "
                f"{venue!r}"
            )
        if account not in accounts[venue]:
            raise ConfigError(
                f"`venue.account` must be one of {', '.join(accounts[venue])}; found {account!r}"
            )
        for name in names:
            alias = str(each["key"]) if name == "node" else name
            _require_key(place, folder / "keys.json", alias, str(each["id"]), (venue, account))
    if _held(folder / "lock") and "paper" not in left_over(place):
        return []  # somebody serves it already, by hand or for another fund
    command = (*_qv("paper"), "serve", "--config", str(config))
    return [Program("paper", command, config.parent, url=f"http://{host}:{port}")]


def _held(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _require_key(place: Place, path: Path, name: str, venue: str, account: tuple[str, str]) -> None:
    """Make a key if there is none that the venue knows."""
    kept = place.key(name, venue)
    if kept is not None and (kept.key, kept.secret, *account) in _known(path):
        return
    from quantvista.trading.paper.serving import KeyFile

    made = KeyFile(path).make(*account)
    place.make()
    place.put_key(name, venue, ApiKey(made.key, made.secret))


def _known(path: Path) -> set[tuple[str, str, str, str]]:
    """Read the keys of a venue; `KeyFile` says what is wrong with the file, if anything."""
    try:
        rows = json.loads(path.read_bytes())
        return {(each["key"], each["secret"], each["venue"], each["account"]) for each in rows}
    except (OSError, ValueError, TypeError, KeyError):
        return set()
