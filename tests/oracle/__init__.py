"""The whole engine again, in plain Python, to hold the one in Rust against.

It follows the pages of ``docs/engine`` and shares no code with ``src`` or ``crates``: whole
numbers and fractions, everything from scratch at every question. The layers build on each other:
state, books, exposure, forms, gate, life, venue, barrier, days, actions, states, targets, remote
and simulator.
"""

from oracle.numbers import InputError
from oracle.simulator import Oracle

__all__ = ["InputError", "Oracle"]
