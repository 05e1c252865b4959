"""Which files of a folder are tables, and which are left out."""

from pathlib import Path

from quantvista.data.importing._source import SUFFIXES
from quantvista.errors import MarketDataError

__all__ = ["RECORDINGS", "folder_files", "left_out"]

RECORDINGS = (".jsonl", ".jsonl.gz")
_KNOWN = (*SUFFIXES, *RECORDINGS)
_NAMED = 8


def folder_files(folder: Path) -> list[Path]:
    """Tables and recordings of a folder and those below it.

    Raises
    ------
    MarketDataError
        If there is none.
    """
    files = sorted(path for path in folder.rglob("*") if _is_table(path))
    if not files:
        raise MarketDataError(
            f"`source` must hold files ending in {', '.join(_KNOWN)}; found {folder}"
        )
    return files


def left_out(source: Path) -> list[str]:
    """Say which files of a folder are not read: a line, or none."""
    if not source.is_dir():
        return []
    others = sorted(
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if not _is_table(path) and not (path.is_dir() and not path.name.lower().endswith(_KNOWN))
    )
    if not others:
        return []
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return [
        f"Left out, for they are no files of a known format: {', '.join(others[:_NAMED])}{more}"
    ]


def _is_table(path: Path) -> bool:
    # A folder or a link to nothing may be called like a table too.
    return path.name.lower().endswith(_KNOWN) and path.is_file()
