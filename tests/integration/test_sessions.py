"""Runs over bars within the day, and over markets that close at midnight, count and date right."""

from pathlib import Path
from typing import Any

import pytest

import quantvista as qv
from quantvista.strategies import Bar, Context

HOURS = range(15, 22)
RISE = (100, 100, 110, 120, 130, 140, 200)


class Buy(qv.EventStrategy):
    """Buys once, at the first bar."""

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        if ctx.position(bar.instrument) == 0 and ctx.cash > 10 * bar.close:
            ctx.submit(bar.instrument, "buy", int(ctx.cash * 0.9 // bar.close))


def write(path: Path, rows: list[tuple[str, float]]) -> Path:
    path.write_text("ts,A.X\n" + "".join(f"{ts},{price:.2f}\n" for ts, price in rows))
    return path


def run(source: Path, calendar: str, **fund: str) -> qv.Result:
    found = {"name": "x", "cash": "10000.00", "calendar": calendar, **fund}
    portfolio = {"rebalance": "daily", "weighting": "equal"}
    sleeve: list[dict[str, Any]] = [{"id": "a", "strategy": Buy}]
    return qv.run({"fund": found, "data": {"source": str(source), "start": "2024-01-02"},
                   "sleeve": sleeve, "portfolio": portfolio})  # fmt: skip


@pytest.mark.parametrize("days", [1, 4])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_made_within_the_first_session_counts(tmp_path: Path, days: int, sign: int) -> None:
    first = [price if sign > 0 else 300 - price for price in RISE]
    rows = [
        (f"2024-01-0{day}T{hour}:00:00Z", float(first[k] if day == 2 else first[-1]))
        for day in range(2, 2 + days)
        for k, hour in enumerate(HOURS)
    ]
    found = run(write(tmp_path / "bars.csv", rows), "XNYS")
    summary = found.summary
    made = float(summary["fund"]["equity"]) / 10_000 - 1
    assert abs(made) > 0.4
    assert found.metrics["total_return"] == pytest.approx(made)
    assert found.equity["equity"][0] == 10_000  # nothing is filled at a first bar
    assert summary["period"]["sessions"] == days
    assert (summary["period"]["start"], summary["period"]["end"]) == (
        "2024-01-02",
        f"2024-01-0{days + 1}",
    )
    assert summary["verdict"].startswith("Made " if sign > 0 else "Lost ")
    assert "Too short to believe: " in summary["verdict"]
    if sign < 0:
        assert found.metrics["max_drawdown"] == pytest.approx(made)
        assert summary["worst_days"][0]["date"] == "2024-01-02"
    assert 'data-chart="equity"' in found.plot().html


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin"])
def test_days_that_end_at_midnight_have_their_own_date(tmp_path: Path, zone: str) -> None:
    path = tmp_path / "bars.csv"
    days = [f"2024-01-{day:02d}" for day in range(2, 32)]
    path.write_text("date,A.X\n" + "".join(f"{day},{100 + k}\n" for k, day in enumerate(days)))
    found = run(path, "24/7", time_zone=zone).summary
    period = found["period"]
    assert (period["start"], period["end"]) == ("2024-01-02", "2024-01-31")
    assert period["first_fill"] == "2024-01-03"
    assert period["sessions"] == 30


def test_fees_are_said_to_be_rounded_to_what_the_currency_has(tmp_path: Path) -> None:
    rows = [(f"2024-01-0{day}T21:00:00Z", 100.0) for day in (2, 3, 4)]
    path = write(tmp_path / "bars.csv", rows)
    yen = run(path, "XNYS", currency="JPY", cash="10000").summary["assumptions"]
    assert any("rounded up to the minor unit (1 JPY)" in text for text in yen)
    assert any(
        "rounded up to the cent" in text for text in run(path, "XNYS").summary["assumptions"]
    )
