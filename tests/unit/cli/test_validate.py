import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quantvista.backtest.validate import RULES, Finding, Report
from quantvista.backtest.validate._compare import Difference
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._result import Fill, Result
from quantvista.cli import _complete, _validate

type Qv = Callable[..., Any]


def test_without_the_environment_it_says_how_to_make_it(
    qv: Qv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = qv("validate", "--against", "nautilus", "--python", tmp_path / "none")
    assert (done.code, done.out) == (2, "")
    assert "make nautilus" in done.err


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--against", "lean"), "`--against` must be nautilus; found 'lean'"),
        (("--against", "nautilus", "--sessions", 0), "`--sessions` must be at least 1; found 0"),
        (("--against", "nautilus", "--kind", "news"), "`--kind` must be all, bars"),
    ],
)
def test_wrong_options_are_named(qv: Qv, options: tuple[object, ...], text: str) -> None:
    done = qv("validate", *options)
    assert done.code == 2
    assert text in done.err


def test_options_complete() -> None:
    assert _complete.systems("na") == ["nautilus"]
    assert _complete.data_kinds("b") == ["bars", "books"]
    assert _complete.data_kinds("x") == []


def report(*, unexplained: bool) -> Report:
    found = Report()
    result = Result(tuple(Fill(1, 1, "buy", 1, 1, Decimal(0), "taker") for _ in range(12)), ())
    found.note(generate(1), result, None)
    session = generate(2)
    order = next(iter(session.orders()))
    mine = Fill(session.end, order, "buy", 1, 100, Decimal(0), "maker")
    difference = Difference(session.end, "fills", "the fills are not the same", (mine,), ())
    found.note(session, result, Finding(session, difference, RULES[0].name))
    if unexplained:
        found.note(session, result, Finding(session, difference, None))
    return found


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Callable[[Report], None]:
    def inner(value: Report) -> None:
        monkeypatch.setattr(_validate, "validate", lambda **_: value)

    return inner


def test_known_differences_are_counted_and_the_command_passes(
    qv: Qv, reported: Callable[[Report], None]
) -> None:
    reported(report(unexplained=False))
    done = qv("validate", "--against", "nautilus")
    assert done.code == 0
    assert "1 alike to the end (50.0 %), 24 fills, at least 12 in each" in done.out
    assert RULES[0].name in done.out
    assert "No difference is unexplained." in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_an_unexplained_difference_is_shown_side_by_side_and_fails(
    qv: Qv, reported: Callable[[Report], None]
) -> None:
    reported(report(unexplained=True))
    done = qv("validate", "--against", "nautilus")
    assert done.code == 1
    assert "1 session differs without an explanation" in done.out
    assert "seed 2, trades" in done.out
    assert "buy 1 @ 100 maker" in done.out
    assert "qv validate --against nautilus --kind trades --seed 2 --sessions 1" in done.out


def test_json_has_every_count(qv: Qv, reported: Callable[[Report], None]) -> None:
    reported(report(unexplained=True))
    done = qv("validate", "--against", "nautilus", "--json")
    assert done.code == 1
    value = json.loads(done.out)
    assert (value["sessions"], value["alike"], value["fills_min"]) == (3, 1, 12)
    assert value["kinds"]["trades"] == {"alike": 0, "sessions": 2}
    assert value["rules"][0]["name"] == RULES[0].name
    (found,) = value["unexplained"]
    assert (found["seed"], found["rule"], found["theirs"]) == (2, None, [])
