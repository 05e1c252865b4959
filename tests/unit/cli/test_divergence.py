"""``qv divergence``: what it prints, writes, and how it ends."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quantvista.journal import MemoryDisk
from support.paper_and_backtest import coin_fund, commanded, trade


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a fund that paid more than its file says, and was halted for a while."""
    folder = tmp_path_factory.mktemp("fund")
    acts = {150: commanded("halt"), 400: commanded("resume")}
    venue = {"tiers": (), "fee_rate": 500_000}
    journal = folder / "state/journal"
    journal.mkdir(parents=True)
    written(trade(coin_fund(folder, seconds=40), venue=venue, acts=acts).disk, journal)
    return folder / "state"


def written(disk: MemoryDisk, folder: Path) -> None:
    """Write a journal out of memory into a folder."""
    for name in disk.names():
        (folder / name).write_bytes(disk.content(name) or b"")


def test_a_summary_in_80_columns(state: Path, qv: Callable[..., Any]) -> None:
    done = qv("divergence", "--state", state)
    assert done.code == 0
    assert max(map(len, done.out.splitlines()[:-4])) <= 80
    text = " ".join(done.out.split())
    assert re.match(r"coins earned USDT [0-9.]+ \([0-9.]+ bp\) (less|more) on paper than", text)
    for name in ("costs", "interventions", "the gap"):
        assert re.search(rf"^{name} +\S*[1-9]\S* ", done.out, re.MULTILINE), name
    for name in ("data", "signal", "reactions", "timing", "fills"):
        assert re.search(rf"^{name} +0\.00 +0\.00 ", done.out, re.MULTILINE), name
    assert "operator: halt by ada: odd" in done.out
    assert "refused by state" in done.out
    assert f"qv explain {state / 'journal'} " in done.out


def test_json_adds_up_to_the_last_digit(state: Path, qv: Callable[..., Any]) -> None:
    found = json.loads(qv("divergence", "--state", state, "--json").out)
    parts = [Decimal(each["amount"]) for each in found["causes"]]
    assert sum(parts) == Decimal(found["gap"]) != 0
    profits = [Decimal(found[side]["profit"]) for side in ("paper", "backtest")]
    assert profits[0] - profits[1] == Decimal(found["gap"])
    assert found["orders"]["first"] == found["orders"]["differing"][0]
    for name, curve in found["curves"].items():
        assert len(curve) == len(found["curves"]["ts"]), name


def test_a_page_that_stands_by_itself(state: Path, qv: Callable[..., Any], tmp_path: Path) -> None:
    page = tmp_path / "pages/d.html"
    assert f"wrote {page}" in qv("divergence", "--state", state, "--html", page).out
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    for name in ("What made the gap", "Equity of both", "By instrument", "Interventions"):
        assert name in text
    assert text.count("<svg") == 3


def test_the_journal_itself_and_another_fund_file(
    state: Path, qv: Callable[..., Any], tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    coin_fund(tmp_path)
    from quantvista.fund import resolved_toml

    other.write_text(resolved_toml(coin_fund(tmp_path, sleeve={"params": {"every": 9}}).fund))
    done = qv("divergence", "--state", state / "journal", "--fund", other, "--json")
    named = {each["name"]: Decimal(each["amount"]) for each in json.loads(done.out)["causes"]}
    assert named["signal"] != 0


def test_what_is_not_there_is_said(state: Path, qv: Callable[..., Any], tmp_path: Path) -> None:
    done = qv("divergence", "--state", tmp_path / "nothing")
    assert (done.code, "found no folder" in done.err) == (2, True)
    done = qv("divergence", "--state", tmp_path)
    assert done.code == 2
    done = qv("divergence", "--state", state, "--data", tmp_path / "none.csv")
    assert done.code == 3
