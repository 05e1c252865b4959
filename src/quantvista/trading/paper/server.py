"""The shell around a server of venues: HTTP and WebSockets on a socket."""

import asyncio
import contextlib

from aiohttp import WSMsgType, web

from quantvista.trading.gateway import ChannelClosedError, Request, Response
from quantvista.trading.paper._runner import Listening, PaperServer

__all__ = ["HttpServer"]

_BODY_MAX = 2**16


class HttpServer:
    """A `PaperServer` on a port.

    Parameters
    ----------
    server : PaperServer
        Which.
    host : str
        Address to listen on.
    port : int
        0 for any that is free.
    """

    def __init__(self, server: PaperServer, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server, self._host, self._port = server, host, port
        application = web.Application(client_max_size=_BODY_MAX)
        application.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        self.url = ""

    async def start(self) -> None:
        """Listen, and let the markets move."""
        await self._server.start()
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        """Close the port, end all streams, and write everything."""
        for endpoint in self._server.endpoints.values():
            endpoint.cut()
        await self._runner.cleanup()
        await self._server.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await request.read()
        except ConnectionError:  # the client hung up in the middle
            return _break(request)
        whole = Request(request.method, request.raw_path, headers, body)
        if headers.get("upgrade", "").lower() == "websocket":
            return await self._stream(request, whole)
        response = await self._server.handle(whole)
        if response is None:
            return _break(request)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def _stream(self, request: web.Request, whole: Request) -> web.StreamResponse:
        listening = self._server.open(whole)
        if listening is None:
            return _break(request)
        if isinstance(listening, Response):
            body, headers = listening.body, listening.headers
            return web.Response(status=listening.status, body=body, headers=headers)
        socket = web.WebSocketResponse(max_msg_size=_BODY_MAX)
        await socket.prepare(request)
        sending = asyncio.create_task(_send(listening, socket))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                listening.receive(message.data)
        finally:
            listening.close()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket


async def _send(listening: Listening, socket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ChannelClosedError, ConnectionError):
        while True:
            await socket.send_str(await listening.next())
    await socket.close()


def _break(request: web.Request) -> web.Response:
    """Give no answer: the connection is cut instead."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
