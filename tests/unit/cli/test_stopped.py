"""Ctrl-C in ``qv data bars`` and ``qv data universe``: whole files or none, and it says which."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quantvista.cli import _make_bars, _universe
from quantvista.data.lake import Lake, Transaction
from quantvista.market import sessions

DAY_0 = 1_709_510_400 * 10**9  # Monday 2024-03-04
QV = "from quantvista.cli import main; main()"
OLD = "what was there before\n"

type Qv = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    times = pl.Series([DAY_0 + number * 30 * 10**9 for number in range(300)])
    rows = {"ts_event": times.cast(pl.Datetime("ns", "UTC")), "instrument": "AAA.DEMO"}
    pl.DataFrame({**rows, "price": 10.0, "size": 1.0}).write_parquet("trades.parquet")
    days = sessions("XNYS", "2024-01-02", "2024-04-30").labels.astype(str).tolist()
    lines = [f"{day},A.XNYS,10.00,100\n{day},B.XNYS,20.00,90\n" for day in days]
    Path("bars.csv").write_text("date,instrument,close,volume\n" + "".join(lines))
    return tmp_path


def stop(*arguments: Any, **options: Any) -> None:  # noqa: ANN401 - in the place of anything
    raise KeyboardInterrupt


def stop_at(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, count: int) -> None:
    """Press Ctrl-C at the so many-th call of a function."""
    real, calls = getattr(owner, name), [0]

    def maybe(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - in the place of anything
        calls[0] += 1
        if calls[0] == count:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, maybe)


def no_traces(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if ".tmp-" in path.name]


BARS = ("data", "bars", "trades.parquet", "-e", "5m", "-e", "1h")
UNIVERSE = ("data", "universe", "--top", "2", "--sessions", "5", "-i", "bars.csv")


@pytest.mark.parametrize("where", ["feed_rows", "collected"])
def test_bars_that_were_stopped_before_the_end_are_not_there(
    qv: Qv, here: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    Path("b-5m.csv").write_text(OLD)
    monkeypatch.setattr(_make_bars, where, stop)
    code, _, err = qv(*BARS, "-o", "b-{bar}.csv")
    assert (code, err) == (130, "error: stopped; nothing was written\n")
    assert Path("b-5m.csv").read_text() == OLD
    assert not Path("b-1h.csv").exists()
    assert no_traces(here)


@pytest.mark.parametrize("count", [1, 2])
def test_no_name_has_half_a_table(
    qv: Qv, here: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    Path("b-5m.csv").write_text(OLD)
    stop_at(monkeypatch, pl.DataFrame, "write_csv", count)
    code, _, err = qv(*BARS, "-o", "b-{bar}.csv")
    assert (code, err) == (130, "error: stopped; nothing was written\n")
    assert Path("b-5m.csv").read_text() == OLD
    assert no_traces(here)


def test_what_has_its_name_already_is_said(
    qv: Qv, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, Path, "replace", 2)
    code, _, err = qv(*BARS, "-o", "b-{bar}.csv")
    assert (code, err) == (130, "error: stopped; b-5m.csv written, and whole\n")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    whole = Path("b-5m.csv").read_bytes()
    assert qv(*BARS, "-o", "b-{bar}.csv")[0] == 0
    assert Path("b-5m.csv").read_bytes() == whole
    assert no_traces(here)


@pytest.mark.parametrize("where", ["upsert", "commit"])
@pytest.mark.parametrize("command", [BARS, UNIVERSE], ids=["bars", "universe"])
def test_the_lake_stays_as_it_was(
    qv: Qv, here: Path, monkeypatch: pytest.MonkeyPatch, where: str, command: tuple[str, ...]
) -> None:
    assert qv("data", "import", "bars.csv", "--into", "mine")[0] == 0
    before = Lake(here / "lake").open("mine").head()
    files = sorted(path.name for path in (here / "lake").rglob("*.parquet"))
    monkeypatch.setattr(Transaction, where, stop)
    code, _, err = qv(*command, "-o", "lake:mine")
    assert (code, err) == (130, "error: stopped; nothing was written\n")
    assert Lake(here / "lake").open("mine").head() == before
    assert sorted(path.name for path in (here / "lake").rglob("*.parquet")) == files
    assert no_traces(here)


def test_a_universe_that_was_stopped_says_what_there_is(
    qv: Qv, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("page.html").write_text(OLD)
    monkeypatch.setattr(_universe, "write_text", stop)
    code, _, err = qv(*UNIVERSE, "-o", "members.csv", "--html", "page.html")
    assert (code, err) == (130, "error: stopped; members.csv written, and whole\n")
    assert pl.read_csv("members.csv").height == 2
    monkeypatch.undo()
    monkeypatch.chdir(here)
    stop_at(monkeypatch, Path, "write_text", 1)
    assert qv(*UNIVERSE, "--html", "page.html")[0] == 130
    assert Path("page.html").read_text() == OLD
    monkeypatch.setattr(_universe, "build_universe", stop)
    code, _, err = qv(*UNIVERSE, "-o", "members.csv")
    assert (code, err) == (130, "error: stopped; nothing was written\n")
    assert no_traces(here)


def test_a_process_that_is_stopped_leaves_nothing(here: Path) -> None:
    """The same with a real signal, while rows are read."""
    times = pl.int_range(0, 3_000_000, eager=True) * 10**9 + DAY_0
    rows = pl.select(times.alias("ts_event"), pl.lit(1.5).alias("price"), pl.lit(2).alias("size"))
    rows.write_csv("ticks.csv")
    command = ("data", "bars", "ticks.csv", "-e", "1m", "-o", "out.parquet")
    process = subprocess.Popen(
        [sys.executable, "-c", QV, *command], stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and not reads(process.pid, here / "ticks.csv"):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "error: stopped; nothing was written\n")
    assert not Path("out.parquet").exists()
    assert no_traces(here)


def reads(process: int, path: Path) -> bool:
    """Whether a process has a file open."""
    for each in Path(f"/proc/{process}/fd").glob("*"):
        with contextlib.suppress(OSError):
            if each.readlink() == path:
                return True
    return False
