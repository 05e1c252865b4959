"""Sending commands to a venue: in order for each order, until it is known what became of them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from quantvista.trading.gateway import (
    Acknowledged,
    CancelOrder,
    CancelRejected,
    Gateway,
    GatewayError,
    OrderState,
    Rejected,
    SubmitOrder,
)

__all__ = ["Answer", "Sender"]

_PAUSE_S = 0.2
_PAUSE_MAX_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command.

    Parameters
    ----------
    order : int
        The engine's number.
    command : {"submit", "cancel"}
        What was sent.
    answer : str
        ``acknowledged``, ``rejected``, ``unknown`` (it is being asked about), ``found`` (asked:
        the venue has it) or ``absent`` (asked: it never will).
    ts : int
        When the venue said so, UTC ns of its clock; 0 where nobody did.
    text : str
        In words.
    """

    order: int
    command: Literal["submit", "cancel"]
    answer: Literal["acknowledged", "rejected", "unknown", "found", "absent"]
    ts: int = 0
    text: str = ""


class Sender:
    """Commands to one venue.

    Parameters
    ----------
    gateway : Gateway
        The way there.
    heard : callable
        Called with each `Answer`.
    broken : callable
        Called with what should never have been raised.
    refused : callable
        Says why no order may leave now; empty if they may.

    Attributes
    ----------
    unsettled : set of int
        Orders of which the venue has not said yet whether it has them.

    Notes
    -----
    A submit is sent once. Without an answer the venue is asked until it says whether it has the
    order; nothing is ever sent under another id. A cancel is sent again until the order is gone:
    it can do no harm.
    """

    def __init__(
        self,
        gateway: Gateway,
        heard: Callable[[Answer], None],
        broken: Callable[[BaseException], None],
        refused: Callable[[], str] = str,
    ) -> None:
        self._gateway, self._heard, self._broken = gateway, heard, broken
        self._refused = refused
        self._taken_back: set[int] = set()
        self._last: dict[int, asyncio.Task[None]] = {}
        self.unsettled: set[int] = set()
        self._connected = asyncio.Event()

    def connected(self) -> None:
        """Begin: what was asked for before waited for this."""
        self._connected.set()

    def submit(self, order: int, command: SubmitOrder) -> None:
        """Send an order."""
        self.unsettled.add(order)
        self._after(order, partial(self._submit, order, command))

    def ask(self, order: int, client_id: str) -> None:
        """Ask whether the venue has an order that was sent by a process before."""
        self.unsettled.add(order)
        self._after(order, partial(self._resolve, order, client_id))

    def cancel(self, order: int, client_id: str) -> None:
        """Cancel an order, after all that was sent about it before."""
        if order in self.unsettled and not self._connected.is_set():
            self._taken_back.add(order)  # where it waits to be sent, it never is
        self._after(order, partial(self._cancel, order, client_id))

    def is_busy(self, order: int) -> bool:
        """Whether something is being sent or asked about an order."""
        return order in self._last

    async def close(self) -> None:
        """Stop; what was sent stays sent."""
        tasks = list(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _after(self, order: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        before = self._last.get(order)

        async def chained() -> None:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)
            await self._connected.wait()
            await work()

        task = asyncio.get_running_loop().create_task(chained())
        self._last[order] = task
        task.add_done_callback(lambda done: self._finished(order, done))

    def _finished(self, order: int, task: "asyncio.Task[None]") -> None:
        if self._last.get(order) is task:
            del self._last[order]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken(error)

    async def _submit(self, order: int, command: SubmitOrder) -> None:
        why = "taken back before it was sent" if order in self._taken_back else self._refused()
        if why:
            self._tell(order, "submit", "rejected", text=why)
            return
        answer = await self._gateway.submit(command)
        if isinstance(answer, Acknowledged):
            self._tell(order, "submit", "acknowledged", answer.ts)
        elif isinstance(answer, Rejected):
            self._tell(order, "submit", "rejected", answer.ts, f"{answer.reason}: {answer.text}")
        else:
            self._heard(Answer(order=order, command="submit", answer="unknown", text=answer.cause))
            await self._resolve(order, command.client_order_id)

    async def _resolve(self, order: int, client_id: str) -> None:
        state = await self._question(client_id)
        self._tell(order, "submit", "absent" if state is None else "found")

    def _tell(
        self,
        order: int,
        command: Literal["submit", "cancel"],
        answer: Literal["acknowledged", "rejected", "found", "absent"],
        ts: int = 0,
        text: str = "",
    ) -> None:
        if command == "submit":
            self.unsettled.discard(order)
        self._heard(Answer(order=order, command=command, answer=answer, ts=ts, text=text))

    async def _question(self, client_id: str) -> OrderState | None:
        pause = _PAUSE_S
        while True:
            try:
                return await self._gateway.order(client_id)
            except GatewayError as error:
                await asyncio.sleep(max(pause, error.retry_after_ns / 1e9))
                pause = min(2 * pause, _PAUSE_MAX_S)

    async def _cancel(self, order: int, client_id: str) -> None:
        pause = _PAUSE_S
        self._taken_back.discard(order)
        while True:
            answer = await self._gateway.cancel(CancelOrder(client_order_id=client_id))
            if isinstance(answer, Acknowledged):
                self._tell(order, "cancel", "acknowledged", answer.ts)
                return
            wait = pause
            if isinstance(answer, CancelRejected):
                wait = max(pause, answer.retry_after_ns / 1e9)
                state = await self._question(client_id)
                if state is None or state.is_final:
                    self._tell(order, "cancel", "rejected", answer.ts, answer.reason)
                    return
            await asyncio.sleep(wait)
            pause = min(2 * pause, _PAUSE_MAX_S)
