"""The binding offers what the protocols promise to strategies: checked by mypy, and by name."""

import typing
from collections.abc import Callable

import pytest

from quantvista import _native, strategies

# What a desk adds, for who hears of results.
ADDED = {"compute", "awaited"}

if typing.TYPE_CHECKING:

    class Wide(_native.Context):
        awaited: int

        def compute(
            self,
            function: Callable[..., object],
            *arguments: object,
            after_ns: int,
            name: str = "",
        ) -> int: ...

    def as_promised(
        context: Wide, bar: _native.Bar, fill: _native.Fill, timer: _native.Timer
    ) -> tuple[strategies.Context, strategies.Bar, strategies.Fill, strategies.Timer]:
        return context, bar, fill, timer


@pytest.mark.parametrize("name", ["Bar", "Context", "Fill", "OrderView", "Timer"])
def test_native_class_has_every_member_of_its_protocol(name: str) -> None:
    promised: set[str] = getattr(strategies, name).__protocol_attrs__
    assert promised - ADDED <= set(dir(getattr(_native, name)))
