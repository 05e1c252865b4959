"""The recorded L2 book with the market maker that we ship, in Python, answering each message.

Timed: copying and checking the blocks, all events, all callbacks.
"""

from _common import Stopwatch, main
from _l2 import load
from ours_l2 import SYMBOL, blocks, session

from quantvista import __version__
from quantvista.engine import Context, SessionClock
from quantvista.strategies import MarketMaker, make_rng

SETTINGS = {
    "quantity": 0.01,
    "inventory_target": 5.0,
    "kappa": 1.0,
    "gamma": 0.05,
    "horizon_s": 5.0,
}


def work(loops: int) -> tuple[float, int, str, str]:
    recording = load()
    made = session()
    maker = MarketMaker(**SETTINGS)
    context = Context(made, 0, SessionClock(made), make_rng(1, "maker"))
    handlers = {name: getattr(maker, name) for name in type(maker).handlers()}
    watch = Stopwatch()
    for block in blocks(recording, loops):
        with watch:
            made.extend(block.columns())
            made.run(made.rows, [(0, context, handlers, None)])
    made.audit()
    if not made.fills or SYMBOL not in maker.state.desks:
        raise RuntimeError("the market maker did nothing")
    return watch.seconds, made.row, __version__, made.state_hash()


if __name__ == "__main__":
    main(work)
