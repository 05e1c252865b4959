"""The sections of a fund file, as frozen models."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from quantvista.data import DataSpec
from quantvista.errors import ConfigError
from quantvista.fund._types import (
    Bps,
    Fraction,
    InstrumentId,
    IsoDate,
    Money,
    Slug,
    Step,
    StrategyRef,
    Venue,
    plain_table,
    to_e9,
    with_venue,
)
from quantvista.market import currency_digits

__all__ = [
    "DataSection",
    "Fund",
    "FundSection",
    "PortfolioSection",
    "RiskSection",
    "SleeveSection",
    "VenueSection",
]

_LATER = ("execution", "models", "schedule", "service", "storage", "bus", "alerts")
_SHARE_TOLERANCE = Decimal("1e-9")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FundSection(_Section):
    """``[fund]``: what the fund is."""

    name: Slug = Field(description="Short name; part of order ids and of the output folder.")
    currency: str = Field(
        "USD", description="ISO 4217 code, or BTC, ETH, USDC or USDT; of cash, prices and limits."
    )
    cash: Money = Field(description="Capital at the start, in whole minor units.")
    time_zone: str = Field("America/New_York", description="IANA name; of spoken dates.")
    calendar: str = Field("XNYS", description="exchange_calendars name, or 24/7.")
    seed: int = Field(7, ge=0, lt=2**63, description="Of every random number in a run.")

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        try:
            currency_digits(value)
        except ConfigError as error:
            raise ValueError(str(error).replace("`currency`", "`fund.currency`", 1)) from None
        return value

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
        digits = currency_digits(self.currency)
        units = self.cash.scaleb(digits)
        if units != units.to_integral_value():
            rule = f"must have at most {digits} decimals, the minor unit of {self.currency}"
            raise ValueError(f"`fund.cash` {rule}; found {self.cash}")
        return self


class DataSection(_Section):
    """``[data]``: which prices."""

    source: str = Field(
        min_length=1,
        description="sample:sp500, or a CSV or Parquet file or a folder of them, relative to here.",
    )
    benchmark: InstrumentId | None = Field(None, description="Instrument to compare with.")
    start: IsoDate | None = Field(None, description="First session; default: the data's.")
    end: IsoDate | None = Field(None, description="Last session; default: the data's.")
    instruments: tuple[InstrumentId, ...] | None = Field(
        None, min_length=1, strict=False, description="Universe; default: all in the data."
    )
    tick_size: Step | None = Field(None, description="Smallest price step; 0.01 for files.")
    lot_size: Step | None = Field(None, description="Smallest quantity step; 1 by default.")
    sectors: dict[InstrumentId, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict, description="Sector of each instrument."
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Our column name to the file's: date, ts, instrument, close, open, high, "
        "low, volume, sector; empty leaves one out.",
    )
    venue: Venue | None = Field(None, description="Appended to bare symbols of the file.")
    round_prices: bool = Field(False, description="Round prices finer than the tick's decimals.")

    @model_validator(mode="before")
    @classmethod
    def _append_venue(cls, value: object) -> object:
        """Understand the bare symbols of the file here too."""
        if not isinstance(value, Mapping) or not isinstance(value.get("venue"), str):
            return value
        venue, section = value["venue"], dict(value)
        if isinstance(sectors := section.get("sectors"), Mapping):
            section["sectors"] = {with_venue(key, venue): each for key, each in sectors.items()}
            if twice := [key for key in sectors if f"{key}.{venue}" in sectors]:
                rule = (
                    f"must name each instrument once; found '{twice[0]}' with {venue} and without"
                )
                raise ValueError(f"`data.sectors` {rule}")
        if isinstance(names := section.get("instruments"), list | tuple):
            section["instruments"] = [with_venue(name, venue) for name in names]
        if "benchmark" in section:
            section["benchmark"] = with_venue(section["benchmark"], venue)
        return section

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(
                f"`data.start` must not be after `data.end`; found {self.start} and {self.end}"
            )
        return self

    def spec(self) -> DataSpec:
        """Return what ``quantvista.data.load`` takes."""
        return DataSpec(**{name: getattr(self, name) for name in type(self).model_fields})


class SleeveSection(_Section):
    """``[[sleeve]]``: a strategy and its share of the capital."""

    id: Slug = Field(description="Name of the sleeve.")
    strategy: StrategyRef = Field(
        description='"trend", "momentum", "equal_weight", or "file.py:Class" beside this file.'
    )
    share: Fraction = Field(Decimal(1), description="Of the capital; all shares add up to 1.")
    params: dict[str, Any] = Field(default_factory=dict, description="Of the strategy.")

    @field_validator("params")
    @classmethod
    def _plain_numbers(cls, value: dict[str, Any]) -> dict[str, Any]:
        return plain_table(value)


class PortfolioSection(_Section):
    """``[portfolio]``: how forecasts become weights, and when."""

    weighting: Literal["inverse_volatility", "equal"] = Field(
        "inverse_volatility", description="How a sleeve divides its money over what it likes."
    )
    volatility_window: int = Field(63, ge=2, le=2520, description="Daily returns to look at.")
    rebalance: Literal["daily", "week_end", "month_end", "quarter_end"] = Field(
        "month_end", description="Sessions after whose close the sleeves decide."
    )


class RiskSection(_Section):
    """``[risk]``: limits, each checked for every order."""

    price_band: Fraction = Field(
        Decimal("0.25"), lt=1, description="Largest move from decision to fill, as a share."
    )
    weight_max: Fraction | None = Field(None, description="Per instrument, of equity.")
    sector_max: Fraction | None = Field(None, description="Per sector, of equity.")
    gross_max: Fraction | None = Field(
        None,
        description="All positions, of equity. Sales in flight do not count until they fill, so a "
        "limit near 1 holds back the buys of a rebalance; cash cannot be overspent either way.",
    )
    position_max: Money | None = Field(None, description="Per instrument, in money.")
    fat_finger_notional: Money | None = Field(None, description="Per order, in money.")
    fat_finger_quantity: int | None = Field(
        None, ge=1, lt=10**12, description="Per order, in units of the instrument."
    )


class VenueSection(_Section):
    """``[[venue]]``: where orders go, and what that costs."""

    id: Slug = Field("sim", description="Name of the venue.")
    kind: Literal["simulated"] = Field("simulated", description="Only simulated ones yet.")
    fee_bps: Bps = Field(Decimal(0), description="Of the notional of each fill.")
    slippage_bps: Bps = Field(Decimal(0), description="Of the price; against us.")
    limit_fill: Literal["through", "touch"] = Field(
        "through", description="Whether the price must trade through a limit, or only touch it."
    )
    participation_max: Fraction | None = Field(
        None, description="Largest share of a bar's volume; needs volume."
    )
    on_close_cutoff_s: int = Field(
        600, ge=0, le=86_400, description="Seconds before the close, for on-close orders."
    )

    @property
    def fee_rate_e9(self) -> int:
        """``fee_bps`` in billionths of the notional."""
        return to_e9(self.fee_bps.scaleb(-4))

    @property
    def slippage_rate_e9(self) -> int:
        """``slippage_bps`` in billionths of the price."""
        return to_e9(self.slippage_bps.scaleb(-4))


class Fund(_Section):
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
    sleeve: tuple[SleeveSection, ...] = Field(min_length=1, strict=False)
    portfolio: PortfolioSection = PortfolioSection()
    risk: RiskSection = RiskSection()
    venue: tuple[VenueSection, ...] = Field(
        (VenueSection(),), min_length=1, max_length=1, strict=False
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
        "sleeve": SleeveSection,
        "portfolio": PortfolioSection,
        "risk": RiskSection,
        "venue": VenueSection,
    }
    parts = [part for part in location if isinstance(part, str)]
    if not parts:
        return list(Fund.model_fields)
    return list(sections[parts[0]].model_fields) if len(parts) == 1 and parts[0] in sections else []
