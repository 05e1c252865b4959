"""What a node remembers of money beside the engine: purses, flows, and how the day began."""

from collections.abc import Mapping, Sequence

from quantvista.trading.node._bodies import DayBegan, Flowed, Heard
from quantvista.trading.node._purse import Purse

__all__ = ["FLOWS", "Cash", "Parts"]

FLOWS = frozenset({"deposit", "withdrawal"})
"""Causes of money that somebody brought or took; all else is earned or paid."""

type Parts = tuple[tuple[int, int], ...]
"""Sleeves, and what was booked to each in 1e-12."""

_E12 = 10**12
_WAITS_NS = 7 * 86_400 * 10**9
_WAITING_MAX = 100


class Cash:
    """Follows the records about money, the same while they are written and when they are read.

    Attributes
    ----------
    purses : dict of str to Purse
        By venue.
    owed : dict of (str, bool) to int
        What venues said and the engine has not taken yet, by currency and whether it is a flow.
    waiting : list of Flowed
        Deposits and withdrawals that may yet turn out to be one half of a transfer.
    day : (int, int)
        When the day of the fund began, UTC ns, and its equity then, in 1e-12; what somebody has
        brought since is part of it.
    unpriced : dict of str to int
        Money that the day began with and that had no price, in 1e-12.
    """

    def __init__(self) -> None:
        self.purses: dict[str, Purse] = {}
        self.owed: dict[tuple[str, bool], int] = {}
        self.waiting: list[tuple[int, Flowed]] = []
        self.day: tuple[int, int] = (0, 0)
        self.unpriced: dict[str, int] = {}

    def purse(self, venue: str) -> Purse:
        """Of a venue."""
        return self.purses.setdefault(venue, Purse())

    # -- records ---------------------------------------------------------------
    def heard(self, heard: Heard) -> None:
        """Take what must be at a venue, where a record says it."""
        if heard.money:
            self.purse(heard.venue).hear(heard.money, heard.opened)

    def began(self, began: DayBegan, ts: int) -> None:
        """Begin a day, or learn what it began with."""
        self.day = (ts, int(began.equity))
        self.unpriced = {code: int(amount) for code, amount in began.unpriced.items()}

    def flowed(self, flowed: Flowed, ts: int) -> None:
        """Take money that came or went without a trade."""
        code, is_flow = flowed.currency, flowed.cause in FLOWS
        booked = sum(int(amount) for _, amount in flowed.parts)
        left = self.owed.pop((code, is_flow), 0) + int(flowed.amount) - booked
        if left:
            self.owed[code, is_flow] = left
        if not is_flow:
            return
        if flowed.worth is None:
            self.unpriced[code] = self.unpriced.get(code, 0) + booked
        else:
            self.day = (self.day[0], self.day[1] + int(flowed.worth))
        if flowed.between:
            half = (flowed.between, code, -int(flowed.amount))
            found = [at for at, each in enumerate(self.waiting) if _half(each[1]) == half]
            if found:
                del self.waiting[found[-1]]
        elif flowed.venue:
            self.waiting.append((ts, flowed))
        self.waiting = [each for each in self.waiting if ts - each[0] < _WAITS_NS]
        del self.waiting[:-_WAITING_MAX]

    # -- questions -------------------------------------------------------------
    def other_half(self, venue: str, code: str, amount: int) -> Flowed | None:
        """Find the newest flow elsewhere that went the other way; None if there is none.

        Parameters
        ----------
        venue : str
            Where money came or went now.
        code : str
            Currency.
        amount : int
            Signed, in 1e-12.
        """
        for _, each in reversed(self.waiting):
            if (each.currency, int(each.amount)) == (code, -amount) and each.venue != venue:
                return each
        return None

    def priced(self, codes: Sequence[str], rates: Sequence[int | None]) -> DayBegan | None:
        """Add what had no price when the day began, at the first that it has; None if none came."""
        equity, unpriced = self.day[1], dict(self.unpriced)
        for code, rate in zip(codes, rates, strict=True):
            if rate is not None and code in unpriced:
                equity += unpriced.pop(code) * rate // _E12
        if len(unpriced) == len(self.unpriced):
            return None
        return DayBegan(str(equity), {code: str(amount) for code, amount in unpriced.items()})

    # -- snapshots -------------------------------------------------------------
    def state(self) -> dict[str, object]:
        """Write it as fields of a snapshot."""
        return {
            "day": (self.day[0], str(self.day[1])),
            "unpriced": {code: str(amount) for code, amount in self.unpriced.items()},
            "owed": tuple((*which, str(amount)) for which, amount in self.owed.items()),
            "waiting": tuple(self.waiting),
            "purses": tuple(
                Heard(venue, 0, **purse.said())  # type: ignore[arg-type]
                for venue, purse in self.purses.items()
                if purse.money is not None
            ),
        }

    def resume(
        self,
        day: tuple[int, str],
        unpriced: Mapping[str, str],
        owed: Sequence[tuple[str, bool, str]],
        waiting: Sequence[tuple[int, Flowed]],
        purses: Sequence[Heard],
    ) -> None:
        """Take what `state` wrote."""
        self.day = (day[0], int(day[1]))
        self.unpriced = {code: int(amount) for code, amount in unpriced.items()}
        self.owed = {(code, is_flow): int(amount) for code, is_flow, amount in owed}
        self.waiting = list(waiting)
        for each in purses:
            self.heard(each)


def _half(flowed: Flowed) -> tuple[str, str, int]:
    return flowed.venue, flowed.currency, int(flowed.amount)
