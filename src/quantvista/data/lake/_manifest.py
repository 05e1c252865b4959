"""Commits: immutable lists of files with the hashes of their content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from quantvista.data.lake._kinds import Kind
from quantvista.data.lake._storage import Storage, commit_path
from quantvista.errors import MarketDataError

__all__ = [
    "NAMES",
    "FileEntry",
    "KindEntry",
    "Manifest",
    "is_named",
    "read_manifest",
    "write_manifest",
]

NAMES = "names"
"""Note that says which names the ids of a dataset were made of; each commit repeats it."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a commit.

    Parameters
    ----------
    path : str
        Below the folder of the dataset.
    kind, partition : str
        What it belongs to.
    rows, size : int
        Rows, and bytes.
    sha256 : str
        Of its bytes.
    ts_event, known_at : (int, int)
        Least and greatest.
    instrument : (str, str) or None
        Likewise; None where all rows are of none.
    """

    path: str
    kind: str
    partition: str
    rows: int
    size: int
    sha256: str
    ts_event: tuple[int, int]
    known_at: tuple[int, int]
    instrument: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class KindEntry:
    """What a commit says of all files of a kind.

    Parameters
    ----------
    kind : Kind
        Key and partition.
    columns : mapping of str to str
        Stored type by column; a file that lacks one has nulls there.
    revised : tuple of str
        Partitions in which some key has several vintages.
    """

    kind: Kind
    columns: Mapping[str, str]
    revised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One commit of a dataset.

    Parameters
    ----------
    parent : str or None
        Id of the commit before it.
    operation : str
        ``append``, ``upsert``, ``compact`` and the like.
    kinds : mapping of str to KindEntry
        By name.
    files : tuple of FileEntry
        In the order in which they are read.
    notes : mapping
        What the writer says of it: JSON.
    """

    parent: str | None = None
    operation: str = "empty"
    kinds: Mapping[str, KindEntry] = field(default=MappingProxyType({}))
    files: tuple[FileEntry, ...] = ()
    notes: Mapping[str, Any] = field(default=MappingProxyType({}))

    def of(self, kind: str) -> tuple[FileEntry, ...]:
        """Files of a kind."""
        return tuple(each for each in self.files if each.kind == kind)

    @property
    def carried(self) -> Mapping[str, Any]:
        """Notes that hold for all commits after it too."""
        return {name: self.notes[name] for name in (NAMES,) if name in self.notes}

    def content(self) -> bytes:
        """Write it as JSON, the same bytes for the same commit."""
        value = {
            "format": _FORMAT,
            "parent": self.parent,
            "operation": self.operation,
            "kinds": {
                name: {
                    "key": each.kind.key,
                    "partition": each.kind.partition,
                    "columns": list(each.columns.items()),
                    "revised": sorted(each.revised),
                }
                for name, each in self.kinds.items()
            },
            "files": [
                {name: getattr(each, name) for name in FileEntry.__slots__} for each in self.files
            ],
            "notes": dict(self.notes),
        }
        return (json.dumps(value, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_manifest(storage: Storage, manifest: Manifest) -> str:
    """Write a commit and return its id, the SHA-256 of its bytes."""
    content = manifest.content()
    name = hashlib.sha256(content).hexdigest()
    if not storage.place(commit_path(name)).exists():
        storage.write(commit_path(name), content)
    return name


def read_manifest(storage: Storage, name: str) -> Manifest:
    """Read a commit, proving that it is what its id says.

    Parameters
    ----------
    storage : Storage
        Of the dataset.
    name : str
        Id.

    Returns
    -------
    Manifest
        As written.

    Raises
    ------
    MarketDataError
        If it is not there, or was changed.
    """
    path = storage.place(commit_path(name))
    try:
        content = storage.read(commit_path(name))
    except FileNotFoundError:
        raise MarketDataError(
            f"`commit` must be a commit that was kept; found no {name[:12]} in {storage.folder}"
        ) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise MarketDataError(f"{path}: cannot be read: {reason}") from None
    if hashlib.sha256(content).hexdigest() != name:
        raise MarketDataError(f"{path}: is not the commit that it was written as; restore it")
    value = json.loads(content)
    if value["format"] != _FORMAT:
        raise MarketDataError(
            f"{path}: must have format {_FORMAT}; found {value['format']}, use a newer QuantVista"
        )
    kinds = {
        name: KindEntry(
            Kind(name, tuple(each["key"]), each["partition"]),
            dict(each["columns"]),
            tuple(each["revised"]),
        )
        for name, each in value["kinds"].items()
    }
    files = tuple(
        FileEntry(
            **{
                **each,
                "ts_event": tuple(each["ts_event"]),
                "known_at": tuple(each["known_at"]),
            }
        )
        for each in value["files"]
    )
    return Manifest(value["parent"], value["operation"], kinds, files, value["notes"])


def is_named(storage: Storage, path: str) -> bool:
    """Whether some commit names a file."""
    return any(
        path in {each.path for each in read_manifest(storage, name).files}
        for name in storage.commits()
    )
