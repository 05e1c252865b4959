"""Sessions by seed: everything about one follows from its number."""

from random import Random
from typing import Literal

from quantvista.backtest.validate._markets import BAR_NS, SECOND, Market, make_market
from quantvista.backtest.validate._orders import draw_commands
from quantvista.backtest.validate._session import (
    KINDS,
    Account,
    Kind,
    Mark,
    Models,
    Session,
    Traded,
)

__all__ = ["generate"]

_LOOKS = 6  # at the account, along the way and at the end
_RARE = {
    "gaps": 0.06,
    "crowded": 0.06,
    "repeats": 0.03,
    "cancels": 0.10,
    "expiries": 0.08,
    "triggered_limits": 0.02,
    "percent_trails": 0.08,
    "kills": 0.10,
    "reducers": 0.04,
}
"""How often a session has what the systems are known to see differently, and what is close to it;
see ``docs/validation.md``."""

_THIN = {"bars": 0.0, "quotes": 0.4, "trades": 0.04, "books": 0.4}


def generate(seed: int, kind: Kind | None = None) -> Session:
    """Make the session of a seed.

    Parameters
    ----------
    seed : int
        Its number.
    kind : {"bars", "quotes", "trades", "books"}, optional
        Kind of data; by default the four take turns.

    Returns
    -------
    Session
        The same for the same arguments, on every machine.

    Examples
    --------
    >>> session = generate(5)
    >>> session.kind, session == generate(5), session == generate(9, "quotes")
    ('quotes', True, False)
    """
    kind = kind or KINDS[seed % len(KINDS)]
    random = Random(f"{kind} {seed}")
    tags: set[str] = {name for name, share in _RARE.items() if random.random() < share}
    if random.random() < _THIN[kind]:
        tags.add("thin")
    if kind == "books" and random.random() < 0.6:
        tags.add("prints")
    traded, account = _setting(random)
    market = make_market(random, kind, traded, random.randint(55, 80), tags)
    commands = draw_commands(random, kind, traded, account, market, tags)
    bars = kind == "bars"
    return Session(
        seed=seed,
        kind=kind,
        account=account,
        models=Models(
            limit_fill=random.choice(("touch", "touch", "touch", "through")) if bars else "touch",
            liquidity_consumption=not bars,
            queue_position=kind == "books",
        ),
        instruments=traded,
        tape=tuple(market.tape),
        commands=commands,
        marks=_looks(market),
        bar_ns=BAR_NS if bars else 0,
        open_delay_ns=10 * SECOND if bars else 0,
        tags=tuple(sorted(tags)),
        day_ends=tuple(market.day_ends),
    )


def _looks(market: Market) -> tuple[Mark, ...]:
    count = len(market.steps)
    chosen = sorted({count * number // _LOOKS - 1 for number in range(1, _LOOKS + 1)})
    steps = [market.steps[index] for index in chosen]
    return tuple(Mark(step.ts + SECOND // 3, step.marks) for step in steps)


def _setting(random: Random) -> tuple[tuple[Traded, ...], Account]:
    """Draw instruments and the account that they are traded in."""
    name = random.choice(("shares", "shares", "perpetual", "fx", "fx_cash", "spot"))
    maker = random.choice(("0", "0.0001", "0.0002", "-0.00005"))
    taker = random.choice(("0", "0.0003", "0.00055", "0.001"))
    if name == "shares":
        count = random.choice((1, 1, 2, 3))
        tick = random.choice((1, 1, 5))
        traded = tuple(
            Traded(f"S{index}", "equity", "", "USD", 2, 0, tick, 1, maker, taker)
            for index in range(count)
        )
        kind: Literal["cash", "margin"] = random.choice(("cash", "margin"))
        return traded, Account(kind, (("USD", "5000000.00"),), single_currency=True)
    if name == "perpetual":
        tick = random.choice((1, 10))
        one = Traded("BTC-PERP", "perpetual", "BTC", "USDT", 2, 3, tick, 10, maker, taker)
        return (one,), Account("margin", (("USDT", "1000000.00"),), single_currency=True)
    if name == "fx":
        one = Traded("EUR-USD", "pair", "EUR", "USD", 4, 0, 1, 1_000, maker, taker)
        return (one,), Account("margin", (("USD", "1000000.00"),), single_currency=True)
    if name == "fx_cash":
        one = Traded("EUR-USD", "pair", "EUR", "USD", 4, 0, 1, 1_000, maker, taker)
        cash = (("USD", "9000000.00"), ("EUR", "2000000.00"))
        return (one,), Account("cash", cash, single_currency=False)
    one = Traded("BTC-USDT", "spot", "BTC", "USDT", 2, 4, 10, 5, maker, taker)
    cash = (("USDT", "1000000.00"), ("BTC", "20"))
    return (one,), Account("cash", cash, single_currency=False)
