"""The features that come with QuantVista."""

from itertools import chain

from quantvista.features._feature import Registry
from quantvista.features._shipped import (
    _alpha158,
    _calendar,
    _candles,
    _cross_section,
    _dependence,
    _drawdown,
    _fundamental,
    _macro,
    _microstructure,
    _momentum,
    _oscillators,
    _range,
    _trend,
    _volatility,
    _volume,
)

__all__ = ["FEATURES"]

FEATURES = Registry(
    chain(
        _trend.FEATURES,
        _momentum.FEATURES,
        _oscillators.FEATURES,
        _volatility.FEATURES,
        _volume.FEATURES,
        _range.FEATURES,
        _candles.FEATURES,
        _microstructure.FEATURES,
        _dependence.FEATURES,
        _drawdown.FEATURES,
        _calendar.FEATURES,
        _cross_section.FEATURES,
        _alpha158.FEATURES,
        _macro.FEATURES,
        _fundamental.FEATURES,
    )
)
"""Shipped features by name."""
