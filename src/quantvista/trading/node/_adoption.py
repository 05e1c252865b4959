"""Trades that no order of ours made: which sleeves they are booked to."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Adoption", "Part", "split_trade"]

_KEPT = 10_000


class Part(NamedTuple):
    """What of a trade is booked to a sleeve."""

    trade: str
    sleeve: int
    quantity: int
    fee: int


def split_trade(
    trade: str, signed: int, fee: int, held: Sequence[int], adopt_into: int
) -> list[Part]:
    """Divide a trade over the sleeves whose positions it closes; what is left opens one.

    Parameters
    ----------
    trade : str
        The venue's name of it.
    signed : int
        Its quantity, negative for a sale.
    fee : int
        In 1e-12; the first part bears it.
    held : sequence of int
        Position of each sleeve.
    adopt_into : int
        Sleeve that gets what closes nothing.

    Returns
    -------
    list of Part
        Quantities are positive and sum to that of the trade. The largest positions come first,
        then the lower place.

    Examples
    --------
    >>> [tuple(part) for part in split_trade("7", -30, 5, [10, 25], 0)]
    [('7#0', 1, 25, 5), ('7#1', 0, 5, 0)]
    >>> [tuple(part) for part in split_trade("7", 30, 5, [10, 25], 0)]
    [('7', 0, 30, 5)]
    """
    rest = abs(signed)
    sign = 1 if signed > 0 else -1
    taken: dict[int, int] = {}
    for sleeve in sorted(range(len(held)), key=lambda each: (held[each] * sign, each)):
        against = min(rest, max(0, -held[sleeve] * sign))
        if against:
            taken[sleeve] = against
            rest -= against
    if rest:
        taken[adopt_into] = taken.get(adopt_into, 0) + rest
    parts = list(taken.items())
    if len(parts) == 1:
        return [Part(trade, *parts[0], fee)]
    return [
        Part(f"{trade}#{number}", sleeve, quantity, fee if number == 0 else 0)
        for number, (sleeve, quantity) in enumerate(parts)
    ]


class Adoption:
    """Remembers how trades were divided, so that one that is undone is undone where it was booked.

    Parameters
    ----------
    known : sequence of (str, str, int, int, int)
        As `known` gives it.
    """

    def __init__(self, known: Sequence[tuple[str, str, int, int, int]] = ()) -> None:
        self._parts: OrderedDict[str, list[Part]] = OrderedDict()
        for trade, name, sleeve, quantity, fee in known:
            self._parts.setdefault(trade, []).append(Part(name, sleeve, quantity, fee))

    def booked(self, part: Part) -> None:
        """Take a part, as a record says that it was booked."""
        self._parts.setdefault(part.trade.partition("#")[0], []).append(part)
        if len(self._parts) > _KEPT:
            self._parts.popitem(last=False)

    def parts(self, trade: str) -> list[Part]:
        """Say how a trade was divided; nothing if it is not known."""
        return self._parts.get(trade, [])

    @property
    def known(self) -> list[tuple[str, str, int, int, int]]:
        """All of it, as plain values."""
        return [(trade, *part) for trade, parts in self._parts.items() for part in parts]
