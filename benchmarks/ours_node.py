"""From a quote in the node's queue to its order on the wire, durable; the size is orders."""

import asyncio
from pathlib import Path
from time import perf_counter, perf_counter_ns

from _common import Found, main
from _journal import folder
from _node import Syncs, Wire, at, opened, quote, stop, timed_commits, until_trading

import quantvista

WARM = 200


async def _run(place: Path, orders: int, syncs: Syncs) -> list[tuple[int, int]]:
    """Nanoseconds of each order, and of its commit; one at a time, its reports heard."""
    wire = Wire()
    node = opened(place, 1, wire)
    running = asyncio.create_task(node.run())
    await until_trading(node)
    commits, found = timed_commits(node.journal), []
    for number in range(WARM + orders):
        wire.sent.clear()
        commits.clear()
        start = perf_counter_ns()
        node.post("delivery", quote(number))
        await wire.sent.wait()
        found.append((wire.submitted_at - start, commits[0]))
        while node.session.working():
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.001)
        syncs.sync()  # of a disk that has been left alone as long
        await asyncio.sleep(0.001)
    stop(node)
    await running
    node.journal.close()
    return found[WARM:]


def work(orders: int) -> Found:
    """Time orders, and between them syncs of the same disk."""
    with folder() as place:
        syncs = Syncs(place / "sync")
        start = perf_counter()
        found = asyncio.run(_run(place / "journal", orders, syncs))
        seconds = perf_counter() - start
        syncs.close()
    whole, beside = [each for each, _ in found], [each - commit for each, commit in found]
    times: dict[str, float] = {
        "p50": at(whole, 0.5),
        "p99": at(whole, 0.99),
        "p50 beside its commit": at(beside, 0.5),
        "one fdatasync p50": at(syncs.times, 0.5),
        "one fdatasync p99": at(syncs.times, 0.99),
    }
    return seconds, orders, quantvista.__version__, "", "", {}, at(beside, 0.99), times


if __name__ == "__main__":
    main(work)
