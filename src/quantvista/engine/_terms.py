"""What an engine is set up with, in its integers: rates in 1e-9, money in 1e-12, times in ns."""

from dataclasses import dataclass, field
from decimal import Decimal

__all__ = [
    "AccountTerms",
    "BreakerLimit",
    "BreakerLimits",
    "CurrencyTerms",
    "FeeTier",
    "Impact",
    "Latency",
    "LimitRates",
    "RateLimit",
    "SleeveCash",
    "SleeveLimits",
    "VarLimit",
    "VenueRates",
]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Fewer than ``count`` orders in ``window_ns``."""

    count: int
    window_ns: int


@dataclass(frozen=True, slots=True)
class SleeveLimits:
    """Limits of a sleeve, as shares of its own equity."""

    weight_max: int | None = None
    gross_max: int | None = None
    drawdown_max: int | None = None
    order_rate: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class SleeveCash:
    """A sleeve, the money that it starts with, by currency too, and its limits."""

    id: str
    cash: Decimal
    balances: tuple[tuple[str, Decimal], ...] = ()
    limits: SleeveLimits = field(default_factory=SleeveLimits)


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Rates from a traded volume on, in money of the fund; a negative maker rate is a rebate."""

    volume_from: int
    maker: int
    taker: int


@dataclass(frozen=True, slots=True)
class Impact:
    """Square-root impact of our own volume, half of which is forgotten after the half-life."""

    coefficient: int
    half_life_ns: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Time until a command reaches the venue; ``jitter_ns`` is drawn on top."""

    submit_ns: int = 0
    amend_ns: int = 0
    cancel_ns: int = 0
    jitter_ns: int = 0


@dataclass(frozen=True, slots=True)
class VenueRates:
    """A venue, simulated unless it is remote; rates in units of 1e-9.

    Parameters
    ----------
    id : str
        Name of the venue.
    fee_rate, slippage : int
        Of notional and of price.
    limit_fill : {"through", "touch"}
        What the market must do to a resting limit order.
    participation_max : int or None
        Share of the market's volume that we may be.
    on_close_cutoff_ns : int
        How long before the close an on-close order must be in.
    tiers : tuple of FeeTier
        In the place of ``fee_rate``.
    fee_per_unit, fee_minimum : int
        Money for a whole unit, and for an order that fills at all.
    fee_window_days : int
        Days over which our volume counts for the tiers.
    slippage_ticks : int
        On top of ``slippage``.
    impact : Impact or None
        Needs the volatility and the average volume of its instruments.
    latency : Latency
        Of commands.
    remote : bool
        Whether orders leave for a venue outside, which reports what becomes of them; it has no
        models but fees.
    """

    id: str = "sim"
    fee_rate: int = 0
    slippage: int = 0
    limit_fill: str = "through"
    participation_max: int | None = None
    on_close_cutoff_ns: int = 0
    tiers: tuple[FeeTier, ...] = ()
    fee_per_unit: int = 0
    fee_minimum: int = 0
    fee_window_days: int = 30
    slippage_ticks: int = 0
    impact: Impact | None = None
    latency: Latency = field(default_factory=Latency)
    remote: bool = False


@dataclass(frozen=True, slots=True)
class VarLimit:
    """Value at risk over so many scenarios, and its limits as shares of equity."""

    scenarios: int
    confidence: int
    max: int | None = None
    step_max: int | None = None


@dataclass(frozen=True, slots=True)
class BreakerLimit:
    """A share or a count, its window, and what the fund becomes."""

    limit: int
    state: str
    window_ns: int = 0


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """What changes the state of the fund by itself."""

    drawdown: BreakerLimit | None = None
    day_loss: BreakerLimit | None = None
    rejects: BreakerLimit | None = None
    dislocation: BreakerLimit | None = None
    order_rate: BreakerLimit | None = None


@dataclass(frozen=True, slots=True)
class LimitRates:
    """The gate's limits: shares in units of 1e-9, money in units of 1e-12, quantity in units.

    See ``docs/engine/gate.md``; None switches a limit off. ``regimes_blocked`` has a bit for each
    label.
    """

    price_band: int = 250_000_000
    fat_finger_quantity: int | None = None
    fat_finger_notional: int | None = None
    fat_finger_volume: int | None = None
    position_max: int | None = None
    weight_max: int | None = None
    sector_max: int | None = None
    gross_max: int | None = None
    leverage_max: int | None = None
    net_max: int | None = None
    volatility_max: int | None = None
    instrument_volatility_max: int | None = None
    correlation_max: int | None = None
    regimes_blocked: int | None = None
    bar_age_max_ns: int | None = None
    quote_age_max_ns: int | None = None
    order_rate: RateLimit | None = None
    duplicate_window_ns: int | None = None
    self_trade: bool = False
    value_at_risk: VarLimit | None = None
    crossed: str = "refuse"
    breakers: BreakerLimits = field(default_factory=BreakerLimits)


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """How the broker keeps the accounts of the sleeves."""

    kind: str = "cash"
    positions: str = "netting"
    trade_on_unsettled: bool = True


@dataclass(frozen=True, slots=True)
class CurrencyTerms:
    """A currency of the fund.

    Parameters
    ----------
    code : str
        ISO 4217 code or that of a coin.
    digits : int
        Decimals of its minor unit.
    pair : str or None
        Instrument whose mark is its price in the fund's currency; without one, rates are inputs.
    inverse : bool
        Whether the pair is of the fund's currency in this one.
    credit_rate, debit_rate : int
        Interest a year on cash and on debt.
    """

    code: str
    digits: int
    pair: str | None = None
    inverse: bool = False
    credit_rate: int = 0
    debit_rate: int = 0
