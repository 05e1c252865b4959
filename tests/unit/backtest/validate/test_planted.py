"""The rules must not explain mistakes away: errors are planted into results of the engine."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from quantvista.backtest.validate._case import Case
from quantvista.backtest.validate._compare import compare
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._ours import OurSide
from quantvista.backtest.validate._result import Fill, Result
from quantvista.backtest.validate._rules import classify
from quantvista.backtest.validate._session import Session

SEEDS = range(48)
EXPLAINED_MAX = 0.08  # an error may look like what NautilusTrader does

type Plant = Callable[[Session, Fill], Fill | None]


def tick(session: Session, fill: Fill) -> Fill:
    traded = session.instruments[session.orders()[fill.order].instrument]
    return replace(fill, price=fill.price + traded.tick_size)


def other_liquidity(session: Session, fill: Fill) -> Fill:
    return replace(fill, liquidity="maker" if fill.liquidity == "taker" else "taker")


def late(session: Session, fill: Fill) -> Fill:
    later = [row.ts for row in session.tape if row.ts > fill.ts]
    return replace(fill, ts=later[0] if later else fill.ts + 1)


def lost(session: Session, fill: Fill) -> None:
    return None


@pytest.fixture(scope="module")
def runs() -> list[tuple[Session, Result]]:
    sessions = [generate(seed) for seed in SEEDS]
    return [(session, OurSide().run(session)) for session in sessions]


@pytest.mark.parametrize("plant", [tick, other_liquidity, late, lost])
def test_a_planted_error_is_not_explained(runs: list[tuple[Session, Result]], plant: Plant) -> None:
    random = Random(plant.__name__)
    explained = 0
    for session, right in runs:
        index = random.randrange(len(right.fills))
        changed = plant(session, right.fills[index])
        fills = [*right.fills[:index], *([changed] if changed else []), *right.fills[index + 1 :]]
        wrong = replace(right, fills=tuple(sorted(fills, key=lambda each: each.ts)))
        difference = compare(session, wrong, right)
        assert difference is not None
        assert difference.what == "fills"
        explained += classify(Case(session, wrong, right, difference)) is not None
    assert explained <= EXPLAINED_MAX * len(runs)


def test_a_session_agrees_with_itself(runs: list[tuple[Session, Result]]) -> None:
    for session, result in runs:
        assert compare(session, result, result) is None
