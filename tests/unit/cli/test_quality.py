"""``qv data check`` and ``qv data repair`` on files."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.market import sessions


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    days = sessions("XNYS", "2020-01-02", "2020-12-31").labels
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
    frame = pl.DataFrame(
        {
            "date": days,
            "open": close * 0.999,
            "high": close * 1.004,
            "low": close * 0.995,
            "close": close,
            "volume": rng.integers(10_000, 20_000, len(days)),
        }
    ).with_columns(pl.col("date").cast(pl.Date))
    bad = frame.with_row_index()
    for name in ("open", "high", "low", "close"):
        wrong = pl.col("index").is_between(100, 105)
        bad = bad.with_columns(pl.when(wrong).then(pl.col(name) * 100).otherwise(name).alias(name))
    bad = bad.with_columns(pl.when(pl.col("index") == 50).then(0.0).otherwise("low").alias("low"))
    bad = bad.filter(pl.col("index") != 150).drop("index")
    path = tmp_path / "acme.csv"
    bad.write_csv(path)
    return path


def test_check_says_what_is_wrong_and_ends_with_the_code_of_data(prices: Path) -> None:
    page = prices.parent / "page.html"
    done = CliRunner().invoke(app, ["data", "check", str(prices), "--html", str(page)])
    assert done.exit_code == 3
    assert "magnitude" in done.stdout
    assert "Next" in done.stdout
    text = page.read_text()
    assert "<svg" in text
    assert "ACME.FILE" in text


def test_check_gives_plain_json(prices: Path) -> None:
    done = CliRunner().invoke(app, ["data", "check", str(prices), "--json"])
    said = json.loads(done.stdout)
    assert said["checks"]["magnitude"]["flags"] == 6
    assert said["checks"]["price_sign"]["flags"] == 1
    assert said["checks"]["gap"]["flags"] == 1
    assert said["rows"] == 252


def test_repair_writes_what_is_left_what_went_and_what_changed(prices: Path) -> None:
    out = prices.parent / "clean.parquet"
    arguments = ["data", "repair", str(prices), "-o", str(out), "-p", "magnitude=repair"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    left = pl.read_parquet(out)
    aside = pl.read_parquet(out.with_suffix(".quarantine.parquet"))
    changed = pl.read_parquet(out.with_suffix(".changes.parquet"))
    assert left.height + aside.height == 252
    assert aside["check"].to_list() == ["price_sign"]
    assert changed.height == 24
    again = CliRunner().invoke(app, ["data", "check", str(out), "--calendar", "XNYS", "--json"])
    assert set(json.loads(again.stdout)["checks"]) == {"gap"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "gap"], "CHECK=POLICY"),
        (["--policy", "gap=mend"], "must be one of keep"),
        (["--policy", "gap=repair"], "must not be repair"),
        (["--policy", "gasp=flag"], "must name one of"),
        (["--column", "close"], "OURS=THEIRS"),
        (["--flags", "x.txt"], ".csv or .parquet"),
    ],
)
def test_options_that_cannot_be_are_refused(
    prices: Path, arguments: list[str], message: str
) -> None:
    done = CliRunner().invoke(app, ["data", "check", str(prices), *arguments])
    assert done.exit_code == 2
    assert message in done.output
