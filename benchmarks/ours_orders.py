"""Market orders through our engine: in, through the gate, filled, booked.

Each row brings a bar for every instrument, which fills the orders of the row before, and then
orders for every instrument: purchases on one row, sales on the next. All limits are configured.
Timed: all rows; every output is made, none is kept. Not timed: making bars, copying them in.
"""

from _common import INSTRUMENTS, Stopwatch, bars, main
from _ours import config, feed

from quantvista import __version__
from quantvista.engine import LimitRates, Session

ROUNDS = 4  # orders per instrument and row
LIMITS = LimitRates(
    price_band=150_000_000,
    fat_finger_quantity=1_000_000,
    fat_finger_notional=10**9 * 10**12,
    position_max=10**9 * 10**12,
    weight_max=50_000_000,
    sector_max=300_000_000,
    gross_max=1_000_000_000,
)


def work(rows: int, record: str = "off") -> tuple[float, int, str, str]:
    session = Session(config(LIMITS), feed(bars(rows)), record=record)
    with Stopwatch() as watch:
        sent = session.run_market_orders(rows, INSTRUMENTS * ROUNDS, 100)
    session.audit()
    expected = (rows - 1) * INSTRUMENTS * ROUNDS  # those of the last row have no bar to meet
    if session.fills != expected:
        raise RuntimeError(f"{session.fills} of {sent} orders were filled, not {expected}")
    return watch.seconds, session.fills, __version__, session.state_hash()


if __name__ == "__main__":
    main(work)
