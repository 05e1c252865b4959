"""Random orders: what is sent to both systems, and when."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from quantvista.backtest.validate._markets import Market, Step
from quantvista.backtest.validate._session import (
    CONDITIONAL,
    LIMITED,
    PASSIVE,
    Account,
    Command,
    Kind,
    Order,
    Side,
    Traded,
    opposite,
)

__all__ = ["draw_commands"]

_ANCHORS = 12  # market orders that fill whatever else happens
_GAP_NS = 1_000_000  # between the commands of a step
_WEIGHTS = {
    "market": 20,
    "limit": 40,
    "stop": 10,
    "stop_limit": 7,
    "trailing_stop": 7,
    "market_if_touched": 6,
    "limit_if_touched": 5,
    "bracket": 8,
    "pair": 4,
}


@dataclass(slots=True)
class _Draft:
    random: Random
    kind: Kind
    traded: tuple[Traded, ...]
    account: Account
    market: Market
    tags: set[str]
    commands: list[Command] = field(default_factory=list)
    number: int = 0
    step: int = 0
    sent: int = 0  # in this step
    busy: dict[tuple[int, Side], int] = field(default_factory=dict)
    stops: dict[int, int] = field(default_factory=dict)
    later: dict[int, list[int]] = field(default_factory=dict)
    sales: dict[int, int] = field(default_factory=dict)
    sides: dict[int, Side] = field(default_factory=dict)  # of the market orders of this step

    @property
    def now(self) -> Step:
        return self.market.steps[self.step]

    def ts(self) -> int:
        """Time of the next command of this step."""
        self.sent += 1
        return self.now.ts + self.sent * _GAP_NS

    def away(self, instrument: int, least: int = 1) -> int:
        """Draw how far from the market an order waits; books move by fewer ticks than others."""
        return self.ticks(instrument, least, 12 if self.kind == "books" else 45)

    def exit(self, instrument: int) -> int:
        """Draw how far from the market exits are.

        On trades the entry fills at the next one, which should not be beyond them.
        """
        if self.kind == "trades" and "crowded" not in self.tags:
            return self.ticks(instrument, 80, 130)
        return self.away(instrument, 4)

    def ticks(self, instrument: int, least: int, most: int) -> int:
        """Draw a distance in price units, whole ticks."""
        return self.random.randint(least, most) * self.traded[instrument].tick_size


def draw_commands(
    random: Random,
    kind: Kind,
    traded: tuple[Traded, ...],
    account: Account,
    market: Market,
    tags: set[str],
) -> tuple[Command, ...]:
    """Draw what is sent over a market.

    Parameters
    ----------
    random : random.Random
        The session's.
    kind : {"bars", "quotes", "trades", "books"}
        What the tape is made of.
    traded : tuple of Traded
        The instruments.
    account : Account
        In a cash account enough is bought first for whatever is sold later.
    market : Market
        With the steps at which something may be sent.
    tags : set of str
        What was drawn for the session: without ``crowded`` at most one order of a side rests in
        an instrument at a time.

    Returns
    -------
    tuple of Command
        In order of time.
    """
    draft = _Draft(random, kind, traded, account, market, tags)
    draft.number = len(traded)  # the first ids are for the opening purchases
    last = len(market.steps) - 3
    anchors = set(random.sample(range(2, last), _ANCHORS))
    for draft.step in range(1, last):
        draft.sent = 0
        draft.sides.clear()
        for number in draft.later.pop(draft.step, []):
            draft.commands.append(Command(draft.ts(), "cancel", id=number))
        if random.random() < 0.08:
            _amend(draft)
        if draft.step in anchors:
            _submit(draft, _market_order(draft, *_pick(draft)))
        if random.random() < 0.6:
            _draw(draft)
    return (*_opening(draft), *draft.commands)


def _pick(draft: _Draft) -> tuple[int, Side]:
    instrument = draft.random.randrange(len(draft.traded))
    return instrument, draft.random.choice(("buy", "sell"))


def _quantity(draft: _Draft, instrument: int, *, whole: bool = False) -> int:
    """Draw a quantity; ``whole`` where it must fill at once, whatever is there."""
    most = 40 if "thin" in draft.tags or draft.kind == "bars" else 12
    if whole and "thin" in draft.tags:
        most = 1
    return draft.random.randint(1, most) * draft.traded[instrument].lot_size


def _id(draft: _Draft) -> int:
    draft.number += 1
    return draft.number


def _submit(draft: _Draft, order: Order) -> None:
    draft.commands.append(Command(draft.ts(), "submit", order, instrument=order.instrument))
    if order.side == "sell":
        draft.sales[order.instrument] = draft.sales.get(order.instrument, 0) + order.quantity


def _opening(draft: _Draft) -> list[Command]:
    """Buy first what is sold later, so that nothing is sold short where that is not allowed."""
    draft.step, draft.sent = 0, 0
    made = []
    for index, each in enumerate(draft.traded):
        quantity = draft.sales.get(index, 0) + 50 * each.lot_size
        if draft.account.kind == "margin" and draft.random.random() < 0.7:
            continue
        made.append(Command(draft.ts(), "submit", Order(index + 1, index, "buy", quantity)))
    return made


def _market_order(draft: _Draft, instrument: int, side: Side) -> Order:
    tif = "gtc"
    if "thin" in draft.tags:
        tif = "ioc"  # the rest of a market order is where the systems differ by design
    elif draft.random.random() < 0.2:
        tif = draft.random.choice(("ioc", "fok"))
    if draft.kind == "bars" and "crowded" not in draft.tags:
        side = draft.sides.setdefault(instrument, side)  # opposite ones cross within our fund
    quantity = _quantity(draft, instrument)
    reduces = _reduces(draft, side) and draft.random.random() < 0.3
    return Order(_id(draft), instrument, side, quantity, tif=tif, reduce_only=reduces)


def _reduces(draft: _Draft, side: Side) -> bool:
    """Look whether an order surely reduces: in cash accounts all is bought before it is sold."""
    return draft.account.kind == "cash" and side == "sell"


def _draw(draft: _Draft) -> None:
    """Send one thing other than an anchor."""
    kinds = list(_WEIGHTS)
    (drawn,) = draft.random.choices(kinds, list(_WEIGHTS.values()))
    instrument, side = _pick(draft)
    if drawn == "market":
        order = _market_order(draft, instrument, side)
        _submit(draft, order)
        return
    if drawn in ("bracket", "pair"):
        _draw_group(draft, drawn, instrument, side)
        return
    if not _free(draft, drawn, instrument, side):
        return
    taking = drawn == "limit" and draft.random.random() < 0.3
    make = _taking if taking else _resting
    order = make(draft, drawn, instrument, side)
    _submit(draft, order)
    if order.tif not in ("ioc", "fok"):
        _keep(draft, order)


def _free(draft: _Draft, drawn: str, instrument: int, side: Side) -> bool:
    """Look whether such an order may be sent now; see the tag ``crowded``."""
    if "crowded" in draft.tags:
        return True
    if "prints" in draft.tags and drawn in CONDITIONAL - {"stop"}:
        return False  # NautilusTrader shows them trades as quotes, and gives them no queue
    if draft.kind == "trades" and drawn in LIMITED and "triggered_limits" not in draft.tags:
        return False  # ours wait for the trade after the one that triggers them
    if drawn in PASSIVE:
        return draft.busy.get((instrument, side), 0) <= draft.step
    return draft.stops.get(instrument, 0) <= draft.step


def _keep(draft: _Draft, order: Order) -> None:
    """Cancel what rests after some steps, and keep its place until then."""
    life = draft.random.randint(3, 14)
    until = draft.step + life
    draft.later.setdefault(until, []).append(order.id)
    if order.type in PASSIVE:
        draft.busy[order.instrument, order.side] = until + 1
    else:
        draft.stops[order.instrument] = until + 1


def _touch(draft: _Draft, instrument: int, side: Side) -> int:
    """Price that an order of this side would take."""
    return (draft.now.asks if side == "buy" else draft.now.bids)[instrument]


def _away(side: Side) -> int:
    """Sign of a worse price for the market maker: where a passive order of this side rests."""
    return -1 if side == "buy" else 1


def _taking(draft: _Draft, drawn: str, instrument: int, side: Side) -> Order:
    """Draw a limit order that the market reaches at once, or hardly not."""
    price = _touch(draft, instrument, side)
    tif = draft.random.choice(("gtc", "ioc", "fok"))
    if "thin" in draft.tags and "kills" not in draft.tags:
        tif = "ioc" if tif == "fok" else tif  # a killed order uses up liquidity there
    if draft.kind == "books" or tif != "gtc":
        price -= _away(side) * draft.ticks(instrument, -1, 3)
    if draft.kind in ("bars", "trades"):
        tif = "ioc" if tif == "gtc" else tif  # they meet the next price, far enough away
        price -= _away(side) * draft.ticks(instrument, 0, 40)
    quantity = _quantity(draft, instrument)
    return Order(_id(draft), instrument, side, quantity, drawn, tif, limit=price)


def _life(draft: _Draft, drawn: str) -> tuple[str, int | None]:
    """Time in force of what rests, and when it ends."""
    if "expiries" in draft.tags and draft.random.random() < 0.4:
        ends = draft.step + draft.random.randint(2, 6)
        ends = min(ends, len(draft.market.steps) - 2)
        return "gtd", draft.market.steps[ends].ts + 777
    if drawn != "trailing_stop" and draft.market.day_ends and draft.random.random() < 0.3:
        return "day", None
    return "gtc", None


def _resting(draft: _Draft, drawn: str, instrument: int, side: Side) -> Order:
    """Draw an order that waits for the market."""
    near = _touch(draft, instrument, side)
    away = _away(side) * draft.away(instrument)
    tif, expires = _life(draft, drawn)
    quantity = _quantity(draft, instrument, whole=drawn in CONDITIONAL)
    base = Order(_id(draft), instrument, side, quantity, drawn, tif, expires=expires)
    if "reducers" in draft.tags and _reduces(draft, side):
        base = replace(base, reduce_only=True)  # these grow with the position there
    return _priced(draft, base, near, away)


def _priced(draft: _Draft, base: Order, near: int, away: int) -> Order:
    """Give an order its prices."""
    match base.type:
        case "limit":
            if draft.kind in ("quotes", "books"):  # behind the spread, so that it does rest
                near = _touch(draft, base.instrument, opposite(base.side))
                away = away if draft.random.random() < 0.7 else 0
            post = draft.random.random() < 0.2
            return replace(base, limit=near + away, post_only=post)
        case "stop":
            return replace(base, trigger=near - away)
        case "market_if_touched":
            return replace(base, trigger=near + away)
        case "stop_limit":
            return replace(base, trigger=near - away, limit=near - away + _room(draft, base))
        case "limit_if_touched":
            return replace(base, trigger=near + away, limit=near + away + _room(draft, base))
        case _:
            return _trailing(draft, base, abs(away))


def _room(draft: _Draft, order: Order) -> int:
    """From the trigger to the limit; positive for buys where the limit allows a worse price.

    NautilusTrader fills a triggered limit at its trigger price where the limit is worse, whatever
    the market shows (see ``docs/validation.md``). Where this is not to be met, events get limits
    at the trigger or better, and bars limits that are far away.
    """
    worse = -_away(order.side)
    if "triggered_limits" in draft.tags:
        return worse * draft.ticks(order.instrument, -10, 40)
    if draft.kind == "bars":
        return worse * draft.ticks(order.instrument, 300, 400)
    if order.type == "limit_if_touched":
        return 0
    return -worse * draft.ticks(order.instrument, 0, 8)


def _trailing(draft: _Draft, base: Order, distance: int) -> Order:
    if "percent_trails" in draft.tags:
        return replace(base, trail=draft.random.randint(5, 60), trail_unit="bps")
    return replace(base, trail=distance)


def _draw_group(draft: _Draft, drawn: str, instrument: int, side: Side) -> None:
    """Send a bracket, or a pair of orders of which one cancels the other."""
    if "thin" in draft.tags and drawn == "bracket" and "crowded" not in draft.tags:
        return  # an entry that meets nothing is where the systems differ by design
    out = opposite(side) if drawn == "bracket" else side
    places = {(instrument, out), (instrument, side)}
    if any(draft.busy.get(place, 0) > draft.step for place in places):
        return
    if draft.stops.get(instrument, 0) > draft.step:
        return
    quantity = _quantity(draft, instrument, whole=True)
    entry = [_entry(draft, instrument, side, quantity)] if drawn == "bracket" else []
    kind: Literal["bracket", "pair"] = "bracket" if drawn == "bracket" else "pair"
    orders = (*entry, *_exits(draft, instrument, out, quantity, kind))
    draft.commands.append(
        Command(draft.ts(), "group", orders=orders, kind=kind, instrument=instrument)
    )
    for order in orders:
        if order.side == "sell":
            draft.sales[instrument] = draft.sales.get(instrument, 0) + quantity
    until = draft.step + draft.random.randint(3, 14)
    draft.later.setdefault(until, []).extend(order.id for order in orders)
    draft.stops[instrument] = until + 1
    draft.busy |= dict.fromkeys(places, until + 1)


def _entry(draft: _Draft, instrument: int, side: Side, quantity: int) -> Order:
    """Draw the entry of a bracket: at the market, or a limit that waits for it.

    On bars a limit may fill on the way, where the systems put its exits at different prices.
    """
    order = Order(_id(draft), instrument, side, quantity)
    if draft.random.random() < 0.6 or (draft.kind == "bars" and "crowded" not in draft.tags):
        return order
    near = _touch(draft, instrument, opposite(side))
    away = _away(side) * draft.away(instrument)
    return replace(order, type="limit", limit=near + away)


def _exits(
    draft: _Draft, instrument: int, out: Side, quantity: int, kind: Literal["bracket", "pair"]
) -> list[Order]:
    """Draw a stop and a limit on both sides of the market."""
    near = _touch(draft, instrument, out)
    loss = near - _away(out) * draft.exit(instrument)
    if kind == "pair" and draft.kind in ("quotes", "books"):
        near = _touch(draft, instrument, opposite(out))
    profit = near + _away(out) * draft.exit(instrument)
    stop = Order(_id(draft), instrument, out, quantity, "stop", trigger=loss)
    if kind == "bracket" and "prints" not in draft.tags and draft.random.random() < 0.3:
        trail = draft.exit(instrument)
        stop = Order(stop.id, instrument, out, quantity, "trailing_stop", trail=trail)
    return [stop, Order(_id(draft), instrument, out, quantity, "limit", limit=profit)]


def _amend(draft: _Draft) -> None:
    """Change a limit order or a stop that may still wait."""
    if draft.kind == "bars" and "gaps" in draft.tags:
        return  # NautilusTrader gets amendments after the open, which the old terms would meet
    waiting = {number for numbers in draft.later.values() for number in numbers}
    orders = {
        order.id: order
        for command in draft.commands
        for order in command.sent()
        if command.do == "submit" and order.id in waiting and order.type in ("limit", "stop")
    }
    if not orders:
        return
    order = draft.random.choice(list(orders.values()))
    command = Command(draft.ts(), "amend", id=order.id, instrument=order.instrument)
    moved = draft.random.random() < 0.6 or draft.kind == "books" or "thin" in draft.tags
    if moved and order.type == "stop":
        near = _touch(draft, order.instrument, order.side)
        trigger = near - _away(order.side) * draft.away(order.instrument)
        draft.commands.append(replace(command, trigger=trigger))
    elif moved and draft.kind != "trades":
        near = _touch(draft, order.instrument, opposite(order.side))
        limit = near + _away(order.side) * draft.ticks(order.instrument, 1, 30)
        draft.commands.append(replace(command, limit=limit))
    else:
        lot = draft.traded[order.instrument].lot_size
        changes = (-lot,) if draft.kind == "trades" else (-lot, lot, 2 * lot)
        quantity = max(lot, order.quantity + draft.random.choice(changes))
        if order.side == "sell":
            more = max(0, quantity - order.quantity)
            draft.sales[order.instrument] = draft.sales.get(order.instrument, 0) + more
        draft.commands.append(replace(command, quantity=quantity))
