"""Dependence on a benchmark, whose level is the column ``benchmark``."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_R = "log_returns(close, 1)"
_B = "log_returns(benchmark, 1)"
_IDIO = f"(var({_R}, 252) * (1 - corr({_R}, {_B}, 252) ** 2))"
FEATURES = (
    *table(
        "dependence",
        "Sharpe (1964), J. Finance 19(3)",
        ("beta_252", f"beta({_R}, {_B}, 252)", "Slope of the return on that of the benchmark."),
        ("correlation_252", f"corr({_R}, {_B}, 252)", "Correlation with the benchmark."),
        (
            "alpha_252",
            f"252 * (mean({_R}, 252) - beta({_R}, {_B}, 252) * mean({_B}, 252))",
            "Yearly log return that the benchmark does not explain.",
        ),
    ),
    *table(
        "dependence",
        "Ang, Hodrick, Xing and Zhang (2006), J. Finance 61(1)",
        (
            "idiosyncratic_volatility",
            f"({_IDIO} * 252) ** 0.5",
            "Volatility that the benchmark does not explain.",
        ),
    ),
    *table(
        "dependence",
        "Ang, Chen and Xing (2006), Review of Financial Studies 19(4)",
        (
            "downside_beta",
            f"sum({_R} * minimum({_B}, 0), 252) / sum(minimum({_B}, 0) ** 2, 252)",
            "Slope through the origin on the days on which the benchmark fell.",
        ),
    ),
    *table(
        "dependence",
        "Harvey and Siddique (2000), J. Finance 55(3)",
        (
            "coskewness",
            f"cov({_R}, ({_B} - mean({_B}, 252)) ** 2, 252) / (std({_R}, 252) * var({_B}, 252))",
            "Covariance with the benchmark's squared moves, standardised.",
        ),
    ),
    *table(
        "dependence",
        "Levy (1967), J. Finance 22(4)",
        (
            "relative_strength",
            "returns(close, 126) - returns(benchmark, 126)",
            "Return of half a year less the benchmark's.",
        ),
    ),
    *table(
        "dependence",
        "Hou and Moskowitz (2005), Review of Financial Studies 18(3)",
        (
            "price_delay",
            f"corr({_R}, delay({_B}, 1), 252)",
            "Correlation with the benchmark's move of the bar before.",
        ),
        (
            "beta_instability",
            f"abs(beta({_R}, {_B}, 63) - beta({_R}, {_B}, 252))",
            "Distance of a quarter's beta from a year's.",
        ),
    ),
)
