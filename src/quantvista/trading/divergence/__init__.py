"""What a fund did on paper beside its backtest of the same period, and why they differ."""

from quantvista.trading.divergence._attribution import (
    CAUSES,
    Cause,
    Chain,
    Divergence,
    Side,
    attribute,
    money,
)
from quantvista.trading.divergence._diverge import diverge
from quantvista.trading.divergence._incidents import Incident
from quantvista.trading.divergence._matching import Matching, Pair, match_orders
from quantvista.trading.divergence._track import Order, Track
from quantvista.trading.divergence._words import (
    bps_text,
    counted_text,
    money_text,
    order_text,
    verdict,
)

__all__ = [
    "CAUSES",
    "Cause",
    "Chain",
    "Divergence",
    "Incident",
    "Matching",
    "Order",
    "Pair",
    "Side",
    "Track",
    "attribute",
    "bps_text",
    "counted_text",
    "diverge",
    "match_orders",
    "money",
    "money_text",
    "order_text",
    "verdict",
]
