"""What things are worth in money, exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from quantvista.trading.gateway import Listing

__all__ = ["Pair", "convert", "currencies", "notional", "unit"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One unit of ``base`` is worth ``price`` of ``currency``."""

    base: str
    currency: str
    price: Fraction


def unit(listing: Listing) -> Fraction:
    """Money, in 1e-12, of one unit of quantity at a price of one unit."""
    places = 12 - listing.price_precision - listing.quantity_precision
    return Fraction(listing.multiplier) * Fraction(10) ** places


def notional(listing: Listing, quantity: int, twice: int) -> int:
    """Signed value of a quantity in 1e-12 of the listing's currency, at half of ``twice``."""
    return int(quantity * twice * unit(listing) / 2)


def convert(amount: int, currency: str, to: str, pairs: Iterable[Pair]) -> int | None:
    """Say what money is worth in another currency, by the fewest pairs; None if none lead there."""
    if not amount or currency == to:
        return amount
    steps: dict[str, list[tuple[str, Fraction]]] = {}
    for each in pairs:
        steps.setdefault(each.base, []).append((each.currency, each.price))
        steps.setdefault(each.currency, []).append((each.base, 1 / each.price))
    reached, edge = {currency: Fraction(1)}, [currency]
    while edge and to not in reached:
        found = []
        for code in edge:
            for other, price in steps.get(code, ()):
                if other not in reached:
                    reached[other] = reached[code] * price
                    found.append(other)
        edge = found
    return int(amount * reached[to]) if to in reached else None


def currencies(listings: Iterable[Listing], home: str) -> frozenset[str]:
    """Name the currencies that instruments move, and the fund's own."""
    listed = list(listings)
    return frozenset(
        {home}
        | {each.currency for each in listed}
        | {each.base for each in listed if each.settlement == "exchange"}
    )
