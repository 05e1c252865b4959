"""``[[venue]]``, ``[account]`` and ``[[cash_flow]]``: where and how money moves."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from quantvista.fund._data import Section
from quantvista.fund._types import (
    Amount,
    Bps,
    Fraction,
    InstrumentId,
    IsoDate,
    Millis,
    Money,
    Multiple,
    SignedBps,
    SignedMoney,
    Slug,
    Venue,
    to_e9,
)

__all__ = [
    "AccountSection",
    "CashFlowSection",
    "FeeTierSection",
    "ImpactSection",
    "LatencySection",
    "VenueSection",
]

_MS = Field(Decimal(0), description="Milliseconds.")

_PAPER: Final[Mapping[str, str]] = {
    "url": "http://127.0.0.1:8710",
    "account": "main",
    "key": "node",
    "manual": "adopt",
}
"""Of venues of kind paper, where the file does not say it."""
_PAPER_ONLY: Final = (*_PAPER, "venue", "instruments", "adopt_into")


class FeeTierSection(Section):
    """``[[venue.tiers]]``: rates from a traded volume on."""

    volume_from: Amount = Field(Decimal(0), description="Money traded in the window.")
    maker_bps: SignedBps = Field(description="Of orders that rest; negative is a rebate.")
    taker_bps: Bps = Field(description="Of orders that come to what rests.")


class ImpactSection(Section):
    """``[venue.impact]``: the square root of our share of a day's volume moves the price."""

    coefficient: Multiple = Field(description="Of the volatility of a day.")
    half_life_s: int = Field(ge=1, le=31_536_000, description="Until half of it is forgotten.")


class LatencySection(Section):
    """``[venue.latency]``: from our decision to the venue."""

    submit_ms: Millis = _MS
    amend_ms: Millis = _MS
    cancel_ms: Millis = _MS
    jitter_ms: Millis = Field(Decimal(0), description="Drawn on top, up to this.")


class VenueSection(Section):
    """``[[venue]]``: where orders go, and what that costs."""

    id: Slug = Field("sim", description="Name of the venue.")
    kind: Literal["simulated", "paper"] = Field(
        "simulated",
        description="A paper venue is simulated by `qv run`, and traded at by a running fund.",
    )
    url: str | None = Field(
        None, description=f"Of a paper venue's server; {_PAPER['url']} by default."
    )
    account: Slug | None = Field(None, description="Account there; main by default.")
    venue: Slug | None = Field(None, description="Its name there; default: its id.")
    instruments: tuple[InstrumentId, ...] = Field(
        (), strict=False, description="What to trade there; a paper venue must have some."
    )
    key: Slug | None = Field(
        None, description="Name of the key in keys.json, never the key; node by default."
    )
    manual: Literal["adopt", "refuse"] | None = Field(
        None,
        description="Trades there that are not ours: taken into a sleeve, which is the default, or "
        "a reason to take no new risk until a person resumes.",
    )
    adopt_into: Slug | None = Field(
        None, description="Sleeve that they are taken into; default: the first by id."
    )
    markets: tuple[Venue, ...] = Field(
        (),
        strict=False,
        description="Venues of instrument ids that trade here; empty: all that no other names.",
    )
    fee_bps: Bps = Field(Decimal(0), description="Of the notional of each fill.")
    maker_bps: SignedBps | None = Field(
        None, description="Of fills of resting orders; default: fee_bps. Negative is a rebate."
    )
    tiers: tuple[FeeTierSection, ...] = Field(
        (), strict=False, description="Rates by volume, in the place of the flat ones."
    )
    tier_window_days: int = Field(30, ge=1, le=366, description="Days whose volume counts.")
    fee_per_unit: Amount = Field(Decimal(0), description="Money for a unit, on top.")
    fee_minimum: Amount = Field(Decimal(0), description="Least money an order costs.")
    slippage_bps: Bps = Field(Decimal(0), description="Of the price; against us.")
    slippage_ticks: int = Field(0, ge=0, le=1000, description="Ticks on top; against us.")
    impact: ImpactSection | None = Field(
        None, description="Needs volatility and average_volume of its instruments."
    )
    latency: LatencySection = Field(LatencySection(), description="Of commands.")
    limit_fill: Literal["through", "touch"] = Field(
        "through", description="Whether the price must trade through a limit, or only touch it."
    )
    participation_max: Fraction | None = Field(
        None, description="Largest share of the market's volume; needs volume."
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

    @property
    def is_paper(self) -> bool:
        """Whether a running fund trades at a paper venue here."""
        return self.kind == "paper"

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, value: object) -> object:
        if not isinstance(value, Mapping) or value.get("kind") != "paper":
            return value
        filled = {name: each for name, each in value.items() if each is not None}
        return {**_PAPER, "venue": value.get("id", "sim"), **filled}

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        rule = f"must be the address of a server, such as {_PAPER['url']}"
        try:
            parts = urlsplit(value)
            port_is_right = parts.port != 0
        except ValueError:
            raise ValueError(rule) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
            raise ValueError(rule)
        if parts.username is not None or parts.password is not None:
            raise ValueError("must have no user or password: there are no secrets in a fund file")
        if parts.query or parts.fragment or not value.isprintable() or " " in value:
            raise ValueError(rule)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _belongs_to_its_kind(self) -> Self:
        if not self.is_paper:
            for name in _PAPER_ONLY:
                if getattr(self, name) not in (None, ()):
                    raise ValueError(
                        f"`venue.{name}` is of paper venues; remove it from '{self.id}', or set "
                        f'kind = "paper"'
                    )
            return self
        if not self.instruments:
            raise ValueError(
                f"`venue.instruments` is required for the paper venue '{self.id}': the ids to "
                f"trade there, as it lists them"
            )
        if self.markets:
            raise ValueError(
                f"`venue.markets` is of simulated venues; name the `instruments` of '{self.id}'"
            )
        if self.adopt_into is not None and self.manual == "refuse":
            raise ValueError('`venue.adopt_into` must come with manual = "adopt"; found "refuse"')
        return self

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if self.tiers and (self.fee_bps or self.maker_bps is not None):
            raise ValueError("`venue.tiers` must stand alone; found `fee_bps` or `maker_bps` too")
        volumes = [each.volume_from for each in self.tiers]
        if volumes and (volumes[0] != 0 or sorted(set(volumes)) != volumes):
            shown = ", ".join(str(each) for each in volumes)
            raise ValueError(f"`venue.tiers` must ascend from volume_from = 0; found {shown}")
        return self


class AccountSection(Section):
    """``[account]``: how the broker keeps the sleeves' accounts, each on its own."""

    kind: Literal["cash", "margin"] = Field("cash", description="Margin accounts may be short.")
    positions: Literal["netting", "hedging"] = Field(
        "netting", description="One position an instrument, or a long and a short one."
    )
    trade_on_unsettled: bool = Field(
        True, description="Whether buys may use the proceeds of sales that have not settled."
    )
    balances: dict[str, Money] = Field(
        default_factory=dict, description="Money in other currencies at the start, by code."
    )
    credit_rate: dict[str, Fraction] = Field(
        default_factory=dict, description="Interest a year on cash, by currency."
    )
    debit_rate: dict[str, Fraction] = Field(
        default_factory=dict, description="Interest a year on debt, by currency."
    )

    @property
    def is_plain(self) -> bool:
        """Whether it is a cash account without interest or other currencies."""
        return self == AccountSection()


class CashFlowSection(Section):
    """``[[cash_flow]]``: money paid in or taken out, before the market of a day."""

    date: IsoDate = Field(description="Session, or the first one after it.")
    amount: SignedMoney = Field(description="In the fund's currency; negative is taken out.")
    sleeve: Slug | None = Field(None, description="Whose; default: divided by the shares.")
