"""An encrypted lake over the command line: imported into, run from, rotated, without its key."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.keyring import KEY_RING_VARIABLE

FUND = """version = 1
[fund]
name = "own"
cash = "100000.00"
[data]
source = "lake:mine"
[[sleeve]]
id = "all"
strategy = "equal_weight"
[portfolio]
weighting = "equal"
rebalance = "daily"
[storage]
key_ring = "coins.keys"
"""
DAYS = ("02", "03", "04", "05", "08", "09", "10", "11")


def qv(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


def told(*words: str) -> dict[str, Any]:
    code, said = qv(*words, "--json")
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def vendor(path: Path, *, days: tuple[str, ...], close: float) -> None:
    rows = [
        f"2024-01-{day},{name},{close},{close + 1},{close - 1},{close},{1000 + int(day)}"
        for day in days
        for name in ("ACME", "BOLT")
    ]
    path.write_text("\n".join(["Day,Ticker,Open,High,Low,Close,Volume", *rows, ""]))


def check_hidden(lake: Path) -> None:
    """Nothing of what is in a lake is in any file or name of it."""
    words = (b"ACME", b"BOLT", b"close", b"bars", b"vendor", b"XNAS", b"known_at", b"PAR1")
    files = [path for path in lake.rglob("*") if path.is_file()]
    assert len(files) >= 7
    for path in files:
        content = str(path.relative_to(lake)).encode() + path.read_bytes()
        assert not [word for word in words if word in content], path


def test_a_lake_lives_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_RING_VARIABLE, "")  # so that it is put back, whoever sets it
    monkeypatch.delenv(KEY_RING_VARIABLE)
    monkeypatch.delenv("QUANTVISTA_LAKE", raising=False)
    vendor(Path("vendor.csv"), days=DAYS[:4], close=10.0)
    vendor(Path("more.csv"), days=DAYS[4:], close=11.0)
    Path("fund.toml").write_text(FUND)
    told("keys", "make", "coins.keys")
    told("data", "import", "vendor.csv", "--into", "mine", "--venue", "XNAS")
    told("data", "import", "more.csv", "--into", "mine", "--venue", "XNAS")
    code, said = qv("run", "fund.toml", "--quiet", "--out", "clear")
    assert code == 0, said
    monkeypatch.delenv(KEY_RING_VARIABLE)  # which the fund file had named
    (before,) = told("data", "list")["datasets"]

    code, said = qv("data", "encrypt")
    assert (code, "`--key-ring` must name the file" in said) == (2, True), said
    assert "is encrypted" not in said
    made = told("--key-ring", "coins.keys", "data", "encrypt")
    assert [each["dataset"] for each in made["datasets"]] == ["mine"]
    check_hidden(Path("lake"))
    (after,) = told("data", "list")["datasets"]
    assert before | {"encrypted": True} == after

    # The fund file names the ring; what comes out is what came out of the lake in the clear.
    monkeypatch.delenv(KEY_RING_VARIABLE)
    code, said = qv("run", "fund.toml", "--quiet", "--out", "hidden")
    assert code == 0, said
    results = sorted(path.name for path in Path("clear").iterdir() if path.is_file())
    assert "report.html" in results
    for name in results:
        assert Path("hidden", name).read_bytes() == Path("clear", name).read_bytes(), name
    monkeypatch.delenv(KEY_RING_VARIABLE)
    code, said = qv("data", "show", "mine")
    assert (code, "the dataset lake/mine is encrypted" in said) == (2, True), said
    code, said = qv("data", "list", "--json")
    listed = json.loads(said[said.index("{") :])
    assert (code, list(listed["damaged"])) == (3, ["mine"]), said

    told("keys", "rotate", "coins.keys")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "coins.keys"))
    vendor(Path("last.csv"), days=("12", "16"), close=12.0)
    told("data", "import", "last.csv", "--into", "mine", "--venue", "XNAS")
    told("data", "compact", "mine", "--keep", "2")
    (again,) = told("data", "encrypt")["datasets"]
    assert (again["encrypted"], again["removed"]) == (0, 0)
    assert again["renewed"] > 0
    ring = Path("coins.keys").read_text().splitlines()
    Path("coins.keys").write_text(f"{ring[0]}\n{ring[-1]}\n")  # the older key is needed no more
    shown = told("data", "show", "mine", "--verify")
    assert shown["kinds"]["bars"]["rows"] == 20
    assert qv("run", "fund.toml", "--quiet", "--out", "last")[0] == 0
    check_hidden(Path("lake"))
