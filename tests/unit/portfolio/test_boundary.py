import numpy as np
import pytest

from quantvista.portfolio import WEIGHT_UNIT, to_weight_e9


def test_weights_round_down() -> None:
    weights = np.array([0.0, 1.0, 0.15, 1 / 3, 2 / 3, 9.99e-10])
    assert to_weight_e9(weights).tolist() == [0, WEIGHT_UNIT, 150_000_000, 333333333, 666666666, 0]


def test_sum_stays_below_one() -> None:
    for n in range(1, 200):
        assert to_weight_e9(np.full(n, 1.0 / n)).sum() <= WEIGHT_UNIT


@pytest.mark.parametrize("weight", [np.nan, np.inf, -0.1, 1.1])
def test_weight_that_is_none_is_a_mistake(weight: float) -> None:
    with pytest.raises(AssertionError):
        to_weight_e9(np.array([weight]))
