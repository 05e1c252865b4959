"""Why there is an order, and what became of it: the records behind it, in their order."""

import json
import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantvista.backtest.recorded._reading import Progress, each_record, run_started
from quantvista.errors import ConfigError
from quantvista.fund.records import RUN_KINDS, Computed, Decided, NodeOpened, RunStarted
from quantvista.journal import INPUT, OUTPUT, Record

__all__ = ["Explanation", "Happening", "explain"]

_MARKET = ("bar", "quote", "trade", "book_level", "book_order", "auction")
_ABOUT = ("cancel_order", "amend_order", "replace_order", "report")


@dataclass(frozen=True, slots=True)
class Happening:
    """A record that an order goes back to, or that is about it.

    Parameters
    ----------
    sequence : int
        Of the record in the journal, the proof of it.
    ts : int
        UTC ns.
    what : str
        Kind of input, output or decision.
    text : str
        What it says of the order, for people.
    value : object
        The record's content.
    """

    sequence: int
    ts: int
    what: str
    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """An order with what led to it and what it led to.

    Parameters
    ----------
    fund, sleeve, instrument : str
        Whose it is, and of what.
    order : str
        Its name, as in the table of orders.
    title : str
        Its terms in words.
    causes, events : tuple of Happening
        Before the order and from it on.
    """

    fund: str
    sleeve: str
    instrument: str
    order: str
    title: str
    causes: tuple[Happening, ...]
    events: tuple[Happening, ...]

    def to_dict(self) -> dict[str, Any]:
        """Make plain values of it, for ``--json``."""
        found: dict[str, Any] = {
            name: getattr(self, name) for name in ("fund", "sleeve", "instrument", "order", "title")
        }
        for part in ("causes", "events"):
            found[part] = [
                {name: getattr(each, name) for name in Happening.__slots__}
                for each in getattr(self, part)
            ]
        return found


def explain(
    folder: str | os.PathLike[str], order: int | str, *, progress: Progress | None = None
) -> Explanation:
    """Collect what is behind an order of a recorded run.

    Parameters
    ----------
    folder : path
        The journal of the run.
    order : int or str
        Its number, or its name in the table of orders, such as ``demo-1-000017``.
    progress : callable, optional
        Called with records read, 0 and a text, now and then.

    Returns
    -------
    Explanation
        The newest market data of the instrument before the order, the decision and the target or
        the strategy's command, and everything that was said of the order.

    Raises
    ------
    ConfigError
        If there is no journal, or no such order in it.
    JournalError
        If the journal is not that of a run, or is damaged.
    """
    path = Path(folder)
    records = each_record(path, progress, "reading")
    search = _Search(run_started(next(records, None), path), order)
    for record in records:
        search.see(record)
    if search.terms is None:
        names = f"{search.name(1)} to {search.name(search.last)}"
        there = names if search.last else "of which there are none"
        raise ConfigError(f"`order` must be an order of the run, {there}; found {order}")
    if "-" in str(order) and str(order) != (name := search.name(search.number)):
        raise ConfigError(f"`order` must be named as the journal does, {name}; found {order}")
    return search.found()


class _Search:
    """Goes through the records once."""

    def __init__(self, started: RunStarted | NodeOpened, order: int | str) -> None:
        config = json.loads(started.engine)
        self._epochs = [(1, int(config["epoch"]))]
        self._fund = started.fund
        if isinstance(started, NodeOpened):
            self._epochs = [(started.first_order, started.epoch)]
        self._instruments = config["instruments"]
        self._sleeves = [each["id"] for each in config["sleeves"]]
        self.number = self._number(str(order))
        self._market: dict[int, Happening] = {}
        self._decided: dict[str, tuple[Record, Decided]] = {}
        self._computed: dict[int, tuple[Record, Computed]] = {}
        self._input: tuple[Record, str, Any] | None = None
        self._causes: list[Happening] = []
        self._events: list[Happening] = []
        self.terms: Mapping[str, Any] | None = None
        self.last = 0

    def name(self, order: int) -> str:
        """Name an order as the table of orders does."""
        place = bisect_right(self._epochs, order, key=lambda each: each[0]) - 1
        return f"{self._fund}-{self._epochs[max(0, place)][1]}-{order:06d}"

    def _number(self, order: str) -> int:
        # Of a node, each process has an epoch; numbers go on over all of them.
        named = re.fullmatch(re.escape(self._fund) + r"-[0-9]+-([0-9]+)", order)
        digits = named[1] if named else order
        if not digits.isascii() or not digits.isdigit():
            example = self.name(17)
            raise ConfigError(f"`order` must be a number, or a name like {example}; found {order}")
        return int(digits)

    def see(self, record: Record) -> None:
        """Look at the next record."""
        if record.kind == INPUT.number:
            ((name, terms),) = _named(RUN_KINDS.body(record)["event"])
            self._input = (record, name, terms)
            self._hear(record, name, terms)
        elif record.kind == OUTPUT.number:
            ((name, terms),) = _named(RUN_KINDS.body(record))
            self._output(record, name, terms)
        elif record.kind == NodeOpened.KIND.number:
            opened = RUN_KINDS.body(record)
            self._epochs.append((opened.first_order, opened.epoch))
        elif record.kind == Decided.KIND.number:
            body = RUN_KINDS.body(record)
            self._decided[body.sleeve] = (record, body)
        elif record.kind == Computed.KIND.number:
            body = RUN_KINDS.body(record)
            self._computed[body.sleeve] = (record, body)

    def _hear(self, record: Record, name: str, terms: Any) -> None:  # noqa: ANN401
        if self.terms is not None:
            if name in _ABOUT and self.number in _mentioned(terms):
                self._events.append(self._happening(record, name, terms))
        elif name in _MARKET:
            place = terms["instrument"]
            self._market[place] = Happening(record.sequence, record.ts, name, "", terms)

    def _output(self, record: Record, name: str, terms: Any) -> None:  # noqa: ANN401
        order = _order_of(terms)
        if order is None:
            return
        self.last = max(self.last, order)
        if order != self.number:
            return
        if self.terms is None:
            self.terms = terms.get("order") if name == "order_rejected" else terms
            self._trace()
        self._events.append(self._happening(record, name, terms))

    def _trace(self) -> None:
        """Go back from the order to what led to it."""
        terms = self.terms
        assert terms is not None, "the order is known"
        assert self._input is not None, "an output follows its input"
        place = terms["instrument"]
        if (seen := self._market.get(place)) is not None:
            text = f"the newest of {self._id(place)}: {self._prices(place, seen.value)}"
            self._causes.append(Happening(seen.sequence, seen.ts, seen.what, text, seen.value))
        record, name, asked = self._input
        sleeve = self._sleeves[terms["sleeve"]]
        if name == "target_portfolio" and sleeve in self._decided:
            self._causes.append(self._decision(*self._decided[sleeve], place))
        heard = self._computed.get(terms["sleeve"])
        if heard is not None and heard[0].ts == record.ts:  # it was told of that, and then asked
            self._causes.append(self._computation(*heard))
        self._causes.append(self._happening(record, name, asked))

    def _computation(self, record: Record, body: Computed) -> Happening:
        value = {name: getattr(body, name) for name in ("number", "name", "asked_ts", "error")}
        waited = Decimal(record.ts - body.asked_ts).scaleb(-6).normalize()
        text = f"{body.error or body.name}, asked for {waited:f} ms before"
        return Happening(record.sequence, record.ts, "computed", text, value)

    def _decision(self, record: Record, body: Decided, place: int) -> Happening:
        at = body.instruments.index(self._id(place)) if self._id(place) in body.instruments else -1
        value: dict[str, Any] = {"sleeve": body.sleeve, "known_ts": body.known_ts}
        text = f"sleeve {body.sleeve} had no view of it"
        if at >= 0:
            value |= {"forecast": body.forecast[at], "weight": body.weights[at]}
            forecast = body.forecast[at]
            view = "no view" if forecast is None else f"forecast {forecast:+.4f}"
            text = f"{view}, weight {body.weights[at]:.4%} of sleeve {body.sleeve}"
        return Happening(record.sequence, record.ts, "decided", text, value)

    def _happening(self, record: Record, name: str, terms: Any) -> Happening:  # noqa: ANN401
        return Happening(record.sequence, record.ts, name, self._text(name, terms), terms)

    def _text(self, name: str, terms: Any) -> str:  # noqa: ANN401
        assert self.terms is not None, "the order is known"
        place = self.terms["instrument"]
        match name:
            case "target_portfolio":
                wanted = dict(map(tuple, terms["targets"])).get(place, 0)
                share = Decimal(wanted).scaleb(-7).normalize()
                return f"{share:f} % of the sleeve's equity"
            case "submit_order" | "submit_list" | "replace_order":
                return f"the strategy of sleeve {self._sleeves[self.terms['sleeve']]} asked for it"
            case "verdict":
                return self._verdict(terms)
            case "order_filled":
                price = self._price(place, terms["price"])
                fee = Decimal(terms["fee"]).scaleb(-12).normalize()
                size = self._size(place, terms["quantity"])
                how = terms["liquidity"] if terms["kind"] == "trade" else terms["kind"]
                return f"{size} at {price}, fee {fee:f}, {how}"
            case "order_cancelled" | "order_expired" | "cancel_requested":
                return str(terms["reason"]).replace("_", " ")
            case "report":
                ((said, of),) = terms.items()
                trade = f", trade {of['trade']}" if "trade" in of else ""
                return f"the venue said {said.replace('_', ' ')}{trade}"
            case "order_rejected":
                return f"by rule {terms['rule']}"
            case "order_amended":
                return f"now {self._size(place, terms['order']['quantity'])}"
        if name.startswith("order_") and "quantity" in terms:
            return f"{self._size(place, terms['quantity'])}, counted at {self._reference()}"
        return ""

    def _verdict(self, terms: Mapping[str, Any]) -> str:
        if terms["rule"] == "all":
            return "every rule passed"
        figure, limit = (_figure(terms[name]) for name in ("figure", "limit"))
        return f"{terms['outcome']} by {terms['rule']}: {figure} against {limit}"

    def _reference(self) -> str:
        assert self.terms is not None, "the order is known"
        return self._price(self.terms["instrument"], self.terms["reference"])

    def _id(self, place: int) -> str:
        return str(self._instruments[place]["id"])

    def _price(self, place: int, units: int) -> str:
        return f"{Decimal(units).scaleb(-self._instruments[place]['price_precision']):f}"

    def _size(self, place: int, units: int) -> str:
        return f"{Decimal(units).scaleb(-self._instruments[place]['quantity_precision']):f}"

    def _prices(self, place: int, terms: Mapping[str, Any]) -> str:
        """Prices in words, of whatever market data."""
        body = next((v for k, v in terms.items() if isinstance(v, dict)), {})
        shown = [
            f"{name} {self._price(place, body[name])}"
            for name in ("close", "bid", "ask", "price")
            if body.get(name) is not None
        ]
        return ", ".join(shown) or "no price"

    def found(self) -> Explanation:
        """Put together what came up."""
        terms = self.terms
        assert terms is not None, "the caller has looked"
        place = terms["instrument"]
        limit = terms.get("limit_price")
        title = " ".join(
            [
                terms["side"],
                self._size(place, terms["quantity"]),
                self._id(place),
                terms["kind"].replace("_", "-"),
                *([] if limit is None else [f"at {self._price(place, limit)}"]),
                terms["tif"].upper(),
            ]
        )
        return Explanation(
            self._fund,
            self._sleeves[terms["sleeve"]],
            self._id(place),
            self.name(self.number),
            title,
            tuple(self._causes),
            tuple(self._events),
        )


def _named(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Split an event or output into its name and terms."""
    yield next(iter(value.items())) if isinstance(value, dict) else (str(value), {})


def _order_of(terms: Any) -> int | None:  # noqa: ANN401
    """Find the number of the order that an output is about."""
    if not isinstance(terms, dict):
        return None
    order = terms.get("order")
    if isinstance(order, dict):
        return int(order["id"])
    if isinstance(order, int):
        return order
    return int(terms["id"]) if "tif" in terms else None


def _mentioned(terms: Any) -> set[int]:  # noqa: ANN401
    """Orders that an input names, at any depth."""
    if isinstance(terms, dict):
        own = {terms["order"]} if isinstance(terms.get("order"), int) else set()
        return own.union(*(_mentioned(each) for each in terms.values()))
    return set()


def _figure(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, dict):
        return str(value)
    ((name, number),) = value.items()
    scale = {"money": -12, "rate": -9, "duration": -9}.get(name, 0)
    shown = f"{Decimal(number).scaleb(scale).normalize():f}"
    return f"{shown} s" if name == "duration" else shown
