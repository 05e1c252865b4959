"""Tables of any format, batch by batch, with the rows that are no rows of a table."""

import codecs
import csv
import gzip
import weakref
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from quantvista.data.importing._handed import HandedFile, wait_until_free
from quantvista.errors import MarketDataError

__all__ = ["BATCH_BYTES", "SUFFIXES", "UNNAMED", "Batch", "FrameSource", "Source", "file_source"]

BATCH_BYTES = 16 << 20
"""Bytes of text that are converted at a time: what an import needs in memory is a few of them."""
_BATCH_ROWS = 131_072
_TEXT = (".csv", ".csv.gz", ".csv.zip", ".tsv", ".txt", ".zip")
_PARQUET = (".parquet", ".pq")
_ARROW = (".feather", ".arrow", ".ipc")
SUFFIXES = (*_TEXT, *_PARQUET, *_ARROW)
_MARKS = ",;\t|"
UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table.

    Parameters
    ----------
    frame : polars.DataFrame
        As they stand; those of CSV files are text.
    rows : int64, shape (n,)
        Numbers by which messages call them.
    rejects : list of (int, str, str)
        Rows that are none: number, reason, text.
    """

    frame: pl.DataFrame
    rows: NDArray[np.int64]
    rejects: list[tuple[int, str, str]]


class Source(ABC):
    """A table that can be read from its beginning, more than once.

    Parameters
    ----------
    where : str
        What messages call it.
    stem : str
        Its name without suffix.
    format : str
        In words.
    columns : tuple of str
        Names; made up where there is no header.
    header : bool
        Whether the names are from the file.
    size : int
        Bytes of the file, 0 where there is none.
    position : int
        Of them, those that were read.
    """

    where: str
    stem: str
    format: str
    columns: tuple[str, ...]
    header: bool
    size: int
    position: int = 0

    @abstractmethod
    def batches(self) -> Generator[Batch]:
        """Read it from its beginning."""

    def sample(self) -> pl.DataFrame:
        """First rows.

        Raises
        ------
        MarketDataError
            If there is none.
        """
        rejects: list[tuple[int, str, str]] = []
        with closing(self.batches()) as batches:
            for batch in batches:
                if batch.frame.height:
                    return batch.frame.head(5_000)
                rejects += batch.rejects
        if not rejects:
            raise MarketDataError(f"{self.where}: there is a header but no row below it")
        count = len(self.columns)
        fields = f"{count} field" + ("s" if count != 1 else "")
        number, reason, text = rejects[0]
        raise MarketDataError(
            f"{self.where}: rows must have the fields of the header; row 1 has {fields}, row "
            f"{number} {reason.partition(',')[0]}: {text[:80]!r} (remove lines above the header "
            "and marks at the end of rows; --separator says what separates)"
        )


class FrameSource(Source):
    """A frame in memory.

    Parameters
    ----------
    frame : object
        Of Polars, pandas or Arrow; an index of pandas that has a name is a column.
    where : str
        What messages call it.
    """

    def __init__(self, frame: object, where: str = "frame") -> None:
        self._frame = _polars(frame, where)
        self.where, self.stem, self.format = where, where, f"a frame of {_library(frame)}"
        self.columns, self.header, self.size = tuple(self._frame.columns), True, 0

    def batches(self) -> Generator[Batch]:
        """Slice it."""
        for start in range(0, self._frame.height, _BATCH_ROWS):
            part = self._frame.slice(start, _BATCH_ROWS)
            yield Batch(part, np.arange(part.height, dtype=np.int64) + start + 1, [])


def _library(frame: object) -> str:
    return type(frame).__module__.partition(".")[0]


def _polars(frame: object, where: str) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pa.Table | pa.RecordBatch):
        return _of_arrow(frame)
    if _library(frame) == "pandas":
        table: Any = frame
        if table.index.name or type(table.index).__name__ == "DatetimeIndex":
            name = table.index.name or "ts"
            table = table.rename_axis(name).reset_index()
        return _of_arrow(pa.Table.from_pandas(table, preserve_index=False))
    raise MarketDataError(
        f"{where}: must be a frame of Polars, pandas or Arrow; found {type(frame).__name__}"
    )


def _of_arrow(table: Any) -> pl.DataFrame:  # noqa: ANN401 - Arrow has no types
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found


def file_source(
    path: Path, where: str, separator: str | None = None, encoding: str | None = None
) -> Source:
    """Open a file of any known format.

    Parameters
    ----------
    path : pathlib.Path
        Ending in one of `SUFFIXES`.
    where : str
        What messages call it.
    separator, encoding : str or None
        Of CSV files; ``None`` guesses the separator, and takes UTF-8.

    Returns
    -------
    Source
        Not empty.

    Raises
    ------
    MarketDataError
        If it cannot be read as a table.
    """
    name = path.name.lower()
    suffix = next((each for each in sorted(SUFFIXES, key=len)[::-1] if name.endswith(each)), None)
    if suffix is None:
        raise MarketDataError(f"{where}: must end in {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size == 0:
            raise MarketDataError(f"{where}: the file is empty")
        stem = path.name[: -len(suffix)]
        if suffix in _TEXT:
            return _CsvSource(path, where, stem, separator, encoding)
        return _ArrowSource(path, where, stem, suffix in _PARQUET)
    except OSError as error:
        reason = (error.strerror or str(error).splitlines()[0]).lower()
        raise MarketDataError(f"{where}: cannot be read: {reason}") from None


class _ArrowSource(Source):
    def __init__(self, path: Path, where: str, stem: str, parquet: bool) -> None:
        self._path, self._parquet = path, parquet
        self.where, self.stem, self.size = where, stem, path.stat().st_size
        self.format, self.header = "Parquet" if parquet else "Arrow", True
        with self._opened() as (names, _):
            self.columns = tuple(names)

    @contextmanager
    def _opened(self) -> Iterator[tuple[list[str], Iterator[Any]]]:
        try:
            if self._parquet:
                with pa_parquet.ParquetFile(self._path, memory_map=True) as file:
                    yield file.schema_arrow.names, file.iter_batches(_BATCH_ROWS)
            else:
                with pa.memory_map(str(self._path)) as mapped, _ipc(mapped) as reader:
                    yield reader.schema.names, _ipc_batches(reader)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise MarketDataError(
                f"{self.where}: not a readable {self.format} file: {reason.rstrip('.')} "
                "(cut short or damaged? fetch it again)"
            ) from None

    def batches(self) -> Generator[Batch]:
        start, self.position = 0, self.size
        with self._opened() as (_, batches):
            for each in batches:
                frame = _of_arrow(each)
                for part in frame.iter_slices(_BATCH_ROWS):
                    yield Batch(part, np.arange(part.height, dtype=np.int64) + start + 1, [])
                    start += part.height


def _ipc(mapped: Any) -> Any:  # noqa: ANN401 - Arrow has no types
    try:
        return pa.ipc.open_file(mapped)
    except pa.ArrowInvalid:
        mapped.seek(0)
        return pa.ipc.open_stream(mapped)


def _ipc_batches(reader: Any) -> Iterator[Any]:  # noqa: ANN401 - Arrow has no types
    if hasattr(reader, "num_record_batches"):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader


class _CsvSource(Source):
    def __init__(
        self, path: Path, where: str, stem: str, separator: str | None, encoding: str | None
    ) -> None:
        self._path, self._encoding = path, encoding
        self.where, self.stem, self.size = where, stem.removesuffix(".csv"), path.stat().st_size
        line = self._first_line()
        self._separator = separator or max(_MARKS, key=lambda mark: (line.count(mark), mark == ","))
        names = next(csv.reader([line], delimiter=self._separator), [])
        names = [name.strip() for name in names]
        self.header = not all(_is_number(name) for name in names)
        if not self.header:
            names = [f"column_{index}" for index in range(len(names))]
        if names and not names[0]:
            names[0] = UNNAMED  # as pandas writes its index
        self.columns = tuple(names)
        self._check_header()
        mark = {"\t": "tab", " ": "space"}.get(self._separator, self._separator)
        self.format = f"CSV, fields separated by {mark!r}" + ("" if self.header else ", no header")

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Bytes of UTF-8 text, whatever it is packed in."""
        name = self._path.name.lower()
        try:
            with self._path.open("rb") as raw:
                self._raw = raw
                file: Any = raw
                if name.endswith(".gz"):
                    file = gzip.GzipFile(fileobj=raw)
                elif name.endswith(".zip"):
                    file = self._member(zipfile.ZipFile(raw))
                if self._encoding is not None:
                    file = codecs.EncodedFile(file, "utf-8", self._encoding)
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
            raise MarketDataError(f"{self.where}: not a whole packed file ({error})") from None
        except (LookupError, UnicodeError) as error:
            raise MarketDataError(
                f"{self.where}: cannot be read as {self._encoding}: {error}"
            ) from None

    def _member(self, archive: zipfile.ZipFile) -> IO[bytes]:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise MarketDataError(
                f"{self.where}: must hold one file; found {len(names)}: unpack it to a folder"
            )
        return archive.open(names[0])

    def _first_line(self) -> str:
        with self._opened() as file:
            head = file.read(1 << 16)
        if not head.strip():
            raise MarketDataError(f"{self.where}: the file is empty")
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise MarketDataError(
                f"{self.where}: must be UTF-8 text; found UTF-16: say --encoding utf-16"
            )
        if b"\0" in head:
            raise MarketDataError(f"{self.where}: must be text; found binary data")
        line = head.removeprefix(codecs.BOM_UTF8).replace(b"\r", b"\n").split(b"\n", 1)[0]
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MarketDataError(
                f"{self.where}: must be UTF-8 text; found byte 0x{line[error.start]:02x} in row 1: "
                "say --encoding latin-1 or what it is"
            ) from None

    def _check_header(self) -> None:
        for number, name in enumerate(self.columns, 1):
            if not name:
                raise MarketDataError(f"{self.where}: column {number} has no name in row 1")
            if self.columns.index(name) != number - 1:
                rule = "column names must be unique"
                raise MarketDataError(f"{self.where}: {rule}; found {name!r} twice in row 1")

    def batches(self) -> Generator[Batch]:
        names = list(self.columns)
        invalid: list[tuple[int, str, str]] = []

        def refuse(row: Any) -> str:  # noqa: ANN401 - Arrow has no types
            invalid.append((row.number, _ragged(row), row.text[:500]))
            return "skip"

        first, done, reported = 2 if self.header else 1, 0, 0
        for part in self._tables(names, refuse):
            at = np.array([number for number, _, _ in invalid], dtype=np.int64) - first
            count = done + np.arange(len(part), dtype=np.int64)
            rows = count + first + np.searchsorted(at - np.arange(len(at)), count, side="right")
            done += len(part)
            frame, rejects, keep = self._decoded(part, names, rows)
            yield Batch(frame, rows[keep], [*invalid[reported:], *rejects])
            reported = len(invalid)
        if len(invalid) > reported:
            yield Batch(
                pl.DataFrame(schema=dict.fromkeys(names, pl.String)),
                np.zeros(0, np.int64),
                invalid[reported:],
            )

    def _tables(self, names: list[str], refuse: Any) -> Iterator[pa.Table]:  # noqa: ANN401
        """Fields as bytes, some blocks at a time."""
        with self._opened() as file:
            reader: Any = None
            handed: Any = HandedFile(file)
            handler: Any = lambda row: refuse(row)  # noqa: E731 - it is handed over and let go of
            free = weakref.ref(handed), weakref.ref(handler)
            try:
                reader = pa_csv.open_csv(
                    handed,
                    read_options=pa_csv.ReadOptions(
                        use_threads=False,
                        block_size=BATCH_BYTES // 4,
                        column_names=names,
                        skip_rows=1 if self.header else 0,
                    ),
                    parse_options=pa_csv.ParseOptions(
                        delimiter=self._separator,
                        newlines_in_values=True,
                        ignore_empty_lines=False,
                        invalid_row_handler=handler,
                    ),
                    convert_options=pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.binary()),
                        check_utf8=False,
                        strings_can_be_null=False,
                    ),
                )
                kept: list[Any] = []
                size = 0
                for block in reader:
                    self.position = self._raw.tell()
                    kept.append(block)
                    size += block.nbytes
                    if size >= BATCH_BYTES:
                        yield pa.Table.from_batches(kept)
                        kept, size = [], 0
                if kept:
                    yield pa.Table.from_batches(kept)
            except pa.ArrowInvalid as error:
                reason = str(error).splitlines()[0]
                raise MarketDataError(f"{self.where}: not readable as CSV: {reason}") from None
            finally:
                handed.stop()
                del reader, handed, handler
                wait_until_free(*free)

    def _decoded(
        self, part: pa.Table, names: list[str], rows: NDArray[np.int64]
    ) -> tuple[pl.DataFrame, list[tuple[int, str, str]], NDArray[np.bool_]]:
        """Text of the fields; rows that are not UTF-8 are none, blank ones are skipped."""
        bad = np.zeros(len(part), dtype=np.bool_)
        columns: dict[str, pl.Series] = {}
        for name in names:
            column = part[name]
            try:
                column = column.cast(pa.string())
            except pa.ArrowInvalid:
                values = [_text(value) for value in column.to_pylist()]
                bad |= np.array([value is None for value in values])
                column = pa.chunked_array([pa.array(values, pa.string())])
            series = pl.from_arrow(column)
            assert isinstance(series, pl.Series)
            columns[name] = series
        frame = pl.DataFrame(columns)
        blank = np.zeros(len(part), dtype=np.bool_)
        if (frame[names[0]] == "").any():
            fields = pl.all_horizontal(pl.all().fill_null("?") == "")
            blank = frame.select(fields).to_series().to_numpy()
        keep = ~(bad | blank)
        rejects = []
        for index in np.flatnonzero(bad).tolist():
            text = self._separator.join(
                value.decode("utf-8", "backslashreplace")
                for value in (part[n][index].as_py() for n in names)
            )
            reason = "not UTF-8 text as the rest is (--encoding says what the whole file is)"
            rejects.append((int(rows[index]), reason, text[:500]))
        return frame.filter(keep), rejects, keep


def _ragged(row: Any) -> str:  # noqa: ANN401 - Arrow has no types
    return f"has {row.actual_columns} fields, the header has {row.expected_columns}"


def _text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_number(text: str) -> bool:
    try:
        float(text.replace(":", "").replace(" ", "").replace("-", "") or "x")
    except ValueError:
        return False
    return True
