"""Small sessions over a tape of quotes, with strategies that are plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.engine import (
    AccountTerms,
    Context,
    LimitRates,
    Session,
    SessionClock,
    SleeveCash,
    Tape,
    VenueRates,
    engine_config,
    merge_tapes,
)
from quantvista.market import EventKind, Instrument

SECOND = 10**9
A, B = "A.XNYS", "B.XNYS"

type Ints = NDArray[np.int64]
type Handlers = Mapping[str, Callable[..., object]]


def quotes(ts: Sequence[int], bid: Sequence[int], *, instrument: int = 0, size: int = 100) -> Tape:
    """Quotes two ticks wide, in price units of a cent."""
    low = np.array(bid, dtype=np.int64)
    sizes = np.full(len(low), size, dtype=np.int64)
    return Tape.of(
        EventKind.QUOTE,
        np.array(ts, dtype=np.int64),
        instrument=instrument,
        values={"a": low, "b": sizes, "c": low + 2, "d": sizes},
    )


def barriers(ts: Sequence[int], flag: int = 0) -> Tape:
    return Tape.of(EventKind.BARRIER, np.array(ts, dtype=np.int64), flag=flag)


def config(
    *,
    matching: str = "quotes",
    sleeves: Sequence[str] = ("a",),
    account: AccountTerms | None = None,
    venue: VenueRates | None = None,
    limits: LimitRates | None = None,
    shortable: int = 0,
) -> dict[str, Any]:
    instruments = [
        Instrument(name, matching=matching, shortable=Decimal(shortable)) for name in (A, B)
    ]
    return engine_config(
        fund="tiny",
        currency="USD",
        instruments=instruments,
        close_only=False,
        sleeves=[SleeveCash(name, Decimal(100_000)) for name in sleeves],
        venue=venue or VenueRates(),
        limits=limits or LimitRates(),
        account=account,
    )


def session(tapes: Sequence[Tape], **kwargs: Any) -> Session:  # noqa: ANN401
    inputs = kwargs.pop("inputs", ())
    return Session(config(**kwargs), tape=merge_tapes(tapes).columns(), inputs=inputs)


def run(
    made: Session,
    *strategies: Handlers,
    until: int | None = None,
    instruments: list[int] | None = None,
) -> None:
    hosts: list[tuple[int, Context, Handlers, list[int] | None]] = [
        (index, Context(made, index, SessionClock(made), None), handlers, instruments)
        for index, handlers in enumerate(strategies)
    ]
    made.run(made.rows if until is None else until, hosts)
