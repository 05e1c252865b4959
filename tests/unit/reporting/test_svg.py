"""Figures that are drawn without a script: what they show, and that thinning loses no spike."""

import re

import numpy as np
import pytest

from quantvista.reporting._svg import Line, bars_across, curve, steps

NAN = float("nan")


def numbers(text: str, name: str) -> list[float]:
    return [float(each) for each in re.findall(rf'{name}="(-?[\d.]+)"', text)]


def test_bars_start_where_the_one_before_ended() -> None:
    text = str(
        bars_across([("a", "4", 0.0, 4.0), ("b", "-6", 4.0, -2.0), ("c", "-2", 0.0, -2.0)], "x")
    )
    rects = re.findall(r'<rect class="(\w+)" x="([\d.]+)" width="([\d.]+)"', text)
    assert [tone for tone, _, _ in rects] == ["gain", "loss", "loss"]
    (zero,) = set(numbers(text, "x1"))
    starts = [(float(x), float(x) + float(wide)) for _, x, wide in rects]
    assert starts[0][0] == zero
    assert starts[1][1] == pytest.approx(starts[0][1], abs=0.2)
    assert starts[1][0] == starts[2][0]
    assert starts[2][1] == pytest.approx(zero, abs=0.2)


def test_curve_leaves_out_what_is_not_known() -> None:
    text = str(curve([0, 1, 5], [Line("A", [1.0, NAN, -1.0], ["1.00", "-", "-1.00"])], "x"))
    assert text.count("<circle") == 2
    assert curve([0, 1], [Line("A", [NAN, NAN], ["", ""])], "x") == ""
    several = [Line("A<b>", [1.0, 2.0], ["1", "2"]), Line("B", [0.0, 1.0], ["0", "1"])]
    assert "A&lt;b&gt;" in str(curve([0, 1], several, "x"))


def test_thinned_steps_keep_every_spike_and_are_small() -> None:
    count = 200_000
    values = np.zeros(count)
    values[77_777], values[123_456] = 5.0, -3.0
    text = str(steps(np.arange(count) * 10**6, values, (0, count * 10**6), "x"))
    heights = [float(each) for each in re.findall(r"V([\d.]+)", text)]
    assert min(heights) == 10.0
    assert max(heights) == 120.0
    assert len(text) < 120_000
    assert "00:00:00 UTC" in text
    assert "00:03:20" in text


def test_what_never_moved_is_not_drawn() -> None:
    assert steps(np.array([0, 1]), np.zeros(2), (0, 1), "x") == ""
