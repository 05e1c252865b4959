"""Forecasts and weights: against the oracle, and what must hold for every panel."""

from fractions import Fraction
from random import Random
from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oracle import decisions as oracle
from quantvista.market import Panel
from quantvista.portfolio import WeightSettings, decide_weights, rows_needed, to_weight_e9, weights
from quantvista.portfolio._caps import cap_weights
from quantvista.strategies import EqualWeight, Momentum, PortfolioStrategy, Trend
from support.panels import SECTORS, closes, make_panel

TOLERANCE = 1e-12

Floats = NDArray[np.float64]

lookbacks = st.tuples(st.integers(1, 12), st.integers(0, 12)).map(
    lambda pair: (max(pair) + (pair[0] == pair[1]), min(pair))
)
caps = st.sampled_from([None, 0.05, 0.15, 0.3, 0.5, 1.0])
weight_settings = st.builds(
    WeightSettings,
    st.sampled_from(["inverse_volatility", "equal"]),
    st.integers(2, 20),
    caps,
    caps,
)


@st.composite
def strategies(draw: st.DrawFn) -> PortfolioStrategy:
    lookback, skip = draw(lookbacks)
    return draw(
        st.sampled_from(
            [
                Trend(lookback=lookback, skip=skip),
                Trend(lookback=lookback, skip=skip, graded=True),
                Momentum(lookback=lookback, skip=skip, top=draw(st.sampled_from([0.1, 0.3, 1.0]))),
                EqualWeight(),
            ]
        )
    )


def rows_of(close: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(x) else float(x) for x in row] for row in close]


def assert_same_view(ours: Floats, theirs: list[float | None]) -> None:
    expected = np.array([np.nan if view is None else view for view in theirs])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=TOLERANCE, equal_nan=True)


@given(closes(bars=(20, 40)), lookbacks, st.booleans())
def test_trend_agrees_with_the_oracle(close: Floats, window: tuple[int, int], graded: bool) -> None:
    strategy = Trend(lookback=window[0], skip=window[1], graded=graded)
    ours = strategy.forecast(make_panel(close))
    assert_same_view(ours, oracle.trend(rows_of(close), *window, graded))


@given(closes(bars=(20, 40)), lookbacks, st.sampled_from(["0.05", "0.1", "0.3", "0.5", "1"]))
def test_momentum_agrees_with_the_oracle(close: Floats, window: tuple[int, int], top: str) -> None:
    panel = make_panel(close)
    ours = Momentum(lookback=window[0], skip=window[1], top=float(top)).forecast(panel)
    theirs = oracle.momentum(rows_of(close), panel.instruments, *window, Fraction(top))
    assert_same_view(ours, theirs)


@given(closes(), weight_settings, st.sampled_from(["signal", "full"]), st.data())
def test_weights_agrees_with_the_oracle(
    close: Floats,
    settings: WeightSettings,
    exposure: Literal["signal", "full"],
    data: st.DataObject,
) -> None:
    panel = make_panel(close)
    view = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]))
    forecast = data.draw(st.lists(view, min_size=panel.n, max_size=panel.n))
    ours = weights(
        np.array([np.nan if each is None else each for each in forecast]),
        panel,
        exposure,
        settings,
    )
    uncapped = oracle.weigh(
        forecast,
        rows_of(close),
        exposure=exposure,
        weighting=settings.weighting,
        window=settings.volatility_window,
    )
    theirs = oracle.cap(uncapped, panel.sectors, settings.weight_max, settings.sector_max)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    assert to_weight_e9(ours).tolist() == oracle.integer_weights(ours.tolist())


@given(
    st.lists(
        st.tuples(st.floats(1e-9, 1), st.sampled_from(SECTORS), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.01, 1.0),
    caps,
    caps,
)
def test_caps_hold_and_money_is_only_moved(
    names: list[tuple[float, str, bool]],
    invested: float,
    weight_max: float | None,
    sector_max: float | None,
) -> None:
    raw = np.array([0.0 if out else weight for weight, _, out in names])
    before = raw * (invested / raw.sum()) if raw.sum() > 0.0 else raw
    sectors = tuple(sector for _, sector, _ in names)
    after = cap_weights(before, sectors, weight_max, sector_max)
    assert np.all(after >= 0.0)
    assert np.all(after[before == 0.0] == 0.0)
    assert after.sum() <= before.sum() + TOLERANCE
    assert np.all(after <= (weight_max or 1.0))
    for sector in set(sectors):
        member = np.array(sectors) == sector
        assert after[member].sum() <= (sector_max or 1.0) + TOLERANCE
        # Who is larger stays so: within a sector money moves in proportion.
        order = np.argsort(before[member], kind="stable")
        assert np.all(np.diff(after[member][order]) >= -TOLERANCE)
    integers = to_weight_e9(after)
    assert integers.sum() <= 1_000_000_000
    for cap, groups in ((weight_max, None), (sector_max, sectors)):
        keys = groups or tuple(str(i) for i in range(len(names)))
        for key in set(keys):
            total = int(integers[np.array(keys) == key].sum())
            assert cap is None or total <= round(cap * 1_000_000_000)


@given(closes(), strategies(), weight_settings)
def test_decision_is_whole(
    close: Floats, strategy: PortfolioStrategy, settings: WeightSettings
) -> None:
    panel = make_panel(close)
    decision = decide_weights(strategy, panel, settings)
    assert decision.forecast.shape == decision.weights.shape == decision.weight_e9.shape
    assert np.all(decision.weights[~(decision.forecast > 0.0)] == 0.0)
    assert decision.weight_e9.dtype == np.int64
    assert 0 <= decision.weight_e9.sum() <= 1_000_000_000


@given(closes(instruments=(2, 8)), strategies(), weight_settings, st.randoms(use_true_random=False))
def test_permuting_instruments_permutes_the_decision(
    close: Floats, strategy: PortfolioStrategy, settings: WeightSettings, random: Random
) -> None:
    panel = make_panel(close)
    order = list(range(panel.n))
    random.shuffle(order)
    shuffled = Panel(
        tuple(panel.instruments[i] for i in order),
        tuple(panel.sectors[i] for i in order),
        panel.ts,
        panel.close[:, order],
    )
    before = decide_weights(strategy, panel, settings)
    after = decide_weights(strategy, shuffled, settings)
    np.testing.assert_array_equal(after.forecast, before.forecast[order])
    np.testing.assert_array_equal(after.weights, before.weights[order])


@given(closes(), strategies(), weight_settings)
def test_rows_before_those_needed_change_nothing(
    close: Floats, strategy: PortfolioStrategy, settings: WeightSettings
) -> None:
    panel = make_panel(close)
    rows = rows_needed(strategy, settings)
    tail = Panel(panel.instruments, panel.sectors, panel.ts[-rows:], panel.close[-rows:])
    whole, part = (decide_weights(strategy, each, settings) for each in (panel, tail))
    np.testing.assert_array_equal(whole.forecast, part.forecast)
    np.testing.assert_array_equal(whole.weights, part.weights)


def decisions(strategy: PortfolioStrategy, close: Floats) -> list[list[int]]:
    """Decide at every bar from the tape, the way a run does."""
    tape = make_panel(close)
    settings = WeightSettings(volatility_window=5)
    return [
        decide_weights(
            strategy,
            Panel(tape.instruments, tape.sectors, tape.ts[:stop], tape.close[:stop]),
            settings,
        ).weight_e9.tolist()
        for stop in range(1, len(close) + 1)
    ]


@given(closes(bars=(20, 30)), strategies(), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_changing_the_future_changes_no_decision(
    close: Floats, strategy: PortfolioStrategy, known: int, seed: int
) -> None:
    other = close.copy()
    future = other[known:]
    future[:] = np.random.default_rng(seed).uniform(1.0, 100.0, future.shape)
    assert decisions(strategy, close)[:known] == decisions(strategy, other)[:known]


class Peek(PortfolioStrategy):
    """A planted look-ahead: it was given the whole tape behind the panel's back."""

    warm_up = 1

    def __init__(self, tape: Floats) -> None:
        super().__init__()
        self.tape = tape

    def forecast(self, panel: Panel) -> Floats:
        row = int(panel.now // 86_400_000_000_000) - 1
        tomorrow: Floats = self.tape[min(row + 1, len(self.tape) - 1)]
        forecast: Floats = np.sign(tomorrow - self.tape[row])
        return forecast


def test_planted_peek_is_found() -> None:
    rng = np.random.default_rng(3)
    close = 50.0 + np.cumsum(rng.normal(size=(30, 4)), axis=0)
    other = close.copy()
    other[20:] = rng.uniform(1.0, 100.0, other[20:].shape)
    assert decisions(Peek(close), close)[:20] != decisions(Peek(other), other)[:20]
    assert decisions(Trend(lookback=3), close)[:20] == decisions(Trend(lookback=3), other)[:20]
