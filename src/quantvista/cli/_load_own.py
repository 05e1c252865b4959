"""Classes and functions in files of the user's."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantvista.errors import ConfigError, StrategyError, printable
from quantvista.features import Operator

__all__ = ["load_named", "own_operators"]


def load_named(reference: str) -> Any:  # noqa: ANN401 - whatever the file has
    """Load ``FILE.py:NAME``.

    Raises
    ------
    ConfigError
        If it is not written like that, or there is no such file or name.
    StrategyError
        If the file raises.
    """
    file, sign, name = reference.rpartition(":")
    if not sign or not file.endswith(".py"):
        raise ConfigError(f"`reference` must be FILE.py:NAME; found {reference!r}")
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"`reference` must name a file; found no {file}")
    module_name = f"_quantvista_own_{path.stem}_{abs(hash(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None, "a .py file has a loader"
    assert spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too, which would end the command without a word
        raise StrategyError(f"{file} raised {type(error).__name__}: {printable(error)}") from error
    if not hasattr(module, name):
        raise ConfigError(f"{file} must define {name!r}; found none")
    return getattr(module, name)


def own_operators(references: Sequence[str]) -> list[type[Operator]]:
    """Load operators of the user's own."""
    return [load_named(each) for each in references]
