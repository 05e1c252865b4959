"""House rules that no linter knows: CONTRIBUTING.md says them in words."""

import ast
import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from quantvista import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "quantvista"
LINES_MAX = 500
# Spelled in two parts, so that this file does not contain what it looks for.
HOSTS = tuple(
    first + last
    for first, last in (
        ("pypi.", "org"),
        ("files.python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("registry.", "yarnpkg.com"),
        ("static.crates", ".io"),
        ("index.crates", ".io"),
        ("proxy.golang", ".org"),
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.$~}])/(?:ro" r"ot|ho" r"me|wo" r"rk|Use" r"rs)/\w")
BINARY = (".png", ".parquet", ".gz", ".bin")


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the repository that are there; the test has nothing to say outside one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def text_files() -> list[Path]:
    return [path for path in tracked() if path.suffix not in BINARY]


def lines_with(pattern: str, paths: list[Path]) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if found.search(line)
    ]


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(PACKAGE)]


def calls(path: Path) -> list[tuple[int, ast.Call]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [(node.lineno, node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def code() -> list[Path]:
    """Every file that people write code in, tests too."""
    return [path for path in tracked() if path.suffix in (".py", ".rs", ".ts", ".css")]


def test_modules_are_short() -> None:
    counted = ((path, len(path.read_text("utf-8").splitlines())) for path in code())
    long = {str(path.relative_to(ROOT)): count for path, count in counted if count > LINES_MAX}
    assert not long, f"split these by concept: {long}"


def test_no_registry_addresses() -> None:
    assert not lines_with("|".join(map(re.escape, HOSTS)), text_files())


def test_no_paths_of_a_machine() -> None:
    assert not lines_with(MACHINE_PATHS.pattern, text_files())


def test_lock_files_have_no_addresses() -> None:
    lock = json.loads((ROOT / "dashboard" / "package-lock.json").read_text())
    assert not [name for name, each in lock["packages"].items() if "resolved" in each]
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text(), path.name


def test_a_todo_names_its_issue() -> None:
    word = "".join(("TO", "DO"))  # in two parts, so that this line is none
    code = [p for p in text_files() if p.suffix in (".py", ".pyi", ".rs", ".ts", ".css", ".html")]
    assert not lines_with(rf"\b{word}\b(?!\(#\d+\))", code)


def test_the_library_prints_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules()
        if not path.is_relative_to(PACKAGE / "cli")
        for line, call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert not found


def test_no_datetime_without_a_zone() -> None:
    naive = {"utcnow", "utcfromtimestamp", "today"}
    found = []
    for path in modules():
        for line, call in calls(path):
            if not isinstance(call.func, ast.Attribute):
                continue
            name = call.func.attr
            zoned = bool(call.args) or any(word.arg == "tz" for word in call.keywords)
            if name in naive or (name in ("now", "fromtimestamp") and not zoned):
                found.append(f"{path.relative_to(ROOT)}:{line}")
    assert not found


def test_the_library_does_not_read_the_clock() -> None:
    """The same command twice gives the same bytes, so results cannot hold the time of day."""
    clocks = {"time", "time_ns", "perf_counter", "monotonic"}
    # The real clock behind the seam `Clock`; the time that is signed with a seal or written into a
    # backup; and how long an answer may take, when an operator gave an order, and how old what is
    # shown is.
    shells = {
        PACKAGE / "trading" / "gateway" / "http.py",
        PACKAGE / "trading" / "control" / "_ask.py",
        PACKAGE / "cli" / "_backup.py",
        PACKAGE / "cli" / "_journal.py",
        PACKAGE / "cli" / "_operator.py",
        PACKAGE / "cli" / "_status.py",
    }
    found = []
    for path in modules():
        if path in shells:
            continue
        for line, call in calls(path):
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id == "time":
                assert isinstance(call.func, ast.Attribute)
                if call.func.attr in clocks:
                    found.append(f"{path.relative_to(ROOT)}:{line}")
    assert not found


def test_every_folder_is_on_the_map() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.name for path in modules() if path.name == "__init__.py"}
    crates = {path.parent.name for path in tracked() if path.name == "Cargo.toml"}
    top = {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT}
    names = (
        (packages - {"quantvista"})
        | (crates - {ROOT.name})
        | {name for name in top if name[0] != "." and name != "src"}
    )
    missing = sorted(name for name in names if f"`{name}/`" not in page)
    assert not missing, f"docs/architecture.md does not mention {missing}"


def test_links_in_the_docs_lead_somewhere() -> None:
    broken = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            goal = (page.parent / file).resolve() if file else page
            lost = not goal.exists() or (goal.suffix == ".md" and anchor not in anchors(goal))
            if lost:
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def anchors(page: Path) -> set[str]:
    """Anchors that GitHub makes of a page's headings, and none at all."""
    titles = re.findall(r"^#{1,6} (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {""} | {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_of_the_docs_can_be_reached() -> None:
    index = ROOT / "docs" / "README.md"
    seen, todo = set[Path](), [index]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8"))
        todo += [(page.parent / link).resolve() for link in links if "://" not in link]
    docs = {p for p in tracked() if p.suffix == ".md" and p.is_relative_to(index.parent)}
    lost = sorted(str(page.relative_to(ROOT)) for page in docs - seen)
    assert not lost, f"no link leads to {lost}"


def test_decisions_are_numbered_and_whole() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        found = re.findall(r"^## (\w+)", page.read_text("utf-8"), re.MULTILINE)
        assert found[:3] == ["Context", "Decision", "Consequences"], page.name


def test_dashboard_has_the_same_version() -> None:
    package = json.loads((ROOT / "dashboard" / "package.json").read_text())
    lock = json.loads((ROOT / "dashboard" / "package-lock.json").read_text())
    assert package["version"] == lock["version"] == __version__


def test_locked_crates_have_the_same_version() -> None:
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    ours = {each["name"]: each["version"] for each in lock["package"] if "source" not in each}
    assert ours
    assert set(ours.values()) == {__version__}
