"""A dataset: a chain of commits and the files that they name."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quantvista.data.lake._files import TEMPORARY, locked, remove, write_whole
from quantvista.data.lake._manifest import Manifest, read_manifest, write_manifest
from quantvista.data.lake._snapshot import Snapshot
from quantvista.data.lake._transaction import Transaction
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["Commit", "Dataset", "Vacuumed"]

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
        path = self.folder / "HEAD"
        try:
            text = path.read_bytes().decode("utf-8", "backslashreplace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise MarketDataError(f"{path}: cannot be read: {reason}") from None
        if not _ID.fullmatch(text):
            rule = "must name a commit by its 64 hexadecimal digits (those of `commits` are there)"
            raise MarketDataError(f"{path}: {rule}; found {text[:80]!r}")
        return text

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
        name = self.head() if commit is None else self._full(commit)
        manifest = read_manifest(self._commits, name) if name else Manifest()
        return Snapshot(self.folder, name, manifest)

    def history(self) -> Iterator[Commit]:
        """List the commits that are kept, the newest first."""
        name = self.head()
        while name is not None and (path := self._commits / f"{name}.json").exists():
            manifest = read_manifest(self._commits, name)
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
        with locked(self.folder):
            made = Transaction(self, self.at())
            try:
                yield made
            except BaseException:
                made.discard()
                raise

    def publish(self, manifest: Manifest) -> str:
        """Make a manifest the newest commit; for those that hold the lock."""
        name = write_manifest(self._commits, manifest)
        write_whole(self.folder / "HEAD", lambda path: _put(path, name))
        return name

    def named(self, path: str) -> bool:
        """Whether some commit names a file."""
        return any(
            path in {each.path for each in read_manifest(self._commits, name).files}
            for name in self._ids()
        )

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
        with locked(self.folder):
            chain = [each.id for each in self.history()]
            kept = {*chain[:keep], *(self._full(name) for name in commits)}
            named = {
                each.path for name in kept for each in read_manifest(self._commits, name).files
            }
            gone = [name for name in self._ids() if name not in kept]
            for name in gone:  # before the files that they name
                remove(self._commits / f"{name}.json")
            files = [
                path
                for path in sorted((self.folder / "data").rglob("*.parquet"))
                if path.relative_to(self.folder).as_posix() not in named
            ]
            size = sum(path.stat().st_size for path in files)
            for path in [*files, *sorted(self.folder.rglob(f"{TEMPORARY}*"))]:
                remove(path)
        return Vacuumed(len(gone), len(files), size)

    @property
    def _commits(self) -> Path:
        return self.folder / "commits"

    def _ids(self) -> list[str]:
        return sorted(path.stem for path in self._commits.glob("*.json"))

    def _full(self, commit: str) -> str:
        if len(commit) == 64:
            return commit
        found = [name for name in self._ids() if name.startswith(commit)]
        if len(commit) < _SHORTEST or len(found) != 1:
            what = "none" if not found else f"{len(found)} of them"
            raise MarketDataError(
                f"`commit` must name one commit of {self.name} by at least {_SHORTEST} "
                f"characters; found {what} for {commit!r}"
            )
        return found[0]


def _put(path: Path, name: str) -> None:
    path.write_text(f"{name}\n", encoding="utf-8")
