"""Venues on an event loop, of a real or a simulated clock; no sockets."""

import asyncio
import contextlib
from collections.abc import Mapping

from quantvista.trading.gateway import (
    ChannelClosedError,
    Clock,
    Request,
    Response,
    TransportError,
)
from quantvista.trading.paper._endpoint import Endpoint
from quantvista.trading.paper._stream import Stream

__all__ = ["Listening", "LocalTransport", "PaperServer"]

_BEAT_NS = 1_000_000_000
_STEP_NS = 1_000_000  # messages of the market closer than that are told together


class PaperServer:
    """The venues of one process.

    Parameters
    ----------
    endpoints : mapping of str to Endpoint
        By the name that requests begin with.
    clock : Clock
        Of all of them.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], clock: Clock) -> None:
        self.endpoints, self.clock = dict(endpoints), clock
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = {name: asyncio.Event() for name in endpoints}
        self.failed: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Let the markets move."""
        self.failed = asyncio.get_running_loop().create_future()
        for name, endpoint in self.endpoints.items():
            endpoint.advance(self.clock.now_ns())
            self._tasks.append(asyncio.create_task(self._pump(name), name=f"venue {name}"))

    async def _pump(self, name: str) -> None:
        endpoint, changed = self.endpoints[name], self._changed[name]
        beat_at = 0
        try:
            while True:
                now = self.clock.now_ns()
                endpoint.advance(now)
                if now >= beat_at:
                    endpoint.beat(now)
                    beat_at = now + _BEAT_NS
                due = endpoint.venue.next_at()
                until = beat_at if due is None else min(due, beat_at)
                wait = max(until - self.clock.now_ns(), _STEP_NS) / 1e9
                changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), wait)
        except Exception as error:
            if self.failed is not None and not self.failed.done():
                self.failed.set_exception(error)

    async def handle(self, request: Request) -> Response | None:
        """Answer a request; None where the connection breaks instead."""
        name, target = _split(request.target)
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return Response(404, b'{"error":{"code":"not_found","text":"no such venue"}}')
        inner = Request(request.method, target, request.headers, request.body)
        answer = endpoint.handle(inner, self.clock.now_ns())
        self._changed[name].set()
        if answer.delay_ns:
            await asyncio.sleep(answer.delay_ns / 1e9)
        return answer.response

    def open(self, request: Request) -> "Listening | Response | None":
        """Open a stream; an answer says why not, None that nobody answers."""
        name, target = _split(request.target)
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return Response(404, b'{"error":{"code":"not_found","text":"no such venue"}}')
        inner = Request(request.method, target, request.headers, request.body)
        woken = asyncio.Event()
        stream = endpoint.open(inner, self.clock.now_ns(), woken.set)
        return Listening(stream, self.clock, woken) if isinstance(stream, Stream) else stream

    def abandon(self) -> None:
        """Stop at once, as a crash does: nothing more is written, no stream is closed in order."""
        for task in self._tasks:
            task.cancel()
        for endpoint in self.endpoints.values():
            endpoint.cut()

    async def stop(self) -> None:
        """End all streams, and write everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for endpoint in self.endpoints.values():
            endpoint.close()


def _split(target: str) -> tuple[str, str]:
    name, slash, rest = target.lstrip("/").partition("/")
    return name, slash + rest


class Listening:
    """The server's end of a stream."""

    def __init__(self, stream: Stream, clock: Clock, woken: asyncio.Event) -> None:
        self._stream, self._clock, self._woken = stream, clock, woken

    def receive(self, text: str) -> None:
        """Take what the listener says."""
        self._stream.receive(text, self._clock.now_ns())

    async def next(self) -> str:
        """Wait for what is to be sent; `ChannelClosedError` when the stream is over."""
        while True:
            if self._stream.closed:
                raise ChannelClosedError("the venue ended the stream")
            now = self._clock.now_ns()
            text = self._stream.take(now)
            if text is not None:
                return text
            due = self._stream.next_at()
            self._woken.clear()
            if due is None:
                await self._woken.wait()
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(due - now, _STEP_NS) / 1e9)

    def close(self) -> None:
        """End it from this side."""
        self._stream.close()


class LocalTransport:
    """A way to a server in the same process, without sockets.

    Parameters
    ----------
    server : PaperServer
        Which; what goes wrong on the way are its faults.
    """

    def __init__(self, server: PaperServer) -> None:
        self.server = server

    async def request(self, request: Request) -> Response:
        """Send a request and wait for the answer."""
        await asyncio.sleep(0)
        response = await self.server.handle(request)
        if response is None:
            raise TransportError("disconnected")
        return response

    async def open(self, request: Request) -> "LocalChannel":
        """Open a stream."""
        await asyncio.sleep(0)
        found = self.server.open(request)
        if not isinstance(found, Listening):
            raise TransportError("disconnected")
        return LocalChannel(found)

    async def close(self) -> None:
        """Let go of nothing."""


class LocalChannel:
    """The listener's end of a stream in the same process."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    async def send(self, text: str) -> None:
        """Send a text."""
        self._listening.receive(text)

    async def receive(self) -> str:
        """Wait for the next text."""
        return await self._listening.next()

    async def close(self) -> None:
        """End the stream."""
        self._listening.close()
