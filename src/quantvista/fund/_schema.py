"""A fund as JSON Schema for editors, and as the TOML that a run keeps."""

import json
from typing import Any

import tomli_w
from pydantic import BaseModel

from quantvista.fund._model import Fund
from quantvista.strategies import Strategy, plain_params

__all__ = ["json_schema", "resolved_toml"]

# Written as text, because they are money or rates that people read as decimals.
_TEXT = {"cash", "position_max", "fat_finger_notional", "fee_bps", "slippage_bps"}
_TEXT |= {"maker_bps", "taker_bps", "volume_from", "fee_per_unit", "fee_minimum", "amount"}
_TEXT |= {"tick_size", "lot_size", "amount", "price", "shortable", "average_volume", "borrow_rate"}
_TEXT |= {"volatility", "into_price", "slice_max", "day_loss_max"}


def json_schema() -> str:
    """JSON Schema of fund files, for completion and checks in editors.

    Returns
    -------
    str
        JSON, ending with a line feed; the same for the same version.
    """
    schema = Fund.model_json_schema(mode="validation")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "QuantVista fund file",
        "description": "One TOML file that describes a fund.",
    }
    return json.dumps(schema, indent=2) + "\n"


def resolved_toml(fund: Fund) -> str:
    """Write a fund with every default filled in, in the order of the format.

    Parameters
    ----------
    fund : Fund
        Strategies given as classes are written as ``module:Class`` for the reader, and parameters
        that are None, which TOML cannot hold, as a comment.

    Returns
    -------
    str
        TOML. Read again, it gives an equal fund, if its strategies are named by text.
    """
    parts = [tomli_w.dumps({"version": fund.version})]
    parts += [_dump("fund", fund.fund), _dump("data", fund.data)]
    parts += [_dump("instrument", each, of_many=True) for each in fund.instrument]
    parts += [_dump("sleeve", each, of_many=True) for each in fund.sleeve]
    parts += [_dump("portfolio", fund.portfolio), _dump("risk", fund.risk)]
    parts += [_dump("account", fund.account)]
    parts += [_dump("venue", each, of_many=True) for each in fund.venue]
    parts += [_dump("cash_flow", each, of_many=True) for each in fund.cash_flow]
    parts += [] if fund.guard is None else [_dump("guard", fund.guard)]
    parts += [] if fund.storage is None else [_dump("storage", fund.storage)]
    return "\n".join(parts)


def _dump(name: str, section: BaseModel, *, of_many: bool = False) -> str:
    """Write a section; ``[[name]]`` before the first table is what makes it one of many."""
    table = _table(section)
    text = tomli_w.dumps({name: _without_none(table)})
    names = _none_names(table.get("params"), "params")
    text += "".join(f"# {each if each.isprintable() else repr(each)} is None\n" for each in names)
    return text.replace(f"[{name}]", f"[[{name}]]", 1) if of_many else text


def _table(section: BaseModel) -> dict[str, object]:
    table: dict[str, object] = {}
    for name, known in type(section).model_fields.items():
        value = getattr(section, name)
        if value is None and known.default is not None and not known.is_required():
            table[name] = False  # switched off, where there is a default
            continue
        if value is None or value in ({}, ()):
            continue
        if name == "strategy" and not isinstance(value, str):
            cls = value if isinstance(value, type) else type(value)
            if isinstance(value, Strategy):
                table["params"] = _plain(plain_params(value.params, cls.__name__))
            value = f"{cls.__module__}:{cls.__qualname__}"
        elif name in _TEXT:
            value = f"{value:f}"
        written = _plain(value)
        if written != {}:
            table.setdefault(name, written)
    return table


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return _table(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return value


def _without_none(value: object) -> Any:  # noqa: ANN401 - what goes in comes out
    if isinstance(value, list):
        return ["none" if each is None else _without_none(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return value


def _none_names(value: object, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [where] if value is None and "." in where else []
    return [name for key in value for name in _none_names(value[key], f"{where}.{key}")]
