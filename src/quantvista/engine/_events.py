"""Records for the engine: float prices and sizes become whole units here and nowhere else."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantvista.engine._tape import MISSING, MORE, Tape
from quantvista.errors import MarketDataError
from quantvista.market import EventKind, Instrument, Records

__all__ = ["records_tape"]

_EXACT_MAX = 2.0**53  # above this, neighbouring floats are more than one unit apart
_EPS = float(np.finfo(np.float64).eps)
_RATE_MAX = 9e18  # a rate is rounded anyway, so that only the integer's range matters

type Ints = NDArray[np.int64]


def records_tape(
    records: Records,
    instruments: Sequence[Instrument],
    currencies: Sequence[str] = (),
    *,
    round_prices: bool = False,
) -> Tape:
    """Turn checked records into rows of a tape.

    Parameters
    ----------
    records : Records
        Checked with ``quantvista.market.check_records``.
    instruments : sequence of Instrument
        In ascending order of id: rows of the tape hold the place in it.
    currencies : sequence of str
        The fund's first; rates name one of them.
    round_prices : bool
        Round prices and sizes that are finer than the instrument's precision, instead of
        refusing them.

    Returns
    -------
    Tape
        In the order of the records.

    Raises
    ------
    MarketDataError
        If a price or size is no whole number of units, up to the noise of floats, or too large.
    """
    if records.kind == "rates":
        return _rates(records, currencies)
    converter = _Converter(records, instruments, round_prices)
    return {
        "quotes": converter.quotes,
        "trades": converter.trades,
        "levels": converter.levels,
        "orders": converter.orders,
        "auctions": converter.auctions,
        "statuses": converter.statuses,
        "funding": converter.funding,
    }[records.kind]()


class _Converter:
    """One source's columns in the units of its instruments."""

    def __init__(
        self, records: Records, instruments: Sequence[Instrument], round_prices: bool
    ) -> None:
        self._records, self._frame = records, records.frame
        self._round = round_prices
        self._of = records.codes([each.id for each in instruments])
        used = np.unique(self._of)
        self._digits: dict[str, NDArray[np.float64] | float] = {}
        for name in ("price_precision", "quantity_precision"):
            digits = np.array([10.0 ** getattr(each, name) for each in instruments])
            one = len({digits[index].item() for index in used}) <= 1
            # One scale for a source of one instrument saves a gather over millions of rows.
            self._digits[name] = float(digits[used[0]]) if one and len(used) else digits[self._of]

    def quotes(self) -> Tape:
        values = {
            "a": self._price("bid"),
            "b": self._size("bid_size"),
            "c": self._price("ask"),
            "d": self._size("ask_size"),
        }
        return self._tape(EventKind.QUOTE, 0, values)

    def trades(self) -> Tape:
        aggressor = self._frame["aggressor"].to_physical().cast(int)
        flag = (aggressor.fill_null(-1).to_numpy() + 1).astype(np.uint8)
        values = {"a": self._price("price"), "b": self._size("size")}
        return self._tape(EventKind.TRADE, flag, values)

    def levels(self) -> Tape:
        price, size = self._price("price"), self._size("size")
        flag = self._side() | self._more()
        rows = self._tape(EventKind.BOOK_LEVEL, flag, {"a": price, "b": size})
        snapshot = self._frame["snapshot"].fill_null(False).to_numpy()
        first = np.flatnonzero(snapshot & self._message_starts())
        if not len(first):
            return rows
        # A snapshot is a clear and then its levels, if it has any.
        filled = ~self._frame["side"].is_null().to_numpy()
        clears = self._tape(EventKind.BOOK_CLEAR, MORE, {}).take(first)
        clears.flag[~filled[first]] = 0
        at = np.concatenate([2 * first, 2 * np.flatnonzero(filled) + 1])
        order = np.argsort(at, kind="stable")
        kept = rows.take(filled)
        names = rows.columns()
        return Tape(
            **{
                name: np.concatenate([getattr(clears, name), getattr(kept, name)])[order]
                for name in names
            }
        )

    def orders(self) -> Tape:
        action = self._frame["action"].to_physical().to_numpy()
        kinds = np.array(
            [
                EventKind.BOOK_ORDER_ADDED,
                EventKind.BOOK_ORDER_MODIFIED,
                EventKind.BOOK_ORDER_DELETED,
                EventKind.BOOK_CLEAR,
            ],
            dtype=np.uint8,
        )
        priced = action <= 1
        price, size = self._price("price"), self._size("size")
        number = self._frame["order_id"].fill_null(MISSING).to_numpy().copy()
        price[~priced], size[~priced] = MISSING, MISSING
        number[action == 3] = MISSING
        flag = np.where(action == 3, 0, self._side()).astype(np.uint8) | self._more()
        return self._tape(kinds[action], flag, {"a": price, "b": size, "c": number})

    def auctions(self) -> Tape:
        flag = (self._frame["phase"].to_physical().to_numpy() + 1).astype(np.uint8)
        values = {"a": self._price("price"), "b": self._size("volume")}
        return self._tape(EventKind.AUCTION, flag, values)

    def statuses(self) -> Tape:
        flag = self._frame["status"].to_physical().to_numpy().astype(np.uint8)
        return self._tape(EventKind.STATUS, flag, {})

    def funding(self) -> Tape:
        rate = _units(self._records, "rate", 1e9, True)
        return self._tape(EventKind.FUNDING, 0, {"a": rate})

    def _tape(
        self,
        kind: EventKind | NDArray[np.uint8],
        flag: int | NDArray[np.uint8],
        values: dict[str, Ints],
    ) -> Tape:
        received = self._frame["ts_received"].to_numpy()
        return Tape.of(kind, received, self._frame["ts_event"].to_numpy(), flag, self._of, values)

    def _price(self, column: str) -> Ints:
        return _units(self._records, column, self._digits["price_precision"], self._round)

    def _size(self, column: str) -> Ints:
        return _units(self._records, column, self._digits["quantity_precision"], self._round)

    def _side(self) -> NDArray[np.uint8]:
        return self._frame["side"].to_physical().fill_null(0).to_numpy().astype(np.uint8)

    def _message_starts(self) -> NDArray[np.bool_]:
        message = self._frame["message"].to_numpy()
        return np.concatenate([[True], message[1:] != message[:-1]])[: len(message)]

    def _more(self) -> NDArray[np.uint8]:
        starts = self._message_starts()
        more = np.concatenate([~starts[1:], [False]])[: len(starts)]
        return np.where(more, MORE, 0).astype(np.uint8)


def _rates(records: Records, currencies: Sequence[str]) -> Tape:
    frame = records.frame
    names = frame["currency"].to_list()
    known = {name: index for index, name in enumerate(currencies)}
    for index, name in enumerate(names):
        if known.get(name, 0) == 0:
            rule = "must be a currency of the run other than the fund's"
            found = f"found {name!r} in row {records.row(index)}"
            raise MarketDataError(f"{records.where}: column 'currency' {rule}; {found}")
    of = np.array([known[name] for name in names], dtype=np.int64)
    scaled = np.rint(frame["rate"].to_numpy() * 1e12)
    if bool(np.any((scaled < 1) | (scaled > _RATE_MAX))):
        _refuse(records, "rate", (scaled < 1) | (scaled > _RATE_MAX), "must be in 1e-12 to 9e6")
    rate = scaled.astype(np.int64)
    return Tape.of(
        EventKind.CURRENCY_RATE,
        frame["ts_received"].to_numpy(),
        frame["ts_event"].to_numpy(),
        0,
        of,
        {"a": rate},
    )


def _units(
    records: Records, column: str, scale: NDArray[np.float64] | float, rounding: bool
) -> Ints:
    """Scale a column to whole units, refusing what is none."""
    series = records.frame[column]
    absent = None
    if series.null_count():
        absent = series.is_null().to_numpy()
        values = series.fill_null(0.0).to_numpy()
    else:
        values = series.to_numpy()
    if np.isnan(values).any():
        absent = np.isnan(values) if absent is None else absent | np.isnan(values)
        values = np.where(np.isnan(values), 0.0, values)
    scaled = values * scale
    units = np.rint(scaled)
    magnitude = np.abs(units)
    if bool(np.any(magnitude >= _EXACT_MAX)):
        _refuse(records, column, magnitude >= _EXACT_MAX, "must be below 2**53 units")
    if not rounding:
        # A decimal that vendors added up is off by some last bits, but never by much of a unit.
        noise = np.maximum(2 * _EPS * magnitude, np.minimum(64 * _EPS * magnitude, 1e-3))
        fine = np.abs(scaled - units) > noise
        if fine.any():
            digits = round(np.log10(np.broadcast_to(scale, len(fine))[int(np.argmax(fine))]))
            rule = f"must have at most {digits} decimals (set a finer tick_size or lot_size"
            _refuse(records, column, fine, f"{rule}, or round_prices = true)")
    result = units.astype(np.int64)
    if absent is not None:
        result[absent] = MISSING
    return result


def _refuse(records: Records, column: str, bad: NDArray[np.bool_], rule: str) -> None:
    index = int(np.argmax(bad))
    value = records.frame[column][index]
    raise MarketDataError(
        f"{records.where}: column '{column}' {rule}; found {value!r} in row {records.row(index)}"
    )
