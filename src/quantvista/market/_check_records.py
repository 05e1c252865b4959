"""Records that cannot be: refused with the place where they stand."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import MarketDataError
from quantvista.market._instrument import Instrument
from quantvista.market._records import Records

__all__ = ["check_records"]

_TS_MIN, _TS_MAX = 10**17, 7_258_118_400 * 10**9  # 1973 to 2199
_TIME = "must be nanoseconds since 1970 UTC, of 1973 to 2199"

type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]


def check_records(records: Records, instruments: Mapping[str, Instrument]) -> None:
    """Prove records, so that the engine can take them as they are.

    Parameters
    ----------
    records : Records
        From a reader.
    instruments : mapping of str to Instrument
        By id; each that the records name must be there.

    Raises
    ------
    MarketDataError
        If times go back or lie outside a listing, a price or size cannot be, a side contradicts
        the other, a message of a book is torn, or an order of a book changes before it is there.
        It names source, row and column.
    """
    frame = records.frame
    received = frame["ts_received"]
    for name in ("ts_received", "ts_event"):
        bad = ~frame[name].is_between(_TS_MIN, _TS_MAX).fill_null(False)
        _refuse(records, name, bad.to_numpy(), _TIME)
    back = np.diff(received.to_numpy(), prepend=_TS_MIN) < 0
    _refuse(records, "ts_received", back, "must not go back: rows come in the order of arrival")
    if records.kind != "rates":
        nameless = frame["instrument"].is_null().to_numpy()
        _refuse(records, "instrument", nameless, "must not be empty")
        for name in records.instruments:
            if name not in instruments:
                raise MarketDataError(
                    f"{records.where}: must hold instruments of the run; found {name!r} "
                    "(name it in an [[instrument]] section)"
                )
        _listed(records, instruments)
        free = _negative(records, instruments)
    else:
        free = None
    _CHECKS[records.kind](records, free)


def _listed(records: Records, instruments: Mapping[str, Instrument]) -> None:
    """Refuse events outside the time in which an instrument is listed."""
    bounds = np.array([[_TS_MIN, _TS_MAX]] * len(records.instruments), dtype=np.int64)
    for row, name in enumerate(records.instruments):
        instrument = instruments[name]
        bounds[row] = (instrument.effective_from or _TS_MIN, instrument.effective_to or _TS_MAX)
    if bool(np.all(bounds == [_TS_MIN, _TS_MAX])):
        return
    of = bounds[records.codes(records.instruments)]
    received = records.frame["ts_received"].to_numpy()
    bad = (received < of[:, 0]) | (received >= of[:, 1])
    rule = "must lie within the listing of its instrument"
    _refuse(records, "ts_received", bad, rule)


def _negative(records: Records, instruments: Mapping[str, Instrument]) -> Bools | None:
    """Rows whose instrument may have prices of zero and less, if there are any."""
    allowed = [each for each in records.instruments if instruments[each].allow_negative_prices]
    return records.frame["instrument"].is_in(allowed).to_numpy() if allowed else None


def _quotes(records: Records, free: Bools | None) -> None:
    bid, ask = _floats(records, "bid"), _floats(records, "ask")
    empty = np.isnan(bid) & np.isnan(ask)
    _refuse(records, "bid", empty, "must be there, or the ask must: a quote has a side")
    for side, price in (("bid", bid), ("ask", ask)):
        _price(records, side, price, free)
        size = _floats(records, f"{side}_size")
        _refuse(
            records, f"{side}_size", size <= 0, f"must be positive; empty the {side} if it is gone"
        )
        _refuse(
            records,
            f"{side}_size",
            np.isnan(price) & ~np.isnan(size),
            f"must not stand without a price in {side}",
        )
    crossed = bid > ask
    rule = 'must not be above the ask; set_aside = ["crossed"] leaves such quotes out'
    _refuse(records, "bid", crossed, rule)


def _trades(records: Records, free: Bools | None) -> None:
    price, size = _floats(records, "price"), _floats(records, "size")
    _present(records, "price", price)
    _price(records, "price", price, free)
    _present(records, "size", size)
    _refuse(records, "size", size <= 0, "must be positive")


def _levels(records: Records, free: Bools | None) -> None:
    frame = records.frame
    snapshot = _bools(records, "snapshot")
    price, size = _floats(records, "price"), _floats(records, "size")
    side = frame["side"].is_null().to_numpy()
    empty = snapshot & side & np.isnan(price) & np.isnan(size)  # a book without any level
    _refuse(records, "side", side & ~empty, "must be bid or ask")
    _refuse(records, "price", np.isnan(price) & ~empty, "must not be empty")
    _price(records, "price", price, free)
    _refuse(records, "size", np.isnan(size) & ~empty, "must not be empty; 0 removes a level")
    _refuse(records, "size", size < 0, "must not be negative")
    _refuse(records, "size", snapshot & (size == 0), "must be positive in a snapshot")
    _messages(records, ("ts_received", "instrument", "snapshot"))


def _orders(records: Records, free: Bools | None) -> None:
    frame = records.frame
    action = frame["action"].to_physical().to_numpy()
    _refuse(records, "action", frame["action"].is_null().to_numpy(), "must not be empty")
    added, deleted, cleared = action == 0, action == 2, action == 3
    priced = action <= 1
    price, size = _floats(records, "price"), _floats(records, "size")
    _refuse(records, "side", frame["side"].is_null().to_numpy() & priced, "must be bid or ask")
    _refuse(records, "price", np.isnan(price) & priced, "must not be empty")
    _price(records, "price", price, free)
    _refuse(records, "size", priced & ~(size > 0), "must be positive")
    number = frame["order_id"]
    _refuse(records, "order_id", number.is_null().to_numpy() & ~cleared, "must not be empty")
    _messages(records, ("ts_received", "instrument"))
    # Each life of an order id between two clears of its book is added, modified ..., deleted.
    of = records.codes(records.instruments)
    order = np.argsort(of, kind="stable")
    epoch = np.cumsum(cleared[order])
    epochs = np.empty_like(epoch)
    epochs[order] = epoch
    ids = number.fill_null(-1).to_numpy()
    rows = np.lexsort((np.arange(len(ids)), ids, epochs, of))
    rows = rows[~cleared[rows]]
    if not len(rows):
        return
    same = np.zeros(len(rows), dtype=np.bool_)
    keys = (of[rows], epochs[rows], ids[rows])
    same[1:] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    alive = same & ~np.concatenate([[False], deleted[rows][:-1]])
    wrong = np.zeros(len(ids), dtype=np.bool_)
    wrong[rows] = added[rows] == alive
    rule = "must be added once before it is modified or deleted"
    _refuse(records, "order_id", wrong, rule)


def _auctions(records: Records, free: Bools | None) -> None:
    _refuse(records, "phase", records.frame["phase"].is_null().to_numpy(), "must be open or close")
    price = _floats(records, "price")
    _present(records, "price", price)
    _price(records, "price", price, free)
    _refuse(records, "volume", _floats(records, "volume") < 0, "must not be negative")


def _statuses(records: Records, _free: Bools | None) -> None:
    bad = records.frame["status"].is_null().to_numpy()
    _refuse(records, "status", bad, "must be trading or halted")


def _funding(records: Records, _free: Bools | None) -> None:
    rate = _floats(records, "rate")
    _present(records, "rate", rate)
    _refuse(records, "rate", np.abs(rate) >= 1, "must be between -1 and 1, a share of the notional")


def _rates(records: Records, _free: Bools | None) -> None:
    rate = _floats(records, "rate")
    _present(records, "rate", rate)
    _refuse(records, "rate", ~(rate > 0), "must be positive")
    bad = records.frame["currency"].is_null().to_numpy()
    _refuse(records, "currency", bad, "must not be empty")


_CHECKS: dict[str, Callable[[Records, Bools | None], None]] = {
    "quotes": _quotes,
    "trades": _trades,
    "levels": _levels,
    "orders": _orders,
    "auctions": _auctions,
    "statuses": _statuses,
    "funding": _funding,
    "rates": _rates,
}


def _messages(records: Records, constant: tuple[str, ...]) -> None:
    """Refuse numbers of messages that go back, and rows of one that differ in what it has once."""
    number = records.frame["message"]
    _refuse(records, "message", number.is_null().to_numpy(), "must not be empty")
    step = np.diff(number.to_numpy(), prepend=number[0] if len(number) else 0)
    _refuse(records, "message", step < 0, "must not go back")
    inside = step == 0
    inside[:1] = False
    for name in constant:
        column = records.frame[name].to_physical().to_numpy()
        torn = inside & np.concatenate([[False], column[1:] != column[:-1]])
        _refuse(records, name, torn, "must be the same in all rows of a message")


def _price(records: Records, column: str, price: Floats, free: Bools | None) -> None:
    bad = price <= 0
    if free is not None:
        bad &= ~free
    rule = "must be positive; set allow_negative_prices where the instrument has such"
    _refuse(records, column, bad, rule)


def _present(records: Records, column: str, values: Floats) -> None:
    _refuse(records, column, np.isnan(values), "must not be empty")


def _bools(records: Records, column: str) -> Bools:
    return records.frame[column].fill_null(False).to_numpy()


def _floats(records: Records, column: str) -> Floats:
    series = records.frame[column]
    values = series.fill_null(float("nan")).to_numpy() if series.null_count() else series.to_numpy()
    _refuse(records, column, np.isinf(values), "must be finite")
    return values


def _refuse(records: Records, column: str, bad: Bools, rule: str) -> None:
    if not bad.any():
        return
    index = int(np.argmax(bad))
    value = records.frame[column][index]
    found = "nothing" if value is None else f"{value!r}"
    raise MarketDataError(
        f"{records.where}: column '{column}' {rule}; found {found} in row {records.row(index)}"
    )
