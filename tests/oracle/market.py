"""What stands in the market of one event instrument. ``docs/engine/matching.md``, 2 and 6."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Level:
    """A price and what stands there; a size of None is unknown and unlimited."""

    price: int
    size: int | None
    taken: int = 0


@dataclass(eq=False)
class Market:
    """Levels by the side of the orders that stand there: buys are bids."""

    kind: str
    sides: dict[str, dict[int, Level]] = field(default_factory=lambda: {"buy": {}, "sell": {}})
    entries: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """Orders of an L3 book: side, price, size."""
    before: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """Those before a snapshot that is coming in, whose places may be kept."""
    had_both: bool = False

    def levels(self, side: str) -> list[Level]:
        """Levels of a side, best first."""
        found = sorted(self.sides[side].values(), key=lambda level: level.price)
        return found[::-1] if side == "buy" else found

    def best(self, side: str) -> int | None:
        levels = self.levels(side)
        return levels[0].price if levels else None

    @property
    def crossed(self) -> bool:
        bid, ask = self.best("buy"), self.best("sell")
        return bid is not None and ask is not None and bid > ask

    def middle(self) -> int | None:
        """Middle of a market with both sides that is not crossed."""
        bid, ask = self.best("buy"), self.best("sell")
        if bid is None or ask is None or bid > ask:
            return None
        return (bid + ask) // 2

    def displayed(self, side: str, price: int) -> int:
        level = self.sides[side].get(price)
        return level.size or 0 if level is not None else 0

    def clear(self) -> None:
        self.sides = {"buy": {}, "sell": {}}
        self.entries = {}

    # Quotes and levels.

    def quote(self, side: str, price: int | None, size: int | None) -> None:
        absent = price is None or size == 0
        self.sides[side] = {} if absent or price is None else {price: Level(price, size)}

    def level(self, side: str, price: int, size: int) -> None:
        if size == 0:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = Level(price, size)

    # Orders of an L3 book.

    def entry(self, id: int, side: str, price: int, size: int) -> bool:
        """Add, modify or delete an order of the book; say whether it keeps its place."""
        old = self.entries.get(id)
        if size == 0:
            if old is not None:
                del self.entries[id]
                self._refresh(old[0], old[1])
            return False
        kept = old if old is not None else self.before.get(id)
        keeps = kept is not None and kept[:2] == (side, price) and size <= kept[2]
        if old is not None and not keeps:
            # It goes to the back.
            del self.entries[id]
            self._refresh(old[0], old[1])
        self.entries[id] = (side, price, size)
        self._refresh(side, price)
        return keeps

    def _refresh(self, side: str, price: int) -> None:
        size = sum(s for at, p, s in self.entries.values() if (at, p) == (side, price))
        self.level(side, price, size)
