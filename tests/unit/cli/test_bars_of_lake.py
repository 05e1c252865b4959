"""Commands that read bars of the lake see what a run sees."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

type Qv = Callable[..., Any]


@pytest.fixture
def corrected(qv: Qv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a dataset of which a close was corrected half a year later; its first commit."""
    monkeypatch.chdir(tmp_path)
    Path("first.csv").write_text("date,instrument,close\n2024-01-02,AAA,10\n2024-01-03,AAA,10.1\n")
    Path("later.csv").write_text("date,instrument,close\n2024-01-03,AAA,99\n")
    into = ("--into", "v", "--venue", "XNAS")
    assert qv("data", "import", "first.csv", *into)[0] == 0
    first = json.loads(qv("data", "history", "v", "--json").out)
    done = qv("data", "import", "later.csv", *into, "--known-at", "2024-06-01")
    assert done[0] == 0, done
    return str(first["commits"][0]["commit"])


@pytest.mark.parametrize("name", ["lake:v", "the first commit"])
def test_features_take_bars_as_first_known(qv: Qv, corrected: str, name: str) -> None:
    source = name if name == "lake:v" else f"lake:v@{corrected}"
    done = qv("features", "compute", "x=close", "--input", source, "--output", "out.parquet")
    assert done[0] == 0, done
    assert pl.read_parquet("out.parquet")["x"].to_list() == [10.0, 10.1]


def test_checks_do_not_take_a_revision_for_a_defect(qv: Qv, corrected: str) -> None:
    found = json.loads(qv("data", "check", "lake:v", "--raw", "--json").out)
    assert found["checks"] == {}
