"""The shape of ``summary.json``, so that one that was damaged is refused in words."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import AfterValidator, TypeAdapter, ValidationError

__all__ = ["summary_problem"]


def _amount(text: str) -> str:
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise ValueError("must be a decimal number")
    return text


def _day(text: str) -> str:
    dt.date.fromisoformat(text)
    return text


type _Amount = Annotated[str, AfterValidator(_amount)]
type _Day = Annotated[str, AfterValidator(_day)]


class _Metric(TypedDict):
    value: float | None
    reason: NotRequired[str]


class _Fund(TypedDict):
    name: str
    currency: str
    cash: _Amount
    equity: _Amount | None
    benchmark: str | None
    source: str
    time_zone: str
    calendar: str


class _Within(TypedDict):
    first: str
    last: str
    seconds: float


class _Period(TypedDict):
    start: _Day | None
    end: _Day | None
    sessions: int
    years: float
    periods_a_year: float
    first_fill: _Day | None
    within: NotRequired[_Within]


class _Comparison(TypedDict):
    metrics: dict[str, _Metric]
    id: NotRequired[str]


class _SinceFirstFill(TypedDict):
    date: _Day
    fund: dict[str, _Metric]
    benchmark: NotRequired[dict[str, _Metric]]
    equal_weight: NotRequired[dict[str, _Metric]]


class _Unfilled(TypedDict):
    reason: str
    count: int


class _Costs(TypedDict):
    fees: _Amount
    slippage: _Amount
    total: _Amount
    traded: _Amount
    bps_of_turnover: float | None
    bps_a_year: float | None


class _Pair(TypedDict):
    pnl: _Amount
    sleeve: NotRequired[str]
    instrument: NotRequired[str]


class _Contribution(TypedDict):
    sleeves: list[_Pair]
    instruments: list[_Pair]
    pairs: list[_Pair]
    total: _Amount


class _Drawdown(TypedDict):
    start: _Day
    trough: _Day
    recovery: _Day | None
    depth: float
    days: int
    times: NotRequired[list[str]]
    seconds: NotRequired[float]


_WorstDay = TypedDict("_WorstDay", {"date": _Day, "return": float, "benchmark": float | None})


class _Sleeve(TypedDict):
    id: str
    strategy: str
    share: float
    params: dict[str, Any]


class _Instrument(TypedDict):
    id: str
    sector: str
    multiplier: int


class _Limit(TypedDict):
    rule: str
    outcome: str
    count: int


class _Bias(TypedDict):
    name: str
    text: str


class _Summary(TypedDict):
    schema_version: int
    status: str
    error: str
    verdict: str
    fund: _Fund
    period: _Period
    metrics: dict[str, _Metric]
    comparisons: dict[str, _Comparison]
    costs: _Costs
    counts: dict[str, int]
    sleeves: list[_Sleeve]
    instruments: list[_Instrument]
    contribution: _Contribution
    drawdowns: list[_Drawdown]
    worst_days: list[_WorstDay]
    limits_hit: list[_Limit]
    since_first_fill: _SinceFirstFill | None
    unfilled: list[_Unfilled]
    trials: int | None
    assumptions: list[str]
    biases: list[_Bias]
    fingerprint: dict[str, Any]


def summary_problem(found: object) -> str:
    """Say what a summary lacks, or has of the wrong kind.

    Parameters
    ----------
    found : object
        What ``summary.json`` holds.

    Returns
    -------
    str
        Empty if nothing is wrong.

    Examples
    --------
    >>> summary_problem({"schema_version": 1})
    'no assumptions'
    """
    try:
        _adapter().validate_python(found, strict=True)
    except ValidationError as error:
        first = min(error.errors(), key=lambda each: [str(part) for part in each["loc"]])
        where = ".".join(str(part) for part in first["loc"]) or "its content"
        if first["type"] == "missing":
            return f"no {where}"
        return f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return ""


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(_Summary)
