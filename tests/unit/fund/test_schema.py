import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from quantvista.fund import TEMPLATES, Fund, json_schema, load_fund, resolved_toml, template_path

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", TEMPLATES)
def test_resolved_fund_reads_back_the_same(tmp_path: Path, name: str) -> None:
    fund = load_fund(template_path(name)).fund
    path = tmp_path / "run.toml"
    path.write_text(resolved_toml(fund))
    again = load_fund(path).fund
    assert again == fund
    assert resolved_toml(again) == resolved_toml(fund)


def test_resolved_fund_writes_tiny_and_large_numbers_plainly() -> None:
    fund = Fund.model_validate(
        {
            "fund": {"name": "tiny", "cash": "1e9"},
            "data": {"source": "p.csv", "tick_size": "1e-9"},
            "sleeve": [{"id": "all", "strategy": "trend"}],
            "risk": {"weight_max": "1e-9"},
        }
    )
    text = resolved_toml(fund)
    assert 'cash = "1000000000"' in text
    assert 'tick_size = "0.000000001"' in text
    assert tomllib.loads(text, parse_float=Decimal)["risk"]["weight_max"] == Decimal("1e-9")


def test_resolved_fund_keeps_nested_params() -> None:
    params = {"a": [1, 2.5], "b": {"c": {"d": "x"}}, "e": [{"f": 1}, {"f": 2}], "g": {}}
    fund = Fund.model_validate(
        {
            "fund": {"name": "tiny", "cash": "1e9"},
            "data": {"source": "p.csv", "sectors": {"A.X": "Energy"}},
            "sleeve": [
                {"id": "a", "strategy": "x.py:[sleeve]", "share": 0.5, "params": params},
                {"id": "b", "strategy": "trend", "share": 0.5},
            ],
        }
    )
    content = tomllib.loads(resolved_toml(fund), parse_float=Decimal)
    assert Fund.model_validate(content) == fund


def test_committed_schema_is_current() -> None:
    path = ROOT / "docs" / "reference" / "fund.schema.json"
    assert path.read_text(encoding="utf-8") == json_schema(), "run: qv schema --out " + str(path)


def test_schema_describes_every_section_and_refuses_others() -> None:
    schema = json.loads(json_schema())
    assert list(schema["properties"]) == list(Fund.model_fields)
    assert schema["additionalProperties"] is False
    for section in schema["$defs"].values():
        assert section["additionalProperties"] is False
        for name, field in section["properties"].items():
            assert "description" in field, name


@pytest.mark.parametrize("name", TEMPLATES)
def test_schema_knows_every_key_of_the_templates(name: str) -> None:
    schema = json.loads(json_schema())
    content = tomllib.loads(template_path(name).read_text())
    for key, value in content.items():
        assert key in schema["properties"]
        tables = value if isinstance(value, list) else [value]
        section = schema["$defs"].get(f"{key.title()}Section", {})
        for table in tables:
            if isinstance(table, dict):
                assert set(table) <= set(section["properties"])
