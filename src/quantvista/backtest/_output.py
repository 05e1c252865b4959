"""The run folder: written so that a reader can always tell whether it is whole."""

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quantvista.errors import OutputError

__all__ = ["RunFolder"]

_TABLES = (
    "equity",
    "targets",
    "orders",
    "fills",
    "positions",
    "sleeves",
    "verdicts",
    "comparisons",
)
_OTHER = ("summary.json", "run.toml", "report.html")


class RunFolder:
    """A folder for the outputs of one run.

    Parameters
    ----------
    path : pathlib.Path
        Made if it is not there. Outputs of an earlier run in it are removed, nothing else.

    Raises
    ------
    OutputError
        If it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _explained(path):
            path.mkdir(parents=True, exist_ok=True)
            for name in (*(f"{table}.parquet" for table in _TABLES), *_OTHER):
                (path / name).unlink(missing_ok=True)
                (path / f"{name}.part").unlink(missing_ok=True)
        # Whatever stops us from here on, the folder says that it is not whole.
        self.write_json("summary.json", {"schema_version": 1, "status": "incomplete"})

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write one table as Parquet; the same table gives the same bytes."""
        with self._replacing(f"{name}.parquet") as part:
            pq.write_table(table, part, compression="zstd", version="2.6", use_dictionary=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file in UTF-8."""
        with self._replacing(name) as part:
            part.write_bytes(text.encode())

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
