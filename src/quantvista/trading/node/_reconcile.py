"""Comparing the books with an account at a venue, as of one report."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantvista.trading.gateway import AccountSnapshot, OrderState
from quantvista.trading.node._cashier import written
from quantvista.trading.node._orders import Orders

__all__ = ["Books", "Compared", "compare"]


@dataclass(frozen=True, slots=True)
class Books:
    """What the fund believes of its account at one venue.

    Parameters
    ----------
    money : mapping of str to int
        By currency, in 1e-12.
    positions : mapping of str to int
        By instrument, but for pairs that exchange currencies.
    working : mapping of int to mapping
        The engine's working orders there, by number: ``instrument`` by its id, ``side``,
        ``quantity``, ``filled``.
    unsettled : collection of int
        Orders of which the venue has not said yet whether it has them.
    """

    money: Mapping[str, int]
    positions: Mapping[str, int]
    working: Mapping[int, Mapping[str, Any]]
    unsettled: Collection[int]


@dataclass(slots=True)
class Compared:
    """What a comparison found.

    Parameters
    ----------
    differences : list of str
        In words; while there are any, nothing new is risked.
    strays : list of OrderState
        Working orders there under our name that the books do not know: they must go.
    foreign : list of OrderState
        Working orders there that somebody else made.
    missing : list of int
        Orders that work in the books and not there.
    """

    differences: list[str] = field(default_factory=list)
    strays: list[OrderState] = field(default_factory=list)
    foreign: list[OrderState] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


def compare(books: Books, there: AccountSnapshot, orders: Orders) -> Compared:
    """Compare the books with an account; both as of the same report.

    Parameters
    ----------
    books : Books
        Ours.
    there : AccountSnapshot
        The venue's.
    orders : Orders
        Names of orders.

    Returns
    -------
    Compared
        Exact: a unit of money is a difference.
    """
    found = Compared()
    money = {each.currency: each.total for each in there.balances}
    _amounts(found, "balance of", books.money, money, written)
    positions = {each.instrument: each.quantity for each in there.positions}
    _amounts(found, "position in", books.positions, positions)
    listed: dict[int, OrderState] = {}
    for each in there.orders:
        number = orders.number(each.client_order_id)
        if number is not None and (number in books.working or number in books.unsettled):
            listed[number] = each
        elif orders.is_ours(each.client_order_id):
            found.strays.append(each)
            found.differences.append(f"order {each.client_order_id} works there, unknown here")
        else:
            found.foreign.append(each)
    for number, ours in books.working.items():
        _order(found, number, ours, listed.get(number), number in books.unsettled)
    return found


def _amounts(
    found: Compared,
    what: str,
    ours: Mapping[str, int],
    theirs: Mapping[str, int],
    write: Callable[[int], str] = str,
) -> None:
    for name in sorted({*ours, *theirs}):
        here, there = ours.get(name, 0), theirs.get(name, 0)
        if here != there:
            found.differences.append(f"{what} {name}: {write(here)} here, {write(there)} there")


def _order(
    found: Compared,
    number: int,
    ours: Mapping[str, Any],
    theirs: OrderState | None,
    is_unsettled: bool,
) -> None:
    if theirs is None:
        if not is_unsettled:
            found.missing.append(number)
            found.differences.append(f"order {number} works here, not there")
        return
    names: Sequence[str] = ("instrument", "side", "quantity", "filled")
    for name in names:
        here, there = ours[name], getattr(theirs, name)
        if here != there:
            found.differences.append(f"{name} of order {number}: {here} here, {there} there")
