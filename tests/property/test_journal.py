"""Whatever is appended, committed, lost and opened anew: what is read is what was made durable."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.errors import JournalDamagedError, JournalError, OutputError
from quantvista.journal import Head, Journal, KeyRing, MemoryDisk, Reader, SecretKey, verify

KEY = SecretKey(bytes(range(32)))
RING = KeyRing([bytes(32), bytes([1]) * 32])
type Fields = tuple[int, int, int, bytes]

records = st.tuples(
    st.integers(1, 65_279),
    st.integers(0, 65_535),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=20) | st.integers(400, 1_500).map(bytes),
)
steps = st.lists(
    st.one_of(
        records,
        st.sampled_from(["commit", "commit", "seal", "snapshot", "reopen", "follow"]),
        st.tuples(st.just("lose power"), st.integers(0, 12), st.integers(0, 2**32)),
    ),
    max_size=60,
)


@dataclass
class Life:
    """A journal beside a plain list of what must be in it."""

    disk: MemoryDisk
    segment_bytes: int
    keys: KeyRing | None = None
    appended: list[Fields] = field(default_factory=list)
    durable: int = 0
    followed: list[Fields] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = self.open()
        self.reader = Reader(self.disk, keys=self.keys)

    def open(self) -> Journal:
        return Journal(
            self.disk,
            "fund/x",
            segment_bytes=self.segment_bytes,
            keys=self.keys,
            encrypt=self.keys is not None,
        )

    def reopen(self) -> None:
        """Open anew; a batch that was whole without being told so may be there."""
        self.journal = self.open()
        found = self.journal.head.sequence
        assert self.durable <= found <= len(self.appended)
        del self.appended[found:]
        self.durable = found

    def told(self, head: Head) -> None:
        assert head.sequence == len(self.appended)
        assert head == self.journal.head
        self.durable = head.sequence

    def follow(self) -> None:
        self.followed += _read(self.reader)
        assert self.followed == self.appended[: self.durable]

    def lose_power(self, changes: int, seed: int) -> None:
        """Let the disk fail during a commit, and lose what was not synced."""
        self.disk.fail_after(changes)
        try:
            self.journal.append(1, 1, 0, b"last")
            self.appended.append((1, 1, 0, b"last"))
            self.told(self.journal.commit())
        except (OutputError, JournalError):
            pass
        self.disk.lose_power(seed)
        self.reopen()


def _read(reader: Reader) -> list[Fields]:
    return [(each.kind, each.version, each.ts, each.payload) for batch in reader for each in batch]


@given(steps, st.integers(150, 5_000), st.sampled_from([None, RING]))
def test_what_is_read_is_what_was_made_durable(
    plan: list[Fields | str | tuple[str, int, int]], segment_bytes: int, keys: KeyRing | None
) -> None:
    life = Life(MemoryDisk(), segment_bytes, keys)
    for step in plan:
        match step:
            case "commit":
                life.told(life.journal.commit())
            case "seal" if life.appended:
                assert life.journal.seal(KEY, 5).sequence == len(life.appended)
                life.told(life.journal.head)
            case "snapshot":
                life.told(life.journal.snapshot(1, b"state"))
            case "reopen":
                life.journal.close()
                life.reopen()
            case "follow":
                life.follow()
            case ("lose power", changes, seed):
                life.follow()
                life.lose_power(int(changes), int(seed))
            case (int(kind), int(version), int(ts), bytes(content)):
                life.journal.append(kind, version, ts, content)
                life.appended.append((kind, version, ts, content))
            case _:
                pass
    expected = life.appended[: life.durable]
    assert _read(Reader(life.disk, keys=keys)) == expected
    life.follow()
    public = KEY.public if _is_sealed(life.disk) else None
    found = verify(life.disk, key=public)
    assert (found.records, found.head) == (life.durable, life.journal.head)
    assert verify(life.disk, key=public, keys=keys).opened == (life.durable if keys else 0)
    for start in (0, 1, life.durable // 2, life.durable, life.durable + 1):
        assert _read(Reader(life.disk, start, keys=keys)) == expected[max(start - 1, 0) :]


def _is_sealed(disk: MemoryDisk) -> bool:
    return any(name.endswith(".seal") for name in disk.names())


@given(st.lists(records, min_size=1, max_size=12), st.booleans(), st.data())
def test_a_changed_bit_of_a_sealed_journal_is_located(
    made: list[Fields],
    encrypt: bool,
    data: st.DataObject,
) -> None:
    disk = MemoryDisk()
    journal = Journal(disk, "fund/x", segment_bytes=300, keys=RING, encrypt=encrypt)
    for each in made:
        journal.append(*each)
        if data.draw(st.booleans()):
            journal.commit()
    journal.seal(KEY, 1)
    *covered, _ = [name for name in disk.names() if name.endswith(".qvj")]
    name = data.draw(st.sampled_from(covered))
    content = bytearray(disk.content(name) or b"")
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    disk.put(name, bytes(content))
    with pytest.raises(JournalDamagedError) as caught:
        verify(disk, key=KEY.public)
    assert caught.value.file == name
    assert caught.value.offset <= place
