"""Where the market of a venue comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from quantvista.data.events import Flow, FlowTerms, random_walk
from quantvista.engine import MISSING, MORE, Tape
from quantvista.market import EventKind, Instrument

__all__ = ["FlowSource", "LiveSource", "MarketSource", "Message", "Moving", "TapeSource"]

_SECOND = 10**9
_DAY = 86_400 * _SECOND


@dataclass(frozen=True, slots=True)
class Message:
    """What happens in a market at one moment; ``cursor`` is where its source is after it."""

    ts: int
    events: Sequence[Mapping[str, Any]]
    cursor: Any


class MarketSource(Protocol):
    """Messages by their time, from a place where it may go on after a restart."""

    def start(self, now: int, cursor: Any) -> None:  # noqa: ANN401 - the source's own, as JSON has it
        """Begin now, after the message with this cursor; None is the very beginning."""
        ...

    def take(self, now: int) -> Message | None:
        """Take the next message that is due; None if none is."""
        ...

    def next_at(self) -> int | None:
        """When the next message is due; None when there is none to come."""
        ...


class LiveSource:
    """A market that is fed from outside: the seam for live data, and for simulations."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Sequence[Mapping[str, Any]]]] = []
        self._count = 0

    def feed(self, ts: int, events: Sequence[Mapping[str, Any]]) -> None:
        """Hand in what happens at ``ts``, as the engine takes it, in order of time."""
        self._waiting.append((ts, events))

    def start(self, now: int, cursor: Any) -> None:  # noqa: ANN401
        """Begin; what was not taken before a restart is lost."""
        self._count = cursor or 0

    def take(self, now: int) -> Message | None:
        """Take the next message that is due."""
        if not self._waiting or self._waiting[0][0] > now:
            return None
        ts, events = self._waiting.pop(0)
        self._count += 1
        return Message(ts, events, self._count)

    def next_at(self) -> int | None:
        """When the next message is due."""
        return self._waiting[0][0] if self._waiting else None


class TapeSource:
    """A recording, at its own pace or faster.

    Parameters
    ----------
    tape : Tape
        Without corporate actions.
    speed : float
        Recorded seconds a second.
    repeat : bool
        Whether it begins anew when it is over; else the last prices stand.
    """

    def __init__(self, tape: Tape, *, speed: float = 1.0, repeat: bool = False) -> None:
        self._tape, self._speed, self._repeat = tape, speed, repeat
        received = tape.ts_received
        self._starts = np.flatnonzero(np.diff(received, prepend=received[0] - 1)).tolist()
        self._times = received[self._starts].tolist()
        self._starts.append(len(tape))
        self._next = self._round = self._anchor = 0

    def start(self, now: int, cursor: Any) -> None:  # noqa: ANN401
        """Begin after a message; the recording stood still meanwhile."""
        self._round, self._next = cursor or (0, 0)
        self._turn()
        if self._next < len(self._times):
            self._anchor = now - self._offset(self._next)

    def _turn(self) -> None:
        if self._next >= len(self._times) and self._repeat:
            # A message of the next round comes one step after the last of this one.
            self._anchor += self._offset(len(self._times) - 1) + int(_SECOND / self._speed)
            self._round, self._next = self._round + 1, 0

    def _offset(self, message: int) -> int:
        return int((self._times[message] - self._times[0]) / self._speed)

    def take(self, now: int) -> Message | None:
        """Take the next message that is due."""
        due = self.next_at()
        if due is None or due > now:
            return None
        message = self._next
        self._next += 1
        cursor = (self._round, self._next)
        rows = range(self._starts[message], self._starts[message + 1])
        self._turn()
        return Message(due, [_event(self._tape, row) for row in rows], cursor)

    def next_at(self) -> int | None:
        """When the next message is due."""
        if self._next >= len(self._times):
            return None
        return self._anchor + self._offset(self._next)


def _event(tape: Tape, row: int) -> dict[str, Any]:
    """Write a row of a tape as the engine takes it."""
    kind, flag = EventKind(int(tape.kind[row])), int(tape.flag[row])
    of = int(tape.instrument[row])
    a, b, c, d, e = (_known(int(getattr(tape, name)[row])) for name in "abcde")
    more, second = bool(flag & MORE), bool(flag & 1)
    match kind:
        case EventKind.QUOTE:
            quote = {"bid": a, "bid_size": b, "ask": c, "ask_size": d}
            return {"quote": {"instrument": of, "quote": quote}}
        case EventKind.TRADE:
            aggressor = (None, "buy", "sell")[flag & 3]
            trade = {"price": a, "size": b, "aggressor": aggressor}
            return {"trade": {"instrument": of, "trade": trade}}
        case EventKind.BOOK_LEVEL:
            side = "sell" if second else "buy"
            level = {"side": side, "price": a, "size": b, "more": more}
            return {"book_level": {"instrument": of, "level": level}}
        case EventKind.BOOK_CLEAR:
            return {"book_cleared": {"instrument": of, "more": more}}
        case EventKind.STATUS:
            status = "halted" if flag else "trading"
            return {"status": {"instrument": of, "status": status}}
        case EventKind.FUNDING:
            return {"funding": {"instrument": of, "rate": a}}
        case EventKind.CURRENCY_RATE:
            return {"currency_rate": {"currency": of, "rate": a}}
        case EventKind.BAR:
            bar = {"range": None if a is None else [a, b, c], "close": d, "volume": e}
            return {"bar": {"instrument": of, "bar": bar}}
        case EventKind.BAR_MISSING:
            return {"bar_missing": {"instrument": of}}
        case EventKind.BARRIER:
            return {"barrier": {"session_start": second, "session_end": bool(flag & 2)}}
        case EventKind.DAY_ENDED:
            return {"day_ended": {"trading": second}}
        case EventKind.AUCTION:
            auction = {"kind": "close" if flag == 2 else "open", "price": a, "volume": b}
            return {"auction": {"instrument": of, "auction": auction}}
        case _:
            raise AssertionError(f"{kind.name} is not for a paper venue")


def _known(value: int) -> int | None:
    return None if value == MISSING else value


@dataclass(frozen=True, slots=True)
class Moving:
    """An instrument of a generated market.

    Parameters
    ----------
    start : int
        First price, in ticks.
    move_rate : float
        Moves of the value by a tick, a second.
    terms : FlowTerms
        How others' orders arrive.
    """

    start: int
    move_rate: float
    terms: FlowTerms


class FlowSource:
    """A market of random orders around a random value, without end; the same for the same seed.

    Parameters
    ----------
    instruments : sequence of Instrument
        In ascending order of id; on quotes or levels.
    moving : mapping of str to Moving
        Each of them.
    seed : int
        Of everything.
    block_s : int
        Seconds that are made at once; each block has a book of its own.

    Notes
    -----
    Days end at midnight UTC. What nobody sees is not made: after a pause the market goes on where
    it was, at the time of then.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        moving: Mapping[str, Moving],
        seed: int,
        block_s: int = 60,
    ) -> None:
        self._instruments, self._moving, self._seed = instruments, moving, seed
        self._span = block_s * _SECOND
        self._block, self._next, self._anchor, self._day = 0, 0, 0, 0
        self._values = {each.id: moving[each.id].start for each in instruments}
        self._made: list[tuple[int, list[dict[str, Any]]]] = []
        self._after: dict[str, int] = {}

    def start(self, now: int, cursor: Any) -> None:  # noqa: ANN401
        """Begin after a message."""
        if cursor is not None:
            self._block, self._next, values, self._day = cursor
            self._values = dict(values)
        else:
            self._day = now // _DAY
        self._make()
        offset = self._made[self._next][0] if self._next < len(self._made) else 0
        self._anchor = now - offset

    def _make(self) -> None:
        """Make the messages of the present block."""
        made: list[tuple[int, int, list[dict[str, Any]]]] = []
        for place, each in enumerate(self._instruments):
            terms = self._moving[each.id]
            walk = np.random.Generator(np.random.PCG64([self._seed, 0, place, self._block]))
            path = random_walk(walk, self._values[each.id], terms.move_rate, self._span)
            orders = np.random.Generator(np.random.PCG64([self._seed, 1, place, self._block]))
            flow = Flow(terms.terms, orders)
            flow.run(*path, self._span)
            self._after[each.id] = int(path[1][-1])
            made += [(ts, place, events) for ts, events in _messages(flow, each, place)]
        made.sort(key=lambda message: message[:2])
        self._made = [(ts, events) for ts, _, events in made]

    def take(self, now: int) -> Message | None:
        """Take the next message that is due."""
        due = self.next_at()
        if due > now:
            return None
        if now - due > self._span:  # nobody looked for long
            self._anchor += now - due
            due = now
        _, events = self._made[self._next]
        if due // _DAY > self._day:
            self._day = due // _DAY
            ended = {"barrier": {"session_start": False, "session_end": True}}
            return Message(due, [ended, {"day_ended": {"trading": True}}], self._cursor())
        self._next += 1
        if self._next >= len(self._made):
            self._anchor += self._span
            self._block, self._next = self._block + 1, 0
            self._values = dict(self._after)
            self._make()
        return Message(due, events, self._cursor())

    def _cursor(self) -> tuple[int, int, list[tuple[str, int]], int]:
        return self._block, self._next, sorted(self._values.items()), self._day

    def next_at(self) -> int:
        """When the next message is due."""
        return self._anchor + self._made[self._next][0]


def _messages(
    flow: Flow, instrument: Instrument, place: int
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Trades and then the book that they leave, in units of the instrument."""
    tick, lot = instrument.tick_units, instrument.lot_units
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for ts, price, size, taken in flow.trades:
        trade = {"price": price * tick, "size": size * lot, "aggressor": ("sell", "buy")[taken]}
        rows.append((ts, 0, {"trade": {"instrument": place, "trade": trade}}))
    if instrument.matching == "l2":
        rows.append((0, 1, {"book_cleared": {"instrument": place, "more": True}}))
        last = {}
        for number, (_, message, *_) in enumerate(flow.levels):
            last[message] = number
        for number, (ts, message, side, price, size) in enumerate(flow.levels):
            level = {
                "side": ("buy", "sell")[side],
                "price": price * tick,
                "size": size * lot,
                "more": number != last[message],
            }
            rows.append((ts, 2, {"book_level": {"instrument": place, "level": level}}))
    else:
        for ts, bid, bid_size, ask, ask_size in flow.quotes:
            quote = {
                "bid": bid * tick or None,
                "bid_size": bid_size * lot if bid else None,
                "ask": ask * tick or None,
                "ask_size": ask_size * lot if ask else None,
            }
            rows.append((ts, 2, {"quote": {"instrument": place, "quote": quote}}))
    rows.sort(key=lambda row: row[:2])
    at: int | None = None
    events: list[dict[str, Any]] = []
    for ts, _, event in rows:
        if events and ts != at:
            yield at or 0, events
            events = []
        at = ts
        events.append(event)
    if events:
        yield at or 0, events
