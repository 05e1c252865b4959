from collections import deque
from dataclasses import dataclass, field
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import Field

from quantvista.errors import ConfigError, StrategyError
from quantvista.market import Panel
from quantvista.strategies import (
    Bar,
    Context,
    EventStrategy,
    Fill,
    PortfolioStrategy,
    StrategyParams,
    Trend,
)


class Counting(EventStrategy):
    class Params(StrategyParams):
        every: int = Field(10, ge=1, description="bars")

    @dataclass
    class State:
        seen: int = 0
        level: float = 0.1
        held: dict[int, str] = field(default_factory=dict)
        blob: bytes = b""

    params: Params
    state: State

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        self.state.seen += 1

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        self.state.held[fill.order_id] = fill.instrument


def test_parameters_come_from_keywords_or_a_model() -> None:
    assert Counting(every=3).params == Counting(Counting.Params(every=3)).params
    assert Counting().params.every == 10


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lookbak": 5}, "`lookbak` must be a known parameter; did you mean 'lookback'?"),
        ({"lookback": 0}, "`lookback` must be greater than or equal to 1; found 0"),
        ({"lookback": "x"}, "`lookback` must be a valid integer"),
        ({"skip": 300}, "`skip` must be less than `lookback` (252)"),
    ],
)
def test_bad_parameter_is_refused_readably(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Trend(**values)
    assert message in str(caught.value)
    assert "strategy 'Trend'" in str(caught.value)


def test_every_wrong_parameter_has_a_line() -> None:
    with pytest.raises(ConfigError) as caught:
        Trend(lookback=0, graded="perhaps")
    assert len(str(caught.value).splitlines()) == 2


def test_parameters_of_another_strategy_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"one Trend\.Params"):
        Trend(Counting.Params())


def test_parameters_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Trend().params.lookback = 3  # type: ignore[misc]


def test_state_survives_bit_for_bit() -> None:
    before = Counting()
    before.state = Counting.State(7, 0.1 + 0.2, {3: "A.XNYS"}, b"\xff\x00")
    data = before.dump_state()
    after = Counting()
    after.load_state(data)
    assert after.state == before.state
    assert after.dump_state() == data


@pytest.mark.parametrize("level", [nan, inf, -inf, 5e-324, -0.0])
def test_odd_floats_survive(level: float) -> None:
    before, after = Counting(), Counting()
    before.state.level = level
    after.load_state(before.dump_state())
    same = isnan(after.state.level) if isnan(level) else after.state.level == level
    assert same
    assert np.signbit(after.state.level) == np.signbit(level)


def test_each_instance_has_its_own_state() -> None:
    one, other = Counting(), Counting()
    one.state.held[1] = "A.XNYS"
    assert other.state.held == {}


def test_without_state_the_bytes_are_empty() -> None:
    strategy = Trend()
    assert strategy.dump_state() == b""
    strategy.load_state(b"")
    with pytest.raises(StrategyError, match="must be empty"):
        strategy.load_state(b"{}")


def test_state_of_the_wrong_type_is_refused() -> None:
    strategy = Counting()
    strategy.state.seen = "many"  # type: ignore[assignment]
    with pytest.raises(StrategyError, match="what its annotations say"):
        strategy.dump_state()


@pytest.mark.parametrize("data", [b"", b"{", b'{"seen": "many"}', b"[]"])
def test_damaged_state_is_refused(data: bytes) -> None:
    with pytest.raises(StrategyError, match="saved state"):
        Counting().load_state(data)


def test_handlers_are_those_that_are_overridden() -> None:
    class More(Counting):
        def on_timer(self, ctx: Context, timer: object) -> None: ...

    assert EventStrategy().handlers() == frozenset()
    assert Counting().handlers() == {"on_bar", "on_fill"}
    assert More().handlers() == {"on_bar", "on_fill", "on_timer"}


def test_state_that_is_no_dataclass_is_refused() -> None:
    with pytest.raises(StrategyError, match="must be a dataclass"):

        class Wrong(EventStrategy):
            class State:
                seen = 0


def test_state_without_default_is_refused() -> None:
    class Wrong(EventStrategy):
        @dataclass
        class State:
            seen: int

    with pytest.raises(StrategyError, match="default for every field"):
        Wrong()


def test_state_with_a_set_is_refused() -> None:
    class Wrong(EventStrategy):
        @dataclass
        class State:
            seen: set[str] = field(default_factory=set)

    with pytest.raises(StrategyError, match="must not contain a set"):
        Wrong()


def test_state_with_an_array_is_refused() -> None:
    class Wrong(EventStrategy):
        @dataclass
        class State:
            seen: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    with pytest.raises(StrategyError, match="plain types"):
        Wrong()


def _strategy_with(annotation: Any, default: Any) -> type[EventStrategy]:  # noqa: ANN401
    """A strategy whose state has one field."""
    members = {"__annotations__": {"x": annotation}, "x": field(default_factory=lambda: default)}
    state: type[Any] = dataclass(type("State", (), members))
    return type("Remembering", (EventStrategy,), {"State": state, "on_bar": Counting.on_bar})


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Any, "without a type of its own"),
        (object, "without a type of its own"),
        (dict, "without a type of its own"),
        (list, "without a type of its own"),
        (deque, "without a type of its own"),
        (dict[str, Any], "without a type of its own"),
        (list[dict[str, list[Any]]], "without a type of its own"),
        (dict[tuple[int, int], float], "keys are not simple"),
        (frozenset[int], "must not contain a set"),
    ],
)
def test_state_that_would_not_come_back_is_refused(annotation: object, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        _strategy_with(annotation, None)()


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (dict[int, list[tuple[float, str]]], {2: [(nan, "a")], 1: [(-0.0, "b")]}),
        (dict[float, int], {nan: 1, 0.1: 2}),
        (deque[int], deque([1, 2])),
        (int | None, None),
        (float, 3),
        (float, np.float64(1.5)),
        (int, np.int64(7)),
        (int, 10**400),
    ],
)
def test_state_that_comes_back_gives_the_same_bytes_again(annotation: object, value: Any) -> None:  # noqa: ANN401
    kind = _strategy_with(annotation, None)
    before, after = kind(), kind()
    before.state.x = value
    after.load_state(before.dump_state())
    assert after.dump_state() == before.dump_state()


def test_attribute_that_is_no_field_is_refused_at_a_snapshot() -> None:
    strategy = Counting()
    strategy.state.forgotten = 5  # type: ignore[attr-defined]
    with pytest.raises(StrategyError, match=r"`state\.forgotten` must come back"):
        strategy.dump_state()


def test_what_json_cannot_hold_is_refused_at_a_snapshot() -> None:
    strategy = _strategy_with(deque[int], None)()
    strategy.state.x = deque([1], maxlen=3)
    with pytest.raises(StrategyError, match=r"`state\.x` must come back"):
        strategy.dump_state()


def test_list_of_handlers_is_not_overridden() -> None:
    with pytest.raises(StrategyError, match="`handlers` must not be overridden"):

        class Wrong(EventStrategy):
            @classmethod
            def handlers(cls) -> frozenset[str]:
                raise ValueError


def test_params_that_are_no_model_are_refused() -> None:
    with pytest.raises(StrategyError, match="must derive from StrategyParams"):

        class Wrong(EventStrategy):
            class Params:
                lookback = 3


def test_unknown_exposure_is_refused() -> None:
    with pytest.raises(StrategyError, match="`exposure` must be one of"):

        class Wrong(PortfolioStrategy):
            exposure = "half"  # type: ignore[assignment]
            warm_up = 1

            def forecast(self, panel: Panel) -> NDArray[np.float64]:
                return np.zeros(panel.n)
