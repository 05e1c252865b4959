"""Random funds, accounts and venues from a seed: the set-up of an engine, as its dictionary."""

from __future__ import annotations

from random import Random
from typing import Any

type Record = dict[str, Any]

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 19_723 * DAY
"""2024-01-01."""

MONEY = 10**12
RATE = 10**9

ASSETS = ("equity", "etf", "spot")
DIFFERENCES = ("perpetual", "future", "pair")


def random_config(random: Random) -> Record:
    """Draw the set-up of an engine."""
    margin = random.random() < 0.55
    hedging = margin and random.random() < 0.3
    unsettled = random.random() < 0.6
    count = random.choice((1, 1, 2, 3))
    venues = [_venue(random, index) for index in range(random.choice((1, 1, 2)))]
    days = random.choice((0, 0, 0, 1, 2))
    style = random.choice(("bars", "events", "mixed", "mixed", "mixed"))
    instruments = [
        _instrument(random, index, margin, count, len(venues), style, days)
        for index in range(random.randint(2, 5))
    ]
    if count > 1 and random.random() < 0.4:
        instruments.append(_exchange(random, len(instruments), count, len(venues), style, days))
    if margin or not unsettled:
        for each in instruments:
            if each["settlement"] != "difference" and random.random() < 0.5:
                each["settlement_days"] = random.choice((0, 1, 2))
    for each in instruments:
        if not margin:
            each["shortable"] = 0
        if venues[each["venue"]]["impact"] is not None:
            each["volatility"] = random.randint(1, 40) * 10**6
            each["average_volume"] = each["lot_size"] * random.randint(50, 5_000)
    sleeves = ["alpha", "beta"][: random.choice((1, 2, 2))]
    total = 0
    entries = []
    for name in sleeves:
        cash = random.randint(5_000, 200_000) * MONEY
        total += cash
        entry: Record = {"id": name, "cash": cash, "limits": _sleeve_limits(random)}
        entry["balances"] = [
            (currency, random.randint(100, 50_000) * MONEY)
            for currency in range(1, count)
            if random.random() < 0.5
        ]
        entries.append(entry)
    return {
        "semantics": 2,
        "fund": "random",
        "epoch": 1,
        "seed": random.randrange(2**64),
        "currencies": _currencies(random, count, instruments),
        "account": {
            "kind": "margin" if margin else "cash",
            "positions": "hedging" if hedging else "netting",
            "trade_on_unsettled": unsettled,
        },
        "instruments": instruments,
        "sleeves": entries,
        "venues": venues,
        "limits": _limits(random, total),
    }


def _currencies(random: Random, count: int, instruments: list[Record]) -> list[Record]:
    found: list[Record] = []
    for index, (code, precision) in enumerate((("USD", 2), ("EUR", 2), ("JPY", 0))[:count]):
        entry: Record = {
            "code": code,
            "precision": precision,
            "source": "input",
            "credit_rate": random.choice((0, 0, 20_000_000)),
            "debit_rate": random.choice((0, 0, 80_000_000)),
        }
        for each in instruments:
            base = (
                each["settlement"]["exchange"]["base"]
                if isinstance(each["settlement"], dict)
                else None
            )
            if index == 0 or base is None or random.random() < 0.4:
                continue
            if (base, each["currency"]) == (index, 0):
                entry["source"] = {"pair": {"instrument": each["_"], "inverse": False}}
            elif (base, each["currency"]) == (0, index):
                entry["source"] = {"pair": {"instrument": each["_"], "inverse": True}}
        found.append(entry)
    for each in instruments:
        del each["_"]
    return found


def _matching(random: Random, style: str) -> str:
    if style == "bars":
        return "bars"
    if style == "events" or random.random() < 0.6:
        return random.choice(("quotes", "trades", "l2", "l3"))
    return "bars"


def _base(random: Random, index: int, venues: int, style: str, days: int) -> Record:
    matching = _matching(random, style)
    price_precision = random.choice((0, 1, 2, 2, 4))
    quantity_precision = random.choice((0, 0, 0, 1, 3))
    unit = 10**quantity_precision
    return {
        "_": index,
        "id": f"I{index}",
        "price_precision": price_precision,
        "quantity_precision": quantity_precision,
        "tick_size": random.choice((1, 1, 5)),
        "lot_size": random.choice((unit, unit, max(1, unit // 10), 5 * unit)),
        "multiplier": 1,
        "sector": random.choice(("banks", "mines")),
        "effective_from": START + DAY if random.random() < 0.05 else None,
        "effective_to": START + 4 * DAY if random.random() < 0.05 else None,
        "close_only": matching == "bars" and random.random() < 0.3,
        "matching": matching,
        "venue": random.randrange(venues),
        "has_auctions": matching != "bars" and random.random() < 0.7,
        "settlement_days": days,
        "settlement": "asset",
        "kind": "equity",
        "currency": 0,
        "average_volume": None,
        "volatility": None,
    }


def _instrument(
    random: Random, index: int, margin: bool, count: int, venues: int, style: str, days: int
) -> Record:
    entry = _base(random, index, venues, style, days)
    entry["currency"] = random.choice((0, 0, 0, *range(count)))
    if count > 1 and random.random() < 0.2:
        return _exchange(random, index, count, venues, style, days)
    if margin and random.random() < 0.45:
        entry["settlement"] = "difference"
        entry["kind"] = random.choice(DIFFERENCES)
        entry["settlement_days"] = 0
        entry["multiplier"] = random.choice((1, 1, 10))
        entry["negative_prices"] = entry["kind"] == "future" and random.random() < 0.3
    else:
        entry["kind"] = random.choice(ASSETS)
        entry["shortable"] = entry["lot_size"] * random.choice((0, 20, 200, 10_000))
        entry["borrow_rate"] = random.choice((0, 5_000_000, 300_000_000))
    if margin:
        initial = random.choice((1_000, 500, 250, 100, 100, 50)) * 10**6
        entry["margin_initial"] = initial
        entry["margin_maintenance"] = initial * random.choice((50, 80, 100)) // 100
    if random.random() < 0.3:
        entry["average_volume"] = entry["lot_size"] * random.randint(50, 5_000)
    return entry


def _exchange(random: Random, index: int, count: int, venues: int, style: str, days: int) -> Record:
    entry = _base(random, index, venues, style, days)
    currencies = random.sample(range(count), 2)
    entry["currency"], base = currencies
    if random.random() < 0.6:
        entry["currency"], base = 0, max(1, base)
    entry["settlement"] = {"exchange": {"base": base}}
    entry["kind"] = random.choice(("pair", "spot"))
    return entry


def _venue(random: Random, index: int) -> Record:
    rates = [random.choice((0, 100_000, 1_000_000)), random.choice((0, 500_000, 2_500_000))]
    minimum = random.choice((0, 0, 0, MONEY))
    tiers: list[Record] = [{"volume_from": 0, "maker": rates[0], "taker": rates[1]}]
    if random.random() < 0.4:
        rebate = 0 if minimum else random.choice((0, -100_000))
        second = {"maker": rebate, "taker": rates[1] // 2}
        tiers.append({"volume_from": random.randint(1, 20_000) * MONEY, **second})
    latency = random.random() < 0.35
    return {
        "id": f"V{index}",
        "fee": {
            "tiers": tiers,
            "per_unit": random.choice((0, 0, 0, MONEY // 200)),
            "minimum": minimum,
            "window_days": random.choice((1, 30)),
        },
        "slippage": {
            "rate": random.choice((0, 200_000, 3_000_000)),
            "ticks": random.choice((0, 0, 1)),
        },
        "limit_fill_on_touch": random.random() < 0.5,
        "participation_max": random.choice((None, None, 500_000_000, 100_000_000)),
        "on_close_cutoff_ns": random.choice((0, 10 * MINUTE)),
        "impact": {
            "coefficient": random.choice((500_000_000, 1_000_000_000)),
            "half_life_ns": random.choice((MINUTE, HOUR)),
        }
        if random.random() < 0.25
        else None,
        "latency": {
            "submit_ns": random.choice((0, SECOND, 40 * SECOND)),
            "amend_ns": random.choice((0, SECOND, 40 * SECOND)),
            "cancel_ns": random.choice((0, SECOND, 90 * SECOND)),
            "jitter_ns": random.choice((0, SECOND, 100 * SECOND)),
        }
        if latency
        else {"submit_ns": 0, "amend_ns": 0, "cancel_ns": 0, "jitter_ns": 0},
    }


def with_remote_venues(random: Random, config: Record) -> Record:
    """Let some venues be outside: nothing is matched there, and nothing assumed."""
    venues = config["venues"]
    count = len(venues)
    outside = random.sample(range(count), random.choice((1, count)))
    for index in outside:
        kept = {name: venues[index][name] for name in ("id", "fee")}
        venues[index] = kept | {
            "slippage": {"rate": 0, "ticks": 0},
            "limit_fill_on_touch": False,
            "participation_max": None,
            "on_close_cutoff_ns": 0,
            "impact": None,
            "remote": True,
        }
    if random.random() < 0.5:
        # What refuses little shows more of what becomes of orders.
        needed = ("price_band", "self_trade", "crossed", "breakers")
        limits = config["limits"]
        config["limits"] = {name: v if name in needed else None for name, v in limits.items()}
    return config


def _maybe(random: Random, chance: float, value: object) -> Any:  # noqa: ANN401 - any limit
    return value if random.random() < chance else None


def _sleeve_limits(random: Random) -> Record:
    return {
        "weight_max": _maybe(random, 0.1, random.randint(100, 900) * 10**6),
        "gross_max": _maybe(random, 0.1, random.randint(300, 2_000) * 10**6),
        "drawdown_max": _maybe(random, 0.1, random.randint(5, 100) * 10**6),
        "order_rate": _maybe(random, 0.08, {"count": random.randint(2, 5), "window_ns": HOUR}),
    }


def _limits(random: Random, total: int) -> Record:
    """Limits, seldom all at once: what refuses everything shows little."""
    share = 10**6
    drawn = {
        "fat_finger_quantity": random.randint(20, 500),
        "fat_finger_notional": total // random.randint(4, 20),
        "fat_finger_volume": random.randint(5, 300) * share,
        "position_max": total // random.randint(2, 8),
        "weight_max": random.randint(100, 700) * share,
        "sector_max": random.randint(200, 900) * share,
        "gross_max": random.randint(300, 1_500) * share,
        "leverage_max": random.randint(300, 2_000) * share,
        "net_max": random.randint(100, 1_000) * share,
        "volatility_max": 20 * share,
        "instrument_volatility_max": 30 * share,
        "correlation_max": random.choice((300, 700)) * share,
        "regimes_blocked": 0b1010,
        "bar_age_max_ns": random.choice((10 * MINUTE, 2 * HOUR, 2 * DAY)),
        "quote_age_max_ns": random.choice((10 * SECOND, 10 * MINUTE, HOUR)),
        "order_rate": {"count": random.randint(3, 9), "window_ns": HOUR},
        "value_at_risk": {
            "scenarios": random.choice((5, 20)),
            "confidence": random.choice((500, 900, 990)) * share,
            "max": _maybe(random, 0.7, random.randint(5, 200) * share),
            "step_max": _maybe(random, 0.5, random.randint(2, 60) * share),
        },
    }
    p = random.choice((0.0, 0.05, 0.1))
    sure = random.sample(sorted(drawn), random.choice((0, 1, 1, 2, 3)))
    if random.random() < 0.2:
        # Those of which seeds show least otherwise.
        sure.append(random.choice(("correlation_max", "value_at_risk", "leverage_max")))
    kept = {name: v for name, v in drawn.items() if name in sure or random.random() < p}
    return {
        **dict.fromkeys(drawn),
        **kept,
        "price_band": random.choice((50, 100, 250)) * share,
        "duplicate_window_ns": _maybe(random, 0.12, HOUR),
        "self_trade": random.random() < 0.5,
        "crossed": random.choice(("refuse", "refuse", "reduce_only")),
        "breakers": _breakers(random) if random.random() < 0.4 else {},
    }


def _breakers(random: Random) -> Record:
    def state() -> str:
        return random.choice(("reduce_only", "halted"))

    share = 10**6
    return {
        "drawdown": _maybe(
            random, 0.4, {"limit": random.randint(2, 100) * share, "state": state()}
        ),
        "day_loss": _maybe(random, 0.4, {"limit": random.randint(2, 60) * share, "state": state()}),
        "rejects": _maybe(
            random,
            0.3,
            {"limit": random.randint(2, 6), "window_ns": 2 * HOUR, "state": state()},
        ),
        "dislocation": _maybe(
            random,
            0.3,
            {"limit": random.randint(10, 200) * share, "window_ns": HOUR, "state": state()},
        ),
        "order_rate": _maybe(
            random,
            0.2,
            {"limit": random.randint(6, 15), "window_ns": HOUR, "state": state()},
        ),
    }
