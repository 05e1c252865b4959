"""Bugs planted in node, gateway and venue are each found by simulated lives."""

from __future__ import annotations

import pytest

from support.lives.life import live
from support.lives.planted import PLANTED, plant

SEEDS = 200


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str) -> None:
    with plant(name):
        for seed in range(SEEDS):
            try:
                live(seed)
            except Exception as error:
                print(f"seed {seed}: {error}")
                return
    pytest.fail(f"{SEEDS} lives with {name!r} went well")


def test_every_bug_can_be_planted() -> None:
    """A change of the code must not let a bug be planted nowhere."""
    assert len(PLANTED) >= 15
    for name in PLANTED:
        with plant(name):
            pass
