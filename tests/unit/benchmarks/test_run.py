"""The benchmark harness runs, and writes what DESIGN section 7 says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COLUMNS = {
    "work",
    "system",
    "version",
    "runs",
    "median_s",
    "min_s",
    "max_s",
    "rate",
    "unit",
    "peak_mb",
    "note",
}


@pytest.mark.parametrize("work", ["bars", "orders", "callbacks"])
def test_quick_run_of_ours_writes_its_row(tmp_path: Path, work: str) -> None:
    out = tmp_path / "bench.json"
    script = ROOT / "benchmarks" / "run.py"
    options = ["--quick", "--ours", "--only", work, "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(script), *options], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    content = json.loads(out.read_text())
    assert content["machine"]["cpus"] >= 1
    (row,) = content["rows"]
    assert set(row) == COLUMNS
    assert (row["work"], row["system"], row["runs"]) == (work, "quantvista", 1)
    assert 0 < row["min_s"] <= row["median_s"] <= row["max_s"]
    assert row["rate"] > 0
    assert row["peak_mb"] > 10
    assert "check " in row["note"]  # the final state hash
    assert work in done.stdout
