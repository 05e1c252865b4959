"""What a fund that traded on paper did, as its journal says it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from quantvista.engine import RawEngine
from quantvista.errors import ConfigError, JournalError
from quantvista.journal import INPUT, OUTPUT, Reader, Record
from quantvista.trading.divergence._incidents import Incidents
from quantvista.trading.divergence._payload import is_price
from quantvista.trading.node._bodies import NODE_KINDS, Answered, NodeOpened

__all__ = ["Facts", "Progress", "Sent", "Story", "named"]

type Progress = Callable[[int, int, str], None]
"""Called with records done, records in all, and what is being done."""

_TELL = 20_000
_DECISIONS = {
    *("target_portfolio", "submit_order", "submit_list", "amend_order", "replace_order"),
    "cancel_order",
}
_TERMS = (
    *("sleeve", "instrument", "side", "quantity", "kind", "tif", "limit_price", "trigger_price"),
    *("trail", "trigger_by", "expire_at", "display_quantity", "post_only", "reduce_only", "leg"),
)


def named(event: Any) -> tuple[str, Any]:  # noqa: ANN401 - as the engine writes it
    """Give an event's name and terms; one without terms is its name alone."""
    if isinstance(event, str):
        return event, {}
    ((name, terms),) = event.items()
    return str(name), terms


@dataclass
class Sent:
    """An order or a cancel that left for a venue.

    Parameters
    ----------
    at : int
        Record with which it was wanted.
    ts : int
        When, UTC ns.
    order : int
        The engine's number.
    terms : dict or None
        Of an order; None of a cancel.
    arrived : int
        When the venue had it, by the venue's clock; until that is known, when it was wanted.
    """

    at: int
    ts: int
    order: int
    terms: Mapping[str, Any] | None
    arrived: int


@dataclass
class Facts:
    """What is known after a first reading.

    Parameters
    ----------
    opened : list of NodeOpened
        What each process said.
    last : int
        The last record that is looked at, so that all readings see the same.
    start, end : int
        When the first and the last market data happened, UTC ns; -1 without any.
    end_ts : int
        Time of the last record.
    first_ts : int
        When the first market data were received.
    orders : int
        That the strategies wanted.
    sent : list of Sent
        Orders and cancels, as they were wanted.
    taken : dict of int to int
        Orders that others ended, with the record that says so.
    unsent : set of int
        Orders that were not let out.
    foreign, commands : int
        Trades of others that were booked, and inputs of operators.
    amends_refused : int
        Amendments that a venue does not take.
    incidents : Incidents
        What people and processes did.
    """

    opened: list[NodeOpened] = field(default_factory=list)
    last: int = 0
    start: int = -1
    end: int = -1
    end_ts: int = 0
    first_ts: int = -1
    orders: int = 0
    sent: list[Sent] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    unsent: set[int] = field(default_factory=set)
    foreign: int = 0
    commands: int = 0
    amends_refused: int = 0
    incidents: Incidents = field(default_factory=Incidents)

    @property
    def engine(self) -> dict[str, Any]:
        """What the fund's engine was set up with."""
        found: dict[str, Any] = json.loads(self.opened[0].engine)
        return found


class Story:
    """The journal of a node, read again and again up to the same record.

    Parameters
    ----------
    place : path or MemoryDisk
        Of the journal.
    progress : callable, optional
        Told of the records that are done.

    Raises
    ------
    ConfigError
        If it is of no node, or holds no market data.
    JournalError
        If it is damaged.
    """

    def __init__(self, place: Any, progress: Progress | None = None) -> None:  # noqa: ANN401
        self._place, self._progress = place, progress
        self._text, self._passes, self._done = "reading the journal", 0, 0
        self.facts = Facts()
        self._collect()

    def plan(self, passes: int) -> None:
        """Say how many more readings there will be."""
        self._passes = passes

    def records(self, text: str) -> Iterator[Record]:
        """Read all records that there were when it was first read."""
        last = self.facts.last
        whole = last * self._passes
        for batch in Reader(self._place):
            for record in batch:
                if last and record.sequence > last:
                    break
                if self._progress is not None and record.sequence % _TELL == 1:
                    self._progress(self._done + record.sequence, whole, text)
                yield record
            if last and batch[-1].sequence >= last:
                break
        self._done += last

    def _collect(self) -> None:
        collector = _Collector(self.facts)
        for record in self.records("reading the journal"):
            if record.sequence == 1:
                self._begin(record)
            collector.see(record)
        if not self.facts.opened:
            raise ConfigError(
                "`state` must hold the journal of a fund that has run; found an empty one"
            )
        if self.facts.start < 0:
            raise ConfigError(
                "`state` must hold the journal of a fund that has seen a market; found no market "
                "data in it. Let the fund run with `qv up` until it trades"
            )
        collector.end()

    def _begin(self, record: Record) -> None:
        body = NODE_KINDS.body(record)
        if not isinstance(body, NodeOpened):
            raise JournalError(
                "`state` must hold the journal of a fund that trades; found one that begins with "
                f"{NODE_KINDS.name(record.kind)}. `qv up` writes one"
            )


def _was_resting(sent: Sent | None, happened: int) -> bool:
    """Whether an order had been there: others may be refused on arrival by their own terms."""
    if sent is None or sent.terms is None or not 0 <= sent.arrived < happened:
        return False
    return sent.terms["tif"] not in ("ioc", "fok") and sent.terms["kind"] != "market"


class _Collector:
    """Goes through the records once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._orders: dict[int, Sent] = {}
        self._cancels: dict[int, Sent] = {}
        self._newest = b""

    def see(self, record: Record) -> None:
        """Look at the next record."""
        facts = self._facts
        if record.kind == INPUT.number:
            self._input(record)
        elif record.kind == OUTPUT.number:
            self._output(record)
        else:
            body = NODE_KINDS.body(record)
            if isinstance(body, NodeOpened):
                facts.opened.append(body)
            facts.incidents.node(record, body, facts.end_ts, begun=facts.start >= 0)
            # What the venue itself refused comes with its reason, `code: words`.
            if isinstance(body, Answered) and body.command == "submit" and ": " not in body.text:
                facts.unsent |= {body.order} if body.answer == "rejected" else set()
        facts.last, facts.end_ts = record.sequence, record.ts

    def end(self) -> None:
        """Put what left in the order in which it was wanted, and see when the market ended."""
        if self._newest:
            happened = RawEngine.decode_input(self._newest)["ts_event"]
            self._facts.end = max(self._facts.end, happened)
        sent = [*self._orders.values(), *self._cancels.values()]
        self._facts.sent = sorted(sent, key=lambda each: each.at)

    def _input(self, record: Record) -> None:
        facts = self._facts
        if facts.start >= 0 and is_price(record.payload):
            self._newest = record.payload
            return
        decoded = RawEngine.decode_input(record.payload)
        name, terms = named(decoded["event"])
        if name == "report":
            self._report(record, decoded["ts_event"], *named(terms))
        elif name == "operator":
            # What a node does to itself until it has compared its accounts comes before any order.
            if facts.start >= 0 or facts.incidents.is_asked:
                facts.commands += 1
                facts.incidents.operator(record, terms)
        elif name not in _DECISIONS and name not in ("cash_flow", "activate_semantics"):
            if facts.start < 0:
                facts.start, facts.first_ts = decoded["ts_event"], record.ts
            facts.end = max(facts.end, decoded["ts_event"])

    def _report(self, record: Record, happened: int, name: str, terms: Mapping[str, Any]) -> None:
        facts, order = self._facts, terms["order"]
        if order is None:
            facts.foreign += name == "filled"
            facts.incidents.foreign(record, name, terms)
            return
        sent = self._orders.get(order)
        if sent is not None and sent.arrived < 0 and name not in ("unknown", "cancel_rejected"):
            sent.arrived = happened
        if name in ("filled", "cancelled", "expired", "cancel_rejected"):
            if (cancel := self._cancels.get(order)) is not None:
                cancel.arrived = max(cancel.arrived, happened)
            elif name == "cancelled" and _was_resting(sent, happened):
                facts.taken[order] = record.sequence
                facts.incidents.taken(record, order)

    def _output(self, record: Record) -> None:
        name, terms = named(RawEngine.decode_output(record.payload))
        if name == "order_submitted" and terms["remote"]:
            chosen = {each: terms[each] for each in _TERMS}
            number = terms["id"]
            self._orders[number] = Sent(record.sequence, record.ts, number, chosen, -1)
            self._facts.orders += 1
        elif name == "order_rejected":
            self._facts.orders += 1
        elif name == "amend_rejected":
            self._facts.amends_refused += terms["rule"] == "venue"
        elif name == "cancel_requested":
            order = terms["order"]
            self._cancels.setdefault(
                order, Sent(record.sequence, record.ts, order, None, record.ts)
            )
        elif name in ("state_changed", "sleeve_changed"):
            self._facts.incidents.state(record, name, terms)
