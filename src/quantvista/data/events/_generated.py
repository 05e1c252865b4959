"""Generated markets: random order flow for demonstrations, never evidence of a strategy's worth."""

import datetime as dt
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data._event_source import EventSource
from quantvista.data.events._flow import Flow, FlowTerms, random_walk
from quantvista.errors import ConfigError
from quantvista.market import Records

__all__ = ["GENERATED", "GENERATED_MARKETS", "GeneratedMarket", "generate"]

GENERATED = "generated:"
_PUBLISH = ("quotes", "l2", "l3")
_SIDES = {0: "bid", 1: "ask"}
_ACTIONS = {0: "added", 1: "modified", 2: "deleted"}

type Path = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class GeneratedMarket:
    """Records of a generated market, the terms of its instruments, and what to think of it."""

    records: list[Records]
    instruments: Mapping[str, Mapping[str, object]]
    bias: str


@dataclass(frozen=True, slots=True)
class _Params:
    """Numbers of a market; its own are ``symbol`` to ``lag_ms``, of which not all have each."""

    seed: int = 1
    start: str = "2024-01-02T14:30:00+00:00"
    seconds: int = 3600
    publish: str = "quotes"
    move_rate: float = 1.0
    limit_rate: float = 20.0
    market_rate: float = 4.0
    cancel_rate: float = 0.1
    half_spread: int = 1
    depth: float = 3.0
    size: float = 3.0
    symbol: str = "COIN-USD"
    venue: str = "SIM"
    currency: str = "USD"
    price: Decimal = Decimal(100)
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal("0.01")
    lag_ms: float = 500.0


@dataclass(frozen=True, slots=True)
class _Venue:
    """One instrument at one venue."""

    id: str
    terms: Mapping[str, object]
    path: Path


def generate(source: EventSource) -> GeneratedMarket:
    """Generate a market.

    Parameters
    ----------
    source : EventSource
        ``source`` is ``generated:`` and a key of `GENERATED_MARKETS`; ``params`` are its numbers.

    Returns
    -------
    GeneratedMarket
        The same for the same parameters.

    Raises
    ------
    ConfigError
        If there is no such market or parameter, or a parameter is out of its range.
    """
    name = source.source.removeprefix(GENERATED)
    if name not in GENERATED_MARKETS:
        known = ", ".join(GENERATED + each for each in GENERATED_MARKETS)
        raise ConfigError(f"`data.events.source` must be one of {known}; found {source.source!r}")
    market = GENERATED_MARKETS[name]
    params = _read(source, market)
    span = params.seconds * 10**9
    records: list[Records] = []
    instruments: dict[str, Mapping[str, object]] = {}
    for number, venue in enumerate(market.venues(params, span)):
        flow = Flow(_terms(params), _generator(params.seed, 1, number))
        flow.run(*venue.path, span)
        records += _records(flow, venue.id, params, source)
        steps = {"tick_size": params.tick_size, "lot_size": params.lot_size}
        instruments[venue.id] = {**venue.terms, **steps}
    bias = (
        f"{source.source} is generated (seed {params.seed}): random orders around a random "
        "value. It shows how things work; results on it say nothing about any market."
    )
    return GeneratedMarket(records, instruments, bias)


def _one(params: _Params, span: int) -> list[_Venue]:
    terms = {"kind": "spot", "currency": params.currency}
    path = _walk(params, span, 0, params.price)
    return [_Venue(f"{params.symbol}.{params.venue}", terms, path)]


def _two_venues(params: _Params, span: int) -> list[_Venue]:
    times, values = _walk(params, span, 0, params.price)
    terms = {"kind": "spot", "currency": params.currency}
    return [
        _Venue(f"{params.symbol}.ALPHA", terms, (times, values)),
        _Venue(f"{params.symbol}.BETA", terms, (_late(times, params), values)),
    ]


def _triangle(params: _Params, span: int) -> list[_Venue]:
    euro = _walk(params, span, 0, Decimal("1.10"))
    pound = _walk(params, span, 1, Decimal("1.27"))
    times = np.unique(np.concatenate([euro[0], pound[0]]))
    at = [path[1][np.searchsorted(path[0], times, side="right") - 1] for path in (euro, pound)]
    cross = np.rint(at[0] / at[1] / float(params.tick_size)).astype(np.int64)
    moved = np.concatenate([[True], cross[1:] != cross[:-1]])

    def pair(base: str, currency: str, path: Path) -> _Venue:
        terms = {"kind": "pair", "base": base, "currency": currency}
        return _Venue(f"{base}-{currency}.{params.venue}", terms, path)

    return [
        pair("EUR", "USD", euro),
        pair("GBP", "USD", pound),
        pair("EUR", "GBP", (_late(times[moved], params), cross[moved])),
    ]


@dataclass(frozen=True, slots=True)
class _Market:
    """How to make the venues of a market, its defaults, and parameters that it lacks."""

    venues: Callable[[_Params, int], list[_Venue]]
    defaults: _Params
    without: tuple[str, ...]


GENERATED_MARKETS = {
    "market": _Market(_one, _Params(), ("lag_ms",)),
    "two_venues": _Market(_two_venues, _Params(move_rate=2.0), ("venue",)),
    "triangle": _Market(
        _triangle,
        _Params(move_rate=5.0, tick_size=Decimal("0.00001"), lot_size=Decimal(1000)),
        ("symbol", "currency", "price"),
    ),
}
"""Markets by name: one instrument, one coin at two venues of which the second is late, and three
pairs of currencies of which the last is late."""


def _read(source: EventSource, market: _Market) -> _Params:
    """Read the parameters of an entry strictly."""
    known = {each.name for each in fields(_Params)} - set(market.without)
    values: dict[str, object] = {}
    for name, value in source.params.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(known))}"
            raise ConfigError(f"`data.events.params.{name}` is unknown for {source.source}; {hint}")
        values[name] = _typed(name, value, type(getattr(market.defaults, name)))
    params = replace(market.defaults, **values)  # type: ignore[arg-type]
    for name, most in (
        ("seconds", 10**6),
        ("move_rate", 10**4),
        ("limit_rate", 10**4),
        ("market_rate", 10**4),
        ("half_spread", 1000),
        ("depth", 1000),
        ("size", 10**6),
        ("price", 10**6),
        ("tick_size", 10**6),
        ("lot_size", 10**6),
    ):
        if not 0 < getattr(params, name) <= most:
            raise _wrong(name, f"must be positive and at most {most}", getattr(params, name))
    for name in ("cancel_rate", "lag_ms", "seed"):
        if getattr(params, name) < 0:
            raise _wrong(name, "must not be negative", getattr(params, name))
    if params.publish not in _PUBLISH:
        raise _wrong("publish", f"must be one of {', '.join(_PUBLISH)}", params.publish)
    return params


def _typed(name: str, value: object, kind: type) -> object:
    if isinstance(value, dt.datetime) and kind is str:
        return value.isoformat()
    if kind is str and isinstance(value, str):
        return value
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if kind is int and number and value == int(value):  # type: ignore[call-overload]
        return int(value)  # type: ignore[call-overload]
    if kind is float and number:
        return float(value)  # type: ignore[arg-type]
    if kind is Decimal and (number or isinstance(value, str)):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            pass
    words = {str: "text", int: "a whole number", float: "a number", Decimal: "a decimal number"}
    raise _wrong(name, f"must be {words[kind]}", value)


def _wrong(name: str, rule: str, found: object) -> ConfigError:
    return ConfigError(f"`data.events.params.{name}` {rule}; found {found!r}")


def _terms(params: _Params) -> FlowTerms:
    return FlowTerms(
        params.limit_rate,
        params.market_rate,
        params.cancel_rate,
        params.half_spread,
        params.depth,
        params.size,
    )


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))


def _walk(params: _Params, span: int, number: int, price: Decimal) -> Path:
    rng = _generator(params.seed, 0, number)
    return random_walk(rng, int(price / params.tick_size), params.move_rate, span)


def _late(times: NDArray[np.int64], params: _Params) -> NDArray[np.int64]:
    return np.where(times > 0, times + int(params.lag_ms * 1e6), 0)


def _start(params: _Params) -> int:
    try:
        moment: dt.datetime | None = dt.datetime.fromisoformat(params.start)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        rule = "must be an ISO instant with an offset, such as 2024-01-02T14:30:00+00:00"
        raise _wrong("start", rule, params.start)
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta // dt.timedelta(microseconds=1)) * 1000


def _records(flow: Flow, name: str, params: _Params, source: EventSource) -> list[Records]:
    """Ticks and lots to prices and sizes; a trade comes before the book that it leaves."""
    start, delay = _start(params), source.delay_us * 1_000

    def made(kind: str, rows: Sequence[tuple[int, ...]], columns: tuple[str, ...]) -> Records:
        whole = dict.fromkeys(("ts_event", *columns), pl.Int64)
        frame = pl.DataFrame(rows, schema=whole, orient="row")
        happened = pl.col("ts_event") + start
        changes = [
            happened,
            (happened + delay).alias("ts_received"),
            pl.lit(name, dtype=pl.Categorical).alias("instrument"),
        ]
        for column in columns:
            if column in ("price", "bid", "ask"):
                changes.append(_scaled(column, params.tick_size))
            elif column in ("size", "bid_size", "ask_size"):
                changes.append(_scaled(column, params.lot_size))
        return Records(kind, _named(frame.with_columns(changes)), f"{source.source} {name}")

    book: dict[str, tuple[str, Sequence[tuple[int, ...]], tuple[str, ...]]] = {
        "quotes": ("quotes", flow.quotes, ("bid", "bid_size", "ask", "ask_size")),
        "l2": ("levels", flow.levels, ("message", "side", "price", "size")),
        "l3": ("orders", flow.orders, ("message", "action", "side", "price", "size", "order_id")),
    }
    kind, rows, columns = book[params.publish]
    trades = made("trades", flow.trades, ("price", "size", "aggressor"))
    return [trades, made(kind, rows, columns)]


def _scaled(column: str, step: Decimal) -> pl.Expr:
    """Multiply by a step, as close to the decimal as a double comes; 0 is an empty side."""
    ratio = step.as_integer_ratio()
    value = pl.col(column) * ratio[0] / ratio[1]
    if column in ("bid", "ask", "bid_size", "ask_size"):
        value = pl.when(pl.col(column) > 0).then(value)
    return value.alias(column)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    codes = {"side": _SIDES, "action": _ACTIONS, "aggressor": {0: "sell", 1: "buy"}}
    return frame.with_columns(
        pl.col(name).replace_strict(words, return_dtype=pl.String)
        for name, words in codes.items()
        if name in frame.columns
    )
