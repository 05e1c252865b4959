"""Callbacks of an event strategy in Python: three reads each, and an order at every tenth.

Timed: all rows, engine included. Not timed: making bars, copying them in.
"""

from _common import INSTRUMENTS, Stopwatch, bars, main
from _ours import config, feed

from quantvista import __version__
from quantvista.engine import Context as EngineContext
from quantvista.engine import LimitRates, Session, SessionClock
from quantvista.strategies import Bar, Context, EventStrategy, make_rng


class Load(EventStrategy):
    """Buys one share at every tenth bar and sells it at the next occasion."""

    seen = 0
    total = 0.0

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Read the close, the position and the cash."""
        held = ctx.position(bar.instrument)
        self.total += bar.close + held + ctx.cash
        self.seen += 1
        if self.seen % 10 == 0:
            ctx.submit(bar.instrument, "sell" if held else "buy", 1, tif="gtc")


def work(rows: int) -> tuple[float, int, str, str]:
    session = Session(config(LimitRates()), feed(bars(rows)), record="nothing")
    strategy = Load()
    context = EngineContext(session, 0, SessionClock(session), make_rng(1, "load"))
    with Stopwatch() as watch:
        session.run(rows, [(0, context, {"on_bar": strategy.on_bar}, None)])
    session.audit()
    if strategy.seen != rows * INSTRUMENTS or not session.fills:
        raise RuntimeError(f"{strategy.seen} callbacks, {session.fills} fills")
    return watch.seconds, strategy.seen, __version__, session.state_hash()


if __name__ == "__main__":
    main(work)
