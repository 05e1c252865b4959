"""What strategies let be computed, in a run over data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from quantvista.backtest import run
from quantvista.errors import StrategyError
from quantvista.fund.desk import Answer, Asked, AtOnce, carried_out
from quantvista.fund.desk._compute import AWAITED_MAX, Bureau
from quantvista.strategies import ComputeResult, EventStrategy, Quote
from support.computing import CALLS, MS, Slow, fund_of, slow

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "strategies.md"


class Kept(Slow):
    """One of which a test keeps the instance."""

    last: Kept

    def __init__(self) -> None:
        super().__init__()
        Kept.last = self


def test_results_are_heard_when_they_are_wanted_and_quotes_go_on() -> None:
    CALLS.clear()
    outcome = run(fund_of(Kept, 20))
    found = [result for _, result in Kept.last.results]
    assert len(found) > 10
    assert len(CALLS) >= len(found)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert {each.ts - each.asked_ts for each in found} == {300 * MS}
    assert all(each.ok and each.name == "slow" for each in found)
    assert found[0].value["inputs"][0] == CALLS[0]
    meanwhile = [seen - 1 - 5 * (each.number - 1) for seen, each in Kept.last.results]
    assert min(meanwhile) >= 0
    assert max(meanwhile) > 2
    # Its own timers go on.
    assert Kept.last.timers[:2] == ["asked 1", "asked 2"]
    assert outcome.orders.height == len(found)


class Context:
    """What a bureau asks of a context."""

    def __init__(self) -> None:
        self.clock = SimpleNamespace(now=1_000)
        self.timers: list[tuple[int, str]] = []

    def set_timer(self, at: int, name: str) -> None:
        self.timers.append((at, name))


def bureau(answers: list[tuple[Asked, Answer]] | None = None) -> tuple[Bureau, Any]:
    computer = AtOnce()
    heard: list[tuple[Asked, Answer]] = [] if answers is None else answers
    return Bureau(0, lambda: computer, lambda *each: heard.append(each)), Context()


def fails(_: object) -> float:
    raise ValueError("no such thing")


def dies(_: object) -> float:
    raise SystemExit(3)


def grows(what: list[int]) -> list[int]:
    what.append(4)
    return what


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda _: np.float64(1.5), 1.5),
        (lambda _: np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (lambda _: {"a": (1, None, "x"), 2: b"y"}, {"a": [1, None, "x"], 2: b"y"}),
        (math.sqrt, 2.0),
    ],
)
def test_values_come_back_plain(function: Any, value: object) -> None:  # noqa: ANN401
    of, ctx = bureau()
    assert of.compute(ctx, function, (4,), 5, "") == 1
    found = of.take(ctx.timers[0][1], 1_005)
    assert found == ComputeResult(1, function.__name__, value, "", 1_000, 1_005)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (fails, "ValueError: no such thing"),
        (dies, "SystemExit: 3"),
        (lambda _: {1, 2}.pop, "it returned a builtin_function_or_method; return numbers, text"),
        (lambda _: b"x" * 1_000_001, "at most 1,000,000"),
    ],
)
def test_what_fails_is_a_result(function: Any, error: str) -> None:  # noqa: ANN401
    answers: list[tuple[Asked, Answer]] = []
    of, ctx = bureau(answers)
    of.compute(ctx, function, (4,), 5, "mine")
    found = of.take(ctx.timers[0][1], 1_005)
    assert found is not None
    assert (found.ok, found.value, found.name) == (False, None, "mine")
    assert error in found.error
    assert answers == [(Asked(0, 1, "mine", 1_000), Answer(error=found.error))]


def interrupted() -> None:
    raise KeyboardInterrupt


def test_an_interrupt_is_no_result() -> None:
    assert carried_out(lambda: 1).value
    with pytest.raises(KeyboardInterrupt):
        carried_out(interrupted)


def test_arguments_are_copied() -> None:
    of, ctx = bureau()
    mine = [1, 2, 3]
    of.compute(ctx, grows, (mine,), 5, "")
    assert mine == [1, 2, 3]


class Owner:
    def method(self) -> int:
        return 1


def inner() -> Any:  # noqa: ANN401
    shared: list[int] = []
    return lambda: shared


@pytest.mark.parametrize(
    ("function", "after_ns", "text"),
    [
        (Owner().method, 1, "`function` must be a function of a module"),
        (inner(), 1, "`function` must be a function of a module"),
        (3, 1, "`function` must be a function of a module"),
        (slow, 0, "`after_ns` must be a whole number from 1 to 3600000000000; found 0"),
        (slow, 1.5, "`after_ns` must be a whole number"),
        (slow, 3_600 * 10**9 + 1, "`after_ns` must be a whole number"),
    ],
)
def test_what_cannot_be_asked_for(function: Any, after_ns: Any, text: str) -> None:  # noqa: ANN401
    of, ctx = bureau()
    with pytest.raises(StrategyError, match=text):
        of.compute(ctx, function, (), after_ns, "")
    assert not of.awaited
    assert not ctx.timers


@pytest.mark.parametrize("name", [7, "x" * 201])
def test_a_name_is_text_for_people(name: Any) -> None:  # noqa: ANN401
    of, ctx = bureau()
    with pytest.raises(StrategyError, match="`name` must be text of at most 200 characters"):
        of.compute(ctx, slow, (), 1, name)
    assert not of.awaited


def test_too_many_are_refused_until_one_was_heard_of() -> None:
    of, ctx = bureau()
    for _ in range(AWAITED_MAX):
        of.compute(ctx, math.sqrt, (4,), 5, "")
    with pytest.raises(StrategyError, match="must not wait for more than 32 results at once"):
        of.compute(ctx, math.sqrt, (4,), 5, "")
    assert of.take(ctx.timers[0][1], 1_005) is not None
    assert of.take(ctx.timers[0][1], 1_005) is None
    assert of.compute(ctx, math.sqrt, (4,), 5, "") == AWAITED_MAX + 1


def test_a_run_goes_on_from_a_snapshot_with_what_it_computed() -> None:
    of, ctx = bureau()
    for function in (math.sqrt, fails, math.exp):
        of.compute(ctx, function, (4,), 5, "")
    of.take(ctx.timers[0][1], 1_005)
    kept = json.loads(json.dumps(of.dump()))
    other, _ = bureau()
    other.load(kept)
    assert other.dump() == of.dump()
    for _, name in ctx.timers[1:]:
        assert other.take(name, 1_005) == of.take(name, 1_005)
    assert other.compute(ctx, math.sqrt, (4,), 5, "") == 4
    other.load([])
    assert (other.last, other.awaited) == (0, {})


@pytest.mark.parametrize("name", ["mine", "@result:", "@result:x", "@result:7"])
def test_timers_of_the_strategy_are_its_own(name: str) -> None:
    of, _ = bureau()
    assert of.take(name, 1) is None


class Deaf(EventStrategy):
    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        ctx.compute(slow, 1.0, 2.0, after_ns=1)


def test_who_does_not_hear_of_results_cannot_ask() -> None:
    with pytest.raises(StrategyError, match="a strategy that computes must define `on_result`"):
        run(fund_of(Deaf, 5))


def test_the_example_of_the_guide_trades(tmp_path: Path) -> None:
    text = GUIDE.read_text("utf-8").split("## Slow computations\n")[1].split("\n## ")[0]
    (tmp_path / "mine.py").write_text(text.split("```python\n")[1].split("```")[0], "utf-8")
    outcome = run(fund_of("mine.py:Forecasting", 60, tmp_path))
    assert outcome.orders.height > 3


@pytest.mark.parametrize("value", [{"b", "a"}, {"x": [frozenset("ab")]}, (1, {2})])
def test_sets_are_refused_for_their_order_is_another_in_each_process(value: object) -> None:
    assert "has no order; sort it" in carried_out(lambda: value).error
