"""What all accounts are worth, and from what a fall and the loss of a day are counted."""

from collections.abc import Iterable, Sequence

from quantvista.trading.guard._views import VenueView
from quantvista.trading.guard._worth import Pair, convert

__all__ = ["Worth", "total"]


class Worth:
    """The worth of a fund, in 1e-12 of its currency.

    Parameters
    ----------
    currency : str
        Of the fund.

    Attributes
    ----------
    equity : int or None
        By the last price of everything, so that a loss is seen at once.
    sure : int or None
        By the last prices that other ones confirm; None while anything has none.
    highest, day_start : int or None
        The most that ``sure`` was, and what it was when ``day`` began. Both rest upon nothing
        else, so that no single price that was wrong is remembered.
    known_at : float or None
        When both were known last for the day that it was, in seconds of the loop.
    """

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.equity: int | None = None
        self.sure: int | None = None
        self.valued_at: float | None = None
        self.highest: int | None = None
        self.day = ""
        self.day_start: int | None = None
        self.known_at: float | None = None
        self._waiting: list[tuple[str, int]] = []
        self._moved = 0

    @property
    def is_waiting(self) -> bool:
        """Whether money came or went of which it is not known yet what it was worth."""
        return bool(self._waiting)

    @property
    def least(self) -> int | None:
        """The lower of both: a price that jumps up alone hides no loss."""
        if self.equity is None or self.sure is None:
            return self.equity
        return min(self.equity, self.sure)

    def lost(self, since: int) -> int:
        """Say how much is lost since it was worth so much, what came and went left aside."""
        assert self.least is not None, "it has a worth"
        return since + self._moved - self.least

    def begin_anew(self, *, with_day: bool) -> None:
        """Count a fall from now on; a day's loss, too, where the account is not what it was."""
        self.highest = self.sure
        if with_day:
            self.day_start = self.sure

    def value(
        self,
        at: float,
        day: str,
        venues: Sequence[VenueView],
        flows: Iterable[tuple[str, int]],
    ) -> None:
        """Value all accounts.

        Parameters
        ----------
        at : float
            Seconds of the loop.
        day : str
            That it is.
        venues : sequence of VenueView
            With all accounts.
        flows : iterable of (str, int)
            Money that came or went by itself since last time: neither profit nor loss.
        """
        pairs = [pair for view in venues for pair in view.pairs()]
        sure_pairs = [pair for view in venues for pair in view.pairs(sure=True)]
        equity = total([view.money() for view in venues], pairs, self.currency)
        self.sure = total([view.money(sure=True) for view in venues], sure_pairs, self.currency)
        self._flow(flows, pairs, sure_pairs)
        if equity is None:
            return
        self.equity = equity
        self.valued_at = min(
            (view.valued_at for view in venues if view.valued_at is not None), default=at
        )
        if self.sure is not None:
            self.highest = self.sure if self.highest is None else max(self.highest, self.sure)
            if day != self.day or self.day_start is None:
                self.day, self.day_start = day, self.sure
        if day == self.day and None not in (self.day_start, self.highest):
            self.known_at = at

    def _flow(
        self, flows: Iterable[tuple[str, int]], pairs: Sequence[Pair], sure_pairs: Sequence[Pair]
    ) -> None:
        """Count from that much more or less; what is in doubt waits, and counts by its last price.

        Where everything else is confirmed and no price leads out of a currency, none of it is
        left: what its withdrawal took counts as a loss.
        """
        waiting, self._moved = [], 0
        for currency, amount in (*self._waiting, *flows):
            worth = convert(amount, currency, self.currency, sure_pairs)
            if worth is not None:
                self.highest = None if self.highest is None else self.highest + worth
                self.day_start = None if self.day_start is None else self.day_start + worth
            elif self.sure is None:
                waiting.append((currency, amount))
                self._moved += convert(amount, currency, self.currency, pairs) or 0
        self._waiting = waiting


def total(
    money: Sequence[dict[str, int] | None], pairs: Sequence[Pair], currency: str
) -> int | None:
    """Add up money of several accounts in one currency; None while any of it has no price."""
    found = 0
    for each in money:
        if each is None:
            return None
        for code, amount in each.items():
            worth = convert(amount, code, currency, pairs)
            if worth is None:
                return None
            found += worth
    return found
