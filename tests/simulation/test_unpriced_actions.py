"""Corporate actions of instruments that have no mark yet, which random lives never draw.

Such an instrument has neither positions nor orders, so an action changes its terms only:
docs/engine/actions.md. Engine and oracle are held against each other through the action and
through trading after it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from quantvista import _native
from support.engine_against_oracle import replay
from support.order_floor import MINUTE, MONEY, PRICE, START, setup

type Record = dict[str, Any]

RATIO = {"instrument": 0, "numerator": 1, "denominator": 3}
INTO = {"into": 1, "into_price": PRICE // 2}
TERMS: dict[str, Record] = {
    "split": RATIO,
    "cash_dividend": {"instrument": 0, "amount": 3 * MONEY},
    "stock_dividend": RATIO,
    "symbol_change": {"instrument": 0, "symbol": "BBB"},
    "merger_cash": {"instrument": 0, "price": PRICE},
    "merger_stock": RATIO | INTO | {"cash": MONEY},
    "spin_off": RATIO | INTO | {"cost_share": 10**8},
    "delisting": {"instrument": 0, "price": None},
    "precision": {
        "instrument": 0,
        "price_precision": 3,
        "quantity_precision": 1,
        "tick_size": 5,
        "lot_size": 10,
    },
}


def inputs(events: list[Record]) -> list[Record]:
    """Give each event a minute of its own."""
    return [
        {
            "ts_event": START + number * MINUTE,
            "ts_received": START + number * MINUTE,
            "source": 0,
            "sequence": number,
            "event": event,
        }
        for number, event in enumerate(events)
    ]


def quote(instrument: int, price: int) -> Record:
    sides = {"bid": price - 10, "bid_size": 900, "ask": price + 10, "ask_size": 900}
    return {"quote": {"instrument": instrument, "quote": sides}}


def order(instrument: int, side: str, quantity: int) -> Record:
    terms = {"sleeve": 0, "instrument": instrument, "side": side, "quantity": quantity}
    return {"submit_order": terms | {"kind": "market", "tif": "gtc", "leg": "net"}}


def test_terms_are_of_all_actions() -> None:
    assert set(TERMS) == set(_native.names["action"])


@pytest.mark.parametrize("is_other_priced", [False, True])
@pytest.mark.parametrize("name", TERMS)
def test_an_action_without_a_mark_changes_the_terms_only(name: str, is_other_priced: bool) -> None:
    config = setup("quotes")
    second = deepcopy(config["instruments"][0]) | {"id": "BBB.XSIM"}
    config["instruments"].append(second)
    events = [
        *([quote(1, PRICE), order(1, "buy", 30)] if is_other_priced else []),
        {"action": {name: TERMS[name]}},
        # Most of a price that is there, which cannot be told while there is none.
        {"action": {"cash_dividend": {"instrument": 0, "amount": 10**6 * MONEY}}},
        quote(0, PRICE),
        order(0, "sell", 20),
        quote(1, PRICE),
        order(1, "buy", 20),
        quote(0, PRICE + 50),
        {"action": {"cash_dividend": {"instrument": 0, "amount": MONEY}}},
        {"day_ended": {"trading": True}},
    ]
    found = replay(config, inputs(events), restore=True)
    assert found is None, found[1]
