"""The operators that expressions are made of: those of the Rust core, and users' own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from quantvista._native import FEATURE_OPERATORS

__all__ = ["CONDITIONS", "OperatorInfo", "Param", "operator_infos"]

CONDITIONS = frozenset({"gt", "ge", "lt", "le", "eq", "and", "or", "not"})
"""Operators whose result is true or false, which counts as 1 or 0 elsewhere."""

_COLUMNS = frozenset(
    {"open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size"}
)
_ANY = re.compile(r"x|value|price")


@dataclass(frozen=True, slots=True)
class Param:
    """A number that an operator takes beside its inputs.

    Parameters
    ----------
    name : str
        As a keyword.
    whole : bool
        Whether it must be a whole number.
    least, most : float
        Bounds, both included.
    default : float or None
        What stands for it; ``None`` where it must be given.
    """

    name: str
    whole: bool
    least: float
    most: float
    default: float | None


@dataclass(frozen=True, slots=True)
class OperatorInfo:
    """One row of the table of operators.

    Parameters
    ----------
    name : str
        As it is called.
    inputs : tuple of str
        Names of its inputs.
    params : tuple of Param
        Its parameters.
    cross : bool
        Whether it compares instruments with each other at one time.
    memory : {"none", "window", "recursive"}
        How far back it remembers: not at all, a window, or for ever, ever less.
    doc, formula, source : str
        What it is, how it is computed, and who says so.
    own : type or None
        The class of a user's operator.
    code : str
        Hash of what that class computes.
    """

    name: str
    inputs: tuple[str, ...]
    params: tuple[Param, ...]
    cross: bool
    memory: str
    doc: str
    formula: str
    source: str
    own: type[Any] | None = None
    code: str = ""

    def default_inputs(self) -> tuple[str, ...] | None:
        """Columns that stand for inputs that are left out; ``None`` where none can."""
        if all(each in _COLUMNS for each in self.inputs):
            return self.inputs
        if len(self.inputs) == 1 and _ANY.fullmatch(self.inputs[0]):
            return ("close",)
        return None

    def signature(self) -> str:
        """How it is called, such as ``quantile(x, n, q)``."""
        return f"{self.name}({', '.join([*self.inputs, *(each.name for each in self.params)])})"


@cache
def operator_infos() -> Mapping[str, OperatorInfo]:
    """Give the table of the Rust core, by name."""
    return MappingProxyType({row["name"]: _info(row) for row in FEATURE_OPERATORS})


def _info(row: Mapping[str, Any]) -> OperatorInfo:
    params = tuple(
        Param(p["name"], p["kind"] == "int", p["least"], p["most"], p["default"])
        for p in row["params"]
    )
    texts: dict[str, Any] = {
        name: str(row[name]) for name in ("name", "memory", "doc", "formula", "source")
    }
    return OperatorInfo(
        inputs=tuple(row["input_names"]), params=params, cross=bool(row["cross"]), **texts
    )
