"""What reaches a run beside its market data: cash flows and statistics, at their times."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from quantvista.backtest._simulation import Input, barriers
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import money_units, split_cash
from quantvista.errors import ConfigError, MarketDataError
from quantvista.fund import LoadedFund

__all__ = ["scheduled_inputs"]

_VOLATILITY_ROWS = 63
_VOLUME_ROWS = 21
_STALE_NS = 10 * 86_400 * 10**9  # figures made of bars hold until the next ones, a holiday apart
_CELLS_MAX = 50_000_000  # returns that a run holds in memory
_FIGURES = ("volatility", "average_volume", "correlation", "fund_volatility", "regime")
_OF_FUND = ("fund_volatility", "regime")


def scheduled_inputs(loaded: LoadedFund, data: EventData) -> list[Input]:
    """Collect the inputs that the fund file asks for, each with the time at which it is known.

    Parameters
    ----------
    loaded : LoadedFund
        The fund and its folder.
    data : EventData
        Of the run.

    Returns
    -------
    list of (int, dict)
        UTC nanoseconds and event.

    Raises
    ------
    ConfigError
        If a limit needs statistics that nothing gives.
    MarketDataError
        If the file of statistics cannot be used.
    """
    found = _cash_flows(loaded, data)
    risk = loaded.fund.risk
    if risk.figures is not None:
        found += _figures(loaded, data, risk.figures)
    needs_bars = {
        "instrument_volatility_max": risk.instrument_volatility_max is not None,
        "fat_finger_volume": risk.fat_finger_volume is not None,
        "value_at_risk": risk.value_at_risk is not None,
    }
    if data.bars is None:
        for name, wanted in needs_bars.items():
            if wanted and (name == "value_at_risk" or risk.figures is None):
                rest = "" if name == "value_at_risk" else " or `risk.figures`"
                raise ConfigError(
                    f"`risk.{name}` must come with bars{rest}; found `data` without source"
                )
        return found
    of_bars = _BarFigures(data, data.bars)
    if needs_bars["instrument_volatility_max"] and risk.figures is None:
        found += of_bars.volatility()
    if needs_bars["fat_finger_volume"] and risk.figures is None:
        found += of_bars.volume()
    if risk.value_at_risk is not None:
        found += of_bars.scenarios(risk.value_at_risk.scenarios)
    return found


def _cash_flows(loaded: LoadedFund, data: EventData) -> list[Input]:
    fund = loaded.fund
    shares = {each.id: each.share for each in fund.sleeve}
    places = {name: place for place, name in enumerate(sorted(shares))}
    first = int(data.tape.ts_received[0]) if len(data.tape) else 0
    found: list[Input] = []
    for flow in fund.cash_flow:
        ts = _midnight(flow.date, fund.fund.time_zone)
        if ts < first:
            rule = "must not be before the data begins"
            raise ConfigError(f"`cash_flow.date` {rule}; found {flow.date}")
        of = {flow.sleeve: shares[flow.sleeve]} if flow.sleeve is not None else shares
        for part in split_cash(abs(flow.amount), of, fund.fund.currency):
            amount = money_units(part.cash) * (1 if flow.amount > 0 else -1)
            if amount:
                event = {"sleeve": places[part.id], "currency": 0, "amount": amount}
                found.append((ts, {"cash_flow": event}))
    return found


def _midnight(day: date, zone: str) -> int:
    """First instant of a date; where daylight saving skips midnight the day begins at one."""
    naive = pl.Series([day], dtype=pl.Date).cast(pl.Datetime("ns"))
    for later in (naive, naive + timedelta(hours=1)):
        local = later.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        if not local.null_count():
            return int(local.to_physical()[0])
    raise AssertionError("no zone skips two hours at midnight")


def _figures(loaded: LoadedFund, data: EventData, file: str) -> list[Input]:
    """Read statistics from a file."""
    path = loaded.base / file
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        text = str(error).splitlines()[0]
        raise MarketDataError(f"`risk.figures` {file} cannot be read: {text}") from None
    wanted = ("ts", "kind", "instrument", "value", "expires_at")
    if missing := [name for name in wanted if name not in frame.columns]:
        raise MarketDataError(f"{file}: must have the columns {', '.join(wanted)}; no {missing[0]}")
    scale = {"average_volume": 0, "regime": 0}
    digits = {each.id: each.quantity_precision for each in data.instruments}
    places = {name: place for place, name in enumerate(data.ids)}
    found: list[Input] = []
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        kind, name = row["kind"], row["instrument"]
        if kind not in _FIGURES:
            rule = f"must be one of {', '.join(_FIGURES)}"
            raise MarketDataError(f"{file}: `kind` {rule}; found {kind!r} in row {number}")
        if (kind not in _OF_FUND) != (name in places):
            rule = "must be an instrument of the data" if kind not in _OF_FUND else "must be empty"
            raise MarketDataError(f"{file}: `instrument` {rule}; found {name!r} in row {number}")
        power = digits[name] if kind == "average_volume" else scale.get(kind, 9)
        found.append(
            (
                int(row["ts"]),
                _figure(
                    kind,
                    places.get(name),
                    round(float(row["value"]) * 10**power),
                    int(row["expires_at"]),
                ),
            )
        )
    return found


def _figure(kind: str, instrument: int | None, value: int, expires_at: int) -> dict[str, Any]:
    return {
        "risk_figure": {
            "kind": kind,
            "instrument": instrument,
            "value": value,
            "expires_at": expires_at,
        }
    }


class _BarFigures:
    """Statistics of bars, each known at the close of the last bar in it."""

    def __init__(self, data: EventData, bars: MarketData) -> None:
        ts, _ = barriers(data)
        self._instruments = data.instruments
        self._place = [data.ids.index(name) for name in bars.ids]
        rows = np.flatnonzero(bars.session_end)
        self._ts = bars.ts[rows]
        self._known = np.isin(self._ts, ts)
        close = bars.close[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            self._returns = np.vstack(
                [np.full(close.shape[1], np.nan), close[1:] / close[:-1] - 1.0]
            )
        self._volume = None if bars.volume is None else _by_session(bars, rows)

    def volatility(self) -> list[Input]:
        """Deviation of the returns of the last sessions."""
        found: list[Input] = []
        for row in np.flatnonzero(self._known).tolist():
            window = self._returns[max(0, row + 1 - _VOLATILITY_ROWS) : row + 1]
            for column, place in enumerate(self._place):
                known = window[np.isfinite(window[:, column]), column]
                if known.size >= 2:
                    value = round(float(np.std(known, ddof=1)) * 1e9)
                    found.append(self._input(row, "volatility", place, value))
        return found

    def volume(self) -> list[Input]:
        """Mean volume of the last sessions."""
        if self._volume is None:
            raise ConfigError("`risk.fat_finger_volume` must come with volume; found none in bars")
        found: list[Input] = []
        for row in np.flatnonzero(self._known).tolist():
            window = self._volume[max(0, row + 1 - _VOLUME_ROWS) : row + 1]
            for column, place in enumerate(self._place):
                known = window[np.isfinite(window[:, column]), column]
                if known.size:
                    digits = self._instruments[place].quantity_precision
                    value = round(float(known.mean()) * 10**digits)
                    found.append(self._input(row, "average_volume", place, value))
        return found

    def scenarios(self, count: int) -> list[Input]:
        """Give the returns of the last sessions to each instrument that has all of them."""
        cells = int(self._known.sum()) * len(self._place) * count
        if cells > _CELLS_MAX:
            rule = f"times sessions and instruments must be at most {_CELLS_MAX:,}"
            raise ConfigError(
                f"`risk.value_at_risk.scenarios` {rule}; found {cells:,}. Choose fewer scenarios"
            )
        found: list[Input] = []
        limit = 2**31 - 1
        for row in np.flatnonzero(self._known).tolist():
            window = self._returns[row + 1 - count : row + 1] if row + 1 >= count else None
            if window is None:
                continue
            for column, place in enumerate(self._place):
                if np.isfinite(window[:, column]).all():
                    returns = np.clip(np.rint(window[:, column] * 1e9), -limit, limit)
                    event = {
                        "instrument": place,
                        "returns": returns.astype(np.int64).tolist(),
                        "expires_at": self._expires(row),
                    }
                    found.append((int(self._ts[row]), {"scenarios": event}))
        return found

    def _input(self, row: int, kind: str, place: int, value: int) -> Input:
        return int(self._ts[row]), _figure(kind, place, value, self._expires(row))

    def _expires(self, row: int) -> int:
        return int(self._ts[row]) + _STALE_NS


def _by_session(bars: MarketData, ends: Any) -> Any:  # noqa: ANN401 - arrays
    """Sum the volume of each session, NaN where there is none."""
    assert bars.volume is not None, "the caller has looked"
    starts = np.concatenate([[0], ends[:-1] + 1])
    sums = np.add.reduceat(np.nan_to_num(bars.volume), starts, axis=0)[: len(ends)]
    some = np.add.reduceat(np.isfinite(bars.volume).astype(int), starts, axis=0)[: len(ends)]
    return np.where(some > 0, sums, np.nan)
