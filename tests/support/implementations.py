"""The simulators that must agree: each test that takes one is run with all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference import Reference
from support.engine_adapter import EngineAdapter
from support.implementation import Implementation

IMPLEMENTATIONS: dict[str, Callable[[Mapping[str, Any]], Implementation]] = {
    "reference": Reference,
    "engine": EngineAdapter,
}
