"""The run folder: it never takes a user's files, is never shared, and says `complete` last."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import quantvista as qv
from quantvista import backtest
from quantvista.backtest import RunFolder
from quantvista.errors import ConfigError, OutputError, QuantVistaError
from support import command
from support.funds_on_disk import make_fund, prices

FUND = """
[fund]
name = "mine"
cash = "1000000.00"
[data]
source = "{source}"
[[sleeve]]
id = "one"
strategy = "{strategy}"
[portfolio]
volatility_window = 10
rebalance = "week_end"
"""
STRATEGY = """
import os
import quantvista as qv
class Mine(qv.EventStrategy):
    def on_bar(self, ctx, bar):
        ctx.submit(bar.instrument, "buy", 1)
        {what}
"""


def folder_with(
    folder: Path,
    *,
    what: str = "pass",
    rows: int = 40,
    source: str = "prices.csv",
    strategy: str = "mine.py:Mine",
) -> Path:
    """Write `fund.toml`, its prices and its strategy; return the fund file."""
    make_fund(folder, prices(3, rows, 2), [{"id": "one", "strategy": "equal_weight"}])
    if source != "prices.csv":
        (folder / source).parent.mkdir(exist_ok=True)
        (folder / "prices.csv").rename(folder / source)
    (folder / "mine.py").write_text(textwrap.dedent(STRATEGY.format(what=what)))
    (folder / "fund.toml").write_text(FUND.format(source=source, strategy=strategy))
    return folder / "fund.toml"


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def status(out: Path) -> str:
    return str(json.loads((out / "summary.json").read_text())["status"])


# -- the user's own files --------------------------------------------------------------------
@pytest.mark.parametrize("out", [".", "", "data", "run"])
def test_folder_that_the_run_reads_from_is_refused_and_left_alone(out: str, tmp_path: Path) -> None:
    fund = folder_with(tmp_path, source="data/prices.csv")
    (tmp_path / "run").mkdir()
    shutil.copy(fund, tmp_path / "run" / "run.toml")
    if out == "run":
        fund = tmp_path / "run" / "run.toml"
        fund.write_text(FUND.format(source="../data/prices.csv", strategy="equal_weight"))
    before = content(tmp_path)
    done = command.qv("run", fund, "--out", out, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    said = "`out` must not be a folder that the run reads" if out else "`out` must name a folder"
    assert said in done.stderr
    assert content(tmp_path) == before


@pytest.mark.parametrize("name", ["equity.parquet", "run.toml", "report.html", "summary.json"])
def test_files_that_are_not_of_a_run_are_not_replaced(name: str, tmp_path: Path) -> None:
    fund, out = folder_with(tmp_path / "fund"), tmp_path / "mine"
    out.mkdir()
    for text in ("precious", '{"schema_version": 7, "status": "complete"}', "[]"):
        (out / name).write_text(text)
        with pytest.raises(ConfigError, match=f"found {name} of another origin"):
            backtest.run(fund, out=out)
        assert content(out) == {name: text.encode()}
    with pytest.raises(ConfigError, match="of another origin"):
        qv.run(fund).report(out)


def test_link_into_the_folder_counts_as_lying_in_it(tmp_path: Path) -> None:
    fund, out = folder_with(tmp_path / "fund"), tmp_path / "out"
    backtest.run(fund, out=out)
    (out / "run.toml").unlink()
    (out / "run.toml").symlink_to(fund)
    with pytest.raises(ConfigError, match="a folder that the run reads"):
        backtest.run(make_linked(out / "run.toml", tmp_path / "fund"), out=out)
    assert fund.read_text().startswith("\n[fund]")


def make_linked(path: Path, base: Path) -> qv.fund.LoadedFund:
    return qv.fund.load_fund(path, base=base)


def test_folder_of_an_earlier_run_is_replaced_even_if_it_was_cut_off(tmp_path: Path) -> None:
    fund, out = folder_with(tmp_path / "fund"), tmp_path / "out"
    backtest.run(fund, out=out)
    for name in ("equity.parquet", "fills.parquet"):
        (out / name).unlink()
    (out / "summary.json").write_text('{"schema_version": 1, "status": "incomplete"}')
    (out / ".lock").write_text("")  # of a run that was killed
    backtest.run(fund, out=out)
    assert status(out) == "complete"
    assert not (out / ".lock").exists()


@pytest.mark.parametrize("out", ["", "a\0b", "odd\udcff"])
def test_name_that_is_no_path_is_refused(out: str, tmp_path: Path) -> None:
    fund = folder_with(tmp_path)
    with pytest.raises(ConfigError, match="`out` must"):
        backtest.run(fund, out=out)


# -- two at once -----------------------------------------------------------------------------
def test_second_run_into_a_folder_is_refused_while_the_first_writes(tmp_path: Path) -> None:
    fund, out = folder_with(tmp_path / "fund"), tmp_path / "out"
    with RunFolder(out):
        before = content(out)
        done = command.qv("run", fund, "--out", out, cwd=tmp_path)
        assert done.returncode == 1
        assert "found another run that is writing here" in done.stderr
        with pytest.raises(OutputError, match="another run"):
            backtest.run(fund, out=out)
        assert content(out) == before
    backtest.run(fund, out=out)
    assert status(out) == "complete"


def test_lock_is_held_while_the_strategy_runs_and_given_back_after(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fund = folder_with(
        tmp_path / "fund", what=f"assert os.path.exists({str(out / '.lock')!r}); 1 / 0"
    )
    for _ in range(2):
        with pytest.raises(QuantVistaError, match="ZeroDivisionError"):
            backtest.run(fund, out=out)
        assert not (out / ".lock").exists()


# -- a whole folder --------------------------------------------------------------------------
def test_disk_that_fills_up_at_the_report_leaves_no_complete_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantvista.cli._run import run_fund

    replace: Callable[[Path, Path], Path] = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "report.html":
            raise OSError(28, "No space left on device", str(self))
        return replace(self, target)

    fund, out = folder_with(tmp_path / "fund"), tmp_path / "out"
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="the disk full"):
        run_fund(fund, out=str(out), demo=False, as_json=False, quiet=True)
    assert status(out) == "incomplete"
    assert not (out / "report.html").exists()


def test_report_of_a_run_is_that_of_its_folder(tmp_path: Path) -> None:
    fund = folder_with(tmp_path)
    assert command.qv("run", fund, "--out", "out", cwd=tmp_path).returncode == 0
    page = (tmp_path / "out" / "report.html").read_bytes()
    assert command.qv("report", "out", cwd=tmp_path).returncode == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page
    assert qv.run(fund).report(tmp_path / "again").read_bytes() == page


def test_folder_stays_where_it_was_meant_if_a_strategy_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder_with(tmp_path, what=f"os.chdir({str(elsewhere)!r})")
    done = command.qv("run", "fund.toml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert status(tmp_path / "out") == "complete"
    assert (tmp_path / "out" / "report.html").exists()
    assert list(elsewhere.iterdir()) == []


def test_json_is_pure_though_the_strategy_prints(tmp_path: Path) -> None:
    fund = folder_with(tmp_path, what="print('a bar')")
    done = command.qv("run", fund, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "complete"
    assert "a bar" in done.stderr


# -- the comparison --------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_run_too_short_to_compare_is_complete_and_says_so(rows: int, tmp_path: Path) -> None:
    folder_with(tmp_path)
    table = (tmp_path / "prices.csv").read_text().splitlines()
    (tmp_path / "prices.csv").write_text("\n".join(table[: rows + 1]) + "\n")
    done = command.qv("run", "fund.toml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["status"] == "complete"
    assert "equal_weight" not in summary["comparisons"]
    (said,) = [text for text in summary["assumptions"] if "equal weight" in text.lower()]
    assert said.startswith("There is no comparison with equal weight: `data` must have at least 5")


# -- strategies ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raise BaseException('boo')", "BaseException: boo"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise BaseExceptionGroup('two', [KeyboardInterrupt()])", "BaseExceptionGroup: two"),
        ("raise type('E', (Exception,), {'__str__': lambda s: 1 / 0})", "E that cannot be written"),
        ("raise ValueError('odd ' + chr(0xd800))", r"ValueError: odd \ud800"),
    ],
)
def test_whatever_a_handler_raises_is_the_strategys_failure(
    what: str, said: str, tmp_path: Path
) -> None:
    fund = folder_with(tmp_path, what=what)
    done = command.qv("run", fund, "--out", "out", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    for part in (said, "'Mine' of sleeve 'one'", "`on_bar` for instrument", "mine.py:7: "):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert status(tmp_path / "out") == "failed"
    error = json.loads((tmp_path / "out" / "summary.json").read_text())["error"]
    assert said in error


@pytest.mark.parametrize("what", ["del self.params", "self.params = None"])
def test_parameters_are_written_as_they_were_at_the_start(what: str, tmp_path: Path) -> None:
    if what.startswith("del"):
        what = "self.__dict__.pop('params', None)"
    outcome = backtest.run(folder_with(tmp_path, what=what), out=tmp_path / "out")
    assert outcome.summary["sleeves"][0]["params"] == {}


@pytest.mark.parametrize("body", ["warm_up = 'abc'", "warm_up = None", "warm_up = -1"])
def test_wrong_warm_up_of_an_event_strategy_ends_with_4(body: str, tmp_path: Path) -> None:
    fund = folder_with(tmp_path)
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(f"{text}    {body}\n")
    done = command.qv("run", fund, "--out", "out", cwd=tmp_path)
    assert done.returncode == 4
    assert "`warm_up` must be a whole number of rows, at least 0" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_out_that_is_no_text_is_refused(tmp_path: Path) -> None:
    fund = folder_with(tmp_path)
    done = command.qv("run", fund, "--out", "o\udcff", cwd=tmp_path)
    assert done.returncode == 2
    assert "`out` must be a path in UTF-8" in done.stderr
