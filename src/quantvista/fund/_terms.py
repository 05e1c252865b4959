"""What a fund file says, in the engine's integers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from quantvista.engine import (
    AccountTerms,
    BreakerLimit,
    BreakerLimits,
    FeeTier,
    Impact,
    Latency,
    LimitRates,
    RateLimit,
    SleeveCash,
    SleeveLimits,
    VarLimit,
    VenueRates,
    split_cash,
)
from quantvista.errors import ConfigError
from quantvista.fund._model import Fund, VenueSection
from quantvista.market import Instrument

__all__ = [
    "account_terms",
    "check_account",
    "e9",
    "limit_rates",
    "sleeve_cash",
    "venue_places",
    "venue_rates",
]

_MS, _SECOND = 6, 9  # digits of a nanosecond in these


def limit_rates(fund: Fund) -> LimitRates:
    """Limits of the gate in the engine's integers."""
    risk, breakers, var = fund.risk, fund.risk.breakers, fund.risk.value_at_risk
    return LimitRates(
        price_band=e9(risk.price_band),
        fat_finger_quantity=risk.fat_finger_quantity,
        fat_finger_notional=_money(risk.fat_finger_notional),
        fat_finger_volume=e9(risk.fat_finger_volume),
        position_max=_money(risk.position_max),
        weight_max=e9(risk.weight_max),
        sector_max=e9(risk.sector_max),
        gross_max=e9(risk.gross_max),
        leverage_max=e9(risk.leverage_max),
        net_max=e9(risk.net_max),
        volatility_max=e9(risk.volatility_max),
        instrument_volatility_max=e9(risk.instrument_volatility_max),
        correlation_max=e9(risk.correlation_max),
        regimes_blocked=sum(1 << label for label in set(risk.regimes_blocked)) or None,
        bar_age_max_ns=_ns(risk.bar_age_max_s),
        quote_age_max_ns=_ns(risk.quote_age_max_s),
        order_rate=_rate(risk.order_rate),
        duplicate_window_ns=_ns(risk.duplicate_window_s),
        self_trade=risk.self_trade,
        value_at_risk=None
        if var is None
        else VarLimit(var.scenarios, e9(var.confidence), e9(var.max), e9(var.step_max)),
        crossed=risk.crossed,
        breakers=BreakerLimits(
            drawdown=_breaker(breakers.drawdown),
            day_loss=_breaker(breakers.day_loss),
            rejects=_breaker(breakers.rejects),
            dislocation=_breaker(breakers.dislocation),
            order_rate=_breaker(breakers.order_rate),
        ),
    )


def venue_places(fund: Fund, instruments: Sequence[Instrument]) -> dict[str, int]:
    """Find the venue of each instrument, by its place in the fund file.

    Raises
    ------
    ConfigError
        If no venue takes it.
    """
    listed = {name: at for at, each in enumerate(fund.venue) for name in each.instruments}
    named = {market: at for at, each in enumerate(fund.venue) for market in each.markets}
    rest = next(
        (at for at, each in enumerate(fund.venue) if not each.markets and not each.is_paper), None
    )
    places: dict[str, int] = {}
    for each in instruments:
        place = listed.get(each.id, named.get(each.id.rpartition(".")[2], rest))
        if place is None:
            asked = "instruments" if listed else "markets"
            raise ConfigError(
                f"`venue.{asked}` must name the venue of every instrument; found none for "
                f"'{each.id}'"
            )
        places[each.id] = place
    return places


def account_terms(fund: Fund) -> AccountTerms:
    """How the broker keeps the accounts."""
    account = fund.account
    return AccountTerms(account.kind, account.positions, account.trade_on_unsettled)


def check_account(fund: Fund, instruments: Sequence[Instrument]) -> None:
    """Refuse instruments that the account cannot hold.

    Raises
    ------
    ConfigError
        With the instrument and the remedy.
    """
    if fund.account.kind == "margin":
        return
    remedy = 'set `kind = "margin"` in [account]'
    if fund.account.positions == "hedging":
        raise ConfigError(f"`account.positions` hedging needs a margin account; {remedy}")
    for each in instruments:
        if each.settlement == "difference":
            raise ConfigError(
                f"`account.kind` must be margin for a {each.kind}; found cash and '{each.id}'; "
                f"{remedy}"
            )
        if each.shortable:
            raise ConfigError(
                f"`instrument.shortable` must stand in a margin account; found cash and "
                f"'{each.id}'; {remedy}"
            )


def e9(value: Decimal | None) -> Any:  # noqa: ANN401 - None goes in where None comes out
    """Whole billionths; None stays."""
    return None if value is None else int(value.scaleb(9))


def sleeve_cash(fund: Fund, shares: dict[str, Decimal]) -> list[SleeveCash]:
    """Divide the capital, and the money in other currencies, and add each one's limits."""
    parts = {each.id: each.cash for each in split_cash(fund.fund.cash, shares, fund.fund.currency)}
    others: dict[str, list[tuple[str, Decimal]]] = {name: [] for name in parts}
    for code, amount in sorted(fund.account.balances.items()):
        for part in split_cash(amount, shares, code):
            others[part.id].append((code, part.cash))
    limits = {each.id: each.risk for each in fund.sleeve}
    return [
        SleeveCash(
            name,
            cash,
            tuple(others[name]),
            SleeveLimits(
                e9(limits[name].weight_max),
                e9(limits[name].gross_max),
                e9(limits[name].drawdown_max),
                _rate(limits[name].order_rate),
            )
            if name in limits
            else SleeveLimits(),
        )
        for name, cash in parts.items()
    ]


def venue_rates(venue: VenueSection) -> VenueRates:
    """Write a venue with all its models in the engine's integers."""
    maker = venue.fee_bps if venue.maker_bps is None else venue.maker_bps
    tiers = [
        FeeTier(_money(each.volume_from) or 0, _bps(each.maker_bps), _bps(each.taker_bps))
        for each in venue.tiers
    ]
    impact = venue.impact
    return VenueRates(
        id=venue.id,
        slippage=venue.slippage_rate_e9,
        limit_fill=venue.limit_fill,
        participation_max=e9(venue.participation_max),
        on_close_cutoff_ns=venue.on_close_cutoff_s * 1_000_000_000,
        tiers=tuple(tiers) or (FeeTier(0, _bps(maker), venue.fee_rate_e9),),
        fee_per_unit=_money(venue.fee_per_unit) or 0,
        fee_minimum=_money(venue.fee_minimum) or 0,
        fee_window_days=venue.tier_window_days,
        slippage_ticks=venue.slippage_ticks,
        impact=None
        if impact is None
        else Impact(e9(impact.coefficient), impact.half_life_s * 1_000_000_000),
        latency=Latency(
            *(
                int(each.scaleb(_MS))
                for each in (
                    venue.latency.submit_ms,
                    venue.latency.amend_ms,
                    venue.latency.cancel_ms,
                    venue.latency.jitter_ms,
                )
            )
        ),
    )


def _bps(value: Decimal) -> int:
    return int(value.scaleb(5))


def _money(value: Decimal | None) -> int | None:
    return None if value is None else int(value.scaleb(12))


def _ns(value: Decimal | None) -> int | None:
    return None if value is None else int(value.scaleb(_SECOND))


def _rate(section: Any) -> RateLimit | None:  # noqa: ANN401 - a section with both
    return None if section is None else RateLimit(section.count, int(section.window_s.scaleb(9)))


def _breaker(section: Any) -> BreakerLimit | None:  # noqa: ANN401 - one of three sections
    if section is None:
        return None
    limit = section.count if hasattr(section, "count") else e9(section.limit)
    window = int(section.window_s.scaleb(9)) if hasattr(section, "window_s") else 0
    return BreakerLimit(limit, section.state, window)
