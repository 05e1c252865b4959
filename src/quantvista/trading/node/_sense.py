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
_MONEY_MAX = 10**28  # in 1e-12: sums of the engine have 128 bits


def nonsense(data: MarketData | Status, instrument: Instrument) -> str:
    """Say what is wrong with market data; empty if nothing is.

    Parameters
    ----------
    data : MarketData or Status
        As a gateway delivers them: what a venue sent, of whatever type.
    instrument : Instrument
        Of which.

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
    places = 12 - instrument.price_precision - instrument.quantity_precision
    worth = abs(report.quantity * report.price * instrument.multiplier) * 10**places
    return "" if worth <= _MONEY_MAX else "it is worth more than 10^16 of money"


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
