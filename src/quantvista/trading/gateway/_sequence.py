"""The order of a venue's reports: duplicates absorbed, gaps found."""

from collections.abc import Iterator

__all__ = ["Sequencer"]


class Sequencer[T]:
    """Put numbered reports into their order, each once.

    Parameters
    ----------
    after : int
        The last number that is known already; reports are numbered without gaps from 1.

    Notes
    -----
    The gap rule: a report that comes before one that is missing waits. The missing ones are asked
    for again and handed in by `take` too; nothing is ever passed on out of order.

    Examples
    --------
    >>> reports = Sequencer[str](after=4)
    >>> list(reports.take(6, "six")), reports.missing
    ([], (5, 5))
    >>> list(reports.take(5, "five")), list(reports.take(5, "five again"))
    ([(5, 'five'), (6, 'six')], [])
    """

    def __init__(self, after: int = 0) -> None:
        self._last = after
        self._waiting: dict[int, T] = {}

    @property
    def last(self) -> int:
        """Number of the last report that was passed on."""
        return self._last

    @property
    def missing(self) -> tuple[int, int] | None:
        """First and last number of the first gap; None where there is none."""
        if not self._waiting:
            return None
        return self._last + 1, min(self._waiting) - 1

    def take(self, sequence: int, report: T) -> Iterator[tuple[int, T]]:
        """Take a report; return those that are next, in order."""
        if sequence > self._last:
            self._waiting.setdefault(sequence, report)
        ready = []
        while self._last + 1 in self._waiting:
            self._last += 1
            ready.append((self._last, self._waiting.pop(self._last)))
        return iter(ready)
