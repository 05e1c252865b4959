"""What a run takes for granted, in sentences for its reader."""

from collections.abc import Mapping
from decimal import Decimal

from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.fund import Fund, VenueSection
from quantvista.market import currency_digits
from quantvista.strategies import PortfolioStrategy, Strategy, checked_features, run_guarded

__all__ = ["features_said", "said_of"]


def said_of(fund: Fund, data: MarketData | EventData) -> list[str]:
    """Say what a run over this data takes for granted.

    Parameters
    ----------
    fund : Fund
        What is run.
    data : MarketData or EventData
        Over what.

    Returns
    -------
    list of str
        Sentences.
    """
    bars = data.bars if isinstance(data, EventData) else data
    texts = [] if bars is None else _of_bars(fund, bars)
    if not isinstance(data, EventData):
        return texts
    matched = sorted({each.matching for each in data.instruments} - {"bars"})
    if matched:
        texts.append(f"Orders are matched against {', '.join(matched)} as they come.")
    texts += [_of_venue(each) for each in fund.venue]
    if fund.account.kind == "margin":
        texts.append("Margin calls are met at once, by market orders of the engine's own.")
    return texts


def features_said(strategies: Mapping[str, Strategy]) -> list[str]:
    """Say by which features sleeves decide.

    Parameters
    ----------
    strategies : mapping of str to Strategy
        By sleeve.

    Returns
    -------
    list of str
        A sentence for each sleeve that names any.

    Raises
    ------
    StrategyError
        If a strategy names something else than expressions.
    """
    texts = []
    for sleeve, strategy in sorted(strategies.items()):
        if isinstance(strategy, PortfolioStrategy):
            found = run_guarded(strategy, "features", getattr, strategy, "features")
            named = checked_features(found, type(strategy).__name__)
            if named:
                written = "; ".join(f"{name} = {text}" for name, text in named.items())
                texts.append(f"Sleeve {sleeve} decides by features of its panel: {written}.")
    return texts


def _minor_unit(currency: str) -> str:
    """Name what fees are rounded to."""
    if currency == "USD":
        return "the cent"
    return f"the minor unit ({Decimal(1).scaleb(-currency_digits(currency))} {currency})"


def _of_bars(fund: Fund, data: MarketData) -> list[str]:
    venue = fund.venue[0]
    when = "next close" if data.open is None else "next open"
    texts = [
        f"A decision after one close is filled at the {when}, {venue.slippage_bps} bp worse, "
        f"for a fee of {venue.fee_bps} bp rounded up to {_minor_unit(fund.fund.currency)}.",
        f"A market order is held back where the price has moved by more than "
        f"{fund.risk.price_band:%} since the decision.",
        f"A buy may count on {1 - fund.risk.price_band:%} of what is sold for it, so up to "
        f"{fund.risk.price_band:%} of a rotation stays in cash until the next rebalance.",
        "Opposite orders of two sleeves cross at the close without costs.",
        _of_cash(fund),
    ]
    if venue.participation_max is None:
        texts.append("Our orders are filled whole, whatever the volume, and do not move prices.")
    else:
        texts.append(
            f"At most {venue.participation_max:%} of each bar's volume is ours; what does not fill "
            "waits for the next decision. Our orders do not move prices."
        )
    return texts


def _of_cash(fund: Fund) -> str:
    earns = (
        "earns the interest of the fund file" if fund.account.credit_rate else "earns no interest"
    )
    return f"Cash {earns}. Sleeves keep their own profits; their shares drift."


def _of_venue(venue: VenueSection) -> str:
    """Say which models a venue has."""
    latency = venue.latency
    parts = [
        f"{latency.submit_ms} ms from an order to the venue"
        if latency.submit_ms or latency.jitter_ms
        else "no latency",
        "square-root impact" if venue.impact else "no impact of our orders on prices",
        f"at most {venue.participation_max:%} of the market's volume"
        if venue.participation_max is not None
        else "all of the displayed size",
    ]
    return f"Venue {venue.id}: {', '.join(parts)}."
