"""Many lives: run by several processes, counted, and what was not visited."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from support.lives.faults import FAULTS, NODE_ONLY
from support.lives.life import Outcome, live
from support.lives.world import STATES

__all__ = ["Report", "run_many", "unvisited"]

IMPOSSIBLE = {(kind, "down") for kind in NODE_ONLY}
"""What cannot be: who is not there cannot be killed or asked."""


@dataclass
class Report:
    """What many seeds came to."""

    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)

    @property
    def visited(self) -> Counter[tuple[str, str]]:
        """How often each fault began in each state of the node."""
        total: Counter[tuple[str, str]] = Counter()
        for each in self.outcomes:
            total += each.faults
        return total

    def summary(self) -> str:
        """The last line."""
        orders = sum(each.orders for each in self.outcomes)
        faults = self.visited.total()
        seeds = len(self.outcomes) + len(self.failures)
        return f"{seeds} seeds, {orders} orders, {faults} faults, {len(self.failures)} violations"

    def table(self) -> str:
        """Faults by states of the node."""
        visited = self.visited
        kinds = sorted({kind for kind, _ in visited} | set(FAULTS))
        width = max(map(len, kinds))
        head = " ".join(f"{each[:11]:>11}" for each in STATES)
        lines = [f"{'fault':<{width}} {head}"]
        for kind in kinds:
            counts = " ".join(_cell(kind, state, visited) for state in STATES)
            lines.append(f"{kind:<{width}} {counts}")
        return "\n".join(lines)


def _cell(kind: str, state: str, visited: Counter[tuple[str, str]]) -> str:
    found = visited[kind, state]
    return f"{'-' if (kind, state) in IMPOSSIBLE and not found else found:>11}"


def unvisited(report: Report) -> list[str]:
    """Name the pairs of a fault and a state that no seed came to."""
    visited = report.visited
    return [
        f"{kind} while {state}"
        for kind in FAULTS
        for state in STATES
        if (kind, state) not in IMPOSSIBLE and not visited[kind, state]
    ]


def one(seed: int) -> Outcome | tuple[int, str]:
    """Run a life; a failure comes back in words."""
    logging.disable(logging.CRITICAL)
    try:
        return live(seed)
    except BaseException as error:
        return seed, f"{type(error).__name__}: {error}"


def run_many(seeds: Iterable[int], processes: int) -> Iterator[Outcome | tuple[int, str]]:
    """Run seeds, in any number of processes; their results in the order of the seeds."""
    if processes == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one, seeds, chunksize=1)
