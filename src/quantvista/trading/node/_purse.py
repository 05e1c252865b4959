"""What money must be at one venue, by what the venue itself has reported."""

from collections.abc import Mapping

from quantvista.market import Instrument
from quantvista.trading.gateway import Busted, Filled

__all__ = ["Purse"]

_MONEY = 12


class Purse:
    """Money of the fund at one venue: what was there when it was adopted, and all reports since.

    The engine keeps the money of a fund by sleeve and not by venue, so this is counted beside it,
    in whole numbers and by no code of the engine's: both must come to the same sum.

    Attributes
    ----------
    money : dict of str to int, or None
        By currency, in 1e-12; None until the account was compared for the first time.
    open : dict of str to (int, int)
        What is open in instruments that only pay differences: signed quantity, and cost in 1e-12.
    """

    def __init__(self) -> None:
        self.money: dict[str, int] | None = None
        self.open: dict[str, tuple[int, int]] = {}

    def adopt(self, money: Mapping[str, int]) -> None:
        """Take what is there for what must be there."""
        self.money = dict(money)

    def flow(self, currency: str, amount: int) -> None:
        """Take money that came or went without a trade."""
        if self.money is not None:
            self.money[currency] = self.money.get(currency, 0) + amount

    def trade(self, trade: Filled | Busted, instrument: Instrument) -> None:
        """Take a trade, or one that was undone."""
        way = -1 if isinstance(trade, Busted) else 1
        signed = way * (trade.quantity if trade.side == "buy" else -trade.quantity)
        places = _MONEY - instrument.price_precision - instrument.quantity_precision
        price = trade.price * instrument.multiplier * 10**places
        paid = way * trade.fee
        if instrument.settlement == "exchange":
            self.flow(instrument.base, signed * 10 ** (_MONEY - instrument.quantity_precision))
            paid += signed * price
        elif instrument.settlement == "difference":
            paid -= self._gained(instrument.id, signed, price)
        else:
            paid += signed * price
        self.flow(instrument.currency, -paid)

    def _gained(self, name: str, signed: int, price: int) -> int:
        """Change what is open; return what was gained by what that closes.

        The rule is that of every account here: cost is relieved in proportion, rounded down.
        """
        held, cost = self.open.pop(name, (0, 0))
        closes = min(abs(signed), abs(held)) if held * signed < 0 else 0
        gained = 0
        if closes:
            way = 1 if held > 0 else -1
            relieved = way * (way * cost * closes // abs(held))
            gained = way * closes * price - relieved
            held, cost, signed = held - way * closes, cost - relieved, signed + way * closes
        if held + signed:
            self.open[name] = (held + signed, cost + signed * price)
        return gained

    def before_gains(self, currency_of: Mapping[str, str]) -> dict[str, int]:
        """Money less what open contracts cost: the same whoever holds them, and when they close.

        Parameters
        ----------
        currency_of : mapping of str to str
            Of the instruments.
        """
        found = dict(self.money or {})
        for name, (_, cost) in self.open.items():
            found[currency_of[name]] = found.get(currency_of[name], 0) - cost
        return found

    def said(self) -> dict[str, dict[str, str] | dict[str, tuple[int, str]]]:
        """Write it as fields of a record; nothing before it was adopted."""
        if self.money is None:
            return {}
        return {
            "money": {code: str(amount) for code, amount in self.money.items()},
            "opened": {name: (held, str(cost)) for name, (held, cost) in self.open.items()},
        }

    def hear(self, money: Mapping[str, str], opened: Mapping[str, tuple[int, str]]) -> None:
        """Take what a record said."""
        self.money = {code: int(amount) for code, amount in money.items()}
        self.open = {name: (held, int(cost)) for name, (held, cost) in opened.items()}
