"""A process that takes the place of a node or a guard below a supervisor.

``python -m support.stand_in NAME [FUND] --state DIR [TRAIT ...]`` answers on its control socket and
writes what happens to it into ``DIR/history``. Traits, also in the variable NAME_TRAITS, divided by
commas: ``never`` is never ready; ``fail=CODE`` ends at once; ``once=CODE`` does so at its first
start alone; ``deaf`` obeys neither its socket nor SIGTERM; ``late`` does not obey its socket;
``silent`` listens and does not answer; ``refuses=COMMAND`` refuses that one.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from quantvista.trading.control import ControlServer, Place


def wrote(place: Place, text: str) -> None:
    with (place.folder / "history").open("a") as file:
        file.write(text + "\n")


async def serve(name: str, place: Place, traits: set[str]) -> None:
    stopped = asyncio.Event()
    heard: list[str] = []

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        command = request["command"]
        if "silent" in traits:
            await asyncio.sleep(60)
        if command == "stop" and not traits & {"deaf", "late"}:
            stopped.set()
        if command in ("halt", "reduce", "resume", "flatten"):
            heard.append(f"{command} {request['by']} {request['reason']}".strip())
            wrote(place, f"{name} {heard[-1]}")
        if f"refuses={command}" in traits:
            return {"ok": False, "error": "not clean; wait"}
        return {"ok": True, "pid": os.getpid(), "health": "trading", "fund": "stand-in"}

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, (lambda: None) if "deaf" in traits else stopped.set)
    if "never" in traits:
        await stopped.wait()
        return
    async with ControlServer(place.socket(name), answer):
        place.announce(name, epoch=1)
        await stopped.wait()
    place.withdraw(name)


def main() -> None:
    name, *rest = sys.argv[1:]
    where = rest.index("--state")
    place = Place(Path(rest[where + 1]))
    traits = {*rest[where + 2 :], *os.environ.get(f"{name.upper()}_TRAITS", "").split(",")}
    wrote(place, f"{name} start")
    sys.stdout.write(f"{name} says hello\n")
    for each in traits:
        trait, _, value = each.partition("=")
        first = place.folder / f"{name}-was-here"
        if trait == "fail" or (trait == "once" and not first.exists()):
            first.touch()
            sys.stdout.write(f"{name} has a reason\n")
            sys.exit(int(value))
    asyncio.run(serve(name, place, traits))
    wrote(place, f"{name} end")


if __name__ == "__main__":
    main()
