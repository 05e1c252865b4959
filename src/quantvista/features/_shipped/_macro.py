"""Macro: series that are the same for all instruments, joined as they were known.

Columns: ``vix`` (points), ``yield_10y`` and ``yield_3m`` (percent), ``cpi`` and ``earnings_index``
(levels), ``wti`` (a price), ``index`` (a stock index). `quantvista.features.join` puts them beside
bars.
"""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

FEATURES = (
    *table(
        "macro",
        "Whaley (2000), J. Portfolio Management 26(3)",
        ("vix_level", "vix", "Implied volatility, in points."),
        ("vix_zscore", "zscore(vix, 252)", "Implied volatility in standard deviations of a year."),
        ("vix_change", "delta(vix, 5)", "Its change of a week."),
        (
            "variance_premium",
            "vix ** 2 / 10000 - var(log_returns(close, 1), 21) * 252",
            "Implied less realised variance (Bollerslev, Tauchen and Zhou 2009, RFS 22(11)).",
        ),
    ),
    *table(
        "macro",
        "Estrella and Mishkin (1998), Review of Economics and Statistics 80(1)",
        ("term_spread", "yield_10y - yield_3m", "Long less short yield, in points of percent."),
        ("yield_change", "delta(yield_10y, 21)", "Change of the long yield within a month."),
    ),
    *table(
        "macro",
        "Fama and Schwert (1977), J. Financial Economics 5(2)",
        (
            "inflation",
            "100 * returns(cpi, 252)",
            "Change of consumer prices of a year, percent; 252 bars.",
        ),
        ("real_yield", "yield_10y - 100 * returns(cpi, 252)", "Long yield less inflation."),
    ),
    *table(
        "macro",
        "Driesprong, Jacobsen and Maat (2008), J. Financial Economics 89(2)",
        ("oil_return", "returns(wti, 21)", "Return of oil of a month."),
        (
            "oil_beta",
            "beta(log_returns(close, 1), log_returns(wti, 1), 252)",
            "Slope of the return on that of oil.",
        ),
    ),
    *table(
        "macro",
        "Campbell and Shiller (1988), J. Finance 43(3)",
        (
            "earnings_yield_gap",
            "100 * earnings_index / index - yield_10y",
            "Earnings yield of the market less the long yield.",
        ),
    ),
    *table(
        "macro",
        "Campbell and Vuolteenaho (2004), American Economic Review 94(5)",
        (
            "rate_beta",
            "beta(log_returns(close, 1), delta(yield_10y, 1), 252)",
            "Slope of the return on changes of the long yield.",
        ),
    ),
)
