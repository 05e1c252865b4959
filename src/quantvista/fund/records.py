"""What runs write, numbers 400 to 499, and of what nodes write what explains a fund."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from quantvista.journal import KINDS, Body, Kind, Kinds
from quantvista.portfolio import Decision

__all__ = [
    "RUN_KINDS",
    "Computed",
    "Decided",
    "NodeClosed",
    "NodeOpened",
    "Restored",
    "RunEnded",
    "RunStarted",
]


class RunStarted(Body, frozen=True):
    """The first record: everything that the engine and its strategies were set up with.

    Parameters
    ----------
    fund : str
        Name of the fund.
    config : str
        The resolved fund file.
    engine : str
        Configuration of the engine, as JSON with whole numbers.
    fingerprint : dict
        Of data, fund, code and environment, as in ``summary.json``.
    """

    KIND: ClassVar[Kind] = Kind(400, "run_started", 1)

    fund: str
    config: str
    engine: str
    fingerprint: dict[str, Any]


class Decided(Body, frozen=True):
    """What a portfolio strategy decided; the target portfolio made of it follows.

    Parameters
    ----------
    sleeve : str
        Whose.
    known_ts : int
        Time of the newest bar that it saw, UTC ns.
    instruments : list of str
        In the order of what follows.
    forecast : list of float or None
        In [-1, 1]; None is no view.
    weights : list of float
        Shares of the sleeve's equity before rounding.
    """

    KIND: ClassVar[Kind] = Kind(401, "decided", 1)

    sleeve: str
    known_ts: int
    instruments: list[str]
    forecast: list[float | None]
    weights: list[float]

    @classmethod
    def of(
        cls, sleeve: str, known_ts: int, instruments: Sequence[str], decision: Decision
    ) -> "Decided":
        """Write down a decision of a sleeve."""
        return cls(
            sleeve=sleeve,
            known_ts=known_ts,
            instruments=list(instruments),
            forecast=[None if np.isnan(each) else float(each) for each in decision.forecast],
            weights=[float(each) for each in decision.weights],
        )


class RunEnded(Body, frozen=True):
    """The last record.

    Parameters
    ----------
    status : {"complete", "incomplete", "failed"}
        How it went.
    state_hash : str
        Of the engine at the end.
    error : str
        What stopped it, if anything did.
    """

    KIND: ClassVar[Kind] = Kind(402, "run_ended", 1)

    status: str
    state_hash: str
    error: str = ""


class NodeOpened(Body, frozen=True, omit_defaults=True):
    """A process began to write: durable before it sends anything.

    Parameters
    ----------
    fund : str
        Name of the fund.
    epoch : int
        Of client order ids, one more than the last.
    first_order : int
        The engine's number of the first order that belongs to this epoch.
    config : str
        The resolved fund file.
    engine : str
        Configuration of the engine, as JSON with whole numbers; only the first one's is used.
    fund_hash : str
        Of the fund file and the content of its strategies.
    fingerprint : dict
        Of code and environment.
    changes : tuple of str
        What is different from the fund file before.
    """

    KIND: ClassVar[Kind] = Kind(100, "node_opened", 1)

    fund: str
    epoch: int
    first_order: int
    config: str
    engine: str
    fund_hash: str
    fingerprint: dict[str, Any]
    changes: tuple[str, ...] = ()


class NodeClosed(Body, frozen=True):
    """A process ended in order, in this state of its engine."""

    KIND: ClassVar[Kind] = Kind(107, "node_closed", 1)

    state_hash: str


class Restored(Body, frozen=True):
    """The journal up to here came back out of a backup; its fund may have gone on elsewhere since.

    Parameters
    ----------
    backup_ts : int
        When the backup was made, UTC ns.
    epoch_floor : int
        The next epoch is above it, and so above all that were begun elsewhere since the backup.
    """

    KIND: ClassVar[Kind] = Kind(109, "restored", 1)

    backup_ts: int
    epoch_floor: int


class Computed(Body, frozen=True, omit_defaults=True):
    """A strategy is told what became of a computation; what it does about it comes next.

    Parameters
    ----------
    sleeve, number : int
        Which strategy asked, and which of its computations it is.
    name : str
        In the strategy's words.
    asked_ts : int
        When it was asked for, UTC ns.
    value : bytes
        MessagePack of what was returned.
    error : str
        Why there is no value; empty where there is one.
    """

    KIND: ClassVar[Kind] = Kind(113, "computed", 1)

    sleeve: int
    number: int
    name: str
    asked_ts: int
    value: bytes = b""
    error: str = ""


RUN_KINDS = KINDS | Kinds(
    (RunStarted, Decided, RunEnded, NodeOpened, NodeClosed, Restored, Computed)
)
"""What the journals of runs hold, and of nodes what is needed to do them again."""
