"""Turn the recorded L2 book beside the checkout into arrays that every environment reads.

Reading and checking it is ours, by the reader of fund files; none of it is timed.
"""

import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
from _l2 import CLEAR, LEVEL, PRICE_DIGITS, QUOTE, SIZE_DIGITS, TRADE, Recording, save

from quantvista.data import DataSpec
from quantvista.data.events import EventSource, load_events
from quantvista.engine import MORE
from quantvista.market import EventKind

SYMBOL = "BTC-USDT.BINANCE"
KINDS = {
    EventKind.BOOK_CLEAR: CLEAR,
    EventKind.BOOK_LEVEL: LEVEL,
    EventKind.TRADE: TRADE,
    EventKind.QUOTE: QUOTE,
}


def recording(folder: Path) -> Recording:
    """Read the recording from its snapshot on."""
    source = EventSource(str(folder), instrument=SYMBOL, use=("levels", "trades", "quotes"))
    terms = {
        "kind": "spot",
        "currency": "USDT",
        "matching": "l2",
        "tick_size": Decimal(1).scaleb(-PRICE_DIGITS),
        "quantity_precision": SIZE_DIGITS,
        "lot_size": Decimal("0.00001"),
    }
    spec = DataSpec(events=(source,), declared={SYMBOL: terms}, clock_s=3600)
    tape = load_events(spec, base=folder, calendar="24/7", currency="USDT").tape
    first = int(np.argmax(tape.kind == EventKind.BOOK_CLEAR))
    tape = tape.take(np.arange(first, len(tape)))
    tape = tape.take(np.isin(tape.kind, list(KINDS)))
    kinds = np.zeros(max(KINDS) + 1, np.uint8)
    kinds[list(KINDS)] = list(KINDS.values())
    kind = kinds[tape.kind]
    more = (tape.flag & MORE) != 0
    flag = tape.flag & ~np.uint8(MORE)
    is_level = kind == LEVEL
    # Levels of a snapshot lie between its start and the first part without more.
    starts = np.flatnonzero(kind == CLEAR)
    ends = np.flatnonzero(is_level & ~more)
    snapshot = np.zeros(len(kind), np.bool_)
    for start in starts:
        end = ends[np.searchsorted(ends, start)]
        snapshot[start : end + 1] = is_level[start : end + 1]
    return Recording(
        ts=tape.ts_received,
        kind=kind,
        is_ask=np.where(is_level, flag == 1, flag == 2),
        more=more,
        snapshot=snapshot,
        price=np.where(kind == CLEAR, 0, tape.a),
        size=np.where(kind == CLEAR, 0, tape.b),
        ask=np.where(kind == QUOTE, tape.c, 0),
        ask_size=np.where(kind == QUOTE, tape.d, 0),
    )


if __name__ == "__main__":
    save(recording(Path(sys.argv[1])), Path(sys.argv[2]))
