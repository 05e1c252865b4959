"""What the shell suggests. Looks at names of files only, so that a tab is quick."""

from collections.abc import Callable
from pathlib import Path

__all__ = ["data_kinds", "funds", "runs", "systems", "templates"]

_SYSTEMS = ("nautilus",)
_DATA_KINDS = ("all", "bars", "quotes", "trades", "books")


def templates(incomplete: str) -> list[str]:
    """Names of templates."""
    folder = Path(__file__).parent.parent / "fund" / "templates"
    names = sorted(each.name for each in folder.iterdir() if (each / "fund.toml").is_file())
    return [name for name in names if name.startswith(incomplete)]


def systems(incomplete: str) -> list[str]:
    """Systems that the engine can be compared with."""
    return [name for name in _SYSTEMS if name.startswith(incomplete)]


def data_kinds(incomplete: str) -> list[str]:
    """Kinds of data of a validation."""
    return [name for name in _DATA_KINDS if name.startswith(incomplete)]


def funds(incomplete: str) -> list[str]:
    """TOML files, and the folders on the way to them."""
    return _paths(incomplete, lambda path: path.suffix == ".toml")


def runs(incomplete: str) -> list[str]:
    """Folders that hold a run, and those on the way to them."""
    return _paths(incomplete, lambda path: (path / "summary.json").is_file())


def _paths(incomplete: str, wanted: Callable[[Path], bool]) -> list[str]:
    head, slash, start = incomplete.rpartition("/")
    try:
        inside = sorted(Path(head + slash or ".").iterdir())
    except OSError:
        return []
    found = []
    for path in inside:
        if not path.name.startswith(start) or (path.name.startswith(".") and not start):
            continue
        if wanted(path):
            found.append(f"{head}{slash}{path.name}")
        elif path.is_dir():
            found.append(f"{head}{slash}{path.name}/")
    return found
