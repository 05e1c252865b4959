"""``qv features`` and ``qv check`` on files."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from support.feature_bars import feature_bars


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    path = tmp_path / "bars.parquet"
    table = feature_bars(2, 120, 2, gaps=0.0).select(
        pl.from_epoch(pl.col("ts") + 10**18, time_unit="ns").dt.replace_time_zone("UTC"),
        "instrument",
        "open",
        "high",
        "low",
        "close",
        "volume",
    )
    table.write_parquet(path)
    return path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_compute_writes_a_column_for_each_feature(bars: Path) -> None:
    out = bars.with_name("out.parquet")
    code, said = run(
        "features", "compute", "rsi(close, 14)", "fast=mean(5)", "-i", str(bars), "-o", str(out)
    )
    assert code == 0, said
    table = pl.read_parquet(out)
    assert table.columns == ["ts", "instrument", "rsi(close, 14)", "fast"]
    assert table["fast"].null_count() == 2 * 4


def test_list_and_show_say_what_there_is() -> None:
    code, said = run("features", "list", "--json")
    assert code == 0
    assert len(json.loads(said)) >= 120
    code, said = run("features", "show", "rsi_14", "--json")
    assert json.loads(said)["expression"] == "rsi(close, 14)"
    code, said = run("features", "list", "--operators", "--json")
    assert {"name", "call", "formula", "source"} <= set(json.loads(said)[0])
    code, said = run("features", "show", "mean")
    assert "mean(x, n)" in said


def test_plot_draws_a_page(bars: Path) -> None:
    out = bars.with_name("page.html")
    code, said = run("features", "plot", "rsi_14", "sma_gap", "-i", str(bars), "-o", str(out))
    assert code == 0, said
    assert out.read_text().count("<svg") == 3


def test_store_keeps_and_lists(bars: Path) -> None:
    lake = str(bars.with_name("lake"))
    code, said = run("features", "store", "add", "core", "rsi_14", "-i", str(bars), "--lake", lake)
    assert code == 0, said
    code, said = run("features", "store", "list", "--lake", lake, "--json")
    assert json.loads(said)[0]["expressions"] == {"rsi_14": "rsi(close, 14)"}
    assert json.loads(said)[0]["rows"] == 240


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rzi(close, 14)"], 2, "did you mean 'rsi'?"),
        (["mean(closs, 3)"], 3, "did you mean 'close'?"),
        (["rsi_14", "--operator", "none.py:X"], 2, "found no none.py"),
        (["a=b + 1", "b=a * 2"], 2, "a -> b -> a"),
        (["mean(close, 500)"], 3, "must have 500 bars of an instrument"),
        (["rsi_41"], 3, "did you mean 'rsi_14'?"),
        (["mean(rsi_41, 3)"], 3, "did you mean 'rsi_14'?"),
        (["ts=close"], 2, "names other than"),
    ],
)
def test_mistakes_are_named(bars: Path, arguments: list[str], code: int, message: str) -> None:
    ended, said = run("features", "compute", *arguments, "-i", str(bars))
    assert ended == code
    assert message in said


def test_show_refuses_what_there_is_not() -> None:
    code, said = run("features", "show", "rsi_41")
    assert code == 2
    assert "did you mean 'rsi_14'?" in said
    code, said = run("features", "show", "nosuchthingatall")
    assert code == 2
    assert "qv features list" in said
    assert run("features", "show", "mean(earnings, 3)")[0] == 0


def test_code_that_ends_the_program_is_an_error(bars: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import sys\nfrom dataclasses import dataclass\nfrom quantvista.features import Operator\n"
        "def signal(bars):\n    sys.exit(0)\n"
        "@dataclass\nclass Ends(Operator):\n    def update(self, x: float) -> float:\n"
        "        sys.exit(0)\n"
        "@dataclass\nclass Made(Operator):\n    def __post_init__(self) -> None:\n"
        "        sys.exit(0)\n    def update(self, x: float) -> float:\n        return x\n"
    )
    code, said = run("check", f"{file}:signal", "-i", str(bars))
    assert (code, "SystemExit: 0" in said, "line 5" in said) == (4, True, True)
    for name in ("Ends", "Made"):
        asked = ("features", "compute", f"{name.lower()}(close)", "-i", str(bars))
        code, said = run(*asked, "--operator", f"{file}:{name}")
        assert (code, "SystemExit: 0" in said) == (4, True)
    file.write_text("import sys\nsys.exit(0)\n")
    code, said = run("check", f"{file}:signal", "-i", str(bars))
    assert (code, "SystemExit: 0" in said) == (4, True)


def test_check_of_a_function_names_the_file_that_it_reads(bars: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f"import polars as pl\n\ndef peek(bars):\n    pl.read_parquet({str(bars)!r})\n"
        "    return bars['close']\n"
    )
    code, said = run("check", f"{file}:peek", "-i", str(bars), "--json")
    (finding,) = json.loads(said)["findings"]
    assert (code, finding["kind"], finding["after"]) == (4, "files", str(bars))
    assert finding["line"] == 4
    code, said = run("check", f"{file}:peek", "-i", str(bars))
    assert "it opened a file while it was at work" in said
    assert str(bars) in said.replace("\n", "")


def test_features_that_the_history_is_too_short_for_are_named(bars: Path) -> None:
    both = ("features", "compute", "long=mean(close, 200)", "mean(close, 3)", "-i", str(bars))
    code, said = run(*both)
    assert code == 0
    assert "long has no value: it needs 200 bars, the longest history has 120." in said
    code, said = run(*both, "--json")
    assert json.loads(said)["too_short_for"] == ["long"]
    assert json.loads(said)["longest"] == 120


def test_check_of_a_function_names_the_line(bars: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import polars as pl\n\n\ndef peek(bars):\n"
        '    return bars.select(pl.col("close").shift(-1).over("instrument")).to_series()\n'
    )
    code, said = run("check", f"{file}:peek", "-i", str(bars), "--json")
    assert code == 4
    finding = json.loads(said)["findings"][0]
    assert finding["line"] == 5
    assert "shift(-1)" in finding["code"]
    code, said = run("check", "rsi_14", "-i", str(bars), "--json")
    assert (code, json.loads(said)["honest"]) == (0, True)


def test_check_of_a_fund_ends_well(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--template", "csv")
    code, said = run("check", str(tmp_path), "--cuts", "1")
    assert code == 0, said
