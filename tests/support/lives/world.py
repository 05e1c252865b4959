"""A fund, its venue and all that lies between, on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantvista.engine import (
    BreakerLimit,
    BreakerLimits,
    CurrencyTerms,
    Latency,
    LimitRates,
    SleeveCash,
    VenueRates,
    engine_config,
)
from quantvista.errors import JournalError, OutputError
from quantvista.fund.desk import Desk
from quantvista.journal import MemoryDisk
from quantvista.portfolio import WeightSettings
from quantvista.trading.guard import FileLease
from quantvista.trading.node import Node, NodeSettings, NodeSetup, VenueLink
from quantvista.trading.node._status import _health
from quantvista.trading.paper import (
    Credentials,
    Fault,
    GatewaySettings,
    MemoryStore,
    PaperGateway,
    VenueTerms,
)
from support.gateway_worlds import CASH, PAIR, SECRET, STOCK, PaperWorld
from support.lives.books import Ledger
from support.lives.guarding import GuardProcess, LeaseFile
from support.lives.strategies import HABITS
from support.lives.watch import Killed, Violation, Watch, WatchedJournal
from support.lives.wires import Line, Network
from support.virtual_loop import LoopClock

if TYPE_CHECKING:
    from support.lives.aims import Aims

__all__ = ["PRICE_MAX", "STATES", "World"]

STREAM = "node/lives"
STATES = ("down", "starting", "reconciling", "trading", "no_new_risk", "halted", "stopping")
"""What a node can be in when something goes wrong."""

PRICE_MIN, PRICE_MAX = 4_000_000, 7_000_000
"""Of the pair; it begins between them."""

_NOTICED = 250  # reports: when a venue has as many new ones, nobody can tell the difference
_LOST_MIN = 150
_MONEY = {"BTC": Decimal(10), "USDT": Decimal(1_000_000)}
_SETTINGS = NodeSettings(reconcile_ns=2_000_000_000, snapshot_records=400)
_GATEWAY = GatewaySettings(timeout_s=0.2, silence_s=2.5, pause_s=0.05, pause_max_s=2.0)


def venue_terms(draw: random.Random) -> VenueTerms:
    """A venue, near or far."""
    far = draw.random() < 0.4
    latency = Latency(2_000_000, 0, 1_000_000, 3_000_000) if far else Latency()
    return replace(
        CASH,
        accounts=(replace(CASH.accounts[0], balances=tuple(sorted(_MONEY.items()))),),
        rates=VenueRates(fee_rate=1_000_000, latency=latency),
    )


def fund(terms: VenueTerms, draw: random.Random) -> NodeSetup:
    """A fund of four sleeves; some have a breaker that may go off."""
    breakers = BreakerLimits()
    if draw.random() < 0.5:
        breakers = BreakerLimits(rejects=BreakerLimit(10, "reduce_only", 2_000_000_000))
    share = {code: amount / len(HABITS) for code, amount in _MONEY.items()}
    sleeves = [SleeveCash(name, share["USDT"], (("BTC", share["BTC"]),)) for name in HABITS]
    engine = engine_config(
        fund="lives",
        currency="USDT",
        instruments=terms.instruments,
        close_only=False,
        sleeves=sleeves,
        venue=VenueRates("paper", fee_rate=1_000_000, remote=True),
        limits=LimitRates(breakers=breakers),
        currencies=[CurrencyTerms("USDT", 6), CurrencyTerms("BTC", 8, PAIR)],
    )

    def desk(session: Any, bars: Any) -> Desk:  # noqa: ANN401
        strategies = {name: habit() for name, habit in HABITS.items()}
        return Desk(session, engine, strategies, WeightSettings(), seed=7, bars=bars)

    return NodeSetup(
        fund="lives",
        config=engine,
        instruments=terms.instruments,
        calendar="24/7",
        time_zone="UTC",
        resolved="",
        fund_hash="1",
        fingerprint={},
        desk=desk,
    )


class World:
    """One life.

    Parameters
    ----------
    seed : int
        Of all that is random in it.
    """

    aims: Aims

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.terms = venue_terms(self.random)
        self.setup = fund(self.terms, self.random)
        self.disk = MemoryDisk()
        self.network = Network(self.random.randrange(2**32))
        self.lease = LeaseFile(self)
        self.watch = Watch(self)
        self.guard = GuardProcess(self, self.random.randrange(2**32))
        self.faults: Counter[tuple[str, str]] = Counter()
        self.guard_faults: Counter[tuple[str, str]] = Counter()
        self.orders = 0
        self.mid = 5_000_050
        self._processes = 0
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self.doomed = ""
        self.lied = False
        self.backup: MemoryStore | None = None
        self.forgot_at: int | None = None
        self.has_forgotten = self.must_notice = False
        self.left: list[MemoryDisk] = []
        self.differences: list[str] = []

    async def start(self) -> None:
        """Open the venue."""
        self.loop = asyncio.get_running_loop()
        self.clock, self.venue_clock = LoopClock(self.loop), LoopClock(self.loop)
        self.store = MemoryStore()
        self.paper = PaperWorld(self.terms, self.venue_clock, over_http=False, store=self.store)
        await self.paper.start()
        self.ledger = self._new_ledger()

    def _new_ledger(self) -> Ledger:
        store = self.store
        return Ledger(
            self.terms.instruments,
            {code: int(amount.scaleb(12)) for code, amount in _MONEY.items()},
            lambda after: store.reports(0, after, 1_000_000),
        )

    def loop_ns(self) -> int:
        """Time that passed, whatever the clocks say."""
        return round(self.loop.time() * 1e9)

    # -- processes -----------------------------------------------------------------
    @property
    def is_up(self) -> bool:
        return self._task is not None

    def boot(self) -> bool:
        """Start a process; False if it was killed while it recovered."""
        assert self._task is None, "one at a time"
        self._processes += 1
        self.doomed = ""
        journal = None
        try:
            journal = WatchedJournal(self.disk, STREAM)
            journal.watch = self.watch
            self.watch.opened(journal.head.sequence)
            self.watch.look_at_venue()
            self.journal = journal
            if self.random.random() < 0.1:
                journal.countdown = self.random.randrange(4)
            self.line = Line(self, self.network, self.watch.leaves)
            self.paper._transports.append(self.line)
            gateway = PaperGateway(
                self.line,
                self.terms.id,
                Credentials("main", SECRET),
                self.clock,
                seed=self.seed * 1000 + self._processes,
                settings=_GATEWAY,
            )
            link = VenueLink(
                "paper",
                gateway,
                tuple(each.id for each in self.terms.instruments),
                was_used=not journal.head.sequence and self.paper.venue.sequence(0) > 0,
            )
            self.node = Node(
                self.setup,
                journal,
                self.disk,
                [link],
                self.clock,
                lease=FileLease(self.lease),  # type: ignore[arg-type]
                settings=_SETTINGS,
            )
        except (Killed, JournalError, OutputError) as error:
            if not isinstance(error, Killed) and not self._disk_failed:
                raise Violation(f"it does not come up: {error}") from error
            self.lose_power()
            if journal is not None:
                journal.close()
            self.note("kill in recovery", "starting")
            return False
        self._task = self.loop.create_task(self.node.run())
        return True

    _disk_failed = False

    def fail_disk(self, changes: int) -> None:
        """Let the disk fail after so many changes."""
        self._disk_failed = True
        self.disk.fail_after(changes)

    def lose_power(self) -> None:
        """Lose what is not durable, or half of it."""
        if self.is_up:
            self.journal.dead = self.line.dead = True
        self._disk_failed = False
        self.disk.lose_power(self.random.randrange(2**32))
        self.watch.lost()

    def doom(self, why: str) -> None:
        """Kill the process at the next chance: who wants it cannot wait for its end."""
        self.doomed = why

    async def kill(self) -> None:
        """End the process at once."""
        task = self._task
        assert task is not None, "it runs"
        self.lose_power()
        task.cancel()
        await self._end(task)

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Clear away a process whose power is gone."""
        for each in self.node._tasks:
            each.cancel()
        for each in list(self.node.links[0].sender._last.values()):
            each.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._bury()

    def _bury(self) -> None:
        self.orders += self.node.counts["orders"]
        self.line.dead = True
        self.paper._transports.remove(self.line)
        self.journal.close()
        self._task = self._ending = None

    async def look(self) -> None:
        """Take note if a process has ended; fail if it had no reason to."""
        await self.guard.look()
        if self.watch.found:
            raise Violation(self.watch.found[0])
        task = self._task
        if task is None:
            return
        if self.doomed and not task.done():
            self.note(self.doomed, self.state)
            await self.kill()
            return
        if not task.done():
            return
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Killed):
            await self._end(task)
        elif error is not None and self._disk_failed:
            if not isinstance(error, JournalError | OutputError):
                raise error
            self.lose_power()
            await self._end(task)
        elif error is not None:
            raise Violation(f"the node ended by itself: {error!r}") from error
        else:
            self._bury()

    async def ask(
        self, command: str, by: str = "life", reason: str = "", within_s: float = 5.0
    ) -> dict[str, Any]:
        """Ask the node for something; what is not answered is an empty answer."""
        if self._task is None:
            return {}
        if command == "resume":  # a person asked for it, if through the guard
            self.watch.asked_to_resume()
        future: asyncio.Future[dict[str, Any]] = self.loop.create_future()
        request = {"command": command, "by": by, "reason": reason}
        self.node.post("command", (request, future))
        waiting: list[asyncio.Future[Any]] = [future, self._task]
        await asyncio.wait(waiting, timeout=within_s, return_when="FIRST_COMPLETED")
        return future.result() if future.done() else {}

    # -- a venue that forgets ------------------------------------------------------
    @property
    def may_forget(self) -> bool:
        """Whether the venue may lose its memory: once, and when others would notice."""
        return not self.has_forgotten and self.watch.heard >= _NOTICED

    def would_notice(self, heard: int) -> bool:
        """Whether who has heard so many reports cannot take new ones for those that were lost."""
        return heard - self.paper.venue.sequence(0) >= _LOST_MIN

    async def forget(self, store: MemoryStore) -> None:
        """Let the venue lose its memory: from now on it knows what this store has."""
        self.has_forgotten, self.forgot_at = True, self.loop_ns()
        before = self.ledger
        self.store = self.paper.store = store
        await self.paper.crash()
        self.ledger = self._new_ledger()
        self.ledger.follows(before)
        self.must_notice = self.would_notice(self.watch.heard)
        self.watch.forgot()
        self.guard.watch.forgot()

    def agree(self) -> None:
        """Take it that the node's books are the venue's again, after a person has looked."""
        self.forgot_at = None

    async def begin_anew(self) -> None:
        """Let a person start the node with a new state folder, after all has been compared."""
        if self.is_up:
            await self.kill()
        self._disk_failed = False
        self.left.append(self.disk)
        self.disk = MemoryDisk()
        self.watch.begin_anew()
        self.agree()

    # -- what is seen ------------------------------------------------------------------
    @property
    def state(self) -> str:
        """What the node is in."""
        if self._task is None or self._task.done():
            return "down"
        return _health(self.node)

    def note(self, kind: str, state: str) -> None:
        """Count a fault."""
        self.faults[kind, state] += 1

    def our_books(self) -> tuple[dict[str, int], dict[str, int]]:
        """Money and positions as the node's engine has them."""
        session, sleeves = self.node.session, range(len(HABITS))
        money = {
            code: sum(session.balance(each, place) for each in sleeves)
            for place, code in enumerate(self.setup.currencies)
        }
        held = {
            each.id: quantity
            for place, each in enumerate(self.terms.instruments)
            if each.settlement != "exchange"
            and (quantity := sum(session.position(sleeve, place) for sleeve in sleeves))
        }
        return money, held

    # -- the market ------------------------------------------------------------------
    async def market(self, moves: int, pause_s: float = 0.03) -> None:
        """Let prices move at random."""
        draw = self.random
        for number in range(moves):
            self.mid = max(PRICE_MIN, self.mid + draw.randrange(-200, 201))
            spread = draw.choice((50, 100, 200))
            size = draw.choice((300, 5_000, 10**7))
            await self.paper.quote(self.mid - spread, self.mid + spread, size, of=self.pair)
            if not number % 8:
                await self.paper.quote(9_900, 10_100, of=self.stock)
            await asyncio.sleep(pause_s * draw.random())
            await self.look()

    def jump(self, factor: float) -> None:
        """Let the price of the pair jump, within what a fund of this size can hold."""
        self.mid = min(max(int(self.mid * factor), PRICE_MIN), PRICE_MAX)

    @property
    def pair(self) -> int:
        return self.paper.place(PAIR)

    @property
    def stock(self) -> int:
        return self.paper.place(STOCK)

    def arm(self, **terms: Any) -> Fault:  # noqa: ANN401
        """Let something go wrong at the venue until it is taken back."""
        fault = Fault(**terms)
        self.paper.faults.arm(fault)
        return fault
