import numpy as np
import pytest

from quantvista.errors import ConfigError
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


NAN = float("nan")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (0, [NAN, 1.0, NAN, NAN, 2.0, NAN]),
        (1, [NAN, 1.0, 1.0, NAN, 2.0, 2.0]),
        (2, [NAN, 1.0, 1.0, 1.0, 2.0, 2.0]),
    ],
)
def test_filled_carries_forward_up_to_the_limit(limit: int, expected: list[float]) -> None:
    close = np.array([[NAN, 1.0, NAN, NAN, 2.0, NAN]]).T
    panel = Panel(("A.X",), ("",), np.arange(6), close)
    np.testing.assert_array_equal(panel.filled(limit)[:, 0], expected)
    np.testing.assert_array_equal(panel.close, close)


def test_filled_is_a_read_only_copy() -> None:
    _, panel = _panel()
    filled = panel.filled()
    assert not np.shares_memory(filled, panel.close)
    with pytest.raises(ValueError, match="read-only"):
        filled[0] = 7


def test_filled_does_not_look_ahead() -> None:
    close = np.where(np.random.default_rng(3).random((40, 5)) < 0.4, NAN, 1.0)
    close *= np.arange(1.0, 41.0)[:, None]
    ids, sectors = tuple("ABCDE"), ("",) * 5
    whole = Panel(ids, sectors, np.arange(40), close).filled(3)
    for bars in range(1, 40):
        part = Panel(ids, sectors, np.arange(bars), close[:bars]).filled(3)
        np.testing.assert_array_equal(part, whole[:bars])


def test_filled_refuses_a_negative_limit() -> None:
    _, panel = _panel()
    with pytest.raises(ConfigError, match="`limit` must not be negative; found -1"):
        panel.filled(-1)
