"""Feature operators that remember all values, straight from their formulas; and those across."""

from collections.abc import Callable, Sequence

import numpy as np

from support.feature_columns import Values
from support.feature_windows import Params, Reference, over, rank

type Across = Callable[[Values, NDArrayInt, Params], Values]
type NDArrayInt = np.ndarray[tuple[int], np.dtype[np.int32]]


def smooth(x: Values, start: int, weight: float) -> Values:
    """Average with fading weights, from the mean of the first ``start`` defined values on."""
    y = np.full(len(x), np.nan)
    defined = np.flatnonzero(~np.isnan(x))
    if len(defined) < start:
        return y
    value = float(np.mean(x[defined[:start]]))
    y[defined[start - 1]] = value
    for t in defined[start:]:
        value = value * (1 - weight) + x[t] * weight
        y[t] = value
    return y


def _span(x: Values, n: float) -> Values:
    return smooth(x, int(n), 2 / (n + 1))


def _wilder(x: Values, n: float) -> Values:
    return smooth(x, int(n), 1 / n)


def _chain(x: Values, n: float) -> tuple[Values, Values, Values]:
    first = _span(x, n)
    second = _span(first, n)
    return first, second, _span(second, n)


def _dema(inputs: Sequence[Values], params: Params) -> Values:
    first, second, _ = _chain(inputs[0], params[0])
    return 2 * first - second


def _tema(inputs: Sequence[Values], params: Params) -> Values:
    first, second, third = _chain(inputs[0], params[0])
    return 3 * first - 3 * second + third


def _trix(inputs: Sequence[Values], params: Params) -> Values:
    third = _chain(inputs[0], params[0])[2]
    before = np.concatenate([[np.nan], third[:-1]])
    return np.asarray(100 * (third / before - 1))


def _macd(inputs: Sequence[Values], params: Params) -> Values:
    x = inputs[0].copy()
    slow = _span(x, params[1])
    x[: int(params[1] - params[0])] = np.nan
    return _span(x, params[0]) - slow


def _kama(inputs: Sequence[Values], params: Params) -> Values:
    x, n = inputs[0], int(params[0])
    y = np.full(len(x), np.nan)
    value = x[n - 1]
    for t in range(n, len(x)):
        path = np.abs(np.diff(x[t - n : t + 1])).sum()
        efficiency = abs(x[t] - x[t - n]) / path if path > 0 else 1.0
        weight = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        value = value + weight * (x[t] - value)
        y[t] = value
    return y


def _changes(x: Values) -> Values:
    return np.concatenate([[np.nan], np.diff(x)])


def _gains(x: Values, n: float) -> tuple[Values, Values]:
    change = _changes(x)
    return _wilder(np.maximum(change, 0), n), _wilder(np.maximum(-change, 0), n)


def _rsi(inputs: Sequence[Values], params: Params) -> Values:
    gain, loss = _gains(inputs[0], params[0])
    with np.errstate(invalid="ignore"):
        return 100 * gain / (gain + loss)


def _cmo(inputs: Sequence[Values], params: Params) -> Values:
    gain, loss = _gains(inputs[0], params[0])
    with np.errstate(invalid="ignore"):
        return 100 * (gain - loss) / (gain + loss)


def _ranges(high: Values, low: Values, close: Values) -> Values:
    before = np.concatenate([[np.nan], close[:-1]])
    whole = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    return np.asarray(whole)


def _atr(inputs: Sequence[Values], params: Params) -> Values:
    high, low, close = inputs
    return _wilder(_ranges(high, low, close), params[0])


def _natr(inputs: Sequence[Values], params: Params) -> Values:
    return 100 * _atr(inputs, params) / inputs[2]


def _fading_sum(x: Values, n: float) -> Values:
    """Sum the first n - 1 changes plainly; each later one takes an nth of the sum away."""
    y = np.full(len(x), np.nan)
    value = float(np.sum(x[1 : int(n)]))
    for t in range(int(n), len(x)):
        value = value - value / n + x[t]
        y[t] = value
    return y


def _directions(inputs: Sequence[Values], n: float) -> tuple[Values, Values]:
    high, low, close = inputs
    up, down = _changes(high), -_changes(low)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    total = _fading_sum(_ranges(high, low, close), n)
    return 100 * _fading_sum(plus, n) / total, 100 * _fading_sum(minus, n) / total


def _dx(inputs: Sequence[Values], params: Params) -> Values:
    plus, minus = _directions(inputs, params[0])
    return 100 * np.abs(plus - minus) / (plus + minus)


def _supertrend(inputs: Sequence[Values], params: Params) -> Values:
    high, low, close = inputs
    ranges = _atr(inputs, params[:1])
    y = np.full(len(high), np.nan)
    upper, lower, rising = np.inf, -np.inf, True
    for t in np.flatnonzero(~np.isnan(ranges)):
        middle = (high[t] + low[t]) / 2
        top, bottom = middle + params[1] * ranges[t], middle - params[1] * ranges[t]
        upper = top if top < upper or close[t - 1] > upper else upper
        lower = bottom if bottom > lower or close[t - 1] < lower else lower
        rising = close[t] >= lower if rising else close[t] > upper
        y[t] = lower if rising else upper
    return y


def _psar(inputs: Sequence[Values], params: Params) -> Values:
    """Follow Wilder's rules bar by bar, with a signed side instead of two branches."""
    high, low = inputs
    step, most = params
    y = np.full(len(high), np.nan)
    fell = low[0] - low[1]
    side = -1 if fell > 0 and fell > high[1] - high[0] else 1
    ends = {1: (high, low), -1: (-low, -high)}
    stop = ends[side][1][0]
    extreme, factor = ends[side][0][1], step
    for t in range(1, len(high)):
        far, near = ends[side]
        before = t if t == 1 else t - 1
        if near[t] <= stop:
            side = -side
            far, near = ends[side]
            # Extremes of one side are the other's with their sign turned.
            stop = min(-extreme, near[before], near[t])
            extreme, factor = far[t], step
            y[t] = side * stop
            stop = stop + factor * (extreme - stop)
        else:
            y[t] = side * stop
            if far[t] > extreme:
                extreme, factor = far[t], min(factor + step, most)
            stop = stop + factor * (extreme - stop)
        stop = min(stop, near[before], near[t])
    return y


def _obv(inputs: Sequence[Values], _params: Params) -> Values:
    close, volume = inputs
    signs = np.sign(np.concatenate([[1.0], np.diff(close)]))
    return np.asarray(np.cumsum(signs * volume))


def _ad(inputs: Sequence[Values], _params: Params) -> Values:
    high, low, close, volume = inputs
    return np.asarray(np.cumsum((2 * close - low - high) / (high - low) * volume))


def _bars_since(inputs: Sequence[Values], _params: Params) -> Values:
    rows = np.arange(len(inputs[0]))
    last = np.maximum.accumulate(np.where(inputs[0] != 0, rows, -1))
    return np.where(last >= 0, rows - last, np.nan)


def _streak(inputs: Sequence[Values], _params: Params) -> Values:
    run, result = 0.0, []
    for sign in np.sign(inputs[0]):
        run = run + sign if run * sign > 0 else sign
        result.append(run)
    return np.array(result)


def _drawdown(inputs: Sequence[Values], params: Params) -> Values:
    if params[0] == 0:
        return inputs[0] / np.maximum.accumulate(inputs[0]) - 1
    return over(lambda x, _n: x[-1] / x.max() - 1)(inputs, params)


RECURSIONS: dict[str, Reference] = {
    "ema": lambda x, p: _span(x[0], p[0]),
    "ewm": lambda x, p: smooth(x[0], 1, p[0]),
    "wilder": lambda x, p: _wilder(x[0], p[0]),
    "dema": _dema,
    "tema": _tema,
    "trix": _trix,
    "macd": _macd,
    "kama": _kama,
    "rsi": _rsi,
    "cmo": _cmo,
    "atr": _atr,
    "natr": _natr,
    "plus_di": lambda x, p: _directions(x, p[0])[0],
    "minus_di": lambda x, p: _directions(x, p[0])[1],
    "dx": _dx,
    "adx": lambda x, p: _wilder(_dx(x, p), p[0]),
    "supertrend": _supertrend,
    "psar": _psar,
    "obv": _obv,
    "ad": _ad,
    "cumsum": lambda x, _p: np.asarray(np.cumsum(x[0])),
    "cummax": lambda x, _p: np.asarray(np.maximum.accumulate(x[0])),
    "cummin": lambda x, _p: np.asarray(np.minimum.accumulate(x[0])),
    "bars_since": _bars_since,
    "streak": _streak,
    "drawdown": _drawdown,
}


def _neutral(x: Values, groups: NDArrayInt, _params: Params) -> Values:
    result = np.full(len(x), np.nan)
    for group in set(groups[groups >= 0].tolist()):
        inside = groups == group
        result[inside] = x[inside] - x[inside].mean()
    return result


def _ranks(x: Values) -> Values:
    return np.array([rank(x, value) for value in x])


ACROSS: dict[str, Across] = {
    "rank": lambda x, _g, _p: _ranks(x) / len(x),
    "zscore_cs": lambda x, _g, _p: (x - x.mean()) / np.std(x, ddof=1),
    "demean": lambda x, _g, _p: x - x.mean(),
    "scale": lambda x, _g, _p: x / np.abs(x).sum(),
    "cs_sum": lambda x, _g, _p: np.full(len(x), x.sum()),
    "winsorise": lambda x, _g, p: np.clip(x, np.quantile(x, p[0]), np.quantile(x, 1 - p[0])),
    "neutralise": _neutral,
    "quantile_bucket": lambda x, _g, p: np.floor((_ranks(x) - 0.5) / len(x) * p[0]),
}
