"""Which faults can meet which states, and which of these pairs a life is steered to.

A pair is met by chance or, since some states last milliseconds only, on purpose: each seed has a
few pairs as its aims, and looks for moments at which one of them can be.
"""

from __future__ import annotations

from support.lives.faults import FAULTS, GUARD_ONLY, NODE_ONLY
from support.lives.guarding import GUARD_STATES
from support.lives.world import STATES

__all__ = ["GUARD_PAIRS", "IMPOSSIBLE", "PAIRS", "Aims"]

type Pair = tuple[str, str]

_BY_GUARD = "kill by the guard"
IMPOSSIBLE: dict[str, frozenset[Pair]] = {
    # Who is not there cannot be killed, and answers nobody.
    "node": frozenset((kind, "down") for kind in NODE_ONLY),
    "guard": frozenset((kind, "down") for kind in (*GUARD_ONLY, _BY_GUARD)),
}
"""Pairs that cannot be, by whose state it is."""

PAIRS = tuple(
    (kind, state) for kind in FAULTS for state in STATES if (kind, state) not in IMPOSSIBLE["node"]
)
"""All others of a fault and a state of the node."""

GUARD_PAIRS = tuple(
    (kind, state)
    for kind in FAULTS
    for state in GUARD_STATES
    if (kind, state) not in IMPOSSIBLE["guard"]
)
"""All others of a fault and a state of the guard."""

_SHARES = 40


class Aims:
    """The pairs that a life is steered to: each of all of them is an aim of one seed in forty.

    Parameters
    ----------
    seed : int
        Of the life.
    """

    def __init__(self, seed: int) -> None:
        self._node = set(PAIRS[seed % _SHARES :: _SHARES])
        self._guard = set(GUARD_PAIRS[seed % _SHARES :: _SHARES])

    def wants(self, state: str) -> bool:
        """Say whether any fault is still to meet a state of the node."""
        return any(each == state for _, each in self._node)

    def now(self, node: str, guard: str) -> list[str]:
        """Name the faults that are to happen in these states."""
        found = {kind for kind, state in self._node if state == node}
        found |= {kind for kind, state in self._guard if state == guard}
        return sorted(kind for kind in found if can_be(kind, node, guard))

    def met(self, kind: str, node: str, guard: str) -> None:
        """Take a pair off the list."""
        self._node.discard((kind, node))
        self._guard.discard((kind, guard))


def can_be(kind: str, node: str, guard: str) -> bool:
    """Say whether a fault can begin in these states."""
    return (kind, node) not in IMPOSSIBLE["node"] and (kind, guard) not in IMPOSSIBLE["guard"]
