"""A venue as a server sees it: requests in, answers out, at the time that it is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from quantvista.engine import ORDER_MATRIX
from quantvista.trading.gateway import Capabilities, MarketData, Request, Response, Status, to_plain
from quantvista.trading.paper._auth import AuthError, Key, Verifier
from quantvista.trading.paper._commands import read_amend, read_dead_man, read_submit
from quantvista.trading.paper._console import Console
from quantvista.trading.paper._faults import Fault, Faults
from quantvista.trading.paper._limits import RateLimiter
from quantvista.trading.paper._said import Notice
from quantvista.trading.paper._stream import Stream
from quantvista.trading.paper._venue import DEAD_MAN_NS, PaperVenue, VenueError, VenueFailedError

__all__ = ["Answer", "Endpoint"]

_PAGE_MAX = 1_000
_BODY_MAX = 16_384
_CODES = {
    "unknown_order": 404,
    "unknown_trade": 404,
    "not_found": 404,
    "client_order_id_reused": 409,
    "busted": 409,
    "gone": 409,
    "not_covered": 409,
    "not_admin": 403,
    "rate_limited": 429,
}
_PLAIN = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, after a while; None where the connection breaks instead."""

    response: Response | None
    delay_ns: int = 0


class Endpoint:
    """Requests of one venue.

    Parameters
    ----------
    venue : PaperVenue
        Which.
    find : callable
        The key of a name, or None.
    faults : Faults
        What goes wrong.
    now : int
        When it begins.
    """

    def __init__(
        self, venue: PaperVenue, find: Callable[[str], Key | None], faults: Faults, now: int
    ) -> None:
        self.venue, self.faults = venue, faults
        self._verifier = Verifier(find, venue.terms.window_ns, now)
        self._accounts = {each.name: place for place, each in enumerate(venue.terms.accounts)}
        self._limits: dict[tuple[str, str], RateLimiter] = {}
        self._streams: list[Stream] = []
        self._now = now
        self.console = Console(venue, faults, self._accounts, self.cut)
        venue.listen(self._tell)

    # -- time and streams ------------------------------------------------------
    def advance(self, now: int) -> None:
        """Let the venue come up to now."""
        self._now = max(self._now, now)
        self.venue.advance(self._now)

    def beat(self, now: int) -> None:
        """Let all that listen know that we are here."""
        for stream in self._streams:
            stream.beat(now)

    def _tell(self, notices: list[Notice], market: list[tuple[int, MarketData | Status]]) -> None:
        streams = self._streams = [each for each in self._streams if not each.closed]
        # What the market did to an order comes before the market: who hears prices, and decides on
        # them, then knows of the fills that they brought, as in a backtest.
        for stream in streams:
            for notice in notices:
                if notice.account == stream.account:
                    stream.report(notice.sequence, notice.report, self._now)
            for number, event in market:
                stream.market(number, event, self._now)

    def cut(self) -> None:
        """End all streams."""
        for stream in self._streams:
            stream.close()
        self._streams = []

    def close(self) -> None:
        """End all streams, and write everything."""
        self.cut()
        self.venue.close()

    def open(
        self, request: Request, now: int, wake: Callable[[], None]
    ) -> Stream | Response | None:
        """Open a stream; an answer says why not, None that nobody answers."""
        if now < self.faults.away_until:
            return None
        try:
            key = self._verifier.check(request, now)
            account = self._account(key)
        except (AuthError, VenueError) as error:
            return self._error(error.code, str(error), 401, now)
        stream = Stream(self.venue, account, self.faults, wake)
        self._streams.append(stream)
        return stream

    def _account(self, key: Key) -> int:
        if key.venue != self.venue.terms.id or key.account not in self._accounts:
            raise VenueError("wrong_venue", "this key is of another venue, or of none here")
        return self._accounts[key.account]

    # -- requests ------------------------------------------------------
    def handle(self, request: Request, now: int) -> Answer:
        """Answer a request; ``target`` begins behind the name of the venue.

        Raises
        ------
        VenueFailedError
            If the venue can go on no longer.
        """
        if now < self.faults.away_until:
            return Answer(None)
        on = _place_of(request)
        key = None
        if on and not _is_public(request):
            try:
                # Who may not ask must not use up a fault.
                key = self._verifier.check(request, now)
            except AuthError as error:
                return Answer(self._error(error.code, str(error), 401, now))
        fault = self.faults.pick(on) if on else None
        match fault.kind if fault is not None else "":
            case "drop":
                return Answer(None)
            case "reject":
                assert fault is not None
                return Answer(self._error(fault.reason, "refused by the fault console", 400, now))
            case "duplicate":
                self._answer(request, now, None, key)
                response = self._answer(request, now, None, key, again=True)
            case "error":
                self._answer(request, now, None, key)
                response = self._error("server_error", "something went wrong here", 500, now)
            case _:
                response = self._answer(request, now, fault, key)
        delay = fault.delay_ns if fault is not None and fault.kind == "delay" else 0
        after = self.faults.pick("answer") if on in ("submit", "cancel", "amend") else None
        if after is not None:
            if after.kind == "drop":
                return Answer(None)
            delay += after.delay_ns
        return Answer(response, delay)

    def _answer(
        self,
        request: Request,
        now: int,
        fault: Fault | None,
        key: Key | None = None,
        again: bool = False,
    ) -> Response:
        try:
            parts = urlsplit(request.target)
            path = [unquote(each) for each in parts.path.strip("/").split("/")]
            if _is_public(request):
                return self._public(path[1], now)
            if len(request.body) > _BODY_MAX:
                raise VenueError("bad_request", f"the body must be at most {_BODY_MAX} bytes")
            if key is None:
                key = self._verifier.check(request, now)
            if path[0] == "admin":
                return self._ok(self.console.handle(key, request, path[1:], now), now)
            account = self._account(key)
            if not again and (wait := self._wait(key, request, now)):
                return self._slow_down(wait, now)
            query = dict(parse_qsl(parts.query))
            return self._ok(self._asked(account, request, path, query, fault, now), now)
        except AuthError as error:
            return self._error(error.code, str(error), 401, now)
        except VenueError as error:
            return self._error(error.code, str(error), _CODES.get(error.code, 400), now)
        except VenueFailedError as error:
            return self._error("venue_failed", str(error), 500, now)

    def _public(self, name: str, now: int) -> Response:
        match name:
            case "time":
                return self._ok({"ts": now}, now)
            case "instruments":
                return self._ok({"instruments": to_plain(self.venue.listings())}, now)
            case _:
                return self._ok({"capabilities": to_plain(self.capabilities())}, now)

    def _asked(
        self,
        account: int,
        request: Request,
        path: list[str],
        query: dict[str, str],
        fault: Fault | None,
        now: int,
    ) -> dict[str, object]:
        venue = self.venue
        match request.method, path:
            case "POST", ["v1", "orders"]:
                state, known = venue.submit(account, read_submit(request.body), now)
                return {"order": to_plain(state), "duplicate": known}
            case "GET", ["v1", "orders"]:
                self.advance(now)
                return {"orders": to_plain(venue.open_orders(account))}
            case "GET", ["v1", "orders", client]:
                return self._order(account, client, fault, now)
            case "POST", ["v1", "orders", client, "cancel"]:
                return {"order": to_plain(venue.cancel(account, client, now))}
            case "PATCH", ["v1", "orders", client]:
                command = read_amend(client, request.body)
                terms = {name: getattr(command, name) for name in command.__dataclass_fields__}
                return {"order": to_plain(venue.amend(account, client, terms, now))}
            case "POST", ["v1", "dead-man"]:
                after_ns = read_dead_man(request.body)
                return {"dead_man": {"at": venue.dead_man(account, after_ns, now)}}
            case "GET", ["v1", "account"]:
                self.advance(now)
                return {"account": to_plain(venue.snapshot(account))}
            case "GET", ["v1", "fills"]:
                page = venue.fills(account, _number(query, "after", 0), _limit(query))
                return {"page": to_plain(page)}
            case "GET", ["v1", "reports"]:
                rows = venue.reports(account, _number(query, "after", 0), _limit(query))
                told = [{"sequence": number, "report": to_plain(each)} for number, each in rows]
                return {"reports": told, "last": venue.sequence(account)}
            case _:
                raise VenueError("not_found", f"there is no {request.method} {request.target}")

    def _order(self, account: int, client: str, fault: Fault | None, now: int) -> dict[str, object]:
        self.advance(now)
        state = self.venue.order(account, client)
        lie = fault.status if fault is not None and fault.kind == "lie" else ""
        if state is None or lie == "unknown":
            raise VenueError("unknown_order", f"there is no order {client}")
        plain = to_plain(state)
        assert isinstance(plain, dict)
        return {"order": {**plain, "status": lie} if lie else plain}

    def capabilities(self) -> Capabilities:
        """Say what the venue can do."""
        data = {each.matching for each in self.venue.terms.instruments}
        return Capabilities(
            venue=self.venue.terms.id,
            orders=frozenset(
                f"{kind}/{tif}/{of}"
                for kind, tif, of, refused in ORDER_MATRIX
                if of in data and refused is None and kind not in ("on_open", "on_close")
            ),
            post_only=True,
            reduce_only=True,
            iceberg=True,
            amend=True,
            fill_page_max=_PAGE_MAX,
            orders_per_second=self.venue.terms.orders_per_second,
            submit_window_ns=self.venue.terms.window_ns,
            dead_man_max_ns=DEAD_MAN_NS[1],
        )

    # -- limits and answers ------------------------------------------------------
    def _wait(self, key: Key, request: Request, now: int) -> int:
        terms = self.venue.terms
        wait = self._limit(key.key, "requests", terms.requests_per_second).take(now)
        # A cancel is never held up by a limit of orders: it takes risk off.
        if not wait and _place_of(request) in ("submit", "amend"):
            wait = self._limit(key.key, "orders", terms.orders_per_second).take(now)
        return wait

    def _limit(self, key: str, what: str, per_second: int | None) -> RateLimiter:
        return self._limits.setdefault((key, what), RateLimiter(per_second))

    def _slow_down(self, wait: int, now: int) -> Response:
        response = self._error("rate_limited", f"wait {wait / 1e9:.3f} s", 429, now, wait)
        seconds = -(-wait // 10**9)
        return Response(429, response.body, {**response.headers, "retry-after": str(seconds)})

    def _ok(self, body: dict[str, object], now: int) -> Response:
        text = json.dumps(body, separators=(",", ":")).encode()
        return Response(200, text, {**_PLAIN, "qv-time": str(now)})

    def _error(self, code: str, text: str, status: int, now: int, wait: int = 0) -> Response:
        error: dict[str, object] = {"code": code, "text": text}
        if wait:
            error["retry_after_ns"] = wait
        body = json.dumps({"error": error}, separators=(",", ":")).encode()
        return Response(status, body, {**_PLAIN, "qv-time": str(now)})


def _place_of(request: Request) -> str:
    """Say what a request is to the faults; nothing stands in the console's way."""
    path = urlsplit(request.target).path.strip("/").split("/")
    match request.method, path:
        case "POST", ["v1", "orders"]:
            return "submit"
        case "POST", ["v1", "orders", _, "cancel"]:
            return "cancel"
        case "PATCH", ["v1", "orders", _]:
            return "amend"
    return "query" if path[0] == "v1" and len(path) > 1 and path[1] != "time" else ""


def _is_public(request: Request) -> bool:
    """Whether everybody may ask it, without a key."""
    path = urlsplit(request.target).path.strip("/").split("/")
    open_to_all = (["v1", "time"], ["v1", "instruments"], ["v1", "capabilities"])
    return request.method == "GET" and path in open_to_all


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise VenueError("bad_request", f"`{name}` must be a whole number; found {text[:40]!r}")
    return int(text)


def _limit(query: dict[str, str]) -> int:
    limit = _number(query, "limit", 500)
    if not 1 <= limit <= _PAGE_MAX:
        raise VenueError("bad_request", f"`limit` must be 1 to {_PAGE_MAX}; found {limit}")
    return limit
