"""Event strategies on events, without a fund file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from quantvista.data import DataSpec
from quantvista.data.events import EventData, EventSource, load_events
from quantvista.engine import (
    MISSING,
    Context,
    LimitRates,
    Session,
    SessionClock,
    SleeveCash,
    Tape,
    VenueRates,
    engine_config,
    engine_instrument,
    run_tables,
)
from quantvista.market import EventKind, Instrument, currency_digits
from quantvista.strategies import EventStrategy, dump_rng, load_rng, make_rng

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def generated(name: str, **params: object) -> EventData:
    """Load a generated market."""
    source = EventSource(f"generated:{name}", params=params)
    return load_events(DataSpec(events=(source,)), base=Path(), calendar="24/7")


def quotes(
    rows: Sequence[tuple[float, int, float, float, float, float]], scale: float = 100.0
) -> Tape:
    """Script quotes: seconds, instrument, bid, bid size, ask, ask size; NaN is absent."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    ts = START + np.rint(table[:, 0] * SECOND).astype(np.int64)
    scales = (scale, 1.0, scale, 1.0)
    units = np.where(np.isnan(table), 0.0, table)
    values = {
        name: np.where(
            np.isnan(table[:, column]),
            MISSING,
            np.rint(units[:, column] * scales[column - 2]).astype(np.int64),
        )
        for column, name in enumerate("abcd", start=2)
    }
    return Tape.of(EventKind.QUOTE, ts, instrument=table[:, 1].astype(np.int64), values=values)


@dataclass
class Run:
    """A strategy on its way through a tape."""

    session: Session
    config: dict[str, Any]
    strategy: EventStrategy
    hosts: list[Any]
    rng: Any

    @classmethod
    def of(
        cls,
        strategy: EventStrategy,
        instruments: Sequence[Instrument],
        tape: Tape,
        *,
        currency: str = "USD",
        account: str = "cash",
        cash: str = "100000",
        balances: Mapping[str, str] | None = None,
        venue: VenueRates | None = None,
        latency_ns: int = 0,
        shortable: int = 0,
    ) -> "Run":
        """Set up a session with one sleeve.

        Other currencies take their rate from the pair that exchanges them for the fund's.
        """
        codes = [currency]
        for each in instruments:
            named = (each.currency, each.base) if each.settlement == "exchange" else ()
            codes += [code for code in named if code not in codes]
        rows = [engine_instrument(each, codes) for each in instruments]
        for row in rows:
            row["shortable"] = shortable
        config = engine_config(
            fund="events",
            currency=currency,
            instruments=(),
            close_only=False,
            sleeves=[SleeveCash("all", Decimal(cash))],
            venue=venue or VenueRates(),
            limits=LimitRates(),
        )
        config |= {
            "instruments": rows,
            "account": {"kind": account, "positions": "netting"},
            "currencies": [_currency(code, currency, instruments) for code in codes],
        }
        config["sleeves"][0]["balances"] = [
            (codes.index(code), int(Decimal(amount).scaleb(12)))
            for code, amount in (balances or {}).items()
        ]
        config["venues"][0]["latency"] = {"submit_ns": latency_ns, "amend_ns": latency_ns}
        session = Session(config, tape=tape.columns(), actions=[])
        rng = make_rng(7, "all")
        context = Context(session, 0, SessionClock(session), rng)
        handlers = {name: getattr(strategy, name) for name in type(strategy).handlers()}
        return cls(session, config, strategy, [(0, context, handlers, None)], rng)

    def go(self, until: int | None = None) -> "Run":
        """Run to a row, or to the end, and check the books."""
        self.session.run(self.session.rows if until is None else until, self.hosts)
        self.session.audit()
        return self

    def table(self, name: str) -> pl.DataFrame:
        """Return what was recorded so far."""
        return pl.DataFrame(run_tables(self.session, self.config)[name])

    def snapshot(self) -> bytes:
        """Pack engine, state and random generator as a run does."""
        state = [self.strategy.dump_state().decode(), dump_rng(self.rng).decode()]
        return self.session.snapshot([json.dumps(state).encode()])

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        (packed,) = self.session.restore(snapshot)
        state, rng = json.loads(packed)
        self.strategy.load_state(state.encode())
        load_rng(self.rng, rng.encode())


def _currency(code: str, fund: str, instruments: Sequence[Instrument]) -> dict[str, Any]:
    source: Any = "input"
    for place, each in enumerate(instruments):
        if each.settlement == "exchange" and {each.base, each.currency} == {code, fund}:
            source = {"pair": {"instrument": place, "inverse": each.base == fund}}
            break
    return {"code": code, "precision": currency_digits(code), "source": source}
