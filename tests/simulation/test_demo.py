"""The demo fund against the reference, from the recorded targets on: every number, exactly."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from quantvista.backtest import run
from quantvista.fund import load_fund, template_path
from reference import Reference
from support.recorded_run import column, recorded_targets, reference_config, replay, rows

type Tables = dict[str, pa.Table]


class Replayed:
    """The reference after the whole of the demo, with what it said and held on the way."""

    def __init__(self) -> None:
        path = template_path("demo")
        loaded = load_fund(path)
        data = loaded.market_data()
        self.tables: Tables = run(loaded).tables
        self.config = reference_config(path.read_text(encoding="utf-8"), data)
        self.reference = Reference(self.config)
        self.outputs: list[dict[str, Any]] = []
        self.sleeves: list[tuple[int, str, int, int]] = []
        self.positions: list[tuple[int, str, str, int, int, int]] = []
        self.ids = [each["id"] for each in self.config["instruments"]]
        targets = recorded_targets(self.tables["targets"], self.config)
        for inputs in replay(data, targets, self.config):
            for input in inputs:
                self.outputs += self.reference.apply(input)
            self._record(inputs[0]["ts"])

    def _record(self, ts: int) -> None:
        reference, names = self.reference, self.config["sleeves"]
        for sleeve, name in enumerate(names):
            equity = reference.sleeve_equity(sleeve)
            self.sleeves.append((ts, name, equity, reference.cash(sleeve)))
        for index, instrument in enumerate(self.ids):
            for sleeve, name in enumerate(names):
                quantity = reference.position(sleeve, index)
                if quantity:
                    mark, cost = reference.book.marks[index], reference.cost(sleeve, index)
                    self.positions.append((ts, instrument, name, quantity, mark, cost))

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [output for output in self.outputs if output["type"] in types]


@pytest.fixture(scope="module")
def demo() -> Replayed:
    return Replayed()


def number(text: str | None) -> int | None:
    """Order or fill number in an id."""
    return None if text is None else int(text.rpartition("-")[2].lstrip("f"))


def test_demo_orders_agree(demo: Replayed) -> None:
    names = ("ts", "sleeve", "instrument", "side", "quantity", "filled", "type", "tif", "status")
    numbers = [number(text) for text in column(demo.tables["orders"], "order_id")]
    # A working order has no reason yet, and a filled one none any more.
    reasons = [text or "" for text in column(demo.tables["orders"], "reason")]
    found = [
        (*row, *rest)
        for row, *rest in zip(rows(demo.tables["orders"], *names), numbers, reasons, strict=True)
    ]
    closed = ("cancelled", "expired", "rejected")
    expected = [
        (
            order.ts,
            demo.config["sleeves"][order.sleeve],
            demo.ids[order.instrument],
            order.side,
            order.quantity * 10**12,
            order.filled * 10**12,
            order.order_type,
            order.tif,
            order.status,
            order.id,
            order.reason if order.status in closed else "",
        )
        for order in demo.reference.orders.values()
    ]
    assert len(found) > 1_000
    assert found == expected


def test_demo_fills_agree(demo: Replayed) -> None:
    names = ("ts", "sleeve", "instrument", "side", "quantity", "price", "fee", "slippage", "kind")
    table = demo.tables["fills"]
    ids = zip(column(table, "fill_id"), column(table, "order_id"), strict=True)
    numbers = [(number(fill), number(order)) for fill, order in ids]
    expected = [
        (
            fill["ts"],
            demo.config["sleeves"][fill["sleeve"]],
            demo.ids[fill["instrument"]],
            fill["side"],
            fill["quantity"] * 10**12,
            fill["price"] * 10 ** (12 - 6),
            fill["fee"],
            fill["slippage"],
            fill["kind"],
        )
        for fill in demo.of("order_filled")
    ]
    assert len(expected) > 1_000
    assert rows(table, *names) == expected
    assert numbers == [(fill["fill_id"], fill["order_id"]) for fill in demo.of("order_filled")]


def test_demo_verdicts_agree(demo: Replayed) -> None:
    table = demo.tables["verdicts"]
    found = rows(table, "ts", "rule", "figure", "limit", "outcome")

    def money(rule: str, figure: int | None) -> int | None:
        return figure * 10**6 if rule == "price_band" and figure is not None else figure

    expected = [
        (
            verdict["ts"],
            rule := verdict["rule"],
            money(rule, verdict["figure"]),
            money(rule, verdict["limit"]),
            verdict["outcome"],
        )
        for verdict in demo.of("verdict")
    ]
    assert found == expected
    numbers = [number(text) for text in column(table, "order_id")]
    assert numbers == [verdict["order_id"] for verdict in demo.of("verdict")]


def test_demo_sleeves_and_equity_agree(demo: Replayed) -> None:
    assert rows(demo.tables["sleeves"], "ts", "sleeve", "equity", "cash") == demo.sleeves
    totals: dict[int, list[int]] = {}
    for ts, _, equity, cash in demo.sleeves:
        total = totals.setdefault(ts, [0, 0])
        total[0] += equity
        total[1] += cash
    found = rows(demo.tables["equity"], "ts", "equity", "cash")
    assert found == [(ts, *total) for ts, total in totals.items()]


def test_demo_positions_agree(demo: Replayed) -> None:
    names = ("ts", "instrument", "sleeve", "quantity", "mark_price", "cost")
    expected = [
        (ts, instrument, sleeve, quantity * 10**12, mark * 10**6, cost)
        for ts, instrument, sleeve, quantity, mark, cost in demo.positions
    ]
    assert sorted(rows(demo.tables["positions"], *names)) == sorted(expected)
