"""What a fund may come to with everything in flight: plain arithmetic over the oracle's state.

Nothing here asks the code that judges orders; positions, balances, orders in flight, marks and
rates are all that it reads.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

from oracle import Oracle
from oracle.terms import Instrument, Order

ONE = 10**9
MONEY = 10**12

type Figures = dict[str, tuple[int, int | None]]
"""By name: the figure and its limit, None where there is no limit."""


class Book:
    """One look at a fund: rows and lines with everything in flight."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.hedging = oracle.account["positions"] == "hedging"
        self.flying = [order for order in oracle.working() if self._is_in_flight(order)]
        self.lines: dict[tuple[int, int, int], list[int]] = {}
        """High and low, by sleeve, instrument and leg."""
        self.currencies: dict[int, list[int]] = {}
        """The same of currencies, over all sleeves."""
        self._hold()
        self._fly()

    def _is_in_flight(self, order: Order) -> bool:
        if order.status == "held" or not order.unfilled:
            return False
        return order.group is None or self.oracle.chosen.get(order.group) == order.id

    def _hold(self) -> None:
        oracle = self.oracle
        for line, quantity in oracle.quantities.items():
            if oracle.instruments[line[1]].base is None:
                self.lines[line] = [quantity, quantity]
        pairs = [each for each in oracle.instruments if each.base is not None]
        for currency in {c for each in pairs for c in (each.base, each.currency) if c}:
            total = sum(
                oracle.balances[sleeve, currency, name]
                for sleeve in range(len(oracle.sleeves))
                for name in ("cash", "unsettled")
            )
            self.currencies[currency] = [total, total]

    def _fly(self) -> None:
        for order in self.flying:
            instrument = self.oracle.instruments[order.instrument]
            sign = 1 if order.side == "buy" else -1
            if instrument.base is None:
                line = (order.sleeve, order.instrument, 1 if order.leg == "short" else 0)
                bounds = self.lines.setdefault(line, [0, 0])
                bounds[0 if sign > 0 else 1] += sign * order.unfilled
                continue
            given = order.unfilled * 10 ** (12 - instrument.quantity_precision)
            paid = order.unfilled * order.reference * instrument.unit
            moves = ((instrument.base, sign * given), (instrument.currency, -sign * paid))
            for currency, amount in moves:
                if currency in self.currencies:
                    self.currencies[currency][0 if amount > 0 else 1] += amount

    # Values.

    def rate(self, currency: int) -> int | None:
        return MONEY if currency == 0 else self.oracle.rates.get(currency)

    def worth(self, index: int, quantity: int) -> int | None:
        """Value of a quantity in the fund's currency, signed."""
        instrument = self.oracle.instruments[index]
        mark, rate = self.oracle.marks.get(index), self.rate(instrument.currency)
        if mark is None or rate is None:
            return None
        size = abs(quantity * mark) * instrument.unit * rate // MONEY
        return size if quantity >= 0 else -size

    def amount(self, currency: int, money: int) -> int | None:
        rate = self.rate(currency)
        if rate is None:
            return None
        size = abs(money) * rate // MONEY
        return size if money >= 0 else -size

    def rows(self) -> Iterator[tuple[str, str | None, int, int, list[int] | None]]:
        """Name, sector, and the value of what may be held at most and at least, with returns."""
        oracle = self.oracle
        held: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        for (_, index, _), (high, low) in self.lines.items():
            held[index][0] += high
            held[index][1] += low
        for index, (high, low) in held.items():
            up, down = self.worth(index, high), self.worth(index, low)
            if up is not None and down is not None:
                sector = oracle.instruments[index].sector
                yield f"instrument {index}", sector, up, down, self._returns(index)
        for currency, (high, low) in self.currencies.items():
            up, down = self.amount(currency, high), self.amount(currency, low)
            if up is not None and down is not None:
                pair = next(
                    (e.index for e in oracle.instruments if (e.base, e.currency) == (currency, 0)),
                    None,
                )
                returns = None if pair is None else self._returns(pair)
                yield f"currency {currency}", None, up, down, returns

    def _returns(self, index: int) -> list[int] | None:
        returns, expires_at = self.oracle.scenarios.get(index, ([], 0))
        return returns if returns and self.oracle.now < expires_at else None

    def worst_of_line(self, line: tuple[int, int, int]) -> int:
        high, low = self.lines[line]
        if not self.hedging or self.is_turned(line):
            return max(high, -low)
        return high if line[2] == 0 else -low

    def is_turned(self, line: tuple[int, int, int]) -> bool:
        """Say whether a leg has the sign of the other, by trades outside."""
        held = self.oracle.quantities[line]
        return self.hedging and (held < 0 if line[2] == 0 else held > 0)

    # Margin.

    def fee(self, instrument: Instrument, order: Order) -> int:
        """The most that the venue may ask for what is unfilled."""
        fee = self.oracle.venue(instrument)["fee"]
        tiers = fee.get("tiers") or [{"maker": fee["rate"], "taker": fee["rate"]}]
        rate = max(0, *(tier[name] for tier in tiers for name in ("maker", "taker")))
        notional = abs(order.unfilled * order.reference * instrument.unit)
        exact = Fraction(notional * rate, ONE)
        exact += Fraction(
            fee.get("per_unit", 0) * order.unfilled, 10**instrument.quantity_precision
        )
        coin = 10 ** (12 - self.oracle.currencies[instrument.currency]["precision"])
        minimum = 0 if order.charged else fee.get("minimum", 0)
        return int(max(minimum, ceil(exact / coin) * coin))

    def required(self, sleeve: int) -> int:
        """Initial margin of the worst case, and what orders hold."""
        margins: Counter[int] = Counter()
        holds: Counter[int] = Counter()
        for line in self.lines:
            if line[0] == sleeve:
                instrument = self.oracle.instruments[line[1]]
                mark = abs(self.oracle.marks.get(line[1], 0))
                value = self.worst_of_line(line) * mark * instrument.unit
                margins[instrument.currency] += value * instrument.margin_initial
        for order in self.flying:
            instrument = self.oracle.instruments[order.instrument]
            if order.sleeve == sleeve and instrument.base is None:
                sign = 1 if order.side == "buy" else -1
                lost = max(0, sign * (order.reference - order.mark))
                holds[instrument.currency] += order.unfilled * lost * instrument.unit
                holds[instrument.currency] += self.fee(instrument, order)
        total = 0
        for currency, exact in margins.items():
            total += ceil(Fraction(ceil(Fraction(exact, ONE)) * (self.rate(currency) or 0), MONEY))
        return total + sum(
            held * (self.rate(currency) or 0) // MONEY for currency, held in holds.items()
        )


def share(rate: int | None, equity: int) -> int | None:
    """Return a limit that is given as a share of equity."""
    return None if rate is None else floor(Fraction(rate * max(0, equity), ONE))


def figures_of(oracle: Oracle) -> Figures:
    """All figures of the checks 22 to 36 of the gate but cash, as they would stand at the worst.

    Of the incremental value at risk it is the value at risk, of which the step has a limit.
    """
    book = Book(oracle)
    limit, equity = oracle.limit, oracle.equity()
    rows = list(book.rows())
    found: Figures = {
        "gross": (
            sum(max(up, -down) for _, _, up, down, _ in rows),
            share(limit("gross_max"), equity),
        ),
        "net": (
            max(sum(up for _, _, up, _, _ in rows), -sum(down for _, _, _, down, _ in rows)),
            share(limit("net_max"), equity),
        ),
    }
    for name, _, up, down, _ in rows:
        found[f"position {name}"] = (max(up, -down), limit("position_max"))
        found[f"concentration {name}"] = (max(up, -down), share(limit("weight_max"), equity))
    for sector in {each.sector for each in oracle.instruments}:
        total = sum(max(up, -down) for _, at, up, down, _ in rows if at == sector)
        found[f"sector {sector}"] = (total, share(limit("sector_max"), equity))
    found |= _of_lines(book, equity)
    found |= _of_sleeves(book)
    risk = _value_at_risk(oracle, rows)
    if risk is not None:
        model = limit("value_at_risk")
        found["value_at_risk"] = (risk, share(model["max"], equity))
        found["incremental_value_at_risk"] = (risk, share(model["step_max"], equity))
    return found


def _of_lines(book: Book, equity: int) -> Figures:
    oracle = book.oracle
    found: Figures = {}
    gross: Counter[int] = Counter()
    short: Counter[int] = Counter()
    for line, (_, low) in book.lines.items():
        worst = book.worth(line[1], book.worst_of_line(line))
        gross[line[0]] += worst or 0
        if worst is not None:
            own = (oracle.sleeves[line[0]].get("limits") or {}).get("weight_max")
            most = share(own, oracle.sleeve_equity(line[0]))
            found[f"sleeve_concentration {line}"] = (worst, most)
        if not book.hedging or line[2] == 1 or book.is_turned(line):
            short[line[1]] += max(0, -low)
    found["leverage"] = (sum(gross.values()), share(oracle.limit("leverage_max"), equity))
    for sleeve in range(len(oracle.sleeves)):
        own = (oracle.sleeves[sleeve].get("limits") or {}).get("gross_max")
        most = share(own, oracle.sleeve_equity(sleeve))
        found[f"sleeve_gross {sleeve}"] = (gross[sleeve], most)
    for index, quantity in short.items():
        if oracle.instruments[index].settlement == "asset":
            found[f"locate {index}"] = (quantity, oracle.shortable[index])
    return found


def _of_sleeves(book: Book) -> Figures:
    """Margin, where it can be told."""
    oracle = book.oracle
    if oracle.account["kind"] != "margin":
        return {}
    return {
        f"margin {sleeve}": (book.required(sleeve), oracle.sleeve_equity(sleeve))
        for sleeve in range(len(oracle.sleeves))
        if not oracle.has_unknown(sleeve)
    }


def _value_at_risk(
    oracle: Oracle, rows: list[tuple[str, str | None, int, int, list[int] | None]]
) -> int | None:
    model = oracle.limit("value_at_risk")
    if model is None:
        return None
    losses = [0] * int(model["scenarios"])
    for _, _, up, down, returns in rows:
        if not up and not down:
            continue
        if returns is None:
            return None
        losses = [loss + max(-up * r, -down * r) for loss, r in zip(losses, returns, strict=True)]
    losses.sort(reverse=True)
    place = len(losses) * (ONE - int(model["confidence"])) // ONE
    return max(0, ceil(Fraction(losses[place], ONE)))
