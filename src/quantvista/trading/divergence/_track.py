"""What an engine did over a period: equity now and then, fills, orders, and what each earned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from quantvista.engine import RawEngine
from quantvista.trading.divergence._facts import named

__all__ = ["Fill", "Order", "Track", "Watch"]

BEGINS = ("order_submitted", "order_held", "order_accepted")
"""What an engine says of a new order, by where it goes: not every one is submitted and accepted."""
_MONEY_DIGITS = 12
_ONE = 10**12
_OF_INSTRUMENT = ("funding", "dividend", "in_lieu", "borrow")


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a strategy wanted.

    Parameters
    ----------
    ts : int
        UTC ns.
    number : int
        Of its engine.
    sleeve, instrument : str
        Ids.
    side : {"buy", "sell"}
        Which.
    quantity, limit_price : Decimal, Decimal or None
        Exact.
    kind : str
        Market, limit and so on.
    refused : str
        The rule of the gate that refused it, if one did.
    """

    ts: int
    number: int
    sleeve: str
    instrument: str
    side: str
    quantity: Decimal
    limit_price: Decimal | None
    kind: str
    refused: str


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution: ``signed`` is negative for a sale, ``order`` is None for a trade of others."""

    ts: int
    order: int | None
    sleeve: int
    instrument: int
    signed: int
    price: int
    fee: int


@dataclass
class Track:
    """What came out of one way of going over the period.

    Parameters
    ----------
    name : str
        Which.
    sleeves : list of str
        Ids, by place.
    equity : list of int
        At each time of the grid, in 1e-12 of the fund's currency.
    of_sleeves, of_instruments : dict of str to int
        Equity at the end by sleeve, and what was earned by instrument, in 1e-12.
    orders, fills : list
        In order of time.
    fees : int
        In 1e-12 of the instruments' currencies, at the last rates in the fund's.
    failed : str
        What went wrong in a strategy.
    """

    name: str
    sleeves: list[str]
    equity: list[int] = field(default_factory=list)
    of_sleeves: dict[str, int] = field(default_factory=dict)
    of_instruments: dict[str, int] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    fees: int = 0
    failed: str = ""

    @property
    def end(self) -> int:
        """Equity at the end."""
        return self.equity[-1]


class Watch:
    """Takes down what an engine says.

    Parameters
    ----------
    name : str
        Of the track.
    config : mapping
        The engine's.
    grid : sequence of int
        Times at which equity is taken down, UTC ns, ascending.
    """

    def __init__(self, name: str, config: Mapping[str, Any], grid: Sequence[int]) -> None:
        self.track = Track(name, [each["id"] for each in config["sleeves"]])
        self._instruments = config["instruments"]
        self._grid = grid
        self._postings: list[tuple[int, int, int]] = []
        self._newest = 0

    @property
    def due(self) -> int | None:
        """The next time of the grid; None after the last."""
        place = len(self.track.equity)
        return self._grid[place] if place < len(self._grid) else None

    def sample(self, ts: int, equity: int) -> None:
        """Take equity down for all times of the grid before a time."""
        while (due := self.due) is not None and due < ts:
            self.track.equity.append(equity)

    def say(self, payloads: Sequence[bytes]) -> None:
        """Take down outputs."""
        for payload in payloads:
            self.hear(*named(RawEngine.decode_output(payload)))

    def hear(self, name: str, terms: Mapping[str, Any]) -> None:
        """Take down one output."""
        if name == "order_filled":
            signed = terms["quantity"] if terms["side"] == "buy" else -terms["quantity"]
            of = (terms["order"], terms["sleeve"], terms["instrument"])
            self.track.fills.append(Fill(terms["ts"], *of, signed, terms["price"], terms["fee"]))
        elif name in BEGINS:
            self._wanted(terms, "")
        elif name == "order_rejected":
            self._refused(terms)
        elif name == "posted":
            self._posted(terms)

    def _posted(self, terms: Mapping[str, Any]) -> None:
        if terms["kind"] in _OF_INSTRUMENT and terms["instrument"] is not None:
            self._postings.append((terms["instrument"], terms["currency"], terms["amount"]))

    def _wanted(self, order: Mapping[str, Any], refused: str) -> None:
        if order["id"] <= self._newest:
            return  # said before, of an order that has come further
        self._newest = order["id"]
        of, limit = self._instruments[order["instrument"]], order["limit_price"]
        found = Order(
            ts=order["ts"],
            number=order["id"],
            sleeve=self.track.sleeves[order["sleeve"]],
            instrument=of["id"],
            side=order["side"],
            quantity=Decimal(order["quantity"]).scaleb(-of["quantity_precision"]),
            limit_price=None if limit is None else Decimal(limit).scaleb(-of["price_precision"]),
            kind=order["kind"],
            refused=refused,
        )
        self.track.orders.append(found)

    def _refused(self, terms: Mapping[str, Any]) -> None:
        """Take down what the gate refused; what a venue refused was wanted before."""
        if terms["rule"] not in ("venue", "unknown"):
            self._wanted(terms["order"], terms["rule"])

    def close(
        self,
        equity: int,
        of_sleeves: Sequence[int],
        marks: Sequence[int | None],
        rates: Any,  # noqa: ANN401
    ) -> Track:
        """Sum up, at the last prices and rates."""
        track = self.track
        self.sample(2**63, equity)
        track.of_sleeves = dict(zip(track.sleeves, of_sleeves, strict=True))
        found = [0] * len(self._instruments)
        fees = 0
        for fill in track.fills:
            terms, mark = self._instruments[fill.instrument], marks[fill.instrument]
            gained = fill.signed * ((fill.price if mark is None else mark) - fill.price)
            rate = rates[terms["currency"]]
            money = _money(gained * terms["multiplier"], terms) - fill.fee
            found[fill.instrument] += _converted(money, rate)
            fees += _converted(fill.fee, rate)
        for place, currency, amount in self._postings:
            found[place] += _converted(amount, rates[currency])
        ids = [each["id"] for each in self._instruments]
        track.of_instruments, track.fees = dict(zip(ids, found, strict=True)), fees
        return track


def _money(scaled: int, terms: Mapping[str, Any]) -> int:
    """Price units times quantity units, in 1e-12."""
    digits = _MONEY_DIGITS - terms["price_precision"] - terms["quantity_precision"]
    return int(scaled * 10**digits if digits >= 0 else scaled // 10**-digits)


def _converted(amount: int, rate: int | None) -> int:
    """Money of another currency in the fund's; what has no rate is worth nothing."""
    return amount * (rate or 0) // _ONE
