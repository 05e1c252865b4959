"""One version, wherever it is written."""

import re
import tomllib
from pathlib import Path
from typing import Any

from quantvista import __version__

ROOT = Path(__file__).parents[2]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def test_package_and_crates_have_the_same_version() -> None:
    assert _toml("pyproject.toml")["project"]["version"] == __version__
    assert _toml("Cargo.toml")["workspace"]["package"]["version"] == __version__


def test_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", text, re.MULTILINE)
    assert found, "CHANGELOG.md has no heading with a version"
    assert found[0] == __version__
