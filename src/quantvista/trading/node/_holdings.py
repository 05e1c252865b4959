"""What sleeves hold, in units of the instrument."""

from decimal import Decimal

from quantvista.engine import Session
from quantvista.trading.node._terms import NodeSetup

__all__ = ["held"]

_MONEY = 12


def held(session: Session, setup: NodeSetup, sleeve: int, place: int) -> int:
    """Position of a sleeve; of a pair that only exchanges currencies, what it has of the base."""
    instrument = setup.instruments[place]
    if instrument.settlement != "exchange":
        return session.position(sleeve, place)
    base = setup.currencies.index(instrument.base)
    amount = session.balance(sleeve, base)
    return int(Decimal(amount).scaleb(instrument.quantity_precision - _MONEY))
