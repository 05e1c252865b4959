import numpy as np
import pytest

from quantvista.errors import ConfigError
from quantvista.portfolio._caps import cap_weights

NONE = ("", "", "")


@pytest.mark.parametrize(
    ("weights", "sectors", "weight_max", "sector_max", "expected"),
    [
        ([0.5, 0.3, 0.2], NONE, None, None, [0.5, 0.3, 0.2]),
        # 0.2 over, shared 3 : 1
        ([0.6, 0.3, 0.1], NONE, 0.4, None, [0.4, 0.4, 0.2]),
        # Nowhere to go: cash.
        ([0.6, 0.4, 0.0], NONE, 0.3, None, [0.3, 0.3, 0.0]),
        ([0.5, 0.0, 0.0], NONE, 0.3, None, [0.3, 0.0, 0.0]),
        # A sleeve that is partly in cash stays so.
        ([0.3, 0.1, 0.1], NONE, 0.2, None, [0.2, 0.15, 0.15]),
        ([0.6, 0.2, 0.2], ("A", "A", "B"), None, 0.6, [0.45, 0.15, 0.4]),
        ([0.6, 0.2, 0.2], ("A", "A", "B"), 0.4, 0.6, [0.4, 0.2, 0.4]),
        ([0.6, 0.2, 0.2], ("A", "A", "B"), 0.4, 0.5, [0.375, 0.125, 0.4]),
        ([0.0, 0.0, 0.0], ("A", "A", "B"), 0.4, 0.5, [0.0, 0.0, 0.0]),
        ([1.0, 1e-13, 0.0], NONE, 0.5, None, [0.5, 0.0, 0.0]),
    ],
)
def test_excess_goes_to_those_below_their_caps(
    weights: list[float],
    sectors: tuple[str, ...],
    weight_max: float | None,
    sector_max: float | None,
    expected: list[float],
) -> None:
    capped = cap_weights(np.array(weights), sectors, weight_max, sector_max)
    np.testing.assert_allclose(capped, expected, rtol=0, atol=1e-15)


def test_instrument_without_sector_is_refused() -> None:
    with pytest.raises(ConfigError, match="sector for every instrument"):
        cap_weights(np.array([0.5, 0.5]), ("A", ""), None, 0.5)


def test_weights_are_left_as_they_are() -> None:
    weights = np.array([0.6, 0.4])
    cap_weights(weights, ("", ""), 0.3, None)
    assert weights.tolist() == [0.6, 0.4]
