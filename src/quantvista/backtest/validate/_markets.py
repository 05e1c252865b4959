"""Random markets: the tape of a session, and what its orders may know at each step."""

from dataclasses import dataclass, field
from random import Random

from quantvista.backtest.validate._session import MORE, Kind, Row, Traded

__all__ = ["BAR_NS", "SECOND", "Market", "Step", "make_market"]

SECOND = 1_000_000_000
BAR_NS = 60 * SECOND
_START = 1_700_000_040 * SECOND  # on a whole minute
_DEPTH = 6  # levels a side of a generated book
_LEVEL = (50, 200)  # lots at a level, a quote or a trade where size does not matter
_THIN = (3, 30)  # where it does
_AMPLE = (1_000_000, 2_000_000)  # where anything must fill


@dataclass(frozen=True, slots=True)
class Step:
    """A moment between two events: what the market of each instrument was just before."""

    ts: int
    bids: tuple[int, ...]
    asks: tuple[int, ...]
    marks: tuple[int, ...]


@dataclass(slots=True)
class Market:
    """A tape and its steps."""

    tape: list[Row] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    day_ends: list[int] = field(default_factory=list)


def make_market(
    random: Random, kind: Kind, traded: tuple[Traded, ...], length: int, tags: set[str]
) -> Market:
    """Draw a market.

    Parameters
    ----------
    random : random.Random
        The session's.
    kind : {"bars", "quotes", "trades", "books"}
        What the tape is made of.
    traded : tuple of Traded
        The instruments.
    length : int
        Number of steps.
    tags : set of str
        What was drawn for the session: ``gaps`` lets bars open away from the close, ``thin``
        makes sizes small, ``prints`` lets books trade, ``repeats`` lets a size come twice,
        ``cancels`` lets displayed sizes shrink without a trade.

    Returns
    -------
    Market
        In order of time.
    """
    walkers = [_Walker(random, each, tags) for each in traded]
    market = Market()
    maker = {"bars": _bars, "quotes": _quotes, "trades": _trades, "books": _books}[kind]
    maker(market, walkers, length)
    if kind != "bars":  # whose days are as long as they like
        for step in (market.steps[length // 2], market.steps[-4]):
            market.day_ends.append(step.ts - SECOND // 6)
    return market


class _Walker:
    """The price of one instrument, in ticks, and sizes that do not come twice at a price."""

    def __init__(self, random: Random, traded: Traded, tags: set[str]) -> None:
        self.random, self.tags = random, tags
        self.tick, self.lot = traded.tick_size, traded.lot_size
        self.price = random.randint(8_000, 12_000)
        self.volatility = random.randint(8, 30)
        self._shown: dict[tuple[str, int], set[int]] = {}

    def move(self) -> int:
        """Walk on, and stay well above zero."""
        self.price += round(self.random.gauss(0.0, self.volatility))
        self.price = max(2_000, self.price)
        return self.price

    def size(self, place: tuple[str, int], *, ample: bool = False) -> int:
        """Draw a size in quantity units for a side and price.

        It is unlike any before there, unless sizes may repeat: for NautilusTrader a size counts
        as told anew only where it changes.
        """
        least, most = _AMPLE if ample else _THIN if "thin" in self.tags else _LEVEL
        shown = self._shown.setdefault(place, set())
        drawn = self.random.randint(least, most)
        while drawn in shown and "repeats" not in self.tags:
            drawn = self.random.randint(least, most := most + 1)
        shown.add(drawn)
        return drawn * self.lot

    def units(self, ticks: int) -> int:
        """Prices in units."""
        return ticks * self.tick


def _step(market: Market, ts: int, quotes: list[tuple[int, int]], marks: list[int]) -> None:
    bids, asks = zip(*quotes, strict=True)
    market.steps.append(Step(ts, bids, asks, tuple(marks)))


def _bars(market: Market, walkers: list[_Walker], length: int) -> None:
    """One bar a minute; a day has ten or so, so that day orders end."""
    random = walkers[0].random
    closes = [walker.price for walker in walkers]
    day = random.randint(8, 15)
    for number in range(1, length + 1):
        ts = _START + number * BAR_NS
        for index, walker in enumerate(walkers):
            if "gaps" in walker.tags and random.random() < 0.5:
                closes[index] += round(random.gauss(0.0, walker.volatility))
            opened = closes[index]
            points = [opened, *(opened + _move(walker) for _ in range(3))]
            walker.price = closes[index] = points[-1]
            a, b, c, d = map(walker.units, (opened, max(points), min(points), points[-1]))
            volume = 4 * walker.size(("bar", 0), ample=True)
            market.tape.append(Row(ts, "bar", 0, index, a, b, c, d, volume))
        if number % day == 0:
            market.day_ends.append(ts)
        marks = [walker.units(close) for walker, close in zip(walkers, closes, strict=True)]
        _step(market, ts + SECOND, [(mark, mark) for mark in marks], marks)


def _move(walker: _Walker) -> int:
    return round(walker.random.gauss(0.0, walker.volatility))


def _quotes(market: Market, walkers: list[_Walker], length: int) -> None:
    quotes: list[tuple[int, int]] = [(0, 0)] * len(walkers)
    for number in range(length):
        ts = _START + number * SECOND
        for index, walker in enumerate(walkers):
            if number and len(walkers) > 1 and walker.random.random() < 0.3:
                continue  # not every instrument is quoted at every step
            bid = walker.move()
            ask = bid + walker.random.randint(1, 6)
            quotes[index] = walker.units(bid), walker.units(ask)
            ample = number == 0
            sizes = [walker.size(place, ample=ample) for place in (("bid", bid), ("ask", ask))]
            row = Row(ts + index, "quote", 0, index, quotes[index][0], sizes[0], quotes[index][1])
            market.tape.append(_with_size(row, sizes[1]))
        _step(market, ts + SECOND // 3, list(quotes), [_middle(*quote) for quote in quotes])


def _with_size(row: Row, size: int) -> Row:
    return Row(row.ts, row.kind, row.flag, row.instrument, row.a, row.b, row.c, size)


def _middle(bid: int, ask: int) -> int:
    return (bid + ask) // 2


def _trades(market: Market, walkers: list[_Walker], length: int) -> None:
    prices = [0] * len(walkers)
    for number in range(length):
        ts = _START + number * SECOND
        for index, walker in enumerate(walkers):
            price = walker.move()
            prices[index] = walker.units(price)
            size = walker.size(("trade", price), ample=number < 2)
            market.tape.append(Row(ts + index, "trade", 0, index, prices[index], size))
        _step(market, ts + SECOND // 3, [(price, price) for price in prices], list(prices))


class _Ladder:
    """An L2 book in ticks, told as messages that never leave it crossed."""

    def __init__(self, market: Market, index: int, walker: _Walker) -> None:
        self.market, self.index, self.walker = market, index, walker
        self.random = walker.random
        middle = walker.price
        bids, asks = (range(middle - _DEPTH, middle), range(middle + 1, middle + 1 + _DEPTH))
        self.bids = {price: walker.size(("bid", price), ample=True) for price in bids}
        self.asks = {price: walker.size(("ask", price), ample=True) for price in asks}

    def quote(self) -> tuple[int, int]:
        """Best bid and ask in price units."""
        return self.walker.units(max(self.bids)), self.walker.units(min(self.asks))

    def snapshot(self, ts: int) -> None:
        """Tell the whole book."""
        rows = [Row(ts, "clear", MORE, self.index)]
        levels = [(0, price) for price in self.bids] + [(1, price) for price in self.asks]
        rows += [self._level(ts, side, price) for side, price in levels]
        self._tell(rows)

    def advance(self, ts: int) -> None:
        """Let something happen."""
        drawn = self.random.random()
        if drawn < 0.35 and "prints" in self.walker.tags:
            self._trade(ts)
        elif drawn < 0.6:
            self._add(ts)
        elif drawn < 0.7 and "cancels" in self.walker.tags:
            self._shrink(ts)
        else:
            self._shift(ts)

    def _size(self, side: int, price: int) -> int:
        return self.walker.size(("ask" if side else "bid", price))

    def _side(self, side: int) -> dict[int, int]:
        return self.asks if side else self.bids

    def _best(self, side: int) -> int:
        return min(self.asks) if side else max(self.bids)

    def _level(self, ts: int, side: int, price: int) -> Row:
        size = self._side(side).get(price, 0)
        return Row(ts, "level", side | MORE, self.index, self.walker.units(price), size)

    def _tell(self, rows: list[Row]) -> None:
        last = rows.pop()
        closed = Row(last.ts, last.kind, last.flag & ~MORE, last.instrument, last.a, last.b)
        self.market.tape += [*rows, closed]

    def _trade(self, ts: int) -> None:
        """Trade at the best price of a side; the message that follows shows what is left."""
        side = self.random.randint(0, 1)
        price, levels = self._best(side), self._side(side)
        whole = self.random.random() < 0.4
        lots = levels[price] // self.walker.lot
        size = levels[price] if whole else self.random.randint(1, lots) * self.walker.lot
        aggressor = 1 if side else 2
        trade = Row(ts, "trade", aggressor, self.index, self.walker.units(price), size)
        self.market.tape.append(trade)
        levels[price] -= size
        prices = [price]
        if not levels[price]:
            del levels[price]
            prices += self._refill(side)
        self._tell([self._level(ts + 1_000, side, each) for each in prices])

    def _refill(self, side: int) -> list[int]:
        """Keep the depth by a level behind the last one."""
        levels = self._side(side)
        price = max(levels) + 1 if side else min(levels) - 1
        levels[price] = self._size(side, price)
        return [price]

    def _add(self, ts: int) -> None:
        """Show more at a level, or a new best one inside the spread."""
        side = self.random.randint(0, 1)
        levels, best = self._side(side), self._best(side)
        inside = best - 1 if side else best + 1
        if self.random.random() < 0.3 and inside not in self._side(1 - side):
            price = inside
        else:
            price = self.random.choice(sorted(levels))
        levels[price] = levels.get(price, 0) + self._size(side, price)
        self._tell([self._level(ts, side, price)])

    def _shrink(self, ts: int) -> None:
        side = self.random.randint(0, 1)
        price, levels = self._best(side), self._side(side)
        lots = levels[price] // self.walker.lot
        levels[price] = max(1, lots // 2) * self.walker.lot
        self._tell([self._level(ts, side, price)])

    def _shift(self, ts: int) -> None:
        """Move the whole book by some ticks, in one message."""
        target = self._best(0) + round(self.random.gauss(0.0, self.walker.volatility / 4))
        target = max(2_000, target)
        bids = {target - level: self.bids.get(target - level, 0) for level in range(_DEPTH)}
        first = target + 1 + self.random.randint(0, 2)
        asks = {first + level: self.asks.get(first + level, 0) for level in range(_DEPTH)}
        rows = []
        for side, new in ((0, bids), (1, asks)):
            old = self._side(side)
            changed = [price for price in old if price not in new]
            fresh = [price for price, size in new.items() if not size]
            for price in fresh:
                new[price] = self._size(side, price)
            if side:
                self.asks = new
            else:
                self.bids = new
            rows += [self._level(ts, side, price) for price in (*changed, *fresh)]
        if rows:
            self._tell(rows)


def _books(market: Market, walkers: list[_Walker], length: int) -> None:
    ladders = [_Ladder(market, index, walker) for index, walker in enumerate(walkers)]
    for ladder in ladders:
        ladder.snapshot(_START + ladder.index)
    for number in range(length):
        ts = _START + number * SECOND
        if number:
            for ladder in ladders:
                ladder.advance(ts + 10_000 * ladder.index)
        quotes = [ladder.quote() for ladder in ladders]
        _step(market, ts + SECOND // 3, quotes, [_middle(*quote) for quote in quotes])
