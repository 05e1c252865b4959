"""What a node is set up with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantvista.engine import Session
from quantvista.fund.desk import DecisionSchedule, Desk, LiveBars
from quantvista.market import Instrument
from quantvista.trading.gateway import Gateway

__all__ = ["NodeSettings", "NodeSetup", "VenueLink"]


@dataclass(frozen=True, slots=True)
class VenueLink:
    """A venue that the fund trades at.

    Parameters
    ----------
    id : str
        Its name in the fund.
    gateway : Gateway
        The way there; not connected yet.
    instruments : tuple of str
        That trade there.
    adopt_into : int
        Sleeve that gets what is nobody's.
    refuses_manual : bool
        Whether trades and orders that are not ours stop new risk until a person resumes.
    was_used : bool
        Whether something had happened on the account before the journal began: orders of a fund
        of this name may have been there, whose ids must not come again.
    """

    id: str
    gateway: Gateway
    instruments: tuple[str, ...]
    adopt_into: int = 0
    refuses_manual: bool = False
    was_used: bool = False


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How often a node does what.

    Parameters
    ----------
    sync_ns : int
        Longest that market data without consequences wait to be durable.
    reconcile_ns : int
        Between two comparisons with each venue.
    retry_ns : int
        Between two comparisons while something differs.
    snapshot_records : int
        Records of the journal between two snapshots.
    skew_ns : int
        How far the machine's clock may be behind the newest event, and a venue's from ours,
        before nothing new is risked.
    bar_delay_ns : int
        How long after a close bars are waited for.
    """

    sync_ns: int = 50_000_000
    reconcile_ns: int = 30_000_000_000
    retry_ns: int = 1_000_000_000
    snapshot_records: int = 25_000
    skew_ns: int = 2_000_000_000
    bar_delay_ns: int = 5_000_000_000


@dataclass(frozen=True, slots=True)
class NodeSetup:
    """A fund, ready to be run.

    Parameters
    ----------
    fund : str
        Its name.
    config : mapping
        Of the engine.
    instruments : sequence of Instrument
        In the engine's order.
    calendar, time_zone : str
        Of the fund.
    resolved : str
        The fund file, resolved.
    fund_hash : str
        Of it and its strategies.
    fingerprint : mapping
        Of code and environment.
    desk : callable
        Makes the strategies' place at a session, on bars if there are.
    bars : callable
        Makes what portfolio strategies look back on, as of the first start; None where none do.
    schedule : DecisionSchedule or None
        When they decide.
    """

    fund: str
    config: Mapping[str, Any]
    instruments: Sequence[Instrument]
    calendar: str
    time_zone: str
    resolved: str
    fund_hash: str
    fingerprint: Mapping[str, Any]
    desk: Callable[[Session, LiveBars | None], Desk]
    bars: Callable[[], LiveBars | None] = lambda: None
    schedule: DecisionSchedule | None = None

    @property
    def sleeves(self) -> list[str]:
        """Names of the sleeves, in the engine's order."""
        return [each["id"] for each in self.config["sleeves"]]

    @property
    def currencies(self) -> list[str]:
        """Codes, in the engine's order."""
        return [each["code"] for each in self.config["currencies"]]
