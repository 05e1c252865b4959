"""A supervisor over stand-ins, as a process: ``python -m support.supervised STATE NAME:TRAITS``.

Traits are those of ``support.stand_in``, divided by commas; READY_S is how long a start may take,
CHECK_S how often it is asked from then on.
"""

import asyncio
import os
import sys
from pathlib import Path

from quantvista.trading.control import Place
from quantvista.trading.supervisor import Program, Supervisor, Timing

TESTS = Path(__file__).parents[1]
QUICK = Timing(
    ready_s=float(os.environ.get("READY_S", "10")),
    back_off_s=0.05,
    back_off_max_s=0.2,
    healthy_s=60.0,
    failures_max=4,
    stop_s=1.0,
    term_s=0.5,
    look_s=0.02,
    check_s=float(os.environ.get("CHECK_S", "10")),
    silences_max=1,
)


def programs(state: Path, words: list[str]) -> list[Program]:
    found = []
    for word in words:
        name, _, traits = word.partition(":")
        command = (sys.executable, "-m", "support.stand_in", name, "--state", str(state))
        every = tuple(traits.split(",")) if traits else ()
        found.append(Program(name, (*command, *every), TESTS, takes_stop=name == "node"))
    return found


def main() -> None:
    state, *words = sys.argv[1:]

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    async def run() -> int:
        return await Supervisor(Place(Path(state)), programs(Path(state), words), say, QUICK).run()

    sys.exit(asyncio.run(run()))


if __name__ == "__main__":
    main()
