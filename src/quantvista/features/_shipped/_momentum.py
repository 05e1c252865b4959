"""Momentum: what has risen, how, and when."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "momentum",
        "Jegadeesh and Titman (1993), J. Finance 48(1)",
        (
            "momentum_12_1",
            "delay(close, 21) / delay(close, 252) - 1",
            "Return of 12 months less the last.",
        ),
        ("return_1", "returns(close, 1)", "Return of one bar."),
    ),
    *table(
        "momentum",
        "Jegadeesh (1990), J. Finance 45(3)",
        ("reversal_1m", "-returns(close, 21)", "Return of the last month with its sign turned."),
    ),
    *table(
        "momentum",
        "De Bondt and Thaler (1985), J. Finance 40(3)",
        (
            "reversal_36_13",
            "-(delay(close, 252) / delay(close, 756) - 1)",
            "Return of three years less the last, with its sign turned.",
        ),
    ),
    *table(
        "momentum",
        "Novy-Marx (2012), J. Financial Economics 103(3)",
        ("momentum_12_7", "delay(close, 126) / delay(close, 252) - 1", "Return of months 12 to 7."),
    ),
    *table(
        "momentum",
        "Moskowitz, Ooi and Pedersen (2012), J. Financial Economics 104(2)",
        (
            "momentum_scaled",
            "log_returns(close, 252) / (std(log_returns(close, 1), 63) * 252 ** 0.5)",
            "Log return of a year over its volatility.",
        ),
    ),
    *table(
        "momentum",
        "George and Hwang (2004), J. Finance 59(5)",
        (
            "high_ratio",
            "close / max(high, 252)",
            "Close over the highest high of a year, at most 1.",
        ),
    ),
    *table(
        "momentum",
        "Da, Gurun and Warachka (2014), Review of Financial Studies 27(7)",
        (
            "information_discreteness",
            "sign(returns(close, 252))"
            " * (mean(returns(close, 1) < 0, 252) - mean(returns(close, 1) > 0, 252))",
            "Positive where a year's return came in few large steps.",
        ),
    ),
    *table(
        "momentum",
        "Gettleman and Marks (2006), Acceleration Strategies",
        (
            "acceleration",
            "returns(close, 126) - delay(returns(close, 126), 126)",
            "Return of half a year less that of the half year before.",
        ),
    ),
    *table(
        "momentum",
        "Lou, Polk and Skouras (2019), J. Financial Economics 134(1)",
        (
            "overnight_momentum",
            "sum(log(open / delay(close, 1)), 21)",
            "Sum of a month's log returns from close to open.",
        ),
        (
            "intraday_momentum",
            "sum(log(close / open), 21)",
            "Sum of a month's log returns from open to close.",
        ),
        (
            "tug_of_war",
            "sum(log(open / delay(close, 1)), 21) - sum(log(close / open), 21)",
            "Overnight less intraday log return of a month.",
        ),
    ),
    *table(
        "momentum",
        "Heston and Sadka (2008), J. Financial Economics 87(2)",
        (
            "seasonal_return",
            "delay(returns(close, 21), 231)",
            "Return of the same month a year ago.",
        ),
    ),
    *table(
        "momentum",
        "Bali, Cakici and Whitelaw (2011), J. Financial Economics 99(2)",
        ("max_return", "max(returns(close, 1), 21)", "Best day of a month: lottery demand."),
        ("min_return", "min(returns(close, 1), 21)", "Worst day of a month."),
    ),
    *table(
        "momentum",
        "Grinblatt and Moskowitz (2004), J. Financial Economics 71(3)",
        ("up_share", "mean(returns(close, 1) > 0, 63)", "Share of bars of a quarter that rose."),
        (
            "streak",
            "streak(sign(delta(close, 1)))",
            "Bars in a row that rose, or fell if negative.",
        ),
    ),
    *table(
        "momentum",
        "Coppock (1962); Pring (1992), Martin Pring on Market Momentum",
        (
            "coppock",
            "wma(100 * returns(close, 14) + 100 * returns(close, 11), 10)",
            "Coppock curve, in percent.",
        ),
        (
            "kst",
            "100 * (mean(returns(close, 10), 10) + 2 * mean(returns(close, 15), 10)"
            " + 3 * mean(returns(close, 20), 10) + 4 * mean(returns(close, 30), 15))",
            "Know sure thing, in percent.",
        ),
    ),
)
