"""``qv run`` around a run that is not one: what is printed, and how it ends."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quantvista import backtest, reporting
from quantvista.errors import (
    ConfigError,
    EngineError,
    MarketDataError,
    OutputError,
    RunInterruptedError,
    StrategyError,
)
from quantvista.fund import LoadedFund

type Qv = Callable[..., Any]


def _metrics(**values: float | None) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": value} if value is not None else {"value": None, "reason": "flat"}
        for name, value in values.items()
    }


SUMMARY: dict[str, Any] = {
    "schema_version": 1,
    "status": "complete",
    "verdict": "Made 7.0 % a year after costs against 5.0 % for SP500.INDEX.",
    "error": "",
    "fund": {
        "name": "demo", "currency": "USD", "benchmark": "SP500.INDEX", "cash": "100.00",
        "equity": None, "source": "sample:sp500", "time_zone": "UTC", "calendar": "XNYS",
    },
    "period": {
        "start": "1990-01-02", "end": "2022-12-28", "sessions": 8313, "years": 33.0,
        "periods_a_year": 252.0, "first_fill": None,
    },
    "metrics": _metrics(cagr=0.07, sharpe=0.615, sharpe_se=0.18, max_drawdown=-0.345, beta=0.8),
    "comparisons": {
        "benchmark": {"id": "SP500.INDEX", "metrics": _metrics(cagr=0.05, sharpe=None)},
        "equal_weight": {"metrics": _metrics(cagr=-0.0001)},
    },
    "costs": {
        "fees": "1234.5", "slippage": "10", "total": "1244.5", "bps_of_turnover": 3.04,
        "traded": "0.00", "bps_a_year": None,
    },
    "counts": {"orders": 1000, "fills": 900, "crosses": 20, "cut": 3, "rejected": 0, "expired": 1},
    "limits_hit": [{"rule": "sector", "outcome": "cut", "count": 3}],
    "biases": [{"name": "close_only", "text": "There is no open, high or low."}],
    "contribution": {"sleeves": [], "instruments": [], "pairs": [], "total": "0.00"},
    "trials": None,
    "unfilled": [{"reason": "volume", "count": 1096}],
    "since_first_fill": {
        "date": "1991-02-01",
        "fund": _metrics(cagr=0.09, total_return=2.0),
        "benchmark": _metrics(cagr=0.05, total_return=1.0),
    },
    "fingerprint": {},
    **{key: [] for key in ("sleeves", "instruments", "drawdowns", "worst_days", "assumptions")},
}  # fmt: skip


PAGES = {"report.html": "<html>"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the run and the report; what they were called with."""
    calls: list[Any] = []

    def run(
        loaded: LoadedFund,
        *,
        out: str,
        progress: Callable[..., None],
        pages: Callable[..., dict[str, str]],
        journal: str | None,
    ) -> SimpleNamespace:
        assert journal is None
        calls.append((loaded, out))
        assert pages(SimpleNamespace(frames=None, summary=SUMMARY, config="")) == PAGES
        print("a strategy says")
        progress(0, 0, "loading")
        progress(1, 2, "demo")
        progress(2, 2, "demo")
        return SimpleNamespace(summary=SUMMARY, out=out)

    def write_report(folder: Path) -> Path:
        calls.append(folder)
        return folder / "report.html"

    monkeypatch.setattr(backtest, "run", run)
    monkeypatch.setattr(reporting, "write_report", write_report)
    monkeypatch.setattr(reporting, "report_html", lambda *_: PAGES["report.html"])
    return calls


def test_run_prints_verdict_table_costs_limits_biases_and_next(qv: Qv, fake: list[Any]) -> None:
    done = qv("run", "--demo", "--out", "out/x")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines.pop(0) == "a strategy says"
    assert lines[0] == "demo, 1990-01-02 to 2022-12-28"
    assert lines[1].startswith("Made 7.0 % a year after costs")
    assert max(len(line) for line in lines) <= 80
    for text in (
        "equal weight",
        "0.61 ± 0.18",
        "\N{MINUS SIGN}34.5",
        "Since its first fill (1991-02-01): 9.0 % a year, SP500.INDEX 5.0 %.",
        "Left unfilled: volume 1,096.",
        "Costs: USD 1,244.50 (USD 1,234.50 fees, USD 10.00 slippage), 3.0 bp",
        "Orders: 1,000 sent, 900 fills (20 between sleeves, two to a cross), 3 cut, 1",
        "Limits hit: sector cut 3.",
        "Bias, close only: There is no open, high or low.",
        "Report: out/x/report.html",
        "qv init my-fund",
    ):
        assert text in done.out
    (row,) = [line for line in lines if line.startswith("Return a year")]
    assert row.split()[-3:] == ["7.0", "5.0", "\N{MINUS SIGN}0.010"]


def test_run_json_is_pure(qv: Qv, fake: list[Any]) -> None:
    done = qv("run", "--demo", "--json")
    assert json.loads(done.out) == SUMMARY
    assert done.err == "a strategy says\n"


def test_run_quiet_prints_the_verdict_only(qv: Qv, fake: list[Any]) -> None:
    assert qv("run", "--demo", "--quiet").out == SUMMARY["verdict"] + "\n"


def test_run_takes_fund_toml_and_a_folder_named_after_it(
    qv: Qv, fake: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = qv("run")
    assert done.code == 2
    assert "where there is no fund.toml" in done.err
    qv("init", ".", "-t", "csv")
    done = qv("run")
    assert done.code == 0
    assert "qv compare out/my-prices OTHER_RUN" in done.out
    loaded, out = fake[0]
    assert loaded.fund.fund.name == "my-prices"
    assert out == "out/my-prices"


def test_demo_and_a_fund_file_exclude_each_other(qv: Qv, fake: list[Any]) -> None:
    assert qv("run", "fund.toml", "--demo").code == 2


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("`a` must be b"), 2, "error: `a` must be b"),
        (MarketDataError("p.csv: the file is empty"), 3, "error: p.csv: the file is empty"),
        (StrategyError("strategy 'X' raised\n  mine.py:7: 1 / 0"), 4, "mine.py:7: 1 / 0"),
        (EngineError("refused"), 1, "error: refused"),
        (OutputError("the disk is full"), 1, "choose another folder with --out"),
        (RunInterruptedError("stopped by the user"), 130, "marked incomplete"),
        (KeyboardInterrupt(), 130, "error: stopped"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 1, "error: the disk is full: x"),
        (PermissionError(13, "Permission denied", "x"), 1, "error: permission denied: x"),
        (ZeroDivisionError("division by zero"), 1, "internal error: ZeroDivisionError"),
        (GeneratorExit("odd \ud800"), 1, r"internal error: GeneratorExit: odd \ud800"),
    ],
)
def test_error_is_said_once_with_the_exit_code_of_its_kind(
    qv: Qv,
    fake: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    message: str,
) -> None:
    def run(*_args: object, **_keywords: object) -> None:
        raise error

    monkeypatch.setattr(backtest, "run", run)
    done = qv("run", "--demo")
    assert (done.code, done.out) == (code, "")
    assert done.err.count(message) == 1
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err


def test_debug_shows_the_traceback_too(
    qv: Qv, fake: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_args: object, **_keywords: object) -> None:
        raise ConfigError("`a` must be b")

    monkeypatch.setattr(backtest, "run", run)
    for done in (qv("--debug", "run", "--demo"), _with_env(qv, monkeypatch)):
        assert done.code == 2
        assert "Traceback" in done.err
        assert "error: `a` must be b" in done.err
    monkeypatch.delenv("QV_DEBUG")
    assert "Traceback" not in qv("run", "--demo").err


def _with_env(qv: Qv, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    monkeypatch.setenv("QV_DEBUG", "1")
    return qv("run", "--demo")


def test_fund_file_that_is_a_folder_ends_with_2(qv: Qv, tmp_path: Path) -> None:
    done = qv("run", tmp_path)
    assert done.code == 2
    assert "must be a file; found the folder" in done.err


def test_colour_is_used_where_it_is_welcome(
    qv: Qv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31merror" in qv("run", tmp_path).err


def test_compare_puts_runs_side_by_side(qv: Qv, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three", "four")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        metrics = _metrics(cagr=0.01 * number, sharpe=0.5, sharpe_se=0.1)
        period = {**SUMMARY["period"], "end": f"202{number}-12-28"}
        summary = {**SUMMARY, "metrics": metrics, "period": period}
        (folder / "summary.json").write_text(json.dumps(summary))
    done = qv("compare", *folders)
    assert done.code == 0
    assert max(len(line) for line in done.out.splitlines()) <= 80
    rows = [line.split() for line in done.out.splitlines() if line.startswith("Return a year")]
    assert [row[-1] for row in rows] == ["2.0", "3.0"]
    assert "The periods differ" in done.out
    found = json.loads(qv("compare", *folders, "--json").out)
    assert [Path(run["run_dir"]).name for run in found["runs"]] == ["one", "two", "three", "four"]
    assert found["runs"][1]["metrics"]["cagr"]["value"] == 0.01


def test_compare_refuses_a_run_without_metrics(qv: Qv, tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps({**SUMMARY, "metrics": {}}))
    done = qv("compare", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"`run_dir` must hold results; found no metrics in {tmp_path}" in done.err


def test_compare_tells_runs_of_the_same_name_apart(qv: Qv, tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "demo").mkdir(parents=True)
        path = tmp_path / parent / "demo" / "summary.json"
        path.write_text(json.dumps({**SUMMARY, "status": "incomplete"}))
    done = qv("compare", tmp_path / "a" / "demo", tmp_path / "b" / "demo")
    assert done.out.count("is incomplete.") == 2


def test_report_is_written_again(qv: Qv, fake: list[Any], tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    assert qv("report", tmp_path).out == f"wrote {tmp_path / 'report.html'}\n"
    assert fake == [tmp_path]
