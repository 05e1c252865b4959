import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from quantvista.fund import TEMPLATES, Fund, json_schema, load_fund, resolved_toml, template_path
from quantvista.strategies import EventStrategy, StrategyParams

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


class Noting(EventStrategy):
    class Params(StrategyParams):
        limit: int | None = 3
        level: Any = None
        steps: dict[int, float] = Field(default_factory=lambda: {1: 0.5})

    def on_bar(self, ctx: object, bar: object) -> None: ...


def _tiny(strategy: object, **params: object) -> Fund:
    return Fund.model_validate(
        {
            "fund": {"name": "tiny", "cash": "1e9"},
            "data": {"source": "p.csv"},
            "sleeve": [{"id": "a", "strategy": strategy, "params": params}],
        }
    )


def test_parameter_that_is_none_is_stated_as_such() -> None:
    text = resolved_toml(_tiny(Noting, limit=None, level={"a": None}))
    assert "# params.level.a is None\n# params.limit is None\n" in text
    assert tomllib.loads(text)["sleeve"][0]["params"] == {"level": {}}
    instance = resolved_toml(_tiny(Noting(limit=None, level=[1, np.float64(2)])))
    assert "# params.limit is None\n" in instance
    assert tomllib.loads(instance)["sleeve"][0]["params"] == {
        "level": [1, 2.0],
        "steps": {"1": 0.5},
    }


def test_numpy_scalars_of_parameters_become_numbers() -> None:
    fund = _tiny(Noting, limit=np.int64(3), level=(np.float32(0.5), np.True_))
    assert fund.sleeve[0].params == {"limit": 3, "level": [0.5, True]}
    assert type(fund.sleeve[0].params["limit"]) is int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: 2}, "must have text as keys, as in a fund file, not 1"),
        ([1, None], "must have no None in a list"),
        (np.zeros(2), "not ndarray"),
        (object(), "not object"),
        ({"a": {1, 2}}, "not set"),
        (b"x", "not bytes"),
        ("\ud800", "not str"),
    ],
)
def test_parameters_that_no_file_can_hold_are_refused_before_a_run(
    value: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _tiny(Noting, level=value)


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
