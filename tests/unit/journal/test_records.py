"""Kinds of records: encoding, decoding, and what is not known."""

from typing import Any, ClassVar

import msgspec
import pytest

from quantvista.engine import RawEngine
from quantvista.errors import JournalError
from quantvista.journal import (
    INPUT,
    KINDS,
    OUTPUT,
    Body,
    Journal,
    Kind,
    Kinds,
    MemoryDisk,
    Note,
    Reader,
    Record,
)


class BeatV1(Body, frozen=True):
    KIND: ClassVar[Kind] = Kind(60_000, "beat", 1)

    count: int


class Beat(Body, frozen=True):
    KIND: ClassVar[Kind] = Kind(60_000, "beat", 2)

    count: int
    host: str = "here"


_TIMER = {
    "ts_event": 5,
    "ts_received": 6,
    "source": 0,
    "sequence": 9,
    "event": {"cancel_order": {"order": 4}},
}


def _record(kind: int, version: int, payload: bytes) -> Record:
    disk = MemoryDisk()
    with Journal(disk, "x") as journal:
        journal.append(kind, version, 77, payload)
    [[record]] = list(Reader(disk))
    return record


def _written(body: Body) -> Record:
    return _record(body.KIND.number, body.KIND.version, body.encode())


def test_a_body_comes_back_as_it_was() -> None:
    kinds = KINDS | Kinds((BeatV1, Beat))
    for body in (Note(text="x", by="me"), BeatV1(count=3), Beat(count=4), Beat(count=1, host="y")):
        assert kinds.body(_written(body)) == body


def test_a_reader_passes_over_fields_that_came_later() -> None:
    payload = msgspec.msgpack.encode({"text": "x", "colour": "red"})
    assert KINDS.body(_record(3, 1, payload)) == Note(text="x")


def test_kinds_are_named_once() -> None:
    class Other(Body, frozen=True):
        KIND: ClassVar[Kind] = Kind(60_000, "other", 5)

    class Engine(Body, frozen=True):
        KIND: ClassVar[Kind] = Kind(INPUT.number, "mine", 1)

    with pytest.raises(ValueError, match="must have each kind once"):
        Kinds((Beat, Beat))
    with pytest.raises(ValueError, match="must name a number once"):
        Kinds((Beat, Other))
    with pytest.raises(ValueError, match="beside 'input'"):
        Kinds((Engine,))
    assert (KINDS | Kinds((Beat,)) | Kinds((Beat,))).names == ("beat", "input", "note", "output")


def test_an_entry_of_a_known_kind_has_plain_values() -> None:
    entry = KINDS.entry(_written(Note(text="x")))
    assert entry.to_dict() == {
        "sequence": 1,
        "ts": 77,
        "number": 3,
        "kind": "note",
        "version": 1,
        "value": {"text": "x"},
    }


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (msgspec.msgpack.encode({"a": [1, None, "b"]}), {"a": [1, None, "b"]}),
        (msgspec.msgpack.encode({1: 2}), {"1": 2}),
        (b"", ""),
        (b"\xc1\xff", "c1ff"),
        (b"\x81\xa1a", "81a161"),
        (b"\x91" * 5_000, "91" * 5_000),
        (b"\xa1\xff", "a1ff"),
    ],
)
def test_an_unknown_kind_still_shows(payload: bytes, value: object) -> None:
    record = _record(900, 4, payload)
    entry = KINDS.entry(record)
    assert (entry.kind, entry.value) == ("900", value)
    assert entry.problem == "kind 900, version 4, is not known here"
    assert KINDS.body(record) is None


def test_an_unknown_version_of_a_known_kind_still_shows() -> None:
    entry = Kinds((BeatV1,)).entry(_written(Beat(count=2, host="z")))
    assert (entry.kind, entry.value) == ("beat", {"count": 2, "host": "z"})
    assert "version 2, is not known" in entry.problem


def test_a_known_kind_with_other_content_says_so() -> None:
    record = _record(3, 1, msgspec.msgpack.encode({"text": 5}))
    with pytest.raises(JournalError, match="record 1 is not what its kind"):
        KINDS.body(record)
    entry = KINDS.entry(record)
    assert entry.value == {"text": 5}
    assert "Expected `str`, got `int`" in entry.problem


def test_the_engines_own_bytes_are_decoded() -> None:
    payload = RawEngine.encode_input(_TIMER)
    body: Any = KINDS.body(_record(INPUT.number, INPUT.version, payload))
    assert body["ts_received"] == 6
    assert KINDS.entry(_record(INPUT.number, INPUT.version, payload)).kind == "input"
    broken = KINDS.entry(_record(OUTPUT.number, OUTPUT.version, payload))
    assert broken.problem
    assert isinstance(broken.value, str)
