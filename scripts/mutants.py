"""Plant bugs in the engine, one at a time, and see whether the tests notice: ``make mutants``.

Two kinds. *Planted* bugs are the mistakes that people make in such code (forget a fee, round the
wrong way, split without the stops); they stand in ``tests/mutants/planted.toml``. *Generated* ones
are a seeded sample of what cargo-mutants makes of the ledger and the gate; those that no test can
tell from the original are listed with the reason in ``tests/mutants/equivalent.toml`` and not
drawn. What does not compile is no mutant: another is drawn in its place.

Each mutant is built in a copy of the repository, in the development profile and incrementally.
The Rust tests run first, quick ones before slow ones; where all pass, the extension is built and
the Python tests of the engine follow. Tests that run out of time, or of memory, have failed. A
verdict is kept until the code or the tests change, so a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "target" / "mutants"
KEPT = ROOT / "target" / "mutants.json"
MUTABLE = ("crates/engine/src/ledger", "crates/engine/src/gate")
# Random tests take most of the time; a mutant that an example kills need not wait for them.
SLOW = ("accounts", "order_properties", "venue_properties", "properties", "hostile")
PYTHON_TESTS = (
    "tests/simulation/test_engine.py",
    "tests/simulation/test_corners.py",
    "tests/golden",
)
# Dependencies are built once and hash much in the tests; the engine is built for every mutant.
CARGO = ("--locked", "--quiet", "--config", 'profile.dev.package."*".opt-level=2')
BUILD_S_MAX = 1_800
# Of the time that the tests take without a mutant; the machine may be busier later.
PATIENCE = 8
TESTS_S_MIN = 60
MEMORY_MAX = 8 << 30
EXAMPLES = """examples:
  python scripts/mutants.py                    all planted bugs and 60 generated ones
  python scripts/mutants.py --only fee         those of them whose name has "fee"
  python scripts/mutants.py --generated 0      planted bugs only
  python scripts/mutants.py --list             what would be planted, without planting it
  python scripts/mutants.py --json > out.json  the verdicts, to be read by a program
  python scripts/mutants.py --check            see that every planted bug still has its place
"""


@dataclass(frozen=True)
class Mutant:
    """A change to one file of the engine."""

    name: str
    kind: str
    file: str
    patched: str


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed, survived or broken, by what, and how long that took."""

    outcome: str
    by: str
    seconds: float


class MutationError(Exception):
    """What stands in the way of a verdict."""


def planted() -> list[Mutant]:
    """Read the planted bugs; each must fit its file in exactly one place, however it is wrapped."""
    entries = tomllib.loads((ROOT / "tests/mutants/planted.toml").read_text("utf-8"))["mutant"]
    found, problems = [], []
    for entry in entries:
        text = (ROOT / entry["file"]).read_text("utf-8")
        places = list(re.finditer(r"\s+".join(map(re.escape, entry["find"].split())), text))
        if len(places) != 1:
            problems.append(
                f"`{entry['name']}`: `find` must occur once; found {len(places)} times in "
                f"{entry['file']}: mend it in tests/mutants/planted.toml"
            )
            continue
        patched = text[: places[0].start()] + entry["replace"] + text[places[0].end() :]
        found.append(Mutant(entry["name"], "planted", entry["file"], patched))
    if problems:
        raise MutationError("\n".join(problems))
    return found


def generated(seed: int) -> list[Mutant]:
    """Order what cargo-mutants proposes for the ledger and the gate by chance.

    The place of a proposal depends on nothing but the seed and its name, in which no line number
    stands: a change elsewhere leaves the sample as it is.
    """
    tool = shutil.which("cargo-mutants", path=f"{ROOT / 'target/tools/bin'}:{os.environ['PATH']}")
    if tool is None:
        raise MutationError("cargo-mutants is not there: run `make mutants`, which installs it")
    command = [tool, "mutants", "--list", "--json", "--diff", "--package", "quantvista-engine"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Mutant] = {}
    for each in json.loads(listing.stdout):
        if not each["file"].startswith(MUTABLE):
            continue
        place, _, change = each["name"].partition(": ")
        bare = f"{Path(place.split(':')[0]).relative_to('crates/engine/src')}: {change}"
        name, number = bare, 1
        while name in found:
            number += 1
            name = f"{bare} #{number}"
        found[name] = Mutant(name, "generated", each["file"], _patched(each["file"], each["diff"]))
    for name in equivalents():
        if found.pop(name, None) is None:
            message = f"`{name}` of tests/mutants/equivalent.toml is not proposed any more"
            raise MutationError(message)
    return sorted(
        found.values(), key=lambda each: hashlib.sha256(f"{seed}|{each.name}".encode()).digest()
    )


def equivalents() -> list[str]:
    """Name the proposals that no test can tell from the original."""
    entries = tomllib.loads((ROOT / "tests/mutants/equivalent.toml").read_text("utf-8"))
    return [entry["name"] for entry in entries.get("mutant", [])]


def _patched(file: str, diff: str) -> str:
    """Apply a unified diff of one hunk."""
    lines = (ROOT / file).read_text("utf-8").splitlines(keepends=True)
    out: list[str] = []
    place = 0
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


@cache
def files() -> list[str]:
    """All files of the repository that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def copy_repository() -> None:
    """Bring the copy up to the repository; what it has built stays."""
    for name in files():
        source, target = ROOT / name, COPY / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    known = set(files())
    for folder in ("crates", "tests"):
        for path in (COPY / folder).rglob("*.*"):
            if path.suffix in {".rs", ".py"} and str(path.relative_to(COPY)) not in known:
                path.unlink()


def digest(*folders: str) -> str:
    """Digest what stands in the folders."""
    total = hashlib.sha256()
    for name in files():
        if name.startswith(folders):
            total.update(f"{name}|".encode() + (ROOT / name).read_bytes())
    return total.hexdigest()


class Workshop:
    """The copy of the repository in which mutants are tried."""

    def __init__(self, times_s: dict[str, float]) -> None:
        self.times_s = times_s
        folder = ROOT / "crates/engine/tests"
        names = {path.stem for path in folder.glob("*.rs")}
        names |= {path.parent.name for path in folder.glob("*/main.rs")}
        quick = [argument for name in sorted(names - set(SLOW)) for argument in ("--test", name)]
        accounts = ["--test", "accounts", "--", "--skip", "random::"]
        self.rust = {"unit tests": ["--lib"], "account examples": accounts, "examples": quick}
        self.rust |= {name: ["--test", name] for name in SLOW}

    def judge(self, mutant: Mutant) -> Verdict:
        """Plant a bug and see what becomes of it."""
        began = monotonic()
        file = COPY / mutant.file
        original = file.read_text("utf-8")
        file.write_text(mutant.patched, "utf-8")
        try:
            outcome, by = self._judge()
            if outcome == "survived" and "simulation" not in self.times_s:
                file.write_text(original, "utf-8")
                self._build_extension()
                self._prove("simulation", self._pytest())
                file.write_text(mutant.patched, "utf-8")
            if outcome == "survived":
                self._build_extension()
                if not self._passes("simulation", self._pytest()):
                    outcome, by = "killed", "simulation"
        finally:
            file.write_text(original, "utf-8")
        return Verdict(outcome, by, round(monotonic() - began, 1))

    def prove(self) -> None:
        """See that the Rust tests pass without a mutant, and take their time."""
        for stage, targets in self.rust.items():
            if stage in self.times_s:
                continue
            if not self._builds(["test", "--no-run", *self._engine(), *targets]):
                raise MutationError("the engine must compile before bugs are planted")
            self._prove(stage, ["cargo", "test", *self._engine(), *targets])

    def _judge(self) -> tuple[str, str]:
        for stage, targets in self.rust.items():
            if not self._builds(["test", "--no-run", *self._engine(), *targets]):
                return "broken", "compiler"
            if not self._passes(stage, ["cargo", "test", *self._engine(), *targets]):
                return "killed", stage
        return "survived", ""

    def _prove(self, stage: str, command: list[str]) -> None:
        began = monotonic()
        if not _run(command, BUILD_S_MAX):
            message = f"the {stage} must pass before bugs are planted; run {' '.join(command)}"
            raise MutationError(message)
        self.times_s[stage] = round(monotonic() - began, 1)

    def _passes(self, stage: str, command: list[str]) -> bool:
        return _run(command, max(TESTS_S_MIN, PATIENCE * self.times_s[stage]))

    def _builds(self, arguments: list[str]) -> bool:
        return _run(["cargo", *arguments], BUILD_S_MAX)

    def _build_extension(self) -> None:
        package = ["--package", "quantvista-python", "--features", "extension-module"]
        if not self._builds(["build", *CARGO, *package]):
            raise MutationError("the extension must compile where the engine does")
        library = COPY / "target/debug/lib_native.so"
        shutil.copyfile(library, COPY / "src/quantvista/_native.abi3.so")

    @staticmethod
    def _engine() -> list[str]:
        return [*CARGO, "--package", "quantvista-engine"]

    @staticmethod
    def _pytest() -> list[str]:
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "2", "-p", "no:cacheprovider"]
        where = ["env", f"PYTHONPATH={COPY / 'src'}"]
        return [*where, *pytest, "-m", "not slow", *PYTHON_TESTS]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))


def _run(command: list[str], seconds: float) -> bool:
    """Run in the copy, at low priority; what runs too long is ended with all that it started."""
    environment = os.environ | {
        "PYO3_PYTHON": sys.executable,
        "CARGO_TARGET_DIR": str(COPY / "target"),
        "CARGO_INCREMENTAL": "1",
        "CARGO_PROFILE_DEV_DEBUG": "0",
        # A failure is enough; nobody reads the smallest one.
        "PROPTEST_MAX_SHRINK_ITERS": "0",
        "PROPTEST_MAX_SHRINK_TIME": "1",
        "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
    }
    process = subprocess.Popen(
        ["nice", "-n", "10", *command],
        cwd=COPY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_limit,
    )
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Kept:
    """The verdicts of earlier runs, which hold as long as what they rest on stays as it is."""

    def __init__(self, fresh: bool) -> None:
        self.rust = digest("crates/engine/", "Cargo.")
        self.everything = digest("crates/", "Cargo.", "src/", "tests/", "pyproject.toml")
        self.verdicts: dict[str, dict[str, str | float]] = {}
        # How long each of the tests takes without a mutant, for the code of now.
        self.times_s: dict[str, float] = {}
        if KEPT.is_file() and not fresh:
            kept = json.loads(KEPT.read_text("utf-8"))
            self.verdicts = kept["verdicts"]
            self.times_s = kept["times_s"] if kept["rust"] == self.rust else {}
            if kept["everything"] != self.everything:
                self.times_s.pop("simulation", None)

    def find(self, mutant: Mutant) -> Verdict | None:
        """Find the verdict on a mutant."""
        for rests_on in (self.rust, self.everything):
            if kept := self.verdicts.get(self._key(mutant, rests_on)):
                return Verdict(str(kept["outcome"]), str(kept["by"]), float(kept["seconds"]))
        return None

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """Keep a verdict; one that needed Python rests on the Python code too."""
        is_rust = verdict.outcome != "survived" and verdict.by != "simulation"
        key = self._key(mutant, self.rust if is_rust else self.everything)
        self.verdicts[key] = asdict(verdict)
        kept = {
            "rust": self.rust,
            "everything": self.everything,
            "times_s": self.times_s,
            "verdicts": self.verdicts,
        }
        KEPT.write_text(json.dumps(kept, indent=1), "utf-8")

    @staticmethod
    def _key(mutant: Mutant, rests_on: str) -> str:
        text = f"{rests_on}|{mutant.file}|{mutant.patched}"
        return hashlib.sha256(text.encode()).hexdigest()


def judged(
    mutants: list[Mutant], proposals: list[Mutant], count: int, fresh: bool
) -> Iterator[tuple[Mutant, Verdict, bool]]:
    """Judge the planted bugs, then proposals until enough of them have compiled."""
    kept = Kept(fresh)
    workshop = Workshop(kept.times_s)

    def judge(mutant: Mutant) -> tuple[Mutant, Verdict, bool]:
        if verdict := kept.find(mutant):
            return mutant, verdict, True
        workshop.prove()
        verdict = workshop.judge(mutant)
        kept.add(mutant, verdict)
        return mutant, verdict, False

    yield from map(judge, mutants)
    for mutant in proposals:
        if count == 0:
            return
        done = judge(mutant)
        count -= done[1].outcome != "broken"
        yield done


def tell(arguments: argparse.Namespace, mutants: list[Mutant], proposals: list[Mutant]) -> int:
    """Judge with a progress bar, a line for each mutant, and the sum at the end."""
    console = Console(stderr=arguments.json, highlight=False, soft_wrap=True)
    rows: list[dict[str, str | float]] = []
    total = len(mutants) + min(arguments.generated, len(proposals))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("mutants", total=total)
        for mutant, verdict, known in judged(
            mutants, proposals, arguments.generated, arguments.fresh
        ):
            rows.append({"name": mutant.name, "kind": mutant.kind, **asdict(verdict)})
            counts = mutant.kind == "planted" or verdict.outcome != "broken"
            progress.advance(task, 1 if counts else 0)
            when = "kept" if known else f"{verdict.seconds:.0f} s"
            line = f"{verdict.outcome:8} {verdict.by:16} {when:>6}  {mutant.name}"
            console.print(line, markup=False)
    names = {
        outcome: [row["name"] for row in rows if row["outcome"] == outcome]
        for outcome in ("killed", "survived")
    }
    broken = [row["name"] for row in rows if row["outcome"] == "broken"]
    bad = [row["name"] for row in rows if row["outcome"] == "broken" and row["kind"] == "planted"]
    if arguments.json:
        print(json.dumps({"mutants": rows, **{key: len(each) for key, each in names.items()}}))
    if len(broken) > len(bad):
        console.print(f"{len(broken) - len(bad)} proposals did not compile; others were drawn")
    if proposals:
        console.print(
            f"{len(equivalents())} were not drawn: tests/mutants/equivalent.toml says why"
        )
    for name in bad:
        console.print(f"does not compile: {name}", markup=False)
    for name in names["survived"]:
        console.print(f"survived: {name}", markup=False)
    console.print(f"{len(names['killed'])} killed, {len(names['survived'])} survived")
    return 1 if bad or names["survived"] else 0


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0].split("``")[0].rstrip(": ") + ".",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", metavar="NAME", help="those whose name has this text")
    parser.add_argument(
        "--generated", type=int, default=60, metavar="N", help="how many of cargo-mutants (60)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--fresh", action="store_true", help="forget the verdicts of earlier runs")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument("--list", action="store_true", help="print the names and do nothing")
    parser.add_argument(
        "--check", action="store_true", help="see that planted bugs have their place, and stop"
    )
    arguments = parser.parse_args()
    if arguments.generated < 0:
        parser.error(f"`--generated` must not be negative; found {arguments.generated}")
    return arguments


def main() -> int:
    """Judge the mutants that were asked for; 1 if one survived, 2 if they cannot be judged."""
    arguments = parsed()
    # Whatever ends the run, what it has started ends with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        mutants = planted()
        if arguments.check:
            print(f"{len(mutants)} planted bugs have their place")
            return 0
        proposals = generated(arguments.seed) if arguments.generated else []
        wanted = arguments.only.lower()
        if wanted:
            mutants = [each for each in mutants if wanted in each.name.lower()]
            proposals = [each for each in proposals if wanted in each.name.lower()]
            if not mutants and not proposals:
                raise MutationError(f"`--only` must be part of a name; found {arguments.only!r}")
        if arguments.list:
            for each in mutants + proposals[: arguments.generated]:
                print(f"{each.kind:9}  {each.name}")
            return 0
        COPY.mkdir(parents=True, exist_ok=True)
        with (ROOT / "target" / "mutants.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MutationError(f"another run works in {COPY}; wait for it") from None
            # Taken once: who goes on to edit the repository does not disturb the run.
            copy_repository()
            return tell(arguments, mutants, proposals)
    except MutationError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the next run goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
