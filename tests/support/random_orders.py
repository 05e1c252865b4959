"""Random targets, orders, lists and changes: inputs of classes 4 and 5."""

from __future__ import annotations

from typing import Any

from oracle.terms import LIMITED, TRIGGERED, Instrument, Order
from support.random_draft import Draft
from support.random_worlds import DAY, HOUR, MINUTE, RATE, SECOND

type Record = dict[str, Any]

KINDS = [
    "market",
    "market",
    "limit",
    "limit",
    "limit",
    "stop",
    "stop_limit",
    "trailing_stop",
    "market_if_touched",
    "limit_if_touched",
    "on_open",
    "on_close",
]


def targets(draft: Draft) -> None:
    random, oracle = draft.random, draft.oracle
    count = len(oracle.instruments)
    sleeve = random.randrange(len(oracle.sleeves))
    named = random.sample(range(count), random.randint(1, count))
    low = -500 if oracle.account["kind"] == "margin" else 0
    wanted = [(index, random.randint(low, 600) * 10**6) for index in named]
    if low:
        _flip(draft, sleeve, wanted)
    if draft.chance(0.1):
        wanted[0] = (wanted[0][0], random.choice((1_000, 0, -(10**8))))
    draft.push("target_portfolio", {"sleeve": sleeve, "targets": wanted})


def _flip(draft: Draft, sleeve: int, wanted: list[tuple[int, int]]) -> None:
    """Let targets turn some positions round: what reduces may do what the rest may not."""
    for place, (index, weight) in enumerate(wanted):
        held = draft.oracle.quantities[sleeve, index, 0]
        if held and draft.chance(0.6):
            wanted[place] = (index, -abs(weight) if held > 0 else abs(weight))


def opposite_orders(draft: Draft) -> None:
    """Market orders of two sleeves that can cross at the next barrier."""
    oracle = draft.oracle
    able = [each for each in oracle.instruments if each.on_bars and each.index not in oracle.ended]
    if len(oracle.sleeves) < 2 or not able:
        return
    instrument = draft.random.choice(able)
    lots = draft.random.choice((1, 5, 20))
    sleeves = draft.random.sample((0, 1), 2)
    for sleeve, side, leg in zip(sleeves, ("buy", "sell"), ("long", "short"), strict=True):
        draft.push(
            "submit_order",
            {
                "sleeve": sleeve,
                "instrument": instrument.index,
                "side": side,
                "quantity": instrument.lot_size * lots,
                "kind": "market",
                "tif": draft.random.choice(("day", "gtc")),
                "leg": leg if oracle.hedging else "net",
            },
        )


def order_command(draft: Draft) -> None:
    choice = draft.random.random()
    working = draft.oracle.working()
    if choice < 0.12:
        draft.push("cancel_order", {"order": _some_id(draft, working)})
    elif choice < 0.27 and working:
        _amend(draft, draft.random.choice(working))
    elif choice < 0.33 and (working or draft.chance(0.1)):
        _replace(draft, working)
    elif choice < 0.48:
        _list(draft)
    else:
        _submit(draft)


def _some_id(draft: Draft, working: list[Order]) -> int:
    if working and draft.chance(0.85):
        return draft.random.choice(working).id
    return draft.random.randint(1, len(draft.oracle.orders) + 2)


def _submit(draft: Draft) -> None:
    request = _request(draft)
    draft.push("submit_order", request)
    if draft.chance(0.06):
        # The same again.
        draft.push("submit_order", request)


def _price_near(draft: Draft, instrument: Instrument) -> int:
    away = draft.random.choice((0, 1, 2, 5, 5, 15, 40)) * draft.random.choice((-1, 1))
    price = draft.prices[instrument.index]
    found = (price + abs(price) * away // 1_000) // instrument.tick_size * instrument.tick_size
    found += instrument.tick_size * draft.random.choice((-1, 0, 0, 1))
    return found if instrument.negative_prices else max(instrument.tick_size, found)


def _request(draft: Draft, instrument: Instrument | None = None) -> Record:
    """An order that makes sense most of the time."""
    random, oracle = draft.random, draft.oracle
    if instrument is None:
        alive = [each for each in oracle.instruments if each.index not in oracle.ended]
        instrument = random.choice(alive) if alive and draft.chance(0.97) else draft.instrument()
    sleeve = random.randrange(len(oracle.sleeves))
    leg = random.choice(("long", "short")) if oracle.hedging else "net"
    held = oracle.quantities[sleeve, instrument.index, 1 if leg == "short" else 0]
    side = random.choice(("buy", "sell"))
    if instrument.is_exchange or oracle.account["kind"] == "cash":
        side = "sell" if held > 0 and draft.chance(0.5) else "buy" if draft.chance(0.8) else "sell"
    if oracle.hedging and not held and draft.chance(0.9):
        side = "buy" if leg == "long" else "sell"
    closing = held != 0 and (held > 0) == (side == "sell")
    quantity = instrument.lot_size * random.choice((1, 2, 5, 10, 30, 100, 400))
    if draft.chance(0.4):
        quantity = _affordable(draft, sleeve, instrument)
    if closing and draft.chance(0.8):
        quantity = max(instrument.lot_size, instrument.lots(abs(held) // random.choice((1, 1, 2))))
    kind = random.choice(KINDS)
    if kind.startswith("on_") and not instrument.on_bars and not instrument.has_auctions:
        kind = "market" if draft.chance(0.9) else kind
    request: Record = {
        "sleeve": sleeve,
        "instrument": instrument.index,
        "side": side,
        "quantity": quantity,
        "kind": kind,
        "tif": random.choice(("day", "gtc", "gtc", "gtd")),
        "leg": leg,
        "reduce_only": draft.chance(0.5 if closing else 0.03),
    }
    if kind in ("market", "limit") and draft.chance(0.3):
        request["tif"] = random.choice(("ioc", "fok"))
    if request["tif"] == "gtd":
        request["expire_at"] = draft.ts + random.choice((SECOND, MINUTE, HOUR, DAY))
    _prices(draft, instrument, request)
    if draft.chance(0.06):
        _spoil(draft, request)
    return request


def _affordable(draft: Draft, sleeve: int, instrument: Instrument) -> int:
    """A good part of what the sleeve's equity may carry."""
    oracle = draft.oracle
    price = max(1, abs(draft.prices[instrument.index]))
    a_lot = oracle.convert(instrument.notional(instrument.lot_size, price), instrument.currency)
    share = draft.random.choice((5, 20, 60, 95))
    carried = max(0, oracle.sleeve_equity(sleeve)) * share // 100
    if oracle.by_margin(instrument):
        carried = carried * RATE // instrument.margin_initial
    lots = carried // a_lot if a_lot else 1
    return instrument.lot_size * min(10**9, max(1, lots))


def _prices(draft: Draft, instrument: Instrument, request: Record) -> None:
    random, kind = draft.random, request["kind"]
    if kind in LIMITED:
        request["limit_price"] = _price_near(draft, instrument)
    if kind in TRIGGERED:
        if kind == "trailing_stop":
            tick = instrument.tick_size
            trail = {"amount": tick * random.randint(1, 20)}
            request["trail"] = (
                trail if draft.chance(0.5) else {"rate": random.randint(1, 50) * 10**6}
            )
        else:
            request["trigger_price"] = _price_near(draft, instrument)
        if draft.chance(0.3):
            request["trigger_by"] = random.choice(("last", "bid", "ask", "mark"))
    if kind == "limit" and request["tif"] not in ("ioc", "fok"):
        request["post_only"] = draft.chance(0.2)
        if draft.chance(0.2):
            lots = max(1, request["quantity"] // instrument.lot_size // random.choice((2, 3, 5)))
            request["display_quantity"] = lots * instrument.lot_size


def _spoil(draft: Draft, request: Record) -> None:
    """Make one thing wrong."""
    random = draft.random
    spoilt: list[Record] = [
        {"quantity": random.choice((0, -request["quantity"], request["quantity"] + 1))},
        {"quantity": request["quantity"] * 10_000},
        {"limit_price": random.choice((None, 0, -5, 7))},
        {"trigger_price": random.choice((None, 0, -5, 7))},
        {"tif": random.choice(("ioc", "fok", "gtd", "day"))},
        {"expire_at": random.choice((None, draft.ts, draft.ts + HOUR))},
        {"trail": random.choice((None, {"amount": 0}, {"rate": RATE}))},
        {"post_only": True},
        {"reduce_only": True},
        {"display_quantity": random.choice((0, request["quantity"] * 2, 1))},
        {"leg": random.choice(("net", "long", "short"))},
        {"trigger_by": "mark"},
        {"kind": random.choice(KINDS)},
    ]
    request |= random.choice(spoilt)


def _list(draft: Draft) -> None:
    random = draft.random
    first = _request(draft)
    if draft.chance(0.4):
        # A parent that fills, and so releases its children.
        first |= {"kind": "market", "tif": "gtc", "reduce_only": False}
        for name in ("limit_price", "trigger_price", "trail", "trigger_by", "expire_at"):
            first.pop(name, None)
        first |= {"post_only": False, "display_quantity": None}
    _enlarge_held(draft, first)
    instrument = draft.oracle.instruments[first["instrument"]]
    _turn(draft, instrument, first)
    link = random.choice(("oco", "oto", "bracket", "bracket"))
    if draft.oracle.hedging and draft.chance(0.4):
        link = "oto"
    count = 3 if link == "bracket" else random.choice((2, 3, 3))
    other = "sell" if first["side"] == "buy" else "buy"
    orders = [first]
    for number in range(1, count):
        child = _request(draft, instrument)
        for name in ("sleeve", "quantity", "leg"):
            child[name] = first[name]
        child["side"] = first["side"] if link == "oco" else other
        if link == "oto" and draft.chance(0.2):
            child["side"] = first["side"]
        flagged = 0.15 if draft.oracle.hedging and link == "oto" else 0.5
        child["reduce_only"] = link != "oco" and draft.chance(flagged)
        if child["tif"] in ("ioc", "fok") and draft.chance(0.95):
            child["tif"] = "gtc"
        if child["kind"] == "market" and (link != "oto" or draft.chance(0.5)):
            child["kind"] = "stop" if number == 1 else "limit"
            name = "trigger_price" if number == 1 else "limit_price"
            child[name] = _price_near(draft, instrument)
        orders.append(child)
    if link == "oco" and first["kind"] == "market":
        first["kind"], first["limit_price"] = "limit", _price_near(draft, instrument)
    if link == "oco" and first["tif"] in ("ioc", "fok"):
        first["tif"] = "gtc"
    draft.push("submit_list", {"orders": orders, "link": link})


def _enlarge_held(draft: Draft, parent: Record) -> None:
    """In a hedging account, let a parent add to a leg that there is: its children close some."""
    held = sorted(line for line, quantity in draft.oracle.quantities.items() if quantity)
    if not draft.oracle.hedging or not held or draft.chance(0.5):
        return
    sleeve, index, leg = draft.random.choice(held)
    lot = draft.oracle.instruments[index].lot_size
    parent |= {
        "sleeve": sleeve,
        "instrument": index,
        "leg": "short" if leg else "long",
        "side": "sell" if leg else "buy",
        "quantity": lot * draft.random.choice((1, 5, 20, 100)),
    }


def _turn(draft: Draft, instrument: Instrument, parent: Record) -> None:
    """Let a parent close more than there is, so that its fill is more than it opens."""
    leg = 1 if parent["leg"] == "short" else 0
    held = draft.oracle.quantities[parent["sleeve"], instrument.index, leg]
    if not held or draft.oracle.hedging or draft.chance(0.5):
        return
    parent["side"] = "sell" if held > 0 else "buy"
    parent["quantity"] = instrument.lots(abs(held) * 2) + instrument.lot_size


def _amend(draft: Draft, order: Order) -> None:
    random = draft.random
    instrument = draft.oracle.instruments[order.instrument]
    terms: Record = {"order": order.id}
    if draft.chance(0.5):
        lots = random.choice((-3, -1, 0, 1, 2, 10))
        terms["quantity"] = order.quantity + lots * instrument.lot_size
    if order.limit_price is not None and draft.chance(0.6):
        terms["limit_price"] = _price_near(draft, instrument)
    if order.trigger_price is not None and draft.chance(0.5):
        terms["trigger_price"] = _price_near(draft, instrument)
    if order.trail is not None and draft.chance(0.5):
        terms["trail"] = {"rate": random.randint(1, 40) * 10**6}
    if order.expire_at is not None and draft.chance(0.4):
        terms["expire_at"] = draft.ts + random.choice((-SECOND, MINUTE, DAY))
    draft.push("amend_order", terms)


def _replace(draft: Draft, working: list[Order]) -> None:
    id = _some_id(draft, working)
    order = draft.oracle.orders.get(id)
    request = _request(draft)
    if order is not None and draft.chance(0.9):
        request = _request(draft, draft.oracle.instruments[order.instrument])
        for name in ("sleeve", "side", "leg"):
            request[name] = getattr(order, name)
    draft.push("replace_order", {"order": id, "request": request})
