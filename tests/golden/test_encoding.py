"""The corpus holds the encoding to what it was: every record of every version, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden.encoding.regenerate import CURRENT, HERE, Entry, corpus, read, state_of
from quantvista.engine import RawEngine
from quantvista.errors import EngineError

FILES = sorted(HERE.glob("v*/*.txt"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]
INPUTS = {
    "bar",
    "bar_missing",
    "barrier",
    "instrument_ended",
    "target_portfolio",
    "submit_order",
    "cancel_order",
    "activate_semantics",
}
OUTPUTS = {
    "order_accepted",
    "order_rejected",
    "order_filled",
    "order_cancelled",
    "order_expired",
    "cancel_rejected",
    "verdict",
    "bar_missed",
    "instrument_settled",
    "semantics_activated",
}


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """As JSON holds it: tuples become lists."""
    return json.loads(json.dumps(value))


def decode(entry: Entry, data: bytes) -> dict[str, Any]:
    if entry.name == "snapshot":
        return state_of(RawEngine.restore(data))
    decoder: Callable[[bytes], dict[str, Any]] = (
        RawEngine.decode_input if entry.name.startswith("input") else RawEngine.decode_output
    )
    return decoder(data)


def test_corpus_has_every_type() -> None:
    found = [read(path) for path in sorted(CURRENT.glob("*.txt"))]
    inputs = [e.record["event"] for e in found if e.name.startswith("input")]
    outputs = [e.record for e in found if e.name.startswith("output")]
    assert {name for event in inputs for name in event} == INPUTS
    assert {name for output in outputs for name in output} == OUTPUTS
    assert [e.name for e in found if e.record.get("type") == "snapshot"] == ["snapshot"]
    outcomes = {output["verdict"]["outcome"] for output in outputs if "verdict" in output}
    assert outcomes == {"accepted", "cut", "rejected", "held"}
    kinds = {output["order_filled"]["kind"] for output in outputs if "order_filled" in output}
    assert kinds == {"trade", "cross", "settlement"}


def test_engine_still_writes_the_corpus() -> None:
    written = {path.stem: path.read_text(encoding="utf-8") for path in CURRENT.glob("*.txt")}
    assert {entry.name: entry.text for entry in corpus()} == written


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_record_decodes(path: Path) -> None:
    entry = read(path)
    assert plain(decode(entry, entry.encoded)) == entry.record
    if entry.name.startswith("input") and path.parent == CURRENT:
        record = decode(entry, entry.encoded)  # with tuples, which JSON does not have
        assert RawEngine.encode_input(record) == entry.encoded


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_damaged_record_is_refused(path: Path) -> None:
    entry = read(path)
    data = entry.encoded
    damaged = [data[:size] for size in range(len(data))]
    damaged += [
        data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        for place in range(len(data))
        for bit in range(8)
    ]
    damaged += [data + b"\0", b"\0" + data]
    for wrong in damaged:
        with pytest.raises(EngineError, match="cannot decode"):
            decode(entry, wrong)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
@pytest.mark.parametrize("version", [0, 1, 3, 65_535])
def test_unknown_version_is_refused(path: Path, version: int) -> None:
    entry = read(path)
    data = entry.encoded[:2] + version.to_bytes(2, "little") + entry.encoded[4:]
    with pytest.raises(EngineError, match=f"version {version} is unknown"):
        decode(entry, data)


def test_restored_snapshot_is_the_same_bytes_again() -> None:
    entry = read(CURRENT / "snapshot.txt")
    engine = RawEngine.restore(entry.encoded)
    engine.audit()
    assert engine.snapshot() == entry.encoded
