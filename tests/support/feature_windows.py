"""Feature operators over windows, straight from their formulas: one window at a time, and slow."""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from support.feature_columns import Values

type Params = Sequence[float]
type Reference = Callable[[Sequence[Values], Params], Values]
type OfWindow = Callable[..., float]


def over(formula: OfWindow, *, place: int = 0, more: int = 0) -> Reference:
    """Apply a formula to each window of ``params[place] + more`` values of the inputs."""

    def reference(inputs: Sequence[Values], params: Params) -> Values:
        n = int(params[place]) + more
        result = np.full(len(inputs[0]), np.nan)
        for t in range(n - 1, len(result)):
            windows = [x[t - n + 1 : t + 1] for x in inputs]
            result[t] = formula(*windows, *params)
        return result

    return reference


def each(formula: OfWindow) -> Reference:
    """Apply a formula to each row."""

    def reference(inputs: Sequence[Values], params: Params) -> Values:
        rows = zip(*inputs, strict=True)
        return np.array([formula(*row, *params) for row in rows], np.float64)

    return reference


def rank(x: Values, value: float) -> float:
    """Mean rank of a value among others, the least being 1."""
    return float(np.sum(x < value) + (np.sum(x == value) + 1) / 2)


def _ratio(x: float, y: float) -> float:
    return x / y if y != 0 else math.nan


def _skew(x: Values, n: float) -> float:
    d = x - x.mean()
    return math.sqrt(n * (n - 1)) / (n - 2) * _ratio(np.mean(d**3), np.mean(d**2) ** 1.5)


def _kurt(x: Values, n: float) -> float:
    d = x - x.mean()
    excess = _ratio(np.mean(d**4), np.mean(d**2) ** 2) - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


def _since(x: Values, extreme: float) -> float:
    return float(len(x) - 1 - np.flatnonzero(x == extreme)[-1])


def _cov(x: Values, y: Values) -> float:
    return float(np.sum((x - x.mean()) * (y - y.mean())) / (len(x) - 1))


def _line(x: Values) -> tuple[float, float]:
    slope, start = np.polyfit(np.arange(len(x)), x, 1)
    return float(slope), float(start)


def _weighted(x: Values) -> float:
    weights = np.arange(1, len(x) + 1)
    return float(np.sum(weights * x) / np.sum(weights))


def _hull(x: Values, n: float) -> float:
    half, root = int(n) // 2, math.isqrt(int(n))
    ends = range(len(x) - root + 1, len(x) + 1)
    raw = [2 * _weighted(x[end - half : end]) - _weighted(x[end - int(n) : end]) for end in ends]
    return _weighted(np.array(raw))


def hull(inputs: Sequence[Values], params: Params) -> Values:
    """Look back over as many values as both averages need."""
    return over(_hull, more=math.isqrt(int(params[0])) - 1)(inputs, params)


def _triangular(x: Values, n: float) -> float:
    first = math.ceil(n / 2)
    means = [x[i : i + first].mean() for i in range(len(x) - first + 1)]
    return float(np.mean(means))


def _true_range(high: Values, low: Values, close: Values) -> float:
    return float(max(high[1] - low[1], abs(high[1] - close[0]), abs(low[1] - close[0])))


def _pressure(high: Values, low: Values, close: Values, n: int) -> float:
    floor = np.minimum(low[1:], close[:-1])[-n:]
    top = np.maximum(high[1:], close[:-1])[-n:]
    return float(np.sum(close[-n:] - floor) / np.sum(top - floor))


def _ultimate(high: Values, low: Values, close: Values, a: float, b: float, c: float) -> float:
    fast, middle, slow = (_pressure(high, low, close, int(n)) for n in (a, b, c))
    return 100 * (4 * fast + 2 * middle + slow) / 7


def _channel(high: Values, low: Values, close: Values, _n: float) -> float:
    p = (high + low + close) / 3
    return _ratio(p[-1] - p.mean(), 0.015 * float(np.mean(np.abs(p - p.mean()))))


def _williams(high: Values, low: Values, close: Values, _n: float) -> float:
    return -100 * _ratio(high.max() - close[-1], high.max() - low.min())


def _money_flow(high: Values, low: Values, close: Values, volume: Values, _n: float) -> float:
    p = (high + low + close) / 3
    flow, change = (p * volume)[1:], np.diff(np.round(p, 9))
    up, down = flow[change > 0].sum(), flow[change < 0].sum()
    return 100 * _ratio(up, up + down)


def _rogers_satchell(o: Values, h: Values, low: Values, c: Values) -> Values:
    terms: Values = np.log(h / c) * np.log(h / o) + np.log(low / c) * np.log(low / o)
    return terms


def _garman_klass(o: Values, h: Values, low: Values, c: Values, _n: float) -> float:
    terms = np.log(h / low) ** 2 / 2 - (2 * math.log(2) - 1) * np.log(c / o) ** 2
    return math.sqrt(np.mean(terms))


def _yang_zhang(o: Values, h: Values, low: Values, c: Values, n: float) -> float:
    overnight, day = np.log(o[1:] / c[:-1]), np.log(c[1:] / o[1:])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    within = np.mean(_rogers_satchell(o[1:], h[1:], low[1:], c[1:]))
    return math.sqrt(np.var(overnight, ddof=1) + k * np.var(day, ddof=1) + (1 - k) * within)


def _max_drawdown(x: Values, _n: float) -> float:
    return float(np.min(x / np.maximum.accumulate(x) - 1))


def _roll(x: Values, _n: float) -> float:
    change = np.diff(x)
    covariance = _cov(change[1:], change[:-1])
    return 2 * math.sqrt(-covariance) if covariance <= 0 else math.nan


def _amihud(close: Values, volume: Values, _n: float) -> float:
    return float(np.mean(np.abs(np.diff(close) / close[:-1]) / (close * volume)[1:]))


def _kyle(price: Values, flow: Values, _n: float) -> float:
    return _cov(np.diff(price), flow[1:]) / float(np.var(flow[1:], ddof=1))


def _vpin(close: Values, volume: Values, n: float) -> float:
    change, size = np.diff(close), int(n)
    bought = []
    for end in range(size, 2 * size):
        deviation = float(np.std(change[end - size : end], ddof=1))
        bought.append(NormalDist().cdf(change[end - 1] / deviation))
    volumes = volume[-size:]
    sides = np.abs(2 * np.array(bought) - 1) * volumes
    return float(sides.sum() / volumes.sum())


def vpin(inputs: Sequence[Values], params: Params) -> Values:
    """Look back over the changes that each change of the window is measured by."""
    return over(_vpin, more=int(params[0]))(inputs, params)


def _order_flow(bid: Values, bid_size: Values, ask: Values, ask_size: Values) -> float:
    flow = (bid[1] >= bid[0]) * bid_size[1] - (bid[1] <= bid[0]) * bid_size[0]
    return float(flow - (ask[1] <= ask[0]) * ask_size[1] + (ask[1] >= ask[0]) * ask_size[0])


def _pairs(formula: OfWindow) -> Reference:
    """Apply a formula without parameters to each row and the one before it."""

    def reference(inputs: Sequence[Values], params: Params) -> Values:
        assert not params
        return over(lambda *windows: formula(*windows[:-1]))(inputs, [2])

    return reference


WINDOWS: dict[str, Reference] = {
    "add": each(lambda x, y: x + y),
    "sub": each(lambda x, y: x - y),
    "mul": each(lambda x, y: x * y),
    "div": each(_ratio),
    "neg": each(lambda x: -x),
    "abs": each(abs),
    "sign": each(np.sign),
    "log": each(lambda x: math.log(x) if x > 0 else math.nan),
    "exp": each(math.exp),
    "sqrt": each(lambda x: math.sqrt(x) if x >= 0 else math.nan),
    "power": each(lambda x, y: x**y),
    "minimum": each(min),
    "maximum": each(max),
    "clip": each(lambda x, low, high: min(max(x, low), high)),
    "where": each(lambda c, x, y: x if c else y),
    "gt": each(lambda x, y: x > y),
    "ge": each(lambda x, y: x >= y),
    "lt": each(lambda x, y: x < y),
    "le": each(lambda x, y: x <= y),
    "eq": each(lambda x, y: x == y),
    "and": each(lambda x, y: x != 0 and y != 0),
    "or": each(lambda x, y: x != 0 or y != 0),
    "not": each(lambda x: x == 0),
    "delay": over(lambda x, _n: x[0], more=1),
    "delta": over(lambda x, _n: x[-1] - x[0], more=1),
    "returns": over(lambda x, _n: x[-1] / x[0] - 1, more=1),
    "log_returns": over(lambda x, _n: math.log(x[-1] / x[0]), more=1),
    "sum": over(lambda x, _n: math.fsum(x)),
    "mean": over(lambda x, n: math.fsum(x) / n),
    "product": over(lambda x, _n: np.prod(x)),
    "count_true": over(lambda x, _n: float(np.count_nonzero(x))),
    "wma": over(lambda x, _n: _weighted(x)),
    "decay_linear": over(lambda x, _n: _weighted(x)),
    "std": over(lambda x, _n: np.std(x, ddof=1)),
    "var": over(lambda x, _n: np.var(x, ddof=1)),
    "zscore": over(lambda x, _n: _ratio(x[-1] - x.mean(), np.std(x, ddof=1))),
    "skew": over(_skew),
    "kurt": over(_kurt),
    "min": over(lambda x, _n: x.min()),
    "max": over(lambda x, _n: x.max()),
    "argmin": over(lambda x, _n: _since(x, x.min())),
    "argmax": over(lambda x, _n: _since(x, x.max())),
    "median": over(lambda x, _n: np.median(x)),
    "quantile": over(lambda x, _n, q: np.quantile(x, q)),
    "mad": over(lambda x, _n: np.median(np.abs(x - np.median(x)))),
    "rank_ts": over(lambda x, n: rank(x, x[-1]) / n),
    "trima": over(_triangular),
    "hull": hull,
    "corr": over(lambda x, y, _n: _ratio(_cov(x, y), np.std(x, ddof=1) * np.std(y, ddof=1))),
    "cov": over(lambda x, y, _n: _cov(x, y)),
    "beta": over(lambda x, y, _n: _ratio(_cov(x, y), np.var(y, ddof=1))),
    "slope": over(lambda x, _n: _line(x)[0]),
    "intercept": over(lambda x, _n: _line(x)[1]),
    "resid": over(lambda x, n: x[-1] - _line(x)[1] - _line(x)[0] * (n - 1)),
    "rsquare": over(lambda x, n: float(np.corrcoef(x, np.arange(n))[0, 1]) ** 2),
    "true_range": _pairs(_true_range),
    "ultosc": over(_ultimate, place=2, more=1),
    "cci": over(_channel),
    "willr": over(_williams),
    "aroon_up": over(lambda x, n: 100 * (n - _since(x, x.max())) / n, more=1),
    "aroon_down": over(lambda x, n: 100 * (n - _since(x, x.min())) / n, more=1),
    "mfi": over(_money_flow, more=1),
    "parkinson": over(lambda h, low, _n: math.sqrt(np.mean(np.log(h / low) ** 2) / math.log(16))),
    "garman_klass": over(_garman_klass),
    "rogers_satchell": over(
        lambda o, h, low, c, _n: math.sqrt(np.mean(_rogers_satchell(o, h, low, c)))
    ),
    "yang_zhang": over(_yang_zhang, more=1),
    "realised": over(lambda x, _n: math.sqrt(np.sum(np.diff(np.log(x)) ** 2)), more=1),
    "drawdown": over(lambda x, _n: x[-1] / x.max() - 1),
    "max_drawdown": over(_max_drawdown),
    "roll_spread": over(_roll, more=2),
    "amihud": over(_amihud, more=1),
    "kyle": over(_kyle, more=1),
    "ofi": _pairs(_order_flow),
    "vpin": vpin,
}
