"""Random small funds and markets from a seed, as a fixed list of inputs.

Targets and orders are drawn without looking at any engine, so the same list can be fed to every
implementation. The units are the engine's, the names those of ``support.engine_records``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

DAY = 86_400 * 10**9
MINUTE = 60 * 10**9
START = 19_723 * DAY
"""2024-01-01."""

CLASSES = {"instrument_ended": 1, "bar": 2, "bar_missing": 2, "barrier": 3, "target_portfolio": 4}
"""Class of each input; orders and cancels have 5."""

type Input = dict[str, Any]


@dataclass(frozen=True)
class RandomFund:
    """What an engine is started with, and all that happens to it."""

    seed: int
    config: dict[str, Any]
    inputs: list[Input]


@dataclass
class Listing:
    """One instrument, its dates in sessions and how its price moves."""

    entry: dict[str, Any]
    price: int
    first: int
    last: int
    ended_in: int | None
    volatility: int
    ordered: int = 0
    """Net quantity that the explicit orders asked for so far, a blind guess of the position."""


@dataclass
class Draft:
    """A fund while it is being drawn."""

    random: Random
    config: dict[str, Any]
    listings: list[Listing]
    sessions: int
    barriers: int
    styles: list[str]
    inputs: list[Input] = field(default_factory=list)
    orders: int = 0


def random_fund(seed: int) -> RandomFund:
    """Draw the fund of a seed: always the same one."""
    random = Random(seed)
    sessions = random.randint(6, 25)
    close_only = random.choice(("all", "none", "none", "mixed", "mixed"))
    listings = [
        _listing(random, index, sessions, close_only) for index in range(random.randint(2, 5))
    ]
    sleeves = ["alpha", "beta", "gamma"][: random.choice((1, 2, 2, 3, 3))]
    draft = Draft(
        random=random,
        config=_config(random, listings, sleeves),
        listings=listings,
        sessions=sessions,
        barriers=random.choice((1, 1, 1, 2, 3)),
        styles=[random.choice(("targets", "targets", "orders", "both")) for _ in sleeves],
    )
    for session in range(sessions):
        _session(draft, session)
    return RandomFund(seed=seed, config=draft.config, inputs=_in_order(draft.inputs))


def _listing(random: Random, index: int, sessions: int, close_only: str) -> Listing:
    price_precision = random.choice((0, 1, 2, 2, 2, 4, 6, 9))
    quantity_precision = random.choice((0, 0, 0, 1, 3, 12 - price_precision))
    quantity_precision = min(quantity_precision, 12 - price_precision, 9)
    tiny = random.random() < 0.1
    # Worth of one whole unit, in 1e-2 of the currency; a tiny price moves a tick at a time.
    worth = random.randint(500, 20_000)
    price = random.randint(1, 5) if tiny else max(2, worth * 10**price_precision // 100)
    unit = 10**quantity_precision
    lot = random.choice((unit, unit, max(1, unit // 10), 5 * unit, 100 * unit))
    tick = 1 if price < 50 else random.choice((1, 1, 1, 5))
    first = random.randint(1, 5) if random.random() < 0.15 else 0
    ends = random.random() < 0.15
    last = random.randint(first + 2, sessions - 2) if ends and first + 2 <= sessions - 2 else None
    ended_in = None if last is None or random.random() < 0.1 else last + 1
    entry = {
        "id": f"I{index}.XSIM",
        "price_precision": price_precision,
        "quantity_precision": quantity_precision,
        "tick_size": tick,
        "lot_size": lot,
        "multiplier": random.choice((1, 1, 1, 1, 1, 10)),
        "sector": random.choice(("banks", "mines")),
        # Mostly the dates of the bars, at times a day inside them.
        "effective_from": _day(first + random.choice((0, 0, 1))) if random.random() < 0.5 else None,
        "effective_to": None
        if last is None or random.random() < 0.5
        else _day(last + random.choice((0, 1, 1))),
        "close_only": {"all": True, "none": False, "mixed": random.random() < 0.5}[close_only],
    }
    last = sessions - 1 if last is None else last
    return Listing(entry, price, first, last, ended_in, random.choice((5, 10, 20, 40, 80)))


def _day(session: int) -> int:
    """Start of a session's day; its barriers come later in it."""
    return START + session * DAY


def _config(random: Random, listings: list[Listing], sleeves: list[str]) -> dict[str, Any]:
    cash = [random.randint(2_000, 200_000) * 10**10 * random.choice((1, 10, 100)) for _ in sleeves]
    total = sum(cash)

    def maybe(chance: float, low: int, high: int, scale: int = 1) -> int | None:
        return random.randint(low, high) * scale if random.random() < chance else None

    return {
        "semantics": 2,
        "fund": "random",
        "currency_precision": random.choice((2, 2, 2, 0, 3)),
        "sleeves": sleeves,
        "cash": cash,
        "instruments": [listing.entry for listing in listings],
        "venue": {
            "fee_rate": random.choice((0, 100_000, 1_000_000, 2_500_000)),
            "slippage": random.choice((0, 200_000, 500_000, 3_000_000)),
            "limit_fill": random.choice(("through", "touch")),
            "participation_max": maybe(0.35, 20, 300, 10**6),
            "on_close_cutoff_ns": random.choice((0, 10 * MINUTE, 60 * MINUTE)),
        },
        "limits": {
            "price_band": random.choice((50, 100, 250)) * 10**6,
            "fat_finger_notional": maybe(0.15, total // 10, total),
            "fat_finger_quantity": maybe(0.15, 10, 2_000),
            "position_max": maybe(0.15, total // 10, total),
            "weight_max": maybe(0.25, 100, 700, 10**6),
            "sector_max": maybe(0.25, 200, 900, 10**6),
            "gross_max": maybe(0.4, 500, 1_000, 10**6),
        },
    }


def _session(draft: Draft, session: int) -> None:
    random = draft.random
    close = START + session * DAY + 21 * 60 * MINUTE
    times = [close - 120 * MINUTE * back for back in reversed(range(draft.barriers))]
    for index, listing in enumerate(draft.listings):
        if listing.ended_in == session:
            ts = times[0] - random.choice((0, 30 * MINUTE))
            draft.inputs.append({"type": "instrument_ended", "ts": ts, "instrument": index})
    for number, ts in enumerate(times):
        if random.random() < 0.15:
            _orders(draft, session, ts - random.choice((1, 5, 15, 90)) * MINUTE)
        _market(draft, session, ts)
        flags = {"session_start": number == 0, "session_end": number == len(times) - 1}
        draft.inputs.append({"type": "barrier", "ts": ts, **flags})
        if flags["session_end"] or random.random() < 0.3:
            _targets(draft, ts)
        _orders(draft, session, ts)


def _market(draft: Draft, session: int, ts: int) -> None:
    random = draft.random
    for index, listing in enumerate(draft.listings):
        if not listing.first <= session <= listing.last:
            continue
        if random.random() < 0.03:
            draft.inputs.append({"type": "bar_missing", "ts": ts, "instrument": index})
            continue
        draft.inputs.append({"type": "bar", "ts": ts, "instrument": index, **_bar(draft, listing)})


def _bar(draft: Draft, listing: Listing) -> dict[str, int | None]:
    """Move the price: a gap, at times beyond every band, then the way to the close."""
    random = draft.random
    jump = random.random() < 0.03
    gap = random.choice((400, 700, 1_350, 2_000)) if jump else 1_000 + random.randint(-10, 10)
    start = max(1, listing.price * gap // 1_000)
    moves = [random.randint(-listing.volatility, listing.volatility) for _ in range(3)]
    path = [start, *(max(1, start * (1_000 + move) // 1_000) for move in moves)]
    if start < 100:
        path = [start, *(max(1, start + random.randint(-1, 1)) for _ in range(3))]
    listing.price = path[-1]
    lot = listing.entry["lot_size"]
    has_volume = draft.config["venue"]["participation_max"] is not None or random.random() < 0.5
    volume = lot * random.choice((0, 3, 20, 200, 5_000)) + random.randint(0, lot)
    whole = not listing.entry["close_only"]
    return {
        "open": path[0] if whole else None,
        "high": max(path) if whole else None,
        "low": min(path) if whole else None,
        "close": path[-1],
        "volume": volume if has_volume else None,
    }


def _targets(draft: Draft, ts: int) -> None:
    """Let some sleeves ask for new weights, often for (nearly) all of their equity."""
    random = draft.random
    for sleeve, style in enumerate(draft.styles):
        if style == "orders" or random.random() < 0.5:
            continue
        count = len(draft.listings)
        named = random.sample(range(count), random.randint(1, count))
        raw = [random.choice((0, 1, 1, 2, 3, 5)) for _ in named]
        gross = random.choice((300, 700, 990, 1_000, 1_000)) * 10**6
        weights = [gross * weight // max(1, sum(raw)) for weight in raw]
        if random.random() < 0.05:
            weights[0] = random.choice((1_000, -100_000_000, 1_500_000_000))
        targets = list(zip(named, weights, strict=True))
        draft.inputs.append(
            {"type": "target_portfolio", "ts": ts, "sleeve": sleeve, "targets": targets}
        )
        draft.orders += len(named) // 2


def _orders(draft: Draft, session: int, ts: int) -> None:
    """Let some sleeves send explicit orders, and cancel what may be one of ours."""
    random = draft.random
    for sleeve, style in enumerate(draft.styles):
        if style == "targets":
            continue
        for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
            if draft.orders and random.random() < 0.1:
                order_id = random.randint(1, draft.orders + 1)
                draft.inputs.append({"type": "cancel_order", "ts": ts, "order_id": order_id})
            else:
                index = random.randrange(len(draft.listings))
                draft.inputs.append(_order(draft, sleeve, index, ts))
                draft.orders += 1


def _order(draft: Draft, sleeve: int, index: int, ts: int) -> Input:
    random = draft.random
    listing = draft.listings[index]
    entry = listing.entry
    lot, tick = entry["lot_size"], entry["tick_size"]
    scale = 10 ** (12 - entry["price_precision"] - entry["quantity_precision"])
    one_lot = lot * listing.price * entry["multiplier"] * scale
    affordable = draft.config["cash"][sleeve] // one_lot
    sale = listing.ordered >= lot and random.random() < 0.5
    most = listing.ordered // lot if sale else max(1, affordable // random.choice((1, 3, 10)))
    quantity = lot * random.randint(1, max(1, most))
    order_type = random.choice(("market", "market", "limit", "limit", "on_open", "on_close"))
    tif = random.choice(("day", "day", "gtc", "ioc"))
    limit_price = None
    if order_type == "limit":
        away = random.choice((0, 2, 10, 10, 60)) * random.choice((-1, 1))
        limit_price = max(1, listing.price * (1_000 + away) // 1_000 // tick) * tick
    if random.random() < 0.04:  # one of the ways to be wrong
        match random.randrange(4):
            case 0:
                quantity = random.choice((0, -lot, quantity + 1))
            case 1:
                limit_price = None if order_type == "limit" else listing.price
            case 2 if limit_price is not None:
                limit_price = random.choice((0, -tick, limit_price + 1, 2 * limit_price))
            case _:
                sale, quantity = True, 1_000 * quantity
    quantity = min(quantity, 10**18)  # the engine's quantities have 64 bits
    listing.ordered += -quantity if sale else quantity
    return {
        "type": "submit_order",
        "ts": ts,
        "sleeve": sleeve,
        "instrument": index,
        "side": "sell" if sale else "buy",
        "quantity": quantity,
        "order_type": order_type,
        "tif": tif,
        "limit_price": limit_price,
    }


def _in_order(inputs: list[Input]) -> list[Input]:
    """Sort into the canonical order and number the inputs of each source."""

    def key(input: Input) -> tuple[int, int, int]:
        return (input["ts"], CLASSES.get(input["type"], 5), input.get("sleeve", 0))

    ordered = sorted(inputs, key=key)
    return [
        {**input, "source": input.get("sleeve", 0), "sequence": number}
        for number, input in enumerate(ordered)
    ]
