"""Microstructure: spreads, depth, order flow and the cost of trading."""

from quantvista.features._shipped._table import table

__all__ = ["FEATURES"]

_MID = "((bid + ask) / 2)"
_BETA = "(log(high / low) ** 2 + delay(log(high / low) ** 2, 1))"
_GAMMA = "(log(maximum(high, delay(high, 1)) / minimum(low, delay(low, 1))) ** 2)"
_K = "(3 - 2 * 2 ** 0.5)"
_ALPHA = f"((2 ** 0.5 - 1) * {_BETA} ** 0.5 / {_K} - ({_GAMMA} / {_K}) ** 0.5)"
FEATURES = (
    *table(
        "microstructure",
        "Hasbrouck (2007), Empirical Market Microstructure, ch. 2",
        ("quoted_spread", f"(ask - bid) / {_MID}", "Ask less bid over the mid."),
        (
            "spread_zscore",
            f"zscore((ask - bid) / {_MID}, 100)",
            "Quoted spread in standard deviations of 100 quotes.",
        ),
        ("depth", "log(bid_size + ask_size)", "Log of the size on both sides."),
        ("mid_return", f"log_returns({_MID}, 1)", "Log return of the mid."),
        (
            "effective_spread",
            f"2 * abs(close - {_MID}) / {_MID}",
            "Twice the distance of the last trade, in close, from the mid.",
        ),
    ),
    *table(
        "microstructure",
        "Cao, Hansch and Wang (2009), J. Futures Markets 29(1)",
        (
            "queue_imbalance",
            "(bid_size - ask_size) / (bid_size + ask_size)",
            "Bid size less ask size over both, -1 to 1.",
        ),
    ),
    *table(
        "microstructure",
        "Stoikov (2018), Quantitative Finance 18(12), the weighted mid",
        (
            "microprice_gap",
            f"(bid * ask_size + ask * bid_size) / (bid_size + ask_size) / {_MID} - 1",
            "Price weighted by the size of the other side, above the mid.",
        ),
    ),
    *table(
        "microstructure",
        "Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1)",
        (
            "order_flow_imbalance",
            "sum(ofi(bid, bid_size, ask, ask_size), 50) / mean(bid_size + ask_size, 50)",
            "What was added to the bid less what was added to the ask, in mean depths.",
        ),
    ),
    *table(
        "microstructure",
        "Kyle (1985), Econometrica 53(6), by regression as in Hasbrouck (2007)",
        (
            "kyle_lambda",
            "kyle(close, (2 * (close > open) - 1) * volume, 60)",
            "Price move for one unit of signed volume; the sign of a bar is that of its body.",
        ),
    ),
    *table(
        "microstructure",
        "Roll (1984), J. Finance 39(4)",
        (
            "roll_spread",
            "roll_spread(close, 60) / close",
            "Spread that the bounce of closes implies, over the close.",
        ),
    ),
    *table(
        "microstructure",
        "Amihud (2002), J. Financial Markets 5(1)",
        (
            "amihud_illiquidity",
            "1e6 * amihud(close, volume, 21)",
            "Mean size of a move for a million of turnover.",
        ),
    ),
    *table(
        "microstructure",
        "Corwin and Schultz (2012), J. Finance 67(2)",
        (
            "corwin_schultz_spread",
            f"mean(maximum(2 * (exp({_ALPHA}) - 1) / (1 + exp({_ALPHA})), 0), 21)",
            "Spread that high and low imply, mean of a month, negative ones as 0.",
        ),
    ),
    *table(
        "microstructure",
        "Abdi and Ranaldo (2017), Review of Financial Studies 30(12)",
        (
            "abdi_ranaldo_spread",
            "2 * maximum(mean((log(delay(close, 1)) - delay((log(high) + log(low)) / 2, 1))"
            " * (log(delay(close, 1)) - (log(high) + log(low)) / 2), 21), 0) ** 0.5",
            "Spread that closes and mid-ranges imply over a month.",
        ),
    ),
    *table(
        "microstructure",
        "Lesmond, Ogden and Trzcinka (1999), Review of Financial Studies 12(5)",
        ("zero_return_share", "mean(delta(close, 1) == 0, 63)", "Share of bars that did not move."),
    ),
    *table(
        "microstructure",
        "Easley, Lopez de Prado and O'Hara (2012), Review of Financial Studies 25(5)",
        (
            "flow_toxicity",
            "vpin(close, volume, 50)",
            "Share of 50 bars' volume by which one side outweighed the other, 0 to 1.",
        ),
    ),
    *table(
        "microstructure",
        "Pastor and Stambaugh (2003), J. Political Economy 111(3)",
        (
            "volume_reversal",
            "1e6 * beta(returns(close, 1), delay(sign(returns(close, 1)) * close * volume, 1), 60)",
            "Return that follows a million of signed turnover; negative where it is taken back.",
        ),
    ),
)
