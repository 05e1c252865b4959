"""A journal and other processes: killed writers, full disks, locks, readers that follow."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quantvista.errors import JournalLockedError, OutputError
from quantvista.journal import Journal, Note, Reader, verify
from support.command import environment, qv
from support.journal_writer import KIND, STREAM, payload

TESTS = Path(__file__).parents[1]
ROUNDS = 5


@contextmanager
def child(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run the writer until the block ends."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    running = subprocess.Popen(
        [sys.executable, "-m", "support.journal_writer", *map(str, arguments)],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stdout is not None
        running.stdout.close()


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    found = running.stdout.readline()
    assert found, "the writer ended"
    return found.strip()


def check_content(folder: Path) -> int:
    sequence = 0
    for batch in Reader(folder):
        for record in batch:
            sequence += 1
            assert (record.sequence, record.ts, record.kind) == (sequence, sequence, KIND)
            assert record.payload == payload(sequence)
    return sequence


def test_a_killed_writer_loses_nothing_that_was_durable(tmp_path: Path) -> None:
    rng = random.Random(11)
    for attempt in range(ROUNDS):
        with child("write", tmp_path, attempt) as running:
            told = int(line(running))
            assert told <= check_content(tmp_path)
            for _ in range(rng.randint(1, 40)):
                told = int(line(running))
            running.send_signal(signal.SIGKILL)
            assert running.stdout is not None
            # What it said and nobody had read yet; a line may be cut.
            rest = running.stdout.read().splitlines(keepends=True)
            told = max([told, *(int(text) for text in rest if text.endswith("\n"))])
        # Readers see whole batches whatever is behind them, also before it is cut off.
        assert check_content(tmp_path) >= told
        assert verify(tmp_path).records >= told
        with Journal(tmp_path, STREAM) as journal:
            assert journal.head.sequence >= told
            assert journal.head.sequence == check_content(tmp_path)
            assert verify(tmp_path).head == journal.head
    assert len(list(tmp_path.glob("*.qvj"))) > 3


def test_a_full_disk_ends_the_writer_and_harms_nothing(tmp_path: Path) -> None:
    with child("fill", tmp_path, 120_000) as running:
        assert running.stdout is not None
        *told, why, refused = running.stdout.read().splitlines()
    assert why.startswith("OutputError: the journal ")
    assert "no file may be so large here; raise the limit (ulimit -f)" in why
    assert refused.startswith("JournalError: ")
    assert "end this process and open the journal anew" in refused
    with Journal(tmp_path, STREAM) as journal:
        assert journal.head.sequence == int(told[-1]) == check_content(tmp_path)
        journal.append(KIND, 1, int(told[-1]) + 1, payload(int(told[-1]) + 1))
    assert check_content(tmp_path) == int(told[-1]) + 1


def test_a_disk_without_room_says_so(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(OutputError, match="the disk is full; free some space"):
            Journal(small / "large", "x")
        journal = Journal(small / "j", "x", segment_bytes=64 << 10)
        for number in range(12):
            journal.append(1, 1, number, bytes(40_000))
            if number < 3:
                head = journal.commit()
        with pytest.raises(OutputError, match="the disk is full; free some space"):
            journal.commit()
        journal.close()
        assert verify(small / "j").head == head
        said = qv("journal", "verify", small / "j", cwd=TESTS)
        assert (said.returncode, "3 records" in said.stdout) == (0, True), said
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_another_process_holds_the_lock(tmp_path: Path) -> None:
    with child("write", tmp_path, 1) as running:
        line(running)
        line(running)
        with pytest.raises(JournalLockedError, match="is being written by another process"):
            Journal(tmp_path, STREAM)
        said = qv("journal", "seal", tmp_path, cwd=tmp_path, env={"QUANTVISTA_SEAL_KEY": "x"})
        assert said.returncode == 2
        assert verify(tmp_path).records > 0
    Journal(tmp_path, STREAM).close()


def test_a_reader_follows_another_process(tmp_path: Path) -> None:
    with child("write", tmp_path, 5) as running:
        line(running)
        reader = Reader(tmp_path)
        seen = told = 0
        end = time.monotonic() + 20
        while seen < 3_000 and time.monotonic() < end:
            told = int(line(running))
            for batch in reader:
                wanted = range(seen + 1, seen + 1 + len(batch))
                assert [each.sequence for each in batch] == list(wanted)
                assert all(each.payload == payload(each.sequence) for each in batch)
                seen += len(batch)
            assert seen >= told
    assert seen >= 3_000


def test_the_command_follows_a_writer(tmp_path: Path) -> None:
    folder = tmp_path / "j"
    with Journal(folder, "x") as journal:
        journal.write(Note(text="before"), ts=1)
        journal.commit()
        running = subprocess.Popen(
            [sys.executable, "-m", "quantvista", "journal", "tail", str(folder), "-f"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert line(running) == "1970-01-01 UTC"
            assert "text=before" in line(running)
            journal.write(Note(text="later"), ts=2)
            journal.commit()
            assert "text=later" in line(running)
            running.send_signal(signal.SIGINT)
            rest = running.communicate(timeout=20)
        finally:
            running.kill()
            running.wait()
    assert (rest, running.returncode) == (("", ""), 130)
