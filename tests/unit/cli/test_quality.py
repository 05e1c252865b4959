"""``qv data check`` and ``qv data repair`` on files."""

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli import _progress
from quantvista.cli._app import app
from quantvista.cli._quality import write_tables
from quantvista.data import DataSpec, load
from quantvista.errors import OutputError
from quantvista.market import sessions

type Qv = Callable[..., tuple[int, str, str]]


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


VENDOR = """Day,Ticker,Open,High,Low,Close,Vol
2024-01-02,AAA,10.00,10.20,9.90,10.10,1000
2024-01-02,BBB,20.00,20.40,19.80,20.20,2000
2024-01-03,AAA,10.10,10.30,10.00,10.20,1100
2024-01-03,BBB,20.20,20.60
2024-01-04,AAA,10.20,10.40,10.10,10.30,1200
2024-01-04,BBB,20.20,20.60,20.00,n/k,2100
2024-01-05,AAA,10.30,10.50,10.20,10.40,1300
2024-01-05,BBB,20.30,20.70,20.10,20.50,2200
"""


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "vendor.csv"
    path.write_text(VENDOR)
    return path


def test_rows_that_are_no_bars_are_said_with_their_reason_and_are_errors(
    vendor: Path, qv: Qv
) -> None:
    code, out, _ = qv("data", "check", vendor)
    assert code == 3
    assert "1 row: has 4 fields, the header has 7 (row 5 of vendor.csv)" in out
    assert "1 row: 'Close' is no number: n/k (row 7 of vendor.csv)" in out
    assert "2 rows of the source could not be read as bars" in out
    assert "none in the file; FILE stands for it here" in out
    assert "0 errors and 2 warnings; 100.00 % of 6 bars without a flag, 2 missing." in out
    code, said, _ = check(vendor)
    assert (code, sum(said["rejected"].values()), said["missing"]) == (3, 2, 2)


def test_many_reasons_are_not_all_said(vendor: Path, qv: Qv) -> None:
    wrong = "".join(f"2024-01-05,C{n},1,1,1,bad{n},1\n" for n in range(20))
    vendor.write_text(VENDOR + wrong)
    _, out, _ = qv("data", "check", vendor)
    assert out.count("rejected     1 row:") == 8
    assert "rejected     14 rows for 14 other reasons" in out


def test_repair_loses_no_row_of_the_source(vendor: Path, qv: Qv) -> None:
    code, out, _ = qv("data", "repair", vendor, "-o", "clean.parquet")
    assert code == 0
    assert "0 bars and 2 unreadable rows, with the reasons" in out
    left, aside = (pl.read_parquet(f"clean{end}.parquet") for end in ("", ".quarantine"))
    assert left.height + aside.height == len(VENDOR.splitlines()) - 1
    assert aside["check"].to_list() == ["unreadable"] * 2
    assert aside["source_row"].to_list() == [5, 7]
    assert aside["content"][0] == "2024-01-03,BBB,20.20,20.60"
    assert "qv data check clean.parquet --calendar XNYS" in out.partition("Next")[2]
    _, out, _ = qv("data", "repair", vendor, "-o", "clean.parquet", "--json")
    assert json.loads(out)["unreadable"] == 2


def test_columns_named_as_those_of_the_quarantine_do_no_harm(vendor: Path, qv: Qv) -> None:
    extra = [",source,check,content,row", *[",1,2,3,4"] * 3, "", *[",1,2,3,4"] * 5]
    lines = [line + more for line, more in zip(VENDOR.splitlines(), extra, strict=False)]
    vendor.write_text("\n".join(lines).replace("9.90", "0") + "\n")
    code, _, err = qv("data", "repair", vendor, "-o", "clean.parquet")
    assert (code, err) == (0, "")
    aside = pl.read_parquet("clean.quarantine.parquet")
    assert aside["check"].to_list() == ["price_sign", "unreadable", "unreadable"]
    assert aside["source"].to_list() == [None, "vendor.csv", "vendor.csv"]
    assert [str(each)[0] for each in aside["source_data"].head(1)] == ["1"]


def test_what_is_read_is_never_written_over(vendor: Path, qv: Qv) -> None:
    before = vendor.read_bytes()
    folder = vendor.parent / "in"
    folder.mkdir()
    (folder / "AAA.XNAS.csv").write_text("date,close\n2024-01-02,1\n")
    link = vendor.parent / "link.csv"
    link.symlink_to(vendor)
    aside = vendor.parent / "a.quarantine.parquet"
    pl.read_csv(vendor, truncate_ragged_lines=True).write_parquet(aside)
    for arguments in (
        ["repair", vendor, "-o", vendor],
        ["repair", vendor, "-o", link],
        ["repair", vendor, "-o", "in/../vendor.csv"],
        ["repair", aside, "-o", vendor.parent / "a.parquet"],
        ["repair", folder, "-o", folder / "clean.parquet"],
        ["repair", link, "-o", "x.csv", "--against", "x.csv"],
        ["check", vendor, "--flags", vendor],
        ["check", vendor, "--html", vendor],
    ):
        code, _, err = qv("data", *arguments)
        assert code == 2, arguments
        assert "another file than what is read" in err or "outside the folder" in err
    assert vendor.read_bytes() == before
    assert list(folder.iterdir()) == [folder / "AAA.XNAS.csv"]


def test_tables_appear_whole_and_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.parquet", tmp_path / "two.csv"
    one.write_bytes(b"before")
    whole = pl.DataFrame({"a": [1]})
    with monkeypatch.context() as spoilt:
        spoilt.setattr(pl.DataFrame, "write_csv", fails)
        with pytest.raises(OutputError, match="full"):
            write_tables({one: whole, two: whole})
    assert one.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == [one]
    write_tables({one: whole, two: whole})
    assert pl.read_parquet(one).equals(pl.read_csv(two))
    with pytest.raises(OutputError, match="cannot be written"):
        write_tables({one / "below.csv": whole})


def fails(frame: pl.DataFrame, path: Path) -> None:
    path.write_bytes(b"half of i")
    raise pl.exceptions.ComputeError("the disk is full")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("dates", [True, False])
def test_a_fund_reads_what_repair_writes(vendor: Path, qv: Qv, ending: str, dates: bool) -> None:
    """Daily bars stay daily; those within the day are seen when they were received."""
    text = "\n".join(each for each in VENDOR.splitlines() if each.count(",") == 6)
    vendor.write_text(text.replace("n/k", "20.30").replace("Day,Ticker", "date,instrument") + "\n")
    if not dates:
        stamped = text.replace("n/k", "20.30").replace("Day,Ticker", "ts,instrument")
        vendor.write_text(re.sub(r"(?m)^(2024-..-..)", r"\1T15:00:00Z", stamped) + "\n")
    clean = Path(f"clean.{ending}")
    assert qv("data", "repair", vendor, "-o", clean)[0] == 0
    spec = {
        name: DataSpec(name, venue="FILE" if name == "vendor.csv" else None)
        for name in ("vendor.csv", str(clean))
    }
    ours, theirs = (load(each, base=Path(), calendar="XNYS") for each in spec.values())
    assert ours.ids == theirs.ids
    assert ours.ts.tolist() == theirs.ts.tolist()
    assert np.array_equal(ours.close, theirs.close, equal_nan=True)
    written = (pl.read_parquet if ending == "parquet" else pl.read_csv)(clean)
    assert theirs.ts.tolist() == written["ts_received"].unique().sort().to_list()


def test_repair_takes_actions_and_another_source(tmp_path: Path) -> None:
    mine, theirs = sound(tmp_path, "ACME.XNYS.csv"), sound(tmp_path, "theirs.csv", noise=1e-5)
    wrong = pl.when(pl.col("index") == 40).then(pl.col("close") * 1.03).otherwise("close")
    source, out = changed(mine, "WRONG.XNYS.csv", wrong), tmp_path / "clean.csv"
    arguments = ["data", "repair", source, "-o", out, "--against", theirs, "--json"]
    arguments += ["-p", "disagreement=quarantine"]
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    said = json.loads(done.stdout)
    assert (said["quarantined"], said["compared"]) == (1, said["rows"])
    day = pl.read_csv(source)["date"][100]
    known = tmp_path / "splits.csv"
    known.write_text(f"ex_date,instrument,action,ratio\n{day},WRONG.XNYS,split,2:1\n")
    done = CliRunner().invoke(
        app, [str(each) for each in arguments[:5]] + ["--actions", str(known)]
    )
    assert "1 of 1 in splits.csv are of these instruments" in done.output


def test_a_line_tells_of_long_work_where_nobody_sees_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_progress, "_FIRST_S", 0.02)
    monkeypatch.setattr(_progress, "_NEXT_S", 0.02)
    for enabled in (True, False):
        with _progress.progress_bar(enabled=enabled) as advance:
            advance(0, 0, "reading")
            time.sleep(0.1)
            advance(1, 4, "checking")
            time.sleep(0.1)
        out, err = capsys.readouterr()
        assert out == ""
        assert ("reading, 0 s so far" in err) == enabled
        assert ("checking, 25 %, 0 s so far" in err) == enabled
    assert not [each for each in threading.enumerate() if each.name == "progress"]
