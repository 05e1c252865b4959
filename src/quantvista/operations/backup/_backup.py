"""Making a backup of a fund, running or not."""

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from quantvista._version import __version__
from quantvista.durable import sync_folder
from quantvista.errors import OutputError
from quantvista.operations.backup._archive import Manifest, finish_archive, write_members
from quantvista.operations.backup._journals import node_states
from quantvista.operations.backup._lake import lake_members
from quantvista.operations.backup._members import Members, find_members, venue_members
from quantvista.operations.backup._sealed import SealedWriter
from quantvista.trading.control import Place

__all__ = ["Backup", "make_backup"]

type Advance = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made.

    Parameters
    ----------
    path : pathlib.Path
        Its file.
    size : int
        Bytes of it.
    manifest : Manifest
        What is in it.
    """

    path: Path
    size: int
    manifest: Manifest


def make_backup(
    fund: Path,
    place: Place,
    out: Path,
    key: bytes,
    *,
    now_ns: int,
    with_keys: bool = False,
    with_lake: bool = False,
    progress: Advance = lambda done, total, text: None,
) -> Backup:
    """Write an encrypted backup of a fund, which may go on trading.

    The journals are cut at their last whole batch first; the databases of paper venues are copied
    after that, so that a venue is never older than the journal that speaks of it.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    place : Place
        The state folder.
    out : pathlib.Path
        A new file.
    key : bytes
        The secret of the key file.
    now_ns : int
        UTC.
    with_keys : bool
        Whether API keys are taken.
    with_lake : bool
        Whether the lake beside the fund file is taken, to which nobody writes meanwhile.
    progress : callable
        Told what is done, of how much, and in words.

    Returns
    -------
    Backup
        Durable.

    Raises
    ------
    ConfigError
        If there is no fund that ran.
    JournalDamagedError, BackupError
        If a journal or a database does not verify.
    OutputError
        If the file is there already, or cannot be written.
    """
    if out.exists():
        raise OutputError(f"`--out` must be a new file; found {out}; name another one")
    found = find_members(fund, place, with_keys=with_keys)
    try:
        # Nothing that was secret may lie where the backup goes, so copies are made in the state.
        with (
            ExitStack() as held,
            tempfile.TemporaryDirectory(prefix=".backup-", dir=place.folder) as copies,
        ):
            if with_lake:
                found.files += lake_members(found, fund.absolute().parent, held)
            found.files += venue_members(found, Path(copies))
            facts = {name: cut.to_dict() for name, cut in found.journals.items()}
            node = found.journals["node"]
            at_snapshot, at_end = node_states(node, progress)
            facts["node"] |= {"state_hash": at_end}
            if node.snapshot is not None:
                facts["node"]["snapshot"] = {"sequence": node.snapshot, "state_hash": at_snapshot}
            return _write(found, fund.name, out, key, facts, now_ns, with_keys, progress)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"the backup cannot be written to {out}: {reason}") from None


def _write(
    found: Members,
    fund_file: str,
    out: Path,
    key: bytes,
    facts: dict[str, dict[str, object]],
    now_ns: int,
    with_keys: bool,
    progress: Advance,
) -> Backup:
    """Write it under another name, and give it its own when all of it is on the disk."""
    total, done = sum(each.size for each in found.files), 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total, "writing the backup")

    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = SealedWriter(file, key)
            members = write_members(writer, found.files, tell)
            manifest = Manifest(
                found.fund,
                fund_file,
                now_ns,
                __version__,
                members,
                facts,
                with_keys,
                found.left_out,
            )
            finish_archive(writer, manifest)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(out.parent)
    return Backup(out, out.stat().st_size, manifest)
