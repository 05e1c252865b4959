import asyncio
from typing import Any

import numpy as np
import pytest

from quantvista.errors import EngineError, RunInterruptedError, StrategyError
from quantvista.market import Panel
from quantvista.strategies import (
    EventStrategy,
    PortfolioStrategy,
    ask_forecast,
    checked_warm_up,
    strategy_error,
)
from support.panels import make_panel


class Answering(PortfolioStrategy):
    warm_up = 3

    def __init__(self, answer: Any) -> None:  # noqa: ANN401 - wrong answers are the point
        super().__init__()
        self.answer = answer
        self.seen: list[Panel] = []

    def forecast(self, panel: Panel) -> Any:  # noqa: ANN401 - as above
        self.seen.append(panel)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def panel(bars: int = 5) -> Panel:
    return make_panel(np.arange(1.0, 2 * bars + 1).reshape(bars, 2))


def test_strategy_sees_exactly_its_warm_up() -> None:
    strategy = Answering(np.array([0.5, np.nan]))
    ask_forecast(strategy, panel())
    np.testing.assert_array_equal(strategy.seen[0].close, panel().close[-3:])


def test_with_too_few_rows_there_is_no_view_and_no_call() -> None:
    strategy = Answering(np.zeros(2))
    assert np.isnan(ask_forecast(strategy, panel(2))).all()
    assert strategy.seen == []


def test_forecast_is_a_copy() -> None:
    strategy = Answering(np.array([0.5, np.nan]))
    forecast = ask_forecast(strategy, panel())
    strategy.answer[0] = 0.0
    assert forecast[0] == 0.5


def test_single_precision_is_accepted() -> None:
    forecast = ask_forecast(Answering(np.array([0.5, 1.0], dtype=np.float32)), panel())
    assert forecast.dtype == np.float64


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "must return a NumPy array; found NoneType"),
        ([0.1, 0.2], "found list"),
        (np.zeros(3), r"must have shape (2,), one number per instrument; found (3,)"),
        (np.zeros((1, 2)), "found (1, 2)"),
        (np.array([0, 1]), "must be floats (use .astype(float)); found int64"),
        (np.array([True, False]), "found bool"),
        (np.array(["a", "b"]), "found <U1"),
        (np.array([0.0, 1.5]), "found 1.5 for instrument 'I001.XNYS'"),
        (np.array([-np.inf, 0.0]), "found -inf for instrument 'I000.XNYS'"),
        (np.array([np.nan, np.inf]), "found inf for instrument 'I001.XNYS'"),
    ],
)
def test_wrong_forecast_is_refused(answer: object, message: str) -> None:
    with pytest.raises(StrategyError) as caught:
        ask_forecast(Answering(answer), panel())
    assert message in str(caught.value)
    assert "strategy 'Answering' at 1970-01-06T00:00:00Z" in str(caught.value)


def test_exception_names_strategy_time_and_line() -> None:
    class Dividing(PortfolioStrategy):
        warm_up = 1

        def helper(self) -> float:
            return 1 / 0  # the line to show

        def forecast(self, panel: Panel) -> Any:  # noqa: ANN401 - never returns
            return np.full(panel.n, self.helper())

    with pytest.raises(StrategyError) as caught:
        ask_forecast(Dividing(), panel())
    text = str(caught.value)
    assert text.startswith(
        "strategy 'Dividing' failed in `forecast` at 1970-01-06T00:00:00Z: "
        "ZeroDivisionError: division by zero\n  "
    )
    assert "test_forecast.py:" in text
    assert text.endswith("return 1 / 0  # the line to show")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_exception_below_the_users_file_shows_the_users_line() -> None:
    class Stacking(PortfolioStrategy):
        warm_up = 1

        def forecast(self, panel: Panel) -> Any:  # noqa: ANN401 - never returns
            return np.stack([panel.close, panel.ts])  # shapes differ

    with pytest.raises(StrategyError, match="# shapes differ"):
        ask_forecast(Stacking(), panel())


def test_wrong_signature_shows_the_definition() -> None:
    class Short(PortfolioStrategy):
        warm_up = 1

        def forecast(self) -> Any:  # type: ignore[override] # noqa: ANN401
            return None

    with pytest.raises(StrategyError) as caught:
        ask_forecast(Short(), panel())
    assert "takes 1 positional argument but 2 were given" in str(caught.value)
    assert "def forecast(self) -> Any" in str(caught.value)


def test_writing_into_the_panel_is_an_error_of_the_strategy() -> None:
    class Writing(PortfolioStrategy):
        warm_up = 1

        def forecast(self, panel: Panel) -> Any:  # noqa: ANN401 - never returns
            panel.close[-1] = 0.0
            return np.zeros(panel.n)

    with pytest.raises(StrategyError, match="read-only"):
        ask_forecast(Writing(), panel())


def test_masked_entries_are_no_view() -> None:
    answer = np.ma.masked_array(np.array([0.5, 7.0]), mask=[False, True])
    np.testing.assert_array_equal(ask_forecast(Answering(answer), panel()), [0.5, np.nan])


class Silent(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BaseException("boo"), "BaseException: boo"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "CancelledError"),
        (BaseExceptionGroup("two", [KeyboardInterrupt()]), "BaseExceptionGroup: two"),
        (Silent(), "Silent: <Silent that cannot be written>"),
        (ValueError("odd \ud800"), r"odd \ud800"),
    ],
)
def test_whatever_a_strategy_raises_is_the_strategys(error: BaseException, said: str) -> None:
    with pytest.raises(StrategyError) as caught:
        ask_forecast(Answering(error), panel())
    assert said in str(caught.value)
    str(caught.value).encode()


def test_sys_exit_in_a_strategy_does_not_end_the_run_silently() -> None:
    with pytest.raises(StrategyError, match="SystemExit: 0"):
        ask_forecast(Answering(SystemExit(0)), panel())


@pytest.mark.parametrize("error", [EngineError("stopped"), RunInterruptedError("Ctrl-C")])
def test_what_is_not_the_strategys_fault_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        ask_forecast(Answering(error), panel())
    assert caught.value is error


def test_ctrl_c_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask_forecast(Answering(KeyboardInterrupt()), panel())


@pytest.mark.parametrize("rows", [0, -1, 1.5, True, "3", None])
def test_wrong_warm_up_is_refused(rows: object) -> None:
    strategy = Answering(np.zeros(2))
    strategy.warm_up = rows  # type: ignore[assignment]
    with pytest.raises(StrategyError, match="`warm_up` must be a whole number"):
        checked_warm_up(strategy)


@pytest.mark.parametrize("rows", [-1, "abc", None, 0.5])
def test_wrong_warm_up_of_an_event_strategy_is_refused(rows: object) -> None:
    strategy = EventStrategy()
    assert checked_warm_up(strategy) == 0
    strategy.warm_up = rows  # type: ignore[assignment]
    with pytest.raises(StrategyError, match="`warm_up` must be a whole number of rows, at least 0"):
        checked_warm_up(strategy)


def test_warm_up_that_raises_is_named() -> None:
    class Raising(Answering):
        @property
        def warm_up(self) -> int:  # type: ignore[override]
            raise ValueError("undecided")

    with pytest.raises(StrategyError, match="failed in `warm_up`: ValueError: undecided"):
        checked_warm_up(Raising(None))


def test_event_error_names_everything() -> None:
    class Selling(EventStrategy):
        def on_bar(self, ctx: object, bar: object) -> None:
            raise KeyError("x")

    strategy = Selling()
    with pytest.raises(KeyError) as caught:
        strategy.on_bar(None, None)
    error = strategy_error(
        caught.value, strategy, "on_bar", instrument="A.XNYS", ts=1, sleeve="main"
    )
    assert isinstance(error, StrategyError)
    assert str(error).startswith(
        "strategy 'Selling' of sleeve 'main' failed in `on_bar` for instrument 'A.XNYS' at "
        "1970-01-01T00:00:00.000000001Z: KeyError: 'x'\n"
    )
    assert str(error).endswith('raise KeyError("x")')
