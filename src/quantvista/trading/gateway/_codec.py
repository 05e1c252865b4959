"""Records of the protocol as JSON, for journals and wires."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from quantvista.trading.gateway import _account, _market, _orders, _reports

__all__ = ["decode", "encode", "from_plain", "to_plain"]

_TYPES = {
    each.__name__: each
    for module in (_account, _market, _orders, _reports)
    for name in module.__all__
    if is_dataclass(each := getattr(module, name)) and isinstance(each, type)
}
_OWN = "is"
# Looked up once: each report, order and price passes here.
_FIELDS = {each: tuple(field.name for field in fields(each)) for each in _TYPES.values()}
_PLAIN = frozenset({int, str, bool, float, type(None)})


def to_plain(value: object) -> object:
    """Write a record as dictionaries and lists; ``is`` names its class.

    Examples
    --------
    >>> to_plain(_orders.CancelOrder(client_order_id="demo-1-000001"))
    {'is': 'CancelOrder', 'client_order_id': 'demo-1-000001'}
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind in _FIELDS:
        found: dict[str, object] = {_OWN: kind.__name__}
        for name in _FIELDS[kind]:
            part = getattr(value, name)
            found[name] = part if type(part) in _PLAIN else to_plain(part)
        return found
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    return value


def from_plain(value: object) -> object:
    """Read what `to_plain` wrote.

    Raises
    ------
    ValueError
        If it is of no class of the protocol, or has other fields.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, list):
        return tuple(from_plain(each) for each in value)
    if not isinstance(value, Mapping):
        return value
    name = value.get(_OWN)
    if name not in _TYPES:
        raise ValueError(f"`is` must name a record of the protocol; found {name!r}")
    rest: dict[str, Any] = {
        key: each if type(each) in _PLAIN else from_plain(each)
        for key, each in value.items()
        if key != _OWN
    }
    if name == "Capabilities":
        rest["orders"] = frozenset(rest["orders"])
    try:
        return _TYPES[str(name)](**rest)
    except TypeError as error:
        raise ValueError(f"`{name}`: {error}") from None


def encode(value: object) -> str:
    """Write a record as one line of JSON; integers are exact, of any size."""
    return json.dumps(to_plain(value), separators=(",", ":"))


def decode[T](text: str | bytes, of: type[T]) -> T:
    """Read what `encode` wrote.

    Raises
    ------
    ValueError
        If it is no JSON, or no record of this class.
    """
    found = from_plain(json.loads(text))
    if not isinstance(found, of):
        raise ValueError(f"`text` must be a {of.__name__}; found {type(found).__name__}")
    return found
