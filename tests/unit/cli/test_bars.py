"""``qv data bars``: files and datasets in, files and datasets out, and what it says."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from typer.testing import CliRunner

from quantvista.cli import _complete
from quantvista.cli._app import app
from quantvista.cli._complete import one_of
from quantvista.cli._data_bars import bars
from quantvista.data.bars import BAR_KINDS

MINUTE = 60 * 10**9
DAY_0 = 1_709_510_400 * 10**9  # Monday 2024-03-04

type Qv = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    count = 300
    pl.DataFrame(
        {
            "ts_event": pl.Series([DAY_0 + number * MINUTE // 2 for number in range(count)]).cast(
                pl.Datetime("ns", "UTC")
            ),
            "instrument": ["AAA.DEMO", "BBB.DEMO"] * (count // 2),
            "price": [10.0 + number % 7 for number in range(count)],
            "size": [1.0 + number % 3 for number in range(count)],
        }
    ).write_parquet("trades.parquet")
    return tmp_path


def test_several_kinds_come_in_one_file_or_in_one_each(qv: Qv) -> None:
    kinds = ("--every", "5m", "--every", "1h", "--kind", "volume", "--size", "40")
    code, out, _ = qv("data", "bars", "trades.parquet", *kinds, "-o", "bars.parquet")
    assert code == 0
    assert out.splitlines()[0] == "300 rows, 300 of them in bars."
    assert out.splitlines()[-1] == "wrote bars.parquet"
    whole = pl.read_parquet("bars.parquet")
    assert whole["bar"].unique(maintain_order=True).to_list() == ["5m", "1h", "volume_40"]
    code, out, _ = qv("data", "bars", "trades.parquet", *kinds, "-o", "of-{bar}.csv")
    assert [line for line in out.splitlines() if line.startswith("wrote")] == [
        "wrote of-5m.csv",
        "wrote of-1h.csv",
        "wrote of-volume_40.csv",
    ]
    hours = pl.read_csv("of-1h.csv")
    assert hours.equals(whole.filter(pl.col("bar") == "1h").select(hours.columns))


def test_bars_go_from_dataset_to_dataset_and_runs_can_read_them(qv: Qv) -> None:
    assert qv("data", "bars", "trades.parquet", "-e", "5m", "-o", "lake:fives")[0] == 0
    code, out, _ = qv("data", "bars", "lake:fives", "-e", "1h", "-o", "lake:hours")
    assert (code, out.splitlines()[-1]) == (0, "wrote lake:hours, bars")
    shown = json.loads(qv("data", "show", "hours", "--json")[1])
    assert shown["kinds"]["bars"]["rows"] == 4  # two hours of two instruments
    before = shown["commit"]
    assert qv("data", "bars", "lake:fives", "-e", "1h", "-o", "lake:hours")[0] == 0
    assert json.loads(qv("data", "show", "hours", "--json")[1])["commit"] == before


def test_bars_of_a_dataset_do_not_join_its_own(qv: Qv) -> None:
    qv("data", "import", "trades.parquet", "--into", "mine")
    kinds = ("-e", "5m", "--kind", "tick", "--size", "10")
    code, out, _ = qv("data", "bars", "lake:mine", *kinds, "-o", "lake:mine")
    assert code == 0
    assert out.splitlines()[-2:] == ["wrote lake:mine, bars_5m", "wrote lake:mine, bars_tick_10"]
    shown = json.loads(qv("data", "show", "mine", "--json")[1])
    assert sorted(shown["kinds"]) == ["bars_5m", "bars_tick_10", "trades"]


def test_json_says_what_was_made_and_what_was_left_out(qv: Qv) -> None:
    code, out, _ = qv(
        *("data", "bars", "trades.parquet", "--every", "1h", "--calendar", "XNYS", "--json")
    )
    assert code == 3  # the trades of the night are in no session
    code, out, _ = qv("data", "bars", "trades.parquet", "--every", "1h", "--fill", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["rows"], found["late"], found["outside"], found["written"]) == (300, 0, 0, [])
    assert found["bars"]["1h"]["first"] == "2024-03-04T01:00:00Z"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "--every 5m, or --kind volume --size 100000"),
        (("--every", "5min"), 2, "did you mean 5m?"),
        (("--kind", "volume"), 2, "`--size` must come once for each --kind; found 0 and 1"),
        (("--kind", "tick_imbalance", "--size", "5"), 2, "--sides tick_rule"),
        (("--every", "1mo"), 3, "--partial gives bars that did not end"),
        (("--every", "5m", "--rows", "quotes"), 3, "bid"),
        (("--every", "5m", "-o", "bars.txt"), 2, "must end in .csv or .parquet"),
        (("--every", "5m", "--calendar", "XNYX"), 2, "did you mean XNYS"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    qv: Qv, options: tuple[str, ...], code: int, said: str
) -> None:
    found = qv("data", "bars", "trades.parquet", *options)
    assert found[0] == code
    assert said in " ".join(found[2].split())


def test_a_table_without_trades_is_refused(qv: Qv) -> None:
    Path("rates.csv").write_text("date,Rate\n2024-01-01,1.0\n2024-02-01,2.0\n")
    code, _, err = qv("data", "bars", "rates.csv", "--every", "1d")
    assert code == 3
    assert "must hold trades, quotes or bars; found series" in " ".join(err.split())


def test_the_shell_suggests_kinds_of_bars() -> None:
    assert _complete.bar_kinds("vol") == ["volume", "volume_imbalance"]
    assert ("time", *_complete.bar_kinds("")) == BAR_KINDS


def test_words_of_options_are_suggested() -> None:
    suggest = one_of("refuse", "drop")
    assert suggest("") == ["refuse", "drop"]
    assert suggest("d") == ["drop"]
    parameters = inspect.signature(bars).parameters
    words = {"anchor", "outside", "late", "missing", "sides", "price", "rows"}
    for name in words:
        (option,) = get_args(parameters[name].annotation)[1:]
        suggested = option.autocompletion("")
        assert all(word in option.help for word in suggested if word != "quote_bars")


TRADES = "ts,price,size\n2024-03-05T14:30:00Z,10,1\n2024-03-05T14:31:30Z,11,2\n"


def test_nothing_is_written_over_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES)
    (tmp_path / "bars.csv").write_text("date,instrument,close\n2024-03-05,A.XNYS,1.5\n")
    for words in (
        ["data", "bars", path, "--every", "1m", "-o", path],
        ["data", "bars", tmp_path, "--every", "1m", "-o", tmp_path / "out.csv"],
        ["data", "universe", "--input", tmp_path / "bars.csv", "--output", tmp_path / "bars.csv"],
        ["features", "compute", "close", "-i", tmp_path / "bars.csv", "-o", tmp_path / "bars.csv"],
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 2, done.output
        assert "that is read" in " ".join(done.output.split()) or "what is read" in done.output
    assert path.read_text() == TRADES


def test_rows_that_go_back_are_named_with_their_time_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES + "2024-03-05T14:30:30Z,12,1\n")
    done = CliRunner().invoke(app, ["data", "bars", str(path), "--every", "1m"])
    said = " ".join(done.output.split())
    assert done.exit_code == 3
    assert "found 2024-03-05T14:30:30Z after 2024-03-05T14:31:30Z" in said
    assert "--late drop" in said


def test_a_file_without_a_row_that_can_be_used_says_why(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text("ts,price,size\n2024-03-05T14:30:00Z,inf,1\n")
    done = CliRunner().invoke(app, ["data", "bars", str(path), "--every", "1m"])
    assert done.exit_code == 3
    assert "in row 2, and so on" in " ".join(done.output.split())
