"""Typed parameters of strategies, and refusals that a person can act on."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from quantvista.errors import ConfigError

__all__ = ["StrategyParams", "params_error", "suggestion"]


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
    return ConfigError("\n".join(lines))


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
    return f"`{where}` {rule}; found {item['input']!r}; strategy {strategy!r}"
