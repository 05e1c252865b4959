"""A history that the user names, as what an engine is told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import MISSING, BarArrays, bar_feed
from quantvista.errors import ConfigError, MarketDataError
from quantvista.fund import LoadedFund, load_fund
from quantvista.trading.node._stage import Told
from quantvista.trading.paper import TapeSource

__all__ = ["History", "history_fund"]


def history_fund(loaded: LoadedFund, source: str) -> LoadedFund:
    """Put another history into a fund.

    Parameters
    ----------
    loaded : LoadedFund
        The fund.
    source : str
        A fund file, of which ``[data]`` and ``[[instrument]]`` are taken, or what ``data.source``
        may be, relative to the working folder.

    Returns
    -------
    LoadedFund
        The same fund with that history.

    Raises
    ------
    ConfigError
        If the fund file cannot be read.
    """
    if source.endswith(".toml"):
        other = load_fund(source)
        named = {"data": other.fund.data, "instrument": other.fund.instrument}
        # A path in it starts from its own folder; strategies are found from the fund's.
        return LoadedFund(loaded.fund.model_copy(update=named), other.base, loaded.path)
    is_path = ":" not in source or Path(source).exists()
    data = loaded.fund.data.model_copy(
        update={"source": str(Path(source).absolute()) if is_path else source, "events": ()}
    )
    return replace(loaded, fund=loaded.fund.model_copy(update={"data": data}))


class History:
    """The part of a history that falls into a period.

    Parameters
    ----------
    loaded : LoadedFund
        A fund with that history.
    ids : sequence of str
        Instruments of the running fund, which must be those of the history.
    instruments : sequence of dict
        The same as its engine knows them.
    period : (int, int)
        First and last time, UTC ns, inclusive.

    Raises
    ------
    MarketDataError
        If it cannot be read, is of other instruments, or has nothing in the period.
    """

    def __init__(
        self, loaded: LoadedFund, instruments: Sequence[dict[str, Any]], period: tuple[int, int]
    ) -> None:
        self._period = period
        self._data = loaded.event_data() if loaded.needs_events else loaded.market_data()
        _check(self._data, instruments)
        ts = self._data.ts if isinstance(self._data, MarketData) else self._data.tape.ts_received
        self.size = int(np.count_nonzero((ts >= period[0]) & (ts <= period[1])))
        if not self.size:
            first, last = (
                f"{np.datetime64(int(each), 's')}Z" for each in np.array(period) // 10**9
            )
            raise MarketDataError(
                f"`--data` must have market data from {first} to {last}, when the fund ran; found "
                f"none in {self._data.source}"
            )

    def told(self) -> Iterator[Sequence[Told]]:
        """Give what happened, all of one time together."""
        if isinstance(self._data, MarketData):
            return self._bars(self._data)
        return self._events(self._data)

    def _bars(self, data: MarketData) -> Iterator[Sequence[Told]]:
        prices = (data.close, data.open, data.high, data.low, data.volume)
        bars = BarArrays(data.ts, data.session_start, data.session_end, *prices)
        feed = bar_feed(bars, data.instruments)
        shape = data.close.shape
        columns = [_column(feed, name, shape) for name in ("open", "high", "low", "volume")]
        close = feed["close"].reshape(shape)
        first, last = self._period
        for row in np.flatnonzero((data.ts >= first) & (data.ts <= last)).tolist():
            ts = int(data.ts[row])
            of_row = [None if each is None else each[row].tolist() for each in columns]
            events = [
                _bar(place, price, [None if each is None else each[place] for each in of_row])
                for place, price in enumerate(close[row].tolist())
            ]
            edges = (bool(data.session_start[row]), bool(data.session_end[row]))
            events.append({"barrier": {"session_start": edges[0], "session_end": edges[1]}})
            yield [(ts, ts, each) for each in events]

    def _events(self, data: EventData) -> Iterator[Sequence[Told]]:
        source = TapeSource(data.tape)
        source.start(int(data.tape.ts_received[0]), None)
        first, last = self._period
        while (message := source.take(2**62)) is not None and message.ts <= last:
            if message.ts >= first:
                yield [(message.ts, message.ts, dict(each)) for each in message.events]


def _column(feed: dict[str, Any], name: str, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    values = feed[name]
    return None if values is None else values.reshape(shape)


def _bar(place: int, close: int, rest: Sequence[int | None]) -> dict[str, Any]:
    if close == MISSING:
        return {"bar_missing": {"instrument": place}}
    *span, volume = (None if each == MISSING else each for each in rest)
    known = None if None in span else span
    return {"bar": {"instrument": place, "bar": {"range": known, "close": close, "volume": volume}}}


def _check(data: MarketData | EventData, instruments: Sequence[dict[str, Any]]) -> None:
    ids = [each["id"] for each in instruments]
    if [each.id for each in data.instruments] != ids:
        raise MarketDataError(
            f"`--data` must hold the instruments of the fund, {', '.join(ids)}; found "
            f"{', '.join(each.id for each in data.instruments)}"
        )
    if isinstance(data, EventData) and data.actions:
        raise ConfigError(
            "`--data` must be without corporate actions, which no venue tells a running fund of; "
            f"found {len(data.actions)} in {data.source}"
        )
    for ours, theirs in zip(instruments, data.instruments, strict=True):
        for name in ("price_precision", "quantity_precision"):
            if ours[name] != getattr(theirs, name):
                raise MarketDataError(
                    f"`--data` must have the {name} of the venue for '{theirs.id}', {ours[name]}; "
                    f"found {getattr(theirs, name)}. Give its steps in [[instrument]] of a fund "
                    "file, and name that with --data"
                )
