"""Random sessions of a fund from a seed: inputs of every kind.

The oracle is run along while they are drawn, so that orders, amendments and cancels meet what is
there; the inputs are then a fixed list that any engine can be given, also with some left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from oracle import InputError, Oracle
from oracle.terms import LIMITED, TRIGGERED, Instrument, Order
from support.random_worlds import DAY, HOUR, MINUTE, MONEY, RATE, SECOND, START, random_config

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
STEPS = 26


@dataclass
class Step:
    """An input, and what the oracle says to it: outputs, or None for an error."""

    input: Record
    outputs: list[Record] | None


@dataclass
class Draft:
    """A session while it is being drawn."""

    seed: int
    random: Random
    config: Record
    oracle: Oracle
    prices: dict[int, int]
    steps: list[Step] = field(default_factory=list)
    ts: int = START + 9 * HOUR
    sequence: int = 0
    book_ids: int = 0
    check: Callable[[Step], None] = lambda step: None

    def run(self, check: Callable[[Step], None] = lambda step: None) -> None:
        """Draw all inputs, and show each to `check` once the oracle has answered."""
        self.check = check
        _start(self)
        for step in range(STEPS):
            _step(self, step)

    def push(self, name: str, terms: object) -> bool:
        """Give the oracle an input; what it refuses must be refused by every engine."""
        self.sequence += 1
        input = {
            "ts_event": self.ts,
            "ts_received": self.ts,
            "source": 0,
            "sequence": self.sequence,
            "event": {name: terms},
        }
        try:
            outputs: list[Record] | None = self.oracle.apply(input)
        except InputError:
            outputs = None
        step = Step(input, outputs)
        self.steps.append(step)
        self.check(step)
        return outputs is not None

    def instrument(self) -> Instrument:
        return self.random.choice(self.oracle.instruments)

    def chance(self, p: float) -> bool:
        return self.random.random() < p


def draft_session(seed: int) -> Draft:
    """Set up the session of a seed: always the same one."""
    random = Random(seed)
    config = random_config(random)
    oracle = Oracle(config)
    prices = {each.index: _first_price(random, each) for each in oracle.instruments}
    return Draft(seed, random, config, oracle, prices)


def random_session(seed: int) -> Draft:
    """Draw the whole session of a seed."""
    draft = draft_session(seed)
    draft.run()
    return draft


def _first_price(random: Random, instrument: Instrument) -> int:
    price = random.randint(10, 120) * int(10**instrument.price_precision)
    return (price // instrument.tick_size + 1) * instrument.tick_size


def _start(draft: Draft) -> None:
    """Most of what an engine needs before it trades."""
    for currency in range(1, len(draft.oracle.currencies)):
        if draft.chance(0.8):
            _currency_rate(draft, currency)
    if draft.oracle.limit("value_at_risk") is not None:
        for each in draft.oracle.instruments:
            if draft.chance(0.9):
                _scenarios(draft, each.index)
    for each in draft.oracle.instruments:
        if draft.chance(0.8):
            _data(draft, each)
    _bars(draft)


def _step(draft: Draft, step: int) -> None:
    """One moment: class by class, then time goes on."""
    random = draft.random
    draft.ts += random.choice((SECOND, SECOND, 20 * SECOND, MINUTE, 10 * MINUTE))
    if step % 9 == 8:
        draft.ts = (draft.ts // DAY + 1) * DAY - HOUR
        _bars(draft, end=True)
        draft.ts += MINUTE
        draft.push("day_ended", {"trading": draft.chance(0.8)})
        draft.ts += 10 * HOUR
    stuck = draft.oracle.fund_state() != "active"
    if draft.chance(0.35 if stuck else 0.04):
        _operator(draft)
    if draft.chance(0.22):
        _event_of_class_1(draft)
    if draft.chance(0.2):
        _figures(draft)
    for _ in range(random.choice((0, 1, 1, 2))):
        _data(draft, draft.instrument())
    if draft.chance(0.25) or step % 9 == 0:
        _bars(draft)
    if not draft.oracle.hedging and draft.chance(0.2):
        _targets(draft)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        _order_command(draft)


# Class 0 and 1.


def _operator(draft: Draft) -> None:
    random = draft.random
    sleeve = random.randrange(len(draft.oracle.sleeves))
    state = random.choice(("on", "on", "reduce_only", "off"))
    name, value = random.choice(
        (
            ("gross_max", random.choice((None, 800 * 10**6))),
            ("weight_max", random.choice((None, 300 * 10**6, -1))),
            ("position_max", random.choice((None, 20_000 * MONEY))),
            ("drawdown", 50 * 10**6),
            ("unheard_of", 1),
        )
    )
    commands: tuple[Any, ...] = (
        "halt",
        "reduce",
        "resume",
        "resume",
        "flatten",
        {"sleeve": {"sleeve": sleeve, "state": state}},
        {"change_limit": {"name": name, "value": value}},
    )
    stuck = draft.oracle.fund_state() != "active"
    draft.push("operator", "resume" if stuck and draft.chance(0.8) else random.choice(commands))
    for index in range(len(draft.oracle.sleeves)):
        if draft.oracle.sleeve_state(index) != "on" and draft.chance(0.4):
            draft.push("operator", {"sleeve": {"sleeve": index, "state": "on"}})


def _event_of_class_1(draft: Draft) -> None:
    random = draft.random
    if draft.chance(0.35):
        amount = random.choice((-1, -1, 1)) * random.randint(0, 60_000) * MONEY
        draft.push(
            "cash_flow",
            {
                "sleeve": random.randrange(len(draft.oracle.sleeves)),
                "currency": random.randrange(len(draft.oracle.currencies)),
                "amount": amount,
            },
        )
        return
    instrument = draft.instrument()
    if draft.chance(0.08):
        price = draft.prices[instrument.index] if draft.chance(0.5) else None
        draft.push("instrument_ended", {"instrument": instrument.index, "price": price})
        return
    action = _action(draft, instrument)
    if action is not None and draft.push("action", action):
        _adjust(draft, instrument, action)


def _action(draft: Draft, instrument: Instrument) -> Record | None:
    random, index = draft.random, instrument.index
    mark = draft.oracle.marks.get(index)
    if mark is None:
        return None
    a, b = random.choice(((2, 1), (1, 2), (3, 2), (1, 10), (7, 5)))
    assets = [each for each in draft.oracle.instruments if each.settlement == "asset"]
    into = random.choice(assets or [instrument])
    ratio = {"instrument": index, "numerator": a, "denominator": b}
    price = max(1, draft.prices[into.index])
    name = random.choice(
        (
            "split",
            "split",
            "cash_dividend",
            "cash_dividend",
            "stock_dividend",
            "symbol_change",
            "stock_dividend",
            "merger_stock",
            "spin_off",
            "spin_off",
            "precision",
            "precision",
        )
    )
    if draft.chance(0.12):
        name = random.choice(("merger_cash", "merger_stock", "delisting"))
    worth = abs(mark) * instrument.unit * 10**instrument.quantity_precision
    terms: Record = {
        "split": ratio,
        "stock_dividend": ratio,
        "cash_dividend": {"instrument": index, "amount": worth // random.choice((1, 10, 37, 200))},
        "symbol_change": {"instrument": index, "symbol": f"S{random.randrange(100)}"},
        "merger_cash": {"instrument": index, "price": draft.prices[index]},
        "merger_stock": ratio
        | {
            "into": into.index,
            "cash": random.choice((0, worth // 20)),
            "into_price": price,
        },
        "spin_off": ratio
        | {
            "into": into.index,
            "numerator": 1,
            "denominator": random.choice((3, 7, 20)),
            "cost_share": random.randint(0, RATE),
            "into_price": price,
        },
        "delisting": {"instrument": index, "price": random.choice((None, draft.prices[index]))},
    }
    if name == "precision":
        return {"precision": _precision(draft, instrument)}
    return {name: terms[name]}


def _precision(draft: Draft, instrument: Instrument) -> Record:
    random = draft.random
    prices = min(9, max(0, instrument.price_precision + random.choice((-1, 0, 1))))
    quantities = min(3, max(0, instrument.quantity_precision + random.choice((-1, 0, 1))))
    return {
        "instrument": instrument.index,
        "price_precision": prices,
        "quantity_precision": quantities,
        "tick_size": random.choice((1, 1, 2, 5)),
        "lot_size": random.choice((1, 10**quantities)),
    }


def _adjust(draft: Draft, instrument: Instrument, action: Record) -> None:
    """Let the price go on from what an action made of it."""
    if instrument.index in draft.oracle.marks:
        mark = draft.oracle.marks[instrument.index]
        tick = instrument.tick_size
        draft.prices[instrument.index] = max(tick, mark // tick * tick)


# Class 2.


def _currency_rate(draft: Draft, currency: int) -> None:
    rate = draft.random.randint(200, 3_000) * 10**9
    draft.push("currency_rate", {"currency": currency, "rate": rate})


def _scenarios(draft: Draft, index: int) -> None:
    random = draft.random
    model = draft.oracle.limit("value_at_risk")
    count = model["scenarios"] if model is not None else 5
    draft.push(
        "scenarios",
        {
            "instrument": index,
            "returns": [random.randint(-80, 80) * 10**6 for _ in range(count)],
            "expires_at": draft.ts + random.choice((HOUR, DAY, 9 * DAY)),
        },
    )


def _figures(draft: Draft) -> None:
    random = draft.random
    instrument = draft.instrument()
    index = instrument.index
    choice = random.randrange(8)
    if choice == 0:
        currency = random.randrange(len(draft.oracle.currencies))
        _currency_rate(draft, currency)
    elif choice == 1:
        draft.push(
            "interest_rates",
            {
                "currency": random.randrange(len(draft.oracle.currencies)),
                "credit_rate": random.choice((0, 30_000_000)),
                "debit_rate": random.choice((0, 90_000_000)),
            },
        )
    elif choice == 2 and draft.oracle.account["kind"] == "margin":
        draft.push(
            "short_terms",
            {
                "instrument": index,
                "shortable": instrument.lot_size * random.choice((0, 10, 500)),
                "borrow_rate": random.choice((0, 50_000_000)),
            },
        )
    elif choice == 3 and draft.oracle.limit("value_at_risk") is not None:
        _scenarios(draft, index)
    elif choice == 4:
        draft.push("funding", {"instrument": index, "rate": random.randint(-900_000, 900_000)})
    else:
        kind, of, value = random.choice(
            (
                ("volatility", index, random.randint(1, 50) * 10**6),
                ("average_volume", index, instrument.lot_size * random.randint(20, 3_000)),
                ("correlation", index, random.randint(-RATE, RATE)),
                ("fund_volatility", None, random.randint(1, 40) * 10**6),
                ("regime", None, random.randrange(4)),
            )
        )
        expires_at = draft.ts + random.choice((MINUTE, DAY, 9 * DAY))
        figure = {"kind": kind, "instrument": of, "value": value, "expires_at": expires_at}
        draft.push("risk_figure", figure)


def _move(draft: Draft, instrument: Instrument) -> int:
    """Let a price wander, at times far, on whole ticks."""
    random, index = draft.random, instrument.index
    width = random.choice((2, 5, 15, 15, 60, 200)) if draft.chance(0.9) else 400
    price = draft.prices[index]
    moved = price * (1_000 + random.randint(-width, width)) // 1_000
    if instrument.negative_prices and draft.chance(0.1):
        moved = -moved if draft.chance(0.5) else moved - 40 * 10**instrument.price_precision
    moved = moved // instrument.tick_size * instrument.tick_size
    if not instrument.negative_prices:
        moved = max(instrument.tick_size, moved)
    draft.prices[index] = moved
    return moved


def _size(draft: Draft, instrument: Instrument) -> int:
    lots = draft.random.choice((0, 1, 3, 10, 40, 300))
    return instrument.lot_size * lots + draft.random.choice((0, 0, 1))


def _data(draft: Draft, instrument: Instrument) -> None:
    """Something of the market of an instrument."""
    random, index = draft.random, instrument.index
    if draft.chance(0.06):
        status = "halted" if draft.chance(0.4) else "trading"
        draft.push("status", {"instrument": index, "status": status})
    if index in draft.oracle.halted and draft.chance(0.4):
        draft.push("status", {"instrument": index, "status": "trading"})
    if instrument.has_auctions and draft.chance(0.2):
        auction = {
            "kind": random.choice(("open", "close")),
            "price": _move(draft, instrument),
            "volume": random.choice((None, 50, 500)),
        }
        if auction["volume"] is not None:
            auction["volume"] *= instrument.lot_size
        draft.push("auction", {"instrument": index, "auction": auction})
    if instrument.on_bars:
        if draft.chance(0.1):
            _quote(draft, instrument)
        return
    if draft.chance(0.04):
        _bar(draft, instrument)
    if instrument.matching == "trades" or draft.chance(0.3):
        _trade(draft, instrument)
    if instrument.matching == "quotes" or draft.chance(0.03):
        _quote(draft, instrument)
    elif instrument.matching in ("l2", "l3"):
        _book(draft, instrument)


def _quote(draft: Draft, instrument: Instrument) -> None:
    random = draft.random
    middle, tick = _move(draft, instrument), instrument.tick_size
    bid: int | None = middle - tick * random.choice((0, 1, 1, 2, 5))
    ask: int | None = middle + tick * random.choice((-1, 0, 1, 1, 2, 5))
    if not instrument.negative_prices:
        bid, ask = max(1, bid or 1), max(1, ask or 1)
    sizes: list[int | None] = [_size(draft, instrument), _size(draft, instrument)]
    capped = draft.oracle.venue(instrument).get("participation_max") is not None
    if draft.chance(0.1 if capped else 0.4):
        sizes = [None, None]
    if draft.chance(0.06):
        bid, sizes[0] = None, None
    elif draft.chance(0.06):
        ask, sizes[1] = None, None
    quote = {"bid": bid, "bid_size": sizes[0], "ask": ask, "ask_size": sizes[1]}
    draft.push("quote", {"instrument": instrument.index, "quote": quote})


def _trade(draft: Draft, instrument: Instrument) -> None:
    aggressor = draft.random.choice((None, "buy", "sell"))
    size = max(1, _size(draft, instrument)) if draft.chance(0.97) else 0
    price = _move(draft, instrument)
    own = [
        order.limit_price
        for order in draft.oracle.working()
        if order.instrument == instrument.index and order.limit_price is not None
    ]
    if own and draft.chance(0.4):
        price = draft.random.choice(own)
        draft.prices[instrument.index] = price
    trade = {"price": price, "size": size, "aggressor": aggressor}
    draft.push("trade", {"instrument": instrument.index, "trade": trade})


def _book(draft: Draft, instrument: Instrument) -> None:
    """A message of one part or more; at times a snapshot."""
    random = draft.random
    empty = not draft.oracle.markets[instrument.index].sides["buy"]
    parts = random.choice((1, 1, 2, 3))
    if empty or draft.chance(0.15):
        more = draft.chance(0.9)
        cleared = {"instrument": instrument.index, "more": more}
        if not draft.push("book_cleared", cleared) or not more:
            return
        parts = random.randint(2, 7)
    middle = _move(draft, instrument)
    for number in range(parts):
        more = number < parts - 1
        if instrument.matching == "l2":
            _book_level(draft, instrument, middle, more)
        else:
            _book_order(draft, instrument, middle, more)


def _place(draft: Draft, instrument: Instrument, middle: int) -> tuple[str, int]:
    random = draft.random
    side = random.choice(("buy", "sell"))
    away = instrument.tick_size * random.choice((0, 1, 1, 2, 3, 8))
    price = middle - away if side == "buy" else middle + away
    own = [
        order.limit_price
        for order in draft.oracle.working()
        if order.instrument == instrument.index
        and order.side == side
        and order.limit_price is not None
    ]
    if own and draft.chance(0.4):
        price = random.choice(own)
    return side, price if instrument.negative_prices else max(1, price)


def _book_level(draft: Draft, instrument: Instrument, middle: int, more: bool) -> None:
    side, price = _place(draft, instrument, middle)
    market = draft.oracle.markets[instrument.index]
    size = _size(draft, instrument)
    if market.crossed and draft.chance(0.8):
        # What crosses goes.
        side = draft.random.choice(("buy", "sell"))
        price, size = market.best(side) or price, 0
    level = {"side": side, "price": price, "size": size, "more": more}
    draft.push("book_level", {"instrument": instrument.index, "level": level})


def _book_order(draft: Draft, instrument: Instrument, middle: int, more: bool) -> None:
    random = draft.random
    side, price = _place(draft, instrument, middle)
    market = draft.oracle.markets[instrument.index]
    size = max(1, _size(draft, instrument)) if draft.chance(0.9) else 0
    id = draft.book_ids = draft.book_ids + 1
    known = sorted({**market.before, **market.entries})
    if known and draft.chance(0.5):
        id = random.choice(known)
        old = {**market.before, **market.entries}[id]
        if draft.chance(0.6):
            side, price = old[:2]
            size = random.choice((0, old[2], max(1, old[2] // 2), old[2] + 1))
    if market.crossed and market.entries and draft.chance(0.8):
        id, size = random.choice(sorted(market.entries)), 0
    entry = {"id": id, "side": side, "price": price, "size": size, "more": more}
    draft.push("book_order", {"instrument": instrument.index, "order": entry})


def _bars(draft: Draft, *, end: bool | None = None) -> None:
    """Bars of one time, and their barrier."""
    random, oracle = draft.random, draft.oracle
    draft.ts += SECOND
    for each in oracle.instruments:
        if not each.on_bars or each.index in oracle.ended:
            continue
        if draft.chance(0.08):
            draft.push("bar_missing", {"instrument": each.index})
        elif draft.chance(0.95):
            _bar(draft, each)
    ends = draft.chance(0.3) if end is None else end
    draft.push("barrier", {"session_start": draft.chance(0.4), "session_end": ends})
    draft.ts += random.choice((0, SECOND, MINUTE))


def _bar(draft: Draft, instrument: Instrument) -> None:
    floor = 1 if not instrument.negative_prices else -(10**9)
    path = [max(floor, _move(draft, instrument)) for _ in range(4)]
    has_volume = draft.oracle.venue(instrument).get("participation_max") is not None
    bar = {
        "range": None if instrument.close_only else [path[0], max(path), min(path)],
        "close": path[-1],
        "volume": _size(draft, instrument) * 4 if has_volume or draft.chance(0.5) else None,
    }
    draft.push("bar", {"instrument": instrument.index, "bar": bar})


# Class 4 and 5.


def _targets(draft: Draft) -> None:
    random, oracle = draft.random, draft.oracle
    count = len(oracle.instruments)
    named = random.sample(range(count), random.randint(1, count))
    low = -500 if oracle.account["kind"] == "margin" else 0
    targets = [(index, random.randint(low, 600) * 10**6) for index in named]
    if draft.chance(0.1):
        targets[0] = (targets[0][0], random.choice((1_000, 0, -(10**8))))
    sleeve = random.randrange(len(oracle.sleeves))
    draft.push("target_portfolio", {"sleeve": sleeve, "targets": targets})


def _order_command(draft: Draft) -> None:
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
    instrument = draft.oracle.instruments[first["instrument"]]
    link = random.choice(("oco", "oto", "bracket", "bracket"))
    count = 3 if link == "bracket" else random.choice((2, 2, 3))
    other = "sell" if first["side"] == "buy" else "buy"
    orders = [first]
    for number in range(1, count):
        child = _request(draft, instrument)
        for name in ("sleeve", "quantity", "leg"):
            child[name] = first[name]
        child["side"] = first["side"] if link == "oco" else other
        if link == "oto" and draft.chance(0.2):
            child["side"] = first["side"]
        child["reduce_only"] = link != "oco" and draft.chance(0.5)
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
