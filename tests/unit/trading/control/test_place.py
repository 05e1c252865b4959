import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from quantvista.errors import ControlError
from quantvista.trading.control import ApiKey, Place, Process, read_json, write_json


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path / "state")
    found.make()
    return found


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_the_owners(place: Place) -> None:
    assert place.folder == Place.beside(place.folder.parent / "fund.toml").folder
    assert [mode(each) for each in (place.folder, place.run, place.logs)] == [0o700] * 3
    place.make()
    assert not place.journal.exists()  # a journal makes its own


def test_a_file_is_the_old_one_or_the_new_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.lease
    assert read_json(path) is None
    write_json(path, {"epoch": 3})
    assert (read_json(path), mode(path)) == ({"epoch": 3}, 0o600)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"epoch": 4})
    assert read_json(path) == {"epoch": 3}
    assert [each.name for each in place.run.iterdir()] == ["lease.json"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"", b"[" * 100_000])
def test_a_damaged_file_is_named(place: Place, content: bytes) -> None:
    place.lease.write_bytes(content)
    with pytest.raises(ControlError, match=r"lease.json is damaged: .* remove it"):
        read_json(place.lease)


def test_a_process_is_announced_and_withdrawn(place: Place) -> None:
    assert place.process("node") is None
    mine = place.announce("node", epoch=7)
    assert place.process("node") == mine == Process.of(os.getpid(), 7)
    assert mine.alive
    place.withdraw("node", mine._replace(pid=1))  # of another
    assert place.process("node") == mine
    place.withdraw("node")
    assert place.process("node") is None
    place.withdraw("node")


@pytest.mark.parametrize("content", ["{}", '{"pid": "x", "started_ns": 1, "boot": "", "epoch": 1}'])
def test_a_damaged_pid_file_is_named(place: Place, content: str) -> None:
    (place.run / "node.json").write_text(content)
    with pytest.raises(ControlError, match=r"node.json is damaged"):
        place.process("node")


def test_a_number_used_again_is_not_hit(sleeper: subprocess.Popen[bytes], place: Place) -> None:
    process = place.announce_other("paper", sleeper.pid)
    for other in (
        process._replace(started_ns=process.started_ns - 10_000_000),
        process._replace(boot="of yesterday"),
    ):
        assert not other.alive
        assert not other.signal(signal.SIGKILL)
    assert sleeper.poll() is None
    assert process.signal(signal.SIGKILL)
    sleeper.wait()
    assert not process.alive
    assert not process.signal(signal.SIGKILL)
    with pytest.raises(ControlError, match="`pid` must be of a process that runs"):
        place.announce_other("paper", sleeper.pid)


def test_a_process_nobody_waits_for_has_ended(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive
    sleeper.wait()


def test_one_process_holds_a_name(place: Place) -> None:
    with place.alone("supervisor"):
        with pytest.raises(ControlError, match=r"a supervisor runs already in .* qv down"):
            place.alone("supervisor").__enter__()
        with place.alone("other"):
            pass
    with place.alone("supervisor"):
        pass


def test_an_order_stays_until_it_is_dropped(place: Place) -> None:
    assert place.order() is None
    path = place.leave_order({"command": "halt", "by": "ann", "reason": "test", "ts": 1})
    assert path.name == "halt.json"
    assert place.order() == {"command": "halt", "by": "ann", "reason": "test", "ts": 1}
    place.drop_order()
    assert place.order() is None
    place.drop_order()


def test_keys_are_of_a_name_and_a_venue(place: Place) -> None:
    assert place.key("node", "paper") is None
    place.put_key("node", "paper", ApiKey("a", "secret"))
    place.put_key("guard", "paper", ApiKey("b", "other"))
    assert place.key("node", "paper") == ApiKey("a", "secret")
    assert place.key("node", "fast") is None
    assert mode(place.folder / "keys.json") == 0o600
    assert "secret" not in repr(place.key("node", "paper"))


@pytest.mark.parametrize("text", ['{"node": []}', '{"node": {"paper": {"key": "k"}}}'])
def test_damaged_keys_are_named_and_not_shown(place: Place, text: str) -> None:
    file = place.folder / "keys.json"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ControlError, match=r"keys.json is damaged: .* remove it"):
        place.key("node", "paper")


def test_keys_that_others_can_read_are_not_used(place: Place) -> None:
    place.put_key("node", "paper", ApiKey("k", "s"))
    assert place.key("node", "paper") == ApiKey("k", "s")
    (place.folder / "keys.json").chmod(0o640)
    with pytest.raises(ControlError, match="readable by you alone; found mode 640"):
        place.key("node", "paper")
