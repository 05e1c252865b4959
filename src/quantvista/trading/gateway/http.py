"""The real seams: the machine's clock, and HTTP with WebSockets. Nothing but bytes happens here."""

import asyncio
import time

import aiohttp

from quantvista.trading.gateway._seams import (
    ChannelClosedError,
    Request,
    Response,
    TransportError,
)

__all__ = ["HttpTransport", "SystemClock"]

_MESSAGE_MAX = 4 * 2**20


class SystemClock:
    """The clock of this machine."""

    def now_ns(self) -> int:
        """Say what time it is."""
        return time.time_ns()


class HttpTransport:
    """A way to an HTTP server.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8710``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    def _ready(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def request(self, request: Request) -> Response:
        """Send a request and wait for the answer."""
        asked = self._ready().request(
            request.method,
            self._url + request.target,
            headers=dict(request.headers),
            data=request.body or None,
        )
        try:
            async with asked as response:
                body = await response.read()
        except aiohttp.ClientConnectorError:
            raise TransportError("disconnected", sent=False) from None
        except (aiohttp.ClientError, OSError):
            raise TransportError("disconnected") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, body, headers)

    async def open(self, request: Request) -> "HttpChannel":
        """Open a WebSocket."""
        try:
            socket = await self._ready().ws_connect(
                self._url + request.target,
                headers=dict(request.headers),
                max_msg_size=_MESSAGE_MAX,
            )
        except (aiohttp.ClientError, OSError):
            raise TransportError("disconnected", sent=False) from None
        return HttpChannel(socket)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)  # lets the connections go


class HttpChannel:
    """A WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """Send a text."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, OSError):
            raise ChannelClosedError("the stream is over") from None

    async def receive(self) -> str:
        """Wait for the next text."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ChannelClosedError("the stream is over")
        return str(message.data)

    async def close(self) -> None:
        """End the stream."""
        await self._socket.close()
