"""What ``qv paper`` does and says."""

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from quantvista.cli._print import NONE, next_steps, print_json, say, table
from quantvista.errors import ConfigError, QuantVistaError
from quantvista.trading.gateway import Request, Response, TransportError
from quantvista.trading.gateway.http import HttpTransport, SystemClock
from quantvista.trading.paper import Credentials, sign
from quantvista.trading.paper.serving import Served, read_place
from quantvista.trading.paper.serving import serve as serve_until_stopped

__all__ = ["cause_fault", "make_key", "pay_money", "serve_venues", "show_status"]

_TIMEOUT_S = 10


class PaperError(QuantVistaError, RuntimeError):
    """A venue did not do what it was asked for."""


def serve_venues(config: Path | None, port: int | None, *, as_json: bool) -> None:
    """Serve until Ctrl-C."""
    served = read_place(config)

    def said(url: str) -> None:
        venues = {
            each.id: {"url": f"{url}/{each.id}", "accounts": sorted(each.accounts)}
            for each in served.config.venue
        }
        if as_json:
            say(json.dumps({"url": url, "folder": str(served.folder), "venues": venues}))
            sys.stdout.flush()
            return
        for name, each in venues.items():
            say(f"venue {name} at {each['url']}, accounts {', '.join(each['accounts'])}")
        say(f"everything is kept in {served.folder}; Ctrl-C stops")
        next_steps(["qv paper key", "qv paper status", "qv paper fault --help"])
        sys.stdout.flush()

    serve_until_stopped(served, port, said)
    if not as_json:
        say("stopped; all is written")


def make_key(config: Path | None, venue: str | None, account: str | None, *, as_json: bool) -> None:
    """Make a key and print its secret."""
    served = read_place(config)
    name = _venue(served, venue)
    accounts = sorted(next(each.accounts for each in served.config.venue if each.id == name))
    of = account or accounts[0]
    if of not in accounts:
        raise ConfigError(f"`--account` must be one of {', '.join(accounts)}; found {of}")
    key = served.keys.make(name, of)
    if as_json:
        print_json({"venue": name, "account": of, "key": key.key, "secret": key.secret})
        return
    say(f"key     {key.key}")
    say(f"secret  {key.secret}")
    say(f"of account {of} at venue {name}; kept in {served.folder / 'keys.json'}")


def show_status(config: Path | None, venue: str | None, *, as_json: bool) -> None:
    """Print how a venue stands."""
    served = read_place(config)
    found = _ask(served, _venue(served, venue), "GET", "/admin/status")
    if as_json:
        print_json(found)
        return
    say(f"venue {found['venue']} at {served.url}")
    precision = {each["instrument"]: each for each in found["instruments"]}
    for name, account in found["accounts"].items():
        say(f"\naccount {name}, {account['sequence']} reports")
        rows = [
            (each["currency"], f"{Decimal(each['total']).scaleb(-12):,f}")
            for each in account["balances"]
        ]
        rows += [
            (each["instrument"], _units(each["quantity"], precision, each["instrument"]))
            for each in account["positions"]
        ]
        table(("holds", "amount"), rows)
        if account["orders"]:
            table(
                ("order", "instrument", "side", "quantity", "filled", "price"),
                [_order_row(each, precision) for each in account["orders"]],
            )
    halted = [each["instrument"] for each in found["instruments"] if each["halted"]]
    say(f"\nhalted: {', '.join(halted) or 'none'}")
    waiting = [f"{each['kind']} on {each['on']}" for each in found["faults"]["armed"]]
    say(f"faults that wait: {', '.join(waiting) or 'none'}")


def _order_row(order: Mapping[str, Any], precision: Mapping[str, Any]) -> tuple[str, ...]:
    name = order["instrument"]
    price = order["limit_price"]
    digits = precision[name]["price_precision"]
    return (
        order["client_order_id"],
        name,
        order["side"],
        _units(order["quantity"], precision, name),
        _units(order["filled"], precision, name),
        NONE if price is None else f"{Decimal(price).scaleb(-digits):,f}",
    )


def _units(quantity: int, precision: Mapping[str, Any], instrument: str) -> str:
    digits = precision[instrument]["quantity_precision"]
    return f"{Decimal(quantity).scaleb(-digits):,f}"


def cause_fault(
    config: Path | None,
    venue: str | None,
    kind: str,
    terms: Sequence[str],
    on: str | None,
    count: int | None,
    *,
    as_json: bool,
) -> None:
    """Let something go wrong."""
    served = read_place(config)
    name = _venue(served, venue)
    if kind == "clear":
        found = _ask(served, name, "DELETE", "/admin/faults")
    else:
        asked: dict[str, Any] = {"kind": kind}
        for each in terms:
            key, equals, value = each.partition("=")
            if not equals:
                raise ConfigError(f"`--terms` must be NAME=VALUE; found {each!r}")
            asked[key] = value
        if on is not None:
            asked["on"] = on
        if count is not None:
            asked["count"] = count or None
        found = _ask(served, name, "POST", "/admin/faults", json.dumps(asked).encode())
    if as_json:
        print_json(found)
    elif kind == "clear":
        say("no faults wait any more")
    else:
        rest = ", ".join(f"{key} {_told(value)}" for key, value in found.items() if key != "kind")
        say(f"{kind}: {rest}")


def pay_money(
    config: Path | None,
    venue: str | None,
    account: str | None,
    money: tuple[str, str],
    *,
    is_out: bool,
    as_json: bool,
) -> None:
    """Pay an amount of a currency in, or take it out."""
    amount, currency = money
    try:
        number = Decimal(amount)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and number > 0):
        raise ConfigError(f"`amount` must be a number above 0; found {amount!r}")
    asked = {"currency": currency, "amount": f"{-number if is_out else number:f}"}
    if account is not None:
        asked["account"] = account
    served = read_place(config)
    name = _venue(served, venue)
    found = _ask(served, name, "POST", "/admin/pay", json.dumps(asked).encode())
    if as_json:
        print_json(found)
    else:
        way = "taken out" if is_out else "paid in"
        say(f"{number:f} {currency} {way} at {name}")


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{value['client_order_id']} {value['status']}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "always" if value is None else str(value)


def _venue(served: Served, name: str | None) -> str:
    known = [each.id for each in served.config.venue]
    if name is None:
        return known[0]
    if name not in known:
        raise ConfigError(f"`--venue` must be one of {', '.join(known)}; found {name}")
    return name


def _ask(served: Served, venue: str, method: str, target: str, body: bytes = b"") -> dict[str, Any]:
    key = served.keys.console(venue)
    if key is None:
        raise ConfigError(f"`folder` must be that of a server; found no keys in {served.folder}")
    request = sign(
        Credentials(key.key, key.secret),
        Request(method, target, {}, body),
        SystemClock().now_ns(),
        secrets.token_hex(8),
    )
    whole = Request(method, f"/{venue}{target}", request.headers, body)
    try:
        response = asyncio.run(_send(served.url, whole))
    except (TransportError, TimeoutError):
        raise PaperError(f"no venue answers at {served.url}; start it: qv paper serve") from None
    found: dict[str, Any] = json.loads(response.body)
    if response.status != 200:
        raise PaperError(f"{found['error']['code']}: {found['error']['text']}")
    return found


async def _send(url: str, request: Request) -> Response:
    transport = HttpTransport(url)
    try:
        return await asyncio.wait_for(transport.request(request), _TIMEOUT_S)
    finally:
        await transport.close()
