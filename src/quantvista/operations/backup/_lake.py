"""The lake beside a fund: into a backup, and proven when it comes back."""

from contextlib import ExitStack
from pathlib import Path

from quantvista.data.lake import ENCRYPTED, Lake, lake_dir
from quantvista.errors import BackupError, MarketDataError
from quantvista.operations.backup._members import Member, Members

__all__ = ["lake_members", "prove_lake"]

_FOLDER = "lake"


def lake_members(found: Members, base: Path, held: ExitStack) -> list[Member]:
    """List the files of a lake, which nobody writes to until the backup is done.

    Parameters
    ----------
    found : Members
        Told what is left out.
    base : pathlib.Path
        Folder of the fund file.
    held : contextlib.ExitStack
        Gets what keeps other writers away.

    Returns
    -------
    list of Member
        Of all datasets, as they lie there.

    Raises
    ------
    ConfigError
        If the lake is encrypted, and its keys are not at hand.
    MarketDataError
        If a file is damaged: that would be no backup.
    OutputError
        If somebody writes to a dataset.
    """
    lake = Lake(lake_dir(base))
    if lake.root.absolute() != base / _FOLDER:
        found.left_out.append(f"the lake, {lake.root}, lies outside the folder of the fund file")
        return []
    paths = [lake.root / ENCRYPTED] if lake.is_encrypted else []
    for name in lake.names():
        dataset = lake.open(name)
        held.enter_context(dataset.locked())
        dataset.at().verify()
        paths += [path for path in sorted(dataset.folder.rglob("*")) if _belongs(path)]
    return [Member(path.relative_to(base).as_posix(), path, path.stat().st_size) for path in paths]


def prove_lake(root: Path) -> int:
    """Open every commit of a restored lake, and hold each file of it against them.

    Parameters
    ----------
    root : pathlib.Path
        Where the fund file is.

    Returns
    -------
    int
        Files that the newest commits name.

    Raises
    ------
    BackupError
        If one is not what a commit names.
    ConfigError
        If it is encrypted, and its keys are not at hand.
    """
    lake, count = Lake(root / _FOLDER), 0
    for name in lake.names():
        try:
            dataset = lake.open(name)
            newest, *older = (dataset.at(each.id) for each in dataset.history())
            count += newest.verify(anew=False)
            for each in older:
                each.verify(anew=False)
        except MarketDataError as error:
            raise BackupError(f"the lake of the backup is damaged: {error}") from None
    return count


def _belongs(path: Path) -> bool:
    return path.is_file() and (path.name == "HEAD" or not path.name.startswith("."))
