"""A live session in a random world: a market, a venue outside that reports, an operator."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from quantvista._native import RawEngine
from quantvista.engine import (
    MISSING,
    MORE,
    Context,
    LimitRates,
    Session,
    SessionClock,
    SleeveCash,
    Tape,
    VenueRates,
    engine_config,
)
from quantvista.market import EventKind, Instrument

OUT, SIM, BARS, BOOK = "A.OUT", "B.SIM", "C.BARS", "D.BOOK"
INSTRUMENTS = (OUT, SIM, BARS, BOOK)
START = 1_000
DECISIONS = {
    "target_portfolio",
    "submit_order",
    "submit_list",
    "amend_order",
    "replace_order",
    "cancel_order",
    "activate_semantics",
}
REPORTS = (
    *("accepted", "accepted", "rejected", "cancelled", "expired", "unknown", "cancel_rejected"),
    *("filled", "filled", "filled", "again", "busted"),
)
HANDLERS = ("on_quote", "on_trade", "on_book", "on_bar", "on_fill", "on_order", "on_timer")

type Event = dict[str, Any]
type Told = tuple[int, int, Event]
type Entry = tuple[str, int, bytes]


def config(sleeves: Sequence[str] = ("a", "b")) -> dict[str, Any]:
    matching = ("quotes", "quotes", "bars", "l2")
    return engine_config(
        fund="live",
        currency="USD",
        instruments=[
            Instrument(name, matching=kind)
            for name, kind in zip(INSTRUMENTS, matching, strict=True)
        ],
        close_only=False,
        sleeves=[SleeveCash(name, Decimal(50_000)) for name in sleeves],
        venue=[VenueRates(id="sim"), VenueRates(id="out", remote=True)],
        limits=LimitRates(),
        venue_of={OUT: 1},
    )


def quote(instrument: int, bid: int, size: int = 100) -> Event:
    sides = {"bid": bid, "bid_size": size, "ask": bid + 2, "ask_size": None}
    return {"quote": {"instrument": instrument, "quote": sides}}


def report(kind: str, order: int) -> Event:
    return {"report": {kind: {"order": order}}}


def traded(
    order: Mapping[str, Any], quantity: int, price: int, trade: str, kind: str = "filled"
) -> Event:
    execution = {name: order[name] for name in ("sleeve", "instrument", "side", "leg")}
    rest = {"trade": trade, "order": order["id"], "quantity": quantity, "price": price}
    return {"report": {kind: execution | rest | {"fee": 10**9, "liquidity": "maker"}}}


# -- by hand ---------------------------------------------------------------------------------
BARRIER: Event = {"barrier": {"session_start": False, "session_end": True}}


def made() -> Session:
    return Session(config(["a"]), live=True, record="accounts")


def hosts(session: Session, **handlers: Any) -> list[Any]:  # noqa: ANN401
    return [(0, Context(session, 0, SessionClock(session), None), handlers, None)]


def tell(session: Session, *events: tuple[int, Event]) -> None:
    session.tell([(ts, ts, event) for ts, event in events])


def bar(instrument: int, close: int) -> Event:
    prices = {"range": [close] * 3, "close": close, "volume": 9}
    return {"bar": {"instrument": instrument, "bar": prices}}


def level(price: int, *, more: bool) -> Event:
    terms = {"side": "buy", "price": price, "size": 5, "more": more}
    return {"book_level": {"instrument": 3, "level": terms}}


def buyer(instrument: str = OUT, **terms: Any) -> Any:  # noqa: ANN401
    """Buy one at every quote of the instrument."""

    def on_quote(ctx: Context, event: Any) -> None:  # noqa: ANN401
        if event.instrument == instrument:
            price = {"limit_price": event.bid}
            ctx.submit(instrument, "buy", 1, type="limit", tif="gtc", **price, **terms)

    return on_quote


# -- a strategy ------------------------------------------------------------------------------
class Trader:
    """Does this and that, by numbers of its own, and writes down what it hears and sees."""

    def __init__(self, seed: int) -> None:
        self.state = seed
        self.calls: list[Any] = []

    def pick(self, count: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count

    def hear(self, ctx: Context, *what: object) -> None:
        self.calls.append((ctx.clock.now, *what))

    def act(self, ctx: Context, instrument: str) -> None:
        now, choice = ctx.clock.now, self.pick(12)
        orders = ctx.orders()
        if choice < 4:
            self.order(ctx, instrument)
        elif choice == 4 and orders:
            ctx.cancel(orders[self.pick(len(orders))].order_id)
        elif choice == 5:
            ctx.cancel_all(instrument)
        elif choice == 6:
            ctx.set_timer(now + 1 + self.pick(60), f"later {now}")
        elif choice == 7:
            ctx.set_timer(now - self.pick(9), "past")
        elif choice == 8 and orders:
            order = orders[self.pick(len(orders))]
            ctx.amend(order.order_id, quantity=order.quantity + 1)
        elif choice == 9:
            best, last = ctx.quote(SIM), ctx.last_trade(SIM)
            seen = best and (best.ts, best.bid), last and (last.ts, last.price)
            self.hear(ctx, seen, ctx.positions, ctx.equity, [repr(each) for each in orders])

    def order(self, ctx: Context, instrument: str) -> None:
        price = ctx.mark_price(instrument)
        side = "sell" if ctx.position(instrument) > 0 and self.pick(2) else "buy"
        quantity = 1 + self.pick(4)
        if np.isnan(price) or self.pick(3) == 0:
            number = ctx.submit(instrument, side, quantity)  # type: ignore[arg-type]
        else:
            limit = round(price + 0.01 * (self.pick(9) - 4), 2)
            number = ctx.submit(
                instrument,
                side,  # type: ignore[arg-type]
                quantity,
                type="limit",
                tif="gtc",
                limit_price=limit,
                reduce_only=self.pick(5) == 0,
            )
        self.hear(ctx, repr(ctx.order(number)))

    def on_quote(self, ctx: Context, quote: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(quote))
        self.act(ctx, quote.instrument)

    def on_trade(self, ctx: Context, trade: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(trade), trade.aggressor)

    def on_book(self, ctx: Context, book: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(book))
        self.act(ctx, book.instrument)

    def on_bar(self, ctx: Context, bar: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(bar))
        self.act(ctx, bar.instrument)

    def on_fill(self, ctx: Context, fill: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(fill), fill.order_id, fill.kind, fill.fee)
        if self.pick(4) == 0:
            self.order(ctx, fill.instrument)

    def on_order(self, ctx: Context, event: Any) -> None:  # noqa: ANN401
        self.hear(ctx, repr(event), event.status, event.reason)

    def on_timer(self, ctx: Context, timer: Any) -> None:  # noqa: ANN401
        self.hear(ctx, timer.name, timer.ts)
        self.act(ctx, INSTRUMENTS[self.pick(4)])


# -- a life ----------------------------------------------------------------------------------
@dataclass
class Life:
    """A session with its strategies, and all that came of it."""

    session: Session
    traders: list[Trader]
    log: list[Entry] = field(default_factory=list)
    effects: list[tuple[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, **source: Any) -> Life:  # noqa: ANN401
        session = Session(config(), **(source or {"live": True, "record": "accounts"}))
        session.open_log()
        return cls(session, [Trader(seed + place) for place in range(2)])

    @property
    def hosts(self) -> list[Any]:
        made = []
        for place, trader in enumerate(self.traders):
            context = Context(self.session, place, SessionClock(self.session), None)
            handlers = {name: getattr(trader, name) for name in HANDLERS}
            made.append((place, context, handlers, None if place else [0, 1, 3]))
        return made

    @property
    def calls(self) -> list[Any]:
        return [trader.calls for trader in self.traders]

    def decide(self, *_: object) -> None:
        now = self.session.now
        weights = [(place, (now // (place + 3)) % 4 * 10**8) for place in range(3)]
        self.session.submit_targets(1, weights)

    def run(self, horizon: int) -> None:
        self.session.run_live(horizon, self.hosts, self.decide)
        self.note()

    def note(self) -> None:
        self.log += self.session.take_log()
        self.effects += self.session.take_effects()

    def snapshot(self) -> bytes:
        states = [json.dumps(trader.state).encode() for trader in self.traders]
        return self.session.snapshot(states)

    def restore(self, snapshot: bytes) -> None:
        for trader, state in zip(self.traders, self.session.restore(snapshot), strict=True):
            trader.state = json.loads(state)
            trader.calls = []


def is_told(record: bytes) -> bool:
    """Whether an input is of classes 0 to 3."""
    (name,) = RawEngine.decode_input(record)["event"]
    return name not in DECISIONS


def told_of(log: Sequence[Entry]) -> list[tuple[int, bytes]]:
    return [(ts, record) for side, ts, record in log if side == "input" and is_told(record)]


# -- a world ---------------------------------------------------------------------------------
class World:
    """What happens next, by chance and by what the session sends."""

    def __init__(self, seed: int, *, lag: int = 5) -> None:
        self.random = random.Random(seed)
        self.ts, self.lag = START, lag
        self.bids = [10_000, 5_000, 2_000, 7_000]
        self.orders: list[dict[str, Any]] = []
        self.trades: list[Event] = []
        self.split = False

    def hear(self, effects: Sequence[tuple[str, Any]]) -> None:
        self.orders += [order for kind, order in effects if kind == "submit"]

    def step(self) -> list[Told]:
        told: list[Told] = []
        for _ in range(self.random.randint(1, 5)):
            self.ts += self.random.choice((1, 1, 2, 20, 70))
            made = self.events()
            for event in made:
                (name,) = event
                scheduled = name in {"report", "operator", "cash_flow", "risk_figure"}
                lag = 0 if scheduled and self.lag == 0 else self.random.randint(0, 5)
                told.append((self.ts, self.ts - lag, event))
        return told

    def events(self) -> list[Event]:
        choice = self.random.randrange(20)
        if choice < 7:
            return [self.quote(self.random.randrange(2))]
        if choice < 11 and self.orders:
            return [self.report()]
        if choice == 11:
            place = self.random.randrange(2)
            aggressor = self.random.choice(("buy", "sell", None))
            trade = {"price": self.walk(place), "size": 3, "aggressor": aggressor}
            return [{"trade": {"instrument": place, "trade": trade}}]
        if choice == 12:
            return [self.bar(), self.quote(1), self.barrier()]
        if choice == 13:
            return self.message()
        if choice == 14:
            return [self.barrier()]
        if choice == 15:
            return [self.rare()]
        if choice == 16:
            commands = ("halt", "reduce", "resume", "resume", "resume", "flatten")
            return [{"operator": self.random.choice(commands)}]
        if choice == 17:
            amount = self.random.choice((10**15, -(10**15)))
            return [{"cash_flow": {"sleeve": 0, "currency": 0, "amount": amount}}]
        return [self.quote(1)]

    def walk(self, place: int) -> int:
        self.bids[place] = max(100, self.bids[place] + self.random.randint(-3, 3))
        return self.bids[place]

    def quote(self, place: int) -> Event:
        return quote(place, self.walk(place), self.random.randint(1, 9))

    def bar(self) -> Event:
        close = self.walk(2)
        bar = {"range": [close, close + 3, close - 3], "close": close, "volume": 40}
        return {"bar": {"instrument": 2, "bar": bar}}

    def barrier(self) -> Event:
        return {"barrier": {"session_start": False, "session_end": self.random.random() < 0.3}}

    def message(self) -> list[Event]:
        count = self.random.randint(1, 3)
        middle = self.walk(3)
        levels = []
        for each in range(count):
            side = self.random.choice(("buy", "sell"))
            price = middle - 1 - each if side == "buy" else middle + 1 + each
            size = self.random.randint(0, 9)
            levels.append({"side": side, "price": price, "size": size, "more": each + 1 < count})
        return [{"book_level": {"instrument": 3, "level": level}} for level in levels]

    def rare(self) -> Event:
        if not self.split and self.random.random() < 0.3:
            self.split = True
            split = {"instrument": 1, "numerator": 2, "denominator": 1}
            return {"action": {"split": split}}
        if self.random.random() < 0.5:
            return {"day_ended": {"trading": True}}
        figure = {"kind": "volatility", "instrument": 1, "value": 10**7, "expires_at": 10**9}
        return {"risk_figure": figure}

    def report(self) -> Event:
        order = self.random.choice(self.orders[-6:])
        kind = self.random.choice(REPORTS)
        if kind == "again" and self.trades:
            return self.random.choice(self.trades)
        if kind == "busted" and self.trades:
            return {"report": {"busted": self.random.choice(self.trades)["report"]["filled"]}}
        if kind in {"filled", "again", "busted"}:
            quantity = self.random.randint(1, order["quantity"] + 1)
            self.trades.append(traded(order, quantity, self.walk(0), f"t{len(self.trades)}"))
            return self.trades[-1]
        return report(kind, order["id"])


# -- the same on a tape ----------------------------------------------------------------------
def _row(event: Event, actions: list[Any]) -> tuple[EventKind, int, int, list[int | None]] | None:
    ((name, body),) = event.items()
    place = body.get("instrument", 0) if isinstance(body, dict) else 0
    match name:
        case "quote":
            sides = body["quote"]
            values = [sides[each] for each in ("bid", "bid_size", "ask", "ask_size")]
            return EventKind.QUOTE, 0, place, values
        case "trade":
            trade = body["trade"]
            flag = {None: 0, "buy": 1, "sell": 2}[trade["aggressor"]]
            return EventKind.TRADE, flag, place, [trade["price"], trade["size"]]
        case "bar":
            bar = body["bar"]
            return EventKind.BAR, 0, place, [*bar["range"], bar["close"], bar["volume"]]
        case "book_level":
            level = body["level"]
            flag = (level["side"] == "sell") | (MORE if level["more"] else 0)
            return EventKind.BOOK_LEVEL, flag, place, [level["price"], level["size"]]
        case "barrier":
            return EventKind.BARRIER, body["session_start"] | body["session_end"] << 1, 0, []
        case "day_ended":
            return EventKind.DAY_ENDED, int(body["trading"]), 0, []
        case "action":
            actions.append(body)
            return EventKind.ACTION, 0, 0, [len(actions) - 1]
    return None


def on_tape(log: Sequence[Entry]) -> dict[str, Any]:
    """What makes a session over a tape of the events that a live one was told."""
    actions: list[Any] = []
    inputs, rows = [], []
    for ts, record in told_of(log):
        told = RawEngine.decode_input(record)
        found = _row(told["event"], actions)
        if found is None:
            inputs.append((ts, told["event"]))
        else:
            kind, flag, place, values = found
            values += [None] * (5 - len(values))
            rows.append((told["ts_event"], ts, int(kind), int(flag), place, *values))
    columns: list[Any] = [np.array([MISSING if x is None else x for x in c]) for c in zip(*rows)]  # noqa: B905
    event, received, kinds, flags, places, *values_of = columns
    tape = Tape.of(
        kinds.astype(np.uint8),
        received,
        event,
        flags.astype(np.uint8),
        places,
        dict(zip("abcde", values_of, strict=True)),
    )
    return {"tape": tape.columns(), "actions": actions, "inputs": inputs}
