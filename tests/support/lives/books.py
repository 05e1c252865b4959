"""The reference ledger: what a venue's own reports add up to, in plain integers.

It shares no code with the engine, the node or the venue: it reads the lines that the venue has
stored, and knows how a trade moves money.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from quantvista.market import Instrument

__all__ = ["Ledger"]

_MONEY = 12


class Ledger:
    """Money and positions of one account after each of its reports.

    Parameters
    ----------
    instruments : sequence of Instrument
        That are listed.
    start : dict of str to int
        Money at the beginning, in 1e-12.
    reports : callable
        Gives stored reports after a number, as (number, line).
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        start: dict[str, int],
        reports: Callable[[int], list[tuple[int, str]]],
    ) -> None:
        self._terms = {each.id: each for each in instruments}
        self._reports = reports
        self.money, self.held = Counter(start), Counter[str]()
        self.trades: dict[str, dict[str, Any]] = {}
        self.busted: set[str] = set()
        self.fills: list[tuple[int, dict[str, Any]]] = []
        self.filled = Counter[str]()
        self.after: list[tuple[dict[str, int], dict[str, int]]] = [(dict(start), {})]
        self._paid = self._looked = 0
        self._least: int | None = None
        self._most = 0

    def follows(self, before: Ledger) -> None:
        """Take over between what everything was worth: the venue has forgotten the rest."""
        self._least, self._most, self._paid = before._least, before._most, before._paid

    def at(self, number: int) -> tuple[dict[str, int], dict[str, int]]:
        """Money by currency and positions by instrument, as of a report."""
        if number >= len(self.after):
            for found, line in self._reports(len(self.after) - 1):
                assert found == len(self.after), "reports are numbered without gaps"
                self._book(json.loads(line))
                held = {key: value for key, value in self.held.items() if value}
                self.after.append((dict(self.money), held))
        return self.after[number]

    def worth_between(self, number: int, low: int, high: int) -> tuple[int, int]:
        """Say between what everything was worth up to a report, what came and went included.

        Parameters
        ----------
        number : int
            Of the report.
        low, high : int
            Between what the base currency was worth, in whole units of the other.
        """
        self.at(number)
        worth = [
            [
                money["USDT"] + money["BTC"] * each + sum(held.values()) * 100 * 10**_MONEY
                for each in (low, high)
            ]
            for money, held in self.after[self._looked :]
        ]
        if worth:
            least, most = min(each[0] for each in worth), max(each[1] for each in worth)
            self._least = least if self._least is None else min(least, self._least)
            self._most = max(most, self._most)
        self._looked = len(self.after)
        assert self._least is not None, "there is a beginning"
        return self._least - self._paid, self._most + self._paid

    def _book(self, report: dict[str, Any]) -> None:
        match report["is"]:
            case "Filled":
                assert report["trade_id"] not in self.trades, "a trade has a name of its own"
                self.trades[report["trade_id"]] = report
                self.filled[report["client_order_id"]] += report["quantity"]
                self.fills.append((len(self.after), report))
                self._trade(report, 1)
            case "Busted":
                assert report["trade_id"] in self.trades
                assert report["trade_id"] not in self.busted, "a trade is undone once"
                self.busted.add(report["trade_id"])
                self._trade(report, -1)
            case "BalanceChanged":
                self.money[report["currency"]] += report["amount"]
                self._paid += abs(report["amount"])

    def _trade(self, trade: dict[str, Any], times: int) -> None:
        terms = self._terms[trade["instrument"]]
        quantity = trade["quantity"] * (1 if trade["side"] == "buy" else -1) * times
        digits = _MONEY - terms.price_precision - terms.quantity_precision
        if terms.kind == "pair":
            self.money[terms.base] += quantity * 10 ** (_MONEY - terms.quantity_precision)
        else:
            self.held[terms.id] += quantity
        self.money[terms.currency] -= quantity * trade["price"] * 10**digits
        self.money[trade["fee_currency"]] -= trade["fee"] * times
