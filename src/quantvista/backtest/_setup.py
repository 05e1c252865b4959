"""From a fund to the parts of a simulation."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from quantvista.backtest._inputs import scheduled_inputs
from quantvista.backtest._models import check_models
from quantvista.backtest._simulation import Input, Simulation, barriers
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import SEMANTICS, LimitRates
from quantvista.fund import (
    Fund,
    LoadedFund,
    code_identity,
    e9,
    environment_identity,
    limit_rates,
    run_config,
)
from quantvista.fund.desk import decision_rows, weight_settings
from quantvista.strategies import EqualWeight, Strategy

__all__ = ["equal_weight_simulation", "fingerprint", "simulation"]


def simulation(
    loaded: LoadedFund, data: MarketData | EventData, strategies: Mapping[str, Strategy]
) -> Simulation:
    """Set up the fund's own run."""
    fund = loaded.fund
    shares = {sleeve.id: sleeve.share for sleeve in fund.sleeve}
    inputs = [] if isinstance(data, MarketData) else scheduled_inputs(loaded, data)
    return _simulation(fund, data, strategies, shares, limit_rates(fund), "all", inputs)


def equal_weight_simulation(fund: Fund, data: MarketData) -> Simulation:
    """Set up what every fund is compared with: all instruments alike, same dates, same costs."""
    limits = LimitRates(price_band=e9(fund.risk.price_band))
    strategies = {"equal_weight": EqualWeight()}
    return _simulation(fund, data, strategies, {"equal_weight": Decimal(1)}, limits, "accounts")


def _simulation(
    fund: Fund,
    data: MarketData | EventData,
    strategies: Mapping[str, Strategy],
    shares: dict[str, Decimal],
    limits: LimitRates,
    record: str,
    inputs: Sequence[Input] = (),
) -> Simulation:
    check_models(fund, data)
    config = run_config(fund, data, shares, limits)
    ts, session_end = barriers(data)
    return Simulation(
        config=config,
        data=data,
        strategies=strategies,
        decisions=decision_rows(
            ts,
            session_end,
            fund.portfolio.rebalance,
            fund.fund.calendar,
            fund.fund.time_zone,
        ),
        settings=weight_settings(fund, with_caps=record == "all"),
        seed=fund.fund.seed,
        record=record,
        inputs=inputs,
    )


def fingerprint(fund: str, data: MarketData | EventData, state_hash: str) -> dict[str, Any]:
    """Identify a run by its data, its fund and strategies, our version, where it ran."""
    return {
        "data": data.fingerprint,
        **({"lake": {"source": data.source, "commit": data.commit}} if data.commit else {}),
        "fund": fund,
        "code": code_identity(),
        "semantics": SEMANTICS,
        "state_hash": state_hash,
        "environment": environment_identity(),
    }
