"""The engine alone, on random inputs of every kind, against the oracle in plain Python.

Every output and balance is compared, the engine is replaced by what its snapshot restores at every
step, and each part of the seeds must show everything that the engine has a name for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from quantvista import _native
from support.engine_against_oracle import Comparison, kind_of, replay, shrink
from support.engine_coverage import Seen, seen_in
from support.engine_coverage_page import keep, published
from support.engine_invariants import WATCHED, Watch
from support.random_draft import Draft, Step
from support.random_sessions import draft_remote_session, draft_session, draw, random_session

SEEDS = 1_000
REMOTE_SEEDS = 150
"""Further ones, of funds with venues outside."""
PARTS = 2
"""The seeds run in parts, so that they can be spread over cores."""
ONCE_DIFFERENT = (
    *(2852, 2976, 3603, 3616, 3629, 3914, 3981, 4125, 4409),
    *(4798, 4846, 4889, 4953, 5077, 5288, 5530, 5561, 5722),
    *(6340, 6423, 6865, 8165, 8470, 9941, 10325),
)
"""Seeds beyond the thousand at which engine and oracle have differed."""
OUTSIDE_ONCE_DIFFERENT = 168
"""The same of funds with venues outside."""


def required() -> dict[str, set[str]]:
    """What must be seen, by list: all that the engine has a name for."""
    names = {kind: set(found) for kind, found in _native.names.items()}
    names["transition"] = {f"{before} -> {after}" for before, after in _native.TRANSITIONS}
    names["verdict"] = {"all accepted", "price_band held"}
    names["verdict"] |= {f"{rule} rejected" for rule in names["rule"] - {"all"}}
    names["verdict"] |= {f"{rule} cut" for rule in names["cutting_rule"]}
    names["raised"] = set(WATCHED)
    return names


def reproduced(seed: str, config: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> str:
    """Shrink a failure and write down how to see it again."""

    whole = replay(config, inputs, restore=True)
    if whole is None:
        return f"seed {seed}: engine and oracle agree; an invariant fails at input {len(inputs)}"
    kind = kind_of(whole[1])

    def fails(trial: Sequence[Mapping[str, Any]]) -> bool:
        """Say whether it is this difference, and not another that fewer inputs bring up."""
        found = replay(config, trial, restore=True)
        return found is not None and kind_of(found[1]) == kind

    small = shrink(config, inputs[: whole[0] + 1], fails)
    found = replay(config, small, restore=True)
    lines = [
        f"seed {seed}, {len(small)} of {len(inputs)} inputs:",
        "",
        "from support.engine_against_oracle import replay",
        f"config = {config!r}",
        "inputs = [",
        *(f"    {dict(each)!r}," for each in small),
        "]",
        "print(replay(config, inputs))",
        "",
        found[1] if found is not None else "",
    ]
    return "\n".join(lines)


def run(draft: Draft) -> Seen:
    """Run a session through engine and oracle; return what it showed."""
    comparison, watch = Comparison(draft.config, restore=True), Watch(draft.oracle)
    inputs: list[Mapping[str, Any]] = []
    outputs: list[Mapping[str, Any]] = []

    def check(step: Step) -> None:
        inputs.append(step.input)
        found = comparison.step(step.input, step.outputs, draft.oracle)
        watch.step(step.input, found, comparison.engine)
        outputs.extend(found)

    try:
        draw(draft, check)
        comparison.engine.audit()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        seed = f"{'remote ' if draft.remote else ''}{draft.seed}"
        how = reproduced(seed, draft.config, inputs)
        raise AssertionError(f"{error}\n{how}") from error
    taken = [step.input for step in draft.steps if step.outputs is not None]
    seen = seen_in(taken, outputs, draft.oracle)
    for rule, count in watch.raised.items():
        seen["raised", rule] += count
    return seen


@pytest.mark.parametrize("part", range(PARTS))
def test_engine_agrees_with_the_oracle_on_random_inputs_of_every_kind(part: int) -> None:
    seen: Seen = Seen()
    for seed in range(part, SEEDS, PARTS):
        seen.update(run(draft_session(seed)))
    for seed in range(part, REMOTE_SEEDS, PARTS):
        seen.update(run(draft_remote_session(seed)))
    shown = {
        kind: {name: seen[kind, name] for name in sorted(names)}
        for kind, names in required().items()
    }
    keep(part, shown)
    unlisted = {
        (kind, name): count
        for (kind, name), count in seen.items()
        if kind in shown and name not in shown[kind]
    }
    assert not unlisted, "seen, but the engine has no name for it"
    missing = {kind: [name for name in names if not names[name]] for kind, names in shown.items()}
    assert not {kind: names for kind, names in missing.items() if names}
    assert shown == published(part), "run `python tests/support/engine_coverage_page.py`"


@pytest.mark.parametrize("seed", ONCE_DIFFERENT)
def test_a_seed_that_once_differed_agrees(seed: int) -> None:
    run(draft_session(seed))


def test_a_seed_with_venues_outside_that_once_differed_agrees() -> None:
    run(draft_remote_session(OUTSIDE_ONCE_DIFFERENT))


def test_a_seed_draws_the_same_session_twice() -> None:
    first, again = random_session(7), random_session(7)
    assert [step.input for step in first.steps] == [step.input for step in again.steps]


def test_a_failure_is_shrunk_to_the_same_difference_and_told_with_its_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = random_session(7).config
    inputs = [{"ts": number} for number in range(40)]

    def differ(
        _config: Mapping[str, Any], trial: Sequence[Mapping[str, Any]], *, restore: bool = False
    ) -> tuple[int, str] | None:
        given = {each["ts"] for each in trial}
        if {3, 17} <= given:
            return (len(trial) - 1, f"output {len(trial)} differs\n  < order_filled {{}}")
        return (0, "the oracle refuses") if 5 in given else None

    monkeypatch.setitem(globals(), "replay", differ)
    told = reproduced("7", config, inputs)
    assert told.startswith("seed 7, 2 of 40 inputs:")
    assert "    {'ts': 3},\n    {'ts': 17},\n]" in told


def test_differences_are_of_one_kind_whatever_their_figures() -> None:
    filled = "output 2 differs (engine <, oracle >):\n  = x {}\n  < order_filled {}\n  > verdict {}"
    assert kind_of(filled) == kind_of(filled.replace("2", "31").replace("{}", '{"id": 4}'))
    assert kind_of(filled) != kind_of(filled.replace("verdict", "order_filled"))
    assert kind_of("equity: engine 5, oracle 6") == kind_of("equity: engine 7, oracle 8")
    assert kind_of("sleeve 0 equity: engine 5") != kind_of("the oracle refuses; the engine says")


def test_shrinking_keeps_what_fails_and_nothing_else() -> None:
    inputs = [{"ts": number} for number in range(40)]
    small = shrink({}, inputs, lambda trial: {3, 17} <= {each["ts"] for each in trial})
    assert [each["ts"] for each in small] == [3, 17]
