"""Files to tables, refusing whatever is not a whole table.

The CSV reader of Polars fills rows that are too short with nulls. A missing price is meaningful
here, so the shape is checked before it sees the file.
"""

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from quantvista.errors import MarketDataError

__all__ = ["SUFFIXES", "Table", "read_table"]

SUFFIXES = (".csv", ".csv.gz", ".parquet")

_INDEX = (
    'in pandas, write without the index: index=False, or index_label="date" if it has the dates'
)


@dataclass(frozen=True, slots=True)
class Table:
    """The content of one file.

    Parameters
    ----------
    where : str
        The file, as messages name it.
    stem : str
        Its name without suffix.
    frame : polars.DataFrame
        All columns; those of a CSV file are strings.
    row_first : int
        Number by which messages call the first row: 2 below a CSV header, else 1.
    """

    where: str
    stem: str
    frame: pl.DataFrame
    row_first: int


def read_table(path: Path, where: str) -> Table:
    """Read one CSV or Parquet file.

    Parameters
    ----------
    path : pathlib.Path
        A file ending in one of ``SUFFIXES``.
    where : str
        How to call it in messages.

    Returns
    -------
    Table
        At least one row, at least two columns with unique names.

    Raises
    ------
    MarketDataError
        If it cannot be read, or is no such table.
    """
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        raise MarketDataError(f"`data.source` must end in {', '.join(SUFFIXES)}; found {where}")
    try:
        content = path.read_bytes()
        if suffix == ".csv.gz":
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise MarketDataError(f"{where}: not a whole gzip file ({error})") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MarketDataError(f"{where}: cannot be read: {reason.lower()}") from None
    if not content:
        raise MarketDataError(f"{where}: the file is empty")
    frame = _parquet(content, where) if suffix == ".parquet" else _csv(content, where)
    if frame.height == 0:
        raise MarketDataError(f"{where}: there is a header but no row below it")
    if frame.width < 2:
        found = f"found only {frame.columns}"
        raise MarketDataError(f"{where}: must have a time column and a price column; {found}")
    stem = path.name[: -len(suffix)]
    return Table(where, stem, frame, 1 if suffix == ".parquet" else 2)


def _parquet(content: bytes, where: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MarketDataError(f"{where}: not a readable Parquet file ({reason})") from None


def _csv(content: bytes, where: str) -> pl.DataFrame:
    content = _plain_text(content, where)
    header, names = _header(content, where)
    counts = _field_counts(content, where)
    wrong = np.flatnonzero(counts != len(names))
    if len(wrong):
        row = int(wrong[0])
        raise MarketDataError(
            f"{where}: every row must have {len(names)} fields like the header; "
            f"found {counts[row]} in row {row + 1}"
        )
    if len(counts) == 1:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        frame = pl.read_csv(
            content[header:],
            has_header=False,
            new_columns=names,
            infer_schema=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError as error:
        raise MarketDataError(f"{where}: not readable as CSV ({error})") from None
    if frame.height != len(counts) - 1:  # would shift the row numbers of every later message
        raise MarketDataError(f"{where}: quotes do not match; found {frame.height} rows")
    return frame


def _plain_text(content: bytes, where: str) -> bytes:
    """UTF-8 without mark, NUL or carriage returns, ending without empty lines."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise MarketDataError(f"{where}: must be UTF-8 text; found UTF-16 (save it as UTF-8)")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content:
        raise MarketDataError(f"{where}: must be text; found binary data")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{content[error.start]:02x} in row {row}"
        raise MarketDataError(f"{where}: must be UTF-8 text; {found}") from None
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    if not content.strip():
        raise MarketDataError(f"{where}: the file is empty")
    return content + b"\n"


def _header(content: bytes, where: str) -> tuple[int, list[str]]:
    """Length of the header line in bytes, and the names in it."""
    length = content.index(b"\n") + 1
    line = content[: length - 1].decode("utf-8")
    names = [name.strip() for name in next(csv.reader([line]), [])]
    if len(names) < 2 and (found := next((mark for mark in ";\t|" if mark in line), None)):
        raise MarketDataError(f"{where}: fields must be separated by ','; found {found!r} in row 1")
    for number, name in enumerate(names, 1):
        if not name:
            hint = "" if number > 1 else f"; {_INDEX}"
            raise MarketDataError(f"{where}: column {number} has no name in row 1{hint}")
        if names.index(name) != number - 1:
            raise MarketDataError(f"{where}: column names must be unique; found {name!r} twice")
    return length, names


def _field_counts(content: bytes, where: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Fields in each row, the header included."""
    if b'"' in content:
        try:
            rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
            return np.array([len(row) for row in rows], dtype=np.int64)
        except csv.Error as error:
            raise MarketDataError(f"{where}: not readable as CSV ({error})") from None
    marks = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(marks == ord("\n"))
    commas = np.searchsorted(np.flatnonzero(marks == ord(",")), ends)
    return np.diff(commas, prepend=0) + 1
