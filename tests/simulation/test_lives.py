"""Simulated lives of a fund, by `support.lives`: docs/guide/simulation.md says what they show."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.lives.life import live

TESTS = Path(__file__).parents[1]
SEEDS = 200
GROUP = 2


@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
def test_lives(first: int) -> None:
    for seed in range(first, first + GROUP):
        outcome = live(seed)
        assert outcome.orders >= 500, f"seed {seed}"
        assert len({kind for kind, _ in outcome.faults}) >= 10, f"seed {seed}"


@pytest.mark.parametrize("seed", [549, 1538, 1944])
def test_lives_that_failed_once(seed: int) -> None:
    live(seed)


def test_a_life_uses_no_clock_no_thread_and_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:  # noqa: ANN401
        raise AssertionError("a life must be nothing but its seed")

    monkeypatch.setattr("logging.disable", lambda *_: None)
    monkeypatch.setattr("logging.Logger.isEnabledFor", lambda *_: False)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"):
        monkeypatch.setattr(time, name, forbidden)
    monkeypatch.setattr(threading.Thread, "start", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(os, "urandom", forbidden)
    for name in ("random", "randrange", "choice", "getrandbits"):
        monkeypatch.setattr(random, name, forbidden)
    live(3)


def test_a_life_is_the_same_in_every_process() -> None:
    """Sets and hashes are ordered otherwise in each of them; the bytes of the journal are not."""
    code = "from support.lives.life import live; print(live(5).digest)"
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=TESTS,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    ]
    assert found[0] == found[1]
    assert len(found[0].strip()) == 64
