"""What strategies of a running fund let be computed: beside the loop, and heard of when wanted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantvista.backtest.recorded import explain
from quantvista.fund.desk import Answer, Asked, Work
from quantvista.fund.records import Computed
from quantvista.journal import Reader
from quantvista.strategies import ComputeResult, Quote
from quantvista.trading.node import NODE_KINDS
from quantvista.trading.node._workers import Workers
from support.computing import CALLS, MS, Slow
from support.gateway_worlds import PAIR
from support.node_worlds import NodeWorld, setup
from support.virtual_loop import run_virtually


class Asking(Slow):
    """Of which a test keeps the newest instance."""

    last: Asking
    every = 40

    def __init__(self) -> None:
        super().__init__()
        Asking.last = self

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument == PAIR:
            super().on_quote(ctx, quote)

    def on_result(self, ctx: Any, result: ComputeResult) -> None:  # noqa: ANN401
        self.results.append((self.seen, result))
        if result.ok:
            ctx.submit(PAIR, "buy" if result.value["forecast"] > 0 else "sell", 0.01, tif="ioc")


def computed(world: NodeWorld) -> list[Computed]:
    found = []
    for batch in Reader(world.disk):
        for record in batch:
            if record.kind == Computed.KIND.number:
                body = NODE_KINDS.body(record)
                assert isinstance(body, Computed)
                found.append(body)
    return found


def test_quotes_are_handled_while_something_is_computed() -> None:
    """The loop is not held up: what counts is what was heard in between, not how long it took."""

    async def main() -> None:
        world = NodeWorld(fund=setup(Asking))
        await world.start()
        world.boot()
        await world.until_trading()
        await world.market(150, 0.02)
        await world.settle()
        strategy = Asking.last
        assert len(strategy.results) >= 3
        for seen, result in strategy.results:
            assert seen - strategy.every * (result.number - 1) > 15
            assert (result.ok, result.ts - result.asked_ts) == (True, 300 * MS)
        assert [each.number for each in computed(world)] == [r.number for _, r in strategy.results]
        assert not any(each.error for each in computed(world))
        world.check()
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


def test_an_order_is_explained_by_what_was_computed(tmp_path: Path) -> None:
    async def main() -> None:
        world = NodeWorld(fund=setup(Asking))
        await world.start()
        world.boot()
        await world.until_trading()
        await world.market(80, 0.02)
        await world.stop()
        await world.paper.stop()
        for name in world.disk.names():
            (tmp_path / name).write_bytes(world.disk.content(name) or b"")

    run_virtually(main())
    causes = explain(tmp_path, 1).causes
    assert [each.what for each in causes] == ["quote", "computed", "submit_order"]
    assert causes[1].text == "slow, asked for 300 ms before"


def test_a_restart_takes_results_from_the_journal() -> None:
    """Nothing is computed a second time, and the orders of then come out again."""

    async def main() -> None:
        world = NodeWorld(fund=setup(Asking))
        await world.start()
        world.boot()
        await world.until_trading()
        await world.market(100, 0.02)
        await world.settle()
        before, calls = Asking.last.results, len(CALLS)
        assert len(before) >= 2
        await world.kill()
        node = world.boot()
        assert node.past.replayed > 0
        assert Asking.last.results == before
        assert len(CALLS) == calls
        await world.until_trading()
        world.check()
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


class Patient(Asking):
    """Wants results so late that a process can end in order before."""

    after_ns = 2_000 * MS


def test_kills_at_any_moment_lose_nothing_but_what_was_awaited() -> None:
    async def main() -> None:
        world = NodeWorld(fund=setup(Asking), seed=3)
        await world.start()
        world.boot()
        for _ in range(12):
            await world.until_trading()
            await world.market(world.random.randrange(5, 60), 0.02)
            await world.kill()
            world.boot()
        await world.until_trading()
        await world.settle()
        world.check()
        found = computed(world)
        assert [each.number for each in found] == list(range(1, len(found) + 1))
        lost = [each for each in found if each.error]
        assert 0 < len(lost) < len(found)
        assert all(each.error.startswith("lost") for each in lost)
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


async def ends(world: NodeWorld, how: str) -> None:
    if how == "snapshot and kill":
        world.node.snapshot()
    await (world.stop() if how == "stop" else world.kill())


@pytest.mark.parametrize("how", ["kill", "snapshot and kill", "stop"])
def test_what_was_asked_for_when_a_process_ended_is_lost(how: str) -> None:
    async def main() -> None:
        world = NodeWorld(fund=setup(Patient))
        await world.start()
        node = world.boot()
        await world.until_trading()
        while not node.stage.desk._bureaus[0].awaited:
            await world.market(1, 0.02)
        await asyncio.sleep(0.06)  # it is durable by then, and not wanted yet
        await ends(world, how)
        node = world.boot()
        assert list(node.stage.desk._bureaus[0].awaited) == [1]
        await world.until_trading()
        await asyncio.sleep(2)
        (first, *_) = [result for _, result in Asking.last.results]
        assert (first.number, first.ok) == (1, False)
        assert first.error.startswith("lost")
        await world.stop()
        assert computed(world)[0].error == first.error
        await world.paper.stop()

    run_virtually(main())


# -- threads ---------------------------------------------------------------------------------
def answer_of(workers: Workers, asked: Asked) -> Answer:
    until = time.monotonic() + 10
    while not workers._answers[asked] and time.monotonic() < until:
        time.sleep(0.001)
    return workers.answer(asked)


def asked(number: int) -> Asked:
    return Asked(0, number, "it", 1)


def failing() -> float:
    raise ValueError("no such thing")


def exiting() -> float:
    raise SystemExit(3)


def test_workers_compute_beside_who_asks() -> None:
    workers, gate = Workers(), threading.Event()
    held: Work = lambda: gate.wait(10)  # noqa: E731
    workers.ask(asked(1), held)
    workers.ask(asked(2), lambda: threading.current_thread() is threading.main_thread())
    assert answer_of(workers, asked(2)).value == b"\xc2"  # false
    assert workers.answer(asked(1)).error.startswith("late")
    gate.set()
    workers.ask(asked(3), failing)
    assert "no such thing" in answer_of(workers, asked(3)).error
    assert workers.answer(asked(4)).error.startswith("lost")
    workers.close()
    for each in workers._threads:
        each.join(10)
        assert not each.is_alive()


def test_a_computation_that_ends_its_thread_leaves_the_others() -> None:
    workers = Workers(1)
    workers.ask(asked(1), exiting)
    assert "SystemExit" in answer_of(workers, asked(1)).error
    workers.ask(asked(2), lambda: 7)
    assert answer_of(workers, asked(2)).value == b"\x07"
    workers.close()


def test_what_is_late_before_it_began_is_not_begun() -> None:
    workers, gate, began = Workers(1), threading.Event(), threading.Event()
    block: Callable[[], object] = lambda: gate.wait(10)  # noqa: E731
    workers.ask(asked(1), block)
    workers.ask(asked(2), began.set)
    assert workers.answer(asked(2)).error.startswith("late")
    gate.set()
    workers.close()
    workers._threads[0].join(10)
    assert not began.is_set()


def test_workers_that_nobody_asked_have_no_threads() -> None:
    workers = Workers()
    workers.close()
    assert not any(each.is_alive() for each in workers._threads)
