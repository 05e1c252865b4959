"""Our side: the one place here that knows how the engine is spoken to."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

from quantvista._native import SEMANTICS, RawEngine
from quantvista.backtest.validate._result import End, Fill, Look, Result
from quantvista.backtest.validate._session import MORE, Command, Order, Row, Session, Traded

__all__ = ["OurSide"]

_MONEY = 12  # digits of money in the engine
_CLASSES = {"market": 2, "barrier": 3, "order": 5}
_DIGITS = {"USD": 2, "EUR": 2, "USDT": 8, "BTC": 8}
_MATCHING = {"bars": "bars", "quotes": "quotes", "trades": "trades", "books": "l2"}
_SETTLEMENTS = {"cash": {"pair": "exchange", "spot": "exchange"}}
_ROOM = 1 << 50  # more than anybody sells short
_MARGIN_INITIAL, _MARGIN_MAINTENANCE = 100_000_000, 50_000_000


class OurSide:
    """Runs sessions through the engine."""

    def run(self, session: Session) -> Result:
        """Run a session: its tape, its commands and its looks, in order of time."""
        return _Run(session).result()


class _Run:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.engine = RawEngine(engine_config(session))
        self.sequence = count()
        self.numbers: dict[int, int] = {}  # of the engine, by ours
        self.ids: dict[int, int] = {}
        self.made = 0
        self.fills: list[Fill] = []
        self.looks: list[Look] = []
        self.ends: dict[int, End] = {}

    def result(self) -> Result:
        for _, _, call in sorted(self._events(), key=lambda each: each[:2]):
            call()
        self.engine.audit()
        return Result(tuple(self.fills), tuple(self.looks), self.ends)

    def _events(self) -> Iterator[tuple[int, tuple[int, int], Any]]:
        """Everything that happens, with its place in time."""
        session = self.session
        for number, row in enumerate(session.tape):
            yield row.ts, (2, number), lambda row=row: self._apply(row.ts, market_event(row))
        ends = set(session.day_ends)
        barriers = {row.ts for row in session.tape if row.kind == "bar"} | ends
        for ts in sorted(barriers):
            event = {"barrier": {"session_start": False, "session_end": ts in ends}}
            yield ts, (3, 0), lambda ts=ts, event=event: self._apply(ts, event)
        for number, command in enumerate(session.commands):
            yield command.ts, (5, number), lambda command=command: self._command(command)
        for number, mark in enumerate(session.marks):
            yield mark.ts, (6, number), lambda ts=mark.ts: self._look(ts)

    def _apply(self, ts: int, event: dict[str, Any]) -> None:
        record = {
            "ts_event": ts,
            "ts_received": ts,
            "source": 0,
            "sequence": next(self.sequence),
            "event": event,
        }
        for output in self.engine.apply(record):
            self._note(output)

    def _command(self, command: Command) -> None:
        if command.do in ("submit", "group"):
            for order in command.sent():
                self.made += 1
                self.numbers[order.id] = self.made
                self.ids[self.made] = order.id
        self._apply(command.ts, command_event(command, self.numbers))

    def _note(self, output: dict[str, Any]) -> None:
        ((name, value),) = output.items()
        if name == "order_filled":
            order = self.ids[value["order"]]
            self.fills.append(
                Fill(
                    ts=value["ts"],
                    order=order,
                    side=value["side"],
                    quantity=value["quantity"],
                    price=value["price"],
                    fee=Decimal(value["fee"]).scaleb(-_MONEY),
                    liquidity=value["liquidity"],
                )
            )
        elif name == "order_rejected":
            order = self.ids[value["order"]["id"]]
            self.ends[order] = End(value["order"]["ts"], "rejected", value["rule"])
        elif name == "order_cancelled":
            end = End(value["ts"], "cancelled", value["reason"])
            self.ends[self.ids[value["order"]]] = end
        elif name == "order_expired":
            end = End(value["ts"], "expired", value["reason"])
            self.ends[self.ids[value["order"]]] = end

    def _look(self, ts: int) -> None:
        held = tuple(self._held(index) for index in range(len(self.session.instruments)))
        equity = Decimal(self.engine.equity()).scaleb(-_MONEY)
        self.looks.append(Look(ts, equity, held))

    def _held(self, index: int) -> int:
        if self.session.account.single_currency:
            return int(self.engine.position(0, index))
        digits = self.session.instruments[index].quantity_precision
        return int(self.engine.cash(0, 1)) // int(10 ** (_MONEY - digits))


def engine_config(session: Session) -> dict[str, Any]:
    """Make the engine's configuration for a session."""
    account = session.account
    order = sorted(range(len(session.instruments)), key=lambda i: session.instruments[i].symbol)
    assert order == list(range(len(order))), "instruments come in order of their names"
    source = {"pair": {"instrument": 0, "inverse": False}}
    first = session.instruments[0]
    return {
        "semantics": SEMANTICS,
        "fund": "validate",
        "epoch": 1,
        "currencies": [
            {"code": code, "precision": _DIGITS[code], **({"source": source} if index else {})}
            for index, (code, _) in enumerate(account.cash)
        ],
        "account": {"kind": account.kind, "positions": "netting", "trade_on_unsettled": True},
        "instruments": [_instrument(session, each) for each in session.instruments],
        "sleeves": [
            {
                "id": "all",
                "cash": _money(account.cash[0][1]),
                "balances": [
                    (index, _money(text)) for index, (_, text) in enumerate(account.cash) if index
                ],
            }
        ],
        "venues": [_venue(session, first)],
        "limits": {"price_band": 900_000_000},
    }


def _instrument(session: Session, traded: Traded) -> dict[str, Any]:
    names = {"equity": "asset", "perpetual": "difference", "pair": "difference", "spot": "asset"}
    settlement: Any = names[traded.kind]
    if not session.account.single_currency:
        settlement = {"exchange": {"base": 1}}
    return {
        "id": f"{traded.symbol}.SIM",
        "currency": 0,
        "kind": traded.kind,
        "settlement": settlement,
        "matching": _MATCHING[session.kind],
        "price_precision": traded.price_precision,
        "quantity_precision": traded.quantity_precision,
        "tick_size": traded.tick_size,
        "lot_size": traded.lot_size,
        "multiplier": 1,
        "sector": "",
        "effective_from": None,
        "effective_to": None,
        "close_only": False,
        "margin_initial": _MARGIN_INITIAL,
        "margin_maintenance": _MARGIN_MAINTENANCE,
        "shortable": _ROOM if session.account.kind == "margin" and settlement == "asset" else 0,
    }


def _venue(session: Session, traded: Traded) -> dict[str, Any]:
    return {
        "id": "sim",
        "fee": {"tiers": [{"maker": _rate(traded.maker_fee), "taker": _rate(traded.taker_fee)}]},
        "slippage": {"rate": 0},
        "limit_fill_on_touch": session.models.limit_fill == "touch",
        "participation_max": None,
        "on_close_cutoff_ns": 0,
    }


def _rate(text: str) -> int:
    return int(Decimal(text).scaleb(9))


def _money(text: str) -> int:
    return int(Decimal(text).scaleb(_MONEY))


def market_event(row: Row) -> dict[str, Any]:
    """Write a row of the tape as an input's event."""
    index, more = row.instrument, bool(row.flag & MORE)
    match row.kind:
        case "quote":
            quote = {"bid": row.a, "bid_size": row.b, "ask": row.c, "ask_size": row.d}
            return {"quote": {"instrument": index, "quote": quote}}
        case "trade":
            aggressor = (None, "buy", "sell")[row.flag]
            trade = {"price": row.a, "size": row.b, "aggressor": aggressor}
            return {"trade": {"instrument": index, "trade": trade}}
        case "level":
            side = "sell" if row.flag & 1 else "buy"
            level = {"side": side, "price": row.a, "size": row.b, "more": more}
            return {"book_level": {"instrument": index, "level": level}}
        case "clear":
            return {"book_cleared": {"instrument": index, "more": more}}
        case "bar":
            bar = {"range": (row.a, row.b, row.c), "close": row.d, "volume": row.e}
            return {"bar": {"instrument": index, "bar": bar}}


def command_event(command: Command, numbers: dict[int, int]) -> dict[str, Any]:
    """Write a command as an input's event; ``numbers`` are the engine's ids by ours."""
    match command.do:
        case "submit":
            assert command.order is not None
            return {"submit_order": _request(command.order)}
        case "group":
            link = "bracket" if command.kind == "bracket" else "oco"
            return {"submit_list": {"orders": [_request(o) for o in command.orders], "link": link}}
        case "cancel":
            return {"cancel_order": {"order": numbers[command.id]}}
        case "amend":
            return {
                "amend_order": {
                    "order": numbers[command.id],
                    "quantity": command.quantity,
                    "limit_price": command.limit,
                    "trigger_price": command.trigger,
                }
            }


def _request(order: Order) -> dict[str, Any]:
    trail = None
    if order.trail is not None:
        percent = order.trail_unit == "bps"
        trail = {"rate": order.trail * 100_000} if percent else {"amount": order.trail}
    return {
        "sleeve": 0,
        "instrument": order.instrument,
        "side": order.side,
        "quantity": order.quantity,
        "kind": order.type,
        "tif": order.tif,
        "limit_price": order.limit,
        "trigger_price": order.trigger,
        "trail": trail,
        "expire_at": order.expires,
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
    }
