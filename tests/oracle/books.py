"""Layer 1: double entry, currencies, positions and equity. ``docs/engine/accounts.md``, 1 to 3."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from oracle.numbers import MONEY_ONE, up
from oracle.state import State
from oracle.terms import Instrument

type Line = tuple[int, int, int]
"""Sleeve, instrument, leg."""

ACCOUNTS = (
    "cash",
    "unsettled",
    "capital",
    "fees",
    "realised",
    "clearing",
    "contra",
    "interest",
    "borrow",
    "funding",
    "dividends",
)


class Books(State):
    """The ledger."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.balances: Counter[tuple[int, int, str]] = Counter()
        self.quantities: Counter[Line] = Counter()
        self.costs: Counter[Line] = Counter()
        self.pending: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
        """Amounts that wait for their settlement: [amount, trading days to go]."""
        for sleeve, each in enumerate(self.sleeves):
            self.post(sleeve, 0, cash=each["cash"], capital=-each["cash"])
            for currency, amount in each.get("balances") or ():
                self.post(sleeve, currency, cash=amount, capital=-amount)

    # Entries.

    def post(self, sleeve: int, currency: int, position: int = 0, **entries: int) -> None:
        """Book one event in one currency; `position` is what the cost of a position took."""
        assert position + sum(entries.values()) == 0, f"does not balance: {position} {entries}"
        for account, amount in entries.items():
            assert account in ACCOUNTS
            self.balances[sleeve, currency, account] += amount

    def settle_later(self, sleeve: int, currency: int, amount: int, days: int) -> str:
        """Say to which account money goes, and remember it if it waits."""
        if days == 0:
            return "cash"
        if amount:
            self.pending[sleeve, currency].append([amount, days])
        return "unsettled"

    def book(
        self,
        line: Line,
        side: str,
        quantity: int,
        price: int,
        fee: int,
        *,
        to_cash: bool = False,
    ) -> None:
        """Book a trade at a price."""
        sleeve, index, _ = line
        instrument = self.instruments[index]
        days = 0 if to_cash else instrument.settlement_days
        if instrument.is_exchange:
            self._exchange(sleeve, instrument, side, quantity, price, fee, days)
            return
        sign = 1 if side == "buy" else -1
        held = self.quantities[line]
        if held * sign >= 0:
            self._open(line, sign, quantity, instrument.notional(quantity, price), fee, days)
            return
        closing = min(quantity, abs(held))
        self.close_position(line, closing, instrument.notional(closing, price), fee, days)
        rest = quantity - closing
        if rest:
            self._open(line, sign, rest, instrument.notional(rest, price), 0, days)

    def _exchange(
        self,
        sleeve: int,
        instrument: Instrument,
        side: str,
        quantity: int,
        price: int,
        fee: int,
        days: int,
    ) -> None:
        base, quote = instrument.base, instrument.currency
        assert base is not None
        sign = 1 if side == "buy" else -1
        moved = sign * instrument.base_money(quantity)
        self.post(
            sleeve, base, **{self.settle_later(sleeve, base, moved, days): moved}, clearing=-moved
        )
        paid = sign * instrument.notional(quantity, price)
        money = -(paid + fee)
        account = self.settle_later(sleeve, quote, money, days)
        self.post(sleeve, quote, clearing=paid, fees=fee, **{account: money})

    def _open(
        self, line: Line, sign: int, quantity: int, notional: int, fee: int, days: int
    ) -> None:
        sleeve, index, _ = line
        instrument = self.instruments[index]
        self.quantities[line] += sign * quantity
        cost = sign * notional
        self.costs[line] += cost
        currency = instrument.currency
        if instrument.settlement == "difference":
            self.post(sleeve, currency, cost, contra=-cost, fees=fee, cash=-fee)
            return
        money = -cost - fee
        account = self.settle_later(sleeve, currency, money, days)
        self.post(sleeve, currency, cost, fees=fee, **{account: money})

    def relief(self, line: Line, quantity: int) -> int:
        """Cost that closing a part relieves, as a magnitude."""
        held = self.quantities[line]
        cost = self.costs[line] if held > 0 else -self.costs[line]
        return cost if quantity == abs(held) else cost * quantity // abs(held)

    def close_position(
        self,
        line: Line,
        quantity: int,
        notional: int,
        fee: int,
        days: int,
        relieved: int | None = None,
        moved: int = 0,
    ) -> None:
        """Close a part; `moved` is cost that goes to another position instead of being relieved."""
        sleeve, index, _ = line
        instrument = self.instruments[index]
        sign = 1 if self.quantities[line] > 0 else -1
        if relieved is None:
            relieved = self.relief(line, quantity)
        self.quantities[line] -= sign * quantity
        self.costs[line] -= sign * (relieved + moved)
        gain = sign * (notional - relieved)
        currency = instrument.currency
        if instrument.settlement == "difference":
            self.post(
                sleeve,
                currency,
                -sign * relieved,
                contra=sign * relieved,
                realised=-gain,
                fees=fee,
                cash=gain - fee,
            )
            return
        money = sign * notional - fee
        account = self.settle_later(sleeve, currency, money, days)
        self.post(sleeve, currency, -sign * relieved, realised=-gain, fees=fee, **{account: money})

    # Currencies.

    def rate(self, currency: int) -> int | None:
        """Price of a currency in the fund's, in 1e-12."""
        return MONEY_ONE if currency == 0 else self.rates.get(currency)

    def refresh_rates(self, index: int) -> None:
        """Let rates follow the mark of a pair, as long as that is positive."""
        mark = self.marks[index]
        precision = self.instruments[index].price_precision
        for currency, each in enumerate(self.currencies):
            source = each.get("source", "input")
            if currency == 0 or source == "input" or source["pair"]["instrument"] != index:
                continue
            if mark <= 0:
                continue
            if source["pair"]["inverse"]:
                self.rates[currency] = int(10 ** (12 + precision)) // mark
            else:
                self.rates[currency] = mark * int(10 ** (12 - precision))

    def convert(self, amount: int, currency: int) -> int:
        rate = self.rate(currency)
        return 0 if rate is None else amount * rate // MONEY_ONE

    def convert_up(self, amount: int, currency: int) -> int:
        rate = self.rate(currency)
        return 0 if rate is None else up(amount * rate, MONEY_ONE)

    def money_of(self, sleeve: int, currency: int) -> int:
        """Cash, settled or not."""
        return (
            self.balances[sleeve, currency, "cash"] + self.balances[sleeve, currency, "unsettled"]
        )

    # Equity.

    def lines_of(self, sleeve: int) -> list[Line]:
        """Lines of a sleeve that hold something."""
        return sorted(line for line, q in self.quantities.items() if line[0] == sleeve and q)

    def equity_in(self, sleeve: int, currency: int) -> int:
        total = self.money_of(sleeve, currency)
        for line in self.lines_of(sleeve):
            instrument = self.instruments[line[1]]
            if instrument.currency != currency:
                continue
            total += instrument.notional(self.quantities[line], self.marks.get(line[1], 0))
            if instrument.settlement == "difference":
                total -= self.costs[line]
        return total

    def has_unknown(self, sleeve: int) -> bool:
        """Say whether something of a sleeve is in a currency without a rate."""
        for currency in range(len(self.currencies)):
            if self.rate(currency) is not None:
                continue
            if any(self.balances[sleeve, currency, name] for name in ("cash", "unsettled")):
                return True
            if any(self.instruments[at[1]].currency == currency for at in self.lines_of(sleeve)):
                return True
        return False

    def any_unknown(self) -> bool:
        return any(self.has_unknown(sleeve) for sleeve in range(len(self.sleeves)))

    def sleeve_equity(self, sleeve: int, lowered: Mapping[int, int] | None = None) -> int:
        """Equity as recorded: what is unknown counts as 0. `lowered` is taken off by currency."""
        taken = lowered or {}
        return sum(
            self.convert(self.equity_in(sleeve, currency) - taken.get(currency, 0), currency)
            for currency in range(len(self.currencies))
        )

    def equity(self) -> int:
        return sum(self.sleeve_equity(sleeve) for sleeve in range(len(self.sleeves)))

    def check(self) -> None:
        """Assert that all balances of each sleeve and currency sum to zero."""
        for sleeve in range(len(self.sleeves)):
            for currency in range(len(self.currencies)):
                total = sum(self.balances[sleeve, currency, account] for account in ACCOUNTS)
                total += sum(
                    self.costs[line]
                    for line in list(self.costs)
                    if line[0] == sleeve and self.instruments[line[1]].currency == currency
                )
                assert total == 0, f"sleeve {sleeve} currency {currency}: {total}"
                waiting = sum(amount for amount, _ in self.pending[sleeve, currency])
                assert waiting == self.balances[sleeve, currency, "unsettled"]
