"""What a node writes beside the inputs and outputs of its engine. Numbers 100 to 199 are nodes'."""

from typing import ClassVar

import msgspec

from quantvista.fund.records import RUN_KINDS, Computed, NodeClosed, NodeOpened
from quantvista.journal import Body, Kind, Kinds

__all__ = [
    "NODE_KINDS",
    "Answered",
    "Commanded",
    "Computed",
    "DayBegan",
    "Doubted",
    "Flowed",
    "Heard",
    "Held",
    "NodeClosed",
    "NodeOpened",
    "NodeState",
    "Reconciled",
    "StrategyFailed",
    "Woken",
]


class Heard(Body, frozen=True, omit_defaults=True):
    """Reports of a venue up to this number are in the journal, in the inputs before.

    Parameters
    ----------
    venue : str
        Which.
    sequence : int
        The number.
    money : dict of str to str
        Where a fund trades at several venues: what must be at this one by then, by currency in
        1e-12; empty before the account was compared for the first time.
    opened : dict of str to (int, str)
        Quantity and cost of what is open there in instruments that only pay differences.
    """

    KIND: ClassVar[Kind] = Kind(101, "heard", 1)

    venue: str
    sequence: int
    money: dict[str, str] = msgspec.field(default_factory=dict)
    opened: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)


class Woken(Body, frozen=True):
    """Timers up to the record's time fired after the inputs before."""

    KIND: ClassVar[Kind] = Kind(102, "woken", 1)


class Reconciled(Body, frozen=True, omit_defaults=True):
    """An account at a venue was compared with the books.

    Parameters
    ----------
    venue : str
        Which.
    sequence : int
        The venue's last report in what was compared.
    differences : tuple of str
        In words; none if all agrees.
    """

    KIND: ClassVar[Kind] = Kind(103, "reconciled", 1)

    venue: str
    sequence: int
    differences: tuple[str, ...] = ()


class Held(Body, frozen=True, omit_defaults=True):
    """A reason for taking no new risk began, or ended where ``on`` is false."""

    KIND: ClassVar[Kind] = Kind(104, "held", 1)

    reason: str
    on: bool
    text: str = ""


class Commanded(Body, frozen=True, omit_defaults=True):
    """A person or another process asked for something; the operator's input follows."""

    KIND: ClassVar[Kind] = Kind(105, "commanded", 1)

    command: str
    by: str
    reason: str = ""


class Answered(Body, frozen=True, omit_defaults=True):
    """What a venue answered to a command, where it was not that it has it.

    Parameters
    ----------
    order : int
        The engine's number.
    command : {"submit", "cancel"}
        To what.
    answer : {"rejected", "unknown", "absent", "not_sent"}
        ``absent``: asked after an unknown one, the venue never had it.
    text : str
        In its words.
    """

    KIND: ClassVar[Kind] = Kind(106, "answered", 1)

    order: int
    command: str
    answer: str
    text: str = ""


class StrategyFailed(Body, frozen=True):
    """Code of a strategy raised: no strategy of the fund is called any more."""

    KIND: ClassVar[Kind] = Kind(108, "strategy_failed", 1)

    text: str


class Doubted(Body, frozen=True):
    """Something about a venue began that only a person can judge, or one has judged it.

    Parameters
    ----------
    venue : str
        Which.
    cause : {"foreign", "forgot", "unbooked"}
        Somebody else trades on the account; the venue has lost its memory; it told of something
        that the books cannot hold.
    on : bool
        False once a person has resumed.
    """

    KIND: ClassVar[Kind] = Kind(110, "doubted", 1)

    venue: str
    cause: str
    on: bool


class Flowed(Body, frozen=True, omit_defaults=True):
    """Money came to an account or left it without a trade; the inputs that book it come before.

    Parameters
    ----------
    venue : str
        Where; empty where only something is booked that was owed.
    currency : str
        Of the money.
    amount : str
        What the venue said, signed, in 1e-12.
    cause : str
        In the venue's words: ``deposit``, ``withdrawal``, ``interest`` ...
    parts : tuple of (int, str)
        Sleeves, and what was booked to each. What an engine does not take at once, for orders
        hold it, is owed, and booked later.
    worth : str or None
        Of what was booked, in the fund's currency; None while that is not known.
    between : str
        The venue where the other half of a transfer was.
    """

    KIND: ClassVar[Kind] = Kind(111, "flowed", 1)

    venue: str
    currency: str
    amount: str
    cause: str
    parts: tuple[tuple[int, str], ...] = ()
    worth: str | None = None
    between: str = ""


class DayBegan(Body, frozen=True, omit_defaults=True):
    """A day of the fund began, or what it began with has a price by now.

    Parameters
    ----------
    equity : str
        Of the fund then, in 1e-12.
    unpriced : dict of str to str
        Money that is not in it, for it had no price yet, by currency in 1e-12.
    """

    KIND: ClassVar[Kind] = Kind(112, "day_began", 1)

    equity: str
    unpriced: dict[str, str] = msgspec.field(default_factory=dict)


class NodeState(msgspec.Struct, frozen=True):
    """A snapshot of a node: all that its journal up to there leads to.

    Parameters
    ----------
    session : bytes
        Engine, views, timers, strategies.
    epochs : list of (int, int)
        Each epoch with the number of its first order.
    heard : dict of str to int
        Last report of each venue.
    owners : list of (int, int, int)
        Order, sleeve and instrument, of the newest orders.
    reduced : bool
        Whether the node itself took the fund to reducing, and may undo that.
    day : (int, str)
        When the day of the fund began, and its equity then, with what was brought since.
    first : NodeOpened
        What the journal began with.
    last : NodeOpened
        What the newest process said.
    failed : str
        What went wrong in a strategy, if anything did.
    bars : bytes
        What portfolio strategies look back on; empty where none do.
    closes : tuple of (int, float)
        Of bars since the last barrier, by place.
    adopted : tuple of (str, str, int, int, int)
        How trades that are nobody's were divided, as `Adoption.known` has it.
    doubts : tuple of (str, str)
        Venue and cause of what a person is to judge, as `Doubted` has it.
    unpriced, owed, waiting, purses
        Of money, as `Cash.state` has them.
    """

    VERSION: ClassVar[int] = 1

    session: bytes
    epochs: list[tuple[int, int]]
    heard: dict[str, int]
    owners: list[tuple[int, int, int]]
    reduced: bool
    day: tuple[int, str]
    first: NodeOpened
    last: NodeOpened
    failed: str = ""
    bars: bytes = b""
    closes: tuple[tuple[int, float], ...] = ()
    adopted: tuple[tuple[str, str, int, int, int], ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    unpriced: dict[str, str] = msgspec.field(default_factory=dict)
    owed: tuple[tuple[str, bool, str], ...] = ()
    waiting: tuple[tuple[int, Flowed], ...] = ()
    purses: tuple[Heard, ...] = ()

    def encode(self) -> bytes:
        """Write it as MessagePack."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "NodeState":
        """Read what `encode` wrote."""
        return _DECODER.decode(content)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(NodeState)

NODE_KINDS = RUN_KINDS | Kinds(
    (
        Heard,
        Woken,
        Reconciled,
        Held,
        Commanded,
        Answered,
        StrategyFailed,
        Doubted,
        Flowed,
        DayBegan,
    )
)
"""What the journal of a node holds."""
