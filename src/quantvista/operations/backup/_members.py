"""What belongs into the backup of a fund, in the order in which it must be copied."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from quantvista.errors import BackupError, ConfigError
from quantvista.fund import load_fund
from quantvista.operations.backup._database import copy_database
from quantvista.operations.backup._journals import JournalCut, cut_journal
from quantvista.trading.control import Place

__all__ = ["Member", "Members", "find_members", "venue_members"]

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a backup.

    Parameters
    ----------
    path : str
        Relative, from the folder of the fund file on.
    source : pathlib.Path
        Where it is.
    size : int
        How many of its first bytes belong to the backup.
    """

    path: str
    source: Path
    size: int

    def read(self) -> Iterator[bytes]:
        """Give its bytes, as many as were promised."""
        left = self.size
        with self.source.open("rb") as file:
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece
        if left:
            raise BackupError(f"{self.source} became shorter while it was copied; try again")


@dataclass(slots=True)
class Members:
    """Files of a fund and the ends of its journals.

    Parameters
    ----------
    fund : str
        Its name.
    files : list of Member
        In order.
    journals : dict of str to JournalCut
        ``node`` and ``guard``.
    databases : list of (str, pathlib.Path)
        Of venues, to be copied after all journals: path in the backup, and place.
    left_out : list of str
        What was named and could not be taken, in words.
    """

    fund: str
    files: list[Member] = field(default_factory=list)
    journals: dict[str, JournalCut] = field(default_factory=dict)
    databases: list[tuple[str, Path]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, path: str, source: Path) -> None:
        """Take a whole file, if it is there."""
        if source.is_file():
            self.files.append(Member(path, source, source.stat().st_size))


def find_members(fund: Path, place: Place, *, with_keys: bool) -> Members:
    """Find what belongs into a backup, journals cut where they end now.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    place : Place
        The state folder.
    with_keys : bool
        Whether API keys are taken.

    Returns
    -------
    Members
        Without the databases, which come last: see `venue_members`.

    Raises
    ------
    ConfigError
        If the fund file cannot be read, or there is nothing of a fund that ran.
    """
    loaded = load_fund(fund)
    found = Members(loaded.fund.fund.name)
    found.add(fund.name, fund)
    for sleeve in loaded.fund.sleeve:
        if isinstance(sleeve.strategy, str) and ".py:" in sleeve.strategy:
            name = sleeve.strategy.rpartition(":")[0]
            _beside(found, loaded.base, name, f"the strategy of sleeve {sleeve.id}")
    for name, folder, path in (
        ("node", place.journal, "state/journal"),
        ("guard", place.guard_journal, "state/guard/journal"),
    ):
        cut = cut_journal(folder)
        if cut is not None:
            found.journals[name] = cut
            found.files += [Member(f"{path}/{file}", folder / file, n) for file, n in cut.files]
    if "node" not in found.journals:
        raise ConfigError(
            f"`--state` must be the state folder of a fund that ran; found no journal in "
            f"{place.folder}; start the fund with `qv up`, or name its folder"
        )
    found.add("state/run/halt.json", place.run / "halt.json")
    if with_keys:
        found.add("state/keys.json", place.folder / "keys.json")
    _paper(found, fund.absolute().parent, with_keys=with_keys)
    return found


def _beside(found: Members, base: Path, name: str, what: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        found.left_out.append(f"{what}, {name}, lies outside the folder of the fund file")
    elif not (base / name).is_file():
        found.left_out.append(f"{what}, {name}, is not there")
    elif all(each.path != str(path) for each in found.files):
        found.add(str(path), base / name)


def _paper(found: Members, base: Path, *, with_keys: bool) -> None:
    """Take the paper venue that lies beside the fund file."""
    config = base / "paper.toml"
    if not config.is_file():
        return
    found.add(config.name, config)
    try:
        name = str(tomllib.loads(config.read_text("utf-8")).get("folder", "paper"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config}: not valid TOML: {error}; correct it, or move it") from None
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        found.left_out.append(f"the paper venue, {name}, lies outside the folder of the fund file")
        return
    if with_keys:
        found.add(f"{path}/keys.json", base / name / "keys.json")
    for each in sorted((base / name).glob("*/venue.db")):
        found.databases.append((f"{path}/{each.parent.name}/venue.db", each))


def venue_members(found: Members, folder: Path) -> list[Member]:
    """Copy the databases of venues, which must be done after the journals were cut.

    Parameters
    ----------
    found : Members
        What there is.
    folder : pathlib.Path
        An empty one, for copies.

    Returns
    -------
    list of Member
        The copies.
    """
    made = []
    for number, (path, source) in enumerate(found.databases):
        target = folder / f"{number}.db"
        copy_database(source, target)
        made.append(Member(path, target, target.stat().st_size))
    return made
