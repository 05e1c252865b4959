"""Writing to a dataset: rows into files, and at the end one commit for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from quantvista.data.lake._files import remove
from quantvista.data.lake._kinds import Kind, kind_of, normalised, partitions, stored_schema
from quantvista.data.lake._manifest import FileEntry, KindEntry, Manifest, is_named
from quantvista.data.lake._proof import prove, remember
from quantvista.data.lake._snapshot import Snapshot
from quantvista.data.lake._storage import Storage
from quantvista.errors import ConfigError, MarketDataError

if TYPE_CHECKING:
    from quantvista.data.lake._dataset import Dataset

__all__ = ["Transaction", "write_part"]


class Transaction:
    """All that one commit adds. Nothing of it is there until `commit`.

    Made by ``Dataset.write``, which is the only writer meanwhile.

    Parameters
    ----------
    dataset : Dataset
        Which is locked.
    storage : Storage
        Its files.
    base : Snapshot
        The commit that this one follows.
    """

    def __init__(self, dataset: "Dataset", storage: Storage, base: Snapshot) -> None:
        self._dataset = dataset
        self._storage = storage
        self._base = base
        self._kinds: dict[str, KindEntry] = dict(base.manifest.kinds)
        self._files: list[FileEntry] = list(base.manifest.files)
        self._appended: dict[tuple[str, str], list[FileEntry]] = {}
        self._upserted = False
        self.rows = 0
        self.unchanged = 0

    def append(
        self,
        kind: str,
        frame: pl.DataFrame,
        *,
        key: tuple[str, ...] | None = None,
        partition: str | None = None,
        where: str = "frame",
    ) -> int:
        """Add rows whose keys are not there yet.

        Parameters
        ----------
        kind : str
            One of `KINDS`, or a new one with its ``key`` and ``partition``.
        frame : polars.DataFrame
            With ``ts_event``, the columns of the key, and values. ``ts_received`` is
            ``ts_event`` where it is missing, ``known_at`` is ``ts_received``. A key may come with
            several ``known_at``.
        key, partition
            As of `Kind`, the first time.
        where : str
            What messages call the rows.

        Returns
        -------
        int
            Rows added.

        Raises
        ------
        MarketDataError
            If the table cannot be stored. That a key is there already is said by `commit`.
        """
        of, made = self._accept(kind, frame, key, partition, where)
        if made.height:
            for name, part in partitions(made, of).items():
                written = self._write(of, name, part)
                self._files.append(written)
                self._appended.setdefault((kind, name), []).append(written)
        self.rows += made.height
        return made.height

    def upsert(
        self,
        kind: str,
        frame: pl.DataFrame,
        *,
        key: tuple[str, ...] | None = None,
        partition: str | None = None,
        where: str = "frame",
        skip_unchanged: bool = False,
        conflicts: list[pl.DataFrame] | None = None,
    ) -> int:
        """Add rows whose keys may be there already, as further vintages.

        Parameters
        ----------
        kind, frame, key, partition, where
            As of `append`; the kind must have a key.
        skip_unchanged : bool
            Leave out rows that say what was known at their ``known_at`` anyway, so that reading
            a whole history again stores only what was revised. For rows in the order in which
            they became known: an older vintage that comes later would show through.
        conflicts : list of polars.DataFrame or None
            Where to put rows that contradict others of this transaction, instead of raising: of
            two rows of one key and ``known_at`` with other values the first one stands.

        Returns
        -------
        int
            Rows added; those that are there already, to the last value, are counted in
            ``unchanged``.

        Raises
        ------
        MarketDataError
            If a key has other values at the same ``known_at``: what was known once is not changed.
        """
        of, made = self._accept(kind, frame, key, partition, where)
        if not of.key:
            raise ConfigError(f"`kind` must have a key to be revised; found {kind}, append to it")
        added = 0
        for name, part in partitions(made, of).items() if made.height else ():
            self._upserted = True
            part = self._complete(of, part)
            count = part.height
            if conflicts is not None:
                part = self._consistent(of, name, part, conflicts)
                count -= conflicts[-1].height
            fresh = self._fresh(of, name, part, where, skip_unchanged)
            self.unchanged += count - fresh.height
            if fresh.height:
                self._files.append(self._write(of, name, fresh))
            added += fresh.height
        self.rows += added
        return added

    def commit(self, operation: str | None = None, notes: Mapping[str, Any] | None = None) -> str:
        """Make everything that was added visible at once.

        Parameters
        ----------
        operation : str or None
            What to call it in the history.
        notes : mapping or None
            JSON that says where the rows are from.

        Returns
        -------
        str
            Id of the commit, the one before if there is nothing new.

        Raises
        ------
        MarketDataError
            If rows were appended whose keys were there already; nothing is changed then.
        """
        if len(self._files) == len(self._base.manifest.files) and self._base.commit and not notes:
            return self._base.commit
        for (kind, name), appended in sorted(self._appended.items()):
            self._check_keys(self._kinds[kind], name, appended)
        operation = operation or ("upsert" if self._upserted else "append")
        said = {**self._base.manifest.carried, **(notes or {})}
        manifest = Manifest(self._base.commit, operation, self._kinds, tuple(self._files), said)
        return self._dataset.publish(manifest, self._storage)

    def discard(self) -> None:
        """Remove the files of what is not committed."""
        kept = {each.path for each in self._base.manifest.files}
        for each in self._files:
            if each.path not in kept and not is_named(self._storage, each.path):
                remove(self._storage.place(each.path))

    def _accept(
        self,
        name: str,
        frame: pl.DataFrame,
        key: tuple[str, ...] | None,
        partition: str | None,
        where: str,
    ) -> tuple[Kind, pl.DataFrame]:
        """Normalise a table, and widen the columns of its kind."""
        if name in self._kinds:
            entry = self._kinds[name]
            of = entry.kind
            if (key is not None and key != of.key) or partition not in (None, of.partition):
                rule = f"must stay {of.key} and {of.partition}"
                raise ConfigError(
                    f"`key` and `partition` of {name} {rule}; found {key} and {partition}"
                )
        else:
            of = kind_of(name, key, partition)
            entry = KindEntry(of, {})
        made, columns = normalised(frame, of, where)
        for column, dtype in columns.items():
            before = entry.columns.get(column, dtype)
            if before != dtype:
                if (before, dtype) == ("float64", "int64") or made[column].null_count() == len(
                    made
                ):
                    made = made.with_columns(pl.col(column).cast(stored_schema({"": before})[""]))
                    continue
                raise MarketDataError(
                    f"{where}: column '{column}' of {name} must stay {before}; found {dtype}"
                )
        widened = {**entry.columns, **{k: v for k, v in columns.items() if k not in entry.columns}}
        self._kinds[name] = replace(entry, columns=widened)
        return of, made

    def _write(self, kind: Kind, partition: str, part: pl.DataFrame) -> FileEntry:
        if kind.key:
            part = part.sort(*_order(kind), maintain_order=True)
        return write_part(self._storage, kind.name, partition, part)

    def _stored(
        self, kind: Kind, part: pl.DataFrame, files: Sequence[FileEntry], columns: Sequence[str]
    ) -> pl.DataFrame:
        """Rows of files that have the keys of a part, all vintages."""
        manifest = Manifest(None, "", self._kinds, tuple(files))
        low, high = _bounds(part, "ts_event")
        names = part["instrument"].unique().to_list() if "instrument" in kind.key else None
        snapshot = Snapshot(self._storage, self._base.commit, manifest)
        found = snapshot.scan(
            kind.name, start=low, end=high + 1, instruments=names, columns=columns, vintages=True
        )
        keys = part.select(kind.key).unique().lazy()
        return found.join(keys, on=list(kind.key), how="semi").collect()

    def _of_partition(self, kind: Kind, partition: str) -> tuple[list[FileEntry], list[FileEntry]]:
        """Files of a partition: those of the commit before, and those of this transaction."""
        count = len(self._base.manifest.files)
        of = [
            [each for each in files if (each.kind, each.partition) == (kind.name, partition)]
            for files in (self._files[:count], self._files[count:])
        ]
        return of[0], of[1]

    def _complete(self, kind: Kind, part: pl.DataFrame) -> pl.DataFrame:
        """Give a part all columns of its kind, and each row once."""
        schema = stored_schema(self._kinds[kind.name].columns)
        whole = part.select(
            pl.col(name) if name in part.columns else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in schema.items()
        )
        if whole.select([*kind.key, "known_at"]).n_unique() == whole.height:
            return whole
        return whole.unique(maintain_order=True)

    def _consistent(
        self, kind: Kind, partition: str, part: pl.DataFrame, conflicts: list[pl.DataFrame]
    ) -> pl.DataFrame:
        """Leave out rows that contradict earlier ones of this transaction."""
        identity = [*kind.key, "known_at"]
        first = part.select(pl.struct(identity).is_first_distinct()).to_series()
        _, ours = self._of_partition(kind, partition)
        kept, again = part.filter(first), [part.filter(~first)]
        if ours:
            stored = self._stored(kind, kept, ours, part.columns)
            again.append(_contradictions(kept, stored, identity).select(part.columns))
            kept = kept.join(again[-1], on=identity, how="anti", maintain_order="left")
        conflicts.append(pl.concat(again))
        return kept

    def _fresh(
        self, kind: Kind, partition: str, part: pl.DataFrame, where: str, skip_unchanged: bool
    ) -> pl.DataFrame:
        """Rows of a part that are not there yet; notes whether some key has several vintages."""
        identity = [*kind.key, "known_at"]
        _refuse_twice(part, identity, where)
        before, ours = self._of_partition(kind, partition)
        stored = self._stored(kind, part, [*before, *ours], part.columns)
        if (bad := _contradictions(part, stored, identity)).height:
            raise MarketDataError(
                f"{where}: a vintage must not change; found other values of {_named(bad, identity)}"
                " (say when the revision was known: `known_at`)"
            )
        fresh = part.join(stored, on=identity, how="anti", maintain_order="left")
        if skip_unchanged and fresh.height and stored.height:
            fresh = _revisions(fresh, stored, kind.key, _values(part, identity))
        several = pl.concat([stored.select(kind.key), fresh.select(kind.key)])
        if several.is_duplicated().any():
            self._revise(kind.name, partition)
        return fresh

    def _check_keys(self, entry: KindEntry, partition: str, appended: Sequence[FileEntry]) -> None:
        """Refuse appended rows whose keys were there before."""
        kind = entry.kind
        if not kind.key:
            return
        identity = [*kind.key, "known_at"]
        rows = pl.concat([self._storage.columns(each.path, identity) for each in appended])
        _refuse_twice(rows, identity, "append")
        if partition not in entry.revised and rows.select(kind.key).is_duplicated().any():
            self._revise(kind.name, partition)
        low, high = _bounds(rows, "ts_event")
        ours = {id(each) for each in appended}
        for each in self._files:
            if id(each) in ours or (each.kind, each.partition) != (kind.name, partition):
                continue
            if each.ts_event[1] < low or each.ts_event[0] > high:
                continue
            prove(self._storage, [each], (self._base.commit or "none")[:12])
            stored = self._storage.columns(each.path, kind.key)
            again = rows.join(stored, on=list(kind.key), how="semi")
            if again.height:
                raise MarketDataError(
                    f"append: keys must be new to the dataset; found {_named(again, kind.key)} "
                    "(upsert adds revisions)"
                )

    def _revise(self, kind: str, partition: str) -> None:
        entry = self._kinds[kind]
        revised = tuple(sorted({*entry.revised, partition}))
        self._kinds[kind] = replace(entry, revised=revised)


def write_part(storage: Storage, kind: str, partition: str, part: pl.DataFrame) -> FileEntry:
    """Write one Parquet file under the name of its content.

    Parameters
    ----------
    storage : Storage
        Of the dataset.
    kind, partition : str
        What it belongs to.
    part : polars.DataFrame
        At least one row.

    Returns
    -------
    FileEntry
        Of the file, which is on the disk.
    """
    path, digest, size = storage.write_table(
        part, lambda digest: f"data/{kind}/{partition}/{digest[:32]}.parquet"
    )
    remember(storage.place(path), digest)
    return FileEntry(
        path=path,
        kind=kind,
        partition=partition,
        rows=part.height,
        size=size,
        sha256=digest,
        ts_event=_bounds(part, "ts_event"),
        known_at=_bounds(part, "known_at"),
        instrument=_names(part),
    )


def _names(frame: pl.DataFrame) -> tuple[str, str] | None:
    if frame["instrument"].null_count() == frame.height:
        return None
    low, high = frame["instrument"].min(), frame["instrument"].max()
    return str(low), str(high)


def _bounds(frame: pl.DataFrame, column: str) -> tuple[int, int]:
    low, high = frame.select(pl.col(column).min().alias("a"), pl.col(column).max().alias("b")).row(
        0
    )
    return int(low), int(high)


def _order(kind: Kind) -> tuple[str, ...]:
    first = [name for name in kind.key if name != "ts_event"]
    return (*first, "ts_event", "known_at")


def _refuse_twice(rows: pl.DataFrame, identity: list[str], where: str) -> None:
    twice = rows.filter(pl.struct(identity).is_duplicated())
    if twice.height:
        raise MarketDataError(
            f"{where}: a key must be there once for each `known_at`; found {twice.height} rows "
            f"such as {_named(twice, identity)}"
        )


def _named(rows: pl.DataFrame, columns: Sequence[str]) -> str:
    row = rows.row(0, named=True)
    return ", ".join(f"{name} {row[name]}" for name in columns)


def _values(part: pl.DataFrame, identity: list[str]) -> list[str]:
    return [name for name in part.columns if name not in (*identity, "ts_received")]


def _contradictions(part: pl.DataFrame, stored: pl.DataFrame, identity: list[str]) -> pl.DataFrame:
    """Rows of a part of which other values are stored for the same time of knowing."""
    both = part.join(stored, on=identity, how="inner", suffix="__stored")
    values = _values(part, identity)
    differs = pl.any_horizontal(
        pl.lit(False), *(pl.col(name).ne_missing(pl.col(f"{name}__stored")) for name in values)
    )
    return both.filter(differs)


def _revisions(
    fresh: pl.DataFrame, stored: pl.DataFrame, key: tuple[str, ...], values: list[str]
) -> pl.DataFrame:
    """Leave out rows that repeat what was known at their time."""
    left = fresh.with_row_index("__row").sort("known_at")
    right = stored.select(*key, "known_at", *(v for v in values if v not in key)).sort("known_at")
    joined = left.join_asof(
        right.with_columns(pl.lit(True).alias("__there")),
        on="known_at",
        by=list(key),
        suffix="__stored",
        check_sortedness=False,
    )
    differs = pl.any_horizontal(
        pl.col("__there").is_null(),
        *(pl.col(v).ne_missing(pl.col(f"{v}__stored")) for v in values if v not in key),
    )
    return joined.filter(differs).sort("__row").select(fresh.columns)
