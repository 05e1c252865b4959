"""The other end of `ask`: answers requests in the process that is spoken to."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from quantvista.errors import ControlError, QuantVistaError, printable
from quantvista.trading.control._files import reach

__all__ = ["ControlServer", "Handler"]

type Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Takes a request and returns its answer, plain JSON with ``ok``."""

_log = logging.getLogger(__name__)
_LINE_BYTES_MAX = 1 << 16
_CLIENTS_MAX = 64


class ControlServer:
    """Answers on a Unix socket that only its owner may open.

    Nothing that a client sends or leaves undone ends it: what is not JSON gets an answer that
    says so, too long a line and a client that does not read are cut off, and where there are
    too many clients the one that has been silent longest makes room.

    Parameters
    ----------
    path : pathlib.Path
        The socket, as `Place.socket` names it.
    handler : callable
        Asynchronous; gets each request. An error of ours becomes an answer; others are logged.
    idle_s : float
        Seconds after which a silent client is cut off.
    write_s : float
        Seconds in which a client must take its answer.
    """

    def __init__(
        self, path: Path, handler: Handler, *, idle_s: float = 60.0, write_s: float = 5.0
    ) -> None:
        self._path = path
        self._handler = handler
        self._idle_s = idle_s
        self._write_s = write_s
        self._server: asyncio.Server | None = None
        self._inode = 0
        # Those that wait for a request, the longest silent first; and all.
        self._idle: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        ControlError
            If another process listens there.
        """
        link = _listen(self._path)
        self._inode = self._path.stat().st_ino
        self._server = await asyncio.start_unix_server(
            self._serve, sock=link, limit=_LINE_BYTES_MAX
        )

    async def stop(self) -> None:
        """Cut all clients off and remove the socket; requests under way are given up."""
        if self._server is None:
            return
        self._server.close()
        me = asyncio.current_task()
        for each in [each for each in self._clients if each is not me]:
            each.cancel()
        await asyncio.gather(*(self._clients - {me}), return_exceptions=True)
        self._server = None
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:  # nobody else has taken the place
                self._path.unlink()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection has a task"
        if len(self._clients) >= _CLIENTS_MAX and self._idle:
            next(iter(self._idle.values())).transport.abort()
        self._clients.add(task)
        try:
            await self._talk(task, reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # it has gone, or is cut off for being slow
        except asyncio.CancelledError:
            pass  # by `stop`; a connection's task has nobody to tell
        finally:
            self._clients.discard(task)
            self._idle.pop(task, None)
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()
            else:
                writer.close()

    async def _talk(
        self,
        task: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while True:
            self._idle[task] = writer
            try:
                line = await asyncio.wait_for(reader.readuntil(b"\n"), self._idle_s)
            except asyncio.LimitOverrunError:
                await self._write(writer, _failed(f"a request must be shorter than {_LINE}"))
                writer.write_eof()
                # What is closed with something unread takes the answer with it.
                await asyncio.wait_for(_drop(reader), self._write_s)
                return
            finally:
                self._idle.pop(task, None)
            await self._write(writer, await self._answer(line))

    async def _write(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        await asyncio.wait_for(_taken(writer), self._write_s)

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _failed("a request must be a line of JSON")
        if not isinstance(request, dict) or not isinstance(request.get("command"), str):
            return _failed('a request must be a JSON object with "command"')
        try:
            return json.dumps(await self._handler(request)).encode() + b"\n"
        except QuantVistaError as error:
            return _failed(str(error))
        except Exception as error:
            _log.exception("a control request failed: command=%s", request["command"])
            return _failed(f"internal error: {type(error).__name__}: {printable(error)}")


_LINE = f"{_LINE_BYTES_MAX} bytes"


async def _drop(reader: asyncio.StreamReader) -> None:
    while await reader.read(_LINE_BYTES_MAX):
        pass


async def _taken(writer: asyncio.StreamWriter) -> None:
    """Wait until the client has taken everything, not only until there is room for more."""
    writer.transport.set_write_buffer_limits(high=0)
    await writer.drain()


def _failed(text: str) -> bytes:
    return json.dumps({"ok": False, "error": text}).encode() + b"\n"


def _listen(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.setblocking(False)
        with reach(path) as address:
            if path.exists():
                _require_dead(address, path)
                path.unlink()
            link.bind(address)
        path.chmod(0o600)  # before it listens: nobody can have come in
        link.listen(_CLIENTS_MAX)
    except BaseException:
        link.close()
        raise
    return link


def _require_dead(address: str, path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            return
        except OSError:
            pass  # it is there, if busy
    raise ControlError(
        f"another process listens on {path}; stop the fund that runs there with qv down"
    )
