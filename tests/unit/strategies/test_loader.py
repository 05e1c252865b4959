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


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_name_loads(name: str) -> None:
    assert type(load_strategy(name, Path())) is SHIPPED[name]


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
        ("", "known are 'equal_weight', 'momentum', 'trend'"),
        ("mine.py", "did you mean 'mine.py:Class'?"),
        ("gone.py:Mine", "must name a file that exists; found none at"),
        ("folder.py:Mine", "must name a file that can be read"),
        ("mine.txt:Mine", "must read 'file.py:Class'"),
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


@pytest.mark.parametrize("ref", [Strategy, EventStrategy, PortfolioStrategy, int, None, 3])
def test_what_is_no_strategy_is_refused(ref: object) -> None:
    with pytest.raises(StrategyError):
        load_strategy(ref, Path())  # type: ignore[arg-type]
