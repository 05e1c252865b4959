"""Candles: named shapes of one to three bars, 1 where a shape ends and 0 elsewhere."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_NISON = "Nison (1991), Japanese Candlestick Charting Techniques"
_BODY = "abs(close - open)"
_RANGE = "(high - low)"
_UPPER = "(high - maximum(open, close))"
_LOWER = "(minimum(open, close) - low)"
_LONG = f"{_BODY} > mean({_BODY}, 10)"
_SHORT = f"{_BODY} < 0.5 * mean({_BODY}, 10)"
_UP, _DOWN = "close > open", "close < open"


def _ago(text: str, bars: int) -> str:
    """Write a condition as it was some bars ago."""
    return f"delay({text}, {bars}) > 0.5"


FEATURES = (
    *table(
        "candle",
        _NISON,
        ("candle_body", "(close - open) / (high - low)", "Body over range, -1 to 1."),
        ("candle_upper", f"{_UPPER} / {_RANGE}", "Upper shadow over range, 0 to 1."),
        ("candle_lower", f"{_LOWER} / {_RANGE}", "Lower shadow over range, 0 to 1."),
        ("doji", f"{_BODY} <= 0.1 * {_RANGE}", "Body of at most a tenth of the range."),
        (
            "marubozu",
            f"{_BODY} >= 0.95 * {_RANGE} and {_LONG}",
            "Long body that is nearly all of the range.",
        ),
        (
            "spinning_top",
            f"{_SHORT} and {_UPPER} > {_BODY} and {_LOWER} > {_BODY}",
            "Short body with longer shadows on both sides.",
        ),
        (
            "hammer",
            f"{_LOWER} >= 2 * {_BODY} and {_UPPER} <= 0.1 * {_RANGE} and {_BODY} > 0"
            " and close < mean(close, 10)",
            "Long lower shadow below the 10-bar mean.",
        ),
        (
            "hanging_man",
            f"{_LOWER} >= 2 * {_BODY} and {_UPPER} <= 0.1 * {_RANGE} and {_BODY} > 0"
            " and close > mean(close, 10)",
            "The same shape above the 10-bar mean.",
        ),
        (
            "shooting_star",
            f"{_UPPER} >= 2 * {_BODY} and {_LOWER} <= 0.1 * {_RANGE} and {_BODY} > 0"
            " and close > mean(close, 10)",
            "Long upper shadow above the 10-bar mean.",
        ),
        (
            "engulfing_up",
            f"{_UP} and {_ago(f'({_DOWN})', 1)} and open <= delay(close, 1)"
            " and close >= delay(open, 1)",
            "A rising body that covers the falling one before.",
        ),
        (
            "engulfing_down",
            f"{_DOWN} and {_ago(f'({_UP})', 1)} and open >= delay(close, 1)"
            " and close <= delay(open, 1)",
            "A falling body that covers the rising one before.",
        ),
        (
            "harami",
            f"{_ago(f'({_LONG})', 1)} and maximum(open, close) <= delay(maximum(open, close), 1)"
            f" and minimum(open, close) >= delay(minimum(open, close), 1) and {_SHORT}",
            "A short body within the long one before.",
        ),
        (
            "piercing_line",
            f"{_UP} and {_ago(f'({_DOWN})', 1)} and {_ago(f'({_LONG})', 1)}"
            " and open < delay(low, 1) and close > delay((open + close) / 2, 1)"
            " and close < delay(open, 1)",
            "A rise from below the last low to beyond the middle of the falling body before.",
        ),
        (
            "dark_cloud",
            f"{_DOWN} and {_ago(f'({_UP})', 1)} and {_ago(f'({_LONG})', 1)}"
            " and open > delay(high, 1) and close < delay((open + close) / 2, 1)"
            " and close > delay(open, 1)",
            "A fall from above the last high to below the middle of the rising body before.",
        ),
        (
            "morning_star",
            f"{_ago(f'({_DOWN})', 2)} and {_ago(f'({_LONG})', 2)} and {_ago(f'({_SHORT})', 1)}"
            " and delay(maximum(open, close), 1) < delay(close, 2)"
            f" and {_UP} and close > delay((open + close) / 2, 2)",
            "A long fall, a short body below it, and a rise into the first body.",
        ),
        (
            "evening_star",
            f"{_ago(f'({_UP})', 2)} and {_ago(f'({_LONG})', 2)} and {_ago(f'({_SHORT})', 1)}"
            " and delay(minimum(open, close), 1) > delay(close, 2)"
            f" and {_DOWN} and close < delay((open + close) / 2, 2)",
            "A long rise, a short body above it, and a fall into the first body.",
        ),
        (
            "three_white_soldiers",
            f"{_UP} and {_ago(f'({_UP})', 1)} and {_ago(f'({_UP})', 2)}"
            " and close > delay(close, 1) and delay(close, 1) > delay(close, 2)"
            " and open > delay(open, 1) and open < delay(close, 1)"
            " and delay(open, 1) > delay(open, 2) and delay(open, 1) < delay(close, 2)",
            "Three rising bodies, each opening within the one before.",
        ),
        (
            "three_black_crows",
            f"{_DOWN} and {_ago(f'({_DOWN})', 1)} and {_ago(f'({_DOWN})', 2)}"
            " and close < delay(close, 1) and delay(close, 1) < delay(close, 2)"
            " and open < delay(open, 1) and open > delay(close, 1)"
            " and delay(open, 1) < delay(open, 2) and delay(open, 1) > delay(close, 2)",
            "Three falling bodies, each opening within the one before.",
        ),
    ),
)
