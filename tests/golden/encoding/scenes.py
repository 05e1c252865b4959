"""Small funds whose lives hold every kind of input and of output, and every part of a snapshot.

An input that is named becomes a file of the corpus, unnamed ones only happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

type Record = dict[str, Any]

MINUTE = 60 * 10**9
DAY = 24 * 60 * MINUTE
START = 19_723 * DAY
"""2024-01-01."""
MONEY = 10**12
RATE = 10**9


@dataclass
class Scene:
    """A fund and its inputs, with names; an input of None takes a snapshot."""

    config: Record
    inputs: list[tuple[str, Record | None]] = field(default_factory=list)
    ts: int = START
    fails: bool = False
    """Whether its last input is an error."""

    def add(self, type_: str, terms: object, name: str = "", *, wait: int = MINUTE) -> None:
        """Let time pass, and something happen."""
        self.ts += wait
        record = {
            "ts_event": self.ts - 1_000,
            "ts_received": self.ts,
            "source": 1,
            "sequence": len(self.inputs),
            "event": {type_: terms},
        }
        self.inputs.append((name, record))

    def snapshot(self, name: str) -> None:
        """Write down what the engine is now."""
        self.inputs.append((f"snapshot_{name}", None))

    def order(self, instrument: int, side: str, quantity: int, **more: object) -> None:
        """Send an order: of the first sleeve, at the market, for the day."""
        self.add("submit_order", request(instrument, side, quantity, **more))

    def bar(self, instrument: int, prices: list[int], name: str = "", **more: object) -> None:
        """Bring a bar of open, high, low and close, or of a close, at this very time."""
        *whole, close = prices
        bar = {"range": whole or None, "close": close, "volume": 9_000 if whole else None} | more
        self.add("bar", {"instrument": instrument, "bar": bar}, name, wait=0)

    def barrier(self, name: str = "") -> None:
        self.add("barrier", {"session_start": True, "session_end": True}, name, wait=0)


def request(instrument: int, side: str, quantity: int, **more: object) -> Record:
    """Make an order: of the first sleeve, at the market, for the day."""
    usual = {
        "sleeve": 0,
        "instrument": instrument,
        "side": side,
        "quantity": quantity,
        "kind": "market",
        "tif": "day",
    }
    return usual | more


def instrument(name: str, **more: object) -> Record:
    """Describe a share in cents and whole units."""
    usual: Record = {
        "id": name,
        "price_precision": 2,
        "quantity_precision": 0,
        "tick_size": 1,
        "lot_size": 1,
        "multiplier": 1,
        "sector": "Financials",
        "effective_from": START,
        "effective_to": None,
        "close_only": False,
    }
    return usual | more


def scenes() -> list[Scene]:
    """All of them, in the order in which their files are written."""
    from golden.encoding.scenes_of_events import actions, broken, events, states
    from golden.encoding.scenes_of_reports import reports

    return [bars(), events(), actions(), states(), broken(), reports()]


def bars() -> Scene:
    """Two sleeves of a cash account, on daily bars."""
    scene = Scene(
        {
            "semantics": 2,
            "fund": "bars",
            "epoch": 1,
            "currencies": [{"code": "USD", "precision": 2}],
            "sleeves": [
                {"id": "one", "cash": 10_000 * MONEY},
                {"id": "two", "cash": 20_000 * MONEY},
            ],
            "instruments": [
                instrument("BANK.XSIM"),
                instrument("MINE.XSIM", sector="Materials", close_only=True),
            ],
            "venues": [
                {
                    "id": "sim",
                    "fee": {"tiers": [{"maker": 100_000, "taker": 100_000}]},
                    "slippage": {"rate": 200_000},
                    "limit_fill_on_touch": False,
                    "participation_max": None,
                    "on_close_cutoff_ns": 10 * MINUTE,
                }
            ],
            "limits": {
                "price_band": 250_000_000,
                "fat_finger_quantity": 1_000,
                "weight_max": 600_000_000,
            },
        }
    )

    def day(bank: int, mine: int | None, *, named: bool = False) -> None:
        scene.ts += DAY
        scene.bar(0, [bank - 5, bank + 20, bank - 30, bank], "bar" * named)
        if mine is None:
            scene.add("bar_missing", {"instrument": 1}, "bar_missing", wait=0)
        else:
            scene.bar(1, [mine], "bar_close_only" * named)
        scene.barrier("barrier" * named)

    day(10_000, 5_000, named=True)
    targets = [(0, 300_000_000), (1, 900_000_000)]  # the second is cut
    scene.add("target_portfolio", {"sleeve": 0, "targets": targets}, "target_portfolio", wait=0)
    limit = request(0, "buy", 10, sleeve=1, kind="limit", tif="gtc", limit_price=9_900)
    scene.add("submit_order", limit, "submit_order_limit", wait=0)
    day(10_100, 5_100)
    scene.add("submit_order", request(0, "sell", 10), "submit_order", wait=0)
    scene.order(0, "buy", 10, sleeve=1)  # crosses with the sale
    scene.order(0, "buy", 2_000, sleeve=1)  # rejected
    scene.add("cancel_order", {"order": 3}, "cancel_order")
    scene.add("cancel_order", {"order": 3})  # nothing left to cancel
    scene.add("activate_semantics", {"number": 2}, "activate_semantics")
    day(10_200, 5_050)
    scene.order(0, "buy", 5, sleeve=1, kind="limit", limit_price=9_000)  # expires
    day(10_150, None)
    scene.order(0, "buy", 1, sleeve=1, tif="gtc")  # works in the snapshot
    scene.ts += DAY
    ended = {"instrument": 1, "price": None}
    scene.add("instrument_ended", ended, "instrument_ended", wait=0)
    scene.bar(0, [14_000, 14_100, 13_900, 14_000])
    scene.barrier()  # the jump is beyond the price band
    scene.ts += DAY
    scene.bar(0, [14_000, 14_100, 13_900, 14_000])  # waits in the snapshot for its barrier
    scene.snapshot("bars")
    return scene
