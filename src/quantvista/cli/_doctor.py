"""``qv doctor``: whether everything that a run needs is here."""

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from rich.text import Text

from quantvista.cli._print import console, print_json
from quantvista.errors import QuantVistaError

__all__ = ["Check", "examine", "show"]

Status = Literal["ok", "warn", "fail"]
_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}
_FREE_MIN, _FREE_LOW = 100 * 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``remedy`` is empty where nothing is to be done."""

    name: str
    status: Status
    found: str
    remedy: str = ""


def examine() -> list[Check]:
    """Look at everything; nothing raises.

    Returns
    -------
    list of Check
        In a fixed order.
    """
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("python", _python),
        ("native core", _native),
        ("sample", _sample),
        ("report assets", _assets),
        ("time zones", _zones),
        ("cache", _cache),
        ("calendar", _calendar),
        ("disk", _disk),
    )
    checks = []
    for name, look in looks:
        try:
            checks.append(look())
        except QuantVistaError as error:
            checks.append(Check(name, "fail", str(error)))
        except Exception as error:
            checks.append(Check(name, "fail", f"{type(error).__name__}: {error}"))
    return checks


def show(checks: list[Check], *, as_json: bool) -> None:
    """Print checks as lines or as JSON."""
    healthy = all(check.status != "fail" for check in checks)
    if as_json:
        print_json({"healthy": healthy, "checks": [asdict(check) for check in checks]})
        return
    out = console()
    for check in checks:
        line = Text.assemble((f"{check.status:<5}", _STYLES[check.status]), f"{check.name:<14} ")
        out.print(line.append(check.found), soft_wrap=True)
        if check.remedy:
            out.print(Text(f"{'':<20}{check.remedy}"), soft_wrap=True)
    out.print("\nEverything is here." if healthy else "\nSomething is missing; see above.")


def _python() -> Check:
    # An older one cannot even read this package, so there is nothing to compare.
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _native() -> Check:
    try:
        module = import_module("quantvista._native")
    except ImportError as error:
        return Check("native core", "fail", str(error), "Run `make build`, or install a wheel.")
    return Check("native core", "ok", Path(str(module.__file__)).name)


def _sample() -> Check:
    from quantvista.data import sample_files

    files = sample_files()
    return Check("sample", "ok", f"{files.stocks.name}, {files.index.name}")


def _assets() -> Check:
    import quantvista

    folder = Path(str(quantvista.__file__)).parent / "reporting" / "_assets"
    found = sorted(each.name for each in folder.glob("*.js"))
    if not found:
        remedy = "Run `make build`, which needs Node.js; a wheel has them."
        return Check("report assets", "fail", "none", remedy)
    return Check("report assets", "ok", ", ".join(found))


def _zones() -> Check:
    from zoneinfo import ZoneInfo

    return Check("time zones", "ok", str(ZoneInfo("America/New_York")))


def _cache() -> Check:
    from quantvista.market import cache_dir

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "Runs still work, but take seconds longer; QUANTVISTA_CACHE names another folder."
        return Check("cache", "warn", f"{folder}: {(error.strerror or '').lower()}", remedy)
    return Check("cache", "ok", str(folder))


def _calendar() -> Check:
    from quantvista.market import sessions

    count = len(sessions("XNYS", "2024-01-01", "2024-12-31"))
    status: Status = "ok" if count == 252 else "fail"
    return Check("calendar", status, f"XNYS, {count} sessions in 2024")


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 2**30:.1f} GB free here"
    if free < _FREE_MIN:
        return Check("disk", "fail", found, "A run needs about 100 MB.")
    if free < _FREE_LOW:
        return Check("disk", "warn", found, "Long runs may need more.")
    return Check("disk", "ok", found)
