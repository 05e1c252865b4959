"""A dataset: a chain of commits and the files that they name."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quantvista.data.lake._cipher import decrypted, lake_ring
from quantvista.data.lake._encrypted import (
    Encrypted,
    encrypted_files,
    is_encrypted_head,
    open_encrypted,
)
from quantvista.data.lake._files import TEMPORARY, locked, remove, write_whole
from quantvista.data.lake._manifest import Manifest, read_manifest, write_manifest
from quantvista.data.lake._snapshot import Snapshot
from quantvista.data.lake._storage import Clear, Storage, commit_path
from quantvista.data.lake._transaction import Transaction
from quantvista.errors import ConfigError, MarketDataError, OutputError

__all__ = ["ENCRYPTED", "Commit", "Dataset", "Vacuumed"]

ENCRYPTED = "ENCRYPTED"
"""File of a lake that has only encrypted datasets; what is in it is for people."""

_ID = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 6  # characters by which a commit may be named


@dataclass(frozen=True, slots=True)
class Commit:
    """An entry of the history.

    Parameters
    ----------
    id : str
        SHA-256 of the manifest.
    manifest : Manifest
        What it names.
    written_ns : int
        When the file was written, by this machine's clock; no part of the commit.
    """

    id: str
    manifest: Manifest
    written_ns: int


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What a vacuum removed: counts, and bytes of the data files."""

    commits: int
    files: int
    size: int


class Dataset:
    """One dataset of a lake.

    Parameters
    ----------
    folder : pathlib.Path
        Of its own; need not be there to be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """As fund files and commands call it."""
        return self.folder.name

    def head(self) -> str | None:
        """Id of the newest commit; None if there is none.

        Raises
        ------
        MarketDataError
            If the file that says it cannot be read, or says no commit.
        """
        return self.opened()[0]

    def opened(self) -> tuple[str | None, Storage]:
        """Open it: id of the newest commit, and its files."""
        path = self.folder / "HEAD"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            if self.must_be_encrypted:
                return None, Encrypted(self.folder, lake_ring(self.folder))
            return None, Clear(self.folder)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise MarketDataError(f"{path}: cannot be read: {reason}") from None
        if is_encrypted_head(content):
            return open_encrypted(self.folder)
        text = content.decode("utf-8", "backslashreplace").strip()
        if not _ID.fullmatch(text):
            rule = "must name a commit by its 64 hexadecimal digits (those of `commits` are there)"
            raise MarketDataError(f"{path}: {rule}; found {text[:80]!r}")
        return text, Clear(self.folder)

    @property
    def must_be_encrypted(self) -> bool:
        """Whether its lake has only encrypted datasets."""
        return (self.folder.parent / ENCRYPTED).exists()

    @property
    def is_encrypted(self) -> bool:
        """Whether it is, which is seen without a key."""
        try:
            return is_encrypted_head((self.folder / "HEAD").read_bytes())
        except (FileNotFoundError, NotADirectoryError):  # what cannot be read may be encrypted
            return False

    @contextmanager
    def locked(self) -> Iterator[tuple[str | None, Storage]]:
        """Be the only writer: newest commit, and how what is written must lie.

        Raises
        ------
        OutputError
            If another process writes to this dataset, or it is in the clear and must not be.
        MarketDataError
            If it has lost the file that names its newest commit.
        """
        with locked(self.folder):
            head, storage = self.opened()
            if self.must_be_encrypted and not storage.is_encrypted:
                raise OutputError(
                    f"`dataset` must be encrypted, as {self.folder.parent} is; found "
                    f"{self.name} in the clear: `qv data encrypt`"
                )
            if head is None:
                self._must_be_new()
            if head is None and (beside := self._encrypted_beside()) is not None:
                # A lake with a dataset for each of two rings could not be encrypted anew.
                beside.opened()
                storage = Encrypted(self.folder, lake_ring(self.folder))
            yield head, storage

    def _must_be_new(self) -> None:
        """Refuse a dataset that has lost its ``HEAD``: what is written would begin it anew.

        A first writer that was killed leaves a commit, too, but none that follows another.
        """
        hidden = encrypted_files(self.folder, "commits")
        contents = [decrypted(each, lake_ring(self.folder)) for each in hidden]
        contents += [each.read_bytes() for each in (self.folder / "commits").glob("*.json")]
        if any(json.loads(each).get("parent") for each in contents):
            raise MarketDataError(
                f"{self.folder / 'HEAD'}: must name the newest commit; found commits, and no such "
                "file: restore it from a copy"
            )

    def _encrypted_beside(self) -> "Dataset | None":
        """Find an encrypted dataset of the same lake; None if there is none."""
        folders = (each for each in self.folder.parent.iterdir() if each != self.folder)
        found = (Dataset(each) for each in sorted(folders) if each.is_dir())
        return next((each for each in found if each.is_encrypted), None)

    def at(self, commit: str | None = None) -> Snapshot:
        """Open a commit.

        Parameters
        ----------
        commit : str or None
            Id, or its first characters, at least 6; ``None`` is the newest.

        Returns
        -------
        Snapshot
            Which never changes.

        Raises
        ------
        MarketDataError
            If there is no such commit.
        """
        name, storage = self.opened()
        if commit is not None:
            name = self._full(commit, storage)
        return _snapshot(storage, name)

    def history(self) -> Iterator[Commit]:
        """List the commits that are kept, the newest first."""
        name, storage = self.opened()
        while name is not None and (path := storage.place(commit_path(name))).exists():
            manifest = read_manifest(storage, name)
            yield Commit(name, manifest, path.stat().st_mtime_ns)
            name = manifest.parent

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Be the writer: a transaction, which is discarded unless it is committed.

        Raises
        ------
        OutputError
            If another process writes to this dataset.

        Examples
        --------
        >>> import polars as pl, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dataset = Dataset(Path(folder) / "demo")
        ...     row = {"instrument": ["A.X"], "ts_event": [1], "close": [10.0]}
        ...     with dataset.write() as writer:
        ...         writer.append("bars", pl.DataFrame(row))
        ...         commit = writer.commit()
        ...     dataset.at(commit).scan("bars").collect().height
        1
        1
        """
        with self.locked() as (head, storage):
            made = Transaction(self, storage, _snapshot(storage, head))
            try:
                yield made
            except BaseException:
                made.discard()
                raise

    def publish(self, manifest: Manifest, storage: Storage) -> str:
        """Make a manifest the newest commit; for those that hold the lock."""
        name = write_manifest(storage, manifest)
        put_head(storage, name)
        return name

    def vacuum(self, *, keep: int | None = None, commits: Sequence[str] = ()) -> Vacuumed:
        """Remove what no kept commit names.

        Parameters
        ----------
        keep : int or None
            How many of the newest commits are kept, at least 1; ``None`` keeps the whole history.
        commits : sequence of str
            Others that are kept, such as those that runs name.

        Returns
        -------
        Vacuumed
            What was removed: other commits, files that only they name, and what an ended writer
            left behind.

        Notes
        -----
        A reader of a commit that is not kept may lose its files.
        """
        if keep is not None and keep < 1:
            raise ConfigError(f"`keep` must be at least 1; found {keep}")
        with self.locked() as (_, storage):
            chain = [each.id for each in self.history()]
            kept = {*chain[:keep], *(self._full(name, storage) for name in commits)}
            named = {
                storage.place(each.path)
                for name in kept
                for each in read_manifest(storage, name).files
            }
            gone = [name for name in storage.commits() if name not in kept]
            for name in gone:  # before the files that they name
                remove(storage.place(commit_path(name)))
            files = [path for path in storage.tables() if path not in named]
            size = sum(path.stat().st_size for path in files)
            for path in [*files, *sorted(self.folder.rglob(f"{TEMPORARY}*"))]:
                remove(path)
        return Vacuumed(len(gone), len(files), size)

    def _full(self, commit: str, storage: Storage) -> str:
        if len(commit) == 64:
            return commit
        found = [name for name in storage.commits() if name.startswith(commit)]
        if len(commit) < _SHORTEST or len(found) != 1:
            what = "none" if not found else f"{len(found)} of them"
            raise MarketDataError(
                f"`commit` must name one commit of {self.name} by at least {_SHORTEST} "
                f"characters; found {what} for {commit!r}"
            )
        return found[0]


def put_head(storage: Storage, name: str) -> None:
    """Make a commit the newest one."""
    content = storage.head(name)
    write_whole(storage.folder / "HEAD", lambda path: _put(path, content))


def _snapshot(storage: Storage, name: str | None) -> Snapshot:
    manifest = read_manifest(storage, name) if name else Manifest()
    return Snapshot(storage, name, manifest)


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
