"""Where gateways are held against their contract: add a world here for each new one."""

from collections.abc import Callable
from typing import Any

import pytest

from support.gateway_worlds import WORLDS


@pytest.fixture(params=sorted(WORLDS))
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a test in one of the worlds."""
    chosen: Callable[..., Any] = WORLDS[request.param]
    return chosen
