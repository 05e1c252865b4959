"""Getting a fund back out of a backup, and proof that it is the one that went in."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from quantvista.backtest.recorded import replay
from quantvista.durable import sync_folder
from quantvista.engine import Session
from quantvista.errors import BackupError, ConfigError, OutputError
from quantvista.fund.records import Restored as RestoredRecord
from quantvista.journal import Journal, verify
from quantvista.keyring import Ring
from quantvista.operations.backup._archive import Manifest, read_archive
from quantvista.operations.backup._lake import prove_lake
from quantvista.operations.backup._sealed import SealedReader
from quantvista.trading.control import Place
from quantvista.trading.node import NodeState

__all__ = ["Restored", "restore_backup", "verify_backup"]

_NS = 10**9

type Advance = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """A fund that came back.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is now.
    manifest : Manifest
        What was in the backup.
    level : {"R1", "snapshot"}
        How its state was done again: from all inputs, or up to the newest snapshot.
    state_hash : str
        As it came out, the same as in the manifest.
    lake_files : int
        Files of the lake that were held against their commits; 0 where it was not taken.
    """

    folder: Path
    manifest: Manifest
    level: str
    state_hash: str
    lake_files: int = 0


def verify_backup(
    path: Path, key: bytes | Ring, progress: Advance = lambda done, total, text: None
) -> Manifest:
    """Decrypt all of a backup and hold each file against its manifest; write nothing.

    Parameters
    ----------
    path : pathlib.Path
        The backup.
    key : bytes or Ring
        The secret, or several of which one is that of the backup.
    progress : callable
        Told bytes done, bytes in all, and words.

    Returns
    -------
    Manifest
        What is in it.

    Raises
    ------
    BackupError
        If anything is not what was written, or the key is another one.
    ConfigError
        If there is no such file.
    """
    with _open(path) as file:
        return read_archive(_reader(file, path, key, progress, "checking the backup"))


def restore_backup(
    path: Path,
    to: Path,
    key: bytes | Ring,
    *,
    now_ns: int,
    quick: bool = False,
    progress: Advance = lambda done, total, text: None,
) -> Restored:
    """Write the files of a backup into an empty folder, and prove that they are the fund.

    Every chunk and hash is checked, then every byte of the journals; the inputs of the node go
    through an engine again, whose outputs must be the recorded ones, and whose state that of the
    manifest. Then each journal gets a record that it was restored: the epochs that follow are above
    all that the fund may have begun elsewhere since the backup, so that no order id comes twice.

    Parameters
    ----------
    path : pathlib.Path
        The backup.
    to : pathlib.Path
        A folder that is empty or not there.
    key : bytes or Ring
        The secret, or several of which one is that of the backup.
    now_ns : int
        UTC.
    quick : bool
        Compare the state at the newest snapshot only.
    progress : callable
        Told what is done, of how much, and in words.

    Returns
    -------
    Restored
        Durable.

    Raises
    ------
    BackupError
        If anything is not what was written, or the fund does not come to its state again.
    ConfigError
        If there is no such file.
    OutputError
        If the folder is not empty, or cannot be written.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise OutputError(f"`--to` must be an empty folder, or a new one; found {to}")
    partial = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True, mode=0o700)
        with _open(path) as file:
            reader = _reader(file, path, key, progress, "restoring")
            manifest = read_archive(reader, lambda name, size: _make(partial / name, partial))
        files = prove_lake(partial)
        level, state = _prove(partial, manifest, quick=quick, progress=progress)
        _mark(partial, manifest, now_ns)
        _sync(partial)
        if to.exists():
            to.rmdir()
        partial.rename(to)
        sync_folder(to.parent)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            reason = (error.strerror or type(error).__name__).lower()
            raise OutputError(f"`--to` must be writable; found {reason}: {to}") from None
        raise
    return Restored(to, manifest, level, state, files)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"`backup` must be a file that can be read; {reason}: {path}") from None


def _reader(
    file: BinaryIO, path: Path, key: bytes | Ring, progress: Advance, text: str
) -> SealedReader:
    total = path.stat().st_size
    return SealedReader(file, key, lambda done: progress(min(done, total), total, text))


def _make(path: Path, root: Path) -> BinaryIO:
    """Open a new file that only its owner reads, in folders that only its owner enters."""
    for folder in reversed([each for each in path.parents if root in each.parents]):
        folder.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def _journal(root: Path, name: str) -> Path:
    place = Place(root / "state")
    return place.journal if name == "node" else place.guard_journal


def _prove(root: Path, manifest: Manifest, *, quick: bool, progress: Advance) -> tuple[str, str]:
    """Check the journals, and do the fund again."""
    for name, facts in manifest.journals.items():
        found = verify(
            _journal(root, name),
            progress=lambda done, total: progress(done, total, "checking the journals"),
        )
        head = {"sequence": found.head.sequence, "chain": found.head.chain.hex()}
        if any(facts[each] != value for each, value in head.items()):
            raise BackupError(
                f"the {name}'s journal does not end where the manifest says: found record "
                f"{head['sequence']}, expected {facts['sequence']}; take an older backup"
            )
    facts = manifest.journals["node"]
    if quick and (snapshot := facts.get("snapshot")):
        ours, expected, level = (
            _at_snapshot(root, str(facts["stream"])),
            snapshot["state_hash"],
            "snapshot",
        )
    else:
        again = replay(_journal(root, "node"), progress=progress)
        if again.parting is not None:
            raise BackupError(
                f"the journal of the backup does not come out again from record "
                f"{again.parting.sequence:,} on; restore it with version {manifest.version} of "
                "this package, which made it"
            )
        ours, expected, level = again.state_hash, facts["state_hash"], "R1"
    if ours != expected:
        raise BackupError(
            f"the state of the restored fund is {ours[:16]}, and the manifest says "
            f"{expected[:16]}; restore it with version {manifest.version} of this package, which "
            "made it"
        )
    return level, ours


def _at_snapshot(root: Path, stream: str) -> str:
    """Load the newest snapshot into an engine."""
    with Journal(_journal(root, "node"), stream) as journal:
        newest = journal.newest_snapshot()
    assert newest is not None, "the manifest names it"
    state = NodeState.decode(newest.state)
    session = Session(json.loads(state.first.engine), live=True, record="accounts")
    session.restore(state.session)
    return session.state_hash()


def _mark(root: Path, manifest: Manifest, now_ns: int) -> None:
    """Write into each journal that it was restored, and which epochs are not to be used."""
    # The fund may have gone on elsewhere since the backup, an epoch for each start. It cannot have
    # started once a second since 1970, so that this second is above all of them.
    body = RestoredRecord(backup_ts=manifest.created_ns, epoch_floor=now_ns // _NS)
    for name, facts in manifest.journals.items():
        with Journal(_journal(root, name), str(facts["stream"])) as journal:
            journal.write(body, max(now_ns, int(facts["last_ts"])))


def _sync(root: Path) -> None:
    """Make all of it durable."""
    for folder, _, files in os.walk(root):
        for path in (*(Path(folder, name) for name in files), Path(folder)):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
