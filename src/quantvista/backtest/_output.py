"""The run folder: written so that a reader can always tell whether it is whole."""

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from quantvista.backtest._lock import FolderLock
from quantvista.errors import ConfigError, OutputError, printable

__all__ = ["RunFolder", "out_path"]

_TABLES = (
    "equity",
    "targets",
    "orders",
    "fills",
    "positions",
    "sleeves",
    "verdicts",
    "comparisons",
    "postings",
    "balances",
    "states",
    "actions",
    "markouts",
)
_SUMMARY = "summary.json"
_OTHER = (*(f"{table}.parquet" for table in _TABLES), "run.toml", "report.html")
_SCHEMA_VERSION = 1


def out_path(out: str | os.PathLike[str]) -> Path:
    """Make the path of a run folder absolute, so that a strategy cannot move it.

    Raises
    ------
    ConfigError
        If it is empty, or no name that every library can read.
    """
    text = os.fspath(out)
    if not text:
        raise ConfigError("`out` must name a folder; found nothing")
    path = Path(text).absolute()
    if "\0" in text or printable(path) != str(path):
        raise ConfigError(f"`out` must be a path in UTF-8; found {text!r}")
    return path


class RunFolder:
    """A folder for the outputs of one run, which no other run can write meanwhile.

    Parameters
    ----------
    path : pathlib.Path
        Made if it is not there. Outputs of an earlier run in it are removed, nothing else.
    inputs : iterable of pathlib.Path
        Files and folders that the run reads.

    Raises
    ------
    ConfigError
        If the folder holds an input of the run, or files that are named like outputs but are
        not of an earlier run.
    OutputError
        If it cannot be made or written, or another run is writing in it.

    Notes
    -----
    Use it in a ``with`` statement: at its end others may write here.
    """

    def __init__(self, path: Path, inputs: Iterable[Path] = ()) -> None:
        self.path = out_path(path)
        _refuse_inputs(self.path, inputs)
        with _explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.path)
        try:
            _refuse_foreign(self.path)
            # Whatever stops us from here on, the folder says that it is ours and is not whole.
            first = {"schema_version": _SCHEMA_VERSION, "status": "incomplete"}
            self.write_json(_SUMMARY, first)
            with _explained(self.path):
                for name in _OTHER:
                    (self.path / name).unlink(missing_ok=True)
                    (self.path / f"{name}.part").unlink(missing_ok=True)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let others write here."""
        with _explained(self.path):
            self._lock.release()

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write one table as Parquet; the same table gives the same bytes."""
        with self._replacing(f"{name}.parquet") as part:
            pq.write_table(table, part, compression="zstd", version="2.6", use_dictionary=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file in UTF-8."""
        with self._replacing(name) as part:
            part.write_bytes(text.encode("utf-8", "backslashreplace"))

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write JSON with sorted keys and no NaN."""
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
        self.write_text(name, text + "\n")

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        """Write beside the target, then put it in place in one step."""
        part = self.path / f"{name}.part"
        with _explained(self.path):
            try:
                yield part
                part.replace(self.path / name)
            except BaseException:
                part.unlink(missing_ok=True)
                raise


def _refuse_inputs(folder: Path, inputs: Iterable[Path]) -> None:
    for each in inputs:
        # A link counts where it lies and where it points to.
        places = (each.absolute(), each.resolve())
        if folder.resolve() in {place for p in places for place in (p, p.parent.resolve())}:
            raise ConfigError(
                f"`out` must not be a folder that the run reads from; found {each}; "
                f"{folder}. Name another folder with --out"
            )


def _refuse_foreign(folder: Path) -> None:
    present = [name for name in (_SUMMARY, *_OTHER) if os.path.lexists(folder / name)]
    if present and not _is_ours(folder / _SUMMARY):
        raise ConfigError(
            f"`out` must be a new folder or that of an earlier run; found {present[0]} of another "
            f"origin; {folder}. Name another folder with --out"
        )


def _is_ours(summary: Path) -> bool:
    try:
        found = json.loads(summary.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return (
        isinstance(found, dict)
        and found.get("schema_version") == _SCHEMA_VERSION
        and found.get("status") in ("complete", "incomplete", "failed")
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise OutputError(
                f"`out` must have room for the results; found the disk full; {path}. "
                "Free some space or name another folder with --out"
            ) from None
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"`out` must be a folder that can be written; found {reason}; {path}"
        ) from None
