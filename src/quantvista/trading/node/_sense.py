"""What market data cannot say: an engine would refuse it, and a node must not end by it."""

from quantvista.market import Instrument
from quantvista.trading.gateway import BarData, BookLevelData, MarketData, QuoteData, Status

__all__ = ["nonsense"]

_LARGEST = 2**60


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
