"""The sections of a fund file, as frozen models."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, Field, field_validator, model_validator

from quantvista.data import DataSpec
from quantvista.errors import ConfigError
from quantvista.fund._data import (
    ActionSection,
    DataSection,
    EventsSection,
    InstrumentSection,
    Section,
)
from quantvista.fund._guard import (
    CountTrigger,
    DiskTrigger,
    FirmSection,
    GuardSection,
    LossTrigger,
    MoveTrigger,
    OrderTrigger,
    ReconciliationTrigger,
    TimeTrigger,
    TrafficTrigger,
)
from quantvista.fund._risk import (
    BreakersSection,
    CountBreaker,
    MoveBreaker,
    OrderRateSection,
    RiskSection,
    ShareBreaker,
    SleeveRiskSection,
    ValueAtRiskSection,
)
from quantvista.fund._storage import StorageSection
from quantvista.fund._types import (
    Fraction,
    Money,
    Slug,
    StrategyRef,
    plain_table,
)
from quantvista.fund._venue import (
    AccountSection,
    CashFlowSection,
    FeeTierSection,
    ImpactSection,
    LatencySection,
    VenueSection,
)
from quantvista.market import check_declared, currency_digits

__all__ = [
    "AccountSection",
    "ActionSection",
    "CashFlowSection",
    "DataSection",
    "EventsSection",
    "Fund",
    "FundSection",
    "InstrumentSection",
    "PortfolioSection",
    "RiskSection",
    "SleeveSection",
    "StorageSection",
    "VenueSection",
]

_LATER = ("execution", "models", "schedule", "service", "bus", "alerts")
_SHARE_TOLERANCE = Decimal("1e-9")


class FundSection(Section):
    """``[fund]``: what the fund is."""

    name: Slug = Field(description="Short name; part of order ids and of the output folder.")
    currency: str = Field(
        "USD",
        description="ISO 4217 code, a coin such as BTC, or one of currencies; of cash and limits, "
        "and of prices unless an instrument says otherwise.",
    )
    currencies: dict[str, int] = Field(
        default_factory=dict, description="Decimals of currencies that are not known, by code."
    )
    cash: Money = Field(description="Capital at the start, in whole minor units.")
    time_zone: str = Field("America/New_York", description="IANA name; of spoken dates.")
    calendar: str = Field(
        "XNYS", description="exchange_calendars name, 24/7, 24/7@ZONE HH:MM, or FX."
    )
    seed: int = Field(7, ge=0, lt=2**63, description="Of every random number in a run.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
            # Polars, which reads dates with it, knows fewer: not localtime, not posix/..., ...
            pl.Series([], dtype=pl.Datetime("ns", "UTC")).dt.convert_time_zone(value)
        except (ValueError, OSError, KeyError, pl.exceptions.PolarsError):
            raise ValueError("must be an IANA time zone such as America/New_York") from None
        return value

    @model_validator(mode="after")
    def _whole_minor_units(self) -> Self:
        try:
            check_declared(self.currencies)
            digits = currency_digits(self.currency, self.currencies)
        except ConfigError as error:
            raise ValueError(str(error).replace("`currency`", "`fund.currency`", 1)) from None
        units = self.cash.scaleb(digits)
        if units != units.to_integral_value():
            rule = f"must have at most {digits} decimals, the minor unit of {self.currency}"
            raise ValueError(f"`fund.cash` {rule}; found {self.cash}")
        return self


class SleeveSection(Section):
    """``[[sleeve]]``: a strategy and its share of the capital."""

    id: Slug = Field(description="Name of the sleeve.")
    strategy: StrategyRef = Field(
        description='"trend", "momentum", "equal_weight", or "file.py:Class" beside this file.'
    )
    share: Fraction = Field(Decimal(1), description="Of the capital; all shares add up to 1.")
    risk: SleeveRiskSection = Field(SleeveRiskSection(), description="Limits of its own.")
    params: dict[str, Any] = Field(default_factory=dict, description="Of the strategy.")

    @field_validator("params")
    @classmethod
    def _plain_numbers(cls, value: dict[str, Any]) -> dict[str, Any]:
        return plain_table(value)


class PortfolioSection(Section):
    """``[portfolio]``: how forecasts become weights, and when."""

    weighting: Literal["inverse_volatility", "equal"] = Field(
        "inverse_volatility", description="How a sleeve divides its money over what it likes."
    )
    volatility_window: int = Field(63, ge=2, le=2520, description="Daily returns to look at.")
    rebalance: Literal["daily", "week_end", "month_end", "quarter_end"] = Field(
        "month_end", description="Sessions after whose close the sleeves decide."
    )


class Fund(Section):
    """A whole fund file.

    The attributes have the names of the file's sections, so that ``fund.risk.weight_max`` is
    ``weight_max`` below ``[risk]``. Decimals are exact.

    Examples
    --------
    >>> fund = Fund(
    ...     fund={"name": "tiny", "cash": "1000.00"},
    ...     data={"source": "sample:sp500"},
    ...     sleeve=[{"id": "all", "strategy": "equal_weight"}],
    ... )
    >>> fund.sleeve[0].share, fund.risk.price_band
    (Decimal('1'), Decimal('0.25'))
    """

    version: Literal[1] = Field(1, description="Version of this format.")
    fund: FundSection
    data: DataSection
    instrument: tuple[InstrumentSection, ...] = Field(
        (), strict=False, description="Terms of instruments that are not the defaults."
    )
    sleeve: tuple[SleeveSection, ...] = Field(min_length=1, strict=False)
    portfolio: PortfolioSection = PortfolioSection()
    risk: RiskSection = RiskSection()
    account: AccountSection = AccountSection()
    venue: tuple[VenueSection, ...] = Field(
        (VenueSection(),), min_length=1, max_length=64, strict=False
    )
    cash_flow: tuple[CashFlowSection, ...] = Field((), strict=False)
    guard: GuardSection | None = Field(
        None, description="Who watches the fund while it trades; by default all of its defaults."
    )
    storage: StorageSection | None = Field(
        None, description="How what the fund writes is kept; by default in the clear."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_later_sections(cls, value: object) -> object:
        if isinstance(value, Mapping):
            for name in _LATER:
                if name in value:
                    raise ValueError(f"`[{name}]` is not yet available; remove the section")
        return value

    @model_validator(mode="after")
    def _check_instruments(self) -> Self:
        ids = [each.id for each in self.instrument]
        if twice := [each for each in ids if ids.count(each) > 1]:
            raise ValueError(f"`instrument.id` must be unique; found '{twice[0]}' twice")
        return self

    @model_validator(mode="after")
    def _check_venues(self) -> Self:
        ids = [each.id for each in self.venue]
        if twice := [each for each in ids if ids.count(each) > 1]:
            raise ValueError(f"`venue.id` must be unique; found '{twice[0]}' twice")
        markets = [market for each in self.venue for market in each.markets]
        if twice := [each for each in markets if markets.count(each) > 1]:
            raise ValueError(f"`venue.markets` must name a venue once; found '{twice[0]}' twice")
        if sum(not each.markets and not each.is_paper for each in self.venue) > 1:
            raise ValueError("`venue.markets` must be there for all venues but one; found none")
        names = [name for each in self.venue for name in each.instruments]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"`venue.instruments` must name each once; found '{twice[0]}' twice")
        sleeves = {each.id for each in self.sleeve}
        for each in self.venue:
            if each.adopt_into is not None and each.adopt_into not in sleeves:
                raise ValueError(
                    f"`venue.adopt_into` must be a sleeve of the fund; found '{each.adopt_into}'"
                )
        for flow in self.cash_flow:
            if flow.sleeve is not None and flow.sleeve not in sleeves:
                raise ValueError(
                    f"`cash_flow.sleeve` must be a sleeve of the fund; found '{flow.sleeve}'"
                )
        return self

    def adopts_into(self, venue: VenueSection) -> str:
        """Sleeve that trades which are not ours go to."""
        return venue.adopt_into or min(each.id for each in self.sleeve)

    @property
    def needs_events(self) -> bool:
        """Whether a run needs more than bars: events, actions, or an account that has days."""
        data = self.data
        return bool(
            data.events
            or data.actions
            or data.actions_file
            or data.factors
            or self.instrument
            or self.cash_flow
            or self.risk.figures
            or self.risk.value_at_risk
            or self.risk.instrument_volatility_max
            or self.risk.fat_finger_volume
            or self.risk.breakers.day_loss
            or not self.account.is_plain
        )

    def data_spec(self) -> DataSpec:
        """Return what ``quantvista.data`` takes: ``[data]``, with instruments and currencies."""
        return replace(
            self.data.spec(),
            declared={each.id: each.terms() for each in self.instrument},
            currencies=self.fund.currencies,
        )

    @model_validator(mode="after")
    def _check_sleeves(self) -> Self:
        ids = [sleeve.id for sleeve in self.sleeve]
        for each in ids:
            if ids.count(each) > 1:
                raise ValueError(f"`sleeve.id` must be unique; found '{each}' twice")
        total = sum((sleeve.share for sleeve in self.sleeve), Decimal(0))
        if abs(total - 1) > _SHARE_TOLERANCE:
            shares = ", ".join(f"{sleeve.id} {sleeve.share}" for sleeve in self.sleeve)
            raise ValueError(f"`sleeve.share` must add up to 1; found {total} ({shares})")
        return self


def field_names(location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields at a place of the file, to suggest one for a misspelled key."""
    sections: dict[str, type[BaseModel]] = {
        "fund": FundSection,
        "data": DataSection,
        "data.events": EventsSection,
        "data.actions": ActionSection,
        "instrument": InstrumentSection,
        "sleeve": SleeveSection,
        "portfolio": PortfolioSection,
        "risk": RiskSection,
        "risk.breakers": BreakersSection,
        "risk.breakers.drawdown": ShareBreaker,
        "risk.breakers.day_loss": ShareBreaker,
        "risk.breakers.rejects": CountBreaker,
        "risk.breakers.order_rate": CountBreaker,
        "risk.breakers.dislocation": MoveBreaker,
        "risk.order_rate": OrderRateSection,
        "risk.value_at_risk": ValueAtRiskSection,
        "sleeve.risk": SleeveRiskSection,
        "sleeve.risk.order_rate": OrderRateSection,
        "account": AccountSection,
        "venue": VenueSection,
        "venue.tiers": FeeTierSection,
        "venue.impact": ImpactSection,
        "venue.latency": LatencySection,
        "cash_flow": CashFlowSection,
        "guard": GuardSection,
        "guard.drawdown": LossTrigger,
        "guard.day_loss": LossTrigger,
        "guard.rejects": CountTrigger,
        "guard.stale": TimeTrigger,
        "guard.dislocation": MoveTrigger,
        "guard.orders": OrderTrigger,
        "guard.messages": TrafficTrigger,
        "guard.reconciliation": ReconciliationTrigger,
        "guard.clock": TimeTrigger,
        "guard.disk": DiskTrigger,
        "guard.heartbeat": TimeTrigger,
        "guard.journal": TimeTrigger,
        "storage": StorageSection,
        "guard.venue": TimeTrigger,
        "guard.firm": FirmSection,
    }
    parts = [part for part in location if isinstance(part, str)]
    if not parts:
        return list(Fund.model_fields)
    section = sections.get(".".join(parts))
    return [] if section is None else list(section.model_fields)
