"""Corporate actions in the engine's units."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from quantvista.engine._config import money_units
from quantvista.errors import ConfigError
from quantvista.market import CorporateAction, Instrument

__all__ = ["engine_action"]

_RATE_DIGITS = 9


def engine_action(action: CorporateAction, instruments: Sequence[Instrument]) -> dict[str, Any]:
    """Write an action as the engine reads it.

    Parameters
    ----------
    action : CorporateAction
        Of one of the instruments.
    instruments : sequence of Instrument
        In ascending order of id, with the precisions that hold at the time of the action.

    Returns
    -------
    dict
        One key, the kind; below it the fields, prices in units, money in 1e-12.

    Raises
    ------
    ConfigError
        If it names an instrument that is not there, or a price is finer than its precision.
    """
    place = {each.id: index for index, each in enumerate(instruments)}
    for name in ("instrument", "into"):
        named = getattr(action, name)
        if named is not None and named not in place:
            rule = "must be an instrument of the run"
            raise ConfigError(f"`{name}` {rule}; found '{named}' on {action.ex_date}")
    of = instruments[place[action.instrument]]
    fields: dict[str, Any] = {"instrument": place[action.instrument]}
    if action.into is not None:
        fields["into"] = place[action.into]
        price = action.into_price
        digits = instruments[place[action.into]].price_precision
        fields["into_price"] = None if price is None else _units(action, price, digits)
    if action.numerator is not None:
        fields |= {"numerator": action.numerator, "denominator": action.denominator}
    if action.kind == "cash_dividend":
        assert action.amount is not None, "checked by CorporateAction"
        fields["amount"] = money_units(action.amount)
    elif action.kind == "merger_stock":
        fields["cash"] = money_units(action.amount or Decimal(0))
    elif action.kind in ("merger_cash", "delisting"):
        price = action.price
        fields["price"] = None if price is None else _units(action, price, of.price_precision)
    elif action.kind == "spin_off":
        assert action.cost_share is not None, "checked by CorporateAction"
        fields["cost_share"] = _units(action, action.cost_share, _RATE_DIGITS)
    elif action.kind == "symbol_change":
        fields["symbol"] = action.symbol
    elif action.kind == "precision":
        assert action.price_precision is not None, "checked by CorporateAction"
        assert action.quantity_precision is not None, "checked by CorporateAction"
        assert action.tick_size is not None, "checked by CorporateAction"
        assert action.lot_size is not None, "checked by CorporateAction"
        fields |= {
            "price_precision": action.price_precision,
            "quantity_precision": action.quantity_precision,
            "tick_size": _units(action, action.tick_size, action.price_precision),
            "lot_size": _units(action, action.lot_size, action.quantity_precision),
        }
    return {action.kind: fields}


def _units(action: CorporateAction, value: Decimal, digits: int) -> int:
    units = value.scaleb(digits)
    if units != units.to_integral_value():
        where = f"for instrument '{action.instrument}' on {action.ex_date}"
        raise ConfigError(
            f"`{action.kind}` must have at most {digits} decimals; found {value} {where}"
        )
    return int(units)
