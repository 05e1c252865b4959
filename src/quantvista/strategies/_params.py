"""Typed parameters of strategies, and refusals that a person can act on."""

from collections.abc import Iterable
from difflib import get_close_matches
from math import isfinite
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from quantvista.errors import ConfigError, StrategyError, printable

__all__ = ["StrategyParams", "params_error", "plain_params", "suggestion"]


class StrategyParams(BaseModel):
    """Base of every strategy's nested ``Params``: frozen, unknown names refused.

    Give each field a default, a range and a description that names its unit. Infinite and NaN
    numbers are refused.

    Examples
    --------
    >>> from pydantic import Field
    >>> class Params(StrategyParams):
    ...     lookback: int = Field(252, ge=2, description="bars")
    >>> Params(lookback=100).lookback
    100
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


def params_error(error: ValidationError, model: type[BaseModel], strategy: str) -> ConfigError:
    """Turn pydantic's report into one line per wrong parameter.

    Parameters
    ----------
    error : ValidationError
        What validating ``model`` raised.
    model : type
        The strategy's ``Params``.
    strategy : str
        Its name, for the message.

    Returns
    -------
    ConfigError
        To be raised by the caller.
    """
    lines = [_line(dict(item), model, strategy) for item in error.errors(include_url=False)]
    return ConfigError(printable("\n".join(lines)))


def plain_params(params: StrategyParams, strategy: str) -> dict[str, Any]:
    """Parameters as a summary and a fund file hold them: text, numbers, lists and tables.

    Parameters
    ----------
    params : StrategyParams
        Validated ones.
    strategy : str
        Name of the strategy, for messages.

    Returns
    -------
    dict
        Of JSON's types; NumPy's scalars have become Python's, None stays.

    Raises
    ------
    ConfigError
        If a number is not finite.
    StrategyError
        If a value has no such form, or none that is the same in every process, as a set has not.
    """
    try:
        _refuse_unfit(params.model_dump(), "params", strategy)
        try:
            dumped = params.model_dump(mode="json")
        except PydanticSerializationError:
            dumped = to_jsonable_python(params.model_dump(), fallback=_scalar)
    except (ConfigError, StrategyError):
        raise
    except Exception as error:  # serialisers may be the user's
        raise StrategyError(
            f"`params` must be what a fund file can hold (text, numbers, lists, tables); "
            f"found {printable(error)}; strategy {strategy!r}"
        ) from error
    return dict(dumped)


def _refuse_unfit(value: object, where: str, strategy: str) -> None:
    if isinstance(value, set | frozenset):
        raise StrategyError(
            f"`{where}` must not be a set, whose order is not fixed; use a tuple; "
            f"strategy {strategy!r}"
        )
    if isinstance(value, float | np.floating) and not isfinite(value):
        raise ConfigError(f"`{where}` must be finite; found {value}; strategy {strategy!r}")
    if isinstance(value, str) and printable(value) != value:
        raise ConfigError(f"`{where}` must be text; found {value!r}; strategy {strategy!r}")
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str | int | float):
                rule = "must have keys that are text or numbers"
                raise StrategyError(f"`{where}` {rule}; found {key!r}; strategy {strategy!r}")
            _refuse_unfit(each, f"{where}.{key}", strategy)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_unfit(each, where, strategy)


def _scalar(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Name the nearest of ``known``, or list them all: the end of a sentence.

    Examples
    --------
    >>> suggestion("tren", ["trend", "momentum"])
    "did you mean 'trend'?"
    >>> suggestion("x", ["trend", "momentum"])
    "known are 'momentum', 'trend'"
    >>> suggestion("x", [])
    'there is none'
    """
    names = sorted(known)
    if not names:
        return "there is none"
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known are " + ", ".join(repr(each) for each in names)


def _line(item: dict[str, Any], model: type[BaseModel], strategy: str) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "params"
    kind = item["type"]
    if kind == "extra_forbidden":
        rule = "must be a known parameter"
        found = suggestion(where, model.model_fields)
        return f"`{where}` {rule}; {found}; strategy {strategy!r}"
    if kind == "missing":
        return f"`{where}` must be given; found nothing; strategy {strategy!r}"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    rule = message.replace("Input should be", "must be").replace("Input should", "must")
    if not rule.startswith("must"):
        rule = f"must be usable: {rule}"
    return f"`{where}` {rule}; found {printable(item['input'], repr)}; strategy {strategy!r}"
