"""Whether a fund decides on what it could know: other futures are tried, and files are watched."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._setup import simulation
from quantvista.backtest._simulation import Simulation, barriers
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.data.universes import Membership
from quantvista.engine import MISSING, run_tables
from quantvista.errors import MarketDataError, QuantVistaError
from quantvista.features.causality import files_opened
from quantvista.fund import LoadedFund
from quantvista.fund.desk import load_strategies
from quantvista.market import EventKind, Panel
from quantvista.strategies import PortfolioStrategy, Strategy

__all__ = ["FundFinding", "check_fund"]

_PRICES: Mapping[int, tuple[str, ...]] = {
    EventKind.QUOTE: ("a", "c"),
    EventKind.TRADE: ("a",),
    EventKind.BOOK_LEVEL: ("a",),
    EventKind.BOOK_ORDER_ADDED: ("a",),
    EventKind.BOOK_ORDER_MODIFIED: ("a",),
    EventKind.AUCTION: ("a",),
    EventKind.BAR: ("a", "b", "c", "d"),
}
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class FundFinding:
    """A way in which a strategy does not decide on the past alone.

    Parameters
    ----------
    sleeve, strategy : str
        Whose.
    kind : {"values", "truncated", "universe", "repeat", "warm_up", "files"}
        The decision changed when the data after ``cut`` were altered, or left out; when other
        instruments belong to the universe after ``cut``; when the same data came again; when more
        history was shown than it asks for; or it opened a file.
    instrument : str
        Of the first decision that differs, empty for files.
    ts, cut : int
        Time of that decision, and of the last data that stayed the same; UTC nanoseconds.
    before, after : str
        What was decided, or the file.
    file : str
        Where the strategy is written.
    line : int
        Of the method that decides, or that opened the file.
    """

    sleeve: str
    strategy: str
    kind: str
    instrument: str
    ts: int
    cut: int
    before: str
    after: str
    file: str = ""
    line: int = 0


type _Decisions = dict[tuple[int, str, str, str], str]


def check_fund(
    loaded: LoadedFund,
    *,
    cut_count: int = 3,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[FundFinding]:
    """Run a fund on several futures, and compare what it decided before they part.

    Parameters
    ----------
    loaded : LoadedFund
        The fund.
    cut_count : int
        At how many times the future is altered.
    seed : int
        Of the times and of what is altered.
    progress : callable or None
        Told the share that is done.

    Returns
    -------
    list of FundFinding
        Empty if it is honest, as far as was tried; at most one of a kind and sleeve.

    Raises
    ------
    QuantVistaError
        Whatever the fund's own run raises.
    """
    data = loaded.event_data() if loaded.needs_events else loaded.market_data()
    rng = np.random.default_rng(seed)
    ts, _ = barriers(data)
    rows = _cuts(len(ts), cut_count, rng)
    tell = progress or (lambda share: None)
    stops = [*rows, len(ts) - 1]
    base, opened = _decisions(loaded, data, stops)
    tell(1 / (2 + len(rows)))
    found = _First(loaded)
    for sleeve, (path, line) in opened.items():
        found.add_file(sleeve, path, line)
    again, _ = _decisions(loaded, data, stops[-1:])
    found.compare(base[-1], again[0], "repeat", int(ts[-1]))
    for number, row in enumerate(rows):
        cut = int(ts[row])
        for kind, other in _futures(data, cut, rng):
            try:
                decided, _ = _decisions(loaded, other, [row])
            except MarketDataError:
                continue  # what is left is too short for a warm-up
            found.compare(base[number], decided[0], kind, cut)
        tell((2 + number + 1) / (2 + len(rows)))
    found.warm_ups(data, rng)
    tell(1.0)
    return found.findings


class _First:
    """Collects the first finding of each kind and sleeve."""

    def __init__(self, loaded: LoadedFund) -> None:
        self._strategies = load_strategies(loaded)
        self._found: dict[tuple[str, str], FundFinding] = {}

    @property
    def findings(self) -> list[FundFinding]:
        return list(self._found.values())

    def add(self, sleeve: str, kind: str, method: str, **fields: Any) -> None:  # noqa: ANN401
        strategy = self._strategies[sleeve]
        file, line = _place(strategy, method)
        values = {"instrument": "", "ts": 0, "cut": 0, "file": file, "line": line, **fields}
        finding = FundFinding(sleeve, type(strategy).__name__, kind, **values)
        self._found.setdefault((sleeve, kind), finding)

    def add_file(self, sleeve: str, path: str, line: int) -> None:
        self.add(sleeve, "files", "", before="", after=path, line=line)

    def compare(self, base: _Decisions, other: _Decisions, kind: str, cut: int) -> None:
        """Look for decisions that are not the same."""
        for key in sorted(base.keys() | other.keys()):
            before, after = base.get(key, "nothing"), other.get(key, "nothing")
            ts, sleeve, instrument, _ = key
            # Nothing is decided on the last bar there is, since nothing could fill.
            if before != after and not (kind == "truncated" and ts >= cut):
                method = (
                    "forecast" if isinstance(self._strategies[sleeve], PortfolioStrategy) else ""
                )
                place = {"instrument": instrument, "ts": ts, "cut": cut}
                self.add(sleeve, kind, method, before=before, after=after, **place)

    def warm_ups(self, data: MarketData | EventData, rng: np.random.Generator) -> None:
        """Show forecasts more history than they ask for."""
        bars = data if isinstance(data, MarketData) else data.bars
        for sleeve, strategy in self._strategies.items():
            if bars is None or not isinstance(strategy, PortfolioStrategy):
                continue
            rows = strategy.warm_up
            last = len(bars.ts) - 1
            for row in rng.integers(min(2 * rows, last), last + 1, 4).tolist():
                window = _panel(bars, row, rows)
                short = np.asarray(strategy.forecast(window), np.float64)
                long = np.asarray(strategy.forecast(_panel(bars, row, 2 * rows + 5)), np.float64)
                scale = np.maximum(np.abs(short), np.abs(long))
                # Where the price stands still, a forecast may be what its sums are rounded by.
                moves = (window.close != window.close[-1:]).any(axis=0) | (rows < 2)
                differ = (np.isnan(short) != np.isnan(long)) | (
                    (np.abs(short - long) > _TOLERANCE * scale) & moves
                )
                if differ.any():
                    at = int(np.argmax(differ))
                    values = {"before": f"{short[at]:.9g}", "after": f"{long[at]:.9g}"}
                    where = {"instrument": bars.ids[at], "ts": int(bars.ts[row])}
                    start = int(bars.ts[max(0, row + 1 - rows)])
                    self.add(sleeve, "warm_up", "forecast", cut=start, **values, **where)
                    break


def _panel(bars: MarketData, row: int, rows: int) -> Panel:
    window = slice(max(0, row + 1 - rows), row + 1)
    return Panel(bars.ids, bars.sectors, bars.ts[window], bars.close[window])


def _place(strategy: Strategy, method: str) -> tuple[str, int]:
    """File of a strategy, and the line of a method."""
    try:
        what = getattr(type(strategy), method) if method else type(strategy)
        return inspect.getsourcefile(type(strategy)) or "", inspect.getsourcelines(what)[1]
    except (OSError, TypeError):
        return "", 0


def _decisions(
    loaded: LoadedFund, data: MarketData | EventData, stops: Sequence[int]
) -> tuple[list[_Decisions], dict[str, tuple[str, int]]]:
    """List what was decided up to each row, ascending; and the files that strategies opened."""
    strategies = load_strategies(loaded)
    ours = simulation(loaded, data, strategies)
    decisions = []
    with files_opened(_files_of(strategies)) as opened:
        for row in stops:
            try:
                ours.run(row + 1)
            except QuantVistaError:
                if ours.session.row == 0:
                    raise
                # A run that breaks down later has decided what it has decided.
            decisions.append(_listed(ours, data))
    return decisions, opened


def _listed(ours: Simulation, data: MarketData | EventData) -> _Decisions:
    decisions: _Decisions = {}
    bars = data if isinstance(data, MarketData) else data.bars
    sleeves = [sleeve["id"] for sleeve in ours.config["sleeves"]]
    for target in ours.targets:
        assert bars is not None, "targets come from bars"
        for name, weight in zip(bars.ids, target.weight_e9.tolist(), strict=True):
            decisions[target.ts, sleeves[target.sleeve], name, ""] = f"weight {weight / 1e9:.9f}"
    table = pl.from_arrow(run_tables(ours.session, ours.config)["orders"])
    assert isinstance(table, pl.DataFrame), "a table is a frame"
    columns = ["ts", "sleeve", "instrument", "order_id", "side", "quantity", "type", "limit_price"]
    for ts, sleeve, name, number, side, quantity, kind, limit in table.select(
        pl.col("ts").dt.epoch("ns"), *columns[1:]
    ).iter_rows():
        at = "" if limit is None else f" at {limit.normalize():f}"
        decisions[ts, sleeve, name, number] = f"{side} {quantity.normalize():f} {kind}{at}"
    return decisions


def _cuts(rows: int, count: int, rng: np.random.Generator) -> list[int]:
    """Rows after which the future is altered; early ones show too little."""
    inner = np.arange(rows // 4, rows - 1)
    return sorted(rng.choice(inner, min(count, len(inner)), replace=False).tolist())


def _futures(
    data: MarketData | EventData, cut: int, rng: np.random.Generator
) -> Iterator[tuple[str, MarketData | EventData]]:
    """Make data that agree with the given ones in all that was known by a time."""
    yield "values", _altered(data, cut, rng)
    yield "truncated", _truncated(data, cut)
    bars = data if isinstance(data, MarketData) else data.bars
    if bars is not None and bars.universe is not None:
        other = replace(bars, universe=_regrouped(bars.universe, bars, cut, rng))
        yield "universe", other if isinstance(data, MarketData) else replace(data, bars=other)


def _regrouped(
    universe: Membership, bars: MarketData, cut: int, rng: np.random.Generator
) -> Membership:
    """Let others join and leave from a time on, at times of their own."""
    known = _known(universe, cut).table.select("instrument", "ts_event", "ts_end", "known_at")
    open_ = known.group_by("instrument", maintain_order=True).last()
    open_ = open_.filter(pl.col("ts_end").is_null() | (pl.col("ts_end") > cut))
    since = {name: start for name, start, *_ in open_.iter_rows()}
    rows: list[tuple[str, int, int | None, int]] = []
    for name in bars.ids:
        at = cut + 1 + int(rng.integers(0, max(1, int(bars.ts[-1]) - cut)))
        if name not in since:
            rows.append((name, at, None, at))
        elif rng.random() < 0.5:
            rows.append((name, since[name], at, at))
    later = pl.DataFrame(rows, schema=known.schema, orient="row")
    return Membership(pl.concat([known, later]))


def _known(universe: Membership, cut: int) -> Membership:
    return Membership(universe.table.filter(pl.col("known_at") <= cut))


def _altered(
    data: MarketData | EventData, cut: int, rng: np.random.Generator
) -> MarketData | EventData:
    if isinstance(data, MarketData):
        noise = np.exp(rng.normal(0.0, 0.2, data.close.shape))
        return _scaled(data, np.where((data.ts > cut)[:, None], noise, 1.0))
    tape = data.tape
    later = tape.ts_received > cut
    changed: dict[str, Any] = {}
    for kind, columns in _PRICES.items():
        for name in columns:
            column = changed.get(name, getattr(tape, name))
            # Twice the price lies on every grid that the price lies on.
            rows = later & (tape.kind == kind) & (column != MISSING)
            changed[name] = np.where(rows, column * 2, column)
    bars = data.bars
    if bars is not None:
        twice = np.where((bars.ts > cut)[:, None], 2.0, 1.0) * np.ones(bars.close.shape)
        bars = _scaled(bars, twice)
    return replace(data, tape=replace(tape, **changed), bars=bars)


def _scaled(data: MarketData, factor: NDArray[np.float64]) -> MarketData:
    """Multiply prices, and put them back on their decimals."""
    digits = 10.0 ** np.array([each.price_precision for each in data.instruments])

    def scaled(matrix: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if matrix is None:
            return None
        moved = np.rint(matrix * factor * digits)
        return np.where(factor == 1.0, matrix, np.maximum(moved, 1.0) / digits)

    close = scaled(data.close)
    assert close is not None, "there are always closes"
    high, low = scaled(data.high), scaled(data.low)
    return replace(data, close=close, open=scaled(data.open), high=high, low=low)


def _truncated(data: MarketData | EventData, cut: int) -> MarketData | EventData:
    if isinstance(data, MarketData):
        rows = data.ts <= cut
        names = ("ts", "session_start", "session_end", "close", "open", "high", "low", "volume")
        arrays = {name: getattr(data, name) for name in (*names, "benchmark")}
        kept: dict[str, Any] = {k: None if v is None else v[rows] for k, v in arrays.items()}
        if data.universe is not None:
            kept["universe"] = _known(data.universe, cut)
        return replace(data, **kept)
    tape = data.tape
    rows = tape.ts_received <= cut
    columns: dict[str, Any] = {name: each[rows] for name, each in tape.columns().items()}
    bars = None if data.bars is None else _truncated(data.bars, cut)
    assert bars is None or isinstance(bars, MarketData), "bars are market data"
    growth = data.growth
    if growth is not None and bars is not None:
        growth = growth[: len(bars.ts)]
    return replace(data, tape=type(tape)(**columns), bars=bars, growth=growth)


def _files_of(strategies: Mapping[str, Strategy]) -> dict[str, str]:
    """Sleeves by the file of their strategy."""
    places = {sleeve: _place(strategy, "")[0] for sleeve, strategy in strategies.items()}
    return {str(Path(place).resolve()): sleeve for sleeve, place in places.items() if place}
