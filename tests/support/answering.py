"""Control sockets that answer from a thread, for tests of who asks."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from quantvista.trading.control import ControlServer, Place

type Answers = Mapping[str, dict[str, Any] | None]
"""By command; None for no answer at all."""


@contextlib.contextmanager
def answering(place: Place, name: str, answers: Answers) -> Iterator[list[dict[str, Any]]]:
    """Answer on the socket of a name while the block lasts; gives what was asked."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.new_event_loop()

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        heard.append(request)
        found = answers.get(request["command"], {"ok": False, "error": "not now; wait"})
        if found is None:
            await asyncio.sleep(60)
            raise AssertionError("nobody waits so long")
        return found

    place.make()
    server = ControlServer(place.socket(name), answer)
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, name=f"answering {name}")
    thread.start()
    try:
        yield heard
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
