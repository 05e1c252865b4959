"""The planted bugs of ``make mutants``, without planting them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def mutants(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "mutants.py"), "--generated", "0"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_every_planted_bug_has_its_place_in_the_engine() -> None:
    done = mutants("--check")
    assert done.returncode == 0, done.stderr


def test_planted_bugs_are_listed_by_name() -> None:
    done = mutants("--list", "--only", "dividend")
    assert "planted    a dividend is paid twice" in done.stdout.splitlines()
    assert "fee" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "no such bug"), "`--only` must be part of a name; found 'no such bug'"),
        (("--generated", "-1"), "`--generated` must not be negative; found -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], said: str) -> None:
    done = mutants(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
