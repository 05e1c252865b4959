"""The fund file: one TOML file that describes a fund, from its data to its venue."""

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
    VenueSection,
)
from quantvista.fund._schema import json_schema, resolved_toml
from quantvista.fund._templates import TEMPLATES, template_path, write_template

__all__ = [
    "TEMPLATES",
    "AccountSection",
    "ActionSection",
    "CashFlowSection",
    "DataSection",
    "EventsSection",
    "Fund",
    "FundSection",
    "InstrumentSection",
    "LoadedFund",
    "PortfolioSection",
    "RiskSection",
    "SleeveSection",
    "VenueSection",
    "json_schema",
    "load_fund",
    "resolved_toml",
    "template_path",
    "write_template",
]
