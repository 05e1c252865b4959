"""Money over several venues: never a false alarm, and never a difference that is not found."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from quantvista.journal import Reader
from quantvista.trading.gateway import Filled
from quantvista.trading.node._bodies import NODE_KINDS, Held, Reconciled
from support.many_venues import ManyVenues
from support.virtual_loop import run_virtually

PLACES = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("market"), st.integers(3, 25)),
    st.tuples(st.just("pay"), PLACES, st.integers(-60_000, 60_000).filter(bool)),
    st.tuples(st.just("move"), PLACES, PLACES, st.integers(1, 200_000), st.booleans()),
    st.tuples(st.just("bust"), PLACES),
    st.tuples(st.just("wait"), st.floats(0.0, 2.0)),
    st.tuples(st.just("kill"), st.booleans()),
)


def refusals(world: ManyVenues) -> set[str]:
    """All that the node ever found to speak against new risk, or to differ."""
    found: set[str] = set()
    for batch in Reader(world.disk):
        for record in batch:
            body = NODE_KINDS.body(record) if record.kind in (103, 104) else None
            if isinstance(body, Held) and body.on:
                found.add(body.reason)
            elif isinstance(body, Reconciled):
                found.update(body.differences)
    return found


async def step(world: ManyVenues, what: str, *terms: Any) -> None:  # noqa: ANN401
    names = list(world.papers)
    match what:
        case "market":
            await world.market(*terms)
        case "wait":
            await asyncio.sleep(*terms)
        case "pay":
            place, amount = terms
            world.pay(names[place % len(names)], amount)
        case "move":
            one, other = (names[place % len(names)] for place in terms[:2])
            halves = [(one, -terms[2]), (other, terms[2])]
            for venue, amount in reversed(halves) if terms[3] else halves:
                world.pay(venue, amount)
                await asyncio.sleep(0.05)
        case "bust":
            paper = world.papers[names[terms[0] % len(names)]]
            page = await (await paper.connect()).fills()
            left = [each for each in page.fills if each.trade_id not in page.busted]
            if left and paper.terms.instruments[0].settlement == "exchange":
                await paper.fault(kind="bust", account="main", trade_id=left[-1].trade_id)
        case "kill":
            await world.kill()
            if terms[0]:
                for paper in world.papers.values():
                    await paper.quote(world.mid - 700, world.mid - 600)  # something may be filled
            world.boot()


@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.integers(1, 3),
    st.integers(0, 2**16),
    st.lists(STEPS, min_size=3, max_size=12),
    PLACES,
    st.sampled_from(("USDT", "BTC")),
    st.integers(-(10**12), 10**12).filter(bool),
)
def test_no_false_alarm_and_no_difference_missed(
    count: int,
    seed: int,
    steps: list[tuple[Any, ...]],
    place: int,
    code: str,
    amount: int,
) -> None:
    async def main() -> None:
        world = ManyVenues(count, seed, first=2 if count == 1 else 0)  # that with the perpetual
        await world.start()
        world.boot()
        await world.until()
        for each in steps:
            await step(world, *each)
        await world.until()
        await asyncio.sleep(2.5)  # every account is compared once more
        assert world.is_clean
        false = {each for each in refusals(world) if "balance of" in each or "booked" in each}
        assert not false
        # Two sleeves realise other gains of a perpetual than the account that holds the sum.
        for currency in ((), ("BTC", "USDT"), ("BTC",))[count - 1]:
            there = sum(world.there(each).get(currency, 0) for each in world.papers)
            assert world.total(currency) == there
        name = list(world.papers)[place % len(world.papers)]
        if code in world.there(name):
            world.plant(name, amount, code)
            await world.until(f"{name}: balance of {code}")
        await world.stop()

    run_virtually(main())


def test_trades_are_among_what_is_tried() -> None:
    """A property of nothing at all would hold as well."""

    async def main() -> None:
        world = ManyVenues(3, 5)
        await world.start()
        world.boot()
        await world.until()
        await world.market(40)
        for paper in world.papers.values():
            page = await (await paper.connect()).fills()
            assert all(isinstance(each, Filled) for each in page.fills)
            assert len(page.fills) > 10
        await world.stop()

    run_virtually(main())
