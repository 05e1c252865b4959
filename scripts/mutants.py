"""Plant bugs in the engine, one at a time, and see whether the tests notice: ``make mutants``.

Two kinds. *Planted* bugs are the mistakes that people make in such code (forget a fee, round the
wrong way, split without the stops); they stand in ``tests/mutants/planted.toml``. *Generated* ones
are a seeded sample of what cargo-mutants makes of the ledger and the gate; those that no test can
tell from the original are listed with the reason in ``tests/mutants/equivalent.toml``.

Each mutant is built in a copy of the repository. The Rust tests run first; where they pass, the
extension is built and the Python tests of the engine follow. A mutant that does not compile counts
as neither.

    python scripts/mutants.py                     # all planted, 60 generated
    python scripts/mutants.py --only "fee"        # planted bugs whose name has it
    python scripts/mutants.py --generated 0       # planted ones only
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "target" / "mutants"
MUTABLE = ("crates/engine/src/ledger", "crates/engine/src/gate")
PYTHON_TESTS = (
    "tests/simulation/test_engine.py",
    "tests/simulation/test_corners.py",
    "tests/golden",
)
TIMEOUT_S = 900


@dataclass(frozen=True)
class Mutant:
    """A change to one file of the engine."""

    name: str
    file: str
    patched: str


def planted(only: str) -> list[Mutant]:
    """Read the planted bugs; each must fit its file in exactly one place."""
    entries = tomllib.loads((ROOT / "tests/mutants/planted.toml").read_text("utf-8"))["mutant"]
    found = []
    for entry in entries:
        text = (ROOT / entry["file"]).read_text("utf-8")
        if text.count(entry["find"]) != 1:
            count = text.count(entry["find"])
            sys.exit(
                f"`{entry['name']}`: its text occurs {count} times in {entry['file']}, not once"
            )
        patched = text.replace(entry["find"], entry["replace"])
        if only.lower() in entry["name"].lower():
            found.append(Mutant(entry["name"], entry["file"], patched))
    return found


def generated(count: int, seed: int) -> list[Mutant]:
    """Draw from what cargo-mutants proposes for the ledger and the gate."""
    if count == 0:
        return []
    tool = shutil.which("cargo-mutants", path=f"{ROOT / 'target/tools/bin'}:{os.environ['PATH']}")
    if tool is None:
        sys.exit("cargo-mutants is not there: run `make mutants`, which installs it")
    command = [tool, "mutants", "--list", "--json", "--diff", "--package", "quantvista-engine"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    known = tomllib.loads((ROOT / "tests/mutants/equivalent.toml").read_text("utf-8"))
    equivalent = {entry["name"] for entry in known.get("mutant", [])}
    proposals = [each for each in json.loads(listing.stdout) if each["file"].startswith(MUTABLE)]
    proposals = [each for each in proposals if each["name"] not in equivalent]
    proposals.sort(key=lambda each: each["name"])
    chosen = random.Random(seed).sample(proposals, min(count, len(proposals)))
    return [
        Mutant(each["name"], each["file"], _patched(each["file"], each["diff"])) for each in chosen
    ]


def _patched(file: str, diff: str) -> str:
    """Apply a unified diff of one hunk."""
    lines = (ROOT / file).read_text("utf-8").splitlines(keepends=True)
    out, place = [], 0
    for line in diff.splitlines(keepends=True):
        if line.startswith(("---", "+++")):
            continue
        if line.startswith("@@"):
            start = int(line.split()[1].split(",")[0].removeprefix("-")) - 1
            out += lines[place:start]
            place = start
        elif line.startswith("-"):
            place += 1
        elif line.startswith("+"):
            out.append(line[1:])
        else:
            out.append(lines[place])
            place += 1
    return "".join(out + lines[place:])


def copy_repository() -> None:
    """Bring the copy up to the repository; what it has built stays."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def run(command: list[str]) -> tuple[bool, str]:
    """Run in the copy; a run that hangs has failed."""
    environment = os.environ | {
        "PYO3_PYTHON": sys.executable,
        "CARGO_TARGET_DIR": str(COPY / "target"),
    }
    try:
        done = subprocess.run(
            command, cwd=COPY, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return False, "ran too long"
    return done.returncode == 0, done.stdout + done.stderr


def judge() -> tuple[str, str]:
    """Say what happens to what stands in the copy: broken, killed or survived, and by what."""
    passed, said = run(["cargo", "build", "--locked", "--quiet", "--package", "quantvista-engine"])
    if not passed:
        return "broken", said
    passed, said = run(["cargo", "test", "--locked", "--quiet", "--package", "quantvista-engine"])
    if not passed:
        return "killed", "cargo test"
    library = COPY / "target/release/lib_native.so"
    build = ["cargo", "build", "--locked", "--quiet", "--release", "--package", "quantvista-python"]
    passed, said = run([*build, "--features", "extension-module"])
    if not passed:
        return "broken", said
    shutil.copyfile(library, COPY / "src/quantvista/_native.abi3.so")
    tests = [name for name in PYTHON_TESTS if (COPY / name).exists()]
    pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "2", "-p", "no:cacheprovider"]
    where = ["env", f"PYTHONPATH={COPY / 'src'}"]
    passed, said = run([*where, *pytest, "-m", "not slow", *tests])
    if passed:
        return "survived", ""
    return "killed", "pytest"


def main() -> int:
    """Judge every mutant; 1 if one survived."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", default="", help="planted bugs whose name has this text")
    parser.add_argument("--generated", type=int, default=60, help="how many of cargo-mutants")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    arguments = parser.parse_args()
    mutants = planted(arguments.only) + generated(arguments.generated, arguments.seed)
    COPY.mkdir(parents=True, exist_ok=True)
    copy_repository()
    outcome, by = judge()
    if outcome != "survived":
        sys.exit(f"the tests must pass before bugs are planted; found {outcome} {by}")
    verdicts: dict[str, list[str]] = {"killed": [], "survived": [], "broken": []}
    for number, mutant in enumerate(mutants, 1):
        began = time.monotonic()
        (COPY / mutant.file).write_text(mutant.patched, "utf-8")
        try:
            outcome, by = judge()
        finally:
            copy_repository()
        verdicts[outcome].append(mutant.name)
        seconds = time.monotonic() - began
        print(
            f"[{number}/{len(mutants)}] {outcome:8} {by:10.10} {seconds:5.0f} s  {mutant.name}",
            flush=True,
        )
    killed, survived, broken = (verdicts[name] for name in ("killed", "survived", "broken"))
    if broken:
        print(f"{len(broken)} did not compile and count as neither")
    print(f"{len(killed)} killed, {len(survived)} survived")
    for name in survived:
        print(f"  survived: {name}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
