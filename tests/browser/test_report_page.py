"""The report in a real browser: it draws, logs no error, asks the net for nothing, and prints."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from quantvista.reporting import divergence_page, write_report
from quantvista.reporting._assets import script
from quantvista.trading.divergence import diverge
from support.paper_and_backtest import coin_fund, trade
from support.run_directory import write_run

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=6000", "--enable-logging=stderr", "--hide-scrollbars",
)  # fmt: skip
CHARTS = 8

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium; found none on the path"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert script(), "build the assets first: make build"
    return write_report(write_run(tmp_path_factory.mktemp("runs") / "demo"))


def browse(tmp_path: Path, address: str, *arguments: str) -> tuple[str, str]:
    """Open a page and return standard output and the browser's log."""
    assert CHROMIUM
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout, done.stderr


def console(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]


def test_it_draws_every_chart_without_an_error(report: Path, tmp_path: Path) -> None:
    page, log = browse(tmp_path, report.as_uri(), "--window-size=1440,900", "--dump-dom")
    assert console(log) == []
    assert page.count("<canvas") == CHARTS
    assert page.count('class="reading') == CHARTS
    assert len(re.findall(r'<tr><td class=""[^>]*>\d{4}-\d\d-\d\d', page)) > 10  # fills in view
    assert len(re.findall(r"<tr><td class", page)) < 60  # and no more than that
    assert re.search(r'data-scale="log" aria-pressed="true"', page)


def probe(tmp_path: Path, report: Path, width: int, expression: str) -> str:
    """Open the report in a frame and return what an expression over its window ``w`` says."""
    page = tmp_path / "probe.html"
    page.write_text(
        f'<iframe id="f" src="{report.as_uri()}" style="width:{width}px;height:900px;border:0">'
        "</iframe><script>f.onload=()=>setTimeout(()=>{const w=f.contentWindow;"
        f"document.title={expression}}},1500)</script>",
        "utf-8",
    )
    shown, _ = browse(tmp_path, page.as_uri(), "--allow-file-access-from-files", "--dump-dom")
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title, "the probe did not run"
    return title[1]


def test_it_asks_the_network_for_nothing(report: Path, tmp_path: Path) -> None:
    asked = probe(tmp_path, report, 1200, "'n'+w.performance.getEntriesByType('resource').length")
    assert asked == "n0"
    assert not re.search(r"""(src|href)=["']https?:""", report.read_text("utf-8"))


def test_it_is_small_enough_to_send(report: Path) -> None:
    assert report.stat().st_size < 1_500_000


@pytest.mark.parametrize("width", [360, 390, 1024])
def test_it_does_not_scroll_sideways(report: Path, tmp_path: Path, width: int) -> None:
    root = "w.document.documentElement"
    found = probe(tmp_path, report, width, f"{root}.scrollWidth+' of '+{root}.clientWidth")
    needed, there = found.split(" of ")
    assert int(needed) <= int(there)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_seen_in_both_themes(report: Path, tmp_path: Path, theme: str) -> None:
    picture = tmp_path / f"{theme}.png"
    _, log = browse(
        tmp_path,
        f"{report.as_uri()}#theme={theme}",
        "--window-size=1440,2400",
        f"--screenshot={picture}",
    )
    assert console(log) == []
    assert picture.stat().st_size > 50_000


def test_it_prints(report: Path, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse(tmp_path, report.as_uri(), "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert 4 <= pages <= 14


def test_a_run_that_recorded_nothing_opens_too(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text('{"schema_version": 1, "status": "failed"}', "utf-8")
    page, log = browse(tmp_path, write_report(tmp_path).as_uri(), "--dump-dom")
    assert console(log) == []
    assert "Nothing was recorded." in page


def test_the_page_of_a_divergence_fits_a_phone_and_asks_for_nothing(tmp_path: Path) -> None:
    done = trade(coin_fund(tmp_path, seconds=20), venue={"tiers": (), "fee_rate": 500_000})
    page = tmp_path / "divergence.html"
    page.write_text(divergence_page(diverge(done.disk, base=tmp_path)), "utf-8")
    root = "w.document.documentElement"
    resources = "w.performance.getEntriesByType('resource').length"
    found = probe(tmp_path, page, 360, f"{root}.scrollWidth+' '+{root}.clientWidth+' '+{resources}")
    needed, there, asked = map(int, found.split())
    assert needed <= there
    assert asked == 0
