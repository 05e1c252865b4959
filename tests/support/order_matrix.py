"""Kind of order x time in force x kind of data: what becomes of an order in each cell.

`play` drives a cell through the engine, for both sides, and says what was seen; it fails where
that is not what docs/engine/orders.md says. `play_variant` and `flag_rule` do the same for the
terms that the engine's matrix does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from quantvista._native import ORDER_MATRIX
from support.order_floor import LOTS, MINUTE, PRICE, Floor, other, sign

type Record = dict[str, Any]

TRIGGERED = ("stop", "stop_limit", "trailing_stop", "market_if_touched", "limit_if_touched")
IMMEDIATE = ("ioc", "fok")
FAR = PRICE // 5
"""Beyond the price band of what has no limit."""


class Cell(NamedTuple):
    kind: str
    tif: str
    data: str
    refused_by: str | None

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.tif}-{self.data}"


CELLS = tuple(Cell(*row) for row in ORDER_MATRIX)
DATA = tuple(dict.fromkeys(cell.data for cell in CELLS))
KINDS = tuple(dict.fromkeys(cell.kind for cell in CELLS))
TIFS = tuple(dict.fromkeys(cell.tif for cell in CELLS))


def play(cell: Cell) -> str:
    """Drive a cell, buying and selling; what was seen, which is the same for both."""
    if cell.refused_by is not None:
        for side in ("buy", "sell"):
            floor = Floor(cell.data)
            floor.show(PRICE)
            assert floor.refusal(request(cell.kind, cell.tif, side, floor)) == cell.refused_by
        return f"refused: `{cell.refused_by}`"
    return _same(f"{_fill(cell, side)}; {_end(cell, side)}" for side in ("buy", "sell"))


def _same(found: Iterable[str]) -> str:
    (one,) = set(found)
    return one


def request(kind: str, tif: str, side: str, floor: Floor) -> Record:
    """Make an order that waits for a price away from the present one, if it can wait."""
    toward = sign(side)
    terms: Record = {"kind": kind, "tif": tif, "side": side}
    if tif == "gtd":
        terms["expire_at"] = floor.ts + 10 * MINUTE
    match kind:
        case "limit":
            terms["limit_price"] = PRICE - 100 * toward
        case "stop":
            terms["trigger_price"] = PRICE + 100 * toward
        case "stop_limit":
            terms |= {"trigger_price": PRICE + 100 * toward, "limit_price": PRICE + 200 * toward}
        case "trailing_stop":
            terms["trail"] = {"amount": 100}
        case "market_if_touched":
            terms["trigger_price"] = PRICE - 100 * toward
        case "limit_if_touched":
            terms |= {"trigger_price": PRICE - 100 * toward, "limit_price": PRICE - 50 * toward}
    return terms


def _reach(floor: Floor, kind: str, side: str) -> None:
    """Bring the market that an order of this kind waits for."""
    toward = sign(side)
    if kind == "limit" and floor.data == "trades":
        floor.show(PRICE)  # where nothing stands, an order rests once it has met a trade
    match kind:
        case "limit":
            floor.show(PRICE - 200 * toward)
        case "stop" | "stop_limit" | "trailing_stop":
            _touch(floor, kind, PRICE + 150 * toward)
        case "market_if_touched" | "limit_if_touched":
            _touch(floor, kind, PRICE - 150 * toward)
        case "on_open" | "on_close":
            floor.auction(kind.removeprefix("on_"))
        case _:
            floor.show(PRICE, jump=True)


def _touch(floor: Floor, kind: str, price: int) -> None:
    floor.show(price)
    if floor.data == "trades" and kind in ("stop_limit", "limit_if_touched"):
        floor.show(price)  # with a limit, it arrives after the trade that triggers it


def _fill(cell: Cell, side: str) -> str:
    """An order that finds its market fills, all of it."""
    floor = Floor(cell.data)
    floor.show(PRICE)
    terms = request(cell.kind, cell.tif, side, floor)
    if cell.tif in IMMEDIATE and cell.kind == "limit":
        terms["limit_price"] = PRICE + 100 * sign(side)
    number = floor.submit(terms)
    if not floor.fills(number):
        assert floor.filled(number) == 0
        _reach(floor, cell.kind, side)
    return _filled(floor, cell, number, side)


def _filled(floor: Floor, cell: Cell, number: int, side: str) -> str:
    assert floor.filled(number) == LOTS
    assert floor.position() == LOTS * sign(side)
    assert floor.end(number) is None
    assert floor.triggered(number) == (cell.kind in TRIGGERED)
    liquidity = _same(fill["liquidity"] for fill in floor.fills(number))
    rests = cell.kind == "limit" and cell.tif not in IMMEDIATE and cell.data != "bars_close"
    assert liquidity == ("maker" if rests else "taker")
    return f"fills ({liquidity})"


def _end(cell: Cell, side: str) -> str:
    """An order that does not find its market ends as its time in force says."""
    floor = Floor(cell.data)
    floor.show(PRICE)
    # Where something stands, an order at the market would fill at once.
    if cell.kind == "market":
        floor.empty(side)
    start = floor.ts
    number = floor.submit(request(cell.kind, cell.tif, side, floor))
    waits_at = PRICE + FAR * sign(side) if _has_band(cell.kind) else PRICE
    if cell.tif in IMMEDIATE:
        if floor.end(number) is None:
            floor.show(PRICE if cell.tif == "fok" else waits_at, LOTS // 2, jump=True)
        assert floor.filled(number) == 0
        assert floor.end(number) == ("cancelled", cell.tif)
        return f"{_part(cell, side)}; cancelled: `{cell.tif}`"
    floor.session(waits_at)
    end = floor.end(number)
    assert floor.filled(number) == 0
    if cell.tif == "day":
        assert end is not None
        assert end[0] == "expired"
        assert end[1] in _reasons(cell)
        return f"expired: `{end[1]}`"
    assert end is None
    floor.session(waits_at)
    assert floor.end(number) is None
    if cell.tif == "gtd":
        floor.ts = start + 10 * MINUTE
        floor.session(waits_at)
        assert floor.end(number) == ("expired", "gtd")
        return "expired: `gtd`"
    _reach(floor, cell.kind, side)
    return f"stays; then {_filled(floor, cell, number, side)}"


def _has_band(kind: str) -> bool:
    return kind in ("market", "on_open", "on_close")


def _reasons(cell: Cell) -> tuple[str, ...]:
    """Why an order of a day may say that it did not fill."""
    if cell.kind in TRIGGERED:
        return ("trigger",)
    if cell.kind == "limit":
        return ("limit",)
    return ("price_band",) if cell.data.startswith("bars") else ("volume", "day")


def _part(cell: Cell, side: str) -> str:
    """Of a market that is too small IOC takes what there is, FOK nothing."""
    floor = Floor(cell.data)
    floor.show(PRICE, LOTS // 2)
    terms = request(cell.kind, cell.tif, side, floor)
    if cell.kind == "limit":
        terms["limit_price"] = PRICE + 100 * sign(side)
    number = floor.submit(terms)
    if floor.end(number) is None:
        floor.show(PRICE, LOTS // 2)
    assert floor.end(number) == ("cancelled", cell.tif)
    assert floor.filled(number) == (LOTS // 2 if cell.tif == "ioc" else 0)
    return f"takes {'a part' if cell.tif == 'ioc' else 'nothing'} of too little"


# -- flags: what goes with every kind and time in force, or with some -------------------------
FLAGS: dict[str, Record] = {
    "post_only": {"post_only": True},
    "display_quantity": {"display_quantity": 2},
    "reduce_only": {"reduce_only": True},
}


def flag_rule(flag: str, kind: str, tif: str, data: str) -> str | None:
    """Say which rule refuses an otherwise sound order with a flag; the same for both sides."""
    found = set()
    for side in ("buy", "sell"):
        floor = Floor(data)
        floor.show(PRICE)
        if flag == "reduce_only":
            floor.hold(-LOTS * sign(side))
        found.add(floor.refusal(request(kind, tif, side, floor) | FLAGS[flag]))
    (one,) = found
    return one


# -- variants: terms, lists and changes -------------------------------------------------------
def play_variant(name: str, data: str) -> str:
    """Drive a variant on a kind of data, buying and selling; what was seen."""
    return _same(VARIANTS[name](data, side) for side in ("buy", "sell"))


def _start(data: str, *, position: int = 0, hedging: bool = False) -> Floor:
    floor = Floor(data, hedging=hedging)
    floor.show(PRICE)
    if position:
        floor.hold(position)
    return floor


def _post_only(data: str, side: str) -> str:
    floor, toward = _start(data), sign(side)
    terms = request("limit", "gtc", side, floor) | {"post_only": True}
    rests = floor.submit(terms)
    takes = floor.submit(terms | {"limit_price": PRICE + 100 * toward})
    if floor.end(takes) is None:
        floor.show(PRICE)
    assert floor.end(takes) == ("cancelled", "post_only")
    _reach(floor, "limit", side)
    assert [fill["liquidity"] for fill in floor.fills(rests)] == ["maker"]
    assert floor.position() == LOTS * toward
    return "fills as maker; cancelled: `post_only`"


def _reduce_only(data: str, side: str) -> str:
    floor = _start(data, position=-LOTS * sign(side))
    terms = {"side": side, "kind": "limit", "reduce_only": True}
    terms["limit_price"] = PRICE - 100 * sign(side)
    assert floor.refusal(terms | {"quantity": LOTS + 1}) == "reduce_only"
    number = floor.submit(terms)
    # Most of the position goes before the order is reached: what it may fill goes with it.
    gone = floor.submit({"side": side, "quantity": LOTS - 3})
    if not floor.fills(gone):
        floor.show(PRICE)
    _reach(floor, "limit", side)
    assert floor.filled(number) == 3
    assert floor.position() == 0
    return "closes what is left; refused: `reduce_only`"


def _iceberg(data: str, side: str) -> str:
    floor = _start(data)
    number = floor.submit(request("limit", "gtc", side, floor) | {"display_quantity": 2})
    floor.session(PRICE)
    assert floor.filled(number) == 0
    _reach(floor, "limit", side)
    assert floor.filled(number) == LOTS
    return "fills (maker)"


def _trail(trail: Record) -> Callable[[str, str], str]:
    def story(data: str, side: str) -> str:
        floor, away = _start(data), -sign(side)
        number = floor.submit({"side": side, "kind": "trailing_stop", "trail": trail})
        floor.show(PRICE + 200 * away)
        assert not floor.triggered(number)
        # Worse than the trigger that has followed, better than the one it began with.
        floor.show(PRICE + 50 * away)
        assert floor.triggered(number)
        assert floor.filled(number) == LOTS
        return "follows, triggers, fills"

    return story


def _trigger_by(source: str) -> Callable[[str, str], str]:
    def story(data: str, side: str) -> str:
        floor, toward = _start(data), sign(side)
        terms = request("stop", "gtc", side, floor) | {"trigger_by": source}
        on_bars = data.startswith("bars")
        if (on_bars and source != "last") or (data == "trades" and source in ("bid", "ask")):
            assert floor.refusal(terms) == "needs_data"
            return "refused: `needs_data`"
        number = floor.submit(terms)
        floor.show(PRICE + 50 * toward)
        assert not floor.triggered(number)
        if source == "last" and not on_bars:
            floor.trade(PRICE + 150 * toward)
            assert floor.triggered(number)
        floor.show(PRICE + 150 * toward)
        assert floor.triggered(number)
        assert floor.filled(number) == LOTS
        return "triggers, fills"

    return story


def _leg(data: str, side: str) -> str:
    floor = _start(data, hedging=True)
    leg = "long" if side == "buy" else "short"
    assert floor.refusal({"side": side}) == "leg"
    for each, open_ in ((side, LOTS), (other(side), 0)):
        number = floor.submit({"side": each, "leg": leg})
        if not floor.fills(number):
            floor.show(PRICE)
        assert floor.position() == open_ * sign(side)
    return "opens, closes; refused: `leg`"


def _no_auctions(data: str, side: str) -> str:
    found = []
    for kind in ("on_open", "on_close"):
        floor = Floor(data, auctions=False)
        floor.show(PRICE)
        found.append(floor.refusal(request(kind, "gtc", side, floor)))
    if data.startswith("bars"):
        assert found == ["needs_ohlc" if data == "bars_close" else None, None]
        return "as above"
    assert found == ["needs_data"] * 2
    return "refused: `needs_data`"


def _list(floor: Floor, link: str, orders: list[Record]) -> list[int]:
    whole = [{"sleeve": 0, "instrument": 0, "quantity": LOTS, "leg": "net"} | o for o in orders]
    told = floor.push("submit_list", {"orders": whole, "link": link})
    return [int(body["order"]) for name, body in told if name == "verdict"][: len(orders)]


def _oco(data: str, side: str) -> str:
    floor = _start(data)
    first, second = _list(
        floor, "oco", [request(kind, "gtc", side, floor) for kind in ("limit", "stop")]
    )
    _reach(floor, "limit", side)
    assert floor.filled(first) == LOTS
    assert floor.end(second) == ("cancelled", "linked")
    return "one fills, the other is cancelled: `linked`"


def _oto(data: str, side: str) -> str:
    floor = _start(data)
    parent = request("limit", "gtc", side, floor)
    child: Record = {"kind": "limit", "tif": "gtc", "side": other(side)}
    child["limit_price"] = PRICE + 100 * sign(side)
    first, second = _list(floor, "oto", [parent, child])
    floor.show(PRICE + 150 * sign(side))
    assert floor.filled(second) == 0  # held: its market came before its parent's
    _reach(floor, "limit", side)
    assert floor.filled(first) == LOTS
    floor.show(PRICE + 150 * sign(side))
    assert floor.filled(second) == LOTS
    assert floor.position() == 0
    return "the child is held, released, fills"


def _bracket(data: str, side: str) -> str:
    floor, back = _start(data), other(side)
    entry = request("limit", "gtc", side, floor)
    stop = {"kind": "stop", "tif": "gtc", "side": back, "trigger_price": PRICE - 400 * sign(side)}
    profit = {"kind": "limit", "tif": "gtc", "side": back, "limit_price": PRICE + 100 * sign(side)}
    _, second, third = _list(floor, "bracket", [entry, stop, profit])
    _reach(floor, "limit", side)
    assert floor.position() == LOTS * sign(side)
    floor.show(PRICE + 150 * sign(side))
    assert floor.filled(third) == LOTS
    assert floor.end(second) == ("cancelled", "linked")
    assert floor.position() == 0
    return "entry and profit fill, the stop is cancelled: `linked`"


def _amend(data: str, side: str) -> str:
    floor = _start(data)
    number = floor.submit(request("limit", "gtc", side, floor))
    terms = {"order": number, "quantity": 4, "limit_price": PRICE - 180 * sign(side)}
    told = floor.push("amend_order", terms)
    assert [name for name, _ in told] == ["order_amended", "verdict"]
    floor.show(PRICE - 150 * sign(side))
    assert floor.filled(number) == 0
    _reach(floor, "limit", side)
    assert floor.filled(number) == 4
    return "waits and fills at its new terms"


def _replace(data: str, side: str) -> str:
    floor = _start(data)
    number = floor.submit(request("limit", "gtc", side, floor))
    terms = {"sleeve": 0, "instrument": 0, "quantity": LOTS, "leg": "net"}
    terms |= request("stop", "gtc", side, floor)
    floor.push("replace_order", {"order": number, "request": terms})
    assert floor.end(number) == ("cancelled", "replaced")
    _reach(floor, "stop", side)
    assert floor.filled(number + 1) == LOTS
    return "cancelled: `replaced`; the new one fills"


VARIANTS: dict[str, Callable[[str, str], str]] = {
    "post-only limit": _post_only,
    "reduce-only limit": _reduce_only,
    "iceberg": _iceberg,
    "trailing by `amount`": _trail({"amount": 100}),
    "trailing by `rate`": _trail({"rate": 10_000_000}),
    **{f"stop on `{name}`": _trigger_by(name) for name in ("last", "bid", "ask", "mark")},
    "at an open or close, data without auctions": _no_auctions,
    "`long`, `short`": _leg,
    "`oco`": _oco,
    "`oto`": _oto,
    "`bracket`": _bracket,
    "amended": _amend,
    "replaced": _replace,
}
