"""Cross-sections: each instrument against the others at the same time."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "cross_section",
        "Asness, Moskowitz and Pedersen (2013), J. Finance 68(3), section I",
        ("rank_momentum", "rank(momentum_12_1)", "Rank of momentum, above 0 to 1."),
        (
            "score_momentum",
            "zscore_cs(winsorise(momentum_12_1, 0.05))",
            "Momentum in standard deviations across instruments, tails cut at 5 %.",
        ),
    ),
    *table(
        "cross_section",
        "Moskowitz and Grinblatt (1999), J. Finance 54(4)",
        (
            "sector_neutral_momentum",
            "zscore_cs(neutralise(momentum_12_1))",
            "Momentum less its sector's mean, standardised.",
        ),
        (
            "sector_momentum",
            "momentum_12_1 - neutralise(momentum_12_1)",
            "Mean momentum of the sector.",
        ),
    ),
    *table(
        "cross_section",
        "Baker, Bradley and Wurgler (2011), Financial Analysts Journal 67(1)",
        ("rank_low_volatility", "rank(-volatility)", "Rank of the volatility, the calmest at 1."),
    ),
    *table(
        "cross_section",
        "Lehmann (1990), Quarterly J. Economics 105(1)",
        (
            "relative_reversal",
            "-demean(returns(close, 5))",
            "Return of a week below the mean of all: what fell is positive.",
        ),
    ),
    *table(
        "cross_section",
        "Amihud (2002), J. Financial Markets 5(1)",
        (
            "rank_illiquidity",
            "rank(amihud(close, volume, 63))",
            "Rank of illiquidity, the least liquid at 1.",
        ),
        (
            "volume_share",
            "close * volume / cs_sum(close * volume)",
            "Share of the turnover of all instruments.",
        ),
    ),
    *table(
        "cross_section",
        "Kakushadze (2016), 101 Formulaic Alphas, Wilmott 84",
        (
            "alpha_101",
            "(close - open) / (high - low + 0.001)",
            "Body over range, padded as in alpha 101.",
        ),
        (
            "alpha_6",
            "-corr(open, volume, 10)",
            "Alpha 6: correlation of open and volume, its sign turned.",
        ),
        ("alpha_12", "sign(delta(volume, 1)) * -delta(close, 1)", "Alpha 12."),
        ("alpha_33", "rank(-(1 - open / close))", "Alpha 33."),
        (
            "alpha_41",
            "(high * low) ** 0.5 - (high + low + close) / 3",
            "Alpha 41, with the typical price for the mean one.",
        ),
        ("alpha_53", "-delta(((close - low) - (high - close)) / (close - low), 9)", "Alpha 53."),
    ),
)
