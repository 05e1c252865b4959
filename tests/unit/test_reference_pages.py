"""The pages of docs/reference say what the code does."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

import quantvista as qv
from quantvista._native import names
from quantvista.data.quality import CHECKS, CHECKS_OF, QUOTE_CHECKS, TRADE_CHECKS
from quantvista.features import FEATURES, GROUPS, operator_infos

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"
TYPES = {
    "timestamp[ns, tz=UTC]": "time",
    "decimal128(38, 12)": "exact",
    "double": "float",
    "string": "text",
    "int64": "integer",
    "bool": "flag",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    result = qv.run(
        {
            "fund": {"name": "tiny", "cash": "10000.00"},
            "data": {"source": "sample:sp500", "benchmark": "SP500.INDEX", "start": "2021-01-04"},
            "sleeve": [{"id": "all", "strategy": "equal_weight"}],
        },
        out=folder,
    )
    result.report()
    return folder


def section(heading: str) -> str:
    page = (PAGES / "outputs.md").read_text("utf-8")
    return page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^\| (`[\w.]+`(?:, `[\w.]+`)*) \| (.+?)(?: \| .*)? \|$", text, re.MULTILINE)
    return [(name.strip("`"), kind) for names, kind in found for name in names.split(", ")]


def test_pages_from_the_code_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run python scripts/reference.py\n{done.stdout}{done.stderr}"


def test_every_feature_operator_and_check_has_an_entry() -> None:
    for page, known in (
        ("features.md", FEATURES),
        ("operators.md", operator_infos()),
        ("checks.md", [name for checks in CHECKS_OF.values() for name in checks]),
    ):
        text = (PAGES / page).read_text("utf-8")
        entries = re.findall(r"^#{2,3} ([a-z0-9_]+)$", text, re.MULTILINE)
        assert sorted(entries) == sorted(known), page


def test_every_feature_operator_and_check_has_a_picture() -> None:
    images = ROOT / "docs" / "images"
    sheets = {path.stem: path.read_text("utf-8") for path in (images / "features").glob("*.svg")}
    assert sorted(sheets) == sorted(GROUPS)
    for name, text in sheets.items():
        cells = re.findall(r'<text class="name"[^>]*>(\w+)</text>', text)
        assert cells == [each.name for each in FEATURES.group(name)]
    checks = {path.stem: path.read_text("utf-8") for path in (images / "quality").glob("*.svg")}
    assert set(CHECKS) | {f"quotes_{name}" for name in QUOTE_CHECKS} < set(checks)
    of_trades = {name.removeprefix("trades_") for name in checks if name.startswith("trades_")}
    assert set(TRADE_CHECKS) - set(QUOTE_CHECKS) <= of_trades <= set(TRADE_CHECKS)
    assert all("<circle" in text for text in checks.values())
    drawn = [path.read_text("utf-8") for path in sorted((images / "operators").glob("*.svg"))]
    names = [name for text in drawn for name in re.findall(r'class="name"[^>]*>(\w+)<', text)]
    assert sorted(names) == sorted(operator_infos())
    whole = [*sheets.values(), *checks.values(), *drawn]
    assert sum(len(text) for text in whole) < 3_000_000
    for text in whole:
        ElementTree.fromstring(text)  # well-formed, or no browser shows it


def test_outputs_page_names_every_file(run: Path) -> None:
    head = (PAGES / "outputs.md").read_text("utf-8").split("## Types")[0]
    written = set(re.findall(r"`([\w]+\.(?:parquet|json|toml|html))`", head))
    assert written == {path.name for path in run.iterdir()}


def test_outputs_page_has_every_column(run: Path) -> None:
    for path in run.glob("*.parquet"):
        schema = pq.read_schema(path)
        real = [(field.name, TYPES[str(field.type)]) for field in schema]
        assert rows(section(path.stem)) == real, path.name


def test_outputs_page_has_every_key_of_the_summary(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    written = dict(rows(section("summary.json")))
    assert set(written) == set(summary)
    for key in ("period", "costs", "counts"):
        assert sorted(written[key].split(", ")) == sorted(summary[key]), key


def test_outputs_page_has_every_name_of_the_engine() -> None:
    orders, verdicts = section("orders"), section("verdicts")
    for name in names["status"]:
        assert f"`{name}`" in orders or name == "initialised", name
    for name in (
        *names["reason"],
        *names["type"],
        *names["tif"],
        *names["side"],
        *names["leg"],
        *names["origin"],
    ):
        assert f"`{name}`" in orders, name
    for name in (*names["rule"], *names["outcome"]):
        assert f"`{name}`" in verdicts, name
    for name in (*names["kind"], *names["liquidity"]):
        assert f"`{name}`" in section("fills"), name
    for name in names["posting"]:
        assert f"`{name}`" in section("postings"), name
    for name in (*names["fund_state"], *names["sleeve_state"], *names["cause"]):
        assert f"`{name}`" in section("states"), name
    for name in names["action"]:
        assert f"`{name}`" in section("actions"), name
