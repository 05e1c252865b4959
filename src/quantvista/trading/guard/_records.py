"""What the guard writes down, before it does it: record kinds 300 to 399."""

from enum import IntEnum
from typing import ClassVar

from msgspec import field

from quantvista.fund.records import Restored
from quantvista.journal import Body, Kind, Kinds

__all__ = [
    "KINDS",
    "Answered",
    "Asked",
    "Began",
    "Cancelling",
    "Escalated",
    "Level",
    "Noticed",
    "Permitted",
    "Sent",
    "Started",
    "Stepped",
    "Valued",
]


class Level(IntEnum):
    """How far the guard has gone; only a person takes it back."""

    WATCH = 0
    ALERT = 1
    REDUCE = 2
    HALT = 3
    FLATTEN = 4

    @property
    def word(self) -> str:
        """Its name in files and answers."""
        return self.name.lower()


class Started(Body, frozen=True):
    """A guard began; its epoch is in all its order ids."""

    KIND: ClassVar = Kind(300, "guard_started", 1)

    fund: str
    epoch: int


class Permitted(Body, frozen=True, omit_defaults=True):
    """The permission of the node changed: given, not renewed, or over."""

    KIND: ClassVar = Kind(301, "guard_lease", 1)

    state: str
    node_epoch: int | None = None
    why: tuple[str, ...] = ()


class Noticed(Body, frozen=True, omit_defaults=True):
    """A trigger is above its limit, or no longer."""

    KIND: ClassVar = Kind(302, "guard_finding", 1)

    trigger: str
    level: int
    text: str = ""
    is_over: bool = False


class Escalated(Body, frozen=True, omit_defaults=True):
    """From now on this level holds; 0 is a person's ``resume``."""

    KIND: ClassVar = Kind(303, "guard_level", 1)

    level: int
    trigger: str
    text: str = ""
    by: str = "guard"


class Stepped(Body, frozen=True, omit_defaults=True):
    """A step of what is done about it began, is done, or waits for something."""

    KIND: ClassVar = Kind(304, "guard_step", 1)

    step: str
    state: str
    venue: str = ""
    text: str = ""


class Sent(Body, frozen=True, omit_defaults=True):
    """An order of the guard's own, durable before it leaves.

    ``held`` is what there was when its quantity was chosen: never less.
    """

    KIND: ClassVar = Kind(305, "guard_order", 1)

    client_order_id: str
    venue: str
    instrument: str
    side: str
    quantity: int
    held: int
    limit_price: int | None = None
    reduce_only: bool = False
    purpose: str = "flatten"


class Answered(Body, frozen=True, omit_defaults=True):
    """What became of it; ``unknown`` is followed by what asking found."""

    KIND: ClassVar = Kind(306, "guard_answer", 1)

    client_order_id: str
    state: str
    text: str = ""


class Cancelling(Body, frozen=True):
    """Orders that are about to be cancelled."""

    KIND: ClassVar = Kind(307, "guard_cancel", 1)

    venue: str
    orders: list[str]


class Began(Body, frozen=True):
    """What an account held when a guard saw it first, in 1e-12 by currency."""

    KIND: ClassVar = Kind(308, "guard_began", 1)

    venue: str
    balances: dict[str, str]


class Valued(Body, frozen=True, omit_defaults=True):
    """How the account stood; money in 1e-12, as text since it may need more than 64 bits.

    ``venues`` has the number of the last report of each, and what is open by instrument: the
    quantity and what it cost, in 1e-12. ``prices`` are those that could be built upon, by venue and
    instrument: twice each, in units of its precision.
    """

    KIND: ClassVar = Kind(309, "guard_valued", 1)

    equity: str | None
    highest: str | None
    day: str
    day_start: str | None
    venues: dict[str, tuple[int, dict[str, tuple[int, str]]]]
    prices: dict[str, dict[str, int]] = field(default_factory=dict)


class Asked(Body, frozen=True, omit_defaults=True):
    """What a person or another process asked for, and the answer."""

    KIND: ClassVar = Kind(310, "guard_command", 1)

    command: str
    by: str
    reason: str = ""
    refused: str = ""


KINDS = Kinds(
    (
        Started,
        Permitted,
        Noticed,
        Escalated,
        Stepped,
        Sent,
        Answered,
        Cancelling,
        Began,
        Valued,
        Asked,
        Restored,
    )
)
"""The guard's own kinds."""
