"""What a run says that it takes for granted follows its fund file."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from quantvista.backtest._assumptions import said_of
from quantvista.fund import load_fund, template_path


@dataclass
class Closes:
    """Data without opens."""

    open: None = None


def texts(**venue: Decimal) -> str:
    fund = load_fund(template_path("demo")).fund
    changed = fund.model_copy(
        update={
            "risk": fund.risk.model_copy(update={"price_band": Decimal("0.25")}),
            "venue": [fund.venue[0].model_copy(update=venue)],
        }
    )
    return " ".join(said_of(changed, Closes()))  # type: ignore[arg-type]


def test_the_cash_that_the_price_band_holds_back_is_said() -> None:
    text = "A buy may count on 75% of what is sold for it, so up to 25% of a rotation stays in cash"
    assert text in texts()


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ({}, "filled whole, whatever the volume"),
        ({"participation_max": Decimal("0.01")}, "At most 1% of each bar's volume is ours; what"),
    ],
)
def test_the_cap_on_volume_is_said(cap: dict[str, Decimal], expected: str) -> None:
    assert expected in texts(**cap)
