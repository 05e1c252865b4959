"""Contribution: which sleeve and which instrument made the fund's profit, adding up exactly.

The profit of a (sleeve, instrument) pair is what it took in less what it paid, plus what it still
holds::

    Σ sales - Σ purchases - Σ fees + value of the position at the end

Slippage is part of the price, so it is in there. A cross is a sale of one sleeve and a purchase
of another at one price, so it cancels over the fund. A settlement is a sale. Dividends, funding,
borrow fees and the like, which the run records as postings of an instrument, are its profit too.
Everything is decimal arithmetic on the recorded figures: no float, no rounding, and hence
``sum(profits) == equity at the end - starting cash`` for a fund of one currency, but for the
interest on cash and the money that was paid in or out.

In a fund of several currencies the money of a pair is converted at the rates of the end. What the
moves of the rates made of cash held meanwhile is no pair's: it is in the rest of the profit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

__all__ = ["Contribution", "contribution", "money_text", "rounded_table"]

_EXACT = pl.Decimal(38, 12)


@dataclass(frozen=True, slots=True)
class Contribution:
    """Profit by pair, by sleeve and by instrument; each of the three adds up to `total`.

    Parameters
    ----------
    pairs : dict of (str, str) to Decimal
        By (sleeve, instrument), in that order.
    sleeves, instruments : dict of str to Decimal
        The same, summed; ascending ids.
    total : Decimal
        The fund's profit in its currency, as far as it is of an instrument.
    """

    pairs: dict[tuple[str, str], Decimal]
    sleeves: dict[str, Decimal]
    instruments: dict[str, Decimal]
    total: Decimal


def contribution(
    fills: pl.DataFrame,
    positions: pl.DataFrame,
    multipliers: Mapping[str, int] | None = None,
    postings: pl.DataFrame | None = None,
    rates: Mapping[str, Decimal] | None = None,
    bases: Mapping[str, str] | None = None,
) -> Contribution:
    """Attribute the profit of a run to sleeves and instruments.

    Parameters
    ----------
    fills : polars.DataFrame
        The `fills` of a run (DESIGN section 7), exact decimals: ``sleeve``, ``instrument``,
        ``side``, ``quantity``, ``price``, ``fee``.
    positions : polars.DataFrame
        Its `positions` at the last bar only: ``sleeve``, ``instrument``, ``value``.
    multipliers : mapping of str to int, optional
        Contract multiplier by instrument where it is not 1.
    postings : polars.DataFrame, optional
        Its `postings`: ``sleeve``, ``instrument``, ``currency``, ``kind``, ``amount``.
    rates : mapping of str to Decimal, optional
        Money of the fund for one unit of each other currency, at the end.
    bases : mapping of str to str, optional
        Base currency of each instrument that exchanges currencies: what it has bought is worth
        that.

    Returns
    -------
    Contribution
        In the fund's currency.
    """
    money = in_fund_currency(cash_flow(multipliers), rates or {})
    parts = [
        fills.select("sleeve", "instrument", profit=money),
        positions.select("sleeve", "instrument", profit=pl.col("value").cast(_EXACT)),
    ]
    if postings is not None:
        of = postings.filter(
            pl.col("instrument").is_not_null() & ~pl.col("kind").is_in(["settled", "variation"])
        )
        amount = in_fund_currency(pl.col("amount").cast(_EXACT), rates or {})
        parts.append(of.select("sleeve", "instrument", profit=amount))
    if bases:
        swaps = fills.filter(pl.col("instrument").is_in(list(bases)))
        base = pl.col("instrument").replace_strict(dict(bases), return_dtype=pl.String)
        bought = (
            pl.when(pl.col("side") == "buy").then(pl.col("quantity")).otherwise(-pl.col("quantity"))
        )
        worth = (bought.cast(_EXACT) * _rate(base, rates or {})).cast(_EXACT)
        parts.append(swaps.select("sleeve", "instrument", profit=worth))
    table = pl.concat(parts).group_by("sleeve", "instrument").agg(pl.col("profit").sum())
    return Contribution(
        pairs={
            (sleeve, instrument): profit
            for sleeve, instrument, profit in table.sort("sleeve", "instrument").iter_rows()
        },
        sleeves=_summed(table, "sleeve"),
        instruments=_summed(table, "instrument"),
        total=sum(table["profit"].to_list(), Decimal(0)),
    )


def notional(multipliers: Mapping[str, int] | None = None) -> pl.Expr:
    """Money that changed hands in a fill, unsigned: quantity by price by multiplier."""
    traded = pl.col("quantity").cast(_EXACT) * pl.col("price").cast(_EXACT)
    odd = {name: Decimal(m) for name, m in (multipliers or {}).items() if m != 1}
    if odd:
        names, factors = list(odd), pl.Series(odd.values(), dtype=_EXACT)
        factor = pl.col("instrument").replace_strict(
            names, factors, default=Decimal(1), return_dtype=_EXACT
        )
        traded = traded * factor
    return traded


def cash_flow(multipliers: Mapping[str, int] | None = None) -> pl.Expr:
    """Money into the fund from a fill: sales less purchases less fees, exact."""
    money = notional(multipliers)
    signed = pl.when(pl.col("side") == "sell").then(money).otherwise(-money)
    return signed - pl.col("fee").cast(_EXACT)


def rounded_table(
    cells: Sequence[Sequence[Decimal]], total: Decimal, places: int = 2
) -> tuple[list[list[Decimal]], Decimal]:
    """Round cells for print and return what rounding left over, so that a reader can add them up.

    Each cell is rounded half to even by itself, never adjusted to please a sum.

    Parameters
    ----------
    cells : sequence of rows
        Exact figures.
    total : Decimal
        Their exact sum.
    places : int
        Decimals to keep.

    Returns
    -------
    rounded : list of list of Decimal
        The cells.
    left_over : Decimal
        Rounded total less the sum of the rounded cells; print it as a row of its own if not zero.

    Examples
    --------
    >>> rounded_table([[Decimal("0.004"), Decimal("0.004")]], Decimal("0.008"))
    ([[Decimal('0.00'), Decimal('0.00')]], Decimal('0.01'))
    """
    step = Decimal(1).scaleb(-places)
    rounded = [[cell.quantize(step) for cell in row] for row in cells]
    return rounded, total.quantize(step) - sum(
        (cell for row in rounded for cell in row), Decimal(0)
    )


def money_text(amount: Decimal) -> str:
    """Write an exact amount with all the decimals it has, at least two.

    Examples
    --------
    >>> money_text(Decimal("12.500000000000")), money_text(Decimal("-0.001230000000"))
    ('12.50', '-0.00123')
    """
    text = f"{amount:f}"
    if "." not in text:
        return f"{text}.00"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def in_fund_currency(amount: pl.Expr, rates: Mapping[str, Decimal]) -> pl.Expr:
    """Convert an amount by its column ``currency``."""
    return (amount * _rate(pl.col("currency"), rates)).cast(_EXACT) if rates else amount


def _rate(currency: pl.Expr, rates: Mapping[str, Decimal]) -> pl.Expr:
    """Look up what a unit of a currency is worth; the fund's, which has no rate, is worth one."""
    if not rates:
        return pl.lit(Decimal(1), dtype=_EXACT)
    values = pl.Series(list(rates.values()), dtype=_EXACT)
    return currency.replace_strict(list(rates), values, default=Decimal(1), return_dtype=_EXACT)


def _summed(table: pl.DataFrame, by: str) -> dict[str, Decimal]:
    rows = table.group_by(by).agg(pl.col("profit").sum()).sort(by).iter_rows()
    return dict(rows)
