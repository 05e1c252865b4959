"""Writing a stream and following it, in one process."""

import threading
from pathlib import Path

import pytest

from quantvista.errors import (
    ConfigError,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    OutputError,
)
from quantvista.journal import Journal, MemoryDisk, Note, Reader, require_journal, tail, verify


def _notes(journal: Journal, count: int, *, batch: int = 3) -> None:
    for number in range(1, count + 1):
        journal.write(Note(text=f"note {number}"), ts=1_000 + number)
        if number % batch == 0:
            journal.commit()
    journal.commit()


def _texts(place: Path | MemoryDisk, start: int = 1) -> list[bytes]:
    return [record.payload for batch in Reader(place, start) for record in batch]


def test_what_is_committed_is_read_in_order(tmp_path: Path) -> None:
    with Journal(tmp_path, "fund/demo") as journal:
        assert journal.append(7, 2, 11, b"one") == 1
        assert journal.append(8, 1, 12, b"") == 2
        assert journal.head.sequence == 0
        head = journal.commit()
        assert journal.append(9, 1, -5, b"three") == 3
        again = journal.commit()
    reader = Reader(tmp_path)
    assert reader.head is None
    first = reader.read()
    assert first is not None
    assert [(r.sequence, r.ts, r.kind, r.version, r.payload) for r in first] == [
        (1, 11, 7, 2, b"one"),
        (2, 12, 8, 1, b""),
    ]
    assert reader.head == head
    assert [record.ts for record in reader.read() or []] == [-5]
    assert reader.read() is None
    assert (reader.head, reader.stream) == (again, "fund/demo")
    assert len(again.chain) == 32
    assert again != head
    reader.check_end()


def test_leaving_with_an_error_commits_nothing() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x")
    journal.append(1, 1, 1, b"kept")
    journal.commit()
    journal.append(1, 1, 2, b"not kept")
    with pytest.raises(ZeroDivisionError), journal:
        raise ZeroDivisionError
    assert _texts(disk) == [b"kept"]


def test_a_reader_follows_a_writer_and_goes_on_where_it_stopped() -> None:
    disk = MemoryDisk()
    reader = Reader(disk)
    assert list(reader) == []
    journal = Journal(disk, "x", segment_bytes=300)
    for number in range(20):
        journal.append(1, 1, number, bytes([number] * number))
        journal.commit()
        [batch] = list(reader)
        assert [record.ts for record in batch] == [number]
    assert reader.head == journal.head


def test_a_reader_may_begin_anywhere_and_ahead() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x", segment_bytes=200)
    _notes(journal, 30)
    for start in (0, 1, 2, 15, 30):
        assert len(_texts(disk, start)) == 31 - max(start, 1)
    ahead = Reader(disk, 33)
    assert list(ahead) == []
    _notes(journal, 4)
    assert [record.sequence for batch in ahead for record in batch] == [33, 34]


def test_many_small_batches_are_read_once_each(tmp_path: Path) -> None:
    with Journal(tmp_path, "x", segment_bytes=20_000) as journal:
        _notes(journal, 900, batch=2)
    sequences = [record.sequence for batch in Reader(tmp_path) for record in batch]
    assert sequences == list(range(1, 901))


def test_follow_stops_when_it_is_told() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x")
    _notes(journal, 2)
    asked = []

    def goes_on() -> bool:
        asked.append(1)
        journal.append(1, 1, len(asked), b"")
        journal.commit()
        return len(asked) < 3

    seen = [len(batch) for batch in Reader(disk).follow(poll_s=0.0, goes_on=goes_on)]
    assert (seen, len(asked)) == ([2, 1, 1], 3)


def test_tail_takes_the_last_ones_over_segments(tmp_path: Path) -> None:
    with Journal(tmp_path, "x", segment_bytes=400) as journal:
        _notes(journal, 50)
    assert len(list(tmp_path.glob("*.qvj"))) > 5
    for count in (0, 1, 7, 50, 80):
        wanted = list(range(51 - min(count, 50), 51))
        assert [record.sequence for record in tail(tmp_path, count)] == wanted
    odd = tail(tmp_path, 3, lambda record: record.sequence % 20 == 1)
    assert [record.sequence for record in odd] == [1, 21, 41]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "x")
    with pytest.raises(JournalLockedError, match="written by another process; end that one"):
        Journal(tmp_path, "x")
    journal.close()
    Journal(tmp_path, "x").close()


def test_a_closed_journal_says_so() -> None:
    journal = Journal(MemoryDisk(), "x")
    journal.close()
    journal.close()
    for use in (journal.commit, lambda: journal.append(1, 1, 1, b""), lambda: journal.head):
        with pytest.raises(JournalError, match="is closed; open it anew"):
            use()


def test_another_stream_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path, "fund/a").close()
    with pytest.raises(ConfigError, match=r"`stream` must be \"fund/a\".*found \"fund/b\""):
        Journal(tmp_path, "fund/b")
    with pytest.raises(ConfigError, match="`stream` must have 1 to 64 letters"):
        Journal(tmp_path / "new", "not this")


def test_what_no_record_may_be_is_refused() -> None:
    journal = Journal(MemoryDisk(), "x")
    for kind in (0, 65_280, 65_535):
        with pytest.raises(ConfigError, match="`kind` must be between 1 and 65279"):
            journal.append(kind, 1, 1, b"")
    with pytest.raises(ConfigError, match="`payload` must not be longer than 16 MiB"):
        journal.append(1, 1, 1, bytes((16 << 20) + 1))
    assert journal.append(1, 1, 1, b"") == 1


def test_after_a_failed_write_nothing_more_is_taken() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x", segment_bytes=1_000)
    journal.append(1, 1, 1, b"durable")
    journal.commit()
    journal.append(1, 1, 2, bytes(100))
    disk.fail_after(1)
    with pytest.raises(OutputError, match="the disk has failed"):
        journal.commit()
    with pytest.raises(JournalError, match="end this process and open the journal anew"):
        journal.append(1, 1, 3, b"")
    disk.lose_power(seed=4)
    again = Journal(disk, "x", segment_bytes=1_000)
    assert again.head.sequence in (1, 2)
    assert len(_texts(disk)) == again.head.sequence


def test_a_snapshot_is_found_again_with_its_place() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x")
    assert journal.newest_snapshot() is None
    journal.append(1, 1, 1, b"")
    head = journal.snapshot(3, b"state")
    journal.append(1, 1, 2, b"")
    journal.commit()
    found = Journal(disk, "x").newest_snapshot()
    assert found is not None
    assert (found.head, found.version, found.state) == (head, 3, b"state")


def test_a_flipped_bit_is_located(tmp_path: Path) -> None:
    with Journal(tmp_path, "x") as journal:
        _notes(journal, 9)
    [segment] = tmp_path.glob("*.qvj")
    content = bytearray(segment.read_bytes())
    content[600] ^= 4
    segment.write_bytes(content)
    with pytest.raises(JournalDamagedError, match="does not fit its checksum") as caught:
        verify(tmp_path)
    error = caught.value
    assert (error.file, error.after, error.exit_code) == (segment.name, 6, 3)
    assert 550 < error.offset <= 600
    with pytest.raises(JournalDamagedError, match="after record 6"):
        Journal(tmp_path, "x")


def test_threads_share_a_journal() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x")

    def work() -> None:
        for number in range(200):
            journal.append(1, 1, number, b"payload")
            if number % 10 == 0:
                journal.commit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.commit()
    assert len(_texts(disk)) == 800
    assert verify(disk).head == journal.head


def test_no_journal_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`folder` must hold a journal; found no such folder"):
        require_journal(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"found no segment \(\*.qvj\)"):
        require_journal(tmp_path)
    with pytest.raises(ConfigError, match="name the folder of a journal"):
        Reader(tmp_path / "none").read()
    with pytest.raises(JournalDamagedError, match="there is no segment"):
        verify(tmp_path)


def test_lost_power_depends_on_the_seed_alone() -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "x", segment_bytes=20_000)
    journal.append(1, 1, 1, bytes(range(256)) * 40)
    disk.fail_after(1)  # the write works, its sync does not
    with pytest.raises(OutputError):
        journal.commit()
    found = set()
    for seed in range(5):
        left = []
        for _ in range(2):
            copy = disk.copy()
            copy.lose_power(seed)
            left.append(copy.content("00000000000000000001.qvj"))
            assert Journal(copy, "x").head.sequence == 0
        assert left[0] == left[1]
        found.add(left[0])
    assert len(found) == 5
