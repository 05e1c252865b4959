"""Random reports of remote venues: inputs of class 0, of which a good part is late or wrong."""

from __future__ import annotations

from typing import Any

from oracle.terms import Instrument, Order
from support.random_draft import Draft
from support.random_worlds import MONEY

type Record = dict[str, Any]

WORDS = ("accepted", "unknown", "rejected", "cancelled", "expired", "cancel_rejected")


def reports(draft: Draft) -> None:
    """What is said of the orders that work outside, and of what nobody asked about."""
    for order in draft.oracle.working():
        if order.remote and draft.chance(0.6):
            _of_working(draft, order)
    for _ in range(draft.random.choice((0, 0, 1, 1, 2))):
        _of_anything(draft)


def _tell(draft: Draft, name: str, order: int) -> None:
    draft.push("report", {name: {"order": order}})


def _of_working(draft: Draft, order: Order) -> None:
    random, choice = draft.random, draft.random.random()
    if not order.working:
        return
    if order.status in ("submitted", "unknown") and choice < 0.55:
        words = ("accepted", "accepted", "accepted", "unknown", "rejected", "cancelled")
        _tell(draft, random.choice((*words, "expired")), order.id)
    elif order.asked is not None and choice < 0.7:
        answers = ("cancelled", "cancelled", "cancelled", "cancel_rejected", "rejected")
        _tell(draft, random.choice((*answers, "expired")), order.id)
    elif choice < 0.12:
        _tell(draft, random.choice(("cancelled", "expired", "rejected")), order.id)
    elif choice < 0.2:
        _tell(draft, random.choice(WORDS), order.id)
    else:
        _fill(draft, order)


def _fill(draft: Draft, order: Order) -> None:
    """Fill a working order in part, whole, or with more than it lacks."""
    random = draft.random
    lot = draft.oracle.instruments[order.instrument].lot_size
    part = max(lot, order.unfilled // random.choice((2, 3, 5)) // lot * lot)
    quantity = random.choice((order.unfilled, order.unfilled, part, part))
    if draft.chance(0.06):
        quantity = order.unfilled + lot * random.choice((1, 3, 10))
    _trade(draft, _execution_of(draft, order, quantity))


def _execution_of(draft: Draft, order: Order, quantity: int) -> Record:
    terms = _execution(draft, draft.oracle.instruments[order.instrument])
    for name in ("sleeve", "side", "leg"):
        terms[name] = getattr(order, name)
    return terms | {"order": order.id, "quantity": quantity}


def _execution(draft: Draft, instrument: Instrument) -> Record:
    random, tick = draft.random, instrument.tick_size
    price = draft.prices[instrument.index]
    price += abs(price) * random.choice((0, 0, 1, 3, 20)) * random.choice((-1, 1)) // 1_000
    return {
        "trade": f"T{len(draft.trades) + 1}",
        "order": None,
        "sleeve": random.randrange(len(draft.oracle.sleeves)),
        "instrument": instrument.index,
        "leg": random.choice(("long", "short")) if draft.oracle.hedging else "net",
        "side": random.choice(("buy", "sell")),
        "quantity": instrument.lot_size * random.choice((1, 2, 5, 20)),
        "price": price if instrument.negative_prices else max(tick, price),
        "fee": random.choice((0, MONEY, 7 * MONEY // 3, -MONEY // 7)),
        "liquidity": random.choice(("maker", "taker", "none")),
    }


def _trade(draft: Draft, terms: Record) -> None:
    if draft.push("report", {"filled": terms}):
        draft.trades.append(terms)


def _of_anything(draft: Draft) -> None:
    random, oracle = draft.random, draft.oracle
    outside = [each for each in oracle.instruments if oracle.is_remote(each)]
    choice = random.random()
    if choice < 0.2:
        order = random.randint(1, len(oracle.orders) + 2)
        _tell(draft, random.choice(WORDS), order)
    elif not outside:
        return
    elif choice < 0.35:
        _of_finished(draft)
    elif choice < 0.5:
        _by_hand(draft, random.choice(outside))
    elif choice < 0.6 and draft.trades:
        _trade(draft, random.choice(draft.trades))
    elif choice < 0.65:
        _mistaken(draft)
    elif choice < 0.87:
        _bust(draft, random.choice(outside))
    else:
        _wrong(draft, draft.instrument())


def _of_finished(draft: Draft) -> None:
    """Fill an order that has ended, or that never came to be."""
    ended = [each for each in draft.oracle.orders.values() if each.remote and not each.working]
    if ended:
        order = draft.random.choice(ended)
        lot = draft.oracle.instruments[order.instrument].lot_size
        _trade(draft, _execution_of(draft, order, lot * draft.random.choice((1, 2, 5))))


def _mistaken(draft: Draft) -> None:
    """Fill a working order as if it were another."""
    random, oracle = draft.random, draft.oracle
    working = [each for each in oracle.working() if each.remote]
    if not working:
        return
    order = random.choice(working)
    terms = _execution_of(draft, order, order.unfilled)
    wrong: list[Record] = [
        {"side": "sell" if order.side == "buy" else "buy"},
        {"sleeve": random.randrange(len(oracle.sleeves))},
        {"order": random.randint(0, len(oracle.orders) + 2)},
    ]
    if oracle.hedging:
        wrong.append({"leg": "long" if order.leg == "short" else "short"})
    _trade(draft, terms | random.choice(wrong))


def _by_hand(draft: Draft, instrument: Instrument) -> None:
    """Trade without an order; at times so much that it costs the margin."""
    oracle = draft.oracle
    terms = _execution(draft, instrument)
    line = (terms["sleeve"], instrument.index, 1 if terms["leg"] == "short" else 0)
    held = oracle.quantities[line]
    if held and draft.chance(0.5):
        terms |= {"side": "sell" if held > 0 else "buy", "quantity": abs(held)}
    elif oracle.hedging and draft.chance(0.9):
        terms["side"] = "buy" if terms["leg"] == "long" else "sell"
    if oracle.by_margin(instrument) and draft.chance(0.15):
        price = max(1, abs(draft.prices[instrument.index]))
        notional = instrument.notional(instrument.lot_size, price)
        a_lot = max(1, oracle.convert(notional, instrument.currency))
        carried = max(0, oracle.sleeve_equity(terms["sleeve"])) * 10**9
        lots = carried // a_lot // instrument.margin_initial
        terms["quantity"] = instrument.lot_size * min(10**6, max(1, lots))
    if draft.chance(0.03):
        terms["quantity"] += 1
    _trade(draft, terms)


def _bust(draft: Draft, instrument: Instrument) -> None:
    """Take a trade back: one that was told, one that will be, or one that never was."""
    if draft.trades and draft.chance(0.75):
        draft.push("report", {"busted": draft.random.choice(draft.trades)})
        return
    terms = _execution(draft, instrument)
    if draft.push("report", {"busted": terms}) and draft.chance(0.6):
        draft.trades.append(terms)


def _wrong(draft: Draft, instrument: Instrument) -> None:
    """Tell what is an error."""
    random = draft.random
    wrong: list[Record] = [
        {},
        {"quantity": random.choice((0, -5, 2**60 + 1))},
        {"price": random.choice((0, -7, 2**60 + 1))},
        {"fee": random.choice((-1, 1)) * (2**60 + 1)},
        {"leg": random.choice(("net", "long", "short"))},
        {"trade": ""},
        {"sleeve": len(draft.oracle.sleeves)},
        {"instrument": len(draft.oracle.instruments)},
    ]
    name = random.choice(("filled", "busted"))
    terms = _execution(draft, instrument) | random.choice(wrong)
    if draft.push("report", {name: terms}) and name == "filled":
        draft.trades.append(terms)
