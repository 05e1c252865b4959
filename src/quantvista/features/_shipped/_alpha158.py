"""The set that Qlib calls Alpha158: shapes of bars, and statistics of windows of 20."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES", "WINDOWS", "rolling"]

WINDOWS = (5, 10, 20, 30, 60)
"""Windows of the whole set; `alpha158` gives all of them."""

_SOURCE = "Yang, Liu, Zhou, Bian and Liu (2020), Qlib, arXiv:2009.11189: Alpha158"
_TINY = "0.000000000001"
_SHAPES = (
    ("kmid", "(close - open) / open", "Body over the open."),
    ("klen", "(high - low) / open", "Range over the open."),
    ("kmid2", f"(close - open) / (high - low + {_TINY})", "Body over the range."),
    ("kup", "(high - maximum(open, close)) / open", "Upper shadow over the open."),
    (
        "kup2",
        f"(high - maximum(open, close)) / (high - low + {_TINY})",
        "Upper shadow over the range.",
    ),
    ("klow", "(minimum(open, close) - low) / open", "Lower shadow over the open."),
    (
        "klow2",
        f"(minimum(open, close) - low) / (high - low + {_TINY})",
        "Lower shadow over the range.",
    ),
    (
        "ksft",
        "(2 * close - high - low) / open",
        "Twice the close's place off the middle, over the open.",
    ),
    ("ksft2", f"(2 * close - high - low) / (high - low + {_TINY})", "The same over the range."),
    ("open0", "open / close", "Open over the close."),
    ("high0", "high / close", "High over the close."),
    ("low0", "low / close", "Low over the close."),
    ("vwap0", "vwap / close", "Mean price of the bar over the close; needs the column vwap."),
)
_UP = "maximum(delta(close, 1), 0)"
_DOWN = "maximum(-delta(close, 1), 0)"
_MOVE = "abs(delta(close, 1))"
_VUP = "maximum(delta(volume, 1), 0)"
_VDOWN = "maximum(-delta(volume, 1), 0)"
_VMOVE = "abs(delta(volume, 1))"
_WEIGHTED = "abs(close / delay(close, 1) - 1) * volume"
_ROLLING = (
    ("roc", "delay(close, {n}) / close", "Close {n} bars ago over the close."),
    ("ma", "mean(close, {n}) / close", "Mean over the close."),
    ("std", "std(close, {n}) / close", "Standard deviation over the close."),
    ("beta", "slope(close, {n}) / close", "Slope of a line over the close."),
    ("rsqr", "rsquare(close, {n})", "Fit of the line."),
    ("resi", "resid(close, {n}) / close", "Close above the end of the line, over the close."),
    ("max", "max(high, {n}) / close", "Highest high over the close."),
    ("min", "min(low, {n}) / close", "Lowest low over the close."),
    ("qtlu", "quantile(close, {n}, 0.8) / close", "Upper fifth over the close."),
    ("qtld", "quantile(close, {n}, 0.2) / close", "Lower fifth over the close."),
    ("rank", "rank_ts(close, {n})", "Rank of the close, 0 to 1."),
    (
        "rsv",
        f"(close - min(low, {{n}})) / (max(high, {{n}}) - min(low, {{n}}) + {_TINY})",
        "Place within the range.",
    ),
    ("imax", "argmax(high, {n}) / {n}", "Bars since the highest high, over the window."),
    ("imin", "argmin(low, {n}) / {n}", "Bars since the lowest low, over the window."),
    ("imxd", "(argmax(high, {n}) - argmin(low, {n})) / {n}", "The one less the other."),
    ("corr", "corr(close, log(volume + 1), {n})", "Correlation of close and log volume."),
    (
        "cord",
        "corr(close / delay(close, 1), log(volume / delay(volume, 1) + 1), {n})",
        "Correlation of their changes.",
    ),
    ("cntp", "mean(close > delay(close, 1), {n})", "Share of bars that rose."),
    ("cntn", "mean(close < delay(close, 1), {n})", "Share of bars that fell."),
    (
        "cntd",
        "mean(close > delay(close, 1), {n}) - mean(close < delay(close, 1), {n})",
        "The one less the other.",
    ),
    (
        "sump",
        f"sum({_UP}, {{n}}) / (sum({_MOVE}, {{n}}) + {_TINY})",
        "Share of the way walked that went up.",
    ),
    (
        "sumn",
        f"sum({_DOWN}, {{n}}) / (sum({_MOVE}, {{n}}) + {_TINY})",
        "Share of the way that went down.",
    ),
    (
        "sumd",
        f"(sum({_UP}, {{n}}) - sum({_DOWN}, {{n}})) / (sum({_MOVE}, {{n}}) + {_TINY})",
        "The one less the other.",
    ),
    ("vma", f"mean(volume, {{n}}) / (volume + {_TINY})", "Mean volume over the volume."),
    ("vstd", f"std(volume, {{n}}) / (volume + {_TINY})", "Its standard deviation over the volume."),
    (
        "wvma",
        f"std({_WEIGHTED}, {{n}}) / (mean({_WEIGHTED}, {{n}}) + {_TINY})",
        "Variation of moves weighted by volume.",
    ),
    (
        "vsump",
        f"sum({_VUP}, {{n}}) / (sum({_VMOVE}, {{n}}) + {_TINY})",
        "Share of the changes of volume that went up.",
    ),
    ("vsumn", f"sum({_VDOWN}, {{n}}) / (sum({_VMOVE}, {{n}}) + {_TINY})", "Share that went down."),
    (
        "vsumd",
        f"(sum({_VUP}, {{n}}) - sum({_VDOWN}, {{n}})) / (sum({_VMOVE}, {{n}}) + {_TINY})",
        "The one less the other.",
    ),
)


def rolling(n: int) -> dict[str, str]:
    """Expressions of the statistics of one window, by name."""
    return {f"{name}{n}": text.format(n=n) for name, text, _ in _ROLLING}


FEATURES = table(
    "alpha158",
    _SOURCE,
    *_SHAPES,
    *((f"{name}20", text.format(n=20), what.format(n=20)) for name, text, what in _ROLLING),
)
