"""Random commands, faults and crashes at a paper venue: money, orders and reports still agree."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.trading.gateway import (
    AccountSnapshot,
    AmendOrder,
    BalanceChanged,
    Busted,
    CancelOrder,
    Filled,
    Report,
    SubmitOrder,
    Unknown,
)
from quantvista.trading.paper import Fault, PaperGateway, VenueError
from support.gateway_worlds import (
    CASH,
    INSTRUMENTS,
    PAIR,
    STOCK,
    Heard,
    PaperWorld,
    in_memory,
    order,
)

STEPS = 40
LISTED = {each.id: each for each in INSTRUMENTS}
FAULTS = [
    Fault("drop", "submit", None, 0.08),
    Fault("error", "submit", None, 0.08),
    Fault("duplicate", "submit", None, 0.08),
    Fault("drop", "answer", None, 0.08),
    Fault("delay", "answer", None, 0.05, 300_000_000),
    Fault("drop", "cancel", None, 0.1),
    Fault("duplicate", "cancel", None, 0.1),
    Fault("error", "amend", None, 0.1),
    Fault("reject", "amend", None, 0.1),
    Fault("drop", "report", None, 0.1),
    Fault("duplicate", "report", None, 0.1),
    Fault("reorder", "report", None, 0.1),
    Fault("delay", "report", None, 0.1, 20_000_000),
]


class Life:
    """One random life of an account."""

    def __init__(self, world: PaperWorld, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.sent: list[SubmitOrder] = []
        self.unknown: set[str] = set()

    async def run(self) -> None:
        self.gateway = await self.world.connect()
        heard = Heard(self.gateway)
        for each in FAULTS:
            fault = Fault(each.kind, each.on, None, each.probability, each.delay_ns)
            self.world.faults.arm(fault)
        for _ in range(STEPS):
            await self.step()
            await asyncio.sleep(self.random.random() / 20)
        self.world.faults.clear()
        for name in sorted(self.unknown):
            await self.gateway.order(name)
        snapshot = await self.gateway.account()
        reports = await heard.up_to(snapshot.sequence) if snapshot.sequence else []
        assert heard.sequences == list(range(1, snapshot.sequence + 1))
        await self.check(self.gateway, snapshot, reports)

    async def step(self) -> None:
        draw = self.random
        match draw.choices(
            ["submit", "again", "cancel", "amend", "move", "hand", "bust", "pay", "crash"],
            [30, 8, 12, 8, 25, 4, 5, 4, 4],
        )[0]:
            case "submit":
                await self.send(self.make())
            case "again" if self.sent:
                await self.send(draw.choice(self.sent))
            case "cancel" if self.sent:
                name = draw.choice(self.sent).client_order_id
                await self.gateway.cancel(CancelOrder(client_order_id=name))
            case "amend" if self.sent:
                name = draw.choice(self.sent).client_order_id
                quantity = draw.randint(1, 3_000)
                await self.gateway.amend(AmendOrder(client_order_id=name, quantity=quantity))
            case "move":
                bid = 5_000_000 + draw.randint(-300, 300)
                await self.world.quote(bid, bid + draw.randint(1, 200), draw.randint(1, 3_000))
            case "hand":
                await self.by_hand(kind="trade", side=draw.choice(("buy", "sell")), quantity="2")
            case "bust":
                fills = (await self.gateway.fills()).fills
                if fills:
                    await self.by_hand(kind="bust", trade_id=draw.choice(fills).trade_id)
            case "pay":
                amount = draw.randint(-2_000, 2_000) * 10**12 + 1
                try:
                    self.world.venue.pay(0, "USDT", amount, self.world.clock.now_ns())
                except VenueError as error:
                    if error.code != "not_covered":
                        raise
            case "crash":
                if whole := draw.random() < 0.5:  # else market data that nobody met may be lost
                    self.world.venue.pay(0, "USDT", 1, self.world.clock.now_ns())
                before = self.world.venue.snapshot(0)
                hashed = self.world.venue.state_hash()
                await self.world.crash()
                after = self.world.venue.snapshot(0)
                assert (after.balances, after.positions, after.orders, after.sequence) == (
                    before.balances,
                    before.positions,
                    before.orders,
                    before.sequence,
                )
                assert not whole or self.world.venue.state_hash() == hashed

    def make(self) -> SubmitOrder:
        draw = self.random
        number, instrument = len(self.sent) + 1, draw.choice((PAIR, STOCK))
        limit = draw.random() < 0.6
        price = 5_000_000 + draw.randint(-400, 500) if limit else None
        quantity = draw.choice((1, 7, 100, 1_000, 2_500))
        sent = order(
            draw.choice(("buy", "sell")),
            quantity,
            number,
            instrument,
            kind="limit" if limit else "market",
            tif=draw.choice(("gtc", "ioc", "fok", "day")),
            limit_price=price,
        )
        self.sent.append(sent)
        return sent

    async def send(self, sent: SubmitOrder) -> None:
        answer = await self.gateway.submit(sent)
        if isinstance(answer, Unknown):
            self.unknown.add(answer.client_order_id)

    async def by_hand(self, **asked: str) -> None:
        try:
            await self.world.fault(**asked, **({"instrument": PAIR} if "side" in asked else {}))
        except VenueError as error:
            if error.code not in ("busted", "gone", "not_available"):
                raise

    async def check(
        self, gateway: PaperGateway, snapshot: AccountSnapshot, reports: list[Report]
    ) -> None:
        money = {code: Decimal(0) for code in self.world.terms.currencies}
        money |= dict(CASH.accounts[0].balances)
        held: dict[str, int] = defaultdict(int)
        filled: dict[str, int] = defaultdict(int)
        trades = set()
        for each in reports:
            if isinstance(each, BalanceChanged):
                money[each.currency] += Decimal(each.amount).scaleb(-12)
            if isinstance(each, Filled):
                assert each.trade_id not in trades
                trades.add(each.trade_id)
                filled[each.client_order_id] += each.quantity
            if isinstance(each, Filled | Busted):
                listed = LISTED[each.instrument]
                way = 1 if each.side == "buy" else -1
                back = -1 if isinstance(each, Busted) else 1
                traded = Decimal(each.quantity).scaleb(-listed.quantity_precision)
                price = Decimal(each.price).scaleb(-listed.price_precision)
                money[listed.currency] -= back * way * traded * price
                money[each.fee_currency] -= back * Decimal(each.fee).scaleb(-12)
                if listed.settlement == "exchange":
                    money[listed.base] += back * way * traded
                else:
                    held[each.instrument] += back * way * each.quantity
        found = {each.currency: Decimal(each.total).scaleb(-12) for each in snapshot.balances}
        assert found == money
        positions = {each.instrument: each.quantity for each in snapshot.positions}
        assert positions == {name: quantity for name, quantity in held.items() if quantity}
        for sent in self.sent:
            state = await gateway.order(sent.client_order_id)
            assert filled[sent.client_order_id] == (state.filled if state is not None else 0)
            if state is not None:
                assert state.filled <= state.quantity
        assert [each for each in reports if isinstance(each, Filled)] == list(
            (await gateway.fills(limit=1_000)).fills
        )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_money_orders_and_reports_agree_after_any_life(seed: int) -> None:
    async def test(world: PaperWorld) -> None:
        await Life(world, seed).run()

    in_memory(test)
