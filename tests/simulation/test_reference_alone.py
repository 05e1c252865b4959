"""The reference by itself: what must hold in every run, and that the seeds show enough."""

from __future__ import annotations

from collections import Counter

from reference import Reference
from support.invariants import Audit
from support.outcomes import REQUIRED, outcomes
from support.random_funds import random_fund

SEEDS = 400


def test_random_funds_keep_the_invariants_and_show_every_outcome() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        fund = random_fund(seed)
        simulator, audit, outputs = Reference(fund.config), Audit(fund.config), []
        for number, input in enumerate(fund.inputs):
            try:
                step = simulator.apply(input)
                audit.step(input, step, simulator)
            except Exception as error:
                error.add_note(f"seed {seed}, input {number}: {input}")
                raise
            outputs += step
        audit.finish(simulator)
        seen.update(outcomes(outputs))
    rare = {name: seen[name] for name in REQUIRED if seen[name] < SEEDS // 100}
    assert not rare, f"in less than 1 % of the seeds: {rare}"


def test_a_seed_draws_the_same_fund_twice() -> None:
    assert random_fund(7) == random_fund(7)
    assert random_fund(7) != random_fund(8)
