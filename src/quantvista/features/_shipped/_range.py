"""Ranges and gaps: the shape of a bar against the bars before it."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "range",
        "Wilder (1978), New Concepts in Technical Trading Systems",
        ("true_range", "true_range(high, low, close) / close", "True range over the close."),
        ("gap", "open / delay(close, 1) - 1", "Move from the last close to the open."),
        ("day_range", "(high - low) / close", "High less low over the close."),
        (
            "close_location",
            "((close - low) - (high - close)) / (high - low)",
            "Where the close lies in its range: -1 at the low, 1 at the high.",
        ),
    ),
    *table(
        "range",
        "Crabel (1990), Day Trading with Short Term Price Patterns",
        (
            "range_expansion",
            "true_range(high, low, close) / delay(atr(10), 1)",
            "True range over the mean one before.",
        ),
        (
            "narrow_range_7",
            "(high - low) <= min(high - low, 7)",
            "1 where the range is the smallest of seven.",
        ),
        (
            "inside_bar",
            "high < delay(high, 1) and low > delay(low, 1)",
            "1 where the range lies within the last one.",
        ),
        (
            "outside_bar",
            "high > delay(high, 1) and low < delay(low, 1)",
            "1 where the range contains the last one.",
        ),
        (
            "gap_filled",
            "(open > delay(high, 1) and low <= delay(high, 1))"
            " or (open < delay(low, 1) and high >= delay(low, 1))",
            "1 where a gap outside the last range was closed within the bar.",
        ),
    ),
    *table(
        "range",
        "Dorsey (1992), Technical Analysis of Stocks & Commodities 10(6)",
        (
            "mass_index",
            "sum(ema(high - low, 9) / ema(ema(high - low, 9), 9), 25)",
            "Mass index: above 27, then below 26.5, is its reversal bulge.",
        ),
    ),
    *table(
        "range",
        "Dreiss, the choppiness index, in Kaufman (2013), Trading Systems and Methods",
        (
            "choppiness",
            "100 * log(sum(true_range(high, low, close), 14) / (max(high, 14) - min(low, 14)))"
            " / log(14)",
            "Way walked over the range covered, 0 is a straight trend, 100 is sideways.",
        ),
    ),
    *table(
        "range",
        "Donchian's channel; floor traders' pivots, in Person (2004)",
        (
            "channel_width",
            "(max(high, 20) - min(low, 20)) / close",
            "Range of 20 bars over the close.",
        ),
        (
            "pivot_gap",
            "close / delay((high + low + close) / 3, 1) - 1",
            "Close above the pivot of the bar before.",
        ),
        (
            "trading_range_share",
            "(high - low) / (max(high, 20) - min(low, 20))",
            "Range of the bar over that of 20 bars.",
        ),
    ),
)
