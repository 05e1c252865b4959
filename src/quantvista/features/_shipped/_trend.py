"""Trend: where the price stands against its own past, and how straight the way there was."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_AVERAGES = table(
    "trend",
    "Murphy (1999), Technical Analysis of the Financial Markets, ch. 9",
    ("sma_gap", "close / mean(close, 20) - 1", "Close above its 20-bar mean, as a fraction."),
    ("ema_gap", "close / ema(close, 20) - 1", "Close above its exponential mean of span 20."),
    ("wma_gap", "close / wma(close, 20) - 1", "Close above its linearly weighted mean."),
    ("trima_gap", "close / trima(close, 20) - 1", "Close above its triangular mean."),
    (
        "sma_cross",
        "mean(close, 50) / mean(close, 200) - 1",
        "The 50-bar mean above the 200-bar one.",
    ),
)
_FASTER = table(
    "trend",
    "Mulloy (1994), Technical Analysis of Stocks & Commodities 12(1)",
    ("dema_gap", "close / dema(close, 20) - 1", "Close above its double exponential mean."),
    ("tema_gap", "close / tema(close, 20) - 1", "Close above its triple exponential mean."),
)
_ADAPTIVE = table(
    "trend",
    "Kaufman (1995), Smarter Trading; Hull (2005), the Hull moving average",
    ("kama_gap", "close / kama(close, 30) - 1", "Close above Kaufman's adaptive mean."),
    ("hull_gap", "close / hull(close, 16) - 1", "Close above Hull's mean."),
    (
        "efficiency_ratio",
        "abs(close - delay(close, 10)) / sum(abs(delta(close, 1)), 10)",
        "Net move of 10 bars over the way walked: 1 is a straight line, 0 is noise.",
    ),
)
_MACD = table(
    "trend",
    "Appel (2005), Technical Analysis: Power Tools for Active Investors, ch. 6",
    ("macd", "(ema(close, 12) - ema(close, 26)) / close", "MACD over the close."),
    (
        "macd_signal",
        "ema(ema(close, 12) - ema(close, 26), 9) / close",
        "Its exponential mean of span 9, over the close.",
    ),
    (
        "macd_histogram",
        "(ema(close, 12) - ema(close, 26) - ema(ema(close, 12) - ema(close, 26), 9)) / close",
        "MACD above its signal, over the close.",
    ),
)
_LINE = table(
    "trend",
    "Ordinary least squares of the log close on time; Chande and Kroll (1994), ch. 2",
    ("trend_slope", "slope(log(close), 60)", "Slope of a line through 60 log closes, a bar."),
    ("trend_fit", "rsquare(log(close), 60)", "Share of the variance that the line explains."),
    ("trend_residual", "resid(log(close), 60)", "Log close above the end of the line."),
    (
        "trend_clarity",
        "slope(log(close), 90) * 252 * rsquare(log(close), 90)",
        "Yearly slope of 90 bars times its fit (Clenow 2015, Stocks on the Move).",
    ),
    (
        "forecast_oscillator",
        "100 * (close - (intercept(close, 14) + 13 * slope(close, 14))) / close",
        "Close above the end of its 14-bar line, in percent.",
    ),
)
_DIRECTION = table(
    "trend",
    "Wilder (1978), New Concepts in Technical Trading Systems",
    ("adx", "adx(14)", "Average directional index, 0 to 100: how strong a trend is."),
    ("plus_di", "plus_di(14)", "Positive directional indicator, 0 to 100."),
    ("minus_di", "minus_di(14)", "Negative directional indicator, 0 to 100."),
    ("di_gap", "plus_di(14) - minus_di(14)", "Positive less negative directional indicator."),
    (
        "psar_gap",
        "close / psar(0.02, 0.2) - 1",
        "Close above the parabolic stop; its sign is the side.",
    ),
)
_AROON = table(
    "trend",
    "Chande (1995), Technical Analysis of Stocks & Commodities 13(9)",
    (
        "aroon_up",
        "aroon_up(25)",
        "100 when the highest high of 25 bars is now, 0 when it is 25 ago.",
    ),
    ("aroon_down", "aroon_down(25)", "The same of the lowest low."),
    ("aroon_gap", "aroon_up(25) - aroon_down(25)", "Aroon oscillator, -100 to 100."),
)
_CHANNEL = table(
    "trend",
    "Donchian's channel, in Kaufman (2013), Trading Systems and Methods, ch. 5",
    (
        "channel_position",
        "(close - min(low, 20)) / (max(high, 20) - min(low, 20))",
        "Place of the close between the lowest low, 0, and the highest high, 1, of 20 bars.",
    ),
    (
        "breakout",
        "close / delay(max(high, 55), 1) - 1",
        "Close above the highest high of 55 bars before.",
    ),
)
_VORTEX = table(
    "trend",
    "Botes and Siepman (2010), Technical Analysis of Stocks & Commodities 28(1)",
    (
        "vortex",
        "(sum(abs(high - delay(low, 1)), 14) - sum(abs(low - delay(high, 1)), 14))"
        " / sum(true_range(high, low, close), 14)",
        "Vortex indicator, positive less negative.",
    ),
)
_SUPERTREND = table(
    "trend",
    "Seban (2008), the supertrend indicator",
    ("supertrend_gap", "close / supertrend(10, 3) - 1", "Close above its band of 3 ranges."),
)
FEATURES = (
    *_AVERAGES,
    *_FASTER,
    *_ADAPTIVE,
    *_MACD,
    *_LINE,
    *_DIRECTION,
    *_AROON,
    *_CHANNEL,
    *_VORTEX,
    *_SUPERTREND,
)
