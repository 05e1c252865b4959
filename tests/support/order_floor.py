"""A market of one instrument, shown alike to the engine and to the oracle, for orders to meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle import Oracle
from support.engine_against_oracle import Comparison

type Record = dict[str, Any]

MINUTE = 60 * 10**9
MONEY = 10**12
RATE = 10**9
START = 19_723 * 24 * 60 * MINUTE
"""2024-01-01."""

PRICE = 10_000
SIZE = 1_000
LOTS = 10
"""Of every order, unless it says otherwise."""


def sign(side: str) -> int:
    return 1 if side == "buy" else -1


def other(side: str) -> str:
    return "sell" if side == "buy" else "buy"


def setup(data: str, *, hedging: bool = False, auctions: bool = True) -> Record:
    """Set up a margin account, which may sell short, with no costs and a band of 10 %."""
    return {
        "semantics": 2,
        "fund": "floor",
        "epoch": 1,
        "seed": 1,
        "currencies": [{"code": "USD", "precision": 2}],
        "account": {
            "kind": "margin",
            "positions": "hedging" if hedging else "netting",
            "trade_on_unsettled": True,
        },
        "instruments": [
            {
                "id": "AAA.XSIM",
                "price_precision": 2,
                "quantity_precision": 0,
                "tick_size": 1,
                "lot_size": 1,
                "multiplier": 1,
                "sector": "",
                "effective_from": None,
                "effective_to": None,
                "close_only": data == "bars_close",
                "matching": data.removesuffix("_close"),
                "has_auctions": auctions and not data.startswith("bars"),
                "shortable": 10**6,
            }
        ],
        "sleeves": [{"id": "one", "cash": 10**6 * MONEY}],
        "venues": [
            {
                "id": "sim",
                "fee": {"tiers": [{"maker": 0, "taker": 0}]},
                "slippage": {},
                "limit_fill_on_touch": False,
                "participation_max": RATE,
                "on_close_cutoff_ns": 0,
            }
        ],
        "limits": {"price_band": RATE // 10},
    }


class Floor:
    """One kind of data; every output is compared with the oracle's."""

    def __init__(self, data: str, *, hedging: bool = False, auctions: bool = True) -> None:
        config = setup(data, hedging=hedging, auctions=auctions)
        self.data = data
        self.on_bars = data.startswith("bars")
        self.oracle = Oracle(config)
        self.comparison = Comparison(config)
        self.ts = START
        self.count = 0
        self.last: int | None = None
        self.told: list[tuple[str, Record]] = []
        """What the engine has said, in order."""

    def push(self, name: str, terms: object) -> list[tuple[str, Record]]:
        """Tell both the same; return what the engine says."""
        self.count += 1
        input = {
            "ts_event": self.ts,
            "ts_received": self.ts,
            "source": 0,
            "sequence": self.count,
            "event": {name: terms},
        }
        expected = self.oracle.apply(input)
        found = self.comparison.step(input, expected, self.oracle)
        told = [next(iter(output.items())) for output in found]
        self.told += told
        return told

    # -- the market --------------------------------------------------------------------------
    def show(self, price: int, size: int = SIZE, *, jump: bool = False) -> None:
        """Let the market come to a price; on bars, in a session of its own.

        A bar begins where the one before ended, unless the market jumps.
        """
        self.ts += MINUTE
        match self.data:
            case "bars_close" | "bars":
                self._bar(price if jump or self.last is None else self.last, price, size)
                self.last = price
                self.barrier()
            case "quotes":
                self._quote(price - 1, price + 1, size)
            case "trades":
                self.trade(price, size)
            case _:
                self._book([("buy", price - 1, size), ("sell", price + 1, size)])

    def empty(self, side: str) -> None:
        """Take the far side of orders of a side away, where anything stands."""
        self.ts += MINUTE
        near = PRICE - sign(side)
        if self.data == "quotes":
            bid, ask = (near, None) if side == "buy" else (None, near)
            self._quote(bid, ask, SIZE)
        elif self.data in ("l2", "l3"):
            self._book([(side, near, SIZE)])

    def trade(self, price: int, size: int = SIZE) -> None:
        self.push(
            "trade", {"instrument": 0, "trade": {"price": price, "size": size, "aggressor": None}}
        )

    def barrier(self) -> None:
        """End a session."""
        self.push("barrier", {"session_start": True, "session_end": True})

    def session(self, price: int) -> None:
        """Let a session pass, in which bars are at a price and nothing else happens."""
        if self.on_bars:
            self.show(price, jump=True)
        else:
            self.ts += MINUTE
            self.barrier()

    def auction(self, kind: str, price: int = PRICE) -> None:
        """Hold an auction; of bars, the first and the last price are one."""
        if self.on_bars:
            self.show(price, jump=True)
            return
        self.ts += MINUTE
        auction = {"kind": kind, "price": price, "volume": SIZE}
        self.push("auction", {"instrument": 0, "auction": auction})

    def _bar(self, first: int, last: int, volume: int) -> None:
        whole = None if self.data == "bars_close" else [first, max(first, last), min(first, last)]
        bar = {"range": whole, "close": last, "volume": volume}
        self.push("bar", {"instrument": 0, "bar": bar})

    def _quote(self, bid: int | None, ask: int | None, size: int) -> None:
        sizes = {
            "bid_size": None if bid is None else size,
            "ask_size": None if ask is None else size,
        }
        self.push("quote", {"instrument": 0, "quote": {"bid": bid, "ask": ask, **sizes}})

    def _book(self, levels: list[tuple[str, int, int]]) -> None:
        self.push("book_cleared", {"instrument": 0, "more": True})
        for number, (side, price, size) in enumerate(levels, 1):
            level: Record = {
                "side": side,
                "price": price,
                "size": size,
                "more": number < len(levels),
            }
            if self.data == "l2":
                self.push("book_level", {"instrument": 0, "level": level})
            else:
                self.push("book_order", {"instrument": 0, "order": {"id": number, **level}})

    # -- orders ------------------------------------------------------------------------------
    def submit(self, request: Mapping[str, Any]) -> int:
        """Send an order; return its id."""
        told = self.push("submit_order", with_usual(request))
        return next(
            int((body.get("order", body) if "order" in body else body)["id"])
            for name, body in told
            if name in ("order_accepted", "order_submitted")
        )

    def refusal(self, request: Mapping[str, Any]) -> str | None:
        """Send an order; return the rule that refuses it."""
        told = self.push("submit_order", with_usual(request))
        verdict = next(body for name, body in told if name == "verdict")
        rejected = [body["rule"] for name, body in told if name == "order_rejected"]
        if verdict["outcome"] == "accepted":
            assert not rejected
            return None
        assert verdict["outcome"] == "rejected"
        assert rejected == [verdict["rule"]]
        return str(verdict["rule"])

    def hold(self, quantity: int) -> None:
        """Come to a position by an order at the market."""
        side = "buy" if quantity > 0 else "sell"
        number = self.submit({"side": side, "quantity": abs(quantity)})
        if not self.fills(number):
            self.show(PRICE)
        assert self.position() == quantity

    def position(self) -> int:
        return self.comparison.engine.position(0, 0)

    def fills(self, number: int) -> list[Record]:
        """Fills of an order."""
        return [
            body for name, body in self.told if name == "order_filled" and body["order"] == number
        ]

    def filled(self, number: int) -> int:
        return sum(int(fill["quantity"]) for fill in self.fills(number))

    def triggered(self, number: int) -> bool:
        return any(name == "order_triggered" and _id(body) == number for name, body in self.told)

    def end(self, number: int) -> tuple[str, str] | None:
        """How an order was ended, and why; None while it works or if it was filled."""
        for name, body in self.told:
            if name in ("order_cancelled", "order_expired") and _id(body) == number:
                return name.removeprefix("order_"), str(body["reason"])
        return None


def _id(body: Mapping[str, Any]) -> int:
    found = body["order"] if "order" in body else body["id"]
    return int(found["id"] if isinstance(found, dict) else found)


def with_usual(request: Mapping[str, Any]) -> Record:
    """Complete an order: at the market, until cancelled."""
    usual = {
        "sleeve": 0,
        "instrument": 0,
        "quantity": LOTS,
        "kind": "market",
        "tif": "gtc",
        "leg": "net",
    }
    return {**usual, **request}
