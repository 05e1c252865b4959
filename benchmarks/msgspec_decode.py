"""msgspec with a type for each message, which is the fastest way to use it, into the same columns.

It comes with NautilusTrader, which decodes with it.
"""

from itertools import chain

import msgspec
import numpy as np
from _common import Found, main
from _decode import Columns, decode

type Levels = list[tuple[str, str]]


class Depth(msgspec.Struct):
    """A change of the book."""

    E: int
    s: str
    U: int
    u: int
    b: Levels
    a: Levels


class Quote(msgspec.Struct):
    """Best bid and ask."""

    s: str
    b: str
    B: str
    a: str
    A: str


class Trade(msgspec.Struct):
    """A trade."""

    s: str
    T: int
    p: str
    q: str
    m: bool


class Message(msgspec.Struct):
    """A message of a stream, or a snapshot, which has no stream."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    lastUpdateId: int = 0
    bids: Levels = []
    asks: Levels = []


MESSAGE = msgspec.json.Decoder(Message)
DEPTH = msgspec.json.Decoder(Depth)
QUOTE = msgspec.json.Decoder(Quote)
TRADE = msgspec.json.Decoder(Trade)


def units(texts: list[str]) -> list[int]:
    """Whole units: Binance always writes eight decimals."""
    return [int(text.replace(".", "")) for text in texts]


def columns(content: bytes) -> Columns:
    """Decode line by line."""
    books: list[tuple[int, int, int]] = []
    levels: list[tuple[str, str]] = []
    quotes: list[tuple[int, Quote]] = []
    trades: list[tuple[int, Trade]] = []
    for line in content.splitlines():
        received, _, text = line.partition(b" ")
        message = MESSAGE.decode(text)
        if message.stream.endswith("@bookTicker"):
            quotes.append((int(received), QUOTE.decode(message.data)))
        elif message.stream.endswith("@trade"):
            trades.append((int(received), TRADE.decode(message.data)))
        elif message.stream:
            depth = DEPTH.decode(message.data)
            books.append((int(received), depth.U, depth.u))
            levels += depth.b
            levels += depth.a
        else:
            books.append((int(received), message.lastUpdateId, message.lastUpdateId))
            levels += message.bids
            levels += message.asks
    book = np.array(books, dtype=np.int64).reshape(-1, 3)
    level = np.array(units(list(chain.from_iterable(levels))), dtype=np.int64).reshape(-1, 2)
    values: dict[str, list[int]] = {
        "quotes_received": [received for received, _ in quotes],
        "quotes_bid": units([quote.b for _, quote in quotes]),
        "quotes_bid_size": units([quote.B for _, quote in quotes]),
        "quotes_ask": units([quote.a for _, quote in quotes]),
        "quotes_ask_size": units([quote.A for _, quote in quotes]),
        "trades_received": [received for received, _ in trades],
        "trades_event": [trade.T * 1_000_000 for _, trade in trades],
        "trades_price": units([trade.p for _, trade in trades]),
        "trades_size": units([trade.q for _, trade in trades]),
        "trades_buyer_made": [trade.m for _, trade in trades],
    }
    return {
        "books_received": book[:, 0],
        "books_first": book[:, 1],
        "books_last": book[:, 2],
        "levels_price": level[:, 0],
        "levels_size": level[:, 1],
        **{name: np.array(each, dtype=np.int64) for name, each in values.items()},
    }


def work(repeats: int) -> Found:
    """Decode the recording."""
    return decode(columns, repeats, msgspec.__version__)


if __name__ == "__main__":
    main(work)
