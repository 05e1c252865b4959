"""``qv data check`` and ``qv data repair`` on quotes and trades."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.data.lake import Lake
from quantvista.data.quality import check_trades


def invoke(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["data", *map(str, arguments)])
    return done.exit_code, done.output


def stamps(count: int) -> pl.Series:
    start = np.datetime64("2024-03-05T14:30", "ns").astype(np.int64)
    ts = start + np.arange(count) * 7 * 10**9
    return pl.Series("ts_event", ts).cast(pl.Datetime("ns", "UTC"))


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    rng, count = np.random.default_rng(3), 600
    price = np.round(40 + np.cumsum(rng.normal(0, 0.01, count)), 2)
    price[300] = 44.0
    table = pl.DataFrame(
        {
            "ts_event": stamps(count),
            "instrument": "ACME.XNYS",
            "price": price,
            "size": rng.integers(1, 9, count) * 100.0,
            "trade_id": np.arange(count) + 5_000,
        }
    )
    path = tmp_path / "trades.parquet"
    pl.concat([table[:200], table[199:]]).write_parquet(path)
    return path


@pytest.fixture
def quotes(tmp_path: Path) -> Path:
    rng, count = np.random.default_rng(4), 400
    bid = np.round(40 + np.cumsum(rng.normal(0, 0.01, count)), 2)
    ask = bid + rng.integers(1, 4, count) * 0.01
    bid[100], ask[100] = ask[100], bid[100]
    bid[250] = ask[250] + 0.3
    columns = {"ts_event": stamps(count), "instrument": "ACME.XNYS", "bid": bid, "ask": ask}
    path = tmp_path / "quotes.csv"
    pl.DataFrame(columns).with_columns(pl.col("ask").round(2)).write_csv(path)
    return path


def test_trades_are_told_by_their_columns(trades: Path, tmp_path: Path) -> None:
    page, flags = tmp_path / "page.html", tmp_path / "flags.csv"
    code, out = invoke("check", trades, "--json", "--html", page, "--flags", flags)
    said = json.loads(out)
    assert code == 3
    assert (said["kind"], said["rows"]) == ("trades", 601)
    assert {name: each["flags"] for name, each in said["checks"].items()} == {
        "duplicate": 1,
        "outlier": 1,
    }
    assert pl.read_csv(flags)["row"].to_list() == [200, 301]
    text = page.read_text()
    assert "In 10,000 trades" in text
    assert "601 trades of 1 instrument" in text
    assert "<circle" in text


def test_quotes_are_repaired_and_set_aside(quotes: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean.parquet"
    code, said = invoke("repair", quotes, "-o", out, "-p", "swapped=repair")
    assert code == 0, said
    assert "399 quotes" in said
    assert "[[data.events]]" in said
    assert pl.read_parquet(out.with_suffix(".changes.parquet")).height == 2
    assert pl.read_parquet(out.with_suffix(".quarantine.parquet"))["check"].to_list() == ["crossed"]
    code, said = invoke("check", out, "--calendar", "XNYS")
    assert code == 0
    assert "Nothing is wrong with these 399 quotes" in said


def test_ticks_of_the_lake_are_checked_with_their_ids(trades: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert invoke("import", trades, "--into", "mine", "--lake", lake)[0] == 0
    assert Lake(lake).open("mine").at().kinds == ("trades",)
    code, out = invoke("check", "lake:mine", "--lake", lake, "--json")
    assert code == 3
    assert set(json.loads(out)["checks"]) == {"duplicate", "outlier"}
    code, out = invoke("check", "lake:mine", "--lake", lake, "--rows", "bars")
    assert code == 2
    assert "which has trades; found 'bars'" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--raw"], "`--raw` is for bars; found trades"),
        (["--against", "OTHER"], "`--against` is for bars; found trades"),
        (["--policy", "crossed=keep"], "must name checks of trades"),
        (["--policy", "outlier=repair"], "must not be repair"),
        (["--rows", "books"], "`--rows` must be one of bars, quotes, trades; found 'books'"),
    ],
)
def test_what_is_for_other_rows_is_refused(
    trades: Path, arguments: list[str], message: str
) -> None:
    words = [each.replace("OTHER", str(trades.with_name("o.csv"))) for each in arguments]
    code, out = invoke("check", trades, *words)
    assert code == 2
    assert message in " ".join(out.split())


def test_ids_that_are_texts_or_too_long_are_told_apart() -> None:
    ts = np.arange(6) * 10**9
    for ids in (["a", "b", "b", "c", "d", "e"], [2**60 + each for each in (1, 2, 2, 3, 4, 5)]):
        table = pl.DataFrame({"ts": ts, "price": [1.0] * 6, "size": [1.0] * 6, "id": ids})
        assert check_trades(table).counts == {"duplicate": 1}


def test_the_page_says_what_was_not_looked_for(quotes: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    invoke("check", quotes, "--html", page)
    assert "given: gap, time zone, outside session." in page.read_text()
    invoke("check", quotes, "--html", page, "--calendar", "XNYS")
    assert "Not looked for" not in page.read_text()
