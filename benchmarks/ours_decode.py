"""Our decoder of Binance's recorded stream; the size is how often it is decoded."""

import numpy as np
from _common import Found, main
from _decode import Columns, decode

import quantvista
from quantvista import _native


def columns(content: bytes) -> Columns:
    """Decode into the columns that the reader of events takes."""
    found = _native.decode_binance(content, 8)
    result = {f"books_{name}": found["books"][name] for name in ("received", "first", "last")}
    result |= {f"levels_{name}": found["books"][name] for name in ("price", "size")}
    quotes, trades = found["quotes"], found["trades"]
    result |= {f"quotes_{name}": quotes[name] for name in ("received", "bid", "bid_size")}
    result |= {f"quotes_{name}": quotes[name] for name in ("ask", "ask_size")}
    result |= {f"trades_{name}": trades[name] for name in ("received", "event", "price", "size")}
    result["trades_buyer_made"] = trades["buyer_made"].astype(np.int64)
    return result


def work(repeats: int) -> Found:
    """Decode the recording."""
    return decode(columns, repeats, quantvista.__version__)


if __name__ == "__main__":
    main(work)
