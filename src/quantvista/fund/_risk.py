"""``[risk]``: what the gate allows."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quantvista.fund._data import Section
from quantvista.fund._types import Fraction, Money, Multiple, Seconds

__all__ = [
    "BreakersSection",
    "CountBreaker",
    "MoveBreaker",
    "OrderRateSection",
    "RiskSection",
    "ShareBreaker",
    "SleeveRiskSection",
    "ValueAtRiskSection",
]

_State = Literal["reduce_only", "halted"]
_COUNT = Field(ge=1, le=1_000_000, description="Orders.")


class OrderRateSection(Section):
    """``order_rate``: fewer than so many orders in a time."""

    count: int = _COUNT
    window_s: Seconds = Field(description="Seconds.")


class ValueAtRiskSection(Section):
    """``[risk.value_at_risk]``: of the positions and orders in flight, over past returns."""

    scenarios: int = Field(250, ge=2, le=5000, description="Past sessions, each one a scenario.")
    confidence: Fraction = Field(Decimal("0.99"), lt=1, description="Share of the scenarios.")
    max: Multiple | None = Field(None, description="Largest loss, of equity.")
    step_max: Multiple | None = Field(None, description="What one order may add, of equity.")


class ShareBreaker(Section):
    """A breaker on a loss."""

    limit: Fraction = Field(description="Loss that trips it, as a share.")
    state: _State = Field("reduce_only", description="What the fund becomes.")


class CountBreaker(Section):
    """A breaker on a number of orders."""

    count: int = _COUNT
    window_s: Seconds = Field(description="Seconds in which they are counted.")
    state: _State = Field("reduce_only", description="What the fund becomes.")


class MoveBreaker(Section):
    """A breaker on the move of a price."""

    limit: Fraction = Field(description="Move that trips it, as a share.")
    window_s: Seconds = Field(description="Seconds in which it happens.")
    state: _State = Field("reduce_only", description="What the fund becomes.")


class BreakersSection(Section):
    """``[risk.breakers]``: what changes the state of the fund by itself."""

    drawdown: ShareBreaker | None = Field(None, description="Fall from the highest equity.")
    day_loss: ShareBreaker | None = Field(None, description="Loss since the last day ended.")
    rejects: CountBreaker | None = Field(None, description="More refused orders than this.")
    dislocation: MoveBreaker | None = Field(None, description="A jump of any price.")
    order_rate: CountBreaker | None = Field(None, description="More orders than this.")


class SleeveRiskSection(Section):
    """``[sleeve.risk]``: limits of one sleeve, as shares of its own equity."""

    weight_max: Multiple | None = Field(None, description="Per instrument.")
    gross_max: Multiple | None = Field(None, description="All positions.")
    drawdown_max: Fraction | None = Field(
        None, description="Fall from its highest equity that turns it reduce-only."
    )
    order_rate: OrderRateSection | None = Field(None, description="Of its orders.")


class RiskSection(Section):
    """``[risk]``: limits, each checked for every order. ``docs/engine/gate.md`` defines each."""

    price_band: Fraction = Field(
        Decimal("0.25"), lt=1, description="Largest move from decision to fill, as a share."
    )
    weight_max: Fraction | None = Field(None, description="Per instrument, of equity.")
    sector_max: Fraction | None = Field(None, description="Per sector, of equity.")
    gross_max: Multiple | None = Field(
        None,
        description="All positions, of equity. Sales in flight do not count until they fill, so a "
        "limit near 1 holds back the buys of a rebalance; cash cannot be overspent either way.",
    )
    leverage_max: Multiple | None = Field(
        None, description="All positions of all sleeves, not netted, of equity."
    )
    net_max: Multiple | None = Field(None, description="Long less short, of equity.")
    position_max: Money | None = Field(None, description="Per instrument, in money.")
    fat_finger_notional: Money | None = Field(None, description="Per order, in money.")
    fat_finger_quantity: int | None = Field(
        None, ge=1, lt=10**12, description="Per order, in units of the instrument."
    )
    fat_finger_volume: Multiple | None = Field(
        None, description="Per order, of the average volume of a day."
    )
    instrument_volatility_max: Multiple | None = Field(
        None, description="Of an instrument's returns, a day; needs bars or figures."
    )
    volatility_max: Multiple | None = Field(
        None, description="Of the fund's returns, a day; needs figures."
    )
    correlation_max: Fraction | None = Field(
        None, description="Of an instrument with the book; needs figures."
    )
    regimes_blocked: tuple[Annotated[int, Field(ge=0, le=63)], ...] = Field(
        (),
        strict=False,
        description="Labels of the market's state that allow no new risk; needs figures.",
    )
    bar_age_max_s: Seconds | None = Field(None, description="Age of a bar that may be traded on.")
    quote_age_max_s: Seconds | None = Field(None, description="Age of other prices.")
    order_rate: OrderRateSection | None = Field(None, description="Of the fund's orders.")
    duplicate_window_s: Seconds | None = Field(
        None, description="Time in which an order like the last one is refused."
    )
    self_trade: bool = Field(False, description="Refuse orders that would meet our own.")
    value_at_risk: ValueAtRiskSection | None = Field(None, description="Needs bars.")
    crossed: Literal["refuse", "reduce_only"] = Field(
        "refuse",
        description="When the market crosses a limit: refuse what would raise it, or go "
        "reduce-only.",
    )
    breakers: BreakersSection = Field(
        BreakersSection(), description="What changes the state of the fund by itself."
    )
    figures: str | None = Field(
        None,
        min_length=1,
        description="CSV or Parquet file of statistics: ts, kind, instrument, value, expires_at.",
    )

    @model_validator(mode="after")
    def _figures_are_there(self) -> Self:
        for name in ("volatility_max", "correlation_max", "regimes_blocked"):
            if getattr(self, name) not in (None, ()) and self.figures is None:
                raise ValueError(f"`risk.{name}` must come with `risk.figures`; found no such file")
        return self
