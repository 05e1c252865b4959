"""Accounts: exact money, pages, precision, clocks, credentials."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from quantvista.trading.gateway import (
    Acknowledged,
    Busted,
    Filled,
    GatewayError,
    Rejected,
    Request,
)
from quantvista.trading.paper import Credentials, PaperGateway, VenueError, sign
from support.gateway_worlds import PAIR, SECRET, STOCK, Heard, PaperWorld, in_memory, order

type Run = Callable[..., None]


def test_balances_are_what_the_fills_say_to_the_last_digit(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        trades = [
            ("buy", 12_345, PAIR),
            ("sell", 7, PAIR),
            ("buy", 3, STOCK),
            ("sell", 1, STOCK),
            ("sell", 100_001, PAIR),
        ]
        for number, (side, quantity, instrument) in enumerate(trades, 1):
            await gateway.submit(order(side, quantity, number, instrument))
        listings = {each.instrument: each for each in await gateway.instruments()}
        money = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
        held = {STOCK: 0}
        for fill in (await gateway.fills()).fills:
            listed = listings[fill.instrument]
            traded = Decimal(fill.quantity).scaleb(-listed.quantity_precision)
            price = Decimal(fill.price).scaleb(-listed.price_precision)
            direction = 1 if fill.side == "buy" else -1
            money[listed.currency] -= direction * traded * price
            money[fill.fee_currency] -= Decimal(fill.fee).scaleb(-12)
            if listed.settlement == "exchange":
                money[listed.base] += direction * traded
            else:
                held[fill.instrument] += direction * fill.quantity
        snapshot = await gateway.account()
        found = {each.currency: Decimal(each.total).scaleb(-12) for each in snapshot.balances}
        assert found == money
        assert {each.instrument: each.quantity for each in snapshot.positions} == held

    run(test)


def test_fills_come_in_pages_without_gaps(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        for number in range(1, 8):
            await gateway.submit(order("buy", number, number))
        found: list[Filled] = []
        after = 0
        while True:
            page = await gateway.fills(after, limit=3)
            found += page.fills
            after = page.next
            if not page.more:
                break
        assert [each.quantity for each in found] == list(range(1, 8))
        empty = await gateway.fills(after)
        assert (empty.fills, empty.next, empty.more) == ((), after, False)
        # The mark is that of the reports, so that either may be gone on with.
        assert after == (await gateway.account()).sequence
        with pytest.raises(GatewayError, match="limit"):
            await gateway.fills(0, limit=10**6)

    run(test)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"instrument": STOCK, "quantity": 0}, "lot"),
        ({"quantity": -5}, "lot"),
        ({"quantity": 10**16}, "bad_request"),
        ({"quantity": 1.5}, "bad_request"),
        ({"quantity": True}, "bad_request"),
        ({"kind": "limit", "limit_price": -1}, "tick"),
        ({"kind": "limit", "limit_price": "1"}, "bad_request"),
        ({"quantity": 10**12}, "cash"),
    ],
    ids=["zero", "negative", "large", "fraction", "truth", "price", "text", "uncovered"],
)
def test_quantities_and_prices_are_whole_units(
    run: Run, terms: dict[str, object], reason: str
) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        whole = {"instrument": PAIR, "quantity": 1} | terms
        quantity: int = whole.pop("quantity")  # type: ignore[assignment]
        answer = await gateway.submit(order("buy", quantity, 1, **whole))  # type: ignore[arg-type]
        if isinstance(answer, Rejected):
            assert answer.reason == reason
        else:
            state = await gateway.order("test-1-000001")
            assert state is not None
            assert (state.status, state.reason) == ("rejected", reason)

    run(test)


def test_listings_say_how_fine_everything_is(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        stock, pair = await gateway.instruments()
        assert (stock.instrument, pair.instrument) == (STOCK, PAIR)
        assert (pair.price_precision, pair.quantity_precision) == (2, 5)
        assert (pair.tick_size, pair.lot_size, pair.base, pair.currency) == (1, 1, "BTC", "USDT")

    run(test)


def test_busted_trade_moves_everything_back(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        before = (await gateway.account()).balances
        for number, side in enumerate(("buy", "sell"), 1):
            await gateway.submit(order(side, 12_345, number))
            fill = await heard.until(Filled)
            await world.fault(kind="bust", trade_id=fill.trade_id)
            busted = await heard.until(Busted)
            assert (busted.trade_id, busted.quantity) == (fill.trade_id, 12_345)
            assert (await gateway.account()).balances == before
        page = await gateway.fills()
        assert page.busted == tuple(each.trade_id for each in page.fills)

    run(test)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "trade", "side": "buy", "instrument": PAIR, "quantity": "1e400"},
        {"kind": "trade", "side": "buy", "instrument": PAIR, "quantity": "nan"},
        {"kind": "trade", "side": "hold", "instrument": PAIR, "quantity": "1"},
        {"kind": "trade", "side": "buy", "instrument": PAIR},
        {"kind": "drop", "count": "many"},
        {"kind": "drop", "on": "report", "probability": 7},
        {"kind": "delay", "on": "report", "delay_ms": "inf"},
        {"kind": "fire"},
        {"kind": "bust", "trade_id": "99"},
        {"kind": "halt", "instrument": "NONE"},
        {"kind": "disconnect", "minutes": 1},
    ],
    ids=lambda asked: "-".join(str(each) for each in asked.values()),
)
def test_console_refuses_what_cannot_be(asked: dict[str, Any]) -> None:
    async def test(world: PaperWorld) -> None:
        with pytest.raises(VenueError):
            await world.fault(**asked)
        assert world.faults.armed == []
        assert world.faults.happened == {}
        gateway = await world.connect()
        assert isinstance(await gateway.submit(order("buy", 1, 1)), Acknowledged)

    in_memory(test)  # the console does not know of sockets


def test_trade_by_hand_shows_under_a_foreign_id(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await world.fault(kind="trade", side="buy", instrument=PAIR, quantity="0.5")
        fill = await heard.until(Filled)
        assert (fill.client_order_id, fill.quantity) == ("@manual-1", 50_000)

    run(test)


@pytest.mark.parametrize("offset_s", [-3_600, 3_600])
def test_clock_that_is_wrong_is_measured(run: Run, offset_s: int) -> None:
    class Wrong:
        def __init__(self, world: PaperWorld) -> None:
            self._clock = world.clock

        def now_ns(self) -> int:
            return self._clock.now_ns() + offset_s * 10**9

    async def test(world: PaperWorld) -> None:
        gateway = PaperGateway(
            world.transport(), "paper", Credentials("main", SECRET), Wrong(world), seed=9
        )
        world.gateways.append(gateway)
        await gateway.connect()
        assert abs(gateway.clock_offset_ns + offset_s * 10**9) < 200_000_000
        await gateway.submit(order("buy", 1, 1))
        assert len((await gateway.fills()).fills) == 1

    run(test)


@pytest.mark.parametrize("offset_s", [-3_600, 3_600])
def test_clock_that_is_set_while_connected_is_measured_again(run: Run, offset_s: int) -> None:
    class Set:
        offset_ns = 0

        def __init__(self, world: PaperWorld) -> None:
            self._clock = world.clock

        def now_ns(self) -> int:
            return self._clock.now_ns() + self.offset_ns

    async def test(world: PaperWorld) -> None:
        clock = Set(world)
        gateway = PaperGateway(
            world.transport(), "paper", Credentials("main", SECRET), clock, seed=9
        )
        world.gateways.append(gateway)
        await gateway.connect()
        clock.offset_ns = offset_s * 10**9
        with pytest.raises(GatewayError, match="stale_timestamp"):
            await gateway.account()
        assert (await gateway.account()).account == "main"

    run(test)


def test_wrong_credentials_are_refused_and_accounts_are_apart(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        wrong = PaperGateway(world.transport(), "paper", Credentials("main", "f" * 32), world.clock)
        world.gateways.append(wrong)
        with pytest.raises(GatewayError, match="bad_signature"):
            await wrong.connect()
        gateway = await world.connect()
        await gateway.submit(order("buy", 1, 1))
        other = world.gateway("other")
        await other.connect()
        assert await other.order("test-1-000001") is None
        assert (await other.account()).account == "other"
        assert (await other.fills()).fills == ()
        # The same id is another order of another account.
        await other.submit(order("buy", 1, 1))
        assert len((await other.fills()).fills) == 1

    run(test)


def test_request_that_is_sent_again_by_others_is_refused(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        await world.connect()
        transport = world.transport()
        credentials = Credentials("main", SECRET)
        now = world.clock.now_ns()

        async def code(request: Request) -> str:
            whole = Request(
                request.method, "/paper" + request.target, request.headers, request.body
            )
            response = await transport.request(whole)
            return "" if response.status == 200 else response.body.decode().split('"')[5]

        asked = Request("GET", "/v1/account")
        signed = sign(credentials, asked, now, "one")
        assert await code(signed) == ""
        assert await code(signed) == "nonce_reused"
        altered = Request("GET", "/v1/orders", signed.headers)
        assert await code(altered) == "bad_signature"
        early = now - 2 * world.terms.window_ns
        assert await code(sign(credentials, asked, early, "two")) == "stale_timestamp"
        assert await code(asked) == "unsigned"
        assert await code(sign(Credentials("nobody", SECRET), asked, now, "x")) == "unknown_key"
        status = sign(credentials, Request("GET", "/admin/status"), now, "three")
        assert await code(status) == "not_admin"
        await transport.close()

    run(test)
