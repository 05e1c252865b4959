"""Operators that users write in Python: a small class with ``update``."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, ClassVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from quantvista.errors import ConfigError, StrategyError, printable
from quantvista.features._code import code_digest
from quantvista.features._operators import OperatorInfo, Param, operator_infos

__all__ = ["Operator", "OwnOperators", "dump_state", "load_state", "own_info", "place_of"]

_MOST = 1e9


@dataclass
class Operator:
    """Base class of an operator of one's own.

    Subclass it as a dataclass. Fields without ``init=False`` are its parameters, whole numbers or
    floats; fields with ``init=False`` and a default are what it remembers, one copy for each
    instrument. ``update`` is called once for each bar at which all inputs are known, with as many
    numbers as ``inputs`` names, and returns the value now, NaN where there is none yet.

    In expressions it is called by its name in snake case: ``HalfLife`` is ``half_life(...)``.

    Examples
    --------
    >>> from dataclasses import dataclass, field
    >>> from quantvista.features import FeatureSet, Operator
    >>> @dataclass
    ... class Above(Operator):
    ...     '''How many of the bars so far were above a level.'''
    ...     level: float
    ...     count: int = field(default=0, init=False)
    ...     def update(self, x: float) -> float:
    ...         self.count += x > self.level
    ...         return float(self.count)
    >>> FeatureSet({"n": "above(close, 1.5)"}, operators=[Above]).columns
    ('close',)
    """

    inputs: ClassVar[tuple[str, ...]] = ("x",)
    """Names of what `update` takes; one that is called like a column is that column by default."""

    @property
    def warm_up(self) -> int:
        """Bars until the first value, this one included; override it where it is not 1."""
        return 1

    @property
    def look_back(self) -> int | None:
        """Bars that a value depends on, ``None`` for all there were; override it if it is known."""
        return None

    def update(self, *values: Any, **_: Any) -> float:  # noqa: ANN401 - as many as `inputs`
        """Take in one bar.

        Parameters
        ----------
        *values : float
            One for each of ``inputs``; never NaN.

        Returns
        -------
        float
            The value now.
        """
        raise NotImplementedError


type OwnOperators = tuple[type[Operator], ...]


def own_info(own: type[Operator]) -> OperatorInfo:
    """Describe an operator of a user as the table does those of the core.

    Raises
    ------
    ConfigError
        If it is no dataclass, has fields that are neither parameters nor state, or the name of an
        operator that there is.
    """
    if not (isinstance(own, type) and issubclass(own, Operator) and is_dataclass(own)):
        raise ConfigError(f"`operators` must be dataclasses that extend Operator; found {own!r}")
    if own.update is Operator.update:
        raise ConfigError(f"operator {own.__name__!r} must define `update`; found none")
    name = _snake(own.__name__)
    if name in operator_infos():
        raise ConfigError(f"operator {own.__name__!r} must not be called like {name!r} of the core")
    hints = get_type_hints(own)
    params = tuple(_param(each, hints[each.name], name) for each in fields(own) if each.init)
    for each in fields(own):
        if not each.init and each.default is MISSING and each.default_factory is MISSING:
            rule = "must have a default where init=False, because it is what is remembered"
            raise ConfigError(f"field `{each.name}` of operator {name!r} {rule}; found none")
    return OperatorInfo(
        name,
        tuple(own.inputs),
        params,
        cross=False,
        memory="recursive",
        doc=(inspect.getdoc(own) or "").split("\n\n")[0],
        formula="",
        source=_file_of(own),
        own=own,
        code=code_digest(own, Operator),
    )


def dump_state(operator: Operator) -> dict[str, Any]:
    """Write what an operator remembers as plain JSON-like values.

    Raises
    ------
    ConfigError
        If a field is of a type that does not come back from them.
    """
    state = {}
    for name, adapter in _adapters(type(operator)).items():
        try:
            state[name] = adapter.dump_python(getattr(operator, name), mode="json")
        except (PydanticUserError, ValueError) as error:
            rule = f"must hold plain values in `{name}`"
            found = f"found {printable(error).splitlines()[0]}"
            raise ConfigError(f"operator {type(operator).__name__!r} {rule}; {found}") from None
    return state


def load_state(operator: Operator, state: Mapping[str, Any]) -> None:
    """Give an operator back what it remembered.

    Raises
    ------
    ConfigError
        If the state is not one of this operator.
    """
    adapters = _adapters(type(operator))
    if set(adapters) != set(state):
        rule = f"must remember {', '.join(sorted(adapters)) or 'nothing'}"
        found = ", ".join(sorted(state)) or "nothing"
        raise ConfigError(f"operator {type(operator).__name__!r} {rule}; found {found}")
    for name, adapter in adapters.items():
        try:
            setattr(operator, name, adapter.validate_python(state[name]))
        except ValidationError as error:
            raise ConfigError(
                f"operator {type(operator).__name__!r} must have a valid `{name}`; "
                f"found {error.errors()[0]['msg']}"
            ) from None


def checked_update(operator: Operator) -> Callable[..., float]:
    """Return ``update``, its mistakes named with the place in the user's file."""
    name = type(operator).__name__

    def update(*values: float) -> float:
        try:
            result = float(operator.update(*values))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too, and panics of compiled libraries
            raised = f"{type(error).__name__}: {printable(error)}"
            place = place_of(error, type(operator).update)
            raise StrategyError(f"operator {name!r} raised {raised}{place}") from error
        return result if math.isfinite(result) else math.nan

    return update


def place_of(error: BaseException, function: Callable[..., object]) -> str:
    """Say where a user's code raised: the last line of its own file, of whatever it called."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    places = []
    at = error.__traceback__
    while at is not None:
        places.append((at.tb_frame.f_code.co_filename, at.tb_lineno))
        at = at.tb_next
    inside = [each for each in places if code is not None and each[0] == code.co_filename]
    file, line = (inside or places)[-1]
    return f" ({file}, line {line})"


def _adapters(own: type[Operator]) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(own)
    remembered = [each.name for each in fields(own) if not each.init]
    return {name: TypeAdapter(hints[name]) for name in remembered}


def _param(field: Field[Any], hint: object, operator: str) -> Param:
    if hint not in (int, float):
        rule = "must be int or float, or have init=False if it is what is remembered"
        raise ConfigError(f"field `{field.name}` of operator {operator!r} {rule}; found {hint}")
    whole = hint is int
    default = None if field.default is MISSING else float(field.default)
    return Param(field.name, whole, -_MOST, _MOST, default)


def _file_of(own: type[Operator]) -> str:
    try:
        return inspect.getsourcefile(own) or ""
    except (OSError, TypeError):
        return ""  # it was typed into a shell or notebook, and has no file


def _snake(name: str) -> str:
    parts = "".join(f"_{each}" if each.isupper() else each for each in name).strip("_")
    return parts.lower().replace("__", "_")
