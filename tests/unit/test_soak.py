"""What `make soak` says of a run: that it grew, or that it did not."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "soak.py"


@pytest.fixture(scope="module")
def soak() -> ModuleType:
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)  # as where it is run from
        spec.loader.exec_module(found)
    return found


def rows(soak: ModuleType, grows: str = "", late_ms: float = 20.0) -> list[dict[str, Any]]:
    samples = []
    for second in range(0, 1800, 5):
        sample: dict[str, float] = {"at_s": second, "ts": 1e9 * second}
        for name in ("node", "guard", "paper"):
            sample[name] = 80.0 + (0.005 * second if name == grows else 0.0)
        samples.append(sample)
    late = [(1e9 * s, late_ms if s >= 1200 else 20.0 + s % 7) for s in range(1800)]
    return list(soak._minutes(samples, late))


def test_what_stays_as_it_is_has_no_problem(soak: ModuleType) -> None:
    found = rows(soak)
    assert soak._problems(found) == []
    assert [row["minute"] for row in found] == list(range(30))
    assert found[7]["orders"] == 60
    assert "Nothing grew." in soak._report(found, [], 1_000, 30)


@pytest.mark.parametrize("name", ["node", "guard", "paper"])
def test_memory_that_grows_is_named(soak: ModuleType, name: str) -> None:
    (problem,) = soak._problems(rows(soak, grows=name))
    assert problem.startswith(f"{name} has 1.")


def test_orders_that_take_longer_at_the_end_are_named(soak: ModuleType) -> None:
    found = soak._problems(rows(soak, late_ms=60.0))
    assert len(found) == 2
    assert "median" in found[0]
    assert "p99" in found[1]


def test_a_process_that_was_not_there_is_no_proof(soak: ModuleType) -> None:
    found = rows(soak)
    found[-1]["guard"] = math.nan
    assert soak._problems(found) == ["guard has nan times the memory that it had by minute 5"]


def test_memory_that_comes_and_goes_does_not_grow(soak: ModuleType) -> None:
    found = rows(soak)
    found[5]["paper"] = 60.0
    assert soak._problems(found) == []
    assert "| minute | node | paper | guard |" in soak._report(found, [], 1_000, 30)
