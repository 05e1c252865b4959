"""A folder of datasets."""

import difflib
import os
import re
from pathlib import Path

from quantvista.data.lake._dataset import ENCRYPTED, Dataset
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["Lake", "lake_dir"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def lake_dir(base: Path) -> Path:
    """Where the lake is: ``QUANTVISTA_LAKE``, else the folder ``lake`` in ``base``.

    Parameters
    ----------
    base : pathlib.Path
        Folder of the fund file, or the working folder of a command.

    Returns
    -------
    pathlib.Path
        Need not be there.
    """
    if named := os.environ.get("QUANTVISTA_LAKE"):
        return Path(named).expanduser()
    return base / "lake"


class Lake:
    """Datasets below one folder.

    Parameters
    ----------
    root : pathlib.Path
        The folder; it is made with the first dataset.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def is_encrypted(self) -> bool:
        """Whether all its datasets are, also those that are made from now on."""
        return (self.root / ENCRYPTED).exists()

    def names(self) -> list[str]:
        """Names of the datasets, ascending."""
        return [name for name in self.folders() if (self.root / name / "HEAD").is_file()]

    def folders(self) -> list[str]:
        """Names of the datasets and of what a killed first writer left, ascending."""
        if not self.root.is_dir():
            return []
        found = (path for path in self.root.iterdir() if _NAME.fullmatch(path.name))
        return sorted(path.name for path in found if _is_dataset(path))

    def dataset(self, name: str) -> Dataset:
        """Name a dataset, to write to it; it need not be there.

        Raises
        ------
        ConfigError
            If a dataset cannot have this name.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                "`dataset` must be lower case letters, digits, - and _, at most 63, a letter or "
                f"digit first; found {name!r}"
            )
        return Dataset(self.root / name)

    def open(self, name: str) -> Dataset:
        """Name a dataset that is there, to read it.

        Raises
        ------
        MarketDataError
            If it is not.
        """
        found = self.dataset(name)
        if found.head() is None:
            names = self.names()
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
            if not names:
                hint = "it is empty: `qv data import FILE --into NAME` makes one"
            raise MarketDataError(
                f"`dataset` must be in the lake {self.root}; found no {name!r}, {hint}"
            )
        return found


def _is_dataset(folder: Path) -> bool:
    """Whether some writer was there; a copy may be without its lock."""
    return (folder / "HEAD").is_file() or (folder / ".lock").is_file()
