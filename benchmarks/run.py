"""Measure ours and its peers in turn; write ``out/bench.json`` and print a table.

Every run is a process of its own. Runs of one work are interleaved (ours, peer, ours, peer, ...),
so that a busy moment of the machine does not fall on one of them alone; compare ratios first.

    python benchmarks/run.py                all of it, about ten minutes
    python benchmarks/run.py --only orders  one work
    python benchmarks/run.py --quick        one short run each, to see that it works
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from _peers import ROOT, machine, prices, python
from _plan import WORKS, Contender, Work
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

RUNS = 5


@dataclass
class Series:
    """All runs of one contender at one work."""

    work: Work
    contender: Contender
    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    checks: set[str] = field(default_factory=set)
    version: str = ""

    def add(self, measured: dict[str, Any], process_s: float) -> None:
        """Take in one run; its check must be that of the runs before."""
        seconds = process_s if self.work.whole_process else float(measured["seconds"])
        self.seconds.append(seconds)
        self.rates.append(measured["count"] / seconds)
        self.peak_mb.append(float(measured["peak_mb"]))
        self.version = str(measured["version"])
        self.checks.add(str(measured["check"]))
        if len(self.checks) > 1:
            raise SystemExit(f"{self.contender.script}: two runs disagree: {self.checks}")

    def row(self) -> dict[str, Any]:
        """One row of bench.json."""
        check = next(iter(self.checks))
        notes = [self.contender.note, f"check {check}" if check else ""]
        return {
            "work": self.work.name,
            "system": self.contender.system,
            "version": self.version,
            "runs": len(self.seconds),
            "median_s": statistics.median(self.seconds),
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "rate": statistics.median(self.rates),
            "unit": self.work.unit,
            "peak_mb": max(self.peak_mb),
            "note": "; ".join(note for note in notes if note),
        }


def run_once(contender: Contender, size: int, peers: Path | None) -> tuple[dict[str, Any], float]:
    """Run a program; return what it printed and how long its process took."""
    interpreter = sys.executable if contender.is_ours else str(peers)
    script = Path(__file__).with_name(contender.script)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if contender.system == "bt":
        environment["PRICES"] = str(prices())
    start = perf_counter()
    done = subprocess.run(
        [interpreter, "-W", "ignore", str(script), str(size)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    elapsed = perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{contender.script} {size} failed:\n{done.stderr or done.stdout}")
    return json.loads(done.stdout.splitlines()[-1]), elapsed


def measure(
    works: list[Work], *, runs: int, quick: bool, ours_only: bool, tell: Callable[[str], None]
) -> list[Series]:
    """Run everything, interleaved within each work."""
    peers = None if ours_only else python()
    found = []
    for work in works:
        contenders = [each for each in work.contenders if each.is_ours or not ours_only]
        series = [Series(work, each) for each in contenders]
        for _ in range(runs):
            for each in series:
                tell(f"{work.name}: {each.contender.system}")
                size = each.contender.quick_size if quick else each.contender.size
                each.add(*run_once(each.contender, size, peers))
        found += series
    return found


def table(found: list[Series]) -> Table:
    """Show the medians, their spread, and how ours compares."""
    shown = Table(title="Medians; ratio = our rate / the peer's", box=SIMPLE)
    shown.add_column("work", no_wrap=True)
    shown.add_column("system", no_wrap=True)
    for name in ("seconds (min-max)", "rate", "ratio", "MB"):
        shown.add_column(name, justify="right", no_wrap=True)
    ours = {each.work.name: each.row()["rate"] for each in found if each.contender.is_ours}
    for each in found:
        row = each.row()
        is_ours = each.contender.is_ours
        shown.add_row(
            row["work"] if is_ours else "",
            row["system"],
            f"{row['median_s']:.2f} ({row['min_s']:.2f}-{row['max_s']:.2f})",
            f"{_short(row['rate'])}/s",
            "" if is_ours else f"{ours.get(row['work'], 0.0) / row['rate']:,.1f}",
            f"{row['peak_mb']:,.0f}",
            end_section=each.work.contenders[-1] == each.contender,
        )
    return shown


def targets(found: list[Series]) -> list[str]:
    """Say of each target whether it was reached."""
    lines = []
    for each in found:
        target = each.work.target
        if target is not None and each.contender.is_ours:
            row = each.row()
            word = "reached" if row["rate"] >= target else "missed"
            unit = row["unit"]
            lines.append(
                f"{row['work']}: {_short(row['rate'])}, target {_short(target)} {unit}: {word}"
            )
    return lines


def _short(rate: float) -> str:
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if rate >= scale:
            return f"{rate / scale:,.1f} {letter}"
    return f"{rate:,.0f}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure ours and its peers.")
    names = [work.name for work in WORKS]
    parser.add_argument("--only", choices=names, action="append", help="this work; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one short run each")
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench.json")
    return parser.parse_args()


def main() -> None:
    """Run the command."""
    options = arguments()
    works = [work for work in WORKS if not options.only or work.name in options.only]
    runs = 1 if options.quick else RUNS
    console = Console()
    facts = machine()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        count = sum(len(w.contenders) if not options.ours else 1 for w in works) * runs
        task = progress.add_task("setting up the peers", total=count + 1)

        def tell(text: str) -> None:
            progress.update(task, advance=1, description=text)

        found = measure(works, runs=runs, quick=options.quick, ours_only=options.ours, tell=tell)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": facts, "rows": [each.row() for each in found]}
    options.out.write_text(json.dumps(content, indent=2) + "\n")
    console.print(table(found))
    for line in targets(found):
        console.print(line)
    for each in found:
        if each.contender.is_ours:
            console.print(f"{each.work.name}: state hash {next(iter(each.checks))}", soft_wrap=True)
    console.print(f"Written to {options.out}", soft_wrap=True)


if __name__ == "__main__":
    main()
