"""What a gateway stands on: a clock and a way to carry bytes. Real ones live in thin shells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

__all__ = [
    "Channel",
    "ChannelClosedError",
    "Clock",
    "Request",
    "Response",
    "Transport",
    "TransportError",
]


class Clock(Protocol):
    """Time in UTC nanoseconds, which may be simulated."""

    def now_ns(self) -> int:
        """Say what time it is."""
        ...


class TransportError(ConnectionError):
    """A request had no answer: nobody knows whether it took effect.

    Parameters
    ----------
    cause : {"timeout", "disconnected"}
        Which of both.
    sent : bool
        False only where it is certain that nothing left.
    """

    def __init__(self, cause: Literal["timeout", "disconnected"], *, sent: bool = True) -> None:
        super().__init__(cause)
        self.cause: Literal["timeout", "disconnected"] = cause
        self.sent = sent


class ChannelClosedError(ConnectionError):
    """A stream is over."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; ``target`` is path and query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """Its answer; names of headers are in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """A stream of texts, both ways."""

    async def send(self, text: str) -> None:
        """Send a text; `ChannelClosedError` if the stream is over."""
        ...

    async def receive(self) -> str:
        """Wait for the next text; `ChannelClosedError` when the stream is over."""
        ...

    async def close(self) -> None:
        """End the stream."""
        ...


class Transport(Protocol):
    """Requests and streams to one server."""

    async def request(self, request: Request) -> Response:
        """Send a request and wait for the answer; `TransportError` if there is none."""
        ...

    async def open(self, request: Request) -> Channel:
        """Open a stream; `TransportError` if that fails."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
