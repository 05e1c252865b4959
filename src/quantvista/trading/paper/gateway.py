"""The gateway to a paper venue, over whatever carries requests and streams."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from quantvista.trading.gateway import (
    AccountSnapshot,
    Acknowledged,
    AmendOrder,
    AmendRejected,
    CancelOrder,
    CancelRejected,
    Capabilities,
    Channel,
    ChannelClosedError,
    Clock,
    Delivery,
    FillPage,
    GatewayError,
    Listing,
    MarketData,
    OrderState,
    Rejected,
    Report,
    Request,
    Response,
    Sequencer,
    Status,
    SubmitOrder,
    Transport,
    TransportError,
    Unknown,
    from_plain,
)
from quantvista.trading.paper._auth import Credentials, sign

__all__ = ["Credentials", "GatewaySettings", "PaperGateway"]

_log = logging.getLogger(__name__)
_PAGE = 500

type _What = Literal["submit", "cancel", "amend"]
type _Cause = Literal["timeout", "disconnected", "server_error"]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How long a gateway waits.

    Parameters
    ----------
    timeout_s : float
        For an answer; a command without one is `Unknown`.
    silence_s : float
        For a message of a stream, which beats once a second; then it is taken for dead.
    pause_s, pause_max_s : float
        Before the first and the later attempts to connect again.
    """

    timeout_s: float = 2.0
    silence_s: float = 5.0
    pause_s: float = 0.1
    pause_max_s: float = 10.0


class PaperGateway:
    """A `Gateway` to one account of a paper venue.

    Parameters
    ----------
    transport : Transport
        The way to the server.
    venue : str
        Name of the venue there.
    credentials : Credentials
        Of the account.
    clock : Clock
        Ours.
    seed : int
        Of nonces and pauses; two gateways of one key need different ones.
    settings : GatewaySettings
        How long it waits.
    """

    def __init__(
        self,
        transport: Transport,
        venue: str,
        credentials: Credentials,
        clock: Clock,
        *,
        seed: int = 0,
        settings: GatewaySettings | None = None,
    ) -> None:
        self._transport, self._venue, self._credentials = transport, venue, credentials
        self._clock, self._settings = clock, settings or GatewaySettings()
        self._random = random.Random(seed)
        self._nonces = 0
        self._offset = 0
        self._dead_at = 0
        self._reports: Sequencer[Report] = Sequencer()
        self._numbers: dict[str, int] = {}
        self._market: set[str] = set()
        self._queue: asyncio.Queue[Delivery | None] = asyncio.Queue()
        self._channel: Channel | None = None
        self._task: asyncio.Task[None] | None = None
        self._capabilities: Capabilities | None = None
        self._connected = False

    # -- the connection ----------------------------------------------------------
    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do, known once connected."""
        if self._capabilities is None:
            raise GatewayError("not_connected", "connect first")
        return self._capabilities

    @property
    def clock_offset_ns(self) -> int:
        """Venue's clock less ours, as measured when it was connected."""
        return self._offset

    async def connect(self, after: int = 0) -> None:
        """Connect, and stay connected."""
        self._reports = Sequencer(after)
        await self._measure()
        found = await self._ask("GET", "/v1/capabilities", signed=False)
        self._capabilities = _read(found["capabilities"], Capabilities)
        # What another process of ours sent just before may still be on its way.
        self._dead_at = self._venue_now() + self._capabilities.submit_window_ns
        await self.account()
        self._task = asyncio.create_task(self._listen(), name=f"gateway to {self._venue}")

    async def _measure(self) -> None:
        before = self._clock.now_ns()
        found = await self._ask("GET", "/v1/time", signed=False)
        after = self._clock.now_ns()
        self._offset = int(found["ts"]) - (before + after) // 2

    def _venue_now(self) -> int:
        return self._clock.now_ns() + self._offset

    async def subscribe(self, instruments: Collection[str]) -> None:
        """Ask for the market data of these instruments, and no others."""
        listed = {each.instrument for each in await self.instruments()}
        if unknown := sorted(set(instruments) - listed):
            raise GatewayError("unknown_instrument", f"{unknown[0]} is not listed")
        self._market = set(instruments)
        if self._channel is not None:
            with contextlib.suppress(ChannelClosedError):
                await self._say({"op": "market", "market": sorted(self._market)})

    async def events(self) -> AsyncIterator[Delivery]:
        """Iterate over reports, market data and states, until the gateway is closed."""
        while (delivery := await self._queue.get()) is not None:
            yield delivery

    async def close(self) -> None:
        """Disconnect; working orders stay."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._channel is not None:
            await self._channel.close()
            self._channel = None
        await self._transport.close()
        self._queue.put_nowait(None)

    # -- the stream --------------------------------------------------------------
    async def _listen(self) -> None:
        pause = self._settings.pause_s
        while True:
            try:
                request = self._signed(Request("GET", "/v1/stream"))
                opening = self._transport.open(self._prefixed(request))
                self._channel = await asyncio.wait_for(opening, self._settings.timeout_s)
                await self._say(
                    {
                        "op": "subscribe",
                        "after": self._reports.last,
                        "market": sorted(self._market),
                    }
                )
                self._connected = True
                self._tell(Status(state="connected", ts=self._venue_now()))
                pause = self._settings.pause_s
                await self._hear(self._channel)
            except (
                *(TransportError, ChannelClosedError, TimeoutError, GatewayError),
                *(ValueError, KeyError, TypeError),  # what came was not understood
            ) as error:
                await self._lost(error)
            await asyncio.sleep(pause * (0.5 + self._random.random() / 2))
            pause = min(2 * pause, self._settings.pause_max_s)
            with contextlib.suppress(GatewayError):
                await self._measure()

    async def _lost(self, error: Exception) -> None:
        if self._channel is not None:
            await self._channel.close()
            self._channel = None
        if self._connected:
            self._connected = False
            _log.warning("gateway disconnected", extra={"venue": self._venue})
            text = str(error) or type(error).__name__
            self._tell(Status(state="disconnected", ts=self._venue_now(), text=text))

    async def _hear(self, channel: Channel) -> None:
        while True:
            text = await asyncio.wait_for(channel.receive(), self._settings.silence_s)
            message = json.loads(text)
            if "report" in message:
                self._report(message["sequence"], _report(message["report"]))
            elif "market" in message:
                await self._data(message)
            elif message["op"] == "heartbeat" and message["sequence"] > self._reports.last:
                await self._fetch(message["sequence"])
            elif message["op"] == "reset":
                last = int(message["sequence"])
                self._reports = Sequencer(last)
                self._tell(Status(state="reset", ts=self._venue_now(), sequence=last))
            if (gap := self._reports.missing) is not None:
                await self._fetch(gap[1])

    def _report(self, sequence: int, report: Report) -> None:
        for number, each in self._reports.take(sequence, report):
            self._queue.put_nowait(
                Delivery(sequence=number, ts_received=self._clock.now_ns(), event=each)
            )

    async def _fetch(self, until: int) -> None:
        """Ask again for reports that are missing."""
        while self._reports.last < until:
            target = f"/v1/reports?after={self._reports.last}&limit={_PAGE}"
            rows = (await self._ask("GET", target))["reports"]
            for row in rows:
                self._report(row["sequence"], _report(row["report"]))
            if not rows:
                return

    async def _data(self, message: Mapping[str, Any]) -> None:
        event: MarketData | Status = _read(message["market"], object)  # type: ignore[assignment]
        name, number = str(event.instrument), message["number"]
        last = self._numbers.get(name)
        if message["snapshot"]:
            self._numbers[name] = max(number, last or 0)
        elif last is not None and number <= last:
            return
        else:
            self._numbers[name] = number
            if last is not None and number > last + 1:
                ts = self._venue_now()
                self._tell(Status(state="data_missed", ts=ts, instrument=name))
                await self._say({"op": "snapshot", "instrument": name})
        self._tell(event)

    def _tell(self, event: MarketData | Status) -> None:
        self._queue.put_nowait(
            Delivery(sequence=None, ts_received=self._clock.now_ns(), event=event)
        )

    async def _say(self, message: Mapping[str, Any]) -> None:
        assert self._channel is not None, "there is a stream"
        await self._channel.send(json.dumps(message))

    # -- commands ----------------------------------------------------------------
    async def submit(self, order: SubmitOrder) -> Acknowledged | Rejected | Unknown:
        """Send an order."""
        body = json.dumps(asdict(order)).encode()
        answer = await self._command("submit", order.client_order_id, "POST", "/v1/orders", body)
        return Rejected(**answer) if isinstance(answer, dict) else answer

    async def cancel(self, command: CancelOrder) -> Acknowledged | CancelRejected | Unknown:
        """Cancel an order."""
        name = command.client_order_id
        answer = await self._command("cancel", name, "POST", f"/v1/orders/{name}/cancel", b"")
        return CancelRejected(**answer) if isinstance(answer, dict) else answer

    async def amend(self, command: AmendOrder) -> Acknowledged | AmendRejected | Unknown:
        """Change an order."""
        terms = asdict(command)
        name = terms.pop("client_order_id")
        body = json.dumps(terms).encode()
        answer = await self._command("amend", name, "PATCH", f"/v1/orders/{name}", body)
        return AmendRejected(**answer) if isinstance(answer, dict) else answer

    async def _command(
        self, what: _What, name: str, method: str, target: str, body: bytes
    ) -> Acknowledged | Unknown | dict[str, Any]:
        """Send a command; a dictionary says why it was refused for sure."""
        ts = self._venue_now()
        try:
            response = await self._send(Request(method, target, {}, body))
        except (TransportError, TimeoutError) as error:
            cause = error.cause if isinstance(error, TransportError) else "timeout"
            if isinstance(error, TransportError) and not error.sent:
                text = "nothing was sent: there is no connection"
                return {"client_order_id": name, "reason": "not_sent", "text": text, "ts": ts}
            return self._unknown(what, name, cause, ts)
        if response.status >= 500:
            return self._unknown(what, name, "server_error", ts)
        try:
            return await self._answer(what, name, ts, response)
        except (ValueError, KeyError, TypeError):  # who speaks so is no venue of ours
            return self._unknown(what, name, "server_error", ts)

    async def _answer(
        self, what: _What, name: str, ts: int, response: Response
    ) -> Acknowledged | Unknown | dict[str, Any]:
        found = json.loads(response.body)
        if response.status == 401 and found["error"]["code"] == "nonce_reused":
            # Somebody on the way sent it twice, and this is the answer to the second one.
            return self._unknown(what, name, "disconnected", ts)
        if response.status != 200:
            if found["error"]["code"] == "stale_timestamp":  # one of the clocks was set
                with contextlib.suppress(GatewayError):
                    await self._measure()
            return {
                "client_order_id": name,
                "reason": found["error"]["code"],
                "text": found["error"]["text"],
                "ts": int(response.headers["qv-time"]),
                "retry_after_ns": found["error"].get("retry_after_ns", 0),
            }
        order = found["order"]
        return Acknowledged(
            client_order_id=name,
            venue_order_id=order["venue_order_id"],
            status=order["status"],
            ts=int(response.headers["qv-time"]),
            duplicate=found.get("duplicate", False),
        )

    def _unknown(self, what: _What, name: str, cause: _Cause, ts: int) -> Unknown:
        self._dead_at = max(self._dead_at, ts + self.capabilities.submit_window_ns)
        _log.warning("command without an answer", extra={"client_order_id": name})
        return Unknown(client_order_id=name, command=what, cause=cause, ts=ts)

    # -- questions ---------------------------------------------------------------
    async def order(self, client_order_id: str) -> OrderState | None:
        """Ask for an order; None is final."""
        while True:
            try:
                found = await self._ask("GET", f"/v1/orders/{client_order_id}")
                return _read(found["order"], OrderState)
            except _NotFoundError as error:
                left = self._dead_at - error.ts
                if left < 0:
                    return None
            await asyncio.sleep(left / 1e9 + 0.001)

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Ask for all working orders, by the time when they came."""
        rows = (await self._ask("GET", "/v1/orders"))["orders"]
        return tuple(_read(each, OrderState) for each in rows)

    async def fills(self, after: int = 0, limit: int = 500) -> FillPage:
        """Ask for fills after a report, or where an earlier page says to go on."""
        found = await self._ask("GET", f"/v1/fills?after={after}&limit={limit}")
        return _read(found["page"], FillPage)

    async def account(self) -> AccountSnapshot:
        """Ask for balances, positions and working orders, as of one report."""
        return _read((await self._ask("GET", "/v1/account"))["account"], AccountSnapshot)

    async def instruments(self) -> tuple[Listing, ...]:
        """Ask what is listed, by id."""
        rows = (await self._ask("GET", "/v1/instruments", signed=False))["instruments"]
        return tuple(_read(each, Listing) for each in rows)

    async def dead_man(self, after_ns: int) -> int | None:
        """Have the venue cancel all orders of the account, unless this is asked again in time."""
        body = json.dumps({"after_ms": after_ns // 10**6}).encode()
        found = (await self._ask("POST", "/v1/dead-man", body))["dead_man"]["at"]
        return None if found is None else int(found)

    async def _ask(
        self, method: str, target: str, body: bytes = b"", *, signed: bool = True
    ) -> dict[str, Any]:
        try:
            response = await self._send(Request(method, target, {}, body), signed=signed)
        except (TransportError, TimeoutError) as error:
            cause = error.cause if isinstance(error, TransportError) else "timeout"
            raise GatewayError(cause, f"no answer to {method} {target}") from None
        try:
            found: dict[str, Any] = json.loads(response.body)
            if response.status == 200:
                return found
            code, text = found["error"]["code"], found["error"]["text"]
            if code == "unknown_order":
                raise _NotFoundError(code, text, int(response.headers["qv-time"]))
            if code == "stale_timestamp":  # one of the clocks was set; asked again it is answered
                with contextlib.suppress(GatewayError):
                    await self._measure()
            raise GatewayError(code, text, found["error"].get("retry_after_ns", 0))
        except (ValueError, KeyError, TypeError):
            text = f"{method} {target} was answered by {response.status}, and no words of a venue"
            raise GatewayError("not_understood", text) from None

    async def _send(self, request: Request, *, signed: bool = True) -> Response:
        ready = self._signed(request) if signed else request
        sending = self._transport.request(self._prefixed(ready))
        return await asyncio.wait_for(sending, self._settings.timeout_s)

    def _signed(self, request: Request) -> Request:
        self._nonces += 1
        nonce = f"{self._nonces:x}-{self._random.getrandbits(64):016x}"
        return sign(self._credentials, request, self._venue_now(), nonce)

    def _prefixed(self, request: Request) -> Request:
        target = f"/{self._venue}{request.target}"
        return Request(request.method, target, request.headers, request.body)


class _NotFoundError(GatewayError):
    """The venue does not have an order at this time of its clock."""

    def __init__(self, code: str, text: str, ts: int) -> None:
        super().__init__(code, text)
        self.ts = ts


def _read[T](plain: object, of: type[T]) -> T:
    found = from_plain(plain)
    if not isinstance(found, of):
        raise GatewayError("not_understood", f"the venue sent {type(found).__name__}")
    return found


def _report(plain: object) -> Report:
    return _read(plain, object)  # type: ignore[return-value]
