"""An event loop whose time passes only when nothing is left to do; without sockets or threads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

START_NS = 1_704_067_200 * 10**9
"""2024-01-01, when virtual time begins."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time jumps to the next timer; waiting for nothing at all is an error."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual = 0.0
        self._clock_resolution = 1e-9
        self._selector = self

    def time(self) -> float:
        return self._virtual

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits, and no timer is set")
        self._virtual += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""


class LoopClock:
    """The time of a virtual loop, as a clock, which may be wrong by an offset."""

    def __init__(self, loop: asyncio.AbstractEventLoop, offset_ns: int = 0) -> None:
        self._loop, self.offset_ns = loop, offset_ns

    def now_ns(self) -> int:
        return START_NS + round(self._loop.time() * 1e9) + self.offset_ns


def run_virtually[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.001))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
