"""The fund file: one TOML file that describes a fund, from its data to its venue."""

from quantvista.fund._engine_config import run_config, simulated_config
from quantvista.fund._guard import GuardSection
from quantvista.fund._identity import code_identity, environment_identity, fund_hash
from quantvista.fund._live import live_config, live_instruments
from quantvista.fund._load import LoadedFund, load_fund
from quantvista.fund._model import (
    AccountSection,
    ActionSection,
    CashFlowSection,
    DataSection,
    EventsSection,
    Fund,
    FundSection,
    InstrumentSection,
    PortfolioSection,
    RiskSection,
    SleeveSection,
    StorageSection,
    VenueSection,
)
from quantvista.fund._schema import json_schema, resolved_toml
from quantvista.fund._templates import TEMPLATES, template_path, write_template
from quantvista.fund._terms import check_account, e9, limit_rates, venue_places

__all__ = [
    "TEMPLATES",
    "AccountSection",
    "ActionSection",
    "CashFlowSection",
    "DataSection",
    "EventsSection",
    "Fund",
    "FundSection",
    "GuardSection",
    "InstrumentSection",
    "LoadedFund",
    "PortfolioSection",
    "RiskSection",
    "SleeveSection",
    "StorageSection",
    "VenueSection",
    "check_account",
    "code_identity",
    "e9",
    "environment_identity",
    "fund_hash",
    "json_schema",
    "limit_rates",
    "live_config",
    "live_instruments",
    "load_fund",
    "resolved_toml",
    "run_config",
    "simulated_config",
    "template_path",
    "venue_places",
    "write_template",
]
