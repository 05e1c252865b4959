"""The fault console: what an operator of the venue may do to it, over the wire or in process."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from quantvista.trading.gateway import Request, to_plain
from quantvista.trading.paper._auth import Key
from quantvista.trading.paper._commands import read_object
from quantvista.trading.paper._faults import FAULTS, PLACES, Fault, Faults
from quantvista.trading.paper._venue import PaperVenue, VenueError

__all__ = ["Console"]

_WAITING = {"on", "count", "probability", "delay_ms", "reason", "status"}
_TERMS = {
    "disconnect": {"seconds"},
    "halt": {"instrument"},
    "resume": {"instrument"},
    "trade": {"account", "side", "instrument", "quantity"},
    "bust": {"account", "trade_id"},
}


class Console:
    """What goes wrong, by command.

    Parameters
    ----------
    venue : PaperVenue
        Of which.
    faults : Faults
        Where faults wait for their chance.
    accounts : mapping of str to int
        Accounts by name.
    cut : callable
        Ends all streams.
    """

    def __init__(
        self,
        venue: PaperVenue,
        faults: Faults,
        accounts: Mapping[str, int],
        cut: Callable[[], None],
    ) -> None:
        self._venue, self._faults, self._accounts, self._cut = venue, faults, accounts, cut

    def handle(self, key: Key, request: Request, path: list[str], now: int) -> dict[str, object]:
        """Answer a request of a key of the console."""
        if key.account:
            raise VenueError("not_admin", "this key is of an account; the console has its own")
        match request.method, path:
            case "GET", ["status"]:
                self._venue.advance(now)
                return self.status()
            case "POST", ["faults"]:
                return self.fault(read_object(request.body), now)
            case "DELETE", ["faults"]:
                self._faults.clear()
                return {"armed": 0}
            case "POST", ["pay"]:
                return self._pay(read_object(request.body), now)
            case _:
                raise VenueError("not_found", f"there is no {request.method} {request.target}")

    def status(self) -> dict[str, object]:
        """Say how the venue stands."""
        accounts = {
            name: to_plain(self._venue.snapshot(place)) for name, place in self._accounts.items()
        }
        return {
            "venue": self._venue.terms.id,
            "state_hash": self._venue.state_hash(),
            "accounts": accounts,
            "instruments": to_plain(self._venue.listings()),
            "faults": {
                "armed": [
                    {"kind": each.kind, "on": each.on, "count": each.count}
                    for each in self._faults.armed
                ],
                "happened": dict(sorted(self._faults.happened.items())),
            },
        }

    def fault(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        """Let something go wrong.

        Parameters
        ----------
        asked : dict
            ``kind``, one of `FAULTS`, and what it needs.
        now : int
            When.

        Returns
        -------
        dict
            What was done.

        Raises
        ------
        VenueError
            If that is not possible.
        """
        kind = asked.pop("kind", None)
        if kind not in FAULTS:
            raise _bad(f"`kind` must be one of {', '.join(FAULTS)}; found {str(kind)[:40]!r}")
        if unknown := sorted(set(asked) - _TERMS.get(kind, _WAITING)):
            raise _bad(f"`{unknown[0][:40]}` is not known for {kind}")
        handler = {
            "disconnect": self._disconnect,
            "halt": self._halt,
            "resume": self._resume,
            "trade": self._trade,
            "bust": self._bust,
        }.get(kind)
        try:
            done = self._arm(kind, asked) if handler is None else handler(asked, now)
        except VenueError:
            raise
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            words = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
            raise _bad(words) from None
        if handler is not None:
            self._faults.note(kind)
        return {"kind": kind, **done}

    def _arm(self, kind: str, asked: dict[str, Any]) -> dict[str, object]:
        places = [on for on, kinds in PLACES.items() if kind in kinds]
        on = asked.pop("on", places[0])
        count = asked.pop("count", 1)
        fault = Fault(
            kind,
            str(on),
            None if count is None else int(count),
            float(asked.pop("probability", 1.0)),
            int(float(asked.pop("delay_ms", 1000)) * 1_000_000),
            str(asked.pop("reason", "refused")),
            str(asked.pop("status", "cancelled")),
        )
        self._faults.arm(fault)
        return {"on": fault.on, "count": fault.count}

    def _disconnect(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        seconds = float(asked.pop("seconds", 0))
        self._faults.away_until = now + int(seconds * 1e9)
        self._cut()
        return {"seconds": seconds}

    def _halt(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        return self._status(asked, True, now)

    def _resume(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        return self._status(asked, False, now)

    def _status(self, asked: dict[str, Any], on: bool, now: int) -> dict[str, object]:
        one = asked.pop("instrument", None)
        names = [each.id for each in self._venue.terms.instruments] if one is None else [str(one)]
        for each in names:
            self._venue.halt(each, on, now)
        return {"instruments": names}

    def _trade(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        side, instrument = str(asked.pop("side")), str(asked.pop("instrument"))
        if side not in ("buy", "sell"):
            raise _bad(f"`side` must be buy or sell; found {side[:40]!r}")
        listed = {each.id: each for each in self._venue.terms.instruments}.get(instrument)
        if listed is None:
            raise _bad(f"`instrument` is not listed; found {instrument[:60]!r}")
        quantity = _whole(asked.pop("quantity"), listed.quantity_precision)
        account = self._account(asked)
        state = self._venue.trade_by_hand(account, instrument, side, quantity, now)
        return {"order": to_plain(state)}

    def _bust(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        trade_id = str(asked.pop("trade_id"))
        self._venue.bust(self._account(asked), trade_id, now)
        return {"trade_id": trade_id}

    def _pay(self, asked: dict[str, Any], now: int) -> dict[str, object]:
        try:
            amount = _whole(asked["amount"], 12)
            currency = str(asked["currency"])
        except (KeyError, ArithmeticError, ValueError):
            raise _bad("`currency` and `amount` must be there, the amount as a decimal") from None
        self._venue.pay(self._account(asked), currency, amount, now)
        return {"currency": currency, "amount": amount}

    def _account(self, asked: dict[str, Any]) -> int:
        name = str(asked.pop("account", next(iter(self._accounts))))
        if name not in self._accounts:
            known = ", ".join(self._accounts)
            raise _bad(f"`account` must be one of {known}; found {name[:40]!r}")
        return self._accounts[name]


def _whole(value: object, digits: int) -> int:
    """Units of a decimal number; of one that is too large, enough to be refused."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"a number must be finite; found {number}")
    return int(min(max(number.scaleb(digits), Decimal(-(10**30))), Decimal(10**30)))


def _bad(text: str) -> VenueError:
    return VenueError("bad_request", text)
