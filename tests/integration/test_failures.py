"""What goes wrong in a run is said once, in words, and the folder says that it is not whole."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

import quantvista as qv
from quantvista import backtest
from quantvista.backtest._frames import RunFrames
from quantvista.errors import (
    ConfigError,
    MarketDataError,
    OutputError,
    QuantVistaError,
    StrategyError,
)
from quantvista.fund import LoadedFund, load_fund
from quantvista.market import Panel
from support import command
from support.funds_on_disk import dates, make_fund, prices

ROWS = 60
TABLES = ("equity", "orders", "fills", "positions", "sleeves", "verdicts", "targets")
FUND = """
version = 1
[fund]
name = "mine"
cash = "1000000.00"
[data]
source = "prices.csv"
[[sleeve]]
id = "one"
strategy = "mine.py:Mine"
[portfolio]
rebalance = "week_end"
volatility_window = 10
[risk]
price_band = 0.9
"""
HEAD = """
import time
import numpy as np
import quantvista as qv
class Mine(qv.{base}):
"""


def fund_with(folder: Path, body: str, *, base: str = "EventStrategy") -> Path:
    """A fund file whose strategy is `mine.py`, whose class has this body."""
    folder.mkdir(parents=True, exist_ok=True)
    make_fund(folder, prices(3, ROWS, 3), [{"id": "one", "strategy": "equal_weight"}])
    text = HEAD.format(base=base).lstrip() + textwrap.indent(textwrap.dedent(body), "    ")
    (folder / "mine.py").write_text(text)
    (folder / "fund.toml").write_text(FUND)
    return folder / "fund.toml"


def status(out: Path) -> str:
    return str(json.loads((out / "summary.json").read_text())["status"])


def readable(out: Path) -> dict[str, int]:
    """Rows of each table; none may be missing or broken, and no half-written file may be left."""
    assert not list(out.glob("*.part"))
    frames, missing = RunFrames.read(out)
    assert not missing
    assert frames.equity["ts"].is_sorted()
    return {name: pq.read_table(out / f"{name}.parquet").num_rows for name in TABLES}


# -- strategies that raise or answer nonsense ------------------------------------------------
BUYS = """
def on_bar(self, ctx, bar):
    ctx.submit(bar.instrument, "buy", 5)
    if ctx.clock.now >= {at} and bar.instrument == "I01.XNYS":
        {what}
"""


def late(loaded_dates: int = 30) -> int:
    return int(np.datetime64(dates(ROWS)[loaded_dates], "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raise ValueError('no idea')", "ValueError: no idea"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("ctx.submit('NOPE.XNYS', 'buy', 1)", "`instrument` must be one of the fund"),
        ("ctx.submit(bar.instrument, 'hold', 1)", "`side` does not know"),
        ("ctx.submit(bar.instrument, 'buy', 0.5)", "`quantity` must have no more digits"),
        ("ctx.submit(bar.instrument, 'buy', float('nan'))", "`quantity` must have no more digits"),
        ("ctx.submit(bar.instrument, 'buy', 1e15)", "rejected, not raised"),
        ("ctx.order(999)", "`order_id` 999 is no order of this sleeve"),
        ("ctx.nothing()", "no attribute 'nothing'"),
    ],
)
def test_event_strategy_that_raises_is_named_with_its_place(
    what: str, said: str, tmp_path: Path
) -> None:
    fund, out = fund_with(tmp_path, BUYS.format(at=late(), what=what)), tmp_path / "out"
    if said == "rejected, not raised":
        outcome = backtest.run(fund, out=out)
        assert "rejected" in outcome.orders["status"].to_list()
        return
    with pytest.raises(StrategyError) as caught:
        backtest.run(fund, out=out)
    text = str(caught.value)
    assert said in text
    for part in ("'Mine'", "'one'", "`on_bar`", "'I01.XNYS'", f"{dates(ROWS)[30]}T21:00:00Z"):
        assert part in text
    assert "mine.py:9: " + what in text
    assert status(out) == "failed"
    summary = json.loads((out / "summary.json").read_text())
    assert said in summary["error"]
    rows = readable(out)
    assert rows["equity"] == rows["sleeves"] == 30
    assert rows["fills"] >= 3 * 29


@pytest.mark.parametrize("handler", ["on_fill", "on_timer"])
def test_other_handlers_that_raise_are_named_too(handler: str, tmp_path: Path) -> None:
    body = f"""
    def on_bar(self, ctx, bar):
        ctx.submit(bar.instrument, "buy", 5)
        ctx.set_timer(bar.ts + 1, "soon")
    def {handler}(self, ctx, event):
        raise RuntimeError("oh " + type(event).__name__)
    """
    with pytest.raises(StrategyError, match=rf"`{handler}`.*RuntimeError: oh (?s:.)*mine\.py:10: "):
        backtest.run(fund_with(tmp_path, body), out=tmp_path / "out")
    assert status(tmp_path / "out") == "failed"
    readable(tmp_path / "out")


def test_strategy_that_raises_at_the_first_bar_leaves_empty_tables(tmp_path: Path) -> None:
    body = "def on_bar(self, ctx, bar): raise KeyError('first')"
    with pytest.raises(StrategyError, match="KeyError: 'first'"):
        backtest.run(fund_with(tmp_path, body), out=tmp_path / "out")
    assert status(tmp_path / "out") == "failed"
    assert readable(tmp_path / "out")["equity"] == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("None", "forecast"),
        ("'up'", "forecast"),
        ("[1.0]", "forecast"),
        ("np.ones(99)", "forecast"),
        ("np.full(panel.n, 7.0)", "forecast"),
        ("np.full(panel.n, np.inf)", "forecast"),
        ("np.ones(panel.n, dtype=object)", "forecast"),
        ("np.ones(panel.n) * 1j", "forecast"),
        ("panel.close.fill(1.0)", "read-only"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_garbage_from_a_portfolio_strategy_is_refused(
    answer: str, said: str, tmp_path: Path
) -> None:
    body = f"""
    warm_up = 5
    def forecast(self, panel):
        return {answer}
    """
    with pytest.raises(StrategyError, match=said) as caught:
        backtest.run(fund_with(tmp_path, body, base="PortfolioStrategy"), out=tmp_path / "out")
    assert "Mine" in str(caught.value)
    assert "2015-" in str(caught.value)
    assert status(tmp_path / "out") == "failed"
    readable(tmp_path / "out")


class Sane(qv.PortfolioStrategy):
    """All views missing: no orders, and no error."""

    warm_up = 5

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        return np.full(panel.n, np.nan)


def test_no_view_at_all_is_a_run_without_orders(tmp_path: Path) -> None:
    loaded = make_fund(tmp_path, prices(3, ROWS, 3), [{"id": "one", "strategy": Sane}])
    outcome = backtest.run(loaded, out=tmp_path / "out")
    assert outcome.orders.is_empty()
    assert status(tmp_path / "out") == "complete"


# -- funds that cannot run -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sections", "kind", "said"),
    [
        ({"data": {"start": "2015-03-20"}}, MarketDataError, "must have at least 25 bars"),
        ({"data": {"instruments": []}}, ConfigError, "instruments"),
        ({"data": {"instruments": ["NOPE.XNYS"]}}, QuantVistaError, "NOPE.XNYS"),
        ({"data": {"start": "2030-01-01"}}, QuantVistaError, "2030-01-01"),
        ({"data": {"end": "1990-01-01"}}, QuantVistaError, "1990-01-01"),
        ({"data": {"source": "nowhere.csv"}}, MarketDataError, "nowhere.csv"),
        ({"venue": [{"participation_max": "0.1"}]}, ConfigError, "participation_max"),
    ],
)
def test_fund_that_cannot_run_is_refused_before_anything_is_written(
    sections: dict[str, Any], kind: type[QuantVistaError], said: str, tmp_path: Path
) -> None:
    sleeves = [{"id": "one", "strategy": "trend", "params": {"lookback": 20}}]
    with pytest.raises(kind, match=said):
        backtest.run(
            make_fund(tmp_path, prices(3, ROWS, 3), sleeves, **sections), out=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


# -- folders that cannot be written ----------------------------------------------------------
@pytest.fixture
def loaded(tmp_path: Path) -> LoadedFund:
    sleeves = [{"id": "one", "strategy": "equal_weight"}]
    return make_fund(tmp_path / "fund", prices(3, ROWS, 3), sleeves)


def test_out_that_is_a_file_is_refused_and_left_alone(loaded: LoadedFund, tmp_path: Path) -> None:
    file = tmp_path / "results"
    file.write_text("precious")
    for out in (file, file / "deeper"):
        with pytest.raises(OutputError, match="`out` must be a folder that can be written; found"):
            backtest.run(loaded, out=out)
    assert file.read_text() == "precious"


def test_earlier_outputs_go_and_other_files_stay(loaded: LoadedFund, tmp_path: Path) -> None:
    out = tmp_path / "out"
    backtest.run(loaded, out=out)
    (out / "notes.txt").write_text("mine")
    (out / "report.html").write_text("old")
    with pytest.raises(StrategyError):
        backtest.run(fund_with(tmp_path / "bad", "def on_bar(self, c, b): 1 / 0"), out=out)
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "report.html").exists()
    assert status(out) == "failed"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("name", ["equity", "fills", "summary.json"])
def test_write_that_fails_is_explained(
    loaded: LoadedFund, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, name: str
) -> None:
    replace: Callable[[Path, Path], Path] = Path.replace
    out, count = tmp_path / "out", 0

    def fail(self: Path, target: Path) -> Path:
        nonlocal count
        count += target.name.startswith(name)
        # The first summary.json says `incomplete`; the last one is what fails.
        if target.name.startswith(name) and count == (2 if name == "summary.json" else 1):
            raise OSError(code, os.strerror(code), str(self))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    said = "the disk full" if code == errno.ENOSPC else os.strerror(code).lower()
    with pytest.raises(OutputError, match=said) as caught:
        backtest.run(loaded, out=out)
    assert str(out) in str(caught.value)
    assert status(out) == "incomplete"
    assert not list(out.glob("*.part"))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts small memory file systems; only root may."""
    made: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / "mounted"
        folder.mkdir(exist_ok=True)
        call = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(call, capture_output=True, check=False)
        except OSError:
            pytest.skip("cannot mount here")
        if done.returncode != 0:
            pytest.skip("cannot mount here")
        made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("size", [0, 20])
def test_full_disk_ends_with_one_sentence(mounted: Callable[..., Path], size: int) -> None:
    folder = mounted("size=100k")
    fund_with(folder, BUYS.format(at=2**62, what="pass"))
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "ballast").write_bytes(b"x" * (free - size * 1024))
    done = command.qv("run", "fund.toml", "--out", folder / "out", cwd=folder)
    assert done.returncode == 1, done.stderr
    assert "disk" in done.stderr
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    if (folder / "out" / "summary.json").exists():
        assert status(folder / "out") != "complete"


def test_read_only_disk_ends_with_one_sentence(
    mounted: Callable[..., Path], loaded: LoadedFund
) -> None:
    folder = mounted("size=64k,ro")
    with pytest.raises(OutputError, match="found read-only file system"):
        backtest.run(loaded, out=folder / "out")


# -- Ctrl-C ----------------------------------------------------------------------------------
SLOW = {
    "EventStrategy": """
    def on_bar(self, ctx, bar):
        ctx.submit(bar.instrument, "buy", 5)
        time.sleep(0.02)
    """,
    "PortfolioStrategy": """
    warm_up = 1
    def forecast(self, panel):
        time.sleep(0.3)
        return np.ones(panel.n)
    """,
}


@pytest.mark.parametrize("base", SLOW)
def test_interrupt_leaves_a_readable_folder_marked_incomplete(base: str, tmp_path: Path) -> None:
    fund_with(tmp_path, SLOW[base], base=base)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "quantvista", "run", "fund.toml", "--out", str(out)],
        cwd=tmp_path,
        env=command.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        deadline = time.monotonic() + 60
        while not (out / "summary.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.7)
        assert process.poll() is None, "too fast to be interrupted"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "stopped by the user at 2015-" in error
    assert "Traceback" not in error
    assert status(out) == "incomplete"
    rows = readable(out)
    assert 0 < rows["equity"] < ROWS


def test_interrupt_in_the_engine_is_heard_without_a_strategy(tmp_path: Path) -> None:
    """The loop in Rust looks for signals itself, where no Python runs between the bars."""
    code = """
    import numpy as np, os, signal, threading
    from quantvista.engine import Session, engine_config, LimitRates, SleeveCash, VenueRates
    from quantvista.market import Instrument
    from decimal import Decimal
    names = [f"I{i:03d}.XNYS" for i in range(200)]
    config = engine_config(fund="f", currency="USD", instruments=[Instrument(n) for n in names],
        close_only=True, sleeves=[SleeveCash("one", Decimal(1000))], venue=VenueRates(),
        limits=LimitRates())
    rows = 50_000
    feed = dict(ts=np.arange(1, rows + 1), close=np.full(rows * 200, 100), open=None, high=None,
        low=None, volume=None, session_start=b"1" * rows, session_end=b"1" * rows)
    session = Session(config, feed, record="nothing")
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            session.run(rows, [])
            if session.row == rows: session = Session(config, feed, record="nothing")
    except KeyboardInterrupt:
        print("heard")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == "heard\n", done.stderr


def test_fund_given_as_a_folder_is_refused(tmp_path: Path) -> None:
    fund_with(tmp_path, "def on_bar(self, ctx, bar): pass")
    with pytest.raises(ConfigError, match=r"must be a file; found the folder.*fund\.toml\?"):
        load_fund(tmp_path)
