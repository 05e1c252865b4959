"""Signed requests: who sends, that nothing was changed, and that it comes once and in time."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from quantvista.trading.gateway import Request

__all__ = ["AuthError", "Credentials", "Key", "Verifier", "sign"]

_SECRET_MIN = 16


class AuthError(Exception):
    """A request that is not answered as asked; ``code`` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secret, which is never printed."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the venue has it.

    ``account`` is empty for a key of the console, which may do what the venue's operator may.
    """

    key: str
    secret: str = field(repr=False)
    venue: str
    account: str


def sign(credentials: Credentials, request: Request, timestamp: int, nonce: str) -> Request:
    """Sign a request.

    Parameters
    ----------
    credentials : Credentials
        Whose.
    request : Request
        What.
    timestamp : int
        UTC nanoseconds, by the venue's clock as well as it is known.
    nonce : str
        A text that this key does not use twice.

    Returns
    -------
    Request
        With four more headers; the signature is HMAC-SHA256 over timestamp, nonce, method, target
        and the SHA-256 of the body, in lines.
    """
    signature = _signature(credentials.secret, request, str(timestamp), nonce)
    headers = {
        **request.headers,
        "qv-key": credentials.key,
        "qv-timestamp": str(timestamp),
        "qv-nonce": nonce,
        "qv-signature": signature,
    }
    return Request(request.method, request.target, headers, request.body)


def _signature(secret: str, request: Request, timestamp: str, nonce: str) -> str:
    digest = hashlib.sha256(request.body).hexdigest()
    text = "\n".join((timestamp, nonce, request.method, request.target, digest))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Verifier:
    """Checks signatures, times and nonces.

    Parameters
    ----------
    find : callable
        The key of a name, or None.
    window_ns : int
        How far the time of a request may be from ours.
    since : int
        When the venue began to look: what was signed before may have been answered already by the
        venue that stood here before, so it is refused.
    """

    def __init__(self, find: Callable[[str], Key | None], window_ns: int, since: int) -> None:
        self._find, self._window, self._since = find, window_ns, since
        self._nonces: dict[tuple[str, str], int] = {}

    def check(self, request: Request, now: int) -> Key:
        """Find whose request it is.

        Raises
        ------
        AuthError
            With the code ``unsigned``, ``unknown_key``, ``bad_signature``, ``stale_timestamp`` or
            ``nonce_reused``.
        """
        headers = request.headers
        names = ("qv-key", "qv-timestamp", "qv-nonce", "qv-signature")
        key_name, timestamp, nonce, signature = (headers.get(name, "") for name in names)
        if not (key_name and nonce and signature and timestamp.isascii() and timestamp.isdigit()):
            raise AuthError("unsigned", f"a request must have the headers {', '.join(names)}")
        key = self._find(key_name)
        if key is None or len(key.secret) < _SECRET_MIN:
            raise AuthError("unknown_key", f"there is no key {key_name[:40]!r}")
        wanted = _signature(key.secret, request, timestamp, nonce)
        if not hmac.compare_digest(wanted, signature):
            raise AuthError("bad_signature", "the signature is not of this request and this key")
        if abs(now - int(timestamp)) > self._window:
            late = (now - int(timestamp)) / 1e9
            raise AuthError("stale_timestamp", f"the request is {late:.1f} s old by our clock")
        if int(timestamp) < self._since:
            raise AuthError("stale_timestamp", "the request was signed before we started")
        self._forget(now)
        if (key_name, nonce) in self._nonces:
            raise AuthError("nonce_reused", "this request was here before")
        self._nonces[key_name, nonce] = int(timestamp)
        return key

    def _forget(self, now: int) -> None:
        """Forget nonces whose time would be refused anyway, the oldest first."""
        while self._nonces:
            first = next(iter(self._nonces))
            if self._nonces[first] >= now - 2 * self._window:
                return
            del self._nonces[first]
