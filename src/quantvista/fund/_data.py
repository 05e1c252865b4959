"""``[data]`` and ``[[instrument]]``: which prices and events, and the terms of what trades."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from quantvista.data import DataSpec
from quantvista.data.events import EventSource, parse_action
from quantvista.errors import ConfigError
from quantvista.fund._types import (
    Amount,
    Fraction,
    Instant,
    InstrumentId,
    IsoDate,
    Step,
    Venue,
    plain_table,
    with_venue,
)
from quantvista.market import REFUSED_KINDS, CorporateAction

__all__ = ["ActionSection", "DataSection", "EventsSection", "InstrumentSection", "Section"]


class Section(BaseModel):
    """A frozen section that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class EventsSection(Section):
    """``[[data.events]]``: quotes, trades, books and the like of one source."""

    source: str = Field(
        min_length=1,
        description="A CSV, Parquet or recorded file, a folder of them, or generated:NAME.",
    )
    format: (
        Literal[
            "quotes",
            "trades",
            "levels",
            "orders",
            "auctions",
            "statuses",
            "funding",
            "rates",
            "quote_bars",
            "lean_quotes",
            "lean_trades",
            "lean_quote_bars",
            "freqtrade_trades",
            "binance",
        ]
        | None
    ) = Field(None, description="What the file holds; default: found by its columns.")
    instrument: InstrumentId | None = Field(
        None, description="Whose events they are, where no column says it."
    )
    venue: Venue | None = Field(None, description="Appended to bare symbols of the file.")
    columns: dict[str, str] = Field(
        default_factory=dict, description="Our column name to the file's, where they differ."
    )
    time_zone: str | None = Field(
        None, description="IANA name; of LEAN's files, which count the hours of a local day."
    )
    stamp: Literal["open", "close"] | None = Field(
        None, description="Which end of a bar of quotes the file names."
    )
    period_s: int = Field(60, ge=1, le=86_400, description="Seconds of a bar stamped by its open.")
    delay_us: int = Field(
        0, ge=0, lt=10**12, description="Microseconds until we know, where the file does not say."
    )
    use: tuple[Literal["levels", "trades", "quotes"], ...] = Field(
        ("levels", "trades"), min_length=1, strict=False, description="Streams of a recording."
    )
    set_aside: tuple[Literal["crossed", "suspicious", "gaps"], ...] = Field(
        (), strict=False, description="What to leave out and count instead of refusing it."
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="Numbers of a generated market."
    )

    @field_validator("params")
    @classmethod
    def _plain_numbers(cls, value: dict[str, Any]) -> dict[str, Any]:
        return plain_table(value)

    def entry(self) -> EventSource:
        """Return what ``quantvista.data.events`` takes."""
        return EventSource(**{name: getattr(self, name) for name in type(self).model_fields})


class ActionSection(Section):
    """``[[data.actions]]``: one corporate action."""

    ex_date: IsoDate = Field(description="First session at whose prices it has happened.")
    instrument: InstrumentId = Field(description="Whose it is.")
    action: str = Field(
        description="split, cash_dividend, stock_dividend, symbol_change, merger_cash, "
        "merger_stock, spin_off, delisting or precision."
    )
    ratio: str | None = Field(None, description="New units to old ones, such as 4:1.")
    numerator: int | None = Field(None, description="The first number of the ratio.")
    denominator: int | None = Field(None, description="The second number of the ratio.")
    amount: Amount | None = Field(None, description="Money for each unit.")
    price: Amount | None = Field(None, description="Paid for each unit.")
    into: InstrumentId | None = Field(None, description="Instrument that is received.")
    into_price: Amount | None = Field(None, description="Its price, where it has none yet.")
    cost_share: Amount | None = Field(None, description="Of the cost, that goes with a spin-off.")
    symbol: str | None = Field(None, description="The new one.")
    price_precision: int | None = Field(None, description="Decimals of prices from then on.")
    quantity_precision: int | None = Field(None, description="Decimals of quantities.")
    tick_size: Step | None = Field(None, description="Price step from then on.")
    lot_size: Step | None = Field(None, description="Quantity step from then on.")

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        try:
            self.entry()
        except ConfigError as error:
            raise ValueError(str(error).replace("`", "`data.actions.", 1)) from None
        return self

    def entry(self) -> CorporateAction:
        """Return what ``quantvista.data.events`` takes."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return parse_action({name: each for name, each in fields.items() if each is not None})


class DataSection(Section):
    """``[data]``: which prices and events."""

    source: str | None = Field(
        None,
        min_length=1,
        description="Bars: sample:sp500, lake:NAME, or a CSV or Parquet file or a folder of them, "
        "relative to here.",
    )
    benchmark: InstrumentId | None = Field(None, description="Instrument to compare with.")
    start: IsoDate | None = Field(None, description="First session; default: the data's.")
    end: IsoDate | None = Field(None, description="Last session; default: the data's.")
    instruments: tuple[InstrumentId, ...] | None = Field(
        None, min_length=1, strict=False, description="Which of the data; default: all."
    )
    universe: str | None = Field(
        None,
        min_length=1,
        description="Who may be held when: a CSV or Parquet file of membership, or lake:NAME, "
        "as `qv data universe` writes it; default: all instruments, always.",
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
    instrument: InstrumentId | None = Field(
        None, description="Whose bars a single file holds that has another name."
    )
    stamp: Literal["open", "close"] = Field("close", description="Which end of a bar ts is.")
    period_s: int | None = Field(
        None, ge=1, le=86_400, description="Seconds of a bar stamped with its open."
    )
    round_prices: bool = Field(False, description="Round prices finer than the tick's decimals.")
    clock_s: int | None = Field(
        None,
        ge=1,
        le=86_400,
        description="Seconds between the times at which a run of events is valued; 60 without "
        "bars.",
    )
    actions_file: str | None = Field(
        None, min_length=1, description="CSV or Parquet file of corporate actions."
    )
    actions: tuple[ActionSection, ...] = Field(
        (), strict=False, description="Corporate actions, beside those of the file."
    )
    factors: dict[InstrumentId, str] = Field(
        default_factory=dict,
        description="Factor file of LEAN by instrument, for the actions of raw prices.",
    )
    events: tuple[EventsSection, ...] = Field(
        (), strict=False, description="Quotes, trades, books and the like."
    )

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
        for name in ("benchmark", "instrument"):
            if name in section:
                section[name] = with_venue(section[name], venue)
        return section

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if self.source is None and not self.events:
            raise ValueError("`data.source` is required, or [[data.events]]")
        if self.start and self.end and self.start > self.end:
            raise ValueError(
                f"`data.start` must not be after `data.end`; found {self.start} and {self.end}"
            )
        return self

    @property
    def has_events(self) -> bool:
        """Whether there is more than bars."""
        return bool(self.events or self.actions or self.actions_file or self.factors)

    def spec(self) -> DataSpec:
        """Return what ``quantvista.data.load`` takes."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        fields["source"] = self.source or ""
        fields["actions_file"] = self.actions_file or ""
        fields["universe"] = self.universe or ""
        fields["actions"] = tuple(each.entry() for each in self.actions)
        fields["events"] = tuple(each.entry() for each in self.events)
        return DataSpec(**fields)


def _kind(value: object) -> object:
    if isinstance(value, str) and value in REFUSED_KINDS:
        raise ValueError(f"is not supported: {REFUSED_KINDS[value]}")
    return value


class InstrumentSection(Section):
    """``[[instrument]]``: terms of one instrument that are not the defaults."""

    id: InstrumentId = Field(description="SYMBOL.VENUE, as in the data.")
    kind: Annotated[
        Literal["equity", "etf", "pair", "spot", "perpetual", "future"], BeforeValidator(_kind)
    ] = Field("equity", description="What it is.")
    settlement: Literal["asset", "exchange", "difference"] | None = Field(
        None, description="What a fill changes; default: by kind."
    )
    currency: str | None = Field(None, description="Of its prices; default: the fund's.")
    base: str | None = Field(None, description="Currency that a pair buys and sells.")
    tick_size: Step | None = Field(None, description="Price step; default: data.tick_size.")
    lot_size: Step | None = Field(None, description="Quantity step; default: data.lot_size.")
    price_precision: int | None = Field(
        None, ge=0, le=9, description="Decimals of prices; default: those of the tick."
    )
    quantity_precision: int | None = Field(
        None, ge=0, le=9, description="Decimals of quantities; default: those of the lot."
    )
    multiplier: int | None = Field(None, ge=1, lt=10**9, description="Money per point and unit.")
    sector: str | None = Field(None, min_length=1, description="As under data.sectors.")
    margin_initial: Fraction | None = Field(
        None, description="Share of the notional needed to open; 1 by default."
    )
    margin_maintenance: Fraction | None = Field(
        None, description="Share of the notional needed to keep it; margin_initial by default."
    )
    shortable: Amount | None = Field(
        None, description="Units that can be borrowed to be sold short; 0 by default."
    )
    borrow_rate: Amount | None = Field(None, description="Yearly fee for borrowing, a share.")
    settlement_days: int | None = Field(None, ge=0, le=5, description="Sessions until money.")
    expiry: Instant | None = Field(
        None, description="End of a future: an instant, or a session, at whose close it ends."
    )
    effective_from: Instant | None = Field(None, description="Listed from, inclusive.")
    effective_to: Instant | None = Field(None, description="Listed until, exclusive.")
    allow_negative_prices: bool = Field(False, description="Whether prices may be 0 or less.")
    matching: Literal["bars", "quotes", "trades", "l2", "l3"] | None = Field(
        None, description="Data that orders are matched against; default: the most detailed."
    )
    average_volume: Amount | None = Field(None, description="Units traded on an ordinary day.")
    volatility: Amount | None = Field(None, description="Deviation of a day's return, a share.")

    def terms(self) -> dict[str, object]:
        """Return what was said, for ``DataSpec.declared``."""
        return {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name != "id" and name in self.model_fields_set and getattr(self, name) is not None
        }
