import fcntl
import json
import stat
import sys
from pathlib import Path

import pytest

from quantvista.errors import ConfigError
from quantvista.trading.control import Place
from quantvista.trading.supervisor import plan, unit_file

FUND = """
[[venue]]
id = "here"
kind = "paper"
url = "http://127.0.0.1:8917"
venue = "fast"
account = "second"
"""
PAPER = """
port = 8917
folder = "books"
[[venue]]
id = "fast"
[venue.accounts.main]
[venue.accounts.second]
"""


@pytest.fixture
def fund(tmp_path: Path) -> Path:
    path = tmp_path / "fund.toml"
    path.write_text(FUND)
    (tmp_path / "paper.toml").write_text(PAPER)
    return path


def names(fund: Path, *, guard: bool = True) -> list[str]:
    return [each.name for each in plan(fund, Place.beside(fund), guard=guard)]


def test_guard_and_node_come_after_the_venue(fund: Path) -> None:
    paper, guard, node = plan(fund, Place.beside(fund))
    words = (str(fund), "--state", str(fund.parent / "state"))
    assert node.command == (sys.executable, "-m", "quantvista", "node", *words)
    assert guard.command[3:] == ("guard", *words)
    assert paper.command[3:] == ("paper", "serve", "--config", str(fund.parent / "paper.toml"))
    assert (paper.url, node.url) == ("http://127.0.0.1:8917", "")
    assert [each.takes_stop for each in (paper, guard, node)] == [False, False, True]
    assert {each.cwd for each in (paper, guard, node)} == {fund.parent}
    [_, alone] = plan(fund, Place.beside(fund), guard=False)
    assert alone.command[3:] == ("node", *words, "--no-guard")


def test_a_fund_file_can_do_without_a_guard(fund: Path) -> None:
    fund.write_text(f"guard = {{ on = false }}\n{FUND}")
    assert names(fund) == ["paper", "node"]
    assert plan(fund, Place.beside(fund))[-1].command[-1] == "--no-guard"
    assert Place.beside(fund).key("guard", "here") is None


def test_keys_are_made_once(fund: Path) -> None:
    place = Place.beside(fund)
    plan(fund, place, keys=False)
    assert not (fund.parent / "books").exists()
    plan(fund, place, guard=False)
    node = place.key("node", "here")
    assert node is not None
    assert place.key("guard", "here") is None
    plan(fund, place)
    guard = place.key("guard", "here")
    assert place.key("node", "here") == node
    rows = json.loads((fund.parent / "books" / "keys.json").read_text())
    assert [(row["key"], row["secret"]) for row in rows] == [node, guard]
    assert {(row["venue"], row["account"]) for row in rows} == {("fast", "second")}
    assert stat.S_IMODE((place.folder / "keys.json").stat().st_mode) == 0o600
    (fund.parent / "books" / "keys.json").unlink()  # a venue that was begun anew
    plan(fund, place)
    assert place.key("node", "here") not in (None, node)


def test_a_key_has_the_name_that_the_fund_gives_it(fund: Path) -> None:
    fund.write_text(f'{FUND}key = "mine"\n')
    place = Place.beside(fund)
    plan(fund, place)
    assert place.key("mine", "here") is not None
    assert place.key("guard", "here") is not None
    assert place.key("node", "here") is None


def test_what_the_fund_does_not_say_is_as_it_reads_it(tmp_path: Path) -> None:
    fund = tmp_path / "fund.toml"
    fund.write_text('[[venue]]\nkind = "paper"\nid = "fast"\n')
    (tmp_path / "paper.toml").write_text(PAPER.replace("port = 8917", ""))
    assert names(fund) == ["paper", "guard", "node"]
    assert Place.beside(fund).key("node", "fast") is not None


@pytest.mark.parametrize(
    "content",
    [
        "",
        'venue = "x"',
        '[[venue]]\nkind = "simulated"',
        '[[venue]]\nkind = "paper"\nurl = "https://far.example:8917"',
    ],
)
def test_a_venue_elsewhere_is_not_started(fund: Path, content: str) -> None:
    fund.write_text(content)
    assert names(fund) == ["guard", "node"]


def test_without_its_file_no_venue_is_started(fund: Path) -> None:
    (fund.parent / "paper.toml").unlink()
    assert names(fund) == ["guard", "node"]


def test_a_venue_that_is_served_by_hand_is_left_alone(fund: Path) -> None:
    (fund.parent / "books").mkdir()
    with (fund.parent / "books" / "lock").open("w") as lock:
        assert names(fund)[0] == "paper"
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert names(fund) == ["guard", "node"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("8917", "8000", r"`venue.url` must have the port of .*paper.toml.*8000 and port 8917"),
        ('"fast"', '"slow"', r"`venue.venue` must be one of fast, .*found 'slow'"),
        ('"second"', '"third"', r"`venue.account` must be one of main, second; found 'third'"),
    ],
)
def test_what_does_not_fit_together_is_said(fund: Path, old: str, new: str, message: str) -> None:
    fund.write_text(FUND.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        names(fund)


def test_files_that_cannot_be_read_are_named(fund: Path, tmp_path: Path) -> None:
    (tmp_path / "paper.toml").write_text("port = ")
    with pytest.raises(ConfigError, match=r"paper.toml: not valid TOML"):
        names(fund)
    with pytest.raises(ConfigError, match=r"`fund` must be a readable file; found no such file"):
        names(tmp_path / "none.toml")


def test_a_unit_stops_only_its_supervisor(tmp_path: Path) -> None:
    folder = tmp_path / "my funds 100%"
    name, text = unit_file(folder / "fund.toml", ("/bin/qv", "up", str(folder / "fund.toml")))
    assert name == "quantvista-my-funds-100-"
    lines = text.splitlines()
    assert "KillMode=process" in lines
    assert "Restart=on-failure" in lines
    quoted = str(folder).replace("%", "%%")
    assert f'ExecStart=/bin/qv up "{quoted}/fund.toml"' in lines
    assert f"WorkingDirectory={quoted}" in lines
