"""What was measured, as lines for the terminal and as tables of the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

type Row = dict[str, Any]

BEGIN, END = "<!-- measured -->", "<!-- measured: end -->"

__all__ = ["length_lines", "renew", "short"]


def short(rate: float) -> str:
    """Give a rate in thousands or millions."""
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if rate >= scale:
            return f"{rate / scale:,.1f} {letter}"
    return f"{rate:,.0f}"


def length_lines(rows: list[Row]) -> list[str]:
    """Say how much memory each length of a work needed."""
    return [
        f"{row['work']}, {row['system']}, length {row['length']}: {row['count']:,} in "
        f"{row['seconds']:.2f} s, {short(row['rate'])}/s, {row['peak_mb']:,.0f} MB"
        for row in rows
    ]


def renew(page: Path, content: dict[str, Any], targets: list[str]) -> None:
    """Put what was measured between the marks of ``docs/benchmarks.md``."""
    head, _, rest = page.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    parts = (
        _machine(content["machine"]),
        _rates(content["rows"]),
        (f"- {line}" for line in targets),
        ["The recorded book at several lengths, one run each:"],
        _lengths(content["lengths"]),
    )
    body = "\n\n".join("\n".join(part) for part in parts)
    page.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}")


def _machine(facts: Row) -> Iterator[str]:
    yield (
        f"On {facts['date']}: {facts['cpus']} cores of {facts.get('cpu', 'an unknown kind')}, "
        f"{facts.get('memory_gb', '?')} GB, {facts['system']}, Python {facts['python']}; "
        f"load {facts['load_before']} when it began, {facts['load_after']} when it ended."
    )


def _rates(rows: list[Row]) -> Iterator[str]:
    yield "| work | system | median s | min to max s | rate | ours / peer | p99 ns | peak MB |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    ours: dict[str, float] = {}
    for row in rows:
        is_ours = row["system"] == "quantvista"
        if is_ours:
            ours[row["work"]] = row["rate"]
        ratio = ours.get(row["work"], 0.0) / row["rate"]
        cells = [
            row["work"] if is_ours else "",
            f"{row['system']} {row['version']}",
            f"{row['median_s']:.2f}",
            f"{row['min_s']:.2f} to {row['max_s']:.2f}",
            f"{short(row['rate'])} {row['unit']}",
            "" if is_ours else f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}",
            "" if row["p99_ns"] is None else f"{row['p99_ns']:,.0f}",
            f"{row['peak_mb']:,.0f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def _lengths(rows: list[Row]) -> Iterator[str]:
    yield "| system | loops | events | seconds | events/s | peak MB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        cells = [
            row["system"],
            f"{row['length']}",
            f"{row['count']:,}",
            f"{row['seconds']:.2f}",
            short(row["rate"]),
            f"{row['peak_mb']:,.0f}",
        ]
        yield "| " + " | ".join(cells) + " |"
