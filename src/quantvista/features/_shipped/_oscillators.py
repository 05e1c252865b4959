"""Oscillators: how far a price has swung within its recent range."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "oscillator",
        "Wilder (1978), New Concepts in Technical Trading Systems",
        ("rsi_14", "rsi(close, 14)", "Relative strength index, 0 to 100."),
    ),
    *table(
        "oscillator",
        "Lane (1984), Technical Analysis of Stocks & Commodities 2(3)",
        (
            "stochastic_k",
            "100 * (close - min(low, 14)) / (max(high, 14) - min(low, 14))",
            "Stochastic %K, 0 to 100.",
        ),
        ("stochastic_d", "mean(stochastic_k, 3)", "Mean of three %K."),
    ),
    *table(
        "oscillator",
        "Chande and Kroll (1994), The New Technical Trader",
        (
            "stochastic_rsi",
            "(rsi(close, 14) - min(rsi(close, 14), 14))"
            " / (max(rsi(close, 14), 14) - min(rsi(close, 14), 14))",
            "Place of the RSI within its own range, 0 to 1.",
        ),
        ("cmo_14", "cmo(close, 14)", "Chande momentum oscillator, -100 to 100."),
        ("qstick", "mean(close - open, 8) / close", "Mean body of 8 bars over the close."),
    ),
    *table(
        "oscillator",
        "Williams (1979), How I Made One Million Dollars; Williams (1985), TASC 3(4)",
        ("williams_r", "willr(14)", "Williams %R, -100 to 0."),
        ("ultimate", "ultosc(7, 14, 28)", "Ultimate oscillator, 0 to 100."),
        (
            "awesome",
            "(mean((high + low) / 2, 5) - mean((high + low) / 2, 34)) / close",
            "Mean of 5 mid-ranges less that of 34, over the close.",
        ),
    ),
    *table(
        "oscillator",
        "Lambert (1980), Commodities",
        ("cci_20", "cci(20)", "Commodity channel index; about a third of values are beyond +-100."),
    ),
    *table(
        "oscillator",
        "Hutson (1983), Technical Analysis of Stocks & Commodities 1(5)",
        ("trix_15", "trix(close, 15)", "Change of a triple exponential mean, percent a bar."),
    ),
    *table(
        "oscillator",
        "Appel (2005); Murphy (1999)",
        (
            "ppo",
            "100 * (ema(close, 12) - ema(close, 26)) / ema(close, 26)",
            "Percentage price oscillator.",
        ),
        ("rate_of_change", "100 * returns(close, 10)", "Change over 10 bars in percent."),
        (
            "detrended_price",
            "(delay(close, 11) - mean(close, 20)) / close",
            "Close 11 bars ago less the 20-bar mean, over the close.",
        ),
    ),
    *table(
        "oscillator",
        "Livshin (2001), Technical Analysis of Stocks & Commodities 19(8)",
        (
            "balance_of_power",
            "mean((close - open) / (high - low), 14)",
            "Mean of bodies over ranges, -1 to 1.",
        ),
    ),
    *table(
        "oscillator",
        "Blau (1995), Momentum, Direction, and Divergence",
        (
            "true_strength",
            "100 * ema(ema(delta(close, 1), 25), 13) / ema(ema(abs(delta(close, 1)), 25), 13)",
            "True strength index, -100 to 100.",
        ),
        (
            "stochastic_momentum",
            "100 * ema(ema(close - (max(high, 13) + min(low, 13)) / 2, 25), 2)"
            " / (ema(ema(max(high, 13) - min(low, 13), 25), 2) / 2)",
            "Stochastic momentum index, -100 to 100.",
        ),
    ),
    *table(
        "oscillator",
        "Bollinger (2001), Bollinger on Bollinger Bands",
        (
            "bollinger_b",
            "(close - mean(close, 20) + 2 * std(close, 20)) / (4 * std(close, 20))",
            "%b: 0 at the lower band, 1 at the upper.",
        ),
    ),
    *table(
        "oscillator",
        "Connors and Alvarez (2012), An Introduction to ConnorsRSI",
        (
            "connors_rsi",
            "(rsi(close, 3) + rsi(streak(sign(delta(close, 1))), 2)"
            " + 100 * rank_ts(returns(close, 1), 100)) / 3",
            "Mean of three ranks of the close, of its streak and of its last move, 0 to 100.",
        ),
    ),
    *table(
        "oscillator",
        "Dorsey (1993); Ehlers (2002), Technical Analysis of Stocks & Commodities 20(1)",
        (
            "relative_vigor",
            "mean((close - open + 2 * delay(close - open, 1) + 2 * delay(close - open, 2)"
            " + delay(close - open, 3)) / 6, 10)"
            " / mean((high - low + 2 * delay(high - low, 1) + 2 * delay(high - low, 2)"
            " + delay(high - low, 3)) / 6, 10)",
            "Relative vigor index: smoothed bodies over smoothed ranges.",
        ),
        (
            "fisher",
            "0.5 * log((1 + clip(0.999 * ewm(2 * channel_mid - 1, 0.33), -0.999, 0.999))"
            " / (1 - clip(0.999 * ewm(2 * channel_mid - 1, 0.33), -0.999, 0.999)))".replace(
                "channel_mid",
                "(((high + low) / 2 - min((high + low) / 2, 10))"
                " / (max((high + low) / 2, 10) - min((high + low) / 2, 10)))",
            ),
            "Fisher transform of the smoothed place within 10 mid-ranges.",
        ),
    ),
    *table(
        "oscillator",
        "Elder (1993), Trading for a Living",
        (
            "bull_power",
            "(high - ema(close, 13)) / close",
            "High above the exponential mean, over the close.",
        ),
        (
            "bear_power",
            "(low - ema(close, 13)) / close",
            "Low above the exponential mean, over the close.",
        ),
    ),
    *table(
        "oscillator",
        "Standard score; percent rank of Appel and Hitschler (1980)",
        (
            "zscore_20",
            "zscore(close, 20)",
            "Close less its mean, in standard deviations of 20 bars.",
        ),
        ("percent_rank", "rank_ts(close, 252)", "Rank of the close among a year's, 0 to 1."),
    ),
)
