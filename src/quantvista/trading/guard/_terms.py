"""What a guard guards, and what it stands on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from quantvista.fund import GuardSection
from quantvista.trading.gateway import Clock
from quantvista.trading.guard._seams import Halts, NodeHandle, Other
from quantvista.trading.guard.lease import LeaseWriter

__all__ = ["GuardTerms", "Seams"]


@dataclass(frozen=True, slots=True)
class GuardTerms:
    """What a guard guards.

    Parameters
    ----------
    fund, currency, time_zone : str
        As the fund file has them.
    section : GuardSection
        Thresholds.
    paper : frozenset of str
        Venues without real money, at which a drill may be held.
    opened_at : callable
        When the session began that a time is in, both in UTC nanoseconds; None outside of one,
        when no prices need come.
    encrypt : bool
        Whether the guard's journal must be encrypted.
    traded : frozenset of str
        Instruments of the fund. Money that none of them moves is not the fund's; without any, all
        that is on the accounts is.
    """

    fund: str
    currency: str
    time_zone: str
    section: GuardSection
    paper: frozenset[str] = frozenset()
    opened_at: Callable[[int], int | None] = lambda now_ns: 0
    encrypt: bool = False
    traded: frozenset[str] = frozenset()

    def day(self, now_ns: int) -> str:
        """Name the day of a time, in the fund's time zone."""
        since = timedelta(microseconds=now_ns // 1000)
        utc = datetime(1970, 1, 1, tzinfo=UTC) + since
        return utc.astimezone(ZoneInfo(self.time_zone)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Seams:
    """What a guard stands on."""

    node: NodeHandle
    lease: LeaseWriter
    clock: Clock
    halts: Halts
    others: Other
    disk_free: Callable[[], int | None]
