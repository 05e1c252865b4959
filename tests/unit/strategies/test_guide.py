"""The examples of docs/guide/strategies.md do what the page says."""

import doctest
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from quantvista.fund import template_path
from quantvista.strategies import EventStrategy, PortfolioStrategy, ask_forecast, load_strategy
from support.panels import make_panel

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "strategies.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


def files() -> str:
    """Everything that the page puts into a file, in one file."""
    return "\n".join(block for block in blocks("python") if "class " in block)


def test_examples_run() -> None:
    names: dict[str, object] = {}
    exec(compile(files(), "mine.py", "exec"), names)
    text = "\n".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(text, names, "guide", str(GUIDE), 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted >= 8
    assert result.failed == 0


def test_notebook_cells_are_python() -> None:
    for block in blocks("python"):
        compile(block, "cell", "exec")


def test_portfolio_example_loads_and_has_views(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(files())
    strategy = load_strategy("mine.py:NearHigh", tmp_path, {"window": 3})
    assert isinstance(strategy, PortfolioStrategy)
    close = np.array(
        [*[[1.0, 2.0, np.nan]] * 6, [np.nan, 1.0, 1.0], [3.0, 1.0, 1.0]]  # a gap is filled
    )
    forecast = ask_forecast(strategy, make_panel(close))
    np.testing.assert_array_equal(forecast, [1.0, 0.0, np.nan])
    always = load_strategy("mine.py:AlwaysInvested", tmp_path)
    assert isinstance(always, PortfolioStrategy)
    assert (always.exposure, always.weighting) == ("full", "equal")


@dataclass
class FakeContext:
    """Fills every order at once."""

    equity: float = 1000.0
    held: float = 0.0
    orders: list[tuple[str, float]] = field(default_factory=list)

    def position(self, instrument: str) -> float:
        return self.held

    def submit(self, instrument: str, side: str, quantity: float) -> int:
        self.orders.append((side, quantity))
        self.held += quantity if side == "buy" else -quantity
        return len(self.orders)


def test_event_example_buys_the_new_high_and_sells_later(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(files())
    strategy = load_strategy("mine.py:Breakout", tmp_path, {"window": 2, "hold": 2})
    assert isinstance(strategy, EventStrategy)
    assert strategy.handlers() == {"on_bar", "on_fill"}
    ctx = FakeContext()
    for close in (10.0, 11.0, 12.5, 12.0, 12.0, 11.0):
        count = len(ctx.orders)
        strategy.on_bar(ctx, SimpleNamespace(instrument="A.XNYS", close=close))  # type: ignore[arg-type]
        if len(ctx.orders) > count:
            fill = SimpleNamespace(instrument="A.XNYS", side=ctx.orders[-1][0])
            strategy.on_fill(ctx, fill)  # type: ignore[arg-type]
        strategy.load_state(strategy.dump_state())  # a restart after every bar changes nothing
    assert ctx.orders == [("buy", 8.0), ("sell", 8.0)]


@pytest.mark.parametrize("template", ["strategy", "event"])
def test_template_loads(template: str) -> None:
    path = template_path(template)
    found = re.search(r'strategy = "(mine\.py:\w+)"', path.read_text())
    assert found is not None
    assert load_strategy(found[1], path.parent).dump_state() is not None
