"""A venue as a state machine: records in, reports out, nothing else.

A record is a dictionary of plain values with its time ``ts`` and its ``kind``. The same records
give the same reports and the same state, which is what a restart rests on.
"""

import base64
import heapq
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from quantvista.engine import RawEngine
from quantvista.trading.gateway import (
    Accepted,
    AmendAccepted,
    AmendRejected,
    Balance,
    BalanceChanged,
    Busted,
    Cancelled,
    CancelRejected,
    Expired,
    Filled,
    OrderState,
    Position,
    Rejected,
    Report,
    Triggered,
)
from quantvista.trading.paper._said import Effects, Notice, ended, flows_back, ids_of, reason_text
from quantvista.trading.paper._shown import Shown
from quantvista.trading.paper._terms import VenueTerms, venue_engine_config

__all__ = ["Core"]


type Record = Mapping[str, Any]

_NOBODY = ""  # asked for a cancel: the dead-man switch did


@dataclass(slots=True)
class _Order:
    """A working order, by the engine's number."""

    account: int
    state: OrderState


class Core:
    """Accounts, orders and matching of one venue.

    Parameters
    ----------
    terms : VenueTerms
        What it is.

    Notes
    -----
    An account is a sleeve of an engine that has no limits. Times of records ascend strictly; all
    that the engine is told by one record has its time.
    """

    def __init__(self, terms: VenueTerms) -> None:
        self.terms = terms
        self._engine = RawEngine(venue_engine_config(terms))
        self.ts = 0
        self._inputs = 0
        self.sequences = [0] * len(terms.accounts)
        self.manual = 0
        self.cursor: Any = None
        self._working: dict[int, _Order] = {}
        self._named: dict[tuple[int, str], int] = {}
        self._asked: dict[int, list[tuple[int, str]]] = {}
        self._dues: list[int] = []
        self._switches: dict[int, int] = {}
        self._switched: set[int] = set()
        self.shown = Shown(terms.instruments)
        self._effects = Effects()

    # -- records ------------------------------------------------------
    def apply(self, record: Record) -> Effects:
        """Take a record.

        Parameters
        ----------
        record : mapping
            ``kind`` is ``market``, ``submit``, ``cancel``, ``amend``, ``bust``, ``cash``,
            ``status``, ``dead_man`` or ``tick``; see the methods of these names.

        Returns
        -------
        Effects
            What it led to.
        """
        self._effects = effects = Effects()
        assert record["ts"] > self.ts, "records must ascend in time"
        self.ts = record["ts"]
        while self._dues and self._dues[0] <= self.ts:
            heapq.heappop(self._dues)
        handler: Callable[[Record], None] = getattr(self, f"_take_{record['kind']}")
        handler(record)
        for account in [each for each, at in self._switches.items() if at <= self.ts]:
            del self._switches[account]
            self._cancel_all(account)
        return effects

    def _take_market(self, record: Record) -> None:
        """Take ``events`` of the market as the engine does, and where its source is now."""
        for event in record["events"]:
            self._give(event)
            self._effects.market += self.shown.take(event, self.ts)
        self.cursor = record["cursor"]

    def _take_tick(self, record: Record) -> None:
        """Let time go on, so that what is due comes about."""
        self._give({"barrier": {"session_start": False, "session_end": False}})

    def _take_dead_man(self, record: Record) -> None:
        """Cancel all of an account ``at`` a time, unless told otherwise; None is never."""
        self._switches.pop(record["account"], None)
        if record["at"] is not None:
            self._switches[record["account"]] = record["at"]

    def _cancel_all(self, account: int) -> None:
        """Cancel what works for an account that has not said for long that it is there."""
        for number, order in list(self._working.items()):
            if order.account == account and number not in self._switched:
                self._switched.add(number)
                self._asked.setdefault(number, []).append((account, _NOBODY))
                self._give({"cancel_order": {"order": number}})
                self._due("cancel_ns")

    def _take_status(self, record: Record) -> None:
        event = {"instrument": record["instrument"], "status": record["status"]}
        self._give({"status": event})
        self._effects.market += self.shown.take({"status": event}, self.ts)

    def _take_submit(self, record: Record) -> None:
        """Take an order: ``terms`` as the engine takes them, under a client's id."""
        self._pending = (record["account"], record["client"])
        if record["client"].startswith("@manual-"):
            self.manual += 1
        self._give({"submit_order": {"sleeve": record["account"], **record["terms"]}})
        self._due("submit_ns", record["terms"].get("expire_at"))

    def _ask(self, record: Record) -> None:
        """Remember whose command it is: its order may be forgotten when the answer comes."""
        whose = (record["account"], record["client"])
        self._asked.setdefault(record["order"], []).append(whose)

    def _answered(self, number: int) -> tuple[int, str]:
        """Say whose command is answered; each command on an order has one answer."""
        waiting = self._asked[number]
        whose = waiting.pop()
        if not waiting:
            del self._asked[number]
        return whose

    def _take_cancel(self, record: Record) -> None:
        self._ask(record)
        self._give({"cancel_order": {"order": record["order"]}})
        self._due("cancel_ns")

    def _take_amend(self, record: Record) -> None:
        self._ask(record)
        self._give({"amend_order": {"order": record["order"], **record["terms"]}})
        self._due("amend_ns", record["terms"].get("expire_at"))

    def _take_cash(self, record: Record) -> None:
        """Take a deposit, or a withdrawal where ``amount`` is negative."""
        self._flow(record["account"], record["currency"], record["amount"])

    def _take_bust(self, record: Record) -> None:
        """Undo a fill of a pair: what it moved is moved back, what is taken first."""
        fill = Filled(**record["fill"])
        flows = flows_back(fill, self.terms)
        account = record["account"]
        done: list[tuple[int, int]] = []
        for currency, amount in sorted(flows, key=lambda flow: flow[1]):
            if amount and not self._flow(account, currency, amount, told=False):
                for undone, back in done:
                    self._flow(account, undone, -back, told=False)
                self._effects.refused = "what the trade brought is no longer there"
                return
            done.append((currency, amount))
        self._tell(
            account,
            Busted(
                client_order_id=fill.client_order_id,
                trade_id=fill.trade_id,
                instrument=fill.instrument,
                side=fill.side,
                quantity=fill.quantity,
                price=fill.price,
                fee=fill.fee,
                fee_currency=fill.fee_currency,
                ts=self.ts,
            ),
        )

    # -- questions ------------------------------------------------------
    def place(self, instrument: str) -> int:
        """Index of an instrument; ``KeyError`` if it is not listed."""
        return self.shown.places[instrument]

    def number(self, account: int, client: str) -> int | None:
        """Engine's number of a working order."""
        return self._named.get((account, client))

    def open_orders(self, account: int) -> tuple[OrderState, ...]:
        """Working orders of an account, by the time when they came."""
        return tuple(each.state for each in self._working.values() if each.account == account)

    def balances(self, account: int) -> tuple[Balance, ...]:
        """Money of an account by currency."""
        found = []
        for index, code in enumerate(self.terms.currencies):
            cash = self._engine.cash(account, index)
            unsettled = self._engine.balance(account, "unsettled", index)
            found.append(Balance(currency=code, total=cash + unsettled, unsettled=unsettled))
        return tuple(found)

    def positions(self, account: int) -> tuple[Position, ...]:
        """Say what an account holds, not counting currencies."""
        found = (
            Position(instrument=each.id, quantity=self._engine.position(account, index))
            for index, each in enumerate(self.terms.instruments)
            if each.settlement != "exchange"
        )
        return tuple(each for each in found if each.quantity)

    def next_due(self) -> int | None:
        """When time by itself may change something."""
        return min((*self._dues[:1], *self._switches.values()), default=None)

    def state_hash(self) -> str:
        """Fingerprint of all that matching rests on."""
        return self._engine.state_hash()

    # -- state ------------------------------------------------------
    def snapshot(self) -> bytes:
        """Write the whole state."""
        state = {
            "terms": self.terms.fingerprint,
            "engine": base64.b64encode(self._engine.snapshot()).decode(),
            "ts": self.ts,
            "inputs": self._inputs,
            "sequences": self.sequences,
            "manual": self.manual,
            "cursor": self.cursor,
            "working": [[n, each.account, asdict(each.state)] for n, each in self._working.items()],
            "asked": list(self._asked.items()),
            "dues": self._dues,
            "switches": list(self._switches.items()),
            "switched": sorted(self._switched),
            "shown": self.shown.state(),
        }
        return json.dumps(state, separators=(",", ":")).encode()

    @classmethod
    def restore(cls, terms: VenueTerms, snapshot: bytes) -> "Core":
        """Go on from a snapshot of a venue of the same terms."""
        state = json.loads(snapshot)
        core = cls(terms)
        assert state["terms"] == terms.fingerprint, "a snapshot must be of the same terms"
        core._engine = RawEngine.restore(base64.b64decode(state["engine"]))
        core.ts, core._inputs, core.cursor = state["ts"], state["inputs"], state["cursor"]
        core.sequences = state["sequences"]
        core.manual = state["manual"]
        for number, account, order in state["working"]:
            core._working[number] = _Order(account, OrderState(**order))
            core._named[account, order["client_order_id"]] = number
        core._asked = {
            number: [(account, client) for account, client in waiting]
            for number, waiting in state["asked"]
        }
        core._dues = state["dues"]
        core._switches = dict(map(tuple, state["switches"]))
        core._switched = set(state["switched"])
        core.shown.resume(state["shown"])
        return core

    # -- the engine ------------------------------------------------------
    def _give(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        self._inputs += 1
        outputs = self._engine.apply(
            {
                "ts_event": self.ts,
                "ts_received": self.ts,
                "source": 0,
                "sequence": self._inputs,
                "event": event,
            }
        )
        for output in outputs:
            ((name, body),) = output.items()
            handler = getattr(self, f"_on_{name}", None)
            if handler is not None:
                handler(body)
        return outputs

    def _flow(self, account: int, currency: int, amount: int, told: bool = True) -> bool:
        self._quiet = not told
        flow = {"sleeve": account, "currency": currency, "amount": amount}
        outputs = self._give({"cash_flow": flow})
        self._quiet = False
        refused = any("cash_flow_rejected" in each for each in outputs)
        if refused:
            self._effects.refused = "there is not so much to take out"
        return not refused

    def _due(self, command: str, expire_at: int | None = None) -> None:
        latency = self.terms.rates.latency
        base: int = getattr(latency, command)
        if base or latency.jitter_ns:
            heapq.heappush(self._dues, self.ts + base + latency.jitter_ns)
        if expire_at is not None:
            heapq.heappush(self._dues, expire_at)

    _quiet = False
    _pending: tuple[int, str] = (0, "")

    def _tell(self, account: int, report: Report) -> None:
        self.sequences[account] += 1
        self._effects.notices.append(Notice(account, self.sequences[account], report))

    def _keep(self, number: int, order: _Order) -> None:
        """Keep an order as it is now; forget it here when it is finished."""
        key = (order.account, order.state.client_order_id)
        self._effects.orders[key] = order.state
        if order.state.is_final:
            self._working.pop(number, None)
            self._named.pop(key, None)
            self._switched.discard(number)
        else:
            self._working[number] = order
            self._named[key] = number

    # -- what the engine says ------------------------------------------------------
    def _new(self, body: Record, status: str, reason: str = "") -> _Order:
        if body["origin"] == "strategy":
            account, client = self._pending
        else:
            account, client = body["sleeve"], f"@{body['origin']}-{body['id']}"
        state = OrderState(
            client_order_id=client,
            venue_order_id=str(body["id"]),
            instrument=self.terms.instruments[body["instrument"]].id,
            side=body["side"],
            quantity=body["quantity"],
            filled=body["filled"],
            kind=body["kind"],
            tif=body["tif"],
            limit_price=body["limit_price"],
            trigger_price=body["trigger_price"],
            expire_at=body["expire_at"],
            post_only=body["post_only"],
            reduce_only=body["reduce_only"],
            status=status,
            reason=reason,
            fees=0,
            ts=body["ts"],
        )
        order = _Order(account, state)
        self._keep(body["id"], order)
        return order

    def _on_order_submitted(self, body: Record) -> None:
        self._new(body, "submitted")

    def _on_order_accepted(self, body: Record) -> None:
        order = self._working.get(body["id"])
        if order is None:
            order = self._new(body, "accepted")
        else:
            self._change(body["id"], status="accepted", trigger_price=body["trigger_price"])
        self._tell(
            order.account,
            Accepted(
                client_order_id=order.state.client_order_id,
                venue_order_id=order.state.venue_order_id,
                instrument=order.state.instrument,
                ts=body["arrival"],
            ),
        )

    def _on_order_rejected(self, body: Record) -> None:
        order = self._new(body["order"], "rejected", body["rule"])
        self._tell(
            order.account,
            Rejected(
                client_order_id=order.state.client_order_id,
                reason=body["rule"],
                text=reason_text(body["rule"]),
                ts=self.ts,
            ),
        )

    def _on_order_triggered(self, body: Record) -> None:
        order = self._change(body["order"], status="triggered")
        self._tell(order.account, Triggered(**ids_of(order.state), ts=body["ts"]))

    def _on_order_filled(self, body: Record) -> None:
        listed = self.terms.instruments[body["instrument"]]
        order, client, venue_id = None, f"@{body['kind']}", ""
        if body["order"] is not None:
            order = self._working[body["order"]]
            client, venue_id = order.state.client_order_id, order.state.venue_order_id
        fill = Filled(
            client_order_id=client,
            venue_order_id=venue_id,
            trade_id=str(body["id"]),
            instrument=listed.id,
            side=body["side"],
            quantity=body["quantity"],
            price=body["price"],
            fee=body["fee"],
            fee_currency=listed.currency,
            liquidity=body["liquidity"],
            ts=body["ts"],
            kind=body["kind"],
        )
        if order is not None:
            state = order.state
            filled = state.filled + body["quantity"]
            status = "filled" if filled == state.quantity else "partially_filled"
            self._change(body["order"], filled=filled, status=status, fees=state.fees + body["fee"])
        self._tell(body["sleeve"], fill)

    def _on_order_cancelled(self, body: Record) -> None:
        if body["reason"] == "requested" and self._answered(body["order"])[1] == _NOBODY:
            body = {**body, "reason": "dead_man"}
        order = self._change(body["order"], status="cancelled", reason=body["reason"])
        self._tell(order.account, Cancelled(**ended(order.state, body)))

    def _on_order_expired(self, body: Record) -> None:
        order = self._change(body["order"], status="expired", reason=body["reason"])
        self._tell(order.account, Expired(**ended(order.state, body)))

    def _on_order_amended(self, body: Record) -> None:
        new = body["order"]
        self._answered(new["id"])
        terms: dict[str, Any] = {
            name: new[name] for name in ("quantity", "limit_price", "trigger_price", "expire_at")
        }
        order = self._change(new["id"], **terms)
        self._tell(order.account, AmendAccepted(**(ids_of(order.state) | terms), ts=body["ts"]))

    def _on_cancel_rejected(self, body: Record) -> None:
        account, client = self._answered(body["order"])
        if client == _NOBODY:
            return
        text = "the order is finished, or was never there"
        self._tell(
            account,
            CancelRejected(client_order_id=client, reason="finished", text=text, ts=body["ts"]),
        )

    def _on_amend_rejected(self, body: Record) -> None:
        account, client = self._answered(body["order"])
        reason = "finished" if body["rule"] == "unknown" else body["rule"]
        self._tell(
            account,
            AmendRejected(
                client_order_id=client, reason=reason, text=reason_text(reason), ts=body["ts"]
            ),
        )

    def _on_posted(self, body: Record) -> None:
        if self._quiet or body["kind"] == "settled":  # what settles changes no total
            return
        code = self.terms.currencies[body["currency"]]
        self._tell(
            body["sleeve"],
            BalanceChanged(currency=code, amount=body["amount"], cause=body["kind"], ts=body["ts"]),
        )

    def _change(self, number: int, **changes: Any) -> _Order:  # noqa: ANN401 - fields of a state
        order = self._working[number]
        order.state = replace(order.state, **changes)
        self._keep(number, order)
        return order
