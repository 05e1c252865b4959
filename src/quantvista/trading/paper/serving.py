"""A paper venue as a process: from its configuration to a port, until it is told to stop."""

import asyncio
import contextlib
import fcntl
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quantvista.errors import ConfigError
from quantvista.keyring import Ring, read_ring, use_ring
from quantvista.trading.gateway import Clock
from quantvista.trading.gateway.http import SystemClock
from quantvista.trading.paper._config import PaperConfig, load_config
from quantvista.trading.paper._database import encrypt_database, is_encrypted_database
from quantvista.trading.paper._endpoint import Endpoint
from quantvista.trading.paper._faults import Faults
from quantvista.trading.paper._keys import KeyFile
from quantvista.trading.paper._runner import PaperServer
from quantvista.trading.paper._store import SQLiteStore
from quantvista.trading.paper._venue import PaperVenue
from quantvista.trading.paper.server import HttpServer

__all__ = ["KeyFile", "Served", "build_server", "read_place", "serve"]


@dataclass(frozen=True, slots=True)
class Served:
    """A configuration with its places.

    Parameters
    ----------
    config : PaperConfig
        What it says.
    folder : pathlib.Path
        Where everything is kept.
    base : pathlib.Path
        Where paths of recordings start from.
    """

    config: PaperConfig
    folder: Path
    base: Path

    @property
    def keys(self) -> KeyFile:
        """The keys of this server."""
        return KeyFile(self.folder / "keys.json")

    @property
    def url(self) -> str:
        """Where it listens, or listened last."""
        try:
            return (self.folder / "url").read_text().strip()
        except FileNotFoundError:
            return f"http://{self.config.host}:{self.config.port}"


def read_place(path: Path | None) -> Served:
    """Read a configuration; None takes ``paper.toml`` if it is here, else the built-in one."""
    if path is None and Path("paper.toml").is_file():
        path = Path("paper.toml")
    config, base = load_config(path)
    return Served(config, base / config.folder, base)


def build_server(served: Served, clock: Clock) -> PaperServer:
    """Make the venues, each from where it was; their consoles get keys if they have none."""
    endpoints = {}
    for each in served.config.venue:
        terms, source = each.build(served.base)
        store = _store(served, served.folder / each.id / "venue.db")
        venue = PaperVenue(terms, store, source)
        if served.keys.console(each.id) is None:
            served.keys.make(each.id, "")
        faults = Faults(each.seed)
        endpoints[each.id] = Endpoint(venue, served.keys.find, faults, clock.now_ns())
    return PaperServer(endpoints, clock)


def _store(served: Served, path: Path) -> SQLiteStore:
    """Open the database of a venue, which is encrypted first if it must be and is not."""
    if not served.config.encrypted and not is_encrypted_database(path):
        return SQLiteStore(path)
    ring = _ring(served, path)
    if path.exists() and path.stat().st_size and not is_encrypted_database(path):
        encrypt_database(path, ring)
    return SQLiteStore(path, ring)


def _ring(served: Served, path: Path) -> Ring:
    if served.config.key_ring is not None:
        use_ring(served.base / Path(served.config.key_ring).expanduser())
    try:
        return read_ring()
    except ConfigError as error:
        raise ConfigError(f"the database {path} is encrypted: {error}") from None


def serve(served: Served, port: int | None, said: Callable[[str], None]) -> None:
    """Serve until an interrupt or a termination; then everything is written and closed.

    Parameters
    ----------
    served : Served
        What.
    port : int or None
        In the place of the configured one.
    said : callable
        Told the address when it listens.
    """
    with _alone(served.folder):
        asyncio.run(_serve(served, served.config.port if port is None else port, said))


async def _serve(served: Served, port: int, said: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = build_server(served, SystemClock())
    http = HttpServer(server, served.config.host, port)
    await http.start()
    (served.folder / "url").write_text(http.url + "\n")
    said(http.url)
    assert server.failed is not None, "it was started"
    server.failed.add_done_callback(lambda _: stopped.set())
    await stopped.wait()
    failed = server.failed.exception() if server.failed.done() else None
    await http.stop()
    if failed is not None:
        raise failed


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that two servers never write into one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"`folder` {folder} is in use by another `qv paper serve`; stop that one, or name "
                "another folder in paper.toml"
            ) from None
        yield
