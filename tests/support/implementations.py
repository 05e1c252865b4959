"""The simulators that must agree: each test that takes one is run with all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from support.engine_adapter import EngineAdapter, OracleAdapter
from support.implementation import Implementation

IMPLEMENTATIONS: dict[str, Callable[[Mapping[str, Any]], Implementation]] = {
    "oracle": OracleAdapter,
    "engine": EngineAdapter,
}
