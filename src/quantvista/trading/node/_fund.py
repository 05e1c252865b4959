"""From a fund file and what venues list to a fund that is ready to be run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from quantvista.engine import Session
from quantvista.errors import ConfigError, MarketDataError
from quantvista.fund import (
    LoadedFund,
    code_identity,
    environment_identity,
    fund_hash,
    live_config,
    live_instruments,
    resolved_toml,
)
from quantvista.fund.desk import (
    DecisionSchedule,
    Desk,
    LiveBars,
    load_strategies,
    look_back,
    weight_settings,
)
from quantvista.market import Instrument
from quantvista.strategies import Strategy
from quantvista.trading.gateway import Listing
from quantvista.trading.node._terms import NodeSetup

__all__ = ["listed_instrument", "node_setup"]


def node_setup(loaded: LoadedFund, listings: Sequence[Listing]) -> NodeSetup:
    """Set a fund up for its venues.

    Parameters
    ----------
    loaded : LoadedFund
        Its file.
    listings : sequence of Listing
        What its venues list.

    Returns
    -------
    NodeSetup
        Ready to be run.

    Raises
    ------
    ConfigError
        If the fund asks for something that a running fund cannot have yet, or for instruments
        that its venues do not list.
    """
    fund = loaded.fund
    _check(loaded)
    every = [listed_instrument(each) for each in listings]
    instruments = live_instruments(fund, every)
    config = live_config(fund, every, epoch=1)
    settings = weight_settings(fund)

    def bars() -> LiveBars | None:
        return _bars(loaded, instruments, look_back(load_strategies(loaded), settings))

    def desk(session: Session, known: LiveBars | None) -> Desk:
        strategies: Mapping[str, Strategy] = load_strategies(loaded)
        rows = None if known is None else len(known)
        return Desk(
            session, config, strategies, settings, seed=fund.fund.seed, bars=known, rows=rows
        )

    return NodeSetup(
        fund=fund.fund.name,
        config=config,
        instruments=instruments,
        calendar=fund.fund.calendar,
        time_zone=fund.fund.time_zone,
        resolved=resolved_toml(fund),
        fund_hash=fund_hash(loaded),
        fingerprint={"code": code_identity(), "environment": environment_identity()},
        desk=desk,
        bars=bars,
        schedule=DecisionSchedule(
            fund.portfolio.rebalance, fund.fund.calendar, fund.fund.time_zone
        ),
    )


def listed_instrument(listing: Listing) -> Instrument:
    """Write an instrument as a venue lists it."""
    return Instrument(
        listing.instrument,
        currency=listing.currency,
        kind=listing.kind,
        settlement=listing.settlement,
        base=listing.base,
        price_precision=listing.price_precision,
        quantity_precision=listing.quantity_precision,
        tick_size=Decimal(listing.tick_size).scaleb(-listing.price_precision),
        lot_size=Decimal(listing.lot_size).scaleb(-listing.quantity_precision),
        multiplier=listing.multiplier,
        matching=listing.data,
    )


def _check(loaded: LoadedFund) -> None:
    """Refuse what nothing would tell a running fund: its gate would then let nothing through."""
    fund = loaded.fund
    asked: dict[str, Any] = {
        "cash_flow": fund.cash_flow,
        "risk.figures": fund.risk.figures,
        "risk.value_at_risk": fund.risk.value_at_risk,
        "risk.volatility_max": fund.risk.volatility_max,
        "risk.instrument_volatility_max": fund.risk.instrument_volatility_max,
        "risk.correlation_max": fund.risk.correlation_max,
        "risk.fat_finger_volume": fund.risk.fat_finger_volume,
        "risk.regimes_blocked": fund.risk.regimes_blocked,
        "data.universe": fund.data.universe,
    }
    for name, value in asked.items():
        if value:
            raise ConfigError(
                f"`{name}` is not yet available in a running fund; found it set. Leave it out, or "
                "run the fund over data with `qv run`"
            )


def _bars(loaded: LoadedFund, instruments: Sequence[Instrument], keep: int) -> LiveBars | None:
    """Begin with the bars that the fund file names, where strategies decide on bars."""
    if not keep:
        return None
    if loaded.fund.data.source is None:
        raise MarketDataError(
            "`data.source` must name the bars of the time before the fund runs, for its portfolio "
            "strategies look back on them; found none"
        )
    history = loaded.market_data()
    ids = [each.id for each in instruments]
    if list(history.ids) != ids:
        raise MarketDataError(
            f"`data.source` must hold the instruments of the venues, {', '.join(ids)}; found "
            f"{', '.join(history.ids)}"
        )
    return LiveBars.after(history, int(history.ts[-1]), keep)
