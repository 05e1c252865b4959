"""The golden corpus of encoded records: ``python tests/golden/encoding/regenerate.py`` writes it.

A few small funds live through lives in which every kind of input and of output occurs, and their
snapshots have every part that a snapshot can have. Each file holds a record as JSON and its bytes
in hexadecimal. Files of an old format version are never written again: what was once encoded must
be decoded for ever.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantvista._native import names
from quantvista.engine import FORMAT_VERSION, RawEngine
from quantvista.errors import EngineError

HERE = Path(__file__).parent
CURRENT = HERE / f"v{FORMAT_VERSION}"

type Record = dict[str, Any]

VARIANTS = {
    "verdict": "outcome",
    "order_filled": "kind",
    "posted": "kind",
    "state_changed": "state",
    "sleeve_changed": "state",
    "action_applied": "action",
}
"""Outputs of which each of several kinds has a file, and the field that says which it is."""


@dataclass(frozen=True)
class Entry:
    """One file of the corpus."""

    name: str
    record: Record
    encoded: bytes

    @property
    def text(self) -> str:
        """Content of the file."""
        data = self.encoded.hex()
        lines = [data[start : start + 64] for start in range(0, len(data), 64)]
        return json.dumps(self.record, indent=1) + "\n\n" + "\n".join(lines) + "\n"


def read(path: Path) -> Entry:
    """Read a file of the corpus."""
    record, _, data = path.read_text(encoding="utf-8").partition("\n\n")
    return Entry(path.stem, json.loads(record), bytes.fromhex(data))


def corpus() -> list[Entry]:
    """Every entry in the current format."""
    from golden.encoding.scenes import scenes

    entries: dict[str, Entry] = {}
    for scene in scenes():
        engine = RawEngine(scene.config)
        *_, last = (record for _, record in scene.inputs if record is not None)
        for name, record in scene.inputs:
            if record is None:
                entries[name] = Entry(name, state_of(engine), engine.snapshot())
                continue
            encoded = RawEngine.encode_input(record)
            if name:
                entry = Entry(f"input_{name}", RawEngine.decode_input(encoded), encoded)
                entries[entry.name] = entry
            for output in _apply(engine, encoded, fails=scene.fails and record is last):
                decoded = RawEngine.decode_output(output)
                entry = Entry(title(decoded), decoded, output)
                entries.setdefault(entry.name, entry)
    return list(entries.values())


def _apply(engine: RawEngine, encoded: bytes, *, fails: bool) -> list[bytes]:
    try:
        return engine.apply_encoded(encoded)
    except EngineError:
        if fails:
            return []
        raise


def title(output: Record) -> str:
    """Name of the file of an output: the first of each kind has one."""
    ((name, body),) = output.items()
    variant = VARIANTS.get(name)
    return f"output_{name}" + (f"_{body[variant]}" if variant else "")


def state_of(engine: RawEngine) -> Record:
    """What a restored engine must know: everything."""
    return {"state_hash": engine.state_hash(), "state": _texts(engine.state())}


def _texts(value: Any) -> Any:  # noqa: ANN401 - any part of a state
    """Make texts of names that JSON does not allow: numbers, and pairs of them."""
    if isinstance(value, dict):
        return {str(name): _texts(inner) for name, inner in value.items()}
    return [_texts(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def main() -> None:
    """Write the files of the current format version."""
    sys.path.append(str(HERE.parents[1]))
    CURRENT.mkdir(exist_ok=True)
    entries = corpus()
    for path in CURRENT.glob("*.txt"):
        path.unlink()
    for entry in entries:
        (CURRENT / f"{entry.name}.txt").write_text(entry.text, encoding="utf-8")
    (CURRENT / "names.json").write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {len(entries)} files to {CURRENT.relative_to(HERE.parents[2])}")


if __name__ == "__main__":
    main()
