"""The corpus holds the encoding to what it was: every record of every version, byte for byte."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golden.encoding.regenerate import CURRENT, HERE, Entry, corpus, read, state_of
from quantvista import _native
from quantvista.engine import RawEngine
from quantvista.errors import EngineError

FILES = sorted(HERE.glob("v*/*.txt"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]
DAMAGES = 400
"""Of how many places of a record each bit is damaged; of longer ones some are left out."""


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """As JSON holds it: tuples become lists, keys become texts."""
    return json.loads(json.dumps(value))


def decode(entry: Entry, data: bytes) -> dict[str, Any]:
    if entry.name.startswith("snapshot"):
        return state_of(RawEngine.restore(data))
    if entry.name.startswith("input"):
        return RawEngine.decode_input(data)
    return RawEngine.decode_output(data)


def current(kind: str) -> list[dict[str, Any]]:
    """Records of a kind in the current version."""
    return [read(path).record for path in sorted(CURRENT.glob(f"{kind}_*.txt"))]


def variants(events: list[dict[str, Any]], kind: str) -> set[str]:
    """Names of what an input may hold, as a word or as a key."""
    found = [event[kind] for event in events if kind in event]
    return {each if isinstance(each, str) else next(iter(each)) for each in found}


# -- the corpus is whole: the lists are the engine's own --------------------------------------
def test_every_kind_of_input_is_in_the_corpus() -> None:
    events = [record["event"] for record in current("input")]
    names = _native.names
    assert {name for event in events for name in event} == set(names["event"])
    assert variants(events, "action") == set(names["action"])
    assert variants(events, "report") == set(names["report"])
    assert variants(events, "operator") == set(names["command"])
    for event, field, list_ in (
        ("risk_figure", "kind", "risk_kind"),
        ("submit_list", "link", "link"),
        ("status", "status", "trading_status"),
    ):
        assert {each[event][field] for each in events if event in each} == set(names[list_])


def test_every_kind_of_output_is_in_the_corpus() -> None:
    outputs = current("output")
    names = _native.names
    assert {name for output in outputs for name in output} == set(names["output"])
    for output, field, list_ in (
        ("verdict", "outcome", "outcome"),
        ("order_filled", "kind", "kind"),
        ("posted", "kind", "posting"),
        ("state_changed", "state", "fund_state"),
        ("action_applied", "action", "action"),
    ):
        assert {each[output][field] for each in outputs if output in each} == set(names[list_])


def test_every_name_that_was_ever_written_is_known() -> None:
    """Rules, reasons and the like are encoded by their names."""
    for path in sorted(HERE.glob("v*/names.json")):
        written = json.loads(path.read_text())
        lost = {kind: set(names) - set(_native.names[kind]) for kind, names in written.items()}
        assert not any(lost.values()), lost
    assert json.loads((CURRENT / "names.json").read_text()) == _native.names


def test_every_part_of_a_snapshot_is_in_the_corpus() -> None:
    said: dict[str, bool] = defaultdict(bool)
    for record in current("snapshot"):
        for path, value in parts(record["state"]):
            said[path] |= value not in (None, 0, False, "", [], {})
    assert len(said) > 100
    assert {path for path, something in said.items() if not something} == set()


def parts(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value and what it holds, with the names that lead to it."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            # Of what is kept by ids and by pairs of them, one stands for all.
            yield from parts(inner, f"{path}.{name if name[0].isalpha() else 'ID'}")
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner, path + "[]")


# -- the records --------------------------------------------------------------------------------
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
    step = 1 + len(data) // DAMAGES
    damaged = [data[:size] for size in range(0, len(data), step)]
    damaged += [
        data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        for place in range(0, len(data), step)
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


@pytest.mark.parametrize("path", sorted(CURRENT.glob("snapshot_*.txt")), ids=lambda p: p.stem)
def test_restored_snapshot_is_the_same_bytes_again(path: Path) -> None:
    entry = read(path)
    engine = RawEngine.restore(entry.encoded)
    engine.audit()
    assert engine.snapshot() == entry.encoded
