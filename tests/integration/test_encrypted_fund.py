"""A fund with encrypted journals and venue: killed, recovered, verified, replayed, restored."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quantvista.backtest.recorded import replay
from quantvista.cli._app import app
from quantvista.journal import Journal, verify
from quantvista.keyring import KEY_RING_VARIABLE, Ring, add_key, make_ring, read_ring
from quantvista.trading.control import Place
from quantvista.trading.paper import is_encrypted_database, open_database
from support.live_fund import LiveFund

FUND = """
[storage]
encrypted = true
key_ring = "../coins.keys"
"""
PAPER = """encrypted = true
key_ring = "../coins.keys"
"""


@pytest.fixture
def fund(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveFund]:
    monkeypatch.setenv(KEY_RING_VARIABLE, "")  # so that it is put back, whoever sets it
    monkeypatch.delenv(KEY_RING_VARIABLE)
    make_ring(tmp_path / "coins.keys")
    found = LiveFund(tmp_path / "fund")
    path = found.folder / "fund.toml"
    path.write_text(path.read_text() + FUND)
    paper = found.folder / "paper.toml"
    paper.write_text(PAPER + paper.read_text())
    yield found
    found.end()


def qv(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


def test_a_fund_lives_with_encrypted_journals(
    fund: LiveFund, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = tmp_path / "coins.keys"
    fund.up()
    until = time.monotonic() + 30
    while not fund.has_in_flight() and time.monotonic() < until:
        time.sleep(0.2)
    epoch = fund.status()["epoch"]
    add_key(ring)  # which the next process takes
    fund.kill("node", "guard", "paper")
    time.sleep(0.2)
    fund.until_trading(epoch)
    until = time.monotonic() + 30
    while not fund.has_in_flight() and time.monotonic() < until:
        time.sleep(0.2)
    backup = tmp_path / "fund.qvb"
    # The fund file names the ring, for its backups, too.
    code, said = qv("backup", "--fund", str(fund.folder / "fund.toml"), "--out", str(backup))
    assert code == 0, said
    assert "qv backup verify" in said
    assert said.count("--key ") == 2, "the ring is in no environment but this process's"
    fund.halt()
    fund.down()
    _check_folder(fund, read_ring(ring).keys)
    # Without the keys all of it verifies, and nothing of it can be read.
    monkeypatch.delenv(KEY_RING_VARIABLE, raising=False)
    journal = fund.place.journal
    assert (verify(journal).opened, len(verify(journal).keys)) == (0, 2)
    code, said = qv("replay", str(journal))
    assert (code, "is encrypted with key" in said) == (2, True), said
    monkeypatch.setenv(KEY_RING_VARIABLE, str(ring))
    assert verify(journal).opened == verify(journal).records > 100
    assert verify(fund.place.guard_journal).opened > 0
    replayed = replay(journal)
    assert (replayed.agrees, replayed.status) == (True, "closed"), replayed.parting
    _check_restored(backup, tmp_path / "again")


def _check_folder(fund: LiveFund, keys: tuple[bytes, ...]) -> None:
    """Nothing of what was traded, and no key, is in any file of the state folder."""
    names = [b"BTC-USDT", b"ETH-USDT", b"market_maker"]
    database = fund.folder / "paper" / "paper" / "venue.db"
    with closing(open_database(database, Ring(keys))) as store:
        names += [row[0].encode() for row in store.execute("SELECT client FROM orders")]
    assert len(names) > 3, "it made orders"
    names += keys
    names += [key.hex().encode() for key in keys]
    assert is_encrypted_database(database)
    files = [path for path in fund.place.folder.rglob("*") if path.is_file()]
    files += database.parent.iterdir()
    assert {path.suffix for path in files} >= {".qvj", ".qvs"}
    for path in files:
        content = path.read_bytes()
        assert not [name for name in names if name in content], path


def _check_restored(backup: Path, to: Path) -> None:
    code, said = qv("restore", str(backup), "--to", str(to), "--json")
    assert code == 0, said
    assert json.loads(said)["level"] == "R1"
    place = Place(to / "state")
    found = verify(place.journal)
    assert found.opened == found.records
    with Journal(place.journal, found.stream) as again:
        assert again.encrypted
    database = to / "paper" / "paper" / "venue.db"
    assert is_encrypted_database(database)
    with closing(open_database(database, read_ring())) as store:
        assert store.execute("SELECT count(*) FROM orders").fetchone()[0] > 0
    shutil.rmtree(to)
