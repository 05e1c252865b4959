"""A fund that trades at several paper venues, all in one process, on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from quantvista.engine import (
    AccountTerms,
    CurrencyTerms,
    LimitRates,
    SleeveCash,
    VenueRates,
    engine_config,
)
from quantvista.fund.desk import Desk
from quantvista.journal import Journal, MemoryDisk
from quantvista.portfolio import WeightSettings
from quantvista.strategies import EventStrategy, Quote
from quantvista.trading.gateway import Balance
from quantvista.trading.node import Node, NodeSettings, NodeSetup, VenueLink
from quantvista.trading.paper import MemoryStore, PaperAccount, VenueTerms
from support.gateway_worlds import CASH, INSTRUMENTS, MARGIN, PaperWorld
from support.node_worlds import killed
from support.virtual_loop import LoopClock

SLEEVES = ("bold", "calm")
_E12 = 10**12
_SETTINGS = NodeSettings(reconcile_ns=1_000_000_000, snapshot_records=300)


class Roaming(EventStrategy):
    """Trades whatever is quoted, either way."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        dice = ctx.rng.random()
        if dice < 0.5:
            size = 0.001 * int(1 + 20 * ctx.rng.random())
            ctx.submit(quote.instrument, "buy" if dice < 0.25 else "sell", size, tif="ioc")
        elif dice < 0.55:
            price = round((quote.bid + quote.ask) / 2 - 5.0, 2)
            ctx.submit(quote.instrument, "buy", 0.01, type="limit", tif="gtc", limit_price=price)
        elif dice < 0.65:
            for order in ctx.orders(quote.instrument):
                ctx.cancel(order.order_id)


def _terms(name: str, money: dict[str, int], *, perpetual: bool) -> VenueTerms:
    base = MARGIN if perpetual else CASH
    listed = base.instruments if perpetual else (INSTRUMENTS[0],)
    account = PaperAccount("main", tuple((code, Decimal(each)) for code, each in money.items()))
    return replace(
        base,
        id=name,
        instruments=tuple(
            replace(each, id=each.id.replace("PAPER", name.upper())) for each in listed
        ),
        accounts=(account,),
        prices={code: Decimal(1) for code in money if code == "DOGE"},
        digits={"DOGE": 8},
    )


def fund(venues: Sequence[VenueTerms], money: dict[str, int]) -> NodeSetup:
    """A fund of two sleeves over all venues, which own half of all money each."""
    instruments = sorted((each for at in venues for each in at.instruments), key=lambda one: one.id)
    places = {each.id: at for at, venue in enumerate(venues) for each in venue.instruments}
    pairs = [each.id for each in instruments if each.settlement == "exchange"]
    coins = [CurrencyTerms("BTC", 8, pairs[0])] if pairs else []
    half = {code: Decimal(each) / 2 for code, each in money.items()}
    engine = engine_config(
        fund="test",
        currency="USDT",
        instruments=instruments,
        close_only=False,
        sleeves=[SleeveCash(name, half["USDT"], _coins(half)) for name in SLEEVES],
        venue=[VenueRates(each.id, fee_rate=1_000_000, remote=True) for each in venues],
        limits=LimitRates(),
        account=AccountTerms(kind="margin"),
        currencies=[CurrencyTerms("USDT", 6), *coins],
        venue_of=places,
    )

    def desk(session: Any, bars: Any) -> Desk:  # noqa: ANN401
        strategies = {name: Roaming() for name in SLEEVES}
        return Desk(session, engine, strategies, WeightSettings(), seed=7, bars=bars)

    return NodeSetup(
        fund="test",
        config=engine,
        instruments=instruments,
        calendar="24/7",
        time_zone="UTC",
        resolved="",
        fund_hash="1",
        fingerprint={},
        desk=desk,
    )


def _coins(money: dict[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    return (("BTC", money["BTC"]),) if money["BTC"] else ()


@dataclass
class ManyVenues:
    """Venues, their markets, and the process of a fund that may be killed and started again.

    Parameters
    ----------
    count : int
        Of venues; the third has a perpetual, which both sleeves may hold, each its own way.
    seed : int
        Of all that is random.
    stranger : int
        DOGE on the account at the first, which the fund does not trade in.
    first : int
        Which of the three is the first.
    """

    count: int = 2
    seed: int = 0
    stranger: int = 0
    first: int = 0
    disk: MemoryDisk = field(default_factory=MemoryDisk)

    async def start(self) -> None:
        """Open the venues."""
        self.random = random.Random(self.seed)
        self.clock = LoopClock(asyncio.get_running_loop())
        names = ("alpha", "beta", "gamma")
        terms = []
        for place in range(self.first, self.first + self.count):
            name = names[place]
            money = {"USDT": 300_000 + 100_000 * place}
            money |= {} if place == 2 else {"BTC": 4 + place}
            money |= {"DOGE": self.stranger} if self.stranger and not place else {}
            terms.append(_terms(name, money, perpetual=place == 2))
        total = {
            code: sum(int(dict(each.accounts[0].balances).get(code, 0)) for each in terms)
            for code in ("USDT", "BTC")
        }
        self.fund = fund(terms, total)
        self.papers = {
            each.id: PaperWorld(each, self.clock, over_http=False, store=MemoryStore())
            for each in terms
        }
        for each in self.papers.values():
            await each.start()
        self.mid = 5_000_050
        self._task: asyncio.Task[None] | None = None

    def boot(self) -> Node:
        """Start a process on the journal."""
        self.journal = Journal(self.disk, "node/test")
        links = [
            VenueLink(
                name,
                paper.gateway(),
                tuple(each.id for each in paper.terms.instruments),
                adopt_into=place % 2,
            )
            for place, (name, paper) in enumerate(self.papers.items())
        ]
        self.node = Node(self.fund, self.journal, self.disk, links, self.clock, settings=_SETTINGS)
        self._task = asyncio.get_running_loop().create_task(self.node.run())
        return self.node

    async def kill(self) -> None:
        """End the process at once: what is not durable is gone."""
        assert self._task is not None, "it runs"
        self.disk.lose_power(self.random.randrange(2**32))
        await killed(self.node, self._task)
        self.journal.close()
        self._task = None

    async def stop(self) -> None:
        """End everything in order."""
        assert self._task is not None, "it runs"
        self.node.stopping = True
        self.node.post("nothing", None)
        await self._task
        self.journal.close()
        for each in self.papers.values():
            await each.stop()

    async def market(self, moves: int, pause_s: float = 0.03) -> None:
        """Let prices move at random."""
        for _ in range(moves):
            self.mid += self.random.randrange(-300, 301)
            for each in self.papers.values():
                away = self.random.randrange(-100, 101)
                await each.quote(self.mid + away - 100, self.mid + away + 100)
            await asyncio.sleep(pause_s * self.random.random())
            self.look()

    def look(self) -> None:
        """Fail if the process has ended."""
        assert self._task is not None, "it runs"
        if self._task.done():
            self._task.result()

    def pay(self, venue: str, amount: float, code: str = "USDT") -> None:
        """Pay money in at a venue, or take it out."""
        paper = self.papers[venue]
        paper.venue.pay(0, code, round(amount * 10**6) * 10**6, self.clock.now_ns())

    def plant(self, venue: str, amount: int, code: str = "USDT") -> None:
        """Let a venue say that money is there, in 1e-12, of which it has told nothing."""
        core = self.papers[venue].venue._core
        balances = core.balances

        def planted(account: int) -> tuple[Balance, ...]:
            return tuple(
                replace(each, total=each.total + amount) if each.currency == code else each
                for each in balances(account)
            )

        core.balances = planted  # type: ignore[method-assign]

    async def until(self, what: str = "", within_s: float = 30.0) -> None:
        """Wait until a reason against new risk has these words; without any, until none is left."""
        node = self.node
        for _ in range(int(within_s / 0.1)):
            await asyncio.sleep(0.1)
            self.look()
            if any(what in each for each in node.reasons) if what else self.is_clean:
                return
        raise AssertionError(f"it does not come to that: {node.reasons}")

    @property
    def is_clean(self) -> bool:
        """Whether nothing speaks against new risk."""
        return not self.node.reasons and all(each.clean for each in self.node.links)

    def there(self, venue: str) -> dict[str, int]:
        """Money on an account as the venue has it, in 1e-12."""
        balances = self.papers[venue].venue._core.balances(0)
        return {each.currency: each.total for each in balances}

    def total(self, code: str) -> int:
        """Money of the fund in a currency, in 1e-12."""
        place = self.fund.currencies.index(code)
        return sum(self.node.session.balance(each, place) for each in range(len(SLEEVES)))
