"""Real runs from the command line: what a user sees, and what is left on disk."""

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

type Qv = Callable[..., Any]


@pytest.fixture
def fund(qv: Qv, tmp_path: Path) -> Path:
    assert qv("init", tmp_path, "-t", "csv").code == 0
    return tmp_path / "fund.toml"


def _status(folder: Path) -> str:
    return str(json.loads((folder / "summary.json").read_text())["status"])


def test_run_writes_everything_and_the_same_bytes_twice(qv: Qv, fund: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = qv("run", fund, "--out", tmp_path / name)
        assert (done.code, done.err) == (0, "")
        assert max(len(line) for line in done.out.splitlines() if str(tmp_path) not in line) <= 80
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"report.html", "run.toml", "summary.json", "fills.parquet"} <= set(files)
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert _status(tmp_path / "one") == "complete"
    assert qv("compare", tmp_path / "one", tmp_path / "two").code == 0
    assert qv("report", tmp_path / "one").code == 0
    again = qv("run", tmp_path / "one" / "run.toml", "--out", tmp_path / "three")
    assert again.code == 3  # the resolved file names prices.csv beside itself
    assert "'prices.csv' does not exist" in again.err


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ('strategy = "trend"', 'strategy = "tren"', 4, "did you mean 'trend'"),
        ('strategy = "trend"', 'strategy = "mine.py:X"', 4, "must name a file that exists"),
        ("lookback = 40", "lookbak = 40", 2, "did you mean 'lookback'"),
        ("lookback = 40", "lookback = -1", 2, "lookback"),
        ('source = "prices.csv"', 'source = "none.csv"', 3, "'none.csv' does not exist"),
        ('source = "prices.csv"', 'source = "lake:eod"', 3, "found no 'eod', it is empty"),
        ('calendar = "XNYS"', 'calendar = "XNYZ"', 2, "did you mean"),
        ('[data.sectors]\n"NORTH.DEMO" = "Energy"', "[data.sectors]", 2, "found none for 'NORTH"),
        ("[data.sectors]", "start = 2030-01-02\n[data.sectors]", 3, "must lie within the data"),
        ("[risk]", "[service]\n[risk]", 2, "`[service]` is not yet available"),
    ],
)
def test_bad_input_ends_with_its_code_and_without_traceback(
    qv: Qv, fund: Path, tmp_path: Path, old: str, new: str, code: int, message: str
) -> None:
    text = fund.read_text()
    assert old in text
    fund.write_text(text.replace(old, new, 1))
    done = qv("run", fund, "--out", tmp_path / "out")
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "internal error" not in done.err


def test_strategy_that_raises_is_shown_with_its_line(qv: Qv, fund: Path, tmp_path: Path) -> None:
    _own_strategy(fund, "1 / 0")
    done = qv("run", fund, "--out", tmp_path / "out")
    assert done.code == 4
    for text in ("'Mine'", "'trend'", "2023-01-06T21:00:00Z", "mine.py:6: 1 / 0"):
        assert text in done.err
    assert _status(tmp_path / "out") == "failed"


def test_interrupted_run_is_marked_incomplete(fund: Path, tmp_path: Path) -> None:
    _own_strategy(fund, "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    done = subprocess.run(
        [sys.executable, "-m", "quantvista", "run", str(fund), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert "stopped by the user" in done.stderr
    assert "Traceback" not in done.stderr
    assert _status(tmp_path / "out") == "incomplete"


def test_full_disk_is_said_and_the_run_marked_incomplete(
    qv: Qv, fund: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_keywords: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pyarrow.parquet, "write_table", refuse)
    done = qv("run", fund, "--out", tmp_path / "out")
    assert done.code == 1
    assert "the disk full" in done.err
    assert done.err.count("--out") == 1
    assert _status(tmp_path / "out") == "incomplete"


def _own_strategy(fund: Path, body: str) -> None:
    lines = [
        "import quantvista as qv",
        "",
        "class Mine(qv.PortfolioStrategy):",
        "    warm_up = 2",
        "    def forecast(self, panel):",
        f"        {body}",
        "        return panel.close[-1] * 0 + 1",
    ]
    (fund.parent / "mine.py").write_text("\n".join(lines) + "\n")
    text = fund.read_text().replace('strategy = "trend"', 'strategy = "mine.py:Mine"')
    fund.write_text(text.replace("params = { lookback = 40 }\n", ""))
