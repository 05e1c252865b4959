"""The engine held against the oracle: input by input, output by output, balance by balance."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oracle import InputError, Oracle
from oracle.books import ACCOUNTS
from oracle.terms import Order
from quantvista._native import RawEngine
from quantvista.errors import QuantVistaError

type Record = dict[str, Any]

TERMS = tuple(Order(1, 0, 0, 0, "buy", 1, "market", "day").record())
"""What the pages fix of an order; the engine's has more, for itself."""


class Difference(AssertionError):
    """Engine and oracle do not agree."""


def told(output: Mapping[str, Any]) -> Record:
    """What of an output the pages fix."""
    ((kind, body),) = output.items()
    if kind.startswith("order_") and isinstance(body, dict):
        if "kind" in body and "tif" in body:
            return {kind: {name: body[name] for name in TERMS}}
        if isinstance(body.get("order"), dict):
            terms = {name: body["order"][name] for name in TERMS}
            if kind == "order_rejected":
                # Nothing was accepted: it has no price, and hangs together with nothing.
                for name in ("reference", "parent", "group"):
                    del terms[name]
            return {kind: {**body, "order": terms}}
    return {kind: body}


def balances(engine: RawEngine, oracle: Oracle) -> list[str]:
    """Say which balances differ."""
    found: list[tuple[str, int, int]] = [("equity", engine.equity(), oracle.equity())]
    for sleeve in range(len(oracle.sleeves)):
        name = f"sleeve {sleeve}"
        equities = (engine.sleeve_equity(sleeve), oracle.sleeve_equity(sleeve))
        found.append((f"{name} equity", *equities))
        for currency in range(len(oracle.currencies)):
            for account in ACCOUNTS:
                own = oracle.balances[sleeve, currency, account]
                its = engine.balance(sleeve, account, currency)
                found.append((f"{name} currency {currency} {account}", its, own))
        for index in range(len(oracle.instruments)):
            lines = [(sleeve, index, leg) for leg in range(oracle.legs)]
            quantity = sum(oracle.quantities[line] for line in lines)
            cost = sum(oracle.costs[line] for line in lines)
            if oracle.instruments[index].is_exchange:
                continue
            found.append((f"{name} {index} position", engine.position(sleeve, index), quantity))
            found.append((f"{name} {index} cost", engine.cost(sleeve, index), cost))
    return [f"{name}: engine {its}, oracle {own}" for name, its, own in found if its != own]


class Comparison:
    """An engine that is given what the oracle is given."""

    def __init__(self, config: Mapping[str, Any], *, restore: bool = False) -> None:
        self.config = config
        self.engine = RawEngine(config)
        self.unbroken = RawEngine(config) if restore else None
        self.count = 0

    def step(
        self, input: Mapping[str, Any], expected: Sequence[Record] | None, oracle: Oracle
    ) -> list[Record]:
        """Apply an input and compare all that can be seen."""
        self.count += 1
        before = self.engine.state_hash() if expected is None else ""
        if self.unbroken is not None:
            self.engine = RawEngine.restore(self.engine.snapshot())
        try:
            found = self.engine.apply(input)
        except (QuantVistaError, ValueError) as error:
            if expected is not None:
                raise Difference(f"the engine refuses: {error}\noracle: {expected}") from None
            if self.engine.state_hash() != before:
                raise Difference(f"refused, yet changed: {error}") from None
            return []
        if expected is None:
            raise Difference(f"the oracle refuses; the engine says {found}")
        if self.unbroken is not None:
            self.unbroken.apply(input)
            if self.unbroken.state_hash() != self.engine.state_hash():
                raise Difference("the state of a restored engine differs")
        self._compare(found, expected, oracle)
        if self.count % 4 == 0:
            self.engine.audit()
        return found

    def _compare(self, found: Sequence[Record], expected: Sequence[Record], oracle: Oracle) -> None:
        its, own = [told(each) for each in found], [told(each) for each in expected]
        for place in range(max(len(its), len(own))):
            here = its[place] if place < len(its) else None
            there = own[place] if place < len(own) else None
            if here != there:
                raise Difference(_lines(its, own, place))
        wrong = balances(self.engine, oracle)
        if wrong:
            raise Difference("\n".join(wrong))


def _lines(its: Sequence[Record], own: Sequence[Record], place: int) -> str:
    text = [f"output {place} differs (engine <, oracle >):"]
    text += [f"  = {_short(each)}" for each in its[:place]]
    text += [f"  < {_short(each)}" for each in its[place:]]
    text += [f"  > {_short(each)}" for each in own[place:]]
    return "\n".join(text)


def kind_of(difference: str) -> str:
    """What differs, without its figures: which output each of the two gives, or what is said."""
    lines = difference.splitlines() or [""]
    shown = [
        next((line.split(" {")[0] for line in lines if line.startswith(mark)), mark)
        for mark in ("  <", "  >")
    ]
    if shown == ["  <", "  >"]:
        return re.sub(r"\d+", "0", lines[0].partition(":")[0])
    return "\n".join(shown)


def _short(record: Record) -> str:
    ((kind, body),) = record.items()

    def slim(value: Any) -> Any:  # noqa: ANN401 - any part of an output
        if isinstance(value, dict):
            return {k: slim(v) for k, v in value.items() if v is not None and v is not False}
        return value

    return f"{kind} {json.dumps(slim(body))}"


def replay(
    config: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]], *, restore: bool = False
) -> tuple[int, str] | None:
    """Give engine and oracle the same inputs; where and how they first differ."""
    oracle = Oracle(config)
    try:
        comparison = Comparison(config, restore=restore)
    except QuantVistaError as error:
        return (-1, f"refused: {error}")
    for number, input in enumerate(inputs):
        try:
            expected: list[Record] | None = oracle.apply(input)
        except InputError:
            expected = None
        except Exception as error:
            return (number, f"the oracle fails: {type(error).__name__}")
        try:
            comparison.step(input, expected, oracle)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a difference, an audit that fails, a panic
            return (number, str(error))
    return None


def shrink(
    config: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    fails: Callable[[Sequence[Mapping[str, Any]]], bool],
) -> list[Mapping[str, Any]]:
    """Leave inputs out for as long as it fails: ever smaller runs of them."""
    kept = list(inputs)
    size = max(1, len(kept) // 2)
    while True:
        start, smaller = 0, False
        while start < len(kept):
            trial = kept[:start] + kept[start + size :]
            if fails(trial):
                kept, smaller = trial, True
            else:
                start += size
        if size == 1 and not smaller:
            return kept
        size = max(1, size // 2) if not smaller or size > 1 else 1
