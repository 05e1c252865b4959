"""From the name in a fund file to a strategy: shipped ones, and classes in users' files."""

import copy
import inspect
import sys
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from quantvista.errors import ConfigError, QuantVistaError, StrategyError, printable
from quantvista.strategies._base import EventStrategy, PortfolioStrategy, Strategy
from quantvista.strategies._cross_venue import CrossVenueArbitrage
from quantvista.strategies._equal_weight import EqualWeight
from quantvista.strategies._guard import raised_error, strategy_error
from quantvista.strategies._market_maker import MarketMaker
from quantvista.strategies._momentum import Momentum
from quantvista.strategies._params import plain_params, suggestion
from quantvista.strategies._trend import Trend
from quantvista.strategies._triangular import TriangularArbitrage

__all__ = ["SHIPPED", "load_strategy"]

SHIPPED: Mapping[str, type[Strategy]] = {
    "trend": Trend,
    "momentum": Momentum,
    "equal_weight": EqualWeight,
    "market_maker": MarketMaker,
    "cross_venue": CrossVenueArbitrage,
    "triangular": TriangularArbitrage,
}
"""Strategies that a fund file can name without a file."""


def load_strategy(
    ref: str | type[Strategy] | Strategy, base: Path, params: Mapping[str, Any] | None = None
) -> Strategy:
    """Make the strategy that a sleeve asks for.

    Parameters
    ----------
    ref : str, type or Strategy
        A shipped name (``"trend"``), ``"file.py:Class"`` with the file relative to ``base``, a
        strategy class, or an instance, of which a copy is made so that it stays as it is.
    base : Path
        Folder of the fund file.
    params : mapping, optional
        Parameters by name. An instance has its own already and takes none.

    Returns
    -------
    Strategy
        A new one, with a fresh state.

    Raises
    ------
    ConfigError
        If a parameter is unknown or out of range.
    StrategyError
        If there is no such strategy, or its file or class cannot be used.

    Notes
    -----
    A file runs once per content and process, however many sleeves name it.

    Examples
    --------
    >>> load_strategy("trend", Path(), {"lookback": 100}).params
    Params(lookback=100, skip=0, graded=False)
    """
    values = dict(params or {})
    if isinstance(ref, Strategy):
        if values:
            raise ConfigError(
                f"`params` must be empty for an instance, which has its own; found "
                f"{sorted(values)}; strategy {type(ref).__name__!r}"
            )
        _check_class(type(ref))
        return _checked_params(_copy(ref), type(ref))
    if isinstance(ref, str):
        ref = _find(ref, base)
    return _construct(_check_class(ref), values)


def _copy(strategy: Strategy) -> Strategy:
    try:
        return copy.deepcopy(strategy)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StrategyError(
            f"`strategy` instance must be one that can be copied; found {printable(error)}; "
            f"strategy {type(strategy).__name__!r}"
        ) from error


def _find(ref: str, base: Path) -> type[Strategy]:
    if ref in SHIPPED:
        return SHIPPED[ref]
    file, colon, name = ref.rpartition(":")
    if not colon:
        hint = f"did you mean '{ref}:Class'?" if ref.endswith(".py") else suggestion(ref, SHIPPED)
        raise StrategyError(
            f"`strategy` must be one of {', '.join(sorted(SHIPPED))} or 'file.py:Class'; "
            f"found {ref!r}; {hint}"
        )
    if "\0" in ref:
        raise StrategyError(f"`strategy` must read 'file.py:Class'; found {ref!r}")
    path = (base / file).resolve()
    if path.suffix != ".py" or not name.isidentifier():
        raise StrategyError(
            f"`strategy` must read 'file.py:Class'; found {ref!r}; base folder {base}"
        )
    module = _module(path)
    if not hasattr(module, name):
        raise StrategyError(
            f"`strategy` must name a class of {path.name}; found {name!r}; "
            f"{suggestion(name, _own_strategies(module))}"
        )
    found: type[Strategy] = _check_class(getattr(module, name))
    return found


def _module(path: Path) -> ModuleType:
    """Run a user's file as a module of its own, once per content."""
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise StrategyError(
            f"`strategy` must name a file that exists; found none at {path}"
        ) from None
    except OSError as error:
        raise StrategyError(
            f"`strategy` must name a file that can be read; found {error.strerror}; {path}"
        ) from None
    digest = blake2b(str(path).encode() + b"\0" + source, digest_size=8).hexdigest()
    name = f"quantvista_user_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise _syntax_error(error, path) from None
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pydantic look annotations up there
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _import_error(error, path) from error
    return module


def _syntax_error(error: SyntaxError | ValueError, path: Path) -> StrategyError:
    where = ""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        where = f"\n  {path}:{error.lineno}: {(error.text or '').strip()}".rstrip()
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return StrategyError(f"`strategy` file must be valid Python; found {message}{where}")


def _import_error(error: BaseException, path: Path) -> StrategyError:
    message = f"strategy file {path.name!r} failed while loading"
    result = raised_error(error, message, {}, files=[str(path)])
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and (path.parent / f"{missing}.py").exists():
        return StrategyError(
            f"{result}\n  A strategy file cannot import the files beside it; put the code into "
            f"{path.name}, or install it as a package"
        )
    return result


def _check_class(found: object) -> type[Strategy]:
    kinds = (PortfolioStrategy, EventStrategy)
    if not (isinstance(found, type) and issubclass(found, kinds)):
        raise StrategyError(
            f"`strategy` must be a class derived from PortfolioStrategy or EventStrategy; "
            f"found {found!r}"
        )
    if inspect.isabstract(found):
        missing = ", ".join(f"`{each}`" for each in sorted(found.__abstractmethods__))
        raise StrategyError(f"strategy {found.__name__!r} must define {missing}")
    called = ["forecast"]
    if issubclass(found, EventStrategy):
        called = sorted(found.handlers())
        if not called:
            raise StrategyError(
                f"strategy {found.__name__!r} must define `on_bar`, `on_fill` or `on_timer`"
            )
    for name in called:
        _check_function(found, name)
    return found


def _check_function(cls: type[Strategy], name: str) -> None:
    """Refuse what would return at once and do nothing when it is called."""
    function = getattr(cls, name)
    found = None
    if not callable(function):
        found = f"{type(function).__name__}"
    elif inspect.iscoroutinefunction(function):
        found = "`async def`, which nothing awaits"
    elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        found = "a generator (it has `yield`), which nothing iterates"
    if found is not None:
        raise StrategyError(
            f"`{name}` must be an ordinary function; found {found}; strategy {cls.__name__!r}"
        )


def _own_strategies(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Strategy)
        and value.__module__ == module.__name__
    ]


def _construct(cls: type[Strategy], values: dict[str, Any]) -> Strategy:
    try:
        strategy = cls(**values)
    except (QuantVistaError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise strategy_error(error, object.__new__(cls), "__init__") from error
    return _checked_params(strategy, cls)


def _checked_params(strategy: Strategy, cls: type[Strategy]) -> Strategy:
    """Refuse parameters that a run could not write down, before it begins."""
    params = getattr(strategy, "params", None)
    if not isinstance(params, cls.Params):
        raise StrategyError(
            f"strategy {cls.__name__!r} must call super().__init__(**values) in its __init__"
        )
    plain_params(params, cls.__name__)
    return strategy
