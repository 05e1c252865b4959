"""Measure ours and its peers in turn; write ``out/bench.json`` and print a table.

Every run is a process of its own. Runs of one work are interleaved (ours, peer, ours, peer, ...),
so that a busy moment of the machine does not fall on one of them alone; compare ratios first.

    python benchmarks/run.py                all of it, about half an hour
    python benchmarks/run.py --only orders  one work
    python benchmarks/run.py --quick        one short run each, to see that it works
    python benchmarks/run.py --page         put what was measured last into docs/benchmarks.md
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
from _recording import absent, prepared
from _tables import length_lines, renew, short
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

RUNS = 5
PAGE = ROOT / "docs" / "benchmarks.md"
DAY = 131  # loops of the recording
WIDTH = 110  # of the table in a file


@dataclass
class Series:
    """All runs of one contender at one work."""

    work: Work
    contender: Contender
    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    checks: set[str] = field(default_factory=set)
    p99_ns: list[int] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    version: str = ""
    agreed: str = ""

    def add(self, measured: dict[str, Any], process_s: float) -> None:
        """Take in one run; its check must be that of the runs before."""
        seconds = process_s if self.work.whole_process else float(measured["seconds"])
        self.seconds.append(seconds)
        self.rates.append(measured["count"] / seconds)
        self.peak_mb.append(float(measured["peak_mb"]))
        self.version = str(measured["version"])
        self.p99_ns += [measured["p99_ns"]] if measured.get("p99_ns") else []
        for name, rate in measured.get("rates", {}).items():
            self.parts.setdefault(name, []).append(rate)
        for name, time in measured.get("times", {}).items():
            self.times.setdefault(name, []).append(time)
        self.agreed = str(measured.get("agreed", ""))
        self.checks.add(str(measured["check"]))
        if len(self.checks) > 1:
            raise SystemExit(f"{self.contender.script}: two runs disagree: {self.checks}")

    def row(self) -> dict[str, Any]:
        """One row of bench.json."""
        check = next(iter(self.checks))
        found = self.agreed if self.agreed != check else ""
        parts = [f"{name} {short(statistics.median(each))}/s" for name, each in self.parts.items()]
        parts += [
            f"{name} {short(statistics.median(t) / 1e3)} µs" for name, t in self.times.items()
        ]
        notes = [self.contender.note, ", ".join(parts)]
        notes += [found, f"check {check}" if check else ""]
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
            "p99_ns": statistics.median(self.p99_ns) if self.p99_ns else None,
            "peak_mb": max(self.peak_mb),
            "note": "; ".join(note for note in notes if note),
        }


@dataclass(frozen=True)
class Setting:
    """What programs are run with."""

    peers: Path | None
    recording: Path | None


def run_once(contender: Contender, size: int, setting: Setting) -> tuple[dict[str, Any], float]:
    """Run a program; return what it printed and how long its process took."""
    interpreter = sys.executable if contender.is_ours else str(setting.peers)
    script = Path(__file__).with_name(contender.script)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = ""  # to compile modules is no part of any work
    if contender.system == "bt":
        environment["PRICES"] = str(prices())
    if setting.recording is not None:
        environment["RECORDING"] = str(setting.recording)
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
    plan: list[Series], setting: Setting, *, runs: int, quick: bool, tell: Callable[[str], None]
) -> None:
    """Run everything, interleaved within each work."""
    for work in dict.fromkeys(each.work for each in plan):
        series = [each for each in plan if each.work == work]
        for _ in range(runs):
            for each in series:
                tell(f"{work.name}: {each.contender.system}")
                size = each.contender.quick_size if quick else each.contender.size
                each.add(*run_once(each.contender, size, setting))
        found = {each.agreed for each in series}
        if len(found) > 1:
            raise SystemExit(f"{work.name}: systems disagree: {found}")


def lengths_of(contender: Contender, *, day: bool) -> tuple[int, ...]:
    """Give the lengths that a contender is run at; slow ones go over the day only when asked."""
    more = (DAY,) if day and contender.lengths and DAY not in contender.lengths else ()
    return (*contender.lengths, *more)


def lengthen(
    plan: list[Series], setting: Setting, tell: Callable[[str], None], *, day: bool
) -> list[dict[str, Any]]:
    """Run what has several lengths at each of them; rows of `lengths` in bench.json."""
    rows = []
    agreed: dict[tuple[str, int], str] = {}
    for each in plan:
        for size in lengths_of(each.contender, day=day):
            tell(f"{each.work.name}: {each.contender.system}, length {size}")
            measured, _ = run_once(each.contender, size, setting)
            found = measured.get("agreed", "")
            if agreed.setdefault((each.work.name, size), found) != found:
                raise SystemExit(f"{each.work.name}: at {size} not all find {found}")
            rows.append(
                {
                    "work": each.work.name,
                    "system": each.contender.system,
                    "length": size,
                    "count": measured["count"],
                    "seconds": measured["seconds"],
                    "rate": measured["count"] / measured["seconds"],
                    "peak_mb": measured["peak_mb"],
                    "agreed": found,
                }
            )
    return rows


def table(found: list[Series]) -> Table:
    """Show the medians, their spread, and how ours compares."""
    shown = Table(title="Medians; ratio = our rate / the peer's", box=SIMPLE)
    shown.add_column("work", no_wrap=True)
    shown.add_column("system", no_wrap=True)
    for name in ("seconds (min-max)", "rate", "ratio", "MB"):
        shown.add_column(name, justify="right", no_wrap=True)
    ours = {each.work.name: each.row()["rate"] for each in found if each.contender.is_ours}
    last = {each.work: each for each in found}
    for each in found:
        row = each.row()
        is_ours = each.contender.is_ours
        shown.add_row(
            row["work"] if is_ours else "",
            row["system"],
            f"{row['median_s']:.2f} ({row['min_s']:.2f}-{row['max_s']:.2f})",
            f"{short(row['rate'])}/s",
            "" if is_ours else f"{ours.get(row['work'], 0.0) / row['rate']:,.1f}",
            f"{row['peak_mb']:,.0f}",
            end_section=last[each.work] is each,
        )
    return shown


def targets(rows: list[dict[str, Any]]) -> list[str]:
    """Say of each target whether it was reached."""
    lines = []
    works = {work.name: work for work in WORKS}
    for row in rows:
        work, unit = works[row["work"]], row["unit"]
        if row["system"] != "quantvista":
            continue
        if work.target is not None:
            word = "reached" if row["rate"] >= work.target else "missed"
            rates = f"{short(row['rate'])}, target {short(work.target)} {unit}"
            lines.append(f"{work.name}: {rates}: {word}")
        if row["p99_ns"] is not None and work.p99_target_ns is not None:
            word = "reached" if row["p99_ns"] < work.p99_target_ns else "missed"
            times = f"{row['p99_ns']:,.0f} ns, target below {work.p99_target_ns:,} ns"
            lines.append(f"{work.name}, slowest of a hundred: {times}: {word}")
    return lines


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure ours and its peers.")
    names = [work.name for work in WORKS]
    parser.add_argument("--only", choices=names, action="append", help="this work; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one short run each")
    parser.add_argument("--ours", action="store_true", help="leave the peers out")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench.json")
    parser.add_argument("--day", action="store_true", help="every system over the whole day")
    about = "put what --out holds into this page, docs/benchmarks.md if none is named; no run"
    parser.add_argument("--page", type=Path, nargs="?", const=PAGE, help=about)
    return parser.parse_args()


def main() -> None:
    """Run the command."""
    options = arguments()
    if options.page:
        content = json.loads(options.out.read_text())
        renew(options.page, content, targets(content["rows"]))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    chosen = [work for work in WORKS if not options.only or work.name in options.only]
    missing = absent()
    skipped = [
        {"work": work.name, "reason": missing} for work in chosen if work.recorded and missing
    ]
    works = [work for work in chosen if not (work.recorded and missing)]
    facts = machine()
    plan = [
        Series(work, each)
        for work in works
        for each in work.contenders
        if each.is_ours or not options.ours
    ]
    runs = 1 if options.quick else RUNS
    steps = len(plan) * runs + sum(
        len(lengths_of(each.contender, day=options.day)) for each in plan
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("setting up", total=steps + 1)

        def tell(text: str) -> None:
            progress.update(task, advance=1, description=text)

        setting = Setting(
            None if options.ours else python(),
            prepared() if any(work.recorded for work in works) else None,
        )
        measure(plan, setting, runs=runs, quick=options.quick, tell=tell)
        lengths = [] if options.quick else lengthen(plan, setting, tell, day=options.day)
    rows = [each.row() for each in plan]
    facts["load_after"] = round(os.getloadavg()[0], 2)
    content = {"machine": facts, "rows": rows, "lengths": lengths, "skipped": skipped}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(content, indent=2) + "\n")
    console.print(table(plan))
    # A short run says nothing about speed.
    for line in [*length_lines(lengths), *([] if options.quick else targets(rows))]:
        console.print(line, soft_wrap=True)
    for each in plan:
        if each.contender.is_ours:
            console.print(f"{each.work.name}: state hash {next(iter(each.checks))}", soft_wrap=True)
    for left in skipped:
        console.print(f"{left['work']}: skipped, {left['reason']}", soft_wrap=True)
    console.print(f"Written to {options.out}", soft_wrap=True)


if __name__ == "__main__":
    main()
