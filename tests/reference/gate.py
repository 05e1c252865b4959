"""The gate: section 4 of ``docs/engine/bars.md``, one check after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reference.book import Book
from reference.orders import Order
from reference.rules import Instrument, largest, share_of


@dataclass(frozen=True)
class Check:
    """One rule for one order: the figure as a function of the quantity, and its limit."""

    rule: str
    passes: Callable[[int], bool]
    figure: Callable[[int], int | None]
    limit: int | None


@dataclass(frozen=True)
class Failure:
    """The rule that stopped an order or cut it, and to which quantity."""

    rule: str
    figure: int | None
    limit: int | None
    quantity: int


def judge(book: Book, order: Order) -> Failure | None:
    """Pass an order whole, or name the first check that fails."""
    for check in _checks(book, order):
        if not check.passes(order.quantity):
            return Failure(check.rule, check.figure(order.quantity), check.limit, 0)
    return None


def size(book: Book, order: Order) -> Failure | None:
    """Pass an order whole, or name the check that allows least and what it allows."""
    lot = book.instrument(order.instrument).lot_size
    worst: Failure | None = None
    for check in _checks(book, order):
        if check.passes(order.quantity):
            continue
        quantity = _most(check, order.quantity, lot)
        if worst is None or quantity < worst.quantity:
            worst = Failure(check.rule, check.figure(order.quantity), check.limit, quantity)
    return worst


def _most(check: Check, wanted: int, lot: int) -> int:
    return lot * largest(wanted // lot, lambda lots: check.passes(lots * lot))


def _checks(book: Book, order: Order) -> Iterator[Check]:
    yield from _form(book, order)
    instrument = book.instrument(order.instrument)
    mark = book.marks[order.instrument]
    price = order.limit_price if order.limit_price is not None else mark
    if order.limit_price is not None:
        yield _price_band(book, order.limit_price, mark)
    yield from _fat_finger(book, instrument, price)
    if order.side == "sell":
        held = book.ledger.position(order.sleeve, order.instrument)
        promised = sum(
            other.unfilled
            for other in book.in_flight("sell")
            if (other.sleeve, other.instrument) == (order.sleeve, order.instrument)
        )
        yield _at_most("no_short", lambda q: q, held - promised)
        return
    available = book.available_cash(order.sleeve)
    yield Check(
        "cash",
        lambda q: instrument.notional(q, price) + book.rules.fee(instrument, q, price) <= available,
        lambda q: instrument.notional(q, price) + book.rules.fee(instrument, q, price),
        max(available, 0),
    )
    yield from _exposure(book, instrument, mark)


def _form(book: Book, order: Order) -> Iterator[Check]:
    """Rules 1 to 6: what is wrong with the order whatever the fund holds."""
    instrument = book.instrument(order.instrument)
    listed = instrument.listed(book.now) and order.instrument not in book.ended
    yield _fact("not_listed", listed)
    yield _fact("no_price", order.instrument in book.marks)
    yield Check(
        "lot",
        lambda q: q > 0 and q % instrument.lot_size == 0,
        lambda q: q,
        instrument.lot_size,
    )
    limit = order.limit_price
    if order.order_type == "limit":
        ticks = limit is not None and limit > 0 and limit % instrument.tick_size == 0
    else:
        ticks = limit is None
    yield _fact("tick", ticks, limit, instrument.tick_size)
    yield _fact("needs_ohlc", not (order.order_type == "on_open" and instrument.close_only))
    auction = order.order_type in ("on_open", "on_close")
    yield _fact("time_in_force", not (auction and order.tif == "ioc"))


def _price_band(book: Book, limit_price: int, mark: int) -> Check:
    low, high = book.rules.band_low(mark), book.rules.band_high(mark)
    edge = math.ceil(low) if limit_price < low else math.floor(high)
    return _fact("price_band", low <= limit_price <= high, limit_price, edge)


def _fat_finger(book: Book, instrument: Instrument, price: int) -> Iterator[Check]:
    limits = book.rules.limits
    if limits.fat_finger_quantity is not None:
        units = limits.fat_finger_quantity * 10**instrument.quantity_precision
        yield _at_most("fat_finger_quantity", lambda q: q, units)
    if limits.fat_finger_notional is not None:
        yield _at_most(
            "fat_finger_notional",
            lambda q: instrument.notional(q, price),
            limits.fat_finger_notional,
        )


def _exposure(book: Book, instrument: Instrument, mark: int) -> Iterator[Check]:
    """Rules 12 to 15: what the fund would hold if all its buys were filled."""
    limits, instruments = book.rules.limits, book.rules.instruments
    equity = book.equity()
    one = book.exposure(instrument.index)
    sector = sum(book.exposure(i.index) for i in instruments if i.sector == instrument.sector)
    everything = sum(book.exposure(i.index) for i in instruments)
    rules = [
        ("position", one, limits.position_max),
        ("concentration", one, _share(limits.weight_max, equity)),
        ("sector", sector, _share(limits.sector_max, equity)),
        ("gross", everything, _share(limits.gross_max, equity)),
    ]
    for rule, before, limit in rules:
        if limit is not None:
            yield _with(rule, before, instrument, mark, limit)


def _with(rule: str, before: int, instrument: Instrument, mark: int, limit: int) -> Check:
    return _at_most(rule, lambda q: before + instrument.notional(q, mark), limit)


def _share(rate: int | None, equity: int) -> int | None:
    return None if rate is None else share_of(rate, equity)


def _at_most(rule: str, figure: Callable[[int], int], limit: int) -> Check:
    return Check(rule, lambda q: figure(q) <= limit, figure, limit)


def _fact(rule: str, holds: bool, figure: int | None = None, limit: int | None = None) -> Check:
    """Make a check that the quantity has no part in."""
    return Check(rule, lambda _: holds, lambda _: figure, limit)
