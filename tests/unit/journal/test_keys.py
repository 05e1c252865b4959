"""Sealing keys and seals."""

import stat
from pathlib import Path

import pytest

from quantvista.errors import ConfigError, JournalDamagedError, OutputError
from quantvista.journal import (
    KEY_VARIABLE,
    Journal,
    Note,
    Seal,
    SecretKey,
    make_key,
    read_public_key,
    read_secret_key,
    seals_of,
    verify,
)


def _sealed(folder: Path, key: SecretKey, *, seals: int = 1) -> None:
    with Journal(folder, "fund/demo") as journal:
        for number in range(seals):
            journal.write(Note(text=f"day {number}"), ts=number)
            journal.seal(key, ts=number + 100)


def test_a_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    public = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_secret_key(path).public == public
    assert read_public_key(str(tmp_path / "seal.key.pub")) == public
    assert read_public_key(public.hex()) == public
    with pytest.raises(OutputError, match="so that no key is lost"):
        make_key(path)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    make_key(path)
    secret = path.read_text().split()[5]
    key = read_secret_key(path)
    assert len(secret) == 64
    assert secret not in repr(key) + str(key) + str(vars(type(key)))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    make_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"found mode 0640.*chmod 600"):
        read_secret_key(path)


def test_the_environment_names_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="`qv journal key --out FILE` makes one"):
        read_secret_key()
    public = make_key(tmp_path / "seal.key")
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "seal.key"))
    assert read_secret_key().public == public


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text("hello")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="must be a file of `qv journal key`"):
        read_secret_key(path)
    with pytest.raises(ConfigError, match="no such file or directory"):
        read_secret_key(tmp_path / "none")
    for text in ("", "ab", str(path), "zz" * 32):
        with pytest.raises(ConfigError, match="64 hexadecimal digits"):
            read_public_key(text)
    with pytest.raises(ValueError, match="must have 32 bytes; found 3"):
        SecretKey(b"abc")


def test_seals_are_checked_with_the_journal(tmp_path: Path) -> None:
    key = SecretKey(bytes(range(32)))
    _sealed(tmp_path, key, seals=3)
    found = verify(tmp_path, key=key.public)
    assert [seal.sequence for seal in found.seals] == [1, 2, 3]
    assert (found.seals[0].stream, found.seals[0].ts) == ("fund/demo", 100)
    assert found.seals[-1].chain == found.head.chain
    again = Seal.from_text(found.seals[0].text)
    again.check()
    assert again.file_name == "00000000000000000001.seal"


def test_a_seal_of_another_key_is_refused(tmp_path: Path) -> None:
    _sealed(tmp_path, SecretKey(bytes(32)))
    verify(tmp_path)
    with pytest.raises(JournalDamagedError, match="signed with another key"):
        verify(tmp_path, key=SecretKey(bytes([1] * 32)).public)


def test_a_key_needs_a_seal_to_check(tmp_path: Path) -> None:
    with Journal(tmp_path, "x") as journal:
        journal.write(Note(text="x"), ts=1)
    with pytest.raises(JournalDamagedError, match="has no seal that the key could check"):
        verify(tmp_path, key=bytes(32))


def test_a_changed_seal_is_named(tmp_path: Path) -> None:
    _sealed(tmp_path, SecretKey(bytes(32)))
    [path] = tmp_path.glob("*.seal")
    text = path.read_text()
    for changed in (text.replace("ts 100", "ts 101"), text[:-5], "\x00", ""):
        path.write_text(changed)
        with pytest.raises(JournalDamagedError, match="put the seal back") as caught:
            seals_of(tmp_path)
        assert caught.value.file == path.name
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(JournalDamagedError, match="cannot be read"):
        seals_of(tmp_path)
    path.rename(tmp_path / "00000000000000000009.seal").write_text(text)
    with pytest.raises(JournalDamagedError, match="not that of its file's name"):
        seals_of(tmp_path)


def test_a_journal_cut_before_its_seal_is_refused(tmp_path: Path) -> None:
    _sealed(tmp_path, SecretKey(bytes(32)), seals=2)
    for path in list(tmp_path.glob("*.qvj"))[1:]:
        path.unlink()
    segments = sorted(tmp_path.glob("*.qvj"))
    assert len(segments) == 1
    with pytest.raises(JournalDamagedError):
        verify(tmp_path)
