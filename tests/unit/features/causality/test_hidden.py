"""What operators of one's own remember beside their fields: it is found, wherever it is kept."""

import sys
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from quantvista.features import FEATURES, FeatureSet, Operator
from quantvista.features.causality import Inputs, check_set
from support.feature_bars import feature_bars


def inputs(days: int = 60) -> Inputs:
    bars = feature_bars(4, days, 2, gaps=0.0).rename({"ts": "ts_received"}).drop("sector")
    return Inputs(bars.with_columns(pl.col("ts_received").alias("ts_event")))


@cache
def shared() -> list[float]:
    """Give all instruments and runs one list."""
    return []


@dataclass
class KeepsInACache(Operator):
    def update(self, x: float) -> float:
        shared().append(x)
        return x - shared()[0]


KEPT: dict[str, float] = {}


@dataclass
class KeepsInADict(Operator):
    def update(self, x: float) -> float:
        return x - KEPT.setdefault("first", x)


@dataclass
class KeepsInItsClass(Operator):
    seen: ClassVar[list[np.float64]] = []

    def update(self, x: float) -> float:
        self.seen.append(np.float64(x))
        return x - float(self.seen[0])


@dataclass
class KeepsInAnAttribute(Operator):
    def update(self, x: float) -> float:
        self.last, before = x, getattr(self, "last", x)
        return x - before


@dataclass
class KeepsInACachedProperty(Operator):
    @cached_property
    def first(self) -> list[float]:
        return []

    def update(self, x: float) -> float:
        self.first.append(x)
        return x - self.first[0]


@dataclass(unsafe_hash=True)
class KeepsByItself(Operator):
    @cache  # noqa: B019 - what is to be found
    def first(self) -> list[float]:
        return []

    def update(self, x: float) -> float:
        self.first().append(x)
        return x - self.first()[0]


@dataclass
class KeepsWhatIsComputed(Operator):
    n: int

    @cached_property
    def weight(self) -> float:
        return 2 / (self.n + 1)

    def update(self, x: float) -> float:
        return self.weight * _root(x)


@cache
def _root(x: float) -> float:
    return float(np.sqrt(x))


@pytest.mark.parametrize(
    ("own", "kinds"),
    [
        (KeepsInACache, {"restart"}),
        (KeepsInADict, {"restart"}),
        (KeepsInItsClass, {"restart"}),
        (KeepsInAnAttribute, {"restart"}),
        (KeepsInACachedProperty, {"restart"}),
        (KeepsByItself, {"restart"}),
    ],
    ids=lambda of: getattr(of, "__name__", ""),
)
def test_what_an_operator_hides_is_found(own: type[Operator], kinds: set[str]) -> None:
    shared.cache_clear()
    KEPT.clear()
    name = FeatureSet({"a": f"{_snake(own)}(close)"}, operators=[own])
    assert {each.kind for each in check_set(name, inputs())} == kinds


def test_a_cache_of_what_is_computed_is_left_alone() -> None:
    features = FeatureSet(
        {"a": "keeps_what_is_computed(close, 9)"}, operators=[KeepsWhatIsComputed]
    )
    assert check_set(features, inputs()) == []


def _snake(own: type[Operator]) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in own.__name__)[1:]


def test_a_restart_changes_no_bit_of_what_is_shipped() -> None:
    bars = feature_bars(4, 300, 2).drop("sector")
    called: list[int] = []
    features = FeatureSet(list(FEATURES))
    again = features.compute(bars, short=True, restart=lambda: called.append(1))
    assert again.equals(features.compute(bars, short=True))
    assert called == [1]


def test_the_code_of_a_cached_helper_counts() -> None:
    """What a cache stands for decides the values as much as what it stands beside."""
    digests = set()
    for text in ("x + 1", "x + 2"):
        code = (
            "from dataclasses import dataclass\nfrom functools import cache\n"
            "from quantvista.features import Operator\n"
            f"@cache\ndef helper(x):\n    return {text}\n"
            "@dataclass\nclass Own(Operator):\n"
            "    def update(self, x: float) -> float:\n        return helper(x)\n"
        )
        module = ModuleType("mine")
        sys.modules["mine"] = module
        names = vars(module)
        exec(code, names)
        digests.add(FeatureSet({"a": "own(close)"}, operators=[names["Own"]]).digest)
        del sys.modules["mine"]
    assert len(digests) == 2
