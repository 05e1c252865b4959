"""Where TA-Lib has an operator, ours gives its values, from its first one on."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from support.feature_columns import FILES, REAL, Values, random_columns, real_columns, run

type Columns = dict[str, Values]
type Pair = Callable[[Columns], tuple[Values, Values]]

TOLERANCE = 1e-9


def _one(op: str, name: str, *params: float, **options: float) -> Pair:
    """Compare an operator of the close with the function of TA-Lib."""

    def both(c: Columns) -> tuple[Values, Values]:
        function = getattr(talib, name)
        return run(op, [c["close"]], params), function(c["close"], **options)

    return both


def _bars(op: str, name: str, inputs: str, *params: float, **options: float) -> Pair:
    columns = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    names = [columns[letter] for letter in inputs]

    def both(c: Columns) -> tuple[Values, Values]:
        values = [c[each] for each in names]
        return run(op, values, params), getattr(talib, name)(*values, **options)

    return both


def _scaled(pair: Pair, factor: float) -> Pair:
    def both(c: Columns) -> tuple[Values, Values]:
        ours, theirs = pair(c)
        return ours * factor, theirs

    return both


def _since(op: str, name: str, n: int) -> Pair:
    """TA-Lib numbers rows; of equals it takes now the first, now the last, so compare values."""

    def both(c: Columns) -> tuple[Values, Values]:
        close = c["close"]
        ours = np.arange(n - 1, len(close)) - run(op, [close], [n])[n - 1 :]
        theirs = getattr(talib, name)(close, timeperiod=n)[n - 1 :]
        return close[ours.astype(np.intp)], close[theirs]

    return both


def _aroon(up: bool, n: int) -> Pair:
    def both(c: Columns) -> tuple[Values, Values]:
        down, rising = talib.AROON(c["high"], c["low"], timeperiod=n)
        if up:
            return run("aroon_up", [c["high"]], [n]), rising
        return run("aroon_down", [c["low"]], [n]), down

    return both


def _correlation(c: Columns) -> tuple[Values, Values]:
    return run("corr", [c["high"], c["volume"]], [30]), talib.CORREL(
        c["high"], c["volume"], timeperiod=30
    )


def _macd(signal: bool) -> Pair:
    def both(c: Columns) -> tuple[Values, Values]:
        line = run("macd", [c["close"]], [12, 26])
        theirs, their_signal, _ = talib.MACD(c["close"], 12, 26, 9)
        if signal:
            return run("ema", [line], [9]), their_signal
        # TA-Lib begins with its signal.
        line[: 26 + 9 - 2] = np.nan
        return line, theirs

    return both


def _regression(c: Columns) -> tuple[Values, Values]:
    residual = run("resid", [c["close"]], [14])
    return c["close"] - residual, talib.LINEARREG(c["close"], timeperiod=14)


_POPULATION = (20 - 1) / 20
PAIRS: dict[str, Pair] = {
    "log": _one("log", "LN"),
    "sqrt": _one("sqrt", "SQRT"),
    "delta": _one("delta", "MOM", 10, timeperiod=10),
    "returns": _one("returns", "ROCP", 10, timeperiod=10),
    "sum": _one("sum", "SUM", 30, timeperiod=30),
    "mean": _one("mean", "SMA", 30, timeperiod=30),
    "wma": _one("wma", "WMA", 30, timeperiod=30),
    "var": _scaled(_one("var", "VAR", 20, timeperiod=20), _POPULATION),
    "std": _scaled(_one("std", "STDDEV", 20, timeperiod=20), _POPULATION**0.5),
    "min": _one("min", "MIN", 30, timeperiod=30),
    "max": _one("max", "MAX", 30, timeperiod=30),
    "argmin": _since("argmin", "MININDEX", 30),
    "argmax": _since("argmax", "MAXINDEX", 30),
    "ema": _one("ema", "EMA", 30, timeperiod=30),
    "dema": _one("dema", "DEMA", 20, timeperiod=20),
    "tema": _one("tema", "TEMA", 20, timeperiod=20),
    "trima odd": _one("trima", "TRIMA", 21, timeperiod=21),
    "trima even": _one("trima", "TRIMA", 30, timeperiod=30),
    "kama": _one("kama", "KAMA", 30, timeperiod=30),
    "trix": _one("trix", "TRIX", 15, timeperiod=15),
    "macd": _macd(signal=False),
    "macd signal": _macd(signal=True),
    "rsi": _one("rsi", "RSI", 14, timeperiod=14),
    "cmo": _one("cmo", "CMO", 14, timeperiod=14),
    "slope": _one("slope", "LINEARREG_SLOPE", 14, timeperiod=14),
    "intercept": _one("intercept", "LINEARREG_INTERCEPT", 14, timeperiod=14),
    "resid": _regression,
    "corr": _correlation,
    "true_range": _bars("true_range", "TRANGE", "hlc"),
    "atr": _bars("atr", "ATR", "hlc", 14, timeperiod=14),
    "natr": _bars("natr", "NATR", "hlc", 14, timeperiod=14),
    "plus_di": _bars("plus_di", "PLUS_DI", "hlc", 14, timeperiod=14),
    "minus_di": _bars("minus_di", "MINUS_DI", "hlc", 14, timeperiod=14),
    "dx": _bars("dx", "DX", "hlc", 14, timeperiod=14),
    "adx": _bars("adx", "ADX", "hlc", 14, timeperiod=14),
    "cci": _bars("cci", "CCI", "hlc", 20, timeperiod=20),
    "willr": _bars("willr", "WILLR", "hlc", 14, timeperiod=14),
    "aroon_up": _aroon(up=True, n=25),
    "aroon_down": _aroon(up=False, n=25),
    "ultosc": _bars(
        "ultosc", "ULTOSC", "hlc", 7, 14, 28, timeperiod1=7, timeperiod2=14, timeperiod3=28
    ),
    "psar": _bars("psar", "SAR", "hl", 0.02, 0.2, acceleration=0.02, maximum=0.2),
    "obv": _bars("obv", "OBV", "cv"),
    "ad": _bars("ad", "AD", "hlcv"),
    "mfi": _bars("mfi", "MFI", "hlcv", 14, timeperiod=14),
}


def _check(pair: Pair, columns: Columns) -> None:
    ours, theirs = pair(columns)
    scale = float(np.nanmax(np.abs(theirs)))
    np.testing.assert_allclose(
        ours, theirs, rtol=TOLERANCE, atol=TOLERANCE * min(scale, 1.0), equal_nan=True
    )


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("seed", range(3))
def test_operator_gives_talib_values_on_random_bars(name: str, seed: int) -> None:
    _check(PAIRS[name], random_columns(1500, seed))


@pytest.mark.skipif(not FILES.is_dir(), reason="needs the shared data")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("file", REAL)
def test_operator_gives_talib_values_on_real_bars(name: str, file: str) -> None:
    _check(PAIRS[name], real_columns(file))
