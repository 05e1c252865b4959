"""A killed node on its way back to trading; the size is the records behind its last snapshot."""

import asyncio
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time

from _common import Found, main
from _journal import folder
from _node import Wire, opened, quote, stop, until_trading

import quantvista
from quantvista.journal import verify

NTH = 100  # quotes to an order
_TURN = 1_000


async def fill(place: Path, records: int, **settings: int) -> None:
    """Write a journal with an order at every hundredth quote, and leave it as a kill does."""
    wire = Wire()
    node = opened(place, NTH, wire, **settings)
    running = asyncio.create_task(node.run())
    await until_trading(node)
    number = 0
    while node.journal.head.sequence < records:
        for _ in range(_TURN):
            node.post("delivery", quote(number))
            number += 1
        while node._inbox:  # so that the journal's batches are those of a busy market
            await asyncio.sleep(0)
    while node.session.working():
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    node.journal.close()


async def _back(place: Path) -> tuple[float, float, float, int]:
    """Seconds, and of a processor, until all is done again; until it trades; records."""
    start, busy = perf_counter(), process_time()
    node = opened(place, NTH, Wire())
    recovered, busy = perf_counter() - start, process_time() - busy
    running = asyncio.create_task(node.run())
    await until_trading(node)
    trading = perf_counter() - start
    records = node.past.replayed
    stop(node)
    await running
    node.journal.close()
    return recovered, busy, trading, records


def work(records: int) -> Found:
    """Write, lose the process, and come back: in this process, and in a new one."""
    with folder() as place:
        asyncio.run(fill(place, records))
        made = verify(place).records
        recovered, busy, trading, replayed = asyncio.run(_back(place))
        agreed = "all records" if replayed == made else f"{replayed} of {made} records"
        # The snapshot of the stop in order is what a new process goes on from.
        start = perf_counter()
        script = Path(__file__)
        subprocess.run([sys.executable, str(script), "--back", str(place)], check=True)
        process = perf_counter() - start
    times = {
        "processor time": busy * 1e9,
        "trading again": trading * 1e9,
        "from a snapshot, start of the process included": process * 1e9,
    }
    return recovered, replayed, quantvista.__version__, "", agreed, {}, 0, times


if __name__ == "__main__":
    if sys.argv[1] == "--back":
        asyncio.run(_back(Path(sys.argv[2])))
    else:
        main(work)
