"""Encrypting a dataset that is there, and encrypting it anew with the newest key."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quantvista.data.lake._cipher import decrypted, key_of, lake_ring, newest_key
from quantvista.data.lake._dataset import ENCRYPTED, Dataset, put_head
from quantvista.data.lake._encrypted import Encrypted, clear_files, encrypted_files
from quantvista.data.lake._files import TEMPORARY, locked, remove, write_whole
from quantvista.data.lake._lake import Lake
from quantvista.data.lake._manifest import FileEntry, read_manifest
from quantvista.data.lake._proof import prove
from quantvista.data.lake._storage import Storage, commit_path
from quantvista.errors import MarketDataError
from quantvista.keyring import read_ring

__all__ = ["EncryptedNow", "encrypt", "encrypt_lake"]

_SAID = b"All datasets of this lake are encrypted: see `qv data encrypt --help`.\n"

type Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class EncryptedNow:
    """What was done to a dataset.

    Parameters
    ----------
    dataset : str
        Its name.
    encrypted : int
        Files that were in the clear.
    renewed : int
        Files that were encrypted with an older key.
    removed : int
        Files in the clear that were removed.
    """

    dataset: str
    encrypted: int
    renewed: int
    removed: int


def encrypt_lake(
    lake: Lake, progress: Advance = lambda name, done, total: None
) -> list[EncryptedNow]:
    """Encrypt all datasets of a lake, and those that are made in it from now on.

    Parameters
    ----------
    lake : Lake
        Need not be there.
    progress : callable
        Told the dataset, files done, and files in all.

    Returns
    -------
    list of EncryptedNow
        By dataset.

    Raises
    ------
    ConfigError
        If no ring is named.
    MarketDataError
        If a file is damaged; datasets before it are encrypted, it is as it was.
    OutputError
        If somebody writes to a dataset.
    """
    read_ring()
    marker = lake.root / ENCRYPTED
    if not marker.exists():
        write_whole(marker, lambda path: _put(path, _SAID))
    # Also those that a killed first writer left without a commit.
    return [encrypt(lake.dataset(name), progress) for name in lake.folders()]


def encrypt(dataset: Dataset, progress: Advance = lambda name, done, total: None) -> EncryptedNow:
    """Encrypt a dataset with its whole history; what is encrypted already, with the newest key.

    Parameters
    ----------
    dataset : Dataset
        Which nobody else writes to meanwhile. Who reads it must open it again afterwards.
    progress : callable
        Told the dataset, files done, and files in all.

    Returns
    -------
    EncryptedNow
        What was done.

    Notes
    -----
    No commit changes, nor its id: they are over what is in the files. Every file is read back
    before ``HEAD`` makes the dataset an encrypted one, and only then those in the clear are
    removed. Killed before, it is in the clear; after, it is encrypted; and doing it again ends
    what is left to do.
    """
    with locked(dataset.folder):
        head, storage = dataset.opened()
        encrypted = renewed = 0
        if isinstance(storage, Encrypted):
            renewed = _renew(storage, progress)
        elif head is not None:
            _drop_unfinished(dataset.folder)
            made = Encrypted(dataset.folder, lake_ring(dataset.folder))
            encrypted = _copy(storage, made, progress)
            put_head(made, head)
            dataset.at()
        left = clear_files(dataset.folder)
        for path in left:
            remove(path)
        _remove_empty(dataset.folder / "data")
    return EncryptedNow(dataset.name, encrypted, renewed, len(left))


def _copy(storage: Storage, made: Encrypted, progress: Advance) -> int:
    """Encrypt every commit, and the files that they name."""
    commits = storage.commits()
    files: dict[str, tuple[FileEntry, str]] = {}
    for name in commits:
        files |= {each.path: (each, name) for each in read_manifest(storage, name).files}
    total, done = len(files) + len(commits), 0
    for path, (entry, commit) in files.items():
        prove(storage, [entry], commit[:12])
        made.write(path, storage.read(path))
        prove(made, [entry], commit[:12], anew=True)
        progress(made.folder.name, done := done + 1, total)
    for name in commits:
        content = storage.read(commit_path(name))
        made.write(commit_path(name), content)
        if made.read(commit_path(name)) != content:
            raise MarketDataError(f"{made.place(commit_path(name))}: is not what was written")
        progress(made.folder.name, done := done + 1, total)
    return total


def _renew(storage: Encrypted, progress: Advance) -> int:
    """Encrypt with the newest key what has an older one, each file for itself, ``HEAD`` last."""
    newest = newest_key(storage.ring)
    paths = [*_encrypted_files(storage.folder), storage.folder / "HEAD"]
    old = [path for path in paths if path.exists() and key_of(path) != newest]
    for done, path in enumerate(old, 1):
        storage.put(path, decrypted(path, storage.ring))
        progress(storage.folder.name, done, len(old))
    return len(old)


def _encrypted_files(folder: Path) -> list[Path]:
    return [*encrypted_files(folder, "data"), *encrypted_files(folder, "commits")]


def _drop_unfinished(folder: Path) -> None:
    """Remove what one left that was killed, since nobody has its secret."""
    for path in [*_encrypted_files(folder), *sorted(folder.rglob(f"{TEMPORARY}*"))]:
        remove(path)


def _remove_empty(folder: Path) -> None:
    """Remove empty folders, whose names say kinds and days."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
