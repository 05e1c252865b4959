"""What an import needs in memory does not grow with the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MEGABYTE = 1 << 20


def bring(folder: Path, size: int) -> dict[str, int]:
    """Import a generated file of so many bytes in a process of its own."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "support.import_child", str(folder), str(size)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, int] = json.loads(done.stdout)
    assert found["stored"] == found["rows"]
    assert found["rejected"] == 0
    assert found["size"] >= size
    return found


def test_four_times_the_file_takes_not_twice_the_memory(tmp_path: Path) -> None:
    small = bring(tmp_path / "small", 30 * MEGABYTE)
    large = bring(tmp_path / "large", 120 * MEGABYTE)
    assert large["size"] >= 3.5 * small["size"]
    assert large["peak"] - large["before"] <= 2 * (small["peak"] - small["before"])


@pytest.mark.slow
def test_five_gigabytes_take_less_than_one(tmp_path: Path) -> None:
    found = bring(tmp_path / "huge", 5_000 * MEGABYTE)
    assert found["peak"] * 1024 < 1_000_000_000
