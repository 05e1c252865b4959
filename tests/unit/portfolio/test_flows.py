"""Returns of a fund that money is paid into."""

import math

import numpy as np
import pytest

from quantvista.errors import ConfigError
from quantvista.portfolio.flows import money_weighted_return, time_weighted_index

YEAR = int(365.25 * 86_400e9)


def test_without_flows_the_index_is_the_equity() -> None:
    equity = np.array([3.0, 0.1 + 0.2, 5.0])
    none = np.empty(0, np.int64)
    assert time_weighted_index(np.arange(3), equity, none, np.empty(0)) is equity


def test_flows_are_taken_out_of_the_index() -> None:
    ts = np.array([0, 10, 20, 30])
    equity = np.array([100.0, 110.0, 231.0, 127.05])
    flow_ts, flow = np.array([0, 11, 25, 40]), np.array([7.0, 100.0, -110.0, 5.0])
    index = time_weighted_index(ts, equity, flow_ts, flow)
    assert index == pytest.approx([100.0, 110.0, 121.0, 127.05])


def test_index_ends_where_the_fund_had_nothing() -> None:
    index = time_weighted_index(
        np.arange(4), np.array([100.0, 0.0, 50.0, 60.0]), np.array([2]), np.array([0.0])
    )
    assert np.isnan(index[2:]).all()


def test_money_weighted_return_is_the_rate_of_the_flows() -> None:
    flows = np.array([YEAR]), np.array([50.0])
    end = 100 * 1.2**2 + 50 * 1.2
    assert money_weighted_return(0, 2 * YEAR, (100.0, end), *flows) == pytest.approx(0.2)
    assert money_weighted_return(0, YEAR, (100.0, 90.0), *(x[:0] for x in flows)) == pytest.approx(
        -0.1
    )


def test_money_weighted_return_without_an_answer_is_nan() -> None:
    none = np.empty(0, np.int64), np.empty(0)
    assert math.isnan(money_weighted_return(0, YEAR, (100.0, -5.0), *none))
    borrowed = np.array([YEAR // 4, YEAR // 2]), np.array([-300.0, 400.0])
    assert math.isnan(money_weighted_return(0, YEAR, (100.0, 220.0), *borrowed))
    with pytest.raises(ConfigError, match="`end` must be after"):
        money_weighted_return(5, 5, (1.0, 1.0), *none)
