"""The demo fund's rules in bt, as near as they go: two sleeves of 20 stocks, and equal weight.

Month-end rebalance, inverse volatility over 63 days, a fee of 1 bp and slippage of 2 bp as one
commission of 3 bp, statistics of bt. What it lacks: limits, sub-ledgers, exact money, records of
decisions, output files and a report. Timed: reading the prices, all runs, statistics.

``PRICES`` in the environment names the file of prices. The size is the number of runs.
"""

import importlib.metadata
import os

import bt
import pandas as pd
from _common import Stopwatch, main

COMMISSION = 0.0003


class AboveZero(bt.Algo):
    """Selects what has risen over a year."""

    def __call__(self, target: bt.Strategy) -> bool:
        """Keep the names with a positive return."""
        prices = target.universe.loc[: target.now]
        if len(prices) <= 252:
            return False
        change = prices.iloc[-1] / prices.iloc[-253] - 1
        target.temp["selected"] = list(change[change > 0].index)
        return True


def _sleeve(name: str, *select: bt.Algo) -> bt.Strategy:
    monthly = bt.algos.RunMonthly(run_on_end_of_period=True)
    weigh = bt.algos.WeighInvVol(lookback=pd.DateOffset(days=91))  # about 63 sessions
    return bt.Strategy(name, [monthly, *select, weigh, bt.algos.Rebalance()])


def _fund() -> bt.Strategy:
    trend = _sleeve("trend", AboveZero())
    momentum = _sleeve(
        "momentum",
        bt.algos.RunAfterDays(252),
        bt.algos.SelectAll(),
        bt.algos.SelectMomentum(n=6, lookback=pd.DateOffset(days=365), lag=pd.DateOffset(days=30)),
    )
    once = [bt.algos.RunOnce(), bt.algos.SelectAll(), bt.algos.WeighEqually()]
    return bt.Strategy("demo", [*once, bt.algos.Rebalance()], [trend, momentum])


def _equal_weight() -> bt.Strategy:
    monthly = bt.algos.RunMonthly(run_on_end_of_period=True)
    algos = [monthly, bt.algos.SelectAll(), bt.algos.WeighEqually(), bt.algos.Rebalance()]
    return bt.Strategy("equal_weight", algos)


def _commission(quantity: float, price: float) -> float:
    return abs(quantity) * price * COMMISSION


def work(runs: int) -> tuple[float, int, str, str]:
    with Stopwatch() as watch:
        for _ in range(runs):
            prices = pd.read_csv(os.environ["PRICES"], index_col=0, parse_dates=True)
            backtests = [
                bt.Backtest(
                    strategy,
                    prices,
                    initial_capital=1_000_000.0,
                    commissions=_commission,
                    integer_positions=True,
                    progress_bar=False,
                )
                for strategy in (_fund(), _equal_weight())
            ]
            result = bt.run(*backtests)
            result.stats  # noqa: B018 - computes the statistics
    final = float(result.prices["demo"].iloc[-1])
    version = importlib.metadata.version("bt")
    return watch.seconds / runs, prices.size, version, f"{final:.2f}"


if __name__ == "__main__":
    main(work)
