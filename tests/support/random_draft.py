"""A session while it is being drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from oracle import InputError, Oracle
from oracle.terms import Instrument
from support.random_worlds import HOUR, START

type Record = dict[str, Any]


@dataclass
class Step:
    """An input, and what the oracle says to it: outputs, or None for an error."""

    input: Record
    outputs: list[Record] | None


@dataclass
class Draft:
    """A session while it is being drawn."""

    seed: int
    random: Random
    config: Record
    oracle: Oracle
    prices: dict[int, int]
    steps: list[Step] = field(default_factory=list)
    ts: int = START + 9 * HOUR
    sequence: int = 0
    book_ids: int = 0
    remote: bool = False
    """Whether venues outside report, at the beginning of each step."""
    trades: list[Record] = field(default_factory=list)
    """What they have told of trades."""
    check: Callable[[Step], None] = lambda step: None

    def push(self, name: str, terms: object) -> bool:
        """Give the oracle an input; what it refuses must be refused by every engine."""
        self.sequence += 1
        input = {
            "ts_event": self.ts,
            "ts_received": self.ts,
            "source": 0,
            "sequence": self.sequence,
            "event": {name: terms},
        }
        try:
            outputs: list[Record] | None = self.oracle.apply(input)
        except InputError:
            outputs = None
        step = Step(input, outputs)
        self.steps.append(step)
        self.check(step)
        return outputs is not None

    def instrument(self) -> Instrument:
        return self.random.choice(self.oracle.instruments)

    def chance(self, p: float) -> bool:
        return self.random.random() < p
