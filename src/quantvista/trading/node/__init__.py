"""The node: a fund that trades, with one writer, one journal and one order of events."""

from quantvista.trading.node._bodies import NODE_KINDS, NodeOpened, NodeState
from quantvista.trading.node._node import Node
from quantvista.trading.node._status import status
from quantvista.trading.node._terms import NodeSettings, NodeSetup, VenueLink

__all__ = [
    "NODE_KINDS",
    "Node",
    "NodeOpened",
    "NodeSettings",
    "NodeSetup",
    "NodeState",
    "VenueLink",
    "status",
]
