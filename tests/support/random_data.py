"""Random market data, rates and figures: inputs of class 2."""

from __future__ import annotations

from typing import Any

from oracle.terms import Instrument
from support.random_draft import Draft
from support.random_worlds import DAY, HOUR, MINUTE, RATE, SECOND

type Record = dict[str, Any]


def currency_rate(draft: Draft, currency: int) -> None:
    rate = draft.random.randint(200, 3_000) * 10**9
    draft.push("currency_rate", {"currency": currency, "rate": rate})


def scenarios(draft: Draft, index: int) -> None:
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


def good_figures(draft: Draft) -> None:
    """Figures that let new risk pass, for a while."""
    expires_at = draft.ts + draft.random.choice((MINUTE, HOUR, DAY))
    wanted: list[tuple[str, str, int | None]] = [
        ("volatility_max", "fund_volatility", None),
        ("regimes_blocked", "regime", None),
    ]
    for each in draft.oracle.instruments:
        wanted.append(("instrument_volatility_max", "volatility", each.index))
        wanted.append(("correlation_max", "correlation", each.index))
    for limit, kind, index in wanted:
        if draft.oracle.limit(limit) is not None and draft.chance(0.9):
            figure = {"kind": kind, "instrument": index, "value": 0, "expires_at": expires_at}
            draft.push("risk_figure", figure)


def figures(draft: Draft) -> None:
    random = draft.random
    instrument = draft.instrument()
    index = instrument.index
    choice = random.randrange(8)
    if choice == 0:
        currency = random.randrange(len(draft.oracle.currencies))
        currency_rate(draft, currency)
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
        scenarios(draft, index)
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
    lots = draft.random.choice((0, 1, 3, 10, 40, 300, 5_000))
    return instrument.lot_size * lots + draft.random.choice((0, 0, 1))


def data(draft: Draft, instrument: Instrument) -> None:
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


def bars(draft: Draft, *, end: bool | None = None) -> None:
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
