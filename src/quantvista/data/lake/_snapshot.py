"""Reading a commit: as of a time, for some instruments, some columns and a window."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from quantvista.data.lake._kinds import bucket, stored_schema
from quantvista.data.lake._manifest import FileEntry, KindEntry, Manifest
from quantvista.data.lake._proof import prove
from quantvista.data.lake._storage import Storage
from quantvista.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import dataset as pa_dataset

__all__ = ["Snapshot"]


class Snapshot:
    """One commit of a dataset, which never changes.

    Parameters
    ----------
    storage : Storage
        Files of the dataset.
    commit : str or None
        Its id; ``None`` for a dataset without commits.
    manifest : Manifest
        Of the commit.
    """

    def __init__(self, storage: Storage, commit: str | None, manifest: Manifest) -> None:
        self._storage = storage
        self._manifest = manifest
        self.commit = commit

    @property
    def manifest(self) -> Manifest:
        """Files, hashes and kinds."""
        return self._manifest

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds, ascending."""
        return tuple(sorted(self._manifest.kinds))

    def columns(self, kind: str) -> Mapping[str, str]:
        """Give the stored type of each column of a kind."""
        return self._entry(kind).columns

    def rows(self, kind: str) -> int:
        """Count the rows of a kind, all vintages."""
        return sum(each.rows for each in self._manifest.of(kind))

    def scan(
        self,
        kind: str,
        *,
        as_of: int | None = None,
        start: int | None = None,
        end: int | None = None,
        instruments: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        vintages: bool = False,
    ) -> pl.LazyFrame:
        """Read a kind lazily with Polars.

        Parameters
        ----------
        kind : str
            One of `kinds`.
        as_of : int or None
            UTC nanoseconds: of each key the row with the greatest ``known_at`` up to then, and
            nothing that was known later. ``None`` takes the last vintage of each key.
        start, end : int or None
            Window of ``ts_event``: inclusive, exclusive.
        instruments : sequence of str or None
            Only these.
        columns : sequence of str or None
            Only these, in this order.
        vintages : bool
            All rows instead of one for each key.

        Returns
        -------
        polars.LazyFrame
            Rows in the order of the files, the same whenever this commit is read. Files that the
            window, the time and the instruments leave out are not opened, and what is asked of
            the frame afterwards reaches the Parquet files too.

        Raises
        ------
        ConfigError
            If there is no such kind or column.
        MarketDataError
            If a file that would be opened is missing or was changed. Its size is compared every
            time, its hash the first time that this process reads it.
        """
        entry = self._entry(kind)
        self._check_columns(kind, entry, columns)
        files = self._files(kind, as_of, start, end, instruments)
        prove(self._storage, files, self._short)
        revised = set() if vintages else set(entry.revised)
        parts = []
        plain = [each for each in files if each.partition not in revised]
        rest = [each for each in files if each.partition in revised]
        window = _window(as_of, start, end, instruments)
        if plain:
            parts.append(self._open(plain, entry).filter(window))
        if rest:
            frame = self._open(rest, entry).filter(window)
            parts.append(_last_vintages(frame, entry.kind.key))
        if not parts:
            parts.append(pl.LazyFrame(schema=stored_schema(entry.columns)))
        found = pl.concat(parts) if len(parts) > 1 else parts[0]
        return found.select(columns) if columns is not None else found

    def arrow(self, kind: str, **options: Any) -> "pa.Table":  # noqa: ANN401 - those of `scan`
        """Read a kind as an Arrow table; options are those of `scan`."""
        return self.scan(kind, **options).collect().to_arrow()

    def arrow_dataset(self, kind: str) -> "pa_dataset.Dataset":
        """All vintages of a kind as an Arrow dataset, which pushes filters and columns down."""
        files = self._manifest.of(kind)
        return self._arrow_dataset(self._entry(kind), files)

    def _arrow_dataset(self, entry: KindEntry, files: Sequence[FileEntry]) -> "pa_dataset.Dataset":
        import pyarrow as pa

        empty = pl.DataFrame(schema=stored_schema(entry.columns)).to_arrow()
        fields = [
            pa.field(each.name, pa.string() if pa.types.is_large_string(each.type) else each.type)
            for each in empty.schema
        ]
        prove(self._storage, files, self._short)
        return self._storage.arrow([each.path for each in files], pa.schema(fields))

    def sql(
        self,
        kind: str,
        *,
        as_of: int | None = None,
        start: int | None = None,
        end: int | None = None,
        instruments: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        vintages: bool = False,
    ) -> str:
        """Write the query by which DuckDB reads what `scan` reads.

        Parameters
        ----------
        kind, as_of, start, end, instruments, columns, vintages
            As of `scan`.

        Returns
        -------
        str
            A ``SELECT``; its rows are in no order.

        Raises
        ------
        ConfigError
            If the dataset is encrypted: `duckdb` makes views of it.
        """
        entry = self._entry(kind)
        self._check_columns(kind, entry, columns)
        names = ", ".join(map(_quoted, columns if columns is not None else entry.columns))
        files = self._files(kind, as_of, start, end, instruments)
        if not files:
            return _nothing(columns or entry.columns)
        if self._storage.is_encrypted:
            raise ConfigError(
                f"`sql` must be of a dataset in the clear, whose files DuckDB opens itself; found "
                f"the encrypted {self._storage.folder.name}: `duckdb` makes views of it"
            )
        prove(self._storage, files, self._short)
        paths = ", ".join(_literal(str(self._storage.place(each.path))) for each in files)
        tests = [
            text
            for value, text in (
                (as_of, f"known_at <= {as_of}"),
                (start, f"ts_event >= {start}"),
                (end, f"ts_event < {end}"),
            )
            if value is not None
        ]
        if instruments is not None:
            tests.append(f"instrument IN ({', '.join(map(_literal, instruments)) or 'NULL'})")
        source = f"read_parquet([{paths}], union_by_name = true)"
        return _query(entry, names, source, tests, vintages=vintages)

    def duckdb(self, connection: Any = None, *, as_of: int | None = None) -> Any:  # noqa: ANN401 - DuckDB is optional
        """Give DuckDB a view of each kind, which pushes filters and columns down.

        Of an encrypted dataset the views are for this connection, and read through Arrow.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection or None
            Where to make them; ``None`` opens one in memory.
        as_of : int or None
            As of `scan`.

        Returns
        -------
        duckdb.DuckDBPyConnection
            The connection.

        Raises
        ------
        ConfigError
            If DuckDB is not installed.
        """
        if connection is None:
            try:
                import duckdb
            except ImportError:
                raise ConfigError(
                    "`duckdb` must be installed to read with it; found no package duckdb: "
                    "pip install 'quantvista[duckdb]'"
                ) from None
            connection = duckdb.connect()
        for kind in self.kinds:
            if self._storage.is_encrypted:
                query = self._registered(connection, kind, as_of)
            else:
                query = self.sql(kind, as_of=as_of)
            connection.execute(f"CREATE OR REPLACE VIEW {_quoted(kind)} AS {query}")
        return connection

    def _registered(self, connection: Any, kind: str, as_of: int | None) -> str:  # noqa: ANN401
        """Query of an Arrow dataset, which the connection knows by a name."""
        entry = self._entry(kind)
        files = self._files(kind, as_of, None, None, None)
        if not files:
            return _nothing(entry.columns)
        known = f"{self._storage.folder.name} {self._short} {kind} {as_of}"
        connection.execute("SELECT 1").fetchall()  # else an answer that is half read is in the way
        connection.register(known, self._arrow_dataset(entry, files))
        tests = [] if as_of is None else [f"known_at <= {as_of}"]
        names = ", ".join(map(_quoted, entry.columns))
        return _query(entry, names, _quoted(known), tests, vintages=False)

    def verify(self, *, anew: bool = True, sizes_only: bool = False) -> int:
        """Prove that every file has the bytes that the commit names.

        Parameters
        ----------
        anew : bool
            Hash every file, also one that this process has proven before.
        sizes_only : bool
            Hash none: see that each is there, as large as it must be.

        Returns
        -------
        int
            Files that were looked at.

        Raises
        ------
        MarketDataError
            Naming the first that is missing or was changed.
        """
        files = self._manifest.files
        return prove(self._storage, files, self._short, anew=anew, sizes_only=sizes_only)

    @property
    def _short(self) -> str:
        return (self.commit or "none")[:12]

    def _entry(self, kind: str) -> KindEntry:
        if kind not in self._manifest.kinds:
            known = ", ".join(self.kinds) or "none"
            raise ConfigError(
                f"`kind` must be in the dataset {self._storage.folder.name}, which has {known}; "
                f"found {kind!r}"
            )
        return self._manifest.kinds[kind]

    @staticmethod
    def _check_columns(kind: str, entry: KindEntry, columns: Sequence[str] | None) -> None:
        for name in columns or ():
            if name not in entry.columns:
                known = ", ".join(entry.columns)
                raise ConfigError(f"`columns` must be of {kind}: {known}; found {name!r}")

    def _files(
        self,
        kind: str,
        as_of: int | None,
        start: int | None,
        end: int | None,
        instruments: Sequence[str] | None,
    ) -> list[FileEntry]:
        """Files in which such rows may be."""
        buckets = None
        if instruments is not None and self._manifest.kinds[kind].kind.partition == "bucket":
            buckets = {bucket(name) for name in instruments}
        return [
            each
            for each in self._manifest.of(kind)
            if (as_of is None or each.known_at[0] <= as_of)
            and (start is None or each.ts_event[1] >= start)
            and (end is None or each.ts_event[0] < end)
            and (buckets is None or each.partition in buckets)
            and (instruments is None or _may_hold(each, instruments))
        ]

    def _open(self, files: Sequence[FileEntry], entry: KindEntry) -> pl.LazyFrame:
        paths = [each.path for each in files]
        return self._storage.scan(paths, stored_schema(entry.columns))


def _may_hold(file: FileEntry, instruments: Sequence[str]) -> bool:
    if file.instrument is None:
        return False
    low, high = file.instrument
    return any(low <= name <= high for name in instruments)


def _window(
    as_of: int | None, start: int | None, end: int | None, instruments: Sequence[str] | None
) -> pl.Expr:
    tests = [pl.lit(True)]
    if as_of is not None:
        tests.append(pl.col("known_at") <= as_of)
    if start is not None:
        tests.append(pl.col("ts_event") >= start)
    if end is not None:
        tests.append(pl.col("ts_event") < end)
    if instruments is not None:
        tests.append(pl.col("instrument").is_in(list(instruments)))
    found = tests[0]
    for each in tests[1:]:
        found = each if found is tests[0] else found & each
    return found


def _last_vintages(frame: pl.LazyFrame, key: tuple[str, ...]) -> pl.LazyFrame:
    return frame.sort("known_at", maintain_order=True).unique(
        list(key), keep="last", maintain_order=True
    )


def _nothing(columns: Iterable[str]) -> str:
    nothing = ", ".join(f"NULL AS {_quoted(name)}" for name in columns)
    return f"SELECT {nothing} WHERE false"


def _query(
    entry: KindEntry, names: str, source: str, tests: Sequence[str], *, vintages: bool
) -> str:
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    query = f"SELECT {names} FROM {source}{where}"
    if entry.revised and not vintages:
        key = ", ".join(map(_quoted, entry.kind.key))
        by = f"PARTITION BY {key} ORDER BY known_at DESC"
        query += f" QUALIFY row_number() OVER ({by}) = 1"
    return query


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
