"""The fund of ``docs/worked-example.md``, whose tables are both the inputs and the answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.implementation import Implementation
from support.implementations import IMPLEMENTATIONS

PAGE = Path(__file__).parents[2] / "docs" / "worked-example.md"
INSTRUMENTS = ["AAA.XSIM", "BBB.XSIM", "CCC.XSIM"]
SLEEVES = ["alpha", "beta"]
DASH = "\N{EN DASH}"

type Row = dict[str, str]
type Message = dict[str, Any]


def table(name: str) -> list[Row]:
    """Read the table behind a ``<!-- table: name -->`` mark."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- table: {name} -->\n((?:\|.*\n)+)", text)
    assert found, f"no table {name}"
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def scaled(text: str, digits: int) -> int | None:
    """Read a number as whole units of 10^-digits; a dash is none."""
    if text == DASH:
        return None
    whole = Decimal(text).scaleb(digits)
    assert whole == int(whole)
    return int(whole)


def price(text: str) -> int | None:
    return scaled(text, 2)


def money(text: str) -> int | None:
    return scaled(text, 12)


def at(date: str, hour: int) -> int:
    """Nanoseconds of an hour of a day."""
    return int(datetime.fromisoformat(date).replace(hour=hour, tzinfo=UTC).timestamp()) * 10**9


def config() -> Message:
    instruments = [
        {
            "id": row["instrument"],
            "price_precision": 2,
            "quantity_precision": 0,
            "tick_size": price(row["tick"]),
            "lot_size": int(row["lot"]),
            "multiplier": 1,
            "sector": row["sector"],
            "effective_from": None,
            "effective_to": None,
            "close_only": row["bars"] == "close",
        }
        for row in table("instruments")
    ]
    return {
        "semantics": 2,
        "fund": "worked",
        "currency_precision": 2,
        "sleeves": SLEEVES,
        "cash": [money("10000.00"), money("5000.00")],
        "instruments": instruments,
        "venue": {
            "fee_rate": 1_000_000,
            "slippage": 500_000,
            "limit_fill": "through",
            "participation_max": None,
            "on_close_cutoff_ns": 600 * 10**9,
        },
        "limits": {
            "price_band": 100_000_000,
            "fat_finger_notional": None,
            "fat_finger_quantity": None,
            "position_max": None,
            "weight_max": 500_000_000,
            "sector_max": None,
            "gross_max": None,
        },
    }


def days() -> dict[str, str]:
    """Return the date of each day."""
    return {row["day"]: row["date"] for row in table("bars")}


def inputs() -> list[Message]:
    """Lay out everything that happens to the fund, in order."""
    found: list[Message] = []
    for day, date in days().items():
        if day == "6":
            found.append({"type": "instrument_ended", "ts": at(date, 14), "instrument": 2})
        events = [*_bars(day), {"type": "barrier", "session_start": True, "session_end": True}]
        found += [{"ts": at(date, 21), **event} for event in [*events, *_decisions(day)]]
    return [
        {**input, "source": input.get("sleeve", 0), "sequence": number}
        for number, input in enumerate(found)
    ]


def _bars(day: str) -> list[Message]:
    bars: list[Message] = []
    for row in table("bars"):
        if row["day"] == day:
            prices = {name: price(row[name]) for name in ("open", "high", "low", "close")}
            index = INSTRUMENTS.index(row["instrument"])
            bars.append({"type": "bar", "instrument": index, **prices, "volume": None})
    if day == "5":
        bars.append({"type": "bar_missing", "instrument": 2})
    return bars


def _decisions(day: str) -> list[Message]:
    decisions: list[Message] = []
    for index, sleeve in enumerate(SLEEVES):
        targets = [
            (INSTRUMENTS.index(row["instrument"]), scaled(row["weight"], 9))
            for row in table("targets")
            if (row["day"], row["sleeve"]) == (day, sleeve)
        ]
        if targets:
            decisions.append({"type": "target_portfolio", "sleeve": index, "targets": targets})
    for row in table("submitted"):
        if row["day"] == day:
            decisions.append(
                {
                    "type": "submit_order",
                    "sleeve": SLEEVES.index(row["sleeve"]),
                    "instrument": INSTRUMENTS.index(row["instrument"]),
                    "side": row["side"],
                    "quantity": int(row["quantity"]),
                    "order_type": row["type"],
                    "tif": row["tif"],
                    "limit_price": price(row["limit"]),
                }
            )
    return decisions


class Run:
    """The fund run through one implementation, with the balances of each close."""

    def __init__(self, simulator: Implementation) -> None:
        self.simulator = simulator
        self.outputs: list[Message] = []
        self.closes: list[list[int]] = []
        for input in inputs():
            self.outputs += simulator.apply(input)
            if input["type"] == "barrier":
                balances = [
                    balance(sleeve)
                    for sleeve in range(len(SLEEVES))
                    for balance in (simulator.cash, simulator.sleeve_equity)
                ]
                self.closes.append([*balances, simulator.equity()])

    def of(self, *types: str) -> list[Message]:
        """Outputs of some types, with the day instead of the time, as in the tables."""
        day_of = {date: day for day, date in days().items()}
        found = []
        for output in self.outputs:
            if output["type"] in types:
                date = datetime.fromtimestamp(output["ts"] // 10**9, UTC).date().isoformat()
                found.append({"day": day_of[date], **output})
        return found


@pytest.fixture(scope="module", params=list(IMPLEMENTATIONS))
def run(request: pytest.FixtureRequest) -> Run:
    return Run(IMPLEMENTATIONS[request.param](config()))


def test_orders_are_those_of_the_page(run: Run) -> None:
    born = run.of("order_accepted", "order_rejected")
    expected = table("orders")
    assert len(born) == len(expected)
    for order, row in zip(born, expected, strict=True):
        state = run.simulator.orders[order["order_id"]]
        assert row == {
            "order": str(order["order_id"]),
            "day": order["day"],
            "sleeve": SLEEVES[order["sleeve"]],
            "instrument": INSTRUMENTS[order["instrument"]],
            "side": order["side"],
            "quantity": str(order["quantity"]),
            "type": order["order_type"],
            "tif": order["tif"],
            "limit": row["limit"],
            "filled": str(state.filled),
            "status": state.status,
            "reason": DASH if state.status == "filled" else state.reason,
        }
        assert order["limit_price"] == price(row["limit"])


def test_verdicts_are_those_of_the_page(run: Run) -> None:
    found = [
        (v["day"], v["order_id"], v["outcome"], v["rule"], v["figure"], v["limit"])
        for v in run.of("verdict")
    ]
    expected = []
    for row in table("verdicts"):
        unit = price if row["rule"] == "price_band" else money
        said = (row["outcome"], row["rule"], unit(row["figure"]), unit(row["limit"]))
        expected.append((row["day"], int(row["order"]), *said))
    assert found == expected


def test_fills_are_those_of_the_page(run: Run) -> None:
    found = [
        (
            fill["fill_id"],
            fill["day"],
            fill["order_id"],
            SLEEVES[fill["sleeve"]],
            INSTRUMENTS[fill["instrument"]],
            fill["side"],
            fill["quantity"],
            fill["price"],
            fill["fee"],
            fill["slippage"],
            fill["kind"],
        )
        for fill in run.of("order_filled")
    ]
    expected = [
        (
            int(row["fill"]),
            row["day"],
            scaled(row["order"], 0),
            row["sleeve"],
            row["instrument"],
            row["side"],
            int(row["quantity"]),
            price(row["price"]),
            money(row["fee"]),
            money(row["slippage"]),
            row["kind"],
        )
        for row in table("fills")
    ]
    assert found == expected


def test_balances_are_those_of_the_page(run: Run) -> None:
    columns = ("alpha cash", "alpha equity", "beta cash", "beta equity", "fund equity")
    expected = [[money(row[column]) for column in columns] for row in table("equity")]
    assert run.closes == expected


def test_the_ledger_is_that_of_the_page(run: Run) -> None:
    for sleeve, row in enumerate(table("ledger")):
        assert row["sleeve"] == SLEEVES[sleeve]
        assert run.simulator.realised(sleeve) == money(row["realised"])
        assert run.simulator.fees(sleeve) == money(row["fees"])
        for index, instrument in enumerate(INSTRUMENTS):
            held, cost = row.get(f"{instrument} held", "0"), row.get(f"{instrument} cost", "0")
            assert run.simulator.position(sleeve, index) == int(held)
            assert run.simulator.cost(sleeve, index) == money(cost)
