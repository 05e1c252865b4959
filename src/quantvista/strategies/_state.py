"""What a strategy remembers, as bytes, and the proof that it comes back from them as it was."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from math import copysign
from numbers import Real
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from quantvista.errors import StrategyError, printable

__all__ = ["STATE_CONFIG", "dump", "load", "state_adapter"]

# NaN and bytes must survive the trip through JSON; another strategy's state must not pass for ours.
STATE_CONFIG = ConfigDict(
    extra="forbid", ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64"
)
_LOOSE = "a field without a type of its own (Any, object, a bare dict or list), which does not "
_LOOSE += "come back as it was; say what it holds, such as dict[str, float]"
_KEYS = "a dict whose keys are not simple (numbers, text, dates); join them into text"
_SET = "a set, whose order is not fixed; use a dict or a list"
_COMPOUND = {"tuple", "list", "dict", "dataclass", "named-tuple", "typed-dict", "model", "deque"}


def state_adapter(state: type[Any], name: str) -> TypeAdapter[Any]:
    """Build the serialiser of a ``State``; refuse one whose fields would not come back.

    Parameters
    ----------
    state : type
        The dataclass.
    name : str
        Of the strategy, for messages.

    Raises
    ------
    StrategyError
        If a field's type cannot be saved and read back.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(state)
        schema = str(adapter.json_schema())
    except (PydanticUserError, NameError, TypeError) as error:
        raise StrategyError(
            f"`State` must have fields of plain types (numbers, text, list, dict, dataclass); "
            f"found {printable(error).splitlines()[0]}; strategy {name!r}"
        ) from None
    problem = _SET if "'uniqueItems'" in schema else next(_problems(adapter.core_schema), None)
    if problem is not None:
        raise StrategyError(f"`State` must not contain {problem}; strategy {name!r}")
    return adapter


def dump(adapter: TypeAdapter[Any], state: object, name: str) -> bytes:
    """Write a state as JSON, and make sure that it reads back as it is.

    Raises
    ------
    StrategyError
        If a field holds what its annotation does not say, or what would be lost.
    """
    try:
        data = bytes(adapter.dump_json(state, warnings="error"))
    except (ValueError, TypeError) as error:
        raise StrategyError(
            f"`state` must hold what its annotations say; found {printable(error)}; "
            f"strategy {name!r}"
        ) from None
    again = load(adapter, data, name)
    lost = _difference(state, again, "state")
    if lost is not None:
        raise StrategyError(
            f"`{lost}` must come back from a snapshot as it is; found what JSON of its "
            f"annotation does not hold; strategy {name!r}"
        )
    return bytes(adapter.dump_json(again))  # as it will be written after a restart: 3.0, not 3


def load(adapter: TypeAdapter[Any], data: bytes, name: str) -> object:
    """Read a state.

    Raises
    ------
    StrategyError
        If ``data`` does not fit.
    """
    try:
        found: object = adapter.validate_json(data)
    except ValidationError as error:
        raise StrategyError(
            f"`data` must be a saved state of this strategy; found {printable(error)}; "
            f"strategy {name!r}"
        ) from None
    return found


def _problems(schema: object) -> Iterator[str]:
    """Look for what is not typed closely enough, anywhere in a schema of pydantic's."""
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from _problems(each)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    inner = {"dict": ("keys_schema", "values_schema"), "list": ("items_schema",)}.get(str(kind), ())
    if kind == "any" or any(key not in schema for key in inner):
        yield _LOOSE
    keys = schema.get("keys_schema")
    if isinstance(keys, dict) and keys.get("type") in _COMPOUND:
        yield _KEYS
    for key, each in schema.items():
        if key not in ("metadata", "default", "serialization"):
            yield from _problems(each)


def _difference(before: Any, after: Any, where: str) -> str | None:  # noqa: ANN401 - any field
    """Name the first place where two states differ; numbers compare as such, NaN equals NaN."""
    if isinstance(before, Real) and isinstance(after, Real):
        return None if _same_number(before, after) else where
    if isinstance(before, str) and isinstance(after, str):
        return None if before == after else where
    if type(before) is not type(after):
        return where
    pairs: list[tuple[str, Any, Any]]
    if is_dataclass(before) and not isinstance(before, type):
        extra = set(getattr(before, "__dict__", ())) - {each.name for each in fields(before)}
        if extra:
            return f"{where}.{min(extra)}"
        names = [each.name for each in fields(before)]
        pairs = [(f"{where}.{n}", getattr(before, n), getattr(after, n)) for n in names]
    elif isinstance(before, Mapping):
        if len(before) != len(after) or _factory(before) != _factory(after):
            return where
        items = zip(before.items(), after.items(), strict=True)
        pairs = [(where, pair, other) for pair, other in items]
    elif isinstance(before, list | tuple | deque):
        if len(before) != len(after) or _length_max(before) != _length_max(after):
            return where
        pairs = [(where, each, other) for each, other in zip(before, after, strict=True)]
    else:
        return None if before == after else where
    found = (_difference(one, other, place) for place, one, other in pairs)
    return next((each for each in found if each is not None), None)


def _same_number(before: Real, after: Real) -> bool:
    if before != before:
        return after != after
    return before == after and (before != 0 or copysign(1.0, before) == copysign(1.0, after))


def _factory(value: object) -> object:
    return value.default_factory if isinstance(value, defaultdict) else None


def _length_max(value: object) -> int | None:
    return value.maxlen if isinstance(value, deque) else None
