"""Encrypted journals from Python: where the keys come from, and journals that become encrypted."""

import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.errors import ConfigError, JournalLockedError, OutputError
from quantvista.journal import (
    Journal,
    KeyRing,
    MemoryDisk,
    Note,
    Reader,
    SecretKey,
    seals_of,
    verify,
)
from quantvista.journal.encrypting import encrypt_journal
from quantvista.keyring import KEY_RING_VARIABLE, add_key, read_ring

WORD = "BTC-USDT.BINANCE"


def notes(place: Path | MemoryDisk, count: int = 30, *, encrypt: bool = False) -> None:
    with Journal(place, "fund/demo", encrypt=encrypt, segment_bytes=2_000) as journal:
        first = journal.head.sequence + 1
        for number in range(first, first + count):
            journal.write(Note(text=f"{WORD} {number}"), ts=number)
            if number % 4 == 0:
                journal.commit()
        journal.snapshot(1, f"state of {WORD}".encode())


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def qv(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, " ".join(done.output.split())


def test_the_ring_of_the_environment_opens_it(ring: Path, tmp_path: Path) -> None:
    notes(tmp_path / "j", encrypt=True)
    assert WORD.encode() not in contents(tmp_path / "j")
    found = verify(tmp_path / "j")
    assert (found.records, found.opened, len(found.keys)) == (30, 30, 1)
    assert [record.ts for batch in Reader(tmp_path / "j") for record in batch] == [*range(1, 31)]
    with Journal(tmp_path / "j", "fund/demo") as journal:
        assert journal.encrypted
        snapshot = journal.newest_snapshot()
        assert snapshot is not None
        assert snapshot.state == f"state of {WORD}".encode()


def test_without_the_ring_everything_but_verify_refuses(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "j"
    notes(folder, encrypt=True)
    monkeypatch.delenv(KEY_RING_VARIABLE)
    assert (verify(folder).records, verify(folder).opened) == (30, 0)
    before = sorted(folder.iterdir())
    for refused in (
        lambda: Journal(folder, "fund/demo"),
        lambda: list(Reader(folder)),
        lambda: Journal(folder, "fund/demo", keys=KeyRing([bytes(32)])),
    ):
        with pytest.raises(ConfigError, match=r"is encrypted with key .*QV_KEY_RING"):
            refused()
    assert sorted(folder.iterdir()) == before
    for words in (("tail",), ("show", "1"), ("export", "--out", str(tmp_path / "x.jsonl"))):
        code, said = qv("journal", words[0], str(folder), *words[1:])
        assert (code, "is encrypted with key" in said) == (2, True), said
    assert qv("journal", "verify", str(folder))[0] == 0
    code, said = qv("--key-ring", str(ring), "journal", "tail", str(folder), "-n", "1")
    assert (code, f"{WORD} 30" in said) == (0, True)
    monkeypatch.delenv(KEY_RING_VARIABLE)
    with pytest.raises(ConfigError, match="`qv keys make FILE` makes one"):
        Journal(tmp_path / "new", "fund/demo", encrypt=True)
    assert not (tmp_path / "new").exists()


def test_a_journal_in_the_clear_is_encrypted_in_its_place(ring: Path, tmp_path: Path) -> None:
    folder = tmp_path / "j"
    notes(folder)
    before = [record.payload for batch in Reader(folder) for record in batch]
    batches = [len(batch) for batch in Reader(folder)]
    with pytest.raises(ConfigError, match="`qv journal encrypt"):
        Journal(folder, "fund/demo", encrypt=True)
    code, said = qv("journal", "encrypt", str(folder))
    assert (code, "30 records" in said) == (0, True), said
    assert WORD.encode() not in contents(folder)
    assert [record.payload for batch in Reader(folder) for record in batch] == before
    assert [len(batch) for batch in Reader(folder)] == batches
    assert not list(tmp_path.glob(".*"))
    with Journal(folder, "fund/demo", encrypt=True) as journal:
        snapshot = journal.newest_snapshot()
        assert snapshot is not None
        assert (snapshot.head.sequence, snapshot.head) == (30, journal.head)
    # Anew, all of it with a key that was added.
    add_key(ring)
    notes(folder, 5)
    assert len(verify(folder).keys) == 2
    encrypt_journal(folder)
    newest = KeyRing([read_ring().newest])
    assert verify(folder).keys == tuple(newest.ids)
    assert sum(len(batch) for batch in Reader(folder, keys=newest)) == 35


def test_a_sealed_journal_is_kept(ring: Path, tmp_path: Path) -> None:
    folder, kept = tmp_path / "j", tmp_path / "kept"
    notes(folder)
    with Journal(folder, "fund/demo") as journal:
        journal.seal(SecretKey(bytes(range(32))), 5)
    with pytest.raises(ConfigError, match="`--keep` must name a folder"):
        encrypt_journal(folder)
    code, said = qv("journal", "encrypt", str(folder), "--keep", str(kept))
    assert code == 0, said
    assert len(verify(kept).seals) == 1
    assert not seals_of(folder)
    assert verify(folder).opened == verify(kept).records == 30
    with pytest.raises(ConfigError, match="must name a new folder"):
        encrypt_journal(folder, keep=kept)


def test_an_end_in_between_loses_nothing(ring: Path, tmp_path: Path) -> None:
    folder, other = tmp_path / "j", tmp_path / ".j.encrypting"
    notes(folder)
    # Killed while it copied: the beginning of a copy is thrown away.
    notes(other, 3, encrypt=True)
    # Killed when it had changed the names: the journal in the clear lies there.
    encrypt_journal(folder)
    notes(other, 30)
    with pytest.raises(ConfigError, match="move it away, or remove it"):
        encrypt_journal(folder)
    shutil.rmtree(other)
    with Journal(folder, "fund/demo"), pytest.raises(JournalLockedError):
        encrypt_journal(folder)
    assert verify(folder).opened == 30


def test_a_full_disk_leaves_the_journal_as_it_was(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "j"
    notes(folder)
    before = [record.payload for batch in Reader(folder) for record in batch]

    def full(one: Path, other: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("quantvista.journal.encrypting.exchange_folders", full)
    with pytest.raises(OutputError, match="no space left"):
        encrypt_journal(folder)
    assert [record.payload for batch in Reader(folder) for record in batch] == before
    assert verify(folder).keys == ()
    assert not (tmp_path / ".j.encrypting").exists()


def test_keys_are_never_shown(ring: Path, tmp_path: Path) -> None:
    add_key(ring)
    secrets = [key.hex() for key in read_ring().keys]
    raw = list(read_ring().keys)
    folder = tmp_path / "j"
    notes(folder, encrypt=True)
    with Journal(folder, "fund/demo") as journal:
        shown = [repr(journal), repr(read_ring()), str(read_ring()), repr(KeyRing(raw))]
    shown += [
        qv(*words)[1]
        for words in (
            ("keys", "show"),
            ("keys", "show", "--json"),
            ("journal", "verify", str(folder)),
            ("journal", "verify", str(folder), "--json"),
            ("keys", "rotate", str(ring)),
            ("keys", "make", str(tmp_path / "second.keys")),
            ("keys", "make", str(ring)),
        )
    ]
    text = "\n".join(shown)
    assert not any(each in text for each in secrets)
    held = contents(folder)
    assert not any(each in held or each.hex().encode() in held for each in raw)
    assert KeyRing(raw).ids[0] in text


def test_a_ring_is_private_and_grows(ring: Path, tmp_path: Path) -> None:
    first = read_ring().keys
    code, said = qv("keys", "rotate", str(ring))
    assert code == 0, said
    assert read_ring().keys[:1] == first
    assert len(read_ring().keys) == 2
    assert oct(ring.stat().st_mode)[-3:] == "600"
    ring.chmod(0o644)
    with pytest.raises(ConfigError, match="`--key-ring` must be readable by its owner alone"):
        read_ring()
    wrong = tmp_path / "wrong"
    wrong.write_text("quantvista key ring 1\nnot a key\n")
    wrong.chmod(0o600)
    with pytest.raises(ConfigError, match="must be a file of `qv backup key` or `qv keys make`"):
        read_ring(wrong)
    os.environ[KEY_RING_VARIABLE] = str(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="`--key-ring` must be a file that can be read"):
        Journal(MemoryDisk(), "fund/demo")
