"""From a fund to the parts of a simulation."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from quantvista._version import __version__
from quantvista.backtest._inputs import scheduled_inputs
from quantvista.backtest._models import check_models
from quantvista.backtest._schedule import decision_rows
from quantvista.backtest._simulation import Input, Simulation, barriers
from quantvista.backtest._terms import e9, limit_rates, run_config
from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import SEMANTICS, LimitRates
from quantvista.fund import Fund, LoadedFund, resolved_toml
from quantvista.portfolio import WeightSettings
from quantvista.strategies import EqualWeight, Strategy, load_strategy

__all__ = ["equal_weight_simulation", "fingerprint", "fund_hash", "load_strategies", "simulation"]


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
    own_caps = record == "all"
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
        settings=WeightSettings(
            weighting=fund.portfolio.weighting,
            volatility_window=fund.portfolio.volatility_window,
            weight_max=_float(fund.risk.weight_max) if own_caps else None,
            sector_max=_float(fund.risk.sector_max) if own_caps else None,
        ),
        seed=fund.fund.seed,
        record=record,
        inputs=inputs,
    )


def load_strategies(loaded: LoadedFund) -> dict[str, Strategy]:
    """Strategies by sleeve."""
    return {
        sleeve.id: load_strategy(sleeve.strategy, loaded.base, sleeve.params)
        for sleeve in loaded.fund.sleeve
    }


def fund_hash(loaded: LoadedFund) -> str:
    """Identify a fund by its resolved file and the content of its strategy files."""
    fund = hashlib.sha256(resolved_toml(loaded.fund).encode())
    for sleeve in loaded.fund.sleeve:
        if isinstance(sleeve.strategy, str) and ".py:" in sleeve.strategy:
            source = loaded.base / sleeve.strategy.rpartition(":")[0]
            fund.update(source.read_bytes() if source.is_file() else b"")
    return fund.hexdigest()


def fingerprint(fund: str, data: MarketData | EventData, state_hash: str) -> dict[str, Any]:
    """Identify a run by its data, its fund and strategies, our version, where it ran."""
    return {
        "data": data.fingerprint,
        **({"lake": {"source": data.source, "commit": data.commit}} if data.commit else {}),
        "fund": fund,
        "code": {"version": __version__, "commit": _commit()},
        "semantics": SEMANTICS,
        "state_hash": state_hash,
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            **{name: version(name) for name in ("numpy", "polars", "pyarrow")},
        },
    }


def _commit() -> str | None:
    """Commit of the checkout that this package runs from, if it does."""
    git = Path(__file__).parents[3] / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        return (git / head[5:]).read_text().strip()
    except OSError:
        return None


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
