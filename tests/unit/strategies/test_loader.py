from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from quantvista.errors import ConfigError, StrategyError
from quantvista.strategies import (
    SHIPPED,
    EventStrategy,
    PortfolioStrategy,
    Strategy,
    Trend,
    ask_forecast,
    load_strategy,
    plain_params,
)
from support.panels import make_panel

GOOD = """
    from __future__ import annotations
    from dataclasses import dataclass, field
    import numpy as np
    from pydantic import Field
    from quantvista.strategies import EventStrategy, PortfolioStrategy, StrategyParams

    class Mine(PortfolioStrategy):
        class Params(StrategyParams):
            level: float = Field(0.5, ge=0, le=1)

        warm_up = 1

        def forecast(self, panel):
            return np.full(panel.n, self.params.level)

    class Events(EventStrategy):
        @dataclass
        class State:
            seen: dict[str, int] = field(default_factory=dict)

        def on_bar(self, ctx, bar):
            self.state.seen[bar.instrument] = 1

    class Half(PortfolioStrategy):
        pass

    class Other:
        pass

    class Greedy(Events):
        def __init__(self):
            super().__init__()

    class Forgetful(Events):
        def __init__(self):
            pass

    class Failing(Events):
        def __init__(self, **values):
            super().__init__(**values)
            {}["missing"]
"""


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(dedent(text))
    return path


NEEDED: dict[str, dict[str, object]] = {
    "cross_venue": {"a": "C.A", "b": "C.B"},
    "triangular": {
        "first": "X-Q.A",
        "cross": "Y-X.A",
        "second": "Y-Q.A",
        "stock_first": 1.0,
        "stock_second": 1.0,
    },
}


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_name_loads(name: str) -> None:
    assert type(load_strategy(name, Path(), NEEDED.get(name))) is SHIPPED[name]


def test_class_in_a_file_loads(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    strategy = load_strategy("mine.py:Mine", tmp_path, {"level": 0.25})
    assert isinstance(strategy, PortfolioStrategy)
    np.testing.assert_array_equal(ask_forecast(strategy, make_panel(np.ones((1, 2)))), 0.25)


def test_file_in_a_folder_loads(tmp_path: Path) -> None:
    (tmp_path / "ideas").mkdir()
    write(tmp_path / "ideas", GOOD)
    assert type(load_strategy("ideas/mine.py:Mine", tmp_path)).__name__ == "Mine"


def test_sleeves_that_share_a_file_share_the_class_but_no_state(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    one, other = (load_strategy("mine.py:Events", tmp_path) for _ in range(2))
    assert type(one) is type(other)
    one.state.seen["A.XNYS"] = 1
    assert other.state.seen == {}
    other.load_state(one.dump_state())
    assert other.state.seen == {"A.XNYS": 1}


def test_changed_file_is_run_again(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    before = load_strategy("mine.py:Mine", tmp_path)
    write(tmp_path, GOOD.replace("0.5", "0.75"))
    after = load_strategy("mine.py:Mine", tmp_path)
    assert before.params.model_dump() == {"level": 0.5}
    assert after.params.model_dump() == {"level": 0.75}


def test_class_loads_directly() -> None:
    assert load_strategy(Trend, Path(), {"lookback": 9}).params == Trend.Params(lookback=9)


def test_instance_is_copied_so_that_a_run_leaves_it_alone(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    mine = load_strategy("mine.py:Events", tmp_path)
    copied = load_strategy(mine, tmp_path)
    copied.state.seen["A.XNYS"] = 1
    assert copied is not mine
    assert mine.state.seen == {}


def test_instance_takes_no_parameters() -> None:
    with pytest.raises(ConfigError, match="must be empty for an instance"):
        load_strategy(Trend(), Path(), {"lookback": 3})


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("tend", "did you mean 'trend'?"),
        ("", "known are 'cross_venue', 'equal_weight', 'market_maker'"),
        ("mine.py", "did you mean 'mine.py:Class'?"),
        ("gone.py:Mine", "must name a file that exists; found none at"),
        ("folder.py:Mine", "must name a file that can be read"),
        ("mine.txt:Mine", "must read 'file.py:Class'"),
        ("m\0.py:Mine", "must read 'file.py:Class'"),
        ("mine.py:", "must read 'file.py:Class'"),
        ("mine.py:Min", "found 'Min'; did you mean 'Mine'?"),
        ("mine.py:X", "known are 'Events', 'Failing', 'Forgetful'"),
        ("mine.py:Other", "must be a class derived from PortfolioStrategy or EventStrategy"),
        ("mine.py:np", "must be a class derived from"),
        ("mine.py:PortfolioStrategy", "must define `forecast`, `warm_up`"),
        ("mine.py:Half", "strategy 'Half' must define `forecast`, `warm_up`"),
        ("mine.py:EventStrategy", "must define `on_bar`, `on_fill` or `on_timer`"),
        ("mine.py:Forgetful", "must call super().__init__"),
        ("mine.py:Failing", "failed in `__init__`: KeyError: 'missing'"),
    ],
)
def test_unusable_reference_is_refused(tmp_path: Path, ref: str, message: str) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(StrategyError) as caught:
        load_strategy(ref, tmp_path)
    assert message in str(caught.value)


def test_failing_constructor_shows_its_line(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    line = GOOD[: GOOD.index('{}["missing"]')].count("\n") + 1
    with pytest.raises(StrategyError) as caught:
        load_strategy("mine.py:Failing", tmp_path)
    assert str(caught.value).endswith(f'mine.py:{line}: {{}}["missing"]')


def test_constructor_without_parameters_is_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(StrategyError, match="unexpected keyword argument 'level'"):
        load_strategy("mine.py:Greedy", tmp_path, {"level": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef f(:\n", "mine.py:2: def f(:"),
        ("x = 1\n  y = 2\n", "unexpected indent"),
        ("x = 1\nraise ValueError('no luck')\n", "ValueError: no luck\n"),
        ("x = 1\nraise ValueError('no luck')\n", "mine.py:2: raise ValueError"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("import not_there\n", "No module named 'not_there'"),
        ("import helper\n", "cannot import the files beside it"),
        ("x = '\0'\n", "must be valid Python"),
    ],
)
def test_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    write(tmp_path, "x = 1", "helper.py")
    for _ in range(2):  # a failed file leaves nothing behind that the next try would find
        with pytest.raises(StrategyError) as caught:
            load_strategy("mine.py:Mine", tmp_path)
        assert message in str(caught.value)


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"x = '\xff\xfe'\n")
    with pytest.raises(StrategyError, match="must be valid Python"):
        load_strategy("mine.py:Mine", tmp_path)


def test_ctrl_c_while_loading_passes_through(tmp_path: Path) -> None:
    write(tmp_path, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_strategy("mine.py:Mine", tmp_path)


@pytest.mark.parametrize("kind", ["BaseException", "GeneratorExit", "asyncio.CancelledError"])
def test_any_kind_of_exception_in_a_constructor_is_the_strategys(tmp_path: Path, kind: str) -> None:
    text = f"""
        import asyncio
        import quantvista as qv
        class Mine(qv.EventStrategy):
            def __init__(self, **values):
                raise {kind}("no")
            def __new__(cls, **values):
                return object.__new__(cls)
            def on_bar(self, ctx, bar): ...
    """
    write(tmp_path, text)
    with pytest.raises(StrategyError, match="failed in `__init__`"):
        load_strategy("mine.py:Mine", tmp_path)


@pytest.mark.parametrize(
    ("base", "body", "message"),
    [
        ("EventStrategy", "async def on_bar(self, ctx, bar): ...", "`on_bar` must be an ordinary"),
        ("EventStrategy", "def on_fill(self, ctx, fill): yield", "found a generator"),
        ("EventStrategy", "async def on_timer(self, ctx, timer): yield", "found a generator"),
        ("EventStrategy", "on_bar = 5", "`on_bar` must be an ordinary function; found int"),
        ("PortfolioStrategy", "warm_up = 1; async def forecast(self, panel): ...", "async def"),
        ("PortfolioStrategy", "warm_up = 1; def forecast(self, panel): yield", "generator"),
    ],
)
def test_handler_that_would_do_nothing_is_refused(
    tmp_path: Path, base: str, body: str, message: str
) -> None:
    lines = "\n    ".join(body.split("; "))
    write(tmp_path, f"import quantvista as qv\nclass Mine(qv.{base}):\n    {lines}\n")
    with pytest.raises(StrategyError, match=message):
        load_strategy("mine.py:Mine", tmp_path)


PARAMS = """
    import numpy as np
    import typing
    from pydantic import ConfigDict
    import quantvista as qv

    class Mine(qv.EventStrategy):
        class Params(qv.StrategyParams):
            model_config = ConfigDict(arbitrary_types_allowed=True)
            x: {field}

        def on_bar(self, ctx, bar): ...
"""


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("set[str] = {'a', 'b'}", "`params.x` must not be a set"),
        ("typing.Any = [frozenset()]", "`params.x` must not be a set"),
        ("bytes = b'\\xff'", "must be what a fund file can hold"),
        ("typing.Any = object()", "must be what a fund file can hold"),
        ("typing.Any = max", "must be what a fund file can hold"),
        ("typing.Any = {(1, 2): 3}", "must have keys that are text or numbers"),
        ("typing.Any = {'a': [float('nan')]}", "`params.x.a` must be finite"),
        ("str = '\\ud800'", "must be text"),
        ("typing.Any = '\\ud800'", "must be text"),
    ],
)
def test_parameters_that_a_run_could_not_write_are_refused(
    tmp_path: Path, field: str, message: str
) -> None:
    write(tmp_path, PARAMS.format(field=field))
    with pytest.raises((StrategyError, ConfigError)) as caught:
        load_strategy("mine.py:Mine", tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("field", "plain"),
    [
        ("int | None = None", None),
        ("typing.Any = np.int64(3)", 3),
        ("typing.Any = [np.float32(0.5), np.True_]", [0.5, True]),
        ("dict[int, float] = {1: 2.0}", {"1": 2.0}),
        ("tuple[int, ...] = (1, 2)", [1, 2]),
    ],
)
def test_plain_parameters_are_those_of_a_fund_file(
    tmp_path: Path, field: str, plain: object
) -> None:
    write(tmp_path, PARAMS.format(field=field))
    strategy = load_strategy("mine.py:Mine", tmp_path)
    assert plain_params(strategy.params, "Mine") == {"x": plain}


@pytest.mark.parametrize("ref", [Strategy, EventStrategy, PortfolioStrategy, int, None, 3])
def test_what_is_no_strategy_is_refused(ref: object) -> None:
    with pytest.raises(StrategyError):
        load_strategy(ref, Path())  # type: ignore[arg-type]
