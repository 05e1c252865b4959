"""Bars through our engine: every bar marked, one resting order per instrument, no strategy.

Timed: all rows and the final state hash. Not timed: making the bars, copying them in.
"""

from _common import INSTRUMENTS, Stopwatch, bars, far_limits, main
from _ours import config, feed

from quantvista import __version__
from quantvista.engine import LimitRates, Session


def work(rows: int) -> tuple[float, int, str, str]:
    made = bars(rows)
    limits = far_limits(made)
    wide = LimitRates(price_band=990_000_000)  # lets an order rest far from the market
    session = Session(config(wide), feed(made), record="accounts")
    del made
    session.run(1, [])
    session.submit_orders(
        0, [(i, "buy", 1, "limit", "gtc", price) for i, price in enumerate(limits)]
    )
    with Stopwatch() as watch:
        session.run(rows, [])
        check = session.state_hash()
    session.audit()
    if session.fills:
        raise RuntimeError("a resting order was filled")
    return watch.seconds, (rows - 1) * INSTRUMENTS, __version__, check


if __name__ == "__main__":
    main(work)
