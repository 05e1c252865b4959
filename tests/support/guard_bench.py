"""A watch of the guard, a node that is well and one venue, without loop or gateway."""

from __future__ import annotations

from typing import Any

from quantvista.fund import GuardSection
from quantvista.trading.gateway import (
    AccountSnapshot,
    Balance,
    Delivery,
    Listing,
    OrderState,
    Position,
    QuoteData,
)
from quantvista.trading.guard import Finding, NodeView, VenueView, Watch

__all__ = ["E12", "PAIR", "PERPETUAL", "Bench"]

E12 = 10**12
PAIR, PERPETUAL = "BTC-USDT.X", "BTC-USDT-PERP.X"


def listing(name: str, kind: str, settlement: str, base: str = "") -> Listing:
    return Listing(
        instrument=name,
        kind=kind,
        settlement=settlement,
        currency="USDT",
        base=base,
        price_precision=2,
        quantity_precision=3,
        tick_size=1,
        lot_size=1,
        multiplier=1,
        data="quotes",
        halted=False,
    )


def order(name: str) -> OrderState:
    rest: dict[str, Any] = dict.fromkeys(("limit_price", "trigger_price", "expire_at"))
    return OrderState(
        client_order_id=name,
        venue_order_id="1",
        instrument=PERPETUAL,
        side="buy",
        quantity=1,
        filled=0,
        kind="market",
        tif="gtc",
        post_only=False,
        reduce_only=False,
        status="accepted",
        reason="",
        fees=0,
        ts=1,
        **rest,
    )


class Bench:
    """A watch, a node that is well and one venue."""

    def __init__(self, **section: Any) -> None:  # noqa: ANN401
        switched_off = dict.fromkeys(
            (
                *("drawdown", "day_loss", "rejects", "stale", "dislocation", "orders"),
                *("messages", "reconciliation", "clock", "disk", "heartbeat", "journal", "venue"),
            ),
            False,
        )
        self.section = GuardSection.model_validate({**switched_off, **section})
        self.watch = Watch(self.section, "USDT", 0.0)
        self.node = NodeView()
        self.view = VenueView("x", "f.guard-")
        self.view.list_instruments(
            [
                listing(PAIR, "pair", "exchange", "BTC"),
                listing(PERPETUAL, "perpetual", "difference"),
            ]
        )
        self.began: dict[str, dict[str, int]] = {"x": {}}
        self.heard = self.told = 0
        self.account(0.0, USDT=1000)
        self.say(0.0)

    def account(
        self, at: float, position: int = 0, orders: int = 0, **money: float
    ) -> list[tuple[str, int]]:
        positions = (Position(instrument=PERPETUAL, quantity=position),) if position else ()
        balances = tuple(
            Balance(currency=code, total=int(amount * E12), unsettled=0)
            for code, amount in money.items()
        )
        snapshot = AccountSnapshot(
            account="main",
            sequence=self.heard,
            ts=1,
            balances=balances,
            positions=positions,
            orders=tuple(order(f"f-1-{number:06d}") for number in range(orders)),
        )
        self.view.take_account(snapshot, at)
        return self.view.take_flows()

    def report(self, event: Any, at: float = 0.0, received: int = 1) -> None:  # noqa: ANN401
        self.heard += 1
        self.view.hear(Delivery(sequence=self.heard, ts_received=received, event=event), at)

    def quote(self, at: float, bid: int, ask: int | None = None, name: str = PERPETUAL) -> None:
        self.told += 1
        ts, other = self.told, ask or bid
        event = QuoteData(instrument=name, bid=bid, bid_size=1, ask=other, ask_size=1, ts=ts)
        self.view.hear(Delivery(sequence=None, ts_received=1, event=event), at)

    def say(self, at: float, now_ns: int = 0, **more: Any) -> None:  # noqa: ANN401
        self.node.hear({"health": "trading", "epoch": 1, "now": 0} | more, at, now_ns)

    def value(self, at: float, flows: Any = (), day: str = "1") -> None:  # noqa: ANN401
        self.watch.value(at, day, [self.view], self.began, flows)

    def take(self, at: float) -> None:
        self.watch.take(at, self.node, [self.view], self.began)

    def check(self, at: float, *, open_for_s: float | None = 1e9) -> dict[str, Finding]:
        found = self.watch.check(at, self.node, [self.view], self.began, open_for_s=open_for_s)
        return {each.trigger: each for each in found}

    def above(self, at: float) -> set[str]:
        return {name for name, each in self.check(at).items() if each.is_above}
