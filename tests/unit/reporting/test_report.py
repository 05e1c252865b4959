"""The report is whole, escaped, the same every time, and has a face for every kind of run."""

import base64
import errno
import json
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import build_summary
from quantvista.errors import ConfigError, OutputError
from quantvista.reporting import _assets, plot, report_html, write_report
from quantvista.reporting._format import money, number, percent, short
from support.run_directory import Shape, synthetic, write_run

SMALL = Shape(sessions=900, instruments=6)
SECTIONS = [
    "overview",
    "equity",
    "drawdowns",
    "numbers",
    "belief",
    "months",
    "rolling",
    "exposure",
    "costs",
    "contribution",
    "days",
    "trades",
    "limits",
    "method",
]


@pytest.fixture(autouse=True)
def assets(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Stand in for the built files, so that these tests need no Node."""
    folder = tmp_path_factory.mktemp("assets")
    (folder / "report.js").write_text("/* script */", "utf-8")
    (folder / "report.css").write_text("/* style */", "utf-8")
    monkeypatch.setattr(_assets, "_FOLDER", folder)
    _assets._read.cache_clear()
    yield
    _assets._read.cache_clear()  # or the next module would find these


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "demo", SMALL)


def page_of(run: Path) -> str:
    return write_report(run).read_text("utf-8")


class Outline(HTMLParser):
    """Collects ids and checks that elements nest."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag


def test_every_section_is_there_and_elements_nest(run: Path) -> None:
    outline = Outline()
    outline.feed(page_of(run))
    assert outline.open == []
    assert [each for each in outline.ids if each in SECTIONS] == SECTIONS
    assert len(outline.ids) == len(set(outline.ids))


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    once = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == once
    assert write_report(write_run(tmp_path / "again" / "demo", SMALL)).read_bytes() == once


def test_nothing_is_loaded_from_elsewhere(run: Path) -> None:
    page = page_of(run)
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)


def test_contribution_rows_add_up_as_printed(run: Path) -> None:
    table = re.search(r'<table id="contribution-table".*?</table>', page_of(run), re.DOTALL)
    assert table
    body, foot = table[0].split("<tfoot>")
    cells = re.findall(r'<td class="n strong" data-value="([^"]*)">([^<]*)<', body)
    printed = sum(_amount(text) for _, text in cells)
    sums = [_amount(text) for text in re.findall(r'<td class="n">([^<]+)<', foot)]
    rounding = re.search(r'Rounding.*?<td class="n">([^<]+)<', foot, re.DOTALL)
    left_over = _amount(rounding[1]) if rounding else Decimal(0)
    assert printed + left_over == sums[-1]
    exact = json.loads((run / "summary.json").read_text("utf-8"))["contribution"]["total"]
    assert sum(Decimal(value) for value, _ in cells) == Decimal(exact)


def test_text_of_users_is_escaped(run: Path) -> None:
    path = run / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    summary["fund"]["name"] = "<script>alert(1)</script>"
    summary["biases"] = [{"name": "x", "text": "</script><b>"}]
    path.write_text(json.dumps(summary), "utf-8")
    page = page_of(run)
    assert "<script>alert" not in page
    assert "</script><b>" not in page


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_what_did_not_end_is_marked(tmp_path: Path, status: str) -> None:
    page = page_of(write_run(tmp_path / "demo", SMALL, status))
    assert 'class="alarm"' in page
    assert "The disk is full." in page


@pytest.mark.parametrize(
    "name",
    ["equity", "orders", "fills", "positions", "sleeves", "verdicts", "comparisons"],
)
def test_a_missing_table_is_named_and_the_rest_is_shown(run: Path, name: str) -> None:
    (run / f"{name}.parquet").unlink()
    page = page_of(run)
    assert f"<code>{name}.parquet</code>" in page
    assert 'id="method"' in page


def test_a_table_that_was_cut_off_counts_as_missing(run: Path) -> None:
    path = run / "fills.parquet"
    path.write_bytes(path.read_bytes()[:200])
    assert "<code>fills.parquet</code>" in page_of(run)


def test_a_run_that_was_killed_is_summed_up_from_its_tables(run: Path) -> None:
    (run / "summary.json").write_text('{"schema_version": 1, "status": "incomplete"}', "utf-8")
    page = page_of(run)
    assert "This run is incomplete." in page
    assert "a year after costs" in page


def test_a_run_that_recorded_nothing_still_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text('{"schema_version": 1, "status": "failed"}', "utf-8")
    page = page_of(tmp_path)
    assert "Nothing was recorded." in page
    assert "there is nothing to draw" in page


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be the folder of a run"):
        write_report(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_summary_that_cannot_be_read_is_refused(run: Path, text: str) -> None:
    (run / "summary.json").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"readable summary\.json"):
        write_report(run)


def test_a_summary_of_another_version_is_refused(run: Path) -> None:
    (run / "summary.json").write_text('{"schema_version": 9, "metrics": {}}', "utf-8")
    with pytest.raises(ConfigError, match="must be 1; found 9"):
        write_report(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("fund"),
        lambda s: s["fund"].pop("calendar"),
        lambda s: s["fund"].update(cash="a lot"),
        lambda s: s["fund"].update(time_zone="Mars/Olympus"),
        lambda s: s["period"].update(start="yesterday"),
        lambda s: s["period"].update(sessions="many"),
        lambda s: s["metrics"].pop("sharpe"),
        lambda s: s["metrics"].update(sharpe=3.0),
        lambda s: s["comparisons"]["benchmark"].pop("id"),
        lambda s: s["counts"].pop("fills"),
        lambda s: s["contribution"]["pairs"].append({"pnl": "0"}),
        lambda s: s.update(drawdowns=None),
    ],
)
def test_a_damaged_summary_is_refused_in_words(
    run: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    path = run / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    change(summary)
    path.write_text(json.dumps(summary), "utf-8")
    with pytest.raises(ConfigError, match=r"summary\.json") as caught:
        write_report(run)
    assert str(run) in str(caught.value)


@pytest.mark.parametrize("column", ["ts", "equity"])
def test_a_table_with_other_columns_is_refused_by_name(run: Path, column: str) -> None:
    path = run / "equity.parquet"
    pl.read_parquet(path).rename({column: "other"}).write_parquet(path)
    with pytest.raises(ConfigError, match=rf"equity\.parquet.*'{column}'.*no such column"):
        write_report(run)


def test_a_table_of_other_types_is_refused_by_name(run: Path) -> None:
    path = run / "fills.parquet"
    pl.read_parquet(path).with_columns(price=pl.lit("dear")).write_parquet(path)
    with pytest.raises(ConfigError, match=r"fills\.parquet.*'price'.*found String"):
        write_report(run)


def test_a_fund_file_that_is_not_text_is_refused(run: Path) -> None:
    (run / "run.toml").write_bytes(b"name = \xff")
    with pytest.raises(ConfigError, match=r"run\.toml.*UTF-8"):
        write_report(run)


def test_a_full_disk_is_said_and_leaves_no_part(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, text: str, *_args: object, **_kwargs: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="`out` must have room for the report"):
        write_report(run)
    assert not list(run.glob(".report*"))


def test_the_report_of_a_run_in_memory_is_that_of_its_folder(run: Path) -> None:
    frames, meta = synthetic(SMALL)
    run_toml = (run / "run.toml").read_text("utf-8")
    assert report_html(frames, build_summary(frames, meta), run_toml) == page_of(run)


def test_reasons_are_escaped(run: Path) -> None:
    path = run / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    hostile = '"><script>alert(2)</script>'
    summary["metrics"] = {name: {"value": None, "reason": hostile} for name in summary["metrics"]}
    path.write_text(json.dumps(summary), "utf-8")
    page = page_of(run)
    assert "<script>alert" not in page
    assert "title=&#34;" not in page
    assert 'title="&#34;&gt;&lt;script&gt;' in page


def test_a_large_universe_has_a_row_for_the_rest(run: Path) -> None:
    """Exact sums stay, and the page says what it leaves out."""
    path = run / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    found = summary["contribution"]
    pnl = {f"I{k:04d}.X": f"{k * 37 % 1009 - 500}.004" for k in range(5000)}
    total = sum(Decimal(each) for each in pnl.values())
    found["pairs"] = [{"sleeve": "trend", "instrument": i, "pnl": p} for i, p in pnl.items()]
    found["instruments"] = [{"instrument": i, "pnl": p} for i, p in pnl.items()]
    found["sleeves"] = [{"sleeve": "trend", "pnl": str(total)}]
    found["total"] = str(total)
    path.write_text(json.dumps(summary), "utf-8")
    page = page_of(run)
    table = re.search(r'<table id="contribution-table".*?</table>', page, re.DOTALL)
    assert table
    exact = re.findall(r'<td class="n strong" data-value="([^"]*)">', table[0])
    rest = re.search(r'4,600 others.*<td class="n" data-value="([^"]*)">[^<]*</td><td', table[0])
    assert rest
    assert len(exact) == 400
    assert sum(Decimal(each) for each in exact) + Decimal(rest[1]) == total
    assert "The 200 instruments that made most and the 200 that made least" in page


def test_many_positions_share_a_row(run: Path) -> None:
    positions = pl.read_parquet(run / "positions.parquet")
    last = positions.filter(pl.col("ts") == positions["ts"].max())[:1]
    many = pl.concat([last.with_columns(instrument=pl.lit(f"I{k:04d}.X")) for k in range(1000)])
    many.write_parquet(run / "positions.parquet")
    page = page_of(run)
    assert "600 others" in page
    assert page.count("<tr><td>I0") == 400
    assert "The 400 largest positions have a row" in page


def test_a_run_that_was_killed_is_dated_by_its_fund(run: Path) -> None:
    (run / "summary.json").write_text('{"schema_version": 1, "status": "incomplete"}', "utf-8")
    (run / "run.toml").write_text('[fund]\nname = "mine"\ncalendar = "24/7"\n', "utf-8")
    path = run / "equity.parquet"
    midnight = pl.col("ts").dt.truncate("1d") + pl.duration(days=1, time_unit="ns")
    pl.read_parquet(path).with_columns(midnight).write_parquet(path)
    assert "<title>mine: 1990-01-02 to" in page_of(run)


def test_assets_that_were_not_built_are_named_with_the_remedy(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_assets, "_FOLDER", tmp_path)
    _assets._read.cache_clear()
    with pytest.raises(OutputError, match="make build"):
        write_report(run)


def test_a_plot_is_a_frame_with_a_whole_page(tmp_path: Path) -> None:
    frames, meta = synthetic(SMALL)
    found = plot(frames, build_summary(frames, meta))
    shown = found._repr_html_()
    assert shown.startswith("<iframe")
    assert "srcdoc=" in shown
    assert "<script" not in shown  # escaped inside the attribute
    assert 'data-chart="equity"' in found.save(tmp_path / "plot.html").read_text("utf-8")
    assert "demo" in repr(found)


def test_a_run_of_33_years_is_summed_up_and_written_in_time(tmp_path: Path) -> None:
    """0.7 s on the target machine; processor time, twice that, because tests share it."""
    run = write_run(tmp_path / "demo")
    frames, missing = RunFrames.read(run)
    assert missing == ()
    _, meta = synthetic()
    start = time.process_time()
    build_summary(frames, meta)
    path = write_report(run)
    assert time.process_time() - start < 1.4
    assert path.stat().st_size < 1_200_000  # leaves 300 kB for the script


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(-1234.5678, 2), "\N{MINUS SIGN}1,234.57"),
        (number(float("nan")), "\N{EN DASH}"),
        (percent(-0.00001), "0.0\N{NARROW NO-BREAK SPACE}%"),
        (money(Decimal("-0.001")), "0.00"),
        (short(-169_283_456.0), "\N{MINUS SIGN}169\N{NARROW NO-BREAK SPACE}M"),
        (short(0.0), "0.00"),
    ],
)
def test_numbers_are_written_as_everywhere(text: str, expected: str) -> None:
    assert text == expected


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def changed(run: Path, **changes: Any) -> str:  # noqa: ANN401
    """Write the report of `run` with another summary."""
    path = run / "summary.json"
    summary = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(summary), "utf-8")
    return page_of(run)


def test_orders_left_unfilled_are_shown_by_reason(run: Path) -> None:
    page = changed(run, unfilled=[{"reason": "volume", "count": 1096}])
    assert "our share of the bar's volume was used up" in page.replace("&#39;", "'")
    assert '<td class="n strong">1,096</td>' in page
    assert "Orders left unfilled" not in changed(run, unfilled=[])


def test_the_comparison_from_the_first_fill_stands_below_the_verdict(run: Path) -> None:
    values = {"cagr": {"value": 0.174}, "total_return": {"value": 2.0}}
    page = changed(run, since_first_fill={"date": "1991-02-01", "fund": values})
    assert '<p class="since">Since its first fill (1991-02-01): 17.4\u202f% a year.</p>' in page
    assert 'class="since"' not in changed(run, since_first_fill=None)


def test_trials_that_nobody_counted_are_not_given_as_one(run: Path) -> None:
    assert "Trials are not counted" in page_of(run)
    assert "40 variants were tried" in changed(run, trials=40)


def test_the_headline_of_a_failed_run_leaves_the_error_to_the_banner(run: Path) -> None:
    error = "`Mine.forecast` raised ValueError; mine.py:12: x = 1. / 0."
    verdict = f"Failed after 1992-01-02: {error} Made 2.0 % in all after costs."
    page = changed(run, status="failed", error=error, verdict=verdict)
    headline = page.split('<h1 class="verdict">')[1].split("</h1>")[0]
    assert "Failed after 1992-01-02." in headline
    assert "mine.py" not in headline
    assert page.count("mine.py:12") == 1


def test_charts_carry_money_to_the_last_unit(run: Path) -> None:
    text = page_of(run).split('id="payload">')[1].split("</script>")[0]
    packed = json.loads(text)["levels"]["fund"]
    assert packed["type"] == "f8"
    levels = np.frombuffer(base64.b64decode(packed["data"]), "<f8")
    equity = pl.read_parquet(run / "equity.parquet")["equity"].cast(pl.Float64)
    assert levels[-1] == equity[-1]
