"""A killed node with a whole day behind it; the size is the records of its journal."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from _common import Found, main
from _journal import folder
from _node import Wire, opened, until_trading
from ours_node_recovery import NTH, fill

import quantvista
from quantvista.trading.node import NodeSettings

EVERY = NodeSettings().snapshot_records


async def _back(place: Path) -> None:
    """Come back as a new process does, and say how it went."""
    start = perf_counter()
    node = opened(place, NTH, Wire(), snapshot_records=EVERY)
    recovered = perf_counter() - start
    running = asyncio.create_task(node.run())
    await until_trading(node)
    print(json.dumps([recovered, node.past.replayed, node.journal.head.sequence]))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    node.journal.close()


def work(records: int) -> Found:
    """Write the day with the snapshots of a running fund, lose the process, and come back."""
    with folder() as place:
        start = perf_counter()
        asyncio.run(fill(place, records, snapshot_records=EVERY))
        written = perf_counter() - start
        size = sum(each.stat().st_size for each in place.rglob("*") if each.is_file())
        start = perf_counter()
        words = [sys.executable, str(Path(__file__)), "--back", str(place)]
        answer = subprocess.run(words, check=True, capture_output=True, text=True)
        trading = perf_counter() - start
    recovered, replayed, last = json.loads(answer.stdout)
    agreed = f"{last} records, {replayed} of them behind the snapshot, {size / 1e9:.2f} GB"
    times = {"recovered": recovered * 1e9, "writing the day": written * 1e9}
    return trading, last, quantvista.__version__, "", agreed, {}, 0, times


if __name__ == "__main__":
    if sys.argv[1] == "--back":
        asyncio.run(_back(Path(sys.argv[2])))
    else:
        main(work)
