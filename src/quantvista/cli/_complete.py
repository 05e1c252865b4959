"""What the shell suggests. Looks at names of files only, so that a tab is quick."""

import os
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "bar_kinds",
    "bar_sources",
    "check_names",
    "data_kinds",
    "data_sets",
    "feature_groups",
    "feature_names",
    "funds",
    "import_kinds",
    "journals",
    "one_of",
    "record_kinds",
    "runs",
    "systems",
    "table_kinds",
    "templates",
]

_SYSTEMS = ("nautilus",)
_DATA_KINDS = ("all", "bars", "quotes", "trades", "books")
_BAR_KINDS = (
    "tick",
    "volume",
    "dollar",
    "tick_imbalance",
    "volume_imbalance",
    "dollar_imbalance",
)
_IMPORT_KINDS = (
    "actions",
    "auctions",
    "bars",
    "fundamentals",
    "funding",
    "levels",
    "news",
    "orders",
    "quote_bars",
    "quotes",
    "rates",
    "reference",
    "series",
    "statuses",
    "trades",
)


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


def data_sets(incomplete: str) -> list[str]:
    """Datasets of the usual lake."""
    lake = Path(os.environ.get("QUANTVISTA_LAKE") or "lake").expanduser()
    names = sorted(path.parent.name for path in lake.glob("*/HEAD"))
    return [name for name in names if name.startswith(incomplete)]


def bar_kinds(incomplete: str) -> list[str]:
    """Kinds of bars that end at a size."""
    return [name for name in _BAR_KINDS if name.startswith(incomplete)]


def import_kinds(incomplete: str) -> list[str]:
    """Kinds of tables that files can be imported as."""
    return [name for name in _IMPORT_KINDS if name.startswith(incomplete)]


def table_kinds(incomplete: str) -> list[str]:
    """Kinds of tables that a dataset can have."""
    names = sorted((*_IMPORT_KINDS, "quarantine"))
    return [name for name in names if name.startswith(incomplete)]


def funds(incomplete: str) -> list[str]:
    """TOML files, and the folders on the way to them."""
    return _paths(incomplete, lambda path: path.suffix == ".toml")


def runs(incomplete: str) -> list[str]:
    """Folders that hold a run, and those on the way to them."""
    return _paths(incomplete, lambda path: (path / "summary.json").is_file())


def journals(incomplete: str) -> list[str]:
    """Folders that hold a journal, and those on the way to them."""
    return _paths(incomplete, lambda path: path.is_dir() and any(path.glob("*.qvj")))


def record_kinds(incomplete: str) -> list[str]:
    """Kinds of records that are known by name."""
    from quantvista.cli._journal import known_kinds

    return [name for name in known_kinds().names if name.startswith(incomplete)]


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


def bar_sources(incomplete: str) -> list[str]:
    """Files with bars, folders, and datasets of the usual lake."""
    if incomplete.startswith("lake:"):
        return [f"lake:{name}" for name in data_sets(incomplete.removeprefix("lake:"))]
    suffixes = (".csv", ".csv.gz", ".parquet", ".feather")
    return _paths(incomplete, lambda path: path.name.endswith(suffixes))


def check_names(incomplete: str) -> list[str]:
    """Name checks of data, with the sign that a policy follows."""
    from quantvista.data.quality import CHECKS_OF

    every = dict.fromkeys(name for checks in CHECKS_OF.values() for name in checks)
    return [f"{name}=" for name in every if name.startswith(incomplete)]


def one_of(*names: str) -> Callable[[str], list[str]]:
    """Make a function that suggests some words."""

    def suggest(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return suggest


def feature_names(incomplete: str) -> list[str]:
    """Shipped features."""
    from quantvista.features import FEATURES

    return [name for name in FEATURES if name.startswith(incomplete)]


def feature_groups(incomplete: str) -> list[str]:
    """Kinds of shipped features."""
    from quantvista.features import GROUPS

    return [name for name in GROUPS if name.startswith(incomplete)]
