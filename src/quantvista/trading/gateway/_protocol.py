"""The protocol: how anything of ours speaks to a venue."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Protocol

from quantvista.errors import QuantVistaError
from quantvista.trading.gateway._account import (
    AccountSnapshot,
    Capabilities,
    FillPage,
    Listing,
    OrderState,
)
from quantvista.trading.gateway._market import MarketData, Status
from quantvista.trading.gateway._orders import AmendOrder, CancelOrder, SubmitOrder
from quantvista.trading.gateway._reports import (
    Acknowledged,
    AmendRejected,
    CancelRejected,
    Rejected,
    Report,
    Unknown,
)

__all__ = ["Delivery", "Gateway", "GatewayError"]


class GatewayError(QuantVistaError, ConnectionError):
    """A question to a venue has no answer: asking again is safe.

    ``code`` is the venue's word, or ``timeout``, ``disconnected``, ``not_connected``.
    """

    def __init__(self, code: str, text: str, retry_after_ns: int = 0) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.retry_after_ns = retry_after_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that a venue told, as it is handed to us.

    Parameters
    ----------
    sequence : int or None
        Number of a report, without gaps from 1; None for all else.
    ts_received : int
        UTC nanoseconds when we could know it.
    event : Report, MarketData or Status
        What it is; its ``ts`` is when it happened.
    """

    sequence: int | None
    ts_received: int
    event: Report | MarketData | Status


class Gateway(Protocol):
    """A connection to one account at one venue.

    **Reports.** They come in the venue's order, each once, whatever the wire does: duplicates are
    dropped, and where a number is missing all later ones wait until it has been asked for again.
    A fact is what `events` says; answers to commands say only whether the venue has the command.

    **Unknown.** A command without an answer (timeout, disconnect, server error) is `Unknown`. Then
    `order` is asked until it answers, and nothing else is done about it: its None is final, because
    it is given only when no command that was sent can take effect any more. The same command under
    the same id may always be sent again: it is the same order.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do, known once connected."""
        ...

    @property
    def clock_offset_ns(self) -> int:
        """Venue's clock less ours, as measured when it was connected."""
        ...

    async def connect(self, after: int = 0) -> None:
        """Connect, and stay connected: a lost connection is made again, with a growing pause.

        Parameters
        ----------
        after : int
            The last report that is known already; those after it are delivered.

        Raises
        ------
        GatewayError
            If the venue cannot be reached or refuses the credentials.
        """
        ...

    async def subscribe(self, instruments: Collection[str]) -> None:
        """Ask for the market data of these instruments, and no others."""
        ...

    def events(self) -> AsyncIterator[Delivery]:
        """Iterate over reports, market data and states, until the gateway is closed."""
        ...

    async def submit(self, order: SubmitOrder) -> Acknowledged | Rejected | Unknown:
        """Send an order."""
        ...

    async def cancel(self, command: CancelOrder) -> Acknowledged | CancelRejected | Unknown:
        """Cancel an order."""
        ...

    async def amend(self, command: AmendOrder) -> Acknowledged | AmendRejected | Unknown:
        """Change an order."""
        ...

    async def order(self, client_order_id: str) -> OrderState | None:
        """Ask for an order; None is final: the venue neither has it nor will have it.

        It may therefore wait up to ``capabilities.submit_window_ns`` before it says None.

        Raises
        ------
        GatewayError
            If there is no answer; so do the questions below.
        """
        ...

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Ask for all working orders, by the time when they came."""
        ...

    async def fills(self, after: int = 0, limit: int = 500) -> FillPage:
        """Ask for fills after a report, or where an earlier page says to go on."""
        ...

    async def account(self) -> AccountSnapshot:
        """Ask for balances, positions and working orders, as of one report."""
        ...

    async def instruments(self) -> tuple[Listing, ...]:
        """Ask what is listed, by id."""
        ...

    async def dead_man(self, after_ns: int) -> int | None:
        """Have the venue cancel all orders of the account, unless this is asked again in time.

        Parameters
        ----------
        after_ns : int
            Time until it does, at most ``capabilities.dead_man_max_ns``; 0 switches it off.

        Returns
        -------
        int or None
            When it does, by the venue's clock; None where it is off.

        Raises
        ------
        GatewayError
            If there is no answer, or the venue has no such switch.
        """
        ...

    async def close(self) -> None:
        """Disconnect; `events` ends. Working orders stay."""
        ...
