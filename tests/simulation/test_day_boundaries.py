"""What is daily ends with the day of the venue, through changes of daylight saving."""

from pathlib import Path

import numpy as np
import pytest

import quantvista as qv
from quantvista.market import sessions

HOUR = 3_600 * 10**9


class Waiting(qv.EventStrategy):
    """Sends a DAY order that never fills, and one more when it has ended."""

    ended: list[int] = []  # noqa: RUF012 - what the test looks at

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        if not ctx.orders():
            ctx.submit(bar.instrument, "buy", 1, type="limit", limit_price=0.5, tif="day")

    def on_order(self, ctx: qv.Context, order: qv.OrderEvent) -> None:
        if order.status == "expired":
            Waiting.ended.append(order.ts)


@pytest.mark.parametrize(
    ("calendar", "zone"),
    [
        ("FX", "America/New_York"),
        ("FX", "Australia/Sydney"),
        ("24/7@America/New_York 17:00", "Europe/Berlin"),
        ("24/7@Europe/Berlin", "America/New_York"),
    ],
)
@pytest.mark.parametrize(
    ("start", "end"), [("2024-03-07", "2024-03-13"), ("2024-10-31", "2024-11-06")]
)
def test_day_orders_end_with_the_day_of_the_venue(
    tmp_path: Path, calendar: str, zone: str, start: str, end: str
) -> None:
    days = sessions(calendar, start, end)
    hours = [
        np.arange(open_ns + HOUR, close_ns + 1, HOUR)
        for open_ns, close_ns in zip(days.open_ns, days.close_ns, strict=True)
    ]
    lines = [f"{ts},EURUSD.FXV,1.10,1.11,1.09,1.10" for ts in np.concatenate(hours).tolist()]
    (tmp_path / "bars.csv").write_text("\n".join(["ts,instrument,open,high,low,close", *lines]))
    Waiting.ended = []
    fund = {
        "version": 1,
        "fund": {"name": "days", "cash": "1000.00", "calendar": calendar, "time_zone": zone},
        "data": {"source": str(tmp_path / "bars.csv")},
        "sleeve": [{"id": "wait", "strategy": Waiting}],
        "risk": {"price_band": 0.9},
    }
    qv.run(fund)
    assert Waiting.ended == days.close_ns.tolist()
