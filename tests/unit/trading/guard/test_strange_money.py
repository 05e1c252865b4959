"""Money on an account that the fund does not trade in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

from quantvista.fund import GuardSection
from quantvista.trading.guard import Level
from support.gateway_worlds import CASH, PAIR
from support.guard_worlds import QUIET, Lab, in_lab


def test_it_is_left_alone() -> None:
    """It has no price, so nothing was known of the account, and nobody could trade."""
    account = replace(CASH.accounts[0], balances=(*CASH.accounts[0].balances, ("DOGE", Decimal(7))))
    strange = {"DOGE": Decimal(1)}
    terms = replace(CASH, accounts=(account,), prices=strange, digits={"DOGE": 8})
    terms_of = GuardSection.model_validate({"reconciliation": {"after_s": 5}})
    section = QUIET.model_copy(update={"reconciliation": terms_of.reconciliation})

    async def test(lab: Lab) -> None:
        lab.traded = frozenset({PAIR})
        await lab.start_guard()
        await lab.node.start()
        await lab.until(lambda: lab.lease.valid(lab.node.epoch, lab.world.clock.now_ns()), 20)
        lab.world.venue.pay(0, "DOGE", 3 * 10**12, lab.world.clock.now_ns())
        for _ in range(80):
            await asyncio.sleep(0.5)
            assert lab.lease.valid(lab.node.epoch, lab.world.clock.now_ns())
        assert lab.guard.level is Level.WATCH
        there = lab.guard.views["paper"].account
        assert there is not None
        assert {each.currency for each in there.balances} == {"USDT", "BTC"}

    in_lab(test, section=section, terms=terms)
