"""The guard: a process of its own that lets a fund trade, and takes it off the market.

`Guard` is the whole of it without I/O: it runs on any event loop, with any clock, against any
`Gateway`. ``lease`` is what a node asks before it trades, ``serving`` the process around it.
"""

from quantvista.trading.guard._guard import Guard
from quantvista.trading.guard._hand import Hand, Open, open_things
from quantvista.trading.guard._log import GuardLog, GuardState
from quantvista.trading.guard._node import NodeView
from quantvista.trading.guard._records import KINDS, Level
from quantvista.trading.guard._seams import Halts, NodeHandle, Other, Standing
from quantvista.trading.guard._terms import GuardTerms, Seams
from quantvista.trading.guard._views import VenueView
from quantvista.trading.guard._watch import Finding, Firm, Watch
from quantvista.trading.guard.lease import (
    FileLease,
    FileLeaseWriter,
    Lease,
    LeaseWriter,
    NoLease,
)

__all__ = [
    "KINDS",
    "FileLease",
    "FileLeaseWriter",
    "Finding",
    "Firm",
    "Guard",
    "GuardLog",
    "GuardState",
    "GuardTerms",
    "Halts",
    "Hand",
    "Lease",
    "LeaseWriter",
    "Level",
    "NoLease",
    "NodeHandle",
    "NodeView",
    "Open",
    "Other",
    "Seams",
    "Standing",
    "VenueView",
    "Watch",
    "open_things",
]
