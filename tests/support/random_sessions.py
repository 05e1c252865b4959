"""Random sessions of a fund from a seed: inputs of every kind.

The oracle is run along while they are drawn, so that orders, amendments and cancels meet what is
there; the inputs are then a fixed list that any engine can be given, also with some left out.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from oracle import Oracle
from oracle.terms import Instrument
from support.random_data import bars, currency_rate, data, figures, good_figures, scenarios
from support.random_draft import Draft, Step
from support.random_orders import opposite_orders, order_command, targets
from support.random_reports import reports
from support.random_worlds import (
    DAY,
    HOUR,
    MINUTE,
    MONEY,
    RATE,
    SECOND,
    random_config,
    with_remote_venues,
)

type Record = dict[str, Any]

STEPS = 26


def draft_session(seed: int) -> Draft:
    """Set up the session of a seed: always the same one."""
    random = Random(seed)
    config = random_config(random)
    oracle = Oracle(config)
    prices = {each.index: _first_price(random, each) for each in oracle.instruments}
    return Draft(seed, random, config, oracle, prices)


def draft_remote_session(seed: int) -> Draft:
    """Set up a session in which some venues are outside."""
    random = Random(f"remote {seed}")
    config = with_remote_venues(random, random_config(random))
    oracle = Oracle(config)
    prices = {each.index: _first_price(random, each) for each in oracle.instruments}
    return Draft(seed, random, config, oracle, prices, remote=True)


def random_session(seed: int) -> Draft:
    """Draw the whole session of a seed."""
    draft = draft_session(seed)
    draw(draft)
    return draft


def draw(draft: Draft, check: Callable[[Step], None] = lambda step: None) -> None:
    """Draw all inputs, and show each to `check` once the oracle has answered."""
    draft.check = check
    _start(draft)
    for step in range(STEPS):
        _step(draft, step)


def _first_price(random: Random, instrument: Instrument) -> int:
    price = random.randint(10, 120) * int(10**instrument.price_precision)
    return (price // instrument.tick_size + 1) * instrument.tick_size


def _start(draft: Draft) -> None:
    """Most of what an engine needs before it trades."""
    for currency in range(1, len(draft.oracle.currencies)):
        if draft.chance(0.8):
            currency_rate(draft, currency)
    if draft.oracle.limit("value_at_risk") is not None:
        for each in draft.oracle.instruments:
            if draft.chance(0.9):
                scenarios(draft, each.index)
    good_figures(draft)
    for each in draft.oracle.instruments:
        if draft.chance(0.8):
            data(draft, each)
    bars(draft)


def _step(draft: Draft, step: int) -> None:
    """One moment: class by class, then time goes on."""
    random = draft.random
    draft.ts += random.choice((SECOND, SECOND, 20 * SECOND, MINUTE, 10 * MINUTE))
    if step % 9 == 8:
        draft.ts = (draft.ts // DAY + 1) * DAY - HOUR
        bars(draft, end=True)
        draft.ts += MINUTE
        draft.push("day_ended", {"trading": draft.chance(0.8)})
        draft.ts += 10 * HOUR
    if draft.remote:
        reports(draft)
    stuck = draft.oracle.fund_state() != "active"
    if draft.chance(0.35 if stuck else 0.04):
        _operator(draft)
    if draft.chance(0.22):
        _event_of_class_1(draft)
    if draft.chance(0.2):
        figures(draft)
    if draft.chance(0.06):
        good_figures(draft)
    for _ in range(random.choice((0, 1, 1, 2))):
        data(draft, draft.instrument())
    for order in draft.oracle.working():
        if order.origin == "liquidation" and draft.chance(0.7):
            data(draft, draft.oracle.instruments[order.instrument])
    if draft.chance(0.25) or step % 9 == 0:
        bars(draft)
    often = 0.4 if draft.oracle.account["kind"] == "margin" else 0.2
    if not draft.oracle.hedging and draft.chance(often):
        targets(draft)
    if draft.chance(0.1):
        opposite_orders(draft)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        order_command(draft)
    if draft.chance(0.01):
        draft.push("activate_semantics", {"number": random.choice((2, 2, 9))})


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
