"""Features with names: what they are, where they come from, and the expression behind them."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from quantvista.errors import ConfigError

__all__ = ["GROUPS", "Feature", "Registry"]

GROUPS: Final = (
    "trend",
    "momentum",
    "oscillator",
    "volatility",
    "volume",
    "range",
    "candle",
    "microstructure",
    "dependence",
    "drawdown",
    "calendar",
    "cross_section",
    "alpha158",
    "macro",
    "fundamental",
)
"""Kinds of features, in the order in which they are listed."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature with a name and a version.

    Parameters
    ----------
    name : str
        Lower case, digits and underscores.
    expression : str
        What it is computed by; it may use other features by name.
    group : str
        One of `GROUPS`.
    text : str
        One sentence: what it measures, its unit and its sign.
    source : str
        Who defined it: author and year, or the book.
    version : int
        Rises whenever values change.
    formula : str
        In mathematical notation, where the expression does not speak for itself.
    """

    name: str
    expression: str
    group: str
    text: str
    source: str
    version: int = 1
    formula: str = field(default="")

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            rule = "must be lower case letters, digits and underscores, at most 64"
            raise ConfigError(f"`name` of a feature {rule}; found {self.name[:80]!r}")
        if self.group not in GROUPS:
            raise ConfigError(f"`group` must be one of {', '.join(GROUPS)}; found {self.group!r}")
        if self.version < 1:
            raise ConfigError(f"`version` must be at least 1; found {self.version}")

    @property
    def digest(self) -> str:
        """Short hash of what decides the values: name, version and expression."""
        text = f"{self.name}\n{self.version}\n{self.expression}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Registry(Mapping[str, Feature]):
    """Features by name; no name twice.

    Examples
    --------
    >>> from quantvista.features import FEATURES
    >>> FEATURES["rsi_14"].expression
    'rsi(close, 14)'
    """

    def __init__(self, features: Iterable[Feature] = ()) -> None:
        self._features: dict[str, Feature] = {}
        for each in features:
            if each.name in self._features:
                raise ConfigError(f"feature {each.name!r} must be defined once; found it twice")
            self._features[each.name] = each

    def __getitem__(self, name: str) -> Feature:
        return self._features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._features)

    def __len__(self) -> int:
        return len(self._features)

    def group(self, name: str) -> tuple[Feature, ...]:
        """All features of a group, in the order in which they were defined."""
        return tuple(each for each in self._features.values() if each.group == name)
