"""A process that answers as a node does, and sends nothing: ``python fake_node.py STATE``."""

import asyncio
import sys
import time
from typing import Any

from quantvista.trading.control import ControlServer, Place


async def main(place: Place) -> None:
    state = "active"

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal state
        words = {"halt": "halted", "reduce": "reduce_only", "resume": "active"}
        state = words.get(request["command"], state)
        health = "trading" if state == "active" else "halted"
        now = time.time_ns()
        return {"ok": True, "epoch": 1, "now": now, "state": state, "health": health}

    async with ControlServer(place.socket("node"), handle):
        place.announce("node", 1)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Place(sys.argv[1])))
