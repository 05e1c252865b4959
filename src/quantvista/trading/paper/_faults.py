"""Faults on demand: what goes wrong between a venue and who trades there."""

import random
from dataclasses import dataclass, field

from quantvista.errors import ConfigError

__all__ = ["FAULTS", "PLACES", "Fault", "Faults"]

FAULTS = {
    "drop": "lose it: a request before it is looked at, an answer or a message after",
    "delay": "hold it back for `delay_ms`",
    "duplicate": "do it twice: a request, or a message",
    "reorder": "hand a message out after the next one",
    "reject": "refuse a command with `reason`, without looking at it",
    "error": "take a command and answer 500",
    "lie": "say that an order is in the state `status`, or `unknown`",
    "disconnect": "cut all streams, and answer nobody for `seconds`",
    "halt": "halt `instrument`, or all",
    "resume": "let `instrument` trade again, or all",
    "trade": "trade by hand on `account`: `side`, `quantity` of `instrument`",
    "bust": "undo the fill `trade_id` of `account`",
}
"""Kinds of faults, and what they do."""

PLACES = {
    "submit": ("drop", "delay", "duplicate", "reject", "error"),
    "cancel": ("drop", "delay", "duplicate", "reject", "error"),
    "amend": ("drop", "delay", "duplicate", "reject", "error"),
    "query": ("drop", "delay", "error", "lie"),
    "answer": ("drop", "delay"),
    "report": ("drop", "delay", "duplicate", "reorder"),
    "market": ("drop", "delay", "duplicate", "reorder"),
}
"""Where faults can be: requests by what they ask, answers to commands, messages of streams."""


@dataclass(slots=True)
class Fault:
    """A fault that waits for its chance.

    Parameters
    ----------
    kind : str
        One of those that `PLACES` has.
    on : str
        Where, a key of `PLACES`.
    count : int or None
        How often; None for always.
    probability : float
        Of each time.
    delay_ns : int
        For ``delay``.
    reason, status : str
        For ``reject`` and ``lie``.
    """

    kind: str
    on: str
    count: int | None = 1
    probability: float = 1.0
    delay_ns: int = 1_000_000_000
    reason: str = "refused"
    status: str = "cancelled"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.on not in PLACES:
            raise ConfigError(f"`on` must be one of {', '.join(PLACES)}; found {self.on!r}")
        if self.kind not in PLACES[self.on]:
            rule = f"must be one of {', '.join(PLACES[self.on])} on {self.on}"
            raise ConfigError(f"`kind` {rule}; found {self.kind!r}")
        if not 0 < self.probability <= 1:
            raise ConfigError(f"`probability` must be in (0, 1]; found {self.probability}")
        if self.count is not None and self.count < 1:
            raise ConfigError(f"`count` must be at least 1; found {self.count}")
        if self.delay_ns < 0:
            raise ConfigError(f"`delay_ns` must not be negative; found {self.delay_ns}")


@dataclass(slots=True)
class Faults:
    """All faults of a venue; the same for the same seed and the same traffic.

    Parameters
    ----------
    seed : int
        Of what has a probability.
    """

    seed: int = 0
    armed: list[Fault] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    away_until: int = 0

    def __post_init__(self) -> None:
        """Begin with the seed."""
        self._random = random.Random(self.seed)

    _random: random.Random = field(init=False, repr=False)

    def arm(self, fault: Fault) -> None:
        """Let a fault wait for its chance, behind those that wait already."""
        self.armed.append(fault)

    def clear(self) -> None:
        """Forget all faults that wait."""
        self.armed.clear()
        self.away_until = 0

    def pick(self, on: str) -> Fault | None:
        """Find what goes wrong here and now, if anything does."""
        for fault in self.armed:
            if fault.on != on:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            if fault.count is not None:
                fault.count -= 1
                if not fault.count:
                    self.armed.remove(fault)
            self.note(f"{fault.kind} {on}")
            return fault
        return None

    def note(self, what: str) -> None:
        """Count what happened."""
        self.happened[what] = self.happened.get(what, 0) + 1
