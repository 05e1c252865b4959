"""Volatility: how far prices move, by closes and by ranges, and in which shape."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_R = "log_returns(close, 1)"
FEATURES = (
    *table(
        "volatility",
        "Sample standard deviation of log returns, a year of 252 bars",
        ("volatility", f"std({_R}, 21) * 252 ** 0.5", "Volatility of a month, a year's scale."),
        (
            "volatility_ratio",
            f"std({_R}, 10) / std({_R}, 63)",
            "Volatility of two weeks over that of a quarter.",
        ),
        (
            "volatility_of_volatility",
            f"std(std({_R}, 21), 63) / mean(std({_R}, 21), 63)",
            "How unsteady the volatility of a month was within a quarter.",
        ),
        ("skewness", f"skew({_R}, 63)", "Skewness of a quarter's log returns."),
        ("kurtosis", f"kurt({_R}, 63)", "Excess kurtosis of a quarter's log returns."),
        (
            "gap_volatility",
            "std(log(open / delay(close, 1)), 21) * 252 ** 0.5",
            "Volatility of the moves from close to open.",
        ),
        (
            "autocorrelation",
            f"corr({_R}, delay({_R}, 1), 63)",
            "Correlation of a return with the one before.",
        ),
        (
            "volatility_clustering",
            f"corr(abs({_R}), delay(abs({_R}), 1), 126)",
            "Correlation of the size of a return with the one before.",
        ),
    ),
    *table(
        "volatility",
        "J.P. Morgan and Reuters (1996), RiskMetrics Technical Document, 4th ed.",
        (
            "ewma_volatility",
            f"(ewm({_R} ** 2, 0.06) * 252) ** 0.5",
            "Volatility with a decay of 0.94 a bar, no mean taken off.",
        ),
    ),
    *table(
        "volatility",
        "Andersen, Bollerslev, Diebold and Labys (2003), Econometrica 71(2)",
        (
            "realised_volatility",
            "realised(close, 21)",
            "Root of the sum of squared log returns of a month.",
        ),
    ),
    *table(
        "volatility",
        "Parkinson (1980), J. Business 53(1)",
        (
            "parkinson_volatility",
            "parkinson(high, low, 21) * 252 ** 0.5",
            "By high and low; no drift, no gaps.",
        ),
    ),
    *table(
        "volatility",
        "Garman and Klass (1980), J. Business 53(1)",
        (
            "garman_klass_volatility",
            "garman_klass(open, high, low, close, 21) * 252 ** 0.5",
            "By open, high, low and close; no drift, no gaps.",
        ),
    ),
    *table(
        "volatility",
        "Rogers and Satchell (1991), Annals of Applied Probability 1(4)",
        (
            "rogers_satchell_volatility",
            "rogers_satchell(open, high, low, close, 21) * 252 ** 0.5",
            "By ranges, right under any drift; no gaps.",
        ),
    ),
    *table(
        "volatility",
        "Yang and Zhang (2000), J. Business 73(3)",
        (
            "yang_zhang_volatility",
            "yang_zhang(open, high, low, close, 21) * 252 ** 0.5",
            "By ranges and gaps, right under any drift.",
        ),
        (
            "range_efficiency",
            f"parkinson(high, low, 21) / std({_R}, 21)",
            "Volatility by ranges over that by closes: above 1 where moves are taken back.",
        ),
    ),
    *table(
        "volatility",
        "Wilder (1978), New Concepts in Technical Trading Systems",
        ("natr_14", "natr(14)", "Average true range in percent of the close."),
        ("atr_ratio", "atr(5) / atr(63)", "Average true range of a week over that of a quarter."),
    ),
    *table(
        "volatility",
        "Sortino and van der Meer (1991), J. Portfolio Management 17(4)",
        (
            "downside_deviation",
            f"(mean(minimum({_R}, 0) ** 2, 63) * 252) ** 0.5",
            "Root mean square of negative log returns, a year's scale.",
        ),
        (
            "upside_share",
            f"mean(maximum({_R}, 0) ** 2, 63) / mean({_R} ** 2, 63)",
            "Share of the squared moves that went up; a half is even.",
        ),
    ),
    *table(
        "volatility",
        "Barndorff-Nielsen and Shephard (2004), J. Financial Econometrics 2(1)",
        (
            "bipower_volatility",
            f"(1.5707963267948966 * mean(abs({_R}) * delay(abs({_R}), 1), 21) * 252) ** 0.5",
            "Volatility by products of neighbouring moves, which jumps hardly touch.",
        ),
        (
            "jump_share",
            f"maximum(1 - 1.5707963267948966 * mean(abs({_R}) * delay(abs({_R}), 1), 21)"
            f" / mean({_R} ** 2, 21), 0)",
            "Share of the variance of a month that came in jumps.",
        ),
    ),
    *table(
        "volatility",
        "Lo and MacKinlay (1988), Review of Financial Studies 1(1)",
        (
            "variance_ratio",
            f"var(log_returns(close, 5), 126) / (5 * var({_R}, 126))",
            "Variance of five bars over five times that of one: above 1 where moves go on.",
        ),
    ),
    *table(
        "volatility",
        "Jorion (2006), Value at Risk, 3rd ed.",
        (
            "historical_var",
            "-quantile(returns(close, 1), 252, 0.05)",
            "Loss of the 5 % quantile of a year; positive is a loss.",
        ),
        (
            "tail_ratio",
            "quantile(returns(close, 1), 252, 0.95) / -quantile(returns(close, 1), 252, 0.05)",
            "Best twentieth over worst twentieth of a year's returns.",
        ),
    ),
    *table(
        "volatility",
        "Bollinger (2001), Bollinger on Bollinger Bands; Keltner (1960), How to Make Money",
        (
            "bollinger_width",
            "4 * std(close, 20) / mean(close, 20)",
            "Width of the bands over their middle.",
        ),
        (
            "keltner_width",
            "4 * atr(10) / ema(close, 20)",
            "Width of the channel of 2 ranges over its middle.",
        ),
        (
            "squeeze",
            "(4 * std(close, 20)) / (3 * atr(20))",
            "Width of Bollinger's bands over Keltner's of 1.5 ranges; below 1 is a squeeze.",
        ),
    ),
    *table(
        "volatility",
        "Chaikin, in Achelis (2001), Technical Analysis from A to Z",
        (
            "chaikin_volatility",
            "100 * (ema(high - low, 10) / delay(ema(high - low, 10), 10) - 1)",
            "Change of the mean range within 10 bars, in percent.",
        ),
    ),
)
