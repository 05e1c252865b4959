"""Moves so large that they may be splits or errors: said, never repaired."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["large_moves", "unexplained"]

_MOVE = 0.4  # a split of 2 for 1 halves a price; few days of large companies move so far
_SHOWN = 5


def large_moves(
    ids: Sequence[str], close: NDArray[np.float64], times: Sequence[str]
) -> tuple[str, ...]:
    """List moves of more than 40 % from a bar to the next of the same instrument.

    Parameters
    ----------
    ids : sequence of str, length n
        Instruments.
    close : float64, shape (T, n)
        Prices, NaN where there is no bar; such rows are passed over.
    times : sequence of str, length T
        How to name the rows.

    Returns
    -------
    tuple of str
        A sentence for each of the first five, and one that counts the rest.

    Examples
    --------
    >>> nan = float("nan")
    >>> close = np.array([[10.0, 5.0], [nan, 5.1], [2.5, 5.0]])
    >>> large_moves(["A.XNYS", "B.XNYS"], close, ["Monday", "Tuesday", "Wednesday"])
    ('A.XNYS moved -75.0 % at Wednesday: a split or an error? Nothing was adjusted.',)
    """
    found: list[tuple[int, str, float]] = []
    for column, name in enumerate(ids):
        rows = np.flatnonzero(~np.isnan(close[:, column]))
        prices = close[rows, column]
        moves = prices[1:] / prices[:-1] - 1.0
        for at in np.flatnonzero(np.abs(moves) > _MOVE).tolist():
            found.append((int(rows[at + 1]), name, float(moves[at])))
    found.sort()
    sentences = tuple(
        f"{name} moved {move * 100:+.1f} % at {times[row]}: a split or an error? "
        "Nothing was adjusted."
        for row, name, move in found[:_SHOWN]
    )
    if (rest := len(found) - _SHOWN) > 0:
        sentences += (f"{rest} more moves of over {_MOVE * 100:.0f} % from a bar to the next.",)
    return sentences


def unexplained(notes: Sequence[str], known: Collection[tuple[str, str]]) -> list[str]:
    """Leave out the moves that a corporate action tells of.

    Parameters
    ----------
    notes : sequence of str
        Sentences, among them those of `large_moves`.
    known : collection of (str, str)
        Instrument and day of each action.

    Returns
    -------
    list of str
        The others.

    Examples
    --------
    >>> close = np.array([[10.0], [2.5]])
    >>> notes = large_moves(["A.XNYS"], close, ["2024-01-02", "2024-01-03"])
    >>> unexplained(notes, [("A.XNYS", "2024-01-03")]), len(unexplained(notes, []))
    ([], 1)
    """
    beginnings = [(f"{name} moved ", f" at {day}") for name, day in known]

    def is_told(note: str) -> bool:
        return any(note.startswith(begin) and day in note for begin, day in beginnings)

    return [note for note in notes if not is_told(note)]
