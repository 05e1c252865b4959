"""What clients send, read strictly: nothing unknown, nothing of another type, nothing too large."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from quantvista._native import names
from quantvista.trading.gateway import AmendOrder, SubmitOrder, parse_client_order_id
from quantvista.trading.paper._venue import VenueError

__all__ = ["read_amend", "read_dead_man", "read_object", "read_submit"]

_UNITS_MAX = 10**15
_TIME_MAX = 2**62
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "side": tuple(names["side"]),
    "kind": tuple(names["type"]),
    "tif": tuple(names["tif"]),
    "trigger_by": (*names["trigger_source"], None),
}


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    VenueError
        ``bad_request``, as do the readers below.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _bad("the body must be JSON") from None
    if not isinstance(found, dict):
        raise _bad("the body must be a JSON object")
    return found


def read_submit(body: bytes) -> SubmitOrder:
    """Read an order."""
    found = read_object(body)
    _check_names(found, SubmitOrder)
    name = found["client_order_id"]
    if not isinstance(name, str) or parse_client_order_id(name) is None:
        rule = "`client_order_id` must be FUND-EPOCH-SEQUENCE, such as demo-1-000001"
        raise _bad(f"{rule}; found {str(name)[:60]!r}")
    if not isinstance(found["instrument"], str):
        raise _bad("`instrument` must be text")
    for key, allowed in _CHOICES.items():
        if key in found and found[key] not in allowed:
            words = ", ".join(each for each in allowed if each)
            raise _bad(f"`{key}` must be one of {words}; found {str(found[key])[:40]!r}")
    for key in ("post_only", "reduce_only"):
        if not isinstance(found.get(key, False), bool):
            raise _bad(f"`{key}` must be true or false")
    _check_units(found)
    if type(found["quantity"]) is not int:
        raise _bad("`quantity` must be a whole number of units")
    return SubmitOrder(**found)


def read_amend(client_order_id: str, body: bytes) -> AmendOrder:
    """Read new terms of an order."""
    found = {"client_order_id": client_order_id, **read_object(body)}
    _check_names(found, AmendOrder)
    _check_units(found)
    if all(found.get(each.name) is None for each in fields(AmendOrder)[1:]):
        raise _bad("an amendment must change something")
    return AmendOrder(**found)


def read_dead_man(body: bytes) -> int:
    """Read for how many nanoseconds a dead-man switch is to be set."""
    found = read_object(body)
    after = found.get("after_ms")
    if set(found) != {"after_ms"} or type(after) is not int or not 0 <= after <= _UNITS_MAX:
        raise _bad("`after_ms` must be given, a whole number, and nothing else")
    return after * 10**6


def _check_names(found: Mapping[str, Any], of: type[SubmitOrder] | type[AmendOrder]) -> None:
    known = {each.name for each in fields(of)}
    if unknown := sorted(set(found) - known):
        raise _bad(f"`{unknown[0][:40]}` is not known; known: {', '.join(sorted(known))}")
    needed = [each.name for each in fields(of) if each.default is MISSING]
    if absent := [name for name in needed if name not in found]:
        raise _bad(f"`{absent[0]}` is missing")


def _check_units(found: Mapping[str, Any]) -> None:
    for key, most in (
        ("quantity", _UNITS_MAX),
        ("limit_price", _UNITS_MAX),
        ("trigger_price", _UNITS_MAX),
        ("trail_amount", _UNITS_MAX),
        ("trail_rate", _UNITS_MAX),
        ("display_quantity", _UNITS_MAX),
        ("expire_at", _TIME_MAX),
    ):
        value = found.get(key)
        if value is not None and (type(value) is not int or abs(value) > most):
            raise _bad(f"`{key}` must be a whole number, at most {most}; found {str(value)[:40]}")
    if found.get("trail_amount") is not None and found.get("trail_rate") is not None:
        raise _bad("`trail_amount` must not come with `trail_rate`; found both")


def _bad(text: str) -> VenueError:
    return VenueError("bad_request", text)
