"""The guard: it lets a fund trade while all is well, and takes it off the market when not."""

import asyncio
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quantvista.trading.gateway import Gateway, GatewayError
from quantvista.trading.guard._chain import Chain
from quantvista.trading.guard._hand import Hand
from quantvista.trading.guard._log import GuardLog
from quantvista.trading.guard._node import NodeView
from quantvista.trading.guard._records import (
    Asked,
    Escalated,
    Level,
    Noticed,
    Permitted,
    Valued,
)
from quantvista.trading.guard._switch import keep_switch, release_switch
from quantvista.trading.guard._terms import GuardTerms, Seams
from quantvista.trading.guard._views import VenueView
from quantvista.trading.guard._watch import Finding, Watch
from quantvista.trading.guard._worth import currencies

__all__ = ["Guard"]

_log = logging.getLogger(__name__)
_TICK_S = 1.0
_ANSWER_S = 2.0
_VALUED_EVERY_S = 60.0
_RISEN = 200  # the highest equity is kept at once where it rose by a two hundredth
_PAUSE_MAX_S = 5.0
_RESUME_S = 0.25
_RESUME_TRIES = 8
_PROCESSES = frozenset({"", "guard", "node", "supervisor", "paper", "service", "cron", "qv"})
_NOT_CLEAN = Level.REDUCE


class Guard:
    """Watches one fund, on the event loop that it is made and run on.

    Parameters
    ----------
    terms : GuardTerms
        What it guards.
    gateways : mapping of str to Gateway
        To the accounts of the fund, not yet connected, with credentials of the guard's own.
    place : path or MemoryDisk
        Its journal.
    seams : Seams
        The rest of the world.

    Notes
    -----
    It lets the node trade by a lease of seconds, and renews it only while everything that it must
    know is known. What is above a limit takes it to a level, from which only a person's ``resume``
    leads back. From ``halt`` on it acts, always in this order, each step written down and
    confirmed before the next: the node is fenced, everything is cancelled, positions are taken
    off. If the guard itself ends, the lease does too, and the node sends nothing any more.
    """

    def __init__(
        self,
        terms: GuardTerms,
        gateways: Mapping[str, Gateway],
        place: Any,  # noqa: ANN401 - a path or a disk in memory
        seams: Seams,
    ) -> None:
        self.terms, self._seams = terms, seams
        self.log = GuardLog(place, terms.fund, seams.clock, encrypt=terms.encrypt)
        state = self.log.state
        known = {} if state.valued is None else state.valued.venues
        prices = {} if state.valued is None else state.valued.prices
        self.views = {
            name: VenueView(
                name,
                f"{terms.fund}.guard-",
                known.get(name, (0, {}))[0],
                {
                    each: (quantity, int(cost))
                    for each, (quantity, cost) in known.get(name, (0, {}))[1].items()
                },
                prices.get(name),
            )
            for name in gateways
        }
        self.hands = {
            name: Hand(gateway, self.views[name], self.log, terms.section, terms.currency)
            for name, gateway in gateways.items()
        }
        self.node = NodeView()
        self.watch = self._begin_watch()
        self.chain = Chain(self.log, self.hands, seams.node, self.node, seams.lease, terms.section)
        self._found: list[Finding] = []
        self._noticed: dict[str, Finding] = {}
        self._unknown: list[str] = ["the guard has just begun"]
        self._permitted: tuple[str, int | None] = ("", None)
        self._subscribed: dict[str, frozenset[str]] = {}
        self._valued_at: float | None = None

    @property
    def level(self) -> Level:
        """How far it has gone."""
        return Level(self.log.state.level)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # -- running ------------------------------------------------------
    async def run(self) -> None:
        """Guard until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in self.hands:
                    tasks.create_task(self._listen(name), name=f"guard listens to {name}")
                    tasks.create_task(self._poll(name), name=f"guard polls {name}")
                    tasks.create_task(self._keep_switch(name), name=f"guard is there at {name}")
                tasks.create_task(self._ask_node(), name="guard asks the node")
                tasks.create_task(self._ask_others(), name="guard asks other funds")
                tasks.create_task(self._tick(), name="guard ticks")
                tasks.create_task(self.chain.run(), name="guard acts")
        finally:
            for hand in self.hands.values():
                await hand.gateway.close()
            self.log.close()

    def _begin_watch(self) -> Watch:
        watch = Watch(self.terms.section, self.terms.currency, self._now())
        valued = self.log.state.valued
        if valued is not None:
            worth = watch.worth
            worth.highest = None if valued.highest is None else int(valued.highest)
            worth.day = valued.day
            worth.day_start = None if valued.day_start is None else int(valued.day_start)
        return watch

    async def _listen(self, name: str) -> None:
        """Stay connected to a venue and take what it says."""
        gateway, view = self.hands[name].gateway, self.views[name]
        pause = _TICK_S / 2
        is_connected = False
        while not view.listings:
            try:
                if not is_connected:
                    await gateway.connect(view.sequence)
                    is_connected = True
                view.list_instruments(await gateway.instruments())
            except GatewayError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSE_MAX_S)
        self._learn_currencies()
        self.chain.connected(name)
        async for delivery in gateway.events():
            view.hear(delivery, self._now())
            view.offset_ns = gateway.clock_offset_ns

    def _learn_currencies(self) -> None:
        """Find out what money is the fund's, once all venues have said what they list."""
        views = self.views.values()
        if not self.terms.traded or not all(view.listings for view in views):
            return
        listed = [each for view in views for each in view.listings.values()]
        traded = [each for each in listed if each.instrument in self.terms.traded]
        ours = currencies(traded, self.terms.currency)
        for view in views:
            view.ours = ours

    async def _poll(self, name: str) -> None:
        """Ask how the account stands, every second."""
        gateway, view = self.hands[name].gateway, self.views[name]
        await self.chain.wait_connected(name)
        while True:
            try:
                account = await asyncio.wait_for(gateway.account(), 2 * _ANSWER_S)
                self.hands[name].take_account(account)
                wanted = frozenset(view.watched(self.terms.currency))
                if wanted != self._subscribed.get(name):
                    await asyncio.wait_for(gateway.subscribe(sorted(wanted)), 2 * _ANSWER_S)
                    self._subscribed[name] = wanted
            except (GatewayError, TimeoutError):
                pass  # how long ago the last answer was is what counts
            await asyncio.sleep(_TICK_S)

    async def _keep_switch(self, name: str) -> None:
        """Have the venue cancel everything if nobody of ours is there any more."""
        await self.chain.wait_connected(name)
        if (after := self.terms.section.dead_man_s) is not None:
            await keep_switch(self.hands[name].gateway, float(after))

    async def release(self) -> None:
        """Leave orders at venues where they are: a person stops the fund in order."""
        if self.terms.section.dead_man_s is not None:
            for name, hand in self.hands.items():
                if self.views[name].is_connected:
                    await release_switch(hand.gateway)

    async def _ask_node(self) -> None:
        while True:
            before = self._seams.clock.now_ns()
            answer = await self._seams.node.ask("status", "")
            if answer is not None and answer.get("ok"):
                after = self._seams.clock.now_ns()
                tail = await self._seams.node.tail()
                if tail is not None:
                    answer = {**answer, "journal": {"sequence": tail[0], "bytes": tail[1]}}
                self.node.hear(answer, self._now(), (before + after) // 2)
            await asyncio.sleep(_TICK_S)

    async def _ask_others(self) -> None:
        while True:
            firm = await self._seams.others.firm()
            self.watch.firm = firm
            await asyncio.sleep(_TICK_S)

    # -- each second ------------------------------------------------------
    async def _tick(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(_TICK_S)

    def tick(self) -> None:
        """Take stock, escalate where something is above its limit, and renew the lease or not."""
        watch, at, now = self.watch, self._now(), self._seams.clock.now_ns()
        standing = self._seams.halts.read()
        if standing is not None and (wanted := _level_of(standing.command)) > self.level:
            self._escalate(wanted, "operator", standing.reason, standing.by)
        venues = list(self.views.values())
        began = {name: hand.began for name, hand in self.hands.items()}
        watch.disk_free = self._seams.disk_free()
        flows = [flow for view in venues for flow in view.take_flows()]
        watch.value(at, self.terms.day(now), venues, began, flows)
        watch.take(at, self.node, venues, began)
        opened_at = self.terms.opened_at(now)
        open_for_s = None if opened_at is None else (now - opened_at) / 1e9
        self._found = watch.check(at, self.node, venues, began, open_for_s=open_for_s)
        self._unknown = watch.unknown(at, self.node, venues)
        self._notice()
        worst = max((each for each in self._found if each.is_above), key=_severity, default=None)
        if worst is not None and worst.level > max(self.level, Level.ALERT):
            self._escalate(worst.level, worst.trigger, worst.text, "guard")
        self._permit(now)
        self._keep_value(at)

    def _notice(self) -> None:
        """Write down what came above its limit, and what went below again."""
        above = {each.trigger: each for each in self._found if each.is_above}
        for name in sorted(above.keys() - self._noticed.keys()):
            each = above[name]
            self.log.note(Noticed(trigger=name, level=each.level, text=each.text))
            _log.warning("guard finding", extra={"trigger": name, "text": each.text})
        for name in sorted(self._noticed.keys() - above.keys()):
            self.log.note(Noticed(trigger=name, level=self._noticed[name].level, is_over=True))
        if above.keys() != self._noticed.keys():
            self.log.commit()
        self._noticed = above

    def _escalate(self, level: Level, trigger: str, text: str, by: str) -> None:
        self.log.keep(Escalated(level=level, trigger=trigger, text=text, by=by))
        _log.warning("guard level", extra={"level": level.word, "trigger": trigger})
        if level >= Level.HALT:
            self._seams.lease.end()
        self.chain.wake()

    def _permit(self, now_ns: int) -> None:
        """Renew the lease, or let it run out, or end it."""
        epoch = self.node.epoch
        if self.level >= Level.HALT:
            state, why = "over", [self.log.state.text]
            if self._permitted[0] != "over":
                self._seams.lease.end()
        elif self._unknown or epoch is None:
            state, why = "lapses", self._unknown
        else:
            state, why = "given", []
        if (state, epoch) != self._permitted:
            self._permitted = (state, epoch)
            self.log.keep(Permitted(state=state, node_epoch=epoch, why=tuple(why)))
        # Only now: a resume that is not durable must not let anybody trade.
        if state == "given" and epoch is not None:
            lease_ns = int(self.terms.section.lease_s * 10**9)
            self._seams.lease.grant(epoch, now_ns + lease_ns)

    def _keep_value(self, at: float) -> None:
        """Write down how the account stands: once a minute, a new day or a new height at once.

        Not while money that came or went counts by a price in doubt: a restart hears of it again.
        """
        valued, worth = self.log.state.valued, self.watch.worth
        is_new = valued is None or (worth.day_start is not None and worth.day != valued.day)
        if valued is not None and worth.highest is not None:
            before = int(valued.highest or 0)
            is_new |= (worth.highest - before) * _RISEN > before
        is_due = self._valued_at is None or at - self._valued_at >= _VALUED_EVERY_S
        if (is_new or is_due) and not worth.is_waiting:
            self._write_value(at)

    def _write_value(self, at: float) -> None:
        worth = self.watch.worth
        if worth.equity is None:
            return
        self._valued_at = at
        as_of = {name: view.as_of() for name, view in self.views.items()}
        self.log.keep(
            Valued(
                equity=str(worth.equity),
                highest=None if worth.highest is None else str(worth.highest),
                day=worth.day,
                day_start=None if worth.day_start is None else str(worth.day_start),
                venues={
                    name: (
                        sequence,
                        {each: (held, str(cost)) for each, (held, cost) in cost_of.items()},
                    )
                    for name, (sequence, cost_of) in as_of.items()
                },
                prices={name: view.sure_prices() for name, view in self.views.items()},
            )
        )

    # -- commands ------------------------------------------------------
    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request of the control protocol."""
        command, by = str(request.get("command", "")), str(request.get("by", ""))
        reason = str(request.get("reason", ""))
        if command == "status":
            return self.status()
        refused = self._refuse(command, by)
        if not refused and command == "drill":
            refused = "; ".join(await self.chain.begin_drill(self.terms.paper))
        self.log.keep(Asked(command=command, by=by, reason=reason, refused=refused))
        if refused:
            return {"ok": False, "error": refused}
        match command:
            case "reduce" | "halt" | "flatten":
                wanted = Level[command.upper()]
                if wanted > self.level:
                    self._escalate(wanted, "operator", reason, by)
            case "drill":
                self._escalate(Level.FLATTEN, "drill", reason or "a drill", by)
            case "resume":
                refused = await self._resume(by, reason)
        return {"ok": True, "level": self.level.word, "node": refused}

    def _refuse(self, command: str, by: str) -> str:
        """Say why a command is not taken; empty if it is."""
        if command not in ("reduce", "halt", "flatten", "drill", "resume"):
            known = "status, halt, reduce, resume, flatten, drill"
            return f"`command` must be one of {known}; found {command[:40]!r}"
        if command == "drill" and (real := sorted(set(self.hands) - self.terms.paper)):
            return f"a drill is only held on paper; found venue {', '.join(real)}"
        if command == "drill" and self.level > Level.ALERT:
            return f"a drill needs a fund that trades; this one is at {self.level.word}; resume it"
        if command == "drill" and self._unknown:
            return f"a drill needs to know how all stands: {'; '.join(self._unknown)}"
        return self._refuse_resume(by) if command == "resume" else ""

    def _refuse_resume(self, by: str) -> str:
        if by in _PROCESSES:
            return f"`by` must name the person who resumes; found {by!r}"
        if self.level >= Level.HALT and not self.chain.is_done:
            return f"wait until it is done: {self.chain.waits_for()}"
        above = [each for each in self._found if each.is_above and each.level >= _NOT_CLEAN]
        # The fall from the highest equity begins anew, since no time heals it.
        above = [each for each in above if each.trigger not in ("drawdown", "venue_reset")]
        problems = [each.text for each in above] + self._unknown + self._in_doubt()
        if problems:
            return f"resume when it is clean: {'; '.join(problems)}"
        return ""

    def _in_doubt(self) -> list[str]:
        """Say whether the fall would count from a worth that the last price alone contradicts."""
        worth, trigger = self.watch.worth, self.watch.section.drawdown
        if trigger is None or worth.equity is None:
            return []
        if worth.sure is not None and worth.lost(worth.sure) <= trigger.limit * max(worth.sure, 0):
            return []
        return ["no other prices confirm those from which a drawdown would count"]

    async def _resume(self, by: str, reason: str) -> str:
        """Let the node trade, and tell it to; return what it has against that."""
        watch = self.watch
        self._seams.halts.clear()
        watch.worth.begin_anew(with_day=watch.has_forgotten)
        watch.restart()
        self.log.note(Escalated(level=Level.WATCH, trigger="operator", text=reason, by=by))
        self._write_value(self._now())
        self.log.commit()
        self._noticed = {}
        self.chain.lift()
        self._permit(self._seams.clock.now_ns())
        refused = ""
        for _ in range(_RESUME_TRIES):
            await asyncio.sleep(_RESUME_S)  # until the node has read its lease again
            answer = await self._seams.node.ask("resume", reason)
            if answer is not None and answer.get("ok"):
                return ""
            refused = "it does not answer" if answer is None else str(answer.get("error"))
        return refused

    def status(self) -> dict[str, Any]:
        """Say how all stands, in plain values."""
        state, worth = self.log.state, self.watch.worth

        def money(amount: int | None) -> str | None:
            return None if amount is None else f"{Decimal(amount).scaleb(-12):.2f}"

        return {
            "ok": True,
            "fund": self.terms.fund,
            "epoch": state.epoch,
            "now": self._seams.clock.now_ns(),
            "level": self.level.word,
            "trigger": state.trigger,
            "why": [state.text] if self.level > Level.WATCH else self._unknown,
            "by": state.by,
            "since": state.since_ns,
            "lease": self._permitted[0],
            "unknown": self._unknown,
            "done": self.chain.is_done,
            "waits_for": self.chain.waits_for(),
            "currency": self.terms.currency,
            "equity": money(worth.equity),
            "highest": money(worth.highest),
            "day_start": money(worth.day_start),
            "gross": money(self.watch.gross),
            "findings": [
                {"trigger": each.trigger, "level": each.level.word, "text": each.text}
                for each in self._found
                if each.is_above
            ],
            "limits": [
                {"name": each.trigger, "used": f"{each.used:f}", "limit": f"{each.limit:f}"}
                for each in self._found
            ],
            "venues": [
                {"id": name, "connected": view.is_connected, "last_report": view.sequence}
                | {"clock_offset_ns": view.offset_ns}
                for name, view in self.views.items()
            ],
            "steps": state.steps,
            "journal": self.log.head(),
        }


def _level_of(command: str) -> Level:
    """Level of an order that was left; one that is not understood is taken for a halt."""
    return {"reduce": Level.REDUCE, "flatten": Level.FLATTEN}.get(command, Level.HALT)


def _severity(finding: Finding) -> tuple[int, str]:
    return finding.level, finding.trigger
