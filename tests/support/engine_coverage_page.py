"""The table of what the simulation shows, in ``docs/engine/README.md``.

``tests/simulation/test_engine.py`` writes what each of its parts has shown and compares it with the
page; ``python tests/support/engine_coverage_page.py`` then writes the page from that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "engine" / "README.md"
OUT = ROOT / "out" / "engine-coverage"
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"

type Counts = dict[str, dict[str, int]]
"""How often, by list and name."""


def table(parts: Iterable[Counts]) -> str:
    """One row a list; of each name how often it was seen, part by part."""
    every = list(parts)
    lines = [
        "| list | each name, and how often it is seen in the even and in the odd seeds |",
        "|---|---|",
    ]
    for kind, names in sorted(every[0].items()):
        cells = [f"`{name}` {'+'.join(str(part[kind][name]) for part in every)}" for name in names]
        lines.append(f"| {kind.replace('_', ' ')} | {', '.join(cells)} |")
    return "\n".join(lines)


def published(part: int) -> Counts:
    """What the page says of a part."""
    text = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    found: Counts = {}
    for kind, cells in re.findall(r"^\| ([\w ]+) \| (`.*) \|$", text, re.MULTILINE):
        found[kind.replace(" ", "_")] = {
            name: int(counts.split("+")[part])
            for name, counts in re.findall(r"`([^`]+)` ([\d+]+)", cells)
        }
    return found


def keep(part: int, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Write down what a part has shown."""
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"part-{part}.json").write_text(json.dumps(counts, indent=1, sort_keys=True))


def write() -> None:
    """Write the page from what the parts have shown."""
    parts = [json.loads(path.read_text()) for path in sorted(OUT.glob("part-*.json"))]
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(parts)}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    write()
