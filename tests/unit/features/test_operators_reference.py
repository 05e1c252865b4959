"""Every operator gives what its formula says, one window at a time; gaps leave states alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from quantvista import _native
from quantvista.errors import ConfigError, MarketDataError
from support.feature_columns import Values, random_columns, run
from support.feature_recursions import ACROSS, RECURSIONS
from support.feature_windows import WINDOWS

ROWS = 240
OPERATORS = {row["name"]: row for row in _native.FEATURE_OPERATORS}
REFERENCES = {**WINDOWS, **RECURSIONS}
PARAMS: dict[str, list[list[float]]] = {
    "clip": [[95, 105]],
    "quantile": [[10, 0.2], [7, 0.0], [9, 1.0]],
    "ewm": [[0.1], [1.0]],
    "macd": [[5, 12], [6, 6]],
    "ultosc": [[3, 6, 12], [5, 5, 5]],
    "psar": [[0.02, 0.2], [0.1, 0.15]],
    "supertrend": [[10, 3], [5, 1]],
    "drawdown": [[0], [20]],
    "winsorise": [[0.1], [0.0], [0.5]],
    "quantile_bucket": [[5], [1]],
}


def _params(name: str) -> list[list[float]]:
    if name in PARAMS:
        return PARAMS[name]
    if not OPERATORS[name]["params"]:
        return [[]]
    least = OPERATORS[name]["params"][0]["least"]
    return [[max(least, n)] for n in (5, 8, 20)]


def _inputs(name: str, seed: int) -> list[Values]:
    columns = random_columns(ROWS, seed)
    inputs = [columns[each] for each in OPERATORS[name]["input_names"]]
    if name in ("log", "sqrt", "sign", "abs", "streak", "and", "or", "not", "cumsum", "exp"):
        return [np.round(x - x.mean()) / 10 for x in inputs]
    if name == "product":
        return [x / 100 for x in inputs]
    if name == "power":
        return [inputs[0], inputs[1] / 20]
    if name == "count_true":
        return [columns["condition"]]
    return inputs


CASES = [(name, params) for name in REFERENCES for params in _params(name)]


def _expected(name: str, inputs: Sequence[Values], params: Sequence[float]) -> Values:
    """Give the reference the rows without a gap, and put its results back in their places."""
    defined = ~np.isnan(np.array(inputs)).any(axis=0)
    result = np.full(len(defined), np.nan)
    result[defined] = REFERENCES[name]([x[defined] for x in inputs], params)
    return result


def test_every_operator_has_a_reference() -> None:
    assert {*REFERENCES, *ACROSS, "constant"} == set(OPERATORS)


@pytest.mark.parametrize(("name", "params"), CASES, ids=str)
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_operator_gives_what_its_formula_says(
    name: str, params: list[float], *, gaps: bool
) -> None:
    inputs = _inputs(name, seed=len(name))
    if gaps:
        rng = np.random.default_rng(5)
        inputs = [np.where(rng.random(ROWS) < 0.1, np.nan, x) for x in inputs]
    ours = run(name, inputs, params)
    expected = _expected(name, inputs, params)
    scale = max(1.0, float(np.nanmax(np.abs(expected))))
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-10 * scale, equal_nan=True)


@pytest.mark.parametrize("name", ACROSS)
def test_operator_across_gives_what_its_formula_says(name: str) -> None:
    rng = np.random.default_rng(3)
    x = np.round(rng.normal(0, 2, (60, 23)), 1)
    x[rng.random(x.shape) < 0.2] = np.nan
    groups = rng.integers(-1, 4, 23).astype(np.int32)
    for params in _params(name):
        spec = {
            "columns": ["x"],
            "nodes": [{"op": name, "inputs": [0], "params": params}],
            "outputs": [1],
        }
        ours = _native.FeatureProgram(spec, 23).advance([x], groups)[0]
        for row, values in enumerate(x):
            defined = ~np.isnan(values)
            expected = np.full(23, np.nan)
            expected[defined] = ACROSS[name](values[defined], groups[defined], params)
            np.testing.assert_allclose(ours[row], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["zscore_cs", "rank", "demean", "winsorise"])
def test_few_members_across(name: str) -> None:
    spec = {
        "columns": ["x"],
        "nodes": [{"op": name, "inputs": [0], "params": _params(name)[0]}],
        "outputs": [1],
    }
    x = np.array([[np.nan, 2.0, np.nan], [np.nan, np.nan, np.nan]])
    one, none = _native.FeatureProgram(spec, 3).advance([x])[0]
    assert np.isnan(none).all()
    alone = {"zscore_cs": np.nan, "rank": 1.0, "demean": 0.0, "winsorise": 2.0}
    np.testing.assert_array_equal(one, [np.nan, alone[name], np.nan])


def test_constant_stands_in_every_row() -> None:
    assert (run("constant", [], [2.5]) == 2.5).all()


@pytest.mark.parametrize("name", ["mean", "std", "sum", "slope", "corr", "skew"])
def test_huge_value_leaves_nothing_behind(name: str) -> None:
    columns = random_columns(400, 1)
    names = OPERATORS[name]["input_names"]
    inputs = [columns[each] for each in names]
    clean = run(name, inputs, [20])
    spoilt = [x.copy() for x in inputs]
    spoilt[0][100] = 1e15
    result = run(name, spoilt, [20])
    np.testing.assert_allclose(result[120:], clean[120:], rtol=1e-12)


def test_constant_window_has_no_spread() -> None:
    x = np.full(100, 0.1)
    assert (run("std", [x], [7])[6:] == 0).all()
    for name in ("zscore", "skew", "kurt"):
        assert np.isnan(run(name, [x], [7])).all()


def test_long_run_does_not_drift() -> None:
    rng = np.random.default_rng(0)
    x = 1e6 + rng.normal(0, 1, 200_000)
    windows = np.lib.stride_tricks.sliding_window_view(x[-2000:], 50)
    np.testing.assert_allclose(
        run("std", [x], [50])[-1951:], windows.std(axis=1, ddof=1), rtol=1e-9
    )


@pytest.mark.parametrize("name", OPERATORS)
def test_warm_up_is_a_number_of_values(name: str) -> None:
    for params in [[2.5]] if name == "constant" else _params(name):
        assert _native.operator_warm_up(name, params) >= 1
        settle = _native.operator_settle(name, params)
        assert settle == 0 if OPERATORS[name]["memory"] != "recursive" else settle != 0 or params


SPEC: dict[str, Any] = {
    "columns": ["x"],
    "nodes": [{"op": "mean", "inputs": [0], "params": [3]}],
    "outputs": [1],
}
WRONG: dict[str, dict[str, Any]] = {
    "`op` must be one of": {"nodes": [{"op": "meen", "inputs": [0]}]},
    "`inputs` of 'mean' must be 1": {"nodes": [{"op": "mean", "inputs": [0, 0], "params": [3]}]},
    "must be below 1": {"nodes": [{"op": "mean", "inputs": [1], "params": [3]}]},
    "`params` must be 1": {"nodes": [{"op": "mean", "inputs": [0]}]},
    "`n` must be a whole number": {"nodes": [{"op": "mean", "inputs": [0], "params": [2.5]}]},
    "`n` must be a whole number in": {"nodes": [{"op": "mean", "inputs": [0], "params": [0]}]},
    "found NaN": {"nodes": [{"op": "mean", "inputs": [0], "params": [float("nan")]}]},
    "must not be above": {"nodes": [{"op": "clip", "inputs": [0], "params": [2, 1]}]},
    "`outputs` must be below 2": {"outputs": [2]},
    "missing field": {"nodes": [{}]},
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_specification_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=text.replace("(", r"\(")):
        _native.FeatureProgram({**SPEC, **WRONG[text]}, 2)


def test_rows_that_do_not_fit_are_refused() -> None:
    program = _native.FeatureProgram(SPEC, 2)
    with pytest.raises(MarketDataError, match="`columns` must be 1"):
        program.advance([])
    with pytest.raises(MarketDataError, match=r"shape \(4, 2\)"):
        program.advance([np.zeros((4, 3))])
    with pytest.raises(MarketDataError, match="`groups` must"):
        program.advance([np.zeros((4, 2))], np.zeros(3, np.int32))
    with pytest.raises(TypeError, match="C-contiguous"):
        program.advance([np.zeros((2, 4)).T])
    assert program.rows == 0


def test_results_go_where_the_caller_wants_them() -> None:
    x = np.random.default_rng(0).normal(0, 1, (50, 2))
    whole = _native.FeatureProgram(SPEC, 2).advance([x])
    out = np.full(whole.shape, 7.0)
    assert _native.FeatureProgram(SPEC, 2).advance([x], out=out) is out
    assert out.tobytes() == whole.tobytes()
    program = _native.FeatureProgram(SPEC, 2)
    with pytest.raises(MarketDataError, match=r"`out` must have the shape"):
        program.advance([x], out=np.zeros((2, 50, 2)))
    fixed = np.zeros((1, 50, 2))
    fixed.flags.writeable = False
    for wrong in (fixed, np.zeros((1, 2, 50)).transpose(0, 2, 1), x[None]):
        with pytest.raises(TypeError, match="`out` must be writable, C-contiguous and apart"):
            program.advance([x], out=wrong)
    assert program.rows == 0


def test_snapshot_goes_on_where_it_was_taken() -> None:
    x = np.random.default_rng(0).normal(0, 1, (50, 2))
    whole = _native.FeatureProgram(SPEC, 2).advance([x])
    first = _native.FeatureProgram(SPEC, 2)
    first.advance([x[:20]])
    second = _native.FeatureProgram(SPEC, 2)
    second.restore(first.snapshot())
    assert second.rows == 20
    assert second.advance([x[20:]]).tobytes() == whole[:, 20:].tobytes()


def test_foreign_or_damaged_snapshot_is_refused() -> None:
    program = _native.FeatureProgram(SPEC, 2)
    program.advance([np.ones((5, 2))])
    snapshot = program.snapshot()
    damaged = bytearray(snapshot)
    damaged[-3] ^= 1
    other = {**SPEC, "nodes": [{"op": "mean", "inputs": [0], "params": [4]}]}
    refused = {
        "not a snapshot": (SPEC, 2, b"hello"),
        "cut short": (SPEC, 2, snapshot[:8]),
        "is of version": (SPEC, 2, b"QF\xff\xff" + snapshot[4:]),
        "damaged": (SPEC, 2, bytes(damaged)),
        "another specification": (other, 2, snapshot),
        "holds 2 instruments": (SPEC, 3, snapshot),
    }
    for text, (spec, n, data) in refused.items():
        with pytest.raises(ConfigError, match=text):
            _native.FeatureProgram(spec, n).restore(data)
