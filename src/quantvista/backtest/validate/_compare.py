"""Where, if anywhere, two results of a session part for the first time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from quantvista.backtest.validate._result import Fill, Look, Result
from quantvista.backtest.validate._session import Session, Traded

__all__ = ["DIGITS", "Difference", "compare", "expected_equity", "expected_fee"]

DIGITS = {"USD": 2, "EUR": 2, "USDT": 8, "BTC": 8}
"""Digits of the minor unit, in which both systems round fees."""

_DUST = Decimal("1e-9")  # our own rounding of balances in other currencies, which is to 1e-12

type What = Literal["stopped", "fills", "fee", "positions", "equity"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of a session: when, in what, and what each side has there.

    ``ours`` and ``theirs`` are the fills of that time. ``text`` says it in words.
    """

    ts: int
    what: What
    text: str
    ours: tuple[Fill, ...] = ()
    theirs: tuple[Fill, ...] = ()

    def orders(self) -> set[int]:
        """Numbers of the orders that were not filled alike."""
        ours, theirs = _shape(self.ours), _shape(self.theirs)
        return {key[0] for key in ours.keys() | theirs.keys() if ours[key] != theirs[key]}


def compare(session: Session, ours: Result, theirs: Result) -> Difference | None:
    """Compare two results.

    Fills agree if at each time the same orders filled at the same prices, as maker or taker, in
    quantities that add up alike. Fees agree if each is the exact fee rounded as its system says:
    ours up, theirs to the nearest. Equity agrees if it does before fees but for the half units
    to which NautilusTrader rounds every gain.

    Parameters
    ----------
    session : Session
        What both were given.
    ours, theirs : Result
        What came out.

    Returns
    -------
    Difference or None
        The first one in time.
    """
    found = [
        _first_fills(ours, theirs),
        *(_first_fee(session, result) for result in (ours, theirs)),
        _first_look(session, ours, theirs),
    ]
    there = [each for each in found if each is not None]
    if theirs.stopped and not there:
        return Difference(session.end, "stopped", "NautilusTrader stopped the run")
    return min(there, key=lambda each: each.ts, default=None)


def _shape(fills: tuple[Fill, ...]) -> Counter[tuple[int, int, str]]:
    """Quantities by order, price and liquidity."""
    shape: Counter[tuple[int, int, str]] = Counter()
    for fill in fills:
        shape[fill.order, fill.price, fill.liquidity] += fill.quantity
    return shape


def _by_time(result: Result) -> dict[int, tuple[Fill, ...]]:
    grouped: dict[int, list[Fill]] = {}
    for fill in result.fills:
        grouped.setdefault(fill.ts, []).append(fill)
    return {ts: tuple(fills) for ts, fills in grouped.items()}


def _first_fills(ours: Result, theirs: Result) -> Difference | None:
    left, right = _by_time(ours), _by_time(theirs)
    for ts in sorted(left.keys() | right.keys()):
        mine, other = left.get(ts, ()), right.get(ts, ())
        if _shape(mine) != _shape(other):
            return Difference(ts, "fills", "the fills are not the same", mine, other)
    return None


def expected_fee(traded: Traded, fill: Fill) -> Decimal:
    """Fee of a fill, not rounded; crosses within the fund are free."""
    if fill.liquidity == "none":
        return Decimal(0)
    rate = Decimal(traded.maker_fee if fill.liquidity == "maker" else traded.taker_fee)
    return _notional(traded, fill.quantity, fill.price) * rate


def _notional(traded: Traded, quantity: int, price: int) -> Decimal:
    return Decimal(quantity * price).scaleb(-traded.price_precision - traded.quantity_precision)


def _unit(session: Session) -> Decimal:
    return Decimal(1).scaleb(-DIGITS[session.account.cash[0][0]])


def _first_fee(session: Session, result: Result) -> Difference | None:
    orders, unit = session.orders(), _unit(session)
    for fill in result.fills:
        traded = session.instruments[orders[fill.order].instrument]
        exact = expected_fee(traded, fill)
        if result.version:  # theirs: to the nearest, of a notional that was rounded before
            right = abs(fill.fee - exact) <= unit * Decimal("0.51")
        else:
            right = fill.fee == exact.quantize(unit, ROUND_CEILING)
        if not right:
            whose = "NautilusTrader's" if result.version else "our"
            text = f"{whose} fee of order {fill.order} is {fill.fee}, exactly it is {exact}"
            return Difference(fill.ts, "fee", text, (fill,), (fill,))
    return None


def expected_equity(session: Session, result: Result, look: Look) -> Decimal:
    """Equity that follows from the fills alone: money in, less money out, plus what is held."""
    orders = session.orders()
    prices = next(mark.prices for mark in session.marks if mark.ts == look.ts)
    equity = Decimal(session.account.cash[0][1])
    held = [0] * len(session.instruments)
    for fill in _until(result, look.ts):
        index = orders[fill.order].instrument
        sign = 1 if fill.side == "buy" else -1
        held[index] += sign * fill.quantity
        amount = _notional(session.instruments[index], fill.quantity, fill.price)
        equity -= sign * amount + fill.fee
    for traded, quantity, price in zip(session.instruments, held, prices, strict=True):
        equity += _notional(traded, quantity, price)
    if not session.account.single_currency:
        mark = Decimal(prices[0]).scaleb(-session.instruments[0].price_precision)
        equity += Decimal(session.account.cash[1][1]) * mark
    return equity


def _until(result: Result, ts: int) -> Iterator[Fill]:
    return (fill for fill in result.fills if fill.ts <= ts)


def _first_look(session: Session, ours: Result, theirs: Result) -> Difference | None:
    for mine, other in zip(ours.looks, theirs.looks, strict=False):
        if mine.positions != other.positions:
            text = f"positions are {mine.positions} and {other.positions}"
            return Difference(mine.ts, "positions", text)
        exact = expected_equity(session, ours, mine)
        if abs(mine.equity - exact) > _DUST:
            text = f"our equity is {mine.equity}, from our fills it is {exact}"
            return Difference(mine.ts, "equity", text)
        exact = expected_equity(session, theirs, other)
        count = sum(1 for _ in _until(theirs, mine.ts)) + len(session.instruments)
        if abs(other.equity - exact) > count * _unit(session):
            text = f"NautilusTrader's equity is {other.equity}, from its fills it is {exact}"
            return Difference(mine.ts, "equity", text)
    return None
