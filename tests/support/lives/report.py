"""Many lives: run by several processes, counted, and what was not visited."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from support.lives.aims import GUARD_PAIRS, IMPOSSIBLE, PAIRS
from support.lives.faults import FAULTS
from support.lives.guarding import GUARD_STATES
from support.lives.life import Outcome, live
from support.lives.world import STATES

__all__ = ["Report", "run_many", "unvisited"]


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

    @property
    def guard_visited(self) -> Counter[tuple[str, str]]:
        """How often each fault began in each state of the guard."""
        total: Counter[tuple[str, str]] = Counter()
        for each in self.outcomes:
            total += each.guard_faults
        return total

    def table(self) -> str:
        """Faults by states of the node, and of the guard."""
        visited, guard = self.visited, self.guard_visited
        kinds = sorted({kind for kind, _ in visited} | set(FAULTS))
        width = max(map(len, kinds))
        head = " ".join(f"{each[:7]:>7}" for each in (*STATES, *GUARD_STATES))
        lines = [
            f"{'':<{width}} {'node':>7}{'guard':>{8 * len(STATES)}}",
            f"{'fault':<{width}} {head}",
        ]
        for kind in kinds:
            counts = [_cell(kind, each, visited, "node") for each in STATES]
            counts += [_cell(kind, each, guard, "guard") for each in GUARD_STATES]
            lines.append(f"{kind:<{width}} {' '.join(counts)}")
        return "\n".join(lines)


def _cell(kind: str, state: str, visited: Counter[tuple[str, str]], whose: str) -> str:
    found = visited[kind, state]
    return f"{'-' if (kind, state) in IMPOSSIBLE[whose] and not found else found:>7}"


def unvisited(report: Report) -> list[str]:
    """Name the pairs of a fault and a state that no seed came to."""
    visited, guard = report.visited, report.guard_visited
    found = [f"{kind} while {state}" for kind, state in PAIRS if not visited[kind, state]]
    return found + [
        f"{kind} while the guard is at {state}"
        for kind, state in GUARD_PAIRS
        if not guard[kind, state]
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
