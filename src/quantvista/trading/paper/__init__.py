"""A venue of paper: real matching, real protocol, no real money."""

from quantvista.trading.paper._auth import Credentials, Key, sign
from quantvista.trading.paper._core import Core
from quantvista.trading.paper._database import is_encrypted_database, open_database
from quantvista.trading.paper._endpoint import Answer, Endpoint
from quantvista.trading.paper._faults import FAULTS, PLACES, Fault, Faults
from quantvista.trading.paper._runner import LocalTransport, PaperServer
from quantvista.trading.paper._said import Effects, Notice
from quantvista.trading.paper._source import (
    FlowSource,
    LiveSource,
    MarketSource,
    Message,
    Moving,
    TapeSource,
)
from quantvista.trading.paper._store import Batch, MemoryStore, SQLiteStore, Store
from quantvista.trading.paper._terms import PaperAccount, VenueTerms
from quantvista.trading.paper._venue import PaperVenue, VenueError, VenueFailedError
from quantvista.trading.paper.gateway import GatewaySettings, PaperGateway

__all__ = [
    "FAULTS",
    "PLACES",
    "Answer",
    "Batch",
    "Core",
    "Credentials",
    "Effects",
    "Endpoint",
    "Fault",
    "Faults",
    "FlowSource",
    "GatewaySettings",
    "Key",
    "LiveSource",
    "LocalTransport",
    "MarketSource",
    "MemoryStore",
    "Message",
    "Moving",
    "Notice",
    "PaperAccount",
    "PaperGateway",
    "PaperServer",
    "PaperVenue",
    "SQLiteStore",
    "Store",
    "TapeSource",
    "VenueError",
    "VenueFailedError",
    "VenueTerms",
    "is_encrypted_database",
    "open_database",
    "sign",
]
