"""The binding offers what the protocols promise to strategies: checked by mypy, and by name."""

import typing

import pytest

from quantvista import _native, strategies

if typing.TYPE_CHECKING:

    def as_promised(
        context: _native.Context, bar: _native.Bar, fill: _native.Fill, timer: _native.Timer
    ) -> tuple[strategies.Context, strategies.Bar, strategies.Fill, strategies.Timer]:
        return context, bar, fill, timer


@pytest.mark.parametrize("name", ["Bar", "Context", "Fill", "OrderView", "Timer"])
def test_native_class_has_every_member_of_its_protocol(name: str) -> None:
    promised: set[str] = getattr(strategies, name).__protocol_attrs__
    assert promised <= set(dir(getattr(_native, name)))
