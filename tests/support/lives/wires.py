"""The network between a node and its venue: late, lost and spoilt messages."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quantvista.trading.gateway import Channel, Request, Response, TransportError
from quantvista.trading.paper import LocalTransport

if TYPE_CHECKING:
    from support.lives.world import World

__all__ = ["Line", "Network"]

_USUAL_S = 0.002
_GOOD_MIN = 3
_SPOILT = 0.3


class Network:
    """What goes wrong between the two ends.

    Attributes
    ----------
    late : float
        Share of requests that take long, up to ``late_s``.
    spoilt : str
        What is done to market data on the way: ``garbage``, ``stale``, ``malformed`` or nothing.
    answers : str
        What is done to answers: ``garbage``, ``busy`` or nothing.
    hole_until : int
        Until then nothing gets through, and nobody says so, by the loop's nanoseconds.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.late, self.late_s = 0.0, 0.4
        self.spoilt = self.answers = ""
        self.hole_until = 0
        self._good = Counter[str]()
        self._wrong = 1

    def spoils(self, instrument: str) -> bool:
        """Say whether a message is to be spoilt: no two within three of an instrument are."""
        self._good[instrument] += 1
        if self._good[instrument] < _GOOD_MIN or self.random.random() >= _SPOILT:
            return False
        self._good[instrument] = 0
        return True

    def wrong(self) -> int:
        """Make a factor that is not the last: what is wrong twice must not agree."""
        self._wrong = 3 - self._wrong
        return self._wrong

    def heal(self) -> None:
        """Let everything through."""
        self.late, self.hole_until = 0.0, 0
        self.spoilt = self.answers = ""


class Line(LocalTransport):
    """A process's way to the venue; what was sent arrives even if who sent it is gone.

    Parameters
    ----------
    world : World
        Around it.
    network : Network
        What lies between.
    leaves : callable
        Sees the body of each order as it leaves.
    """

    def __init__(self, world: World, network: Network, leaves: Callable[[bytes], None]) -> None:
        super().__init__(world.paper.server)
        self.world, self.network, self.dead = world, network, False
        self._leaves = leaves
        self.kill_at = ""
        self._under_way: set[asyncio.Task[Response | None]] = set()

    async def request(self, request: Request) -> Response:
        if self.dead:
            raise TransportError("disconnected")
        is_order = request.method == "POST" and request.target.endswith("/v1/orders")
        if is_order:
            self._leaves(request.body)
        if is_order and self.kill_at == "before":
            await self._die()
        task = asyncio.get_running_loop().create_task(self._carry(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        response = await asyncio.shield(task)
        if is_order and self.kill_at == "after":
            await self._die()
        if response is None:
            raise TransportError("disconnected")
        return self._spoil(response)

    async def _die(self) -> None:
        """Let the process end here: it is killed while it waits."""
        self.kill_at = ""
        self.world.doom("kill in a request")
        await asyncio.Event().wait()

    async def _carry(self, request: Request) -> Response | None:
        draw = self.network.random
        wait = _USUAL_S * draw.random()
        if draw.random() < self.network.late:
            wait = self.network.late_s * draw.random()
        await asyncio.sleep(wait)
        left = self.network.hole_until - self.world.loop_ns()
        if left > 0:
            await asyncio.sleep(left / 1e9)
            return None
        return await self.server.handle(request)

    def _spoil(self, response: Response) -> Response:
        if self.network.answers and self.network.random.random() < 0.3:
            if self.network.answers == "busy":
                return Response(503, b"<html>busy</html>", response.headers)
            return Response(200, b'{"order": 7', response.headers)
        return response

    async def open(self, request: Request) -> Channel:  # type: ignore[override]
        if self.dead or self.network.hole_until > self.world.loop_ns():
            raise TransportError("disconnected")
        return Spoiling(await super().open(request), self)


class Spoiling:
    """The listener's end of a stream whose market data may come as nonsense."""

    def __init__(self, inner: Channel, line: Line) -> None:
        self._inner, self._line = inner, line

    async def send(self, text: str) -> None:
        await self._inner.send(text)

    async def receive(self) -> str:
        text = await self._inner.receive()
        network = self._line.network
        left = network.hole_until - self._line.world.loop_ns()
        if left > 0:
            await asyncio.sleep(left / 1e9)
        if not network.spoilt or '"market"' not in text:
            return text
        message = json.loads(text)
        if not network.spoils(message["market"]["instrument"]):
            return text
        return self._spoil(text, message)

    def _spoil(self, text: str, message: dict[str, Any]) -> str:
        network = self._line.network
        draw = network.random
        if network.spoilt == "malformed":
            return text[: draw.randrange(len(text))]
        data: dict[str, Any] = message["market"]
        if network.spoilt == "stale":
            data["ts"] -= draw.choice((10**9, 3600 * 10**9))
        elif data["is"] == "QuoteData":
            match draw.randrange(5):
                case 0:
                    data["bid"], data["ask"] = data["ask"], data["bid"]
                case 1:
                    times = 500 * network.wrong()
                    data["bid"], data["ask"] = data["bid"] * times, data["ask"] * times
                case 2:
                    data["bid"] = data["ask"] = network.wrong()
                case 3:
                    data["bid"] = 0
                case 4:
                    data["ask"] = 2 ** (60 + network.wrong())
        return json.dumps(message)

    async def close(self) -> None:
        await self._inner.close()
