"""Volume: how much traded, and on which side of the price."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_TYPICAL = "(high + low + close) / 3"
_CLV = "((close - low) - (high - close)) / (high - low)"
FEATURES = (
    *table(
        "volume",
        "Achelis (2001), Technical Analysis from A to Z",
        (
            "relative_volume",
            "volume / mean(delay(volume, 1), 20)",
            "Volume over the mean of the 20 bars before.",
        ),
        (
            "volume_zscore",
            "zscore(log(volume), 60)",
            "Log volume in standard deviations of 60 bars.",
        ),
        (
            "volume_trend",
            "slope(log(volume), 60)",
            "Slope of a line through 60 log volumes, a bar.",
        ),
        (
            "volume_oscillator",
            "100 * (ema(volume, 12) - ema(volume, 26)) / ema(volume, 26)",
            "Percentage volume oscillator.",
        ),
        ("money_flow", "mfi(14)", "Money flow index, 0 to 100."),
        (
            "price_volume_trend",
            "sum(returns(close, 1) * volume, 21) / sum(volume, 21)",
            "Returns of a month, weighted by volume.",
        ),
    ),
    *table(
        "volume",
        "Granville (1963), New Key to Stock Market Profits",
        (
            "obv_slope",
            "slope(obv(close, volume), 21) / mean(volume, 21)",
            "Slope of the on-balance volume over a mean bar's volume, -1 to 1.",
        ),
    ),
    *table(
        "volume",
        "Chaikin, in Achelis (2001), Technical Analysis from A to Z",
        (
            "chaikin_money_flow",
            f"sum({_CLV} * volume, 21) / sum(volume, 21)",
            "Volume weighted by where the close lies in its range, -1 to 1.",
        ),
        (
            "chaikin_oscillator",
            "(ema(ad(high, low, close, volume), 3) - ema(ad(high, low, close, volume), 10))"
            " / mean(volume, 21)",
            "Fast less slow mean of the accumulation line, in bars' volumes.",
        ),
    ),
    *table(
        "volume",
        "Elder (1993), Trading for a Living",
        (
            "force_index",
            "ema(delta(close, 1) * volume, 13) / (mean(volume, 21) * close)",
            "Mean of moves times volume, over a mean bar's turnover.",
        ),
    ),
    *table(
        "volume",
        "Arms (1996), Trading Without Fear",
        (
            "ease_of_movement",
            "mean(((high + low) / 2 - delay((high + low) / 2, 1)) * (high - low) / volume, 14)"
            " * mean(volume, 63) / close ** 2",
            "How far the middle moves for its volume, freed of the units of both.",
        ),
    ),
    *table(
        "volume",
        "Berkowitz, Logue and Noser (1988), J. Finance 43(1)",
        (
            "vwap_gap",
            f"close / (sum({_TYPICAL} * volume, 20) / sum(volume, 20)) - 1",
            "Close above the mean price of 20 bars, weighted by volume.",
        ),
    ),
    *table(
        "volume",
        "Karpoff (1987), J. Financial and Quantitative Analysis 22(1)",
        (
            "price_volume_correlation",
            "corr(returns(close, 1), delta(log(volume), 1), 63)",
            "Correlation of returns with changes of log volume.",
        ),
        (
            "move_volume_correlation",
            "corr(abs(returns(close, 1)), log(volume), 63)",
            "Correlation of the size of moves with log volume.",
        ),
    ),
    *table(
        "volume",
        "Chordia, Subrahmanyam and Anshuman (2001), J. Financial Economics 59(1)",
        (
            "volume_variation",
            "std(volume, 63) / mean(volume, 63)",
            "Coefficient of variation of volume.",
        ),
        (
            "dollar_volume",
            "log(mean(close * volume, 21))",
            "Log of a month's mean turnover in money.",
        ),
    ),
    *table(
        "volume",
        "Gervais, Kaniel and Mingelgrin (2001), J. Finance 56(3)",
        (
            "volume_rank",
            "rank_ts(volume, 50)",
            "Rank of the volume among 50 bars, 0 to 1: the high-volume premium.",
        ),
        (
            "up_volume_share",
            "sum((close > delay(close, 1)) * volume, 21) / sum(volume, 21)",
            "Share of a month's volume in bars that rose.",
        ),
    ),
)
