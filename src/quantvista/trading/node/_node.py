"""A fund that trades: one writer, everything that happens to it in one order."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from quantvista.journal import Body, Journal
from quantvista.trading.gateway import (
    AccountSnapshot,
    Clock,
    Delivery,
    Filled,
    MarketData,
    Rejected,
    Report,
    Status,
)
from quantvista.trading.guard.lease import Lease, NoLease
from quantvista.trading.node._arrivals import Arrivals
from quantvista.trading.node._bodies import (
    Answered,
    Commanded,
    Held,
    NodeClosed,
    NodeState,
)
from quantvista.trading.node._calendar import DueEvents
from quantvista.trading.node._cashier import Cashier
from quantvista.trading.node._events import Event, Translator
from quantvista.trading.node._holdings import held
from quantvista.trading.node._links import Link, doubted, reached
from quantvista.trading.node._orders import submit_command
from quantvista.trading.node._reconciler import Reconciler
from quantvista.trading.node._recovery import recover
from quantvista.trading.node._sender import Answer, Sender
from quantvista.trading.node._sense import nonsense
from quantvista.trading.node._stage import Told
from quantvista.trading.node._terms import NodeSettings, NodeSetup, VenueLink

__all__ = ["Node"]

_ITEMS = 1_000  # that are looked at before what they led to is made durable
_OPERATOR = ("halt", "reduce", "resume", "flatten")

type Item = tuple[str, Any]


class Node:
    """Runs a fund.

    What venues, people and time tell goes into the engine and the journal, and what the engine
    wants goes to the venues once that is durable.

    Parameters
    ----------
    setup : NodeSetup
        The fund.
    journal : Journal
        Open, and nobody else's.
    place : path or MemoryDisk
        Of the journal.
    venues : sequence of VenueLink
        All that the fund trades at, in the engine's order.
    clock : Clock
        Time.
    lease : Lease, optional
        Leave to send orders.
    settings : NodeSettings, optional
        How often it does what.

    Raises
    ------
    JournalError
        If the journal is not of this fund, or does not lead to what it says.
    ConfigError
        If the fund was changed in a way that cannot be gone on with.
    """

    def __init__(
        self,
        setup: NodeSetup,
        journal: Journal,
        place: Any,  # noqa: ANN401
        venues: Sequence[VenueLink],
        clock: Clock,
        *,
        lease: Lease | None = None,
        settings: NodeSettings | None = None,
    ) -> None:
        self.setup, self.clock = setup, clock
        self.lease: Lease = lease or NoLease()
        self.settings = settings or NodeSettings()
        self.journal = journal
        used = any(each.was_used for each in venues)
        self.past = recover(setup, journal, place, clock.now_ns(), was_used=used)
        self.stage = self.past.stage
        self.stage.noted = self.note
        self.session, self.orders = self.stage.session, self.stage.orders
        self.epoch = self.orders.epochs[-1][0]
        self.texts: deque[tuple[int, str]] = deque(maxlen=50)
        self.counts = {"inputs": 0, "orders": 0, "fills": 0, "rejects": 0}
        self.reasons: list[str] = []
        self.stopping = False
        self._sleeves = len(setup.sleeves)
        self._inbox: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._venue_of = [int(each["venue"]) for each in setup.config["instruments"]]
        self._instruments = {each.id: place for place, each in enumerate(setup.instruments)}
        self.links = [self._link(place, each) for place, each in enumerate(venues)]
        self.cashier = Cashier(self)
        self._reconciler = Reconciler(self)
        self._told: list[Told] = []
        self._last = self._last_told = max(self.session.now, 0)
        self._heard: dict[str, int] = {}
        self._dirty = self._urgent = False
        self._synced_at = 0
        self._snapshot_at = journal.head.sequence
        with_bars = self.stage.bars is not None
        self._arrivals = Arrivals(len(setup.instruments), with_bars=with_bars)
        self._due = DueEvents(
            setup.calendar,
            setup.time_zone,
            self.session.now if self.session.now > 0 else clock.now_ns() - 1,
            with_bars=with_bars,
        )
        if not self.past.cash.day[0]:
            self.cashier.begin_day()

    def _link(self, place: int, venue: VenueLink) -> Link:
        known = {each.id: at for at, each in enumerate(self.setup.instruments)}
        translator = Translator(
            self.orders,
            {name: known[name] for name in venue.instruments},
            {each.id: each.currency for each in self.setup.instruments},
            venue.adopt_into,
            self.past.adoption,
            self._held,
        )
        sender = Sender(
            venue.gateway,
            lambda answer: self.post("answer", (place, answer)),
            lambda error: self.post("broken", error),
            self._leave_problem,
        )
        heard = self.past.heard.get(venue.id, 0)
        link = Link(place, venue, translator, sender, heard, self.past.cash.purse(venue.id))
        link.doubt_again(self.past.doubts)
        return link

    def _held(self, place: int) -> list[int]:
        """Position of each sleeve, as of all that was told."""
        self.flush()
        return [held(self.session, self.setup, each, place) for each in range(self._sleeves)]

    # -- the loop ------------------------------------------------------------
    def post(self, what: str, item: Any) -> None:  # noqa: ANN401 - by what it is
        """Hand something in, to be dealt with in its turn."""
        self._inbox.append((what, item))
        self._wake.set()

    async def run(self) -> None:
        """Trade until told to stop; everything is durable then.

        Raises
        ------
        JournalError, OutputError
            If something could not be made durable: nothing was sent because of it.
        GatewayError
            If a venue cannot be reached at the very start, or lists other instruments.
        """
        try:
            self._take_up()
            for link in self.links:
                self.work(partial(self._listen, link))
            while not self.stopping:
                self._turn()
                await self._pause()
            self._stop()
        finally:
            await self._close()

    async def _listen(self, link: Link) -> None:
        gateway = link.venue.gateway
        # One after the other: a second connection would tell all reports a second time.
        await reached(link, lambda: gateway.connect(link.heard))
        await reached(link, lambda: gateway.subscribe(link.venue.instruments))
        link.sender.connected()
        async for delivery in gateway.events():
            self.post("delivery", (link.place, delivery))

    def _take_up(self) -> None:
        """Take up what a process before had sent, and did not hear the end of."""
        remote = [each for each in self.session.working() if each["remote"]]
        for order in remote:
            link = self.links[self._venue_of[order["instrument"]]]
            if link.take_up(order, self.orders.client_id(order["id"])):
                self._tell({"report": {"unknown": {"order": order["id"]}}})
        self.flush()
        self._sync()

    async def _pause(self) -> None:
        if self._inbox:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        now = self.clock.now_ns()
        times = [now + 250_000_000]
        if (timer := self._timer()) is not None:
            times.append(timer)
        if (due := self._due.next_at()) is not None:
            # One that has come already waits for its bars.
            times.append(due if due > now else due + self.settings.bar_delay_ns)
        if self._dirty:
            times.append(self._synced_at + self.settings.sync_ns)
        delay = max(0.0, (min(times) - now) / 1e9)
        handle = asyncio.get_running_loop().call_later(delay, self._wake.set)
        await self._wake.wait()
        handle.cancel()

    def _timer(self) -> int | None:
        """When the next timer of a strategy is due; none is where no strategy is called."""
        return None if self.stage.failed else self.session.next_timer

    def _turn(self) -> None:
        """Deal with what has come, and with what time has brought."""
        for _ in range(min(len(self._inbox), _ITEMS)):
            what, item = self._inbox.popleft()
            getattr(self, f"_on_{what}")(item)
        now = self.clock.now_ns()
        for ts, event in self._due.take(now, self._is_ready):
            self._pass(ts, event)
        self._reconciler.look(now)
        self.cashier.look(now)
        self._hold(now)
        self.flush()
        if self._urgent or (self._dirty and now >= self._synced_at + self.settings.sync_ns):
            self._sync()

    def _is_ready(self, ts: int, event: Event) -> bool:
        """Whether the bars of a session are there, or were waited for long enough."""
        waited = self.clock.now_ns() >= ts + self.settings.bar_delay_ns
        return waited or self._arrivals.is_ready(ts, event)

    def _pass(self, ts: int, event: dict[str, Any]) -> None:
        """Tell what time has brought."""
        self.tell_all(self._arrivals.with_bars(ts, event), ts)
        if "day_ended" in event:
            self.flush()
            self.cashier.begin_day()

    # -- what comes ----------------------------------------------------------
    def _tell(self, event: dict[str, Any], ts_event: int | None = None) -> None:
        """Queue an input at a time of its own."""
        self.tell_all([event], ts_event)

    def tell_all(self, events: Sequence[dict[str, Any]], ts_event: int | None = None) -> None:
        """Queue inputs at one time, which is theirs alone."""
        self._last_told = max(self.clock.now_ns(), self._last_told + 1, self._last + 1)
        ts = self._last_told
        happened = ts if ts_event is None else min(ts_event, ts)
        self._told.extend((ts, happened, event) for event in events)

    def _on_delivery(self, item: tuple[int, Delivery]) -> None:
        place, delivery = item
        link, event = self.links[place], delivery.event
        if delivery.sequence is not None:
            self._report(link, delivery.sequence, event)  # type: ignore[arg-type]
        elif isinstance(event, Status) and event.state not in ("halted", "trading"):
            self._status(link, event)
        else:
            self._market(link, event, delivery)  # type: ignore[arg-type]

    def _market(self, link: Link, event: MarketData | Status, delivery: Delivery) -> None:
        at = self._instruments.get(event.instrument or "")
        if at is None or self._venue_of[at] != link.place:
            return
        if problem := nonsense(event, self.setup.instruments[at], sum(self._held(at))):
            self.note(f"{link.venue.id} sent nonsense of {event.instrument}: {problem}")
            return
        offset = link.venue.gateway.clock_offset_ns
        link.lag_ns = delivery.ts_received + offset - event.ts
        if events := self._arrivals.take(event, at):
            self.tell_all(events, event.ts)

    def _report(self, link: Link, sequence: int, report: Report) -> None:
        link.last_report_ts = report.ts
        events = link.events_of(report, self.setup.instruments, self.note)
        if events is not None:
            self.cashier.take(link, report, events)
        if link.venue.refuses_manual and link.translator.is_foreign(report):
            link.foreign = True
        self.counts["fills"] += isinstance(report, Filled)
        if isinstance(report, Rejected):  # those of an older journal are no news
            self.counts["rejects"] += self.orders.number(report.client_order_id) is not None
        link.heard = self._heard[link.venue.id] = sequence
        self._urgent = True
        self._reconciler.heard(link)

    def _status(self, link: Link, status: Status) -> None:
        link.connected = status.state != "disconnected" and (
            link.connected or status.state == "connected"
        )
        if status.state in ("connected", "disconnected", "reset"):
            link.clean = False
            if status.state == "reset":
                link.forgot, link.renumber = True, status.sequence is None
                if status.sequence is not None:
                    link.heard = self._heard[link.venue.id] = status.sequence
                self._urgent = True
            self._reconciler.forget(link)
            self.note(f"{link.venue.id} {status.state}")

    def _on_answer(self, item: tuple[int, Answer]) -> None:
        place, answer = item
        if answer.answer not in ("acknowledged", "found"):
            self.write(Answered(answer.order, answer.command, answer.answer, answer.text))
        if answer.command == "cancel":
            return
        self.counts["rejects"] += self.links[place].refused(answer, self.note)
        word = {"unknown": "unknown", "rejected": "rejected", "absent": "rejected"}
        if answer.answer in word:
            self._tell(
                {"report": {word[answer.answer]: {"order": answer.order}}}, answer.ts or None
            )
            self._urgent = True

    def _on_nothing(self, item: None) -> None:
        """Wake up."""

    def _on_account(self, item: tuple[int, AccountSnapshot | None]) -> None:
        place, snapshot = item
        self._reconciler.answered(self.links[place], snapshot)

    def _on_command(self, item: tuple[Mapping[str, Any], "asyncio.Future[dict[str, Any]]"]) -> None:
        request, answer = item
        command = str(request.get("command"))
        if command == "stop":
            self.stopping = True
            answer.set_result({"ok": True, "text": "stopping"})
            return
        if command not in _OPERATOR:
            text = f"`command` must be one of {', '.join((*_OPERATOR, 'stop'))}; found {command!r}"
            answer.set_result({"ok": False, "error": text})
            return
        # The guard ends the lease before it asks for a halt: nothing may leave from then on.
        self.lease.forget()
        if command == "resume" and (problem := self._resume_problem()):
            answer.set_result({"ok": False, "error": problem})
            return
        body = Commanded(command, str(request.get("by", "")), str(request.get("reason", "")))
        self.write(body)
        self._tell({"operator": command})
        self.past.reduced, self._urgent = False, True
        self.flush()
        self._sync()
        self.note(f"{command} by {body.by or 'somebody'}{': ' * bool(body.reason)}{body.reason}")
        if not answer.done():
            answer.set_result({"ok": True, "state": self.session.fund_state})

    def _resume_problem(self) -> str:
        """Why a person cannot resume; what only a person can judge is judged by this."""
        for link in self.links:
            if link.judged():
                self._reconciler.forget(link)
        still = self._reasons(self.clock.now_ns())
        return "" if not still else f"nothing new may be risked yet: {'; '.join(still)}"

    # -- no new risk ---------------------------------------------------------
    def _reasons(self, now: int) -> list[str]:
        skew_ns = self.settings.skew_ns
        found = [each.reason for each in self.links]
        found += [self.cashier.problem, self._leave_problem(), self.stage.failed]
        found += ["the clock of this machine was set back"] if self._last - now > skew_ns else []
        found += [each.clock_reason(skew_ns) for each in self.links]
        return [each for each in found if each]

    def _hold(self, now: int) -> None:
        """Take no new risk while there is a reason not to; else undo that, if it was ours."""
        reasons = self._reasons(now)
        for text in reasons:
            if text not in self.reasons:
                self.write(Held(text, True))
                self.note(text)
        for text in self.reasons:
            if text not in reasons:
                self.write(Held(text, False))
        if self.reasons and not reasons:
            self.note("nothing speaks against new risk")
        self.reasons = reasons
        self.flush()
        state = self.session.fund_state
        if reasons and state == "active":
            self._tell({"operator": "reduce"})
            self.past.reduced = self._urgent = True
        elif not reasons and self.past.reduced:
            if state == "reduce_only":
                self._tell({"operator": "resume"})
                self._urgent = True
            self.past.reduced = False

    # -- the engine ----------------------------------------------------------
    def flush(self) -> None:
        """Let the engine and the strategies have what was told, and what time has brought."""
        now = self.clock.now_ns()
        timer = self._timer()
        if not self._told and (timer is None or timer > now):
            return
        told, self._told = self._told, []
        self.counts["inputs"] += len(told)
        failed = self.stage.failed
        self.stage.give(told, max(now, told[-1][0] if told else 0))
        self._last = max(self._last, self.session.now, told[-1][0] if told else 0)
        if self.stage.state_moved:  # a breaker did it: that is undone by people only
            self.past.reduced = self.stage.state_moved = False
        if self.stage.failed != failed:
            self.note(self.stage.failed)
        self._dirty = True
        self._urgent |= bool(self.stage.effects)

    def write(self, body: Body) -> None:
        """Write a record beside the engine's."""
        self.journal.write(body, max(self.clock.now_ns(), self._last))
        self._dirty = True

    def note(self, text: str) -> None:
        """Keep a line for people."""
        self.texts.append((self.clock.now_ns(), text))

    def work(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Do something beside the loop; what it raises ends the node."""
        task = asyncio.get_running_loop().create_task(make())
        self._tasks.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.post("broken", error)

    def _on_broken(self, error: BaseException) -> None:
        raise error

    # -- what leaves ---------------------------------------------------------
    def _sync(self) -> None:
        """Make everything durable; then, and only then, let it have effects."""
        for each in doubted(self.links, self.past.doubts):
            self.write(each)
        for venue, sequence in self._heard.items():
            self.write(self.cashier.heard(venue, sequence))
            self.past.heard[venue] = sequence
        self._heard.clear()
        self.journal.commit()
        self._dirty = self._urgent = False
        self._synced_at = self.clock.now_ns()
        self._release()
        if self.journal.head.sequence - self._snapshot_at >= self.settings.snapshot_records:
            self.snapshot()

    def _release(self) -> None:
        effects, self.stage.effects = self.stage.effects, []
        for what, body in effects:
            if what == "submit":
                self._submit(body)
            elif (owner := self.orders.owner(body)) is not None:
                link = self.links[self._venue_of[owner[1]]]
                link.sender.cancel(body, self.orders.client_id(body))

    def _submit(self, order: dict[str, Any]) -> None:
        number, at = order["id"], order["instrument"]
        self.counts["orders"] += 1
        instrument, name = self.setup.instruments[at].id, self.orders.client_id(number)
        command = submit_command(order, name, instrument)
        self.links[self._venue_of[at]].sender.submit(number, command)

    def _leave_problem(self) -> str:
        """Why no order may leave now; it may have waited since it was made."""
        is_valid = self.lease.valid(self.epoch, self.clock.now_ns())
        return "" if is_valid else "the guard gives no leave to trade"

    def snapshot(self) -> None:
        """Write down where the fund is, so that a restart need not go further back."""
        self.journal.snapshot(NodeState.VERSION, self.past.state().encode())
        self._snapshot_at = self.journal.head.sequence

    def _stop(self) -> None:
        self.flush()
        self.write(NodeClosed(self.session.state_hash()))
        self._sync()
        self.snapshot()

    async def _close(self) -> None:
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in self.links:
            await link.sender.close()
            await link.venue.gateway.close()
