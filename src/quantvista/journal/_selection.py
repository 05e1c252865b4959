"""Choosing records of a journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quantvista._native import Record
from quantvista.journal._stream import Reader

__all__ = ["Selection", "records"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a journal.

    Parameters
    ----------
    first, last : int
        By sequence, both included; ``last`` may be none for all that follow.
    kinds : frozenset of int
        Numbers of kinds; all if it is empty.
    """

    first: int = 1
    last: int | None = None
    kinds: frozenset[int] = frozenset()

    def takes(self, record: Record) -> bool:
        """Whether a record is of a kind that is wanted.

        Parameters
        ----------
        record : Record
            A record.

        Returns
        -------
        bool
            Whatever its sequence is.
        """
        return not self.kinds or record.kind in self.kinds


def records(folder: Path, chosen: Selection) -> Iterator[Record]:
    """Read the records that are chosen, in order.

    Parameters
    ----------
    folder : Path
        The journal.
    chosen : Selection
        Which ones.

    Yields
    ------
    Record
        As it was written.
    """
    for batch in Reader(folder, chosen.first):
        for record in batch:
            if chosen.last is not None and record.sequence > chosen.last:
                return
            if chosen.takes(record):
                yield record
