"""From forecasts to weights, and from results to what they mean: metrics and attribution."""

from quantvista.portfolio._boundary import WEIGHT_UNIT, to_weight_e9
from quantvista.portfolio._decision import Decision, decide_weights, rows_needed
from quantvista.portfolio._weighting import WeightSettings, trailing_volatility, weights

__all__ = [
    "WEIGHT_UNIT",
    "Decision",
    "WeightSettings",
    "decide_weights",
    "rows_needed",
    "to_weight_e9",
    "trailing_volatility",
    "weights",
]
