"""The pages of the guide do what they say, and name everything that there is."""

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import quantvista as qv
from quantvista.fund import (
    AccountSection,
    ActionSection,
    CashFlowSection,
    DataSection,
    EventsSection,
    Fund,
    FundSection,
    GuardSection,
    InstrumentSection,
    PortfolioSection,
    RiskSection,
    SleeveSection,
    StorageSection,
    VenueSection,
)
from quantvista.fund._guard import FirmSection
from quantvista.fund._risk import BreakersSection, SleeveRiskSection, ValueAtRiskSection
from support.doc_pages import blocks, run_page

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
SECTIONS: dict[str, type[BaseModel]] = {
    "Top level": Fund,
    "[fund]": FundSection,
    "[data]": DataSection,
    "[[data.events]]": EventsSection,
    "[[data.actions]]": ActionSection,
    "[[instrument]]": InstrumentSection,
    "[[sleeve]]": SleeveSection,
    "[portfolio]": PortfolioSection,
    "[risk]": RiskSection,
    "[sleeve.risk]": SleeveRiskSection,
    "[risk.value_at_risk]": ValueAtRiskSection,
    "[risk.breakers]": BreakersSection,
    "[account]": AccountSection,
    "[[venue]]": VenueSection,
    "[[cash_flow]]": CashFlowSection,
    "[guard]": GuardSection,
    "[guard.firm]": FirmSection,
    "[storage]": StorageSection,
}


def rows(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = re.split(r"^#+ ", page.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)
    lines = [line for line in below[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("getting-started", 7),
        ("data", 7),
        ("lake", 7),
        ("events", 7),
        ("universes", 7),
        ("bars", 4),
        ("quality", 7),
        ("features", 4),
        ("accounts", 7),
        ("notebook", 7),
        ("journal", 17),
    ],
)
def test_page_runs(name: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(GUIDE / f"{name}.md", tmp_path) >= count


def test_every_toml_block_is_toml() -> None:
    for page in GUIDE.glob("*.md"):
        for block in blocks(page):
            if block.language == "toml":
                tomllib.loads(block.text)


def test_example_of_the_fund_file_page_is_a_fund(tmp_path: Path) -> None:
    text = next(block.text for block in blocks(GUIDE / "fund-file.md") if block.language == "toml")
    path = tmp_path / "fund.toml"
    path.write_text(text)
    assert len(qv.load_fund(path).fund.sleeve) == 2


@pytest.mark.parametrize("heading", SECTIONS)
def test_fund_file_page_has_every_key_and_default(heading: str) -> None:
    page = (GUIDE / "fund-file.md").read_text("utf-8")
    written = {row[0].strip(" `"): row[1].strip(" `") for row in rows(page, heading)}
    fields = SECTIONS[heading].model_fields
    if heading == "Top level":
        fields = {"version": fields["version"]}
    assert written == {
        name: shown(field.get_default(call_default_factory=True)) for name, field in fields.items()
    }


def shown(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "\N{EN DASH}"
    if isinstance(default, BaseModel):
        needs = any(each.is_required() for each in type(default).model_fields.values())
        parts = ", ".join(f"{name} = {shown(value)}" for name, value in default)
        return f"{{ {parts} }}" if needs else "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Decimal | int):
        return str(default)
    if isinstance(default, tuple):
        return json.dumps(default)
    return "{}" if default == {} else f'"{default}"'


def test_report_page_defines_every_metric() -> None:
    result = qv.run(
        {
            "fund": {"name": "tiny", "cash": "10000.00"},
            "data": {"source": "sample:sp500", "benchmark": "SP500.INDEX", "start": "2021-01-04"},
            "sleeve": [{"id": "all", "strategy": "equal_weight"}],
        }
    )
    page = (GUIDE / "report.md").read_text("utf-8")
    written = [name.strip(" `") for row in rows(page, "Metrics") for name in row[0].split(",")]
    assert sorted(written) == sorted(result.metrics)


def test_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    """The text block of the README, line by line."""
    shown_there = next(block for block in blocks(ROOT / "README.md") if block.language == "text")
    page = tmp_path / "page.md"
    page.write_text(f"```sh\nqv run --demo --out out/demo\n```\n\n```text\n{shown_there.text}```\n")
    assert run_page(page, tmp_path) == 2
