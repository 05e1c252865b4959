"""A venue's database that is encrypted: what the disk shows, keys, crashes, an older one."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from quantvista.errors import BackupError, ConfigError
from quantvista.keyring import KEY_RING_VARIABLE, Ring, add_key, make_ring, read_ring
from quantvista.operations.backup._database import copy_database
from quantvista.trading.gateway.http import SystemClock
from quantvista.trading.paper import Batch, SQLiteStore, is_encrypted_database
from quantvista.trading.paper._config import DEFAULT
from quantvista.trading.paper._database import encrypt_database
from quantvista.trading.paper.serving import Served, build_server, read_place

ONE = Ring((bytes(range(32)),))
TWO = Ring((*ONE.keys, bytes(range(1, 33))))
OTHER = Ring((bytes(32),))
WORDS = (b"SQLite format", b"BTC-USDT", b"reports", b"client-7", b"CREATE TABLE")


def write(store: SQLiteStore, first: int, count: int) -> None:
    for number in range(first, first + count):
        store.commit(
            Batch(
                records=[b"BTC-USDT " * 500],
                reports=[(0, number, f"t{number}", "BTC-USDT " * 20)],
                clients={(0, f"client-{number}"): "BTC-USDT"},
            )
        )


def check_hidden(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not [word for word in WORDS if word in path.read_bytes()], path


def left_by_kill(path: Path, to: Path) -> Path:
    """The files as a process would leave them that is killed now."""
    to.mkdir()
    for each in path.parent.glob("venue.db*"):
        shutil.copyfile(each, to / each.name)
    return to / path.name


def test_the_disk_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "venue" / "venue.db"
    store = SQLiteStore(path, ONE)
    write(store, 1, 30)
    assert len(list(path.parent.iterdir())) == 2, "the database and its log"
    check_hidden(path.parent)
    store.close()
    check_hidden(path.parent)
    assert is_encrypted_database(path)
    again = SQLiteStore(path, ONE)
    assert (again.last(0), len(again.load()[1])) == (30, 30)
    again.close()


def test_a_killed_venue_has_what_it_committed(tmp_path: Path) -> None:
    path = tmp_path / "venue" / "venue.db"
    store = SQLiteStore(path, ONE)
    for number in range(1, 8):
        write(store, number, 1)
        left = left_by_kill(path, tmp_path / f"{number}")
        # A ring with a newer key: the older one is found, and all of it has the newer one then.
        again = SQLiteStore(left, TWO if number % 2 else ONE)
        assert (again.last(0), again.terms(0, f"client-{number}")) == (number, "BTC-USDT")
        at_once = left_by_kill(left, tmp_path / f"{number}-killed")
        again.close()
        for each in (left, at_once):
            third = SQLiteStore(each, Ring(TWO.keys[1:]) if number % 2 else ONE)
            assert len(third.load()[1]) == number
            third.close()
    store.close()


def test_without_its_key_it_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    SQLiteStore(path, ONE).close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"key that the ring does not have.*QV_KEY_RING"):
        SQLiteStore(path, OTHER)
    with pytest.raises(ConfigError, match="not a database"):
        SQLiteStore(path)
    assert path.read_bytes() == before
    clear = tmp_path / "clear.db"
    SQLiteStore(clear).close()
    with pytest.raises(ConfigError, match="must be encrypted; found it in the clear"):
        SQLiteStore(clear, ONE)


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    with pytest.raises(ConfigError, match=r"pip install 'quantvista\[encryption\]'"):
        SQLiteStore(tmp_path / "venue.db", ONE)


def test_a_database_that_is_there_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    store = SQLiteStore(path)
    write(store, 1, 20)
    left = left_by_kill(path, tmp_path / "killed")  # with a log, as a kill leaves it
    store.close()
    assert b"client-7" in left.read_bytes() + left.with_name("venue.db-wal").read_bytes()
    encrypt_database(left, ONE)
    assert [each.name for each in left.parent.iterdir()] == ["venue.db"]
    check_hidden(left.parent)
    again = SQLiteStore(left, ONE)
    assert (again.last(0), len(again.load()[1])) == (20, 20)
    write(again, 21, 1)
    again.close()


def test_a_changed_byte_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ring(tmp_path / "coins.keys")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "coins.keys"))
    path = tmp_path / "venue" / "venue.db"
    store = SQLiteStore(path, read_ring())
    write(store, 1, 50)
    store.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupError, match=r"is damaged: "):
        copy_database(path, tmp_path / "copy.db")


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("ring", [None, ONE])
def test_what_is_damaged_is_said(
    ring: Ring | None, is_cut: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "venue.db"
    store = SQLiteStore(path, ring)
    write(store, 1, 50)
    store.close()
    content = bytearray(path.read_bytes())
    if is_cut:
        del content[len(content) // 8192 * 4096 :]
    else:
        content[2 * 4096 :] = bytes(len(content) - 2 * 4096)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"venue\.db is damaged .*restore it from a backup"):
        SQLiteStore(path, ring).load()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ring", [None, ONE])
def test_an_empty_one_is_not_a_new_one(ring: Ring | None, tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    path.with_name("venue.db.new").touch()  # left by a kill while the first was being made
    SQLiteStore(path, ring).close()
    assert [each.name for each in tmp_path.iterdir()] == ["venue.db"]
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"venue\.db is empty: .*restore it from a backup"):
        SQLiteStore(path, ring)


def test_a_venue_is_copied_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = tmp_path / "coins.keys"
    make_ring(ring)
    path = tmp_path / "venue" / "venue.db"
    store = SQLiteStore(path, read_ring(ring))
    monkeypatch.delenv(KEY_RING_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=r"venue\.db is encrypted: `--key-ring` must name"):
        copy_database(path, tmp_path / "copy.db")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(ring))
    for number in range(1, 8):
        write(store, number, 1)
        if number == 5:
            add_key(ring)  # the venue has the older one
        copy = tmp_path / f"copy-{number}.db"
        copy_database(path, copy)
        check_hidden(tmp_path / "venue")
        other = SQLiteStore(copy, read_ring())
        assert (other.last(0), len(other.load()[1])) == (number, number)
        other.close()
        assert not [word for word in WORDS if word in copy.read_bytes()]
    store.close()


def test_the_configuration_says_that_it_is_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_RING_VARIABLE, "")  # so that it is put back
    monkeypatch.delenv(KEY_RING_VARIABLE)
    make_ring(tmp_path / "coins.keys")
    config = tmp_path / "paper.toml"
    path = tmp_path / "paper" / "paper" / "venue.db"

    def serve(said: str) -> Served:
        config.write_text(said + DEFAULT)
        served = read_place(config)
        server = build_server(served, SystemClock())
        for each in server.endpoints.values():
            each.venue.close()
        return served

    serve("")
    assert not is_encrypted_database(path)
    with pytest.raises(ConfigError, match=r"is encrypted: `--key-ring` must name"):
        serve("encrypted = true\n")
    named = 'encrypted = true\nkey_ring = "coins.keys"\n'
    serve(named)
    assert is_encrypted_database(path)
    serve('key_ring = "coins.keys"\n')
    assert is_encrypted_database(path), "it does not go back"
    assert os.environ[KEY_RING_VARIABLE] == str(tmp_path / "coins.keys")
