"""What venues cannot say: an engine would refuse it, and a node must not end by it."""

from quantvista.market import Instrument
from quantvista.trading.gateway import (
    BalanceChanged,
    BarData,
    BookLevelData,
    Busted,
    Filled,
    MarketData,
    QuoteData,
    Report,
    Status,
)

__all__ = ["nonsense", "unbookable"]

_LARGEST = 2**60
# In 1e-12. What is converted by a rate, which has twelve places as well, must fit into 128 bits.
_MONEY_MAX = 10**25


def nonsense(data: MarketData | Status, instrument: Instrument, held: int = 0) -> str:
    """Say what is wrong with market data; empty if nothing is.

    A price that is wrong by far may fit into a message, and what is held not into an engine at it.

    Parameters
    ----------
    data : MarketData or Status
        As a gateway delivers them: what a venue sent, of whatever type.
    instrument : Instrument
        Of which.
    held : int
        How much the fund has of it, in units of its precision.

    Returns
    -------
    str
        In words.
    """
    if not _is_whole(data.ts):
        return f"its time is {str(data.ts)[:40]}"
    match data:
        case Status():
            return ""
        case QuoteData():
            prices, sizes = [data.bid, data.ask], [data.bid_size, data.ask_size]
            if any(p is None and s is not None for p, s in zip(prices, sizes, strict=True)):
                return "a size without a price"
        case BookLevelData():
            prices, sizes = [data.price], [data.size]
        case BarData():
            prices, sizes = [data.open, data.high, data.low, data.close], [data.volume]
        case _:
            prices, sizes = [data.price], [data.size or -1]
    lowest = -_LARGEST if instrument.allow_negative_prices else 1
    for each in prices:
        if each is not None and not (_is_whole(each) and lowest <= each <= _LARGEST):
            return f"a price is {str(each)[:40]}"
    quantity = max(abs(held), 10**instrument.quantity_precision)
    if any(each is not None and not _is_bookable(instrument, quantity, each) for each in prices):
        return "what is held, or one of it, would be worth more than 10^13 of money"
    for each in sizes:
        if each is not None and not (_is_whole(each) and 0 <= each <= _LARGEST):
            return f"a size is {str(each)[:40]}"
    return _bar_problem(data) if isinstance(data, BarData) else ""


def unbookable(report: Report, instrument: Instrument | None) -> str:
    """Say why a report cannot be booked as it stands; empty if it can.

    Parameters
    ----------
    report : Report
        As a gateway delivers it: what a venue sent, of whatever type.
    instrument : Instrument or None
        Of an execution; None if the fund does not have it.

    Returns
    -------
    str
        In words.
    """
    if not _is_whole(report.ts):
        return f"its time is {str(report.ts)[:40]}"
    if isinstance(report, BalanceChanged):
        is_money = isinstance(report.amount, int) and abs(report.amount) <= _MONEY_MAX
        return "" if is_money else f"its amount is {str(report.amount)[:40]}"
    if not isinstance(report, Filled | Busted) or instrument is None:
        return ""
    if report.side not in ("buy", "sell"):
        return f"its side is {str(report.side)[:40]}"
    if isinstance(report, Filled) and report.liquidity not in ("maker", "taker", "none"):
        return f"its liquidity is {str(report.liquidity)[:40]}"
    lowest = -_LARGEST if instrument.allow_negative_prices else 1
    bounds = {"quantity": (1, _LARGEST), "price": (lowest, _LARGEST), "fee": (-_LARGEST, _LARGEST)}
    for name, (least, most) in bounds.items():
        value = getattr(report, name)
        if not (_is_whole(value) and least <= value <= most):
            return f"its {name} is {str(value)[:40]}"
    is_bookable = _is_bookable(instrument, report.quantity, report.price)
    return "" if is_bookable else "it is worth more than 10^13 of money"


def _is_bookable(instrument: Instrument, quantity: int, price: int) -> bool:
    places = 12 - instrument.price_precision - instrument.quantity_precision
    worth = abs(quantity * price * instrument.multiplier)
    scale: int = 10 ** abs(places)
    return worth <= (_MONEY_MAX // scale if places >= 0 else _MONEY_MAX * scale)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _bar_problem(bar: BarData) -> str:
    if bar.close is None:
        return "a bar without a close"
    spans = (bar.open, bar.high, bar.low)
    if None in spans:
        return "" if spans == (None, None, None) else "a bar without its open, high or low"
    assert bar.open is not None
    assert bar.high is not None
    assert bar.low is not None
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        return "the prices of a bar are out of order"
    return ""
