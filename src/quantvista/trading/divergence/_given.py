"""Engines that are told what a journal holds, with one thing after the other made a backtest's."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Record
from quantvista.trading.divergence._facts import Facts, Sent, Story, named
from quantvista.trading.divergence._fees import FeeSchedule
from quantvista.trading.divergence._payload import ends_day, is_market, is_report
from quantvista.trading.divergence._track import BEGINS, Track, Watch

__all__ = ["World", "recorded", "with_orders"]

_SOURCE = 9  # of what is told here in the place of strategies


class World:
    """An engine, and what it does with what it is told.

    Parameters
    ----------
    name : str
        Of its track.
    config : mapping
        Of the engine.
    grid : sequence of int
        When equity is taken down.
    """

    def __init__(self, name: str, config: Mapping[str, Any], grid: Sequence[int]) -> None:
        self.engine = RawEngine(config)
        self.watch = Watch(name, config, grid)
        self._count, self._sleeves = 0, len(config["sleeves"])

    def tell(self, record: Record) -> None:
        """Tell a recorded input as it is."""
        self._pass(record.ts)
        self.watch.say(self.engine.apply_encoded(record.payload))

    def give(self, record: Record, event: Mapping[str, Any]) -> None:
        """Tell a recorded input with another content."""
        self._pass(record.ts)
        decoded = RawEngine.decode_input(record.payload)
        self._hear(self.engine.apply({**decoded, "event": event}))

    def order(self, ts: int, event: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Tell an order or a cancel, and return what the engine says."""
        self._pass(ts)
        self._count += 1
        told = {"ts_event": ts, "ts_received": ts, "source": _SOURCE, "sequence": self._count}
        return self._hear(self.engine.apply({**told, "event": event}))

    def _hear(self, outputs: Sequence[Any]) -> list[tuple[str, Mapping[str, Any]]]:
        said = [named(each) for each in outputs]
        for name, terms in said:
            self.watch.hear(name, terms)
        return said

    def _pass(self, ts: int) -> None:
        if (due := self.watch.due) is not None and due < ts:
            self.watch.sample(ts, self.engine.equity())

    def close(self) -> Track:
        """Sum up."""
        state = self.engine.state()
        marks = [each["mark"] for each in state["instruments"]]
        sleeves = [self.engine.sleeve_equity(place) for place in range(self._sleeves)]
        return self.watch.close(self.engine.equity(), sleeves, marks, state["rates"])


def recorded(
    story: Story, name: str, grid: Sequence[int], *, foreign: bool, fees: FeeSchedule | None = None
) -> Track:
    """Go over what happened, with the reports of the venues.

    Parameters
    ----------
    story : Story
        The journal.
    name : str
        Of the track.
    grid : sequence of int
        When equity is taken down.
    foreign : bool
        Whether trades count that the fund did not order.
    fees : FeeSchedule, optional
        What trades cost; by default what the venues said.
    """
    world = World(name, story.facts.engine, grid)
    for record in story.records(name):
        if record.kind != INPUT.number:
            continue
        if fees is not None and ends_day(record.payload):
            fees.end_day()
        if (foreign and fees is None) or not is_report(record.payload):
            world.tell(record)
            continue
        word, terms = named(named(RawEngine.decode_input(record.payload)["event"])[1])
        if word not in ("filled", "busted"):
            world.tell(record)
        elif terms["order"] is not None or foreign:
            fee = terms["fee"] if fees is None else _fee(fees, word, terms)
            if fee == terms["fee"]:
                world.tell(record)
            else:
                world.give(record, {"report": {word: {**terms, "fee": fee}}})
    return world.close()


def _fee(fees: FeeSchedule, word: str, terms: Mapping[str, Any]) -> int:
    return fees.of(terms) if word == "filled" else fees.taken_back(terms)


def with_orders(
    story: Story,
    name: str,
    config: Mapping[str, Any],
    grid: Sequence[int],
    *,
    as_arrived: bool,
    with_taken: bool = True,
) -> Track:
    """Go over the same market with the same orders, and let models say what fills.

    Parameters
    ----------
    story : Story
        The journal.
    name : str
        Of the track.
    config : mapping
        Of an engine whose venues are simulated.
    grid : sequence of int
        When equity is taken down.
    as_arrived : bool
        Whether orders come when the venue had them; else when they were wanted, after which the
        model of the venue says how long they take.
    with_taken : bool
        Whether orders also end that others ended, and do not leave where they were not let out.
    """
    orders = _Orders(story.facts, with_taken=with_taken)
    world = World(name, config if not as_arrived else _at_once(config), grid)
    for record in story.records(name):
        if record.kind == INPUT.number and is_market(record.payload):
            if as_arrived and orders.waiting:
                happened = RawEngine.decode_input(record.payload)["ts_event"]
                orders.arrive(world, happened)
            world.tell(record)
            orders.ts = record.ts
        elif record.kind in (INPUT.number, OUTPUT.number):
            orders.want(record, world if not as_arrived else None)
    if as_arrived:
        orders.arrive(world, 2**63)
    return world.close()


class _Orders:
    """Orders and cancels of a journal, told again under the numbers that they get."""

    def __init__(self, facts: Facts, *, with_taken: bool) -> None:
        self._sent = deque(facts.sent)
        self._unsent = facts.unsent if with_taken else set()
        self._taken = {at: order for order, at in facts.taken.items()} if with_taken else {}
        self._numbers: dict[int, int] = {}
        self.waiting: list[Sent] = []
        self.ts = 0

    def want(self, record: Record, world: World | None) -> None:
        """Take what was wanted with a record: tell it now, or let it travel."""
        while self._sent and self._sent[0].at <= record.sequence:
            sent = self._sent.popleft()
            if sent.order in self._unsent:
                continue
            if world is None:
                self.waiting.append(sent)
            else:
                self._tell(world, max(record.ts, self.ts), sent)
        if (order := self._taken.get(record.sequence)) is not None:
            ended = Sent(record.sequence, record.ts, order, None, record.ts)
            if world is None:
                self.waiting.append(ended)
            else:
                self._tell(world, record.ts, ended)

    def arrive(self, world: World, before: int) -> None:
        """Tell what the venue had before something happened there."""
        still = []
        for sent in sorted(self.waiting, key=lambda each: (max(each.arrived, 0), each.at)):
            if sent.arrived < before:
                self._tell(world, max(self.ts, sent.ts), sent)
            else:
                still.append(sent)
        self.waiting = still

    def _tell(self, world: World, ts: int, sent: Sent) -> None:
        if sent.terms is None:
            if (number := self._numbers.get(sent.order)) is not None:
                world.order(ts, {"cancel_order": {"order": number}})
            return
        said = world.order(ts, {"submit_order": dict(sent.terms)})
        for name, terms in said:
            if name in (*BEGINS, "order_rejected"):
                order = terms.get("order", terms)
                self._numbers[sent.order] = order["id"]
                return


def _at_once(config: Mapping[str, Any]) -> dict[str, Any]:
    """Let commands take no time: it has passed."""
    none = dict.fromkeys(("submit_ns", "amend_ns", "cancel_ns", "jitter_ns"), 0)
    return {**config, "venues": [{**each, "latency": none} for each in config["venues"]]}
