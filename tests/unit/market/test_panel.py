import numpy as np
import pytest

from quantvista.market import Panel


def _panel() -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], Panel]:
    history = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 4.0], [99.0, 99.0]])
    return history, Panel(("A.X", "B.X"), ("Energy", ""), np.arange(3), history[:3])


def test_panel_shapes_and_now() -> None:
    _, panel = _panel()
    assert (panel.n, panel.bars, len(panel), panel.now) == (2, 3, 3, 2)


def test_panel_is_read_only() -> None:
    _, panel = _panel()
    for array in (panel.close, panel.ts, panel.returns):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7


def test_panel_does_not_lead_back_to_the_future() -> None:
    history, panel = _panel()
    assert panel.close.base is None
    assert not np.shares_memory(panel.close, history)
    history[:] = -1.0
    assert panel.close[0, 0] == 1.0


def test_panel_returns_are_missing_next_to_a_gap() -> None:
    _, panel = _panel()
    assert panel.returns[:, 0].tolist() == [1.0, 0.5]
    assert np.isnan(panel.returns[:, 1]).all()


def test_panel_of_wrong_shape_is_a_programming_mistake() -> None:
    with pytest.raises(AssertionError):
        Panel(("A.X",), ("",), [1, 2], [[1.0]])
