"""``qv data check`` and ``qv data repair`` on files."""

import json
from pathlib import Path
from typing import Any

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


def sound(folder: Path, name: str, noise: float = 0.0) -> Path:
    """Two hundred days of a stock without a fault."""
    days = sessions("XNYS", "2020-01-02", "2020-10-15").labels
    rng = np.random.default_rng(4)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days)))), 2)
    close *= 1 + noise * rng.standard_normal(len(days))
    frame = pl.DataFrame({"date": days, "close": close}).with_columns(pl.col("date").cast(pl.Date))
    path = folder / name
    frame.write_csv(path)
    return path


def changed(path: Path, name: str, close: pl.Expr) -> Path:
    out = path.with_name(name)
    pl.read_csv(path).with_row_index().with_columns(close.alias("close")).drop("index").write_csv(
        out
    )
    return out


def check(*arguments: object) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(app, ["data", "check", *map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}, done.output


def test_another_source_is_compared_though_its_file_has_another_name(tmp_path: Path) -> None:
    mine, theirs = sound(tmp_path, "mine.csv"), sound(tmp_path, "theirs.csv", noise=1e-5)
    code, said, _ = check(mine, "--against", theirs)
    assert (code, said["checks"], said["compared"]) == (0, {}, said["rows"])
    wrong = (
        pl.when(pl.col("index").is_in([40, 120])).then(pl.col("close") * 1.03).otherwise("close")
    )
    code, said, _ = check(changed(mine, "wrong.csv", wrong), "--against", theirs)
    assert said["checks"]["disagreement"]["flags"] == 2
    assert code == 0  # a warning: one of the two is wrong, and nobody says which
    done = CliRunner().invoke(app, ["data", "check", str(mine), "--against", str(theirs)])
    assert f"{said['rows']} of {said['rows']} bars with theirs.csv" in done.output


def test_another_source_without_these_bars_is_refused(tmp_path: Path) -> None:
    mine = sound(tmp_path, "mine.csv")
    later = pl.read_csv(mine, try_parse_dates=True).with_columns(pl.col("date").dt.offset_by("1y"))
    other = tmp_path / "later.csv"
    later.filter(pl.col("date").dt.weekday() <= 5).write_csv(other)
    done = CliRunner().invoke(app, ["data", "check", str(mine), "--against", str(other)])
    assert done.exit_code == 3
    assert "`other` must have instruments and times of `bars`" in done.output


def test_known_splits_and_dividends_are_taken_into_account(tmp_path: Path) -> None:
    mine = sound(tmp_path, "ACME.XNYS.csv")
    halved = pl.when(pl.col("index") >= 100).then(pl.col("close") / 2).otherwise("close")
    split = changed(mine, "SPLIT.XNYS.csv", halved)
    assert check(split)[1]["checks"]["unadjusted_split"]["flags"] == 1
    day = pl.read_csv(split)["date"][100]
    known = tmp_path / "splits.csv"
    known.write_text(f"ex_date,instrument,action,ratio\n{day},SPLIT.XNYS,split,2:1\n")
    assert "unadjusted_split" not in check(split, "--actions", known)[1]["checks"]

    paid = pl.when(pl.col("index") >= 100).then(pl.col("close") * 0.9).otherwise("close")
    fallen = changed(mine, "PAID.XNYS.csv", paid)
    amount = round(0.1 * float(pl.read_csv(fallen)["close"][99]), 2)
    paying = tmp_path / "dividends.csv"
    paying.write_text(
        f"ex_date,instrument,action,amount\n{day},PAID.XNYS,cash_dividend,{amount}\n"
        f"{day},OTHER.XNYS,cash_dividend,1.00\n"
    )
    code, said, _ = check(fallen, "--actions", paying)
    assert said["checks"]["unadjusted_dividend"]["flags"] == 1
    assert ["actions", "1 of 2 in dividends.csv are of these instruments"] in said["read"]
    assert "unadjusted_dividend" not in check(fallen, "--raw", "--actions", paying)[1]["checks"]
    code, _, text = check(fallen, "--actions", known)
    assert code == 3
    assert "must name instruments of the bars (PAID.XNYS); found SPLIT.XNYS" in text


def test_file_that_is_broken_is_refused_for_that_and_not_for_its_name(tmp_path: Path) -> None:
    """The reader tries to name what has no name; the cause must outlive the attempts."""
    path = tmp_path / "broken.csv"
    path.write_text("date,open,high,low\n2024-01-02,1,2,0.5\n")
    done = CliRunner().invoke(app, ["data", "check", str(path)])
    assert done.exit_code == 3
    assert "close" in done.output
    path.with_suffix(".parquet").write_bytes(b"PAR1" + b"\0" * 40)
    done = CliRunner().invoke(app, ["data", "check", str(path.with_suffix(".parquet"))])
    assert "not a readable Parquet file" in done.output
