"""Fewer, larger files with the same rows."""

from collections.abc import Iterator, Sequence

import polars as pl

from quantvista.data.lake._dataset import Dataset
from quantvista.data.lake._kinds import stored_schema
from quantvista.data.lake._manifest import FileEntry, KindEntry, Manifest
from quantvista.data.lake._proof import prove
from quantvista.data.lake._storage import Storage
from quantvista.data.lake._transaction import write_part

__all__ = ["compact"]

ROWS_TARGET = 1_000_000


def compact(dataset: Dataset, *, rows: int = ROWS_TARGET) -> str | None:
    """Merge small files of each partition, as a commit of its own.

    Parameters
    ----------
    dataset : Dataset
        Which nobody else writes to meanwhile.
    rows : int
        Files are merged up to about so many rows; larger ones stay.

    Returns
    -------
    str or None
        Id of the newest commit: a new one if anything was merged.

    Notes
    -----
    No row is lost or changed, all vintages stay. Rows of a kind with a key are sorted by it,
    events keep their order of ``ts_received``. The files before are there until a vacuum.
    """
    with dataset.locked() as (head, storage):
        base = dataset.at()
        files: list[FileEntry] = []
        merged = False
        for name, entry in base.manifest.kinds.items():
            of = base.manifest.of(name)
            for partition in dict.fromkeys(each.partition for each in of):
                parts = [each for each in of if each.partition == partition]
                for group in _groups(parts, rows):
                    if len(group) == 1:
                        files += group
                    else:
                        files.append(_merge(storage, entry, group, (head or "none")[:12]))
                        merged = True
        if not merged:
            return base.commit
        notes = base.manifest.carried
        manifest = Manifest(base.commit, "compact", base.manifest.kinds, tuple(files), notes)
        return dataset.publish(manifest, storage)


def _groups(parts: Sequence[FileEntry], rows: int) -> Iterator[list[FileEntry]]:
    """Neighbours that are small enough together."""
    group: list[FileEntry] = []
    count = 0
    for each in parts:
        if group and count + each.rows > rows:
            yield group
            group, count = [], 0
        group.append(each)
        count += each.rows
    if group:
        yield group


def _merge(
    storage: Storage, entry: KindEntry, group: Sequence[FileEntry], commit: str
) -> FileEntry:
    prove(storage, group, commit)
    schema = stored_schema(entry.columns)
    frames = (storage.scan([each.path], schema).collect() for each in group)
    whole = pl.concat(list(frames))
    key = [name for name in entry.kind.key if name != "ts_event"]
    order = [*key, "ts_event", "known_at"] if entry.kind.key else ["ts_received"]
    whole = whole.sort(order, maintain_order=True)
    return write_part(storage, group[0].kind, group[0].partition, whole)
