"""Each trigger at, below and above its threshold; what is not known; what is switched off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from quantvista.fund import GuardSection
from quantvista.trading.gateway import (
    Accepted,
    BalanceChanged,
    Delivery,
    Filled,
    Rejected,
    Status,
)
from quantvista.trading.guard import Firm, Level
from support.guard_bench import E12, PAIR, PERPETUAL, Bench


@pytest.mark.parametrize(("money", "expected"), [(901, False), (900, False), (899.99, True)])
def test_drawdown_counts_from_the_highest(money: float, expected: bool) -> None:
    bench = Bench(drawdown={"limit": "0.1", "level": "flatten"})
    bench.value(0)
    bench.account(1, USDT=money)
    bench.value(1)
    found = bench.check(1)["drawdown"]
    assert (found.is_above, found.level) == (expected, Level.FLATTEN)


@pytest.mark.parametrize(("money", "expected"), [(951, False), (950, False), (949.99, True)])
def test_loss_of_a_day_begins_anew_with_the_day(money: float, expected: bool) -> None:
    bench = Bench(day_loss={"limit": "0.05"})
    bench.value(0)
    bench.account(1, USDT=money)
    bench.value(1)
    assert ("day_loss" in bench.above(1)) is expected
    bench.value(2, day="2")
    assert not bench.above(2)


def test_money_that_is_taken_out_is_no_loss() -> None:
    bench = Bench(drawdown={"limit": "0.1"}, day_loss={"limit": "0.1"})
    bench.value(0)
    bench.report(BalanceChanged(currency="USDT", amount=-500 * E12, cause="withdrawal", ts=1), 1)
    flows = bench.account(1, USDT=500)
    assert flows == [("USDT", -500 * E12)]
    bench.value(1, flows)
    assert not bench.above(1)
    assert (bench.watch.worth.highest, bench.watch.worth.day_start) == (500 * E12, 500 * E12)


def test_funding_that_is_paid_is_a_loss() -> None:
    bench = Bench(drawdown={"limit": "0.1"})
    bench.value(0)
    bench.report(BalanceChanged(currency="USDT", amount=-500 * E12, cause="funding", ts=1), 1)
    bench.value(1, bench.account(1, USDT=500))
    assert bench.above(1) == {"drawdown"}


@pytest.mark.parametrize(
    ("path", "open_profit"),
    [
        ([("buy", 2000, 10_000)], 20),
        ([("buy", 2000, 10_000), ("sell", 1000, 10_500)], 10),
        ([("sell", 2000, 10_000)], -20),
        ([("buy", 1000, 10_000), ("sell", 3000, 10_500)], -10),
        ([("buy", 1000, 10_000), ("sell", 1000, 10_500)], 0),
    ],
)
def test_what_is_open_is_worth_what_it_gained(
    path: list[tuple[Any, int, int]], open_profit: int
) -> None:
    bench = Bench()
    held = 0
    for number, (side, quantity, price) in enumerate(path):
        held += quantity if side == "buy" else -quantity
        bench.report(
            Filled(
                client_order_id="f-1-000001",
                venue_order_id="1",
                trade_id=str(number),
                instrument=PERPETUAL,
                side=side,
                quantity=quantity,
                price=price,
                fee=0,
                fee_currency="USDT",
                liquidity="taker",
                ts=1,
            )
        )
    bench.quote(0, 10_900, 11_100)  # 110.00; 1,000 units are one
    if open_profit == -10:
        bench.quote(0, 11_000)  # -2 held at 105.00
    bench.account(0, position=held, USDT=1000)
    bench.value(0)
    expected = {20: 1020, 10: 1010, -20: 980, -10: 990, 0: 1000}[open_profit]
    assert bench.watch.worth.equity == expected * E12


@pytest.mark.parametrize(("refused", "expected"), [(4, False), (5, False), (6, True)])
def test_rejects_in_a_window(refused: int, expected: bool) -> None:
    bench = Bench(rejects={"count": 5, "window_s": 10})
    for number in range(refused):
        bench.report(Rejected(client_order_id=f"f-1-{number}", reason="x", text="", ts=1))
    bench.take(1)
    assert ("rejects" in bench.above(1)) is expected
    assert "rejects" not in bench.above(11)


def test_rejects_that_only_the_node_knows_count_and_our_own_do_not() -> None:
    bench = Bench(rejects={"count": 5, "window_s": 10})
    bench.report(Rejected(client_order_id="f.guard-1-000001", reason="x", text="", ts=1))
    for at, count in ((1, 100), (2, 106), (3, 2)):
        bench.say(at, counts={"rejects": count})
        bench.take(at)
    assert bench.watch._rejects[0].total(3) == 0
    assert bench.check(3)["rejects"].used == 8  # 6, and 2 of a node that began anew


@pytest.mark.parametrize(("count", "expected"), [(2, False), (3, False), (4, True)])
def test_orders_that_run_away(count: int, expected: bool) -> None:
    bench = Bench(orders={"count": 3, "window_s": 10, "open_max": 3})
    for number in range(count):
        name = f"f-1-{number:06d}"
        bench.report(Accepted(client_order_id=name, venue_order_id="1", instrument=PERPETUAL, ts=1))
    bench.account(1, orders=count, USDT=1000)
    bench.take(1)
    assert bench.above(1) == ({"orders", "open_orders"} if expected else set())


def test_what_happened_while_the_guard_was_away_does_not_run_away() -> None:
    """A new state folder, or a day without a guard: all reports of the account come at once."""
    bench = Bench(
        orders={"count": 3, "window_s": 10, "open_max": 100},
        rejects={"count": 3, "window_s": 10},
        messages={"count": 3, "window_s": 10},
    )
    for number in range(50):
        event = Rejected(client_order_id=f"f-1-{number:06d}", reason="x", text="", ts=1)
        bench.report(event, received=61_000_000_002 if number < 47 else 60_000_000_001)
    bench.take(1)
    assert bench.above(1) == set()
    assert bench.check(1)["rejects"].used == 3


@pytest.mark.parametrize(("megabytes", "expected"), [(6, False), (7, False), (8, True)])
def test_messages_and_journal_that_run_away(megabytes: int, expected: bool) -> None:
    bench = Bench(messages={"count": 7, "window_s": 10, "journal_mb": 7})
    for _ in range(megabytes):
        bench.report(BalanceChanged(currency="USDT", amount=1, cause="interest", ts=1))
    for at, size in ((0, 50), (1, 50 + megabytes)):
        bench.say(at, journal={"sequence": at, "bytes": size * 10**6})
        bench.take(at)
    assert bench.above(1) == ({"messages", "journal_growth"} if expected else set())


@pytest.mark.parametrize(("age", "expected"), [(9.0, False), (10.0, False), (10.1, True)])
def test_prices_of_what_is_held_get_stale(age: float, expected: bool) -> None:
    bench = Bench(stale={"after_s": 10})
    bench.quote(0, 10_000)
    bench.quote(0, 10_000, name=PAIR)
    bench.account(0, position=1, USDT=1000)
    assert ("stale" in bench.above(age)) is expected
    assert "stale" not in bench.check(age, open_for_s=None)
    assert not bench.check(age, open_for_s=5)["stale"].is_above, "it has just opened"
    bench.account(0, USDT=1000)
    assert "stale" not in bench.above(age), "nothing is held"


def test_a_halted_instrument_is_not_stale() -> None:
    bench = Bench(stale={"after_s": 10})
    bench.account(0, position=1, USDT=1000)
    assert bench.above(11) == {"stale"}
    state = Status(state="halted", ts=1, instrument=PERPETUAL)
    bench.view.hear(Delivery(sequence=None, ts_received=1, event=state), 11)
    assert not bench.above(11)


@pytest.mark.parametrize(("to", "expected"), [(10_900, False), (11_000, False), (11_001, True)])
def test_a_price_that_jumps(to: int, expected: bool) -> None:
    bench = Bench(dislocation={"limit": "0.1", "window_s": 5})
    bench.account(0, position=1, USDT=1000)
    for at, price in ((0, 10_000), (1, to), (2, to)):
        bench.quote(at, price)
        bench.take(at)
    assert ("dislocation" in bench.above(2)) is expected
    for at in (7, 8):
        bench.take(at)
    assert not bench.above(8), "it has been there for longer than the window"


def test_the_node_values_at_another_price() -> None:
    bench = Bench(dislocation={"limit": "0.1", "window_s": 5})
    bench.quote(0, 10_000)
    for mark, expected in (("110.00", set()), ("110.01", {"dislocation"})):
        row = {"instrument": PERPETUAL, "quantity": "1", "mark": mark}
        bench.say(0, positions=[row])
        assert bench.above(0) == expected


@pytest.mark.parametrize(("silent", "expected"), [(9, False), (10, False), (10.1, True)])
def test_a_node_that_does_not_answer(silent: float, expected: bool) -> None:
    bench = Bench(heartbeat={"after_s": 10})
    assert ("heartbeat" in bench.above(silent)) is expected
    bench.node.heard_at = None
    assert not bench.above(60), "it has a minute to begin"
    assert bench.above(61) == {"heartbeat"}


@pytest.mark.parametrize(("silent", "expected"), [(9, False), (10, False), (10.1, True)])
def test_a_journal_that_does_not_grow_while_it_trades(silent: float, expected: bool) -> None:
    bench = Bench(journal={"after_s": 10, "level": "halt"})
    bench.say(0, journal={"sequence": 7, "bytes": 1})
    bench.say(silent, journal={"sequence": 7, "bytes": 1})
    assert ("journal" in bench.above(silent)) is expected
    bench.say(silent, journal={"sequence": 7, "bytes": 1}, health="halted")
    assert not bench.above(silent)


@pytest.mark.parametrize(("silent", "expected"), [(9, False), (10, False), (10.1, True)])
def test_a_venue_that_does_not_answer(silent: float, expected: bool) -> None:
    bench = Bench(venue={"after_s": 10})
    assert ("venue" in bench.above(silent)) is expected


@pytest.mark.parametrize(("off", "expected"), [(1.9, False), (2.0, False), (-2.1, True)])
@pytest.mark.parametrize("whose", ["node", "venue"])
def test_a_clock_that_is_wrong(whose: str, off: float, expected: bool) -> None:
    bench = Bench(clock={"after_s": 2})
    if whose == "node":
        bench.say(0, now=10**18 + int(off * 1e9), now_ns=10**18)
    else:
        bench.view.offset_ns = int(off * 1e9)
    assert ("clock" in bench.above(0)) is expected


@pytest.mark.parametrize(("free", "expected"), [(101, False), (100, False), (99, True)])
def test_a_disk_that_is_nearly_full(free: int, expected: bool) -> None:
    bench = Bench(disk={"free_mb": 100})
    bench.watch.disk_free = free * 10**6
    assert ("disk" in bench.above(0)) is expected


@pytest.mark.parametrize(("lasts", "expected"), [(9, False), (10, False), (11, True)])
def test_positions_that_differ_for_long(lasts: int, expected: bool) -> None:
    bench = Bench(reconciliation={"after_s": 10})
    bench.account(0, position=2, USDT=1000)
    bench.say(0, positions=[{"instrument": PERPETUAL, "quantity": "0.001"}])
    for at in range(lasts + 1):
        bench.take(at)
    assert ("reconciliation" in bench.above(lasts)) is expected
    rows = [{"instrument": PERPETUAL, "quantity": "0.001"}] * 2  # of two sleeves
    bench.say(lasts, positions=rows)
    bench.take(lasts)
    assert not bench.above(lasts)


@pytest.mark.parametrize(("moved", "expected"), [(0.9, False), (1, False), (1.1, True)])
def test_money_that_differs_from_what_it_was_beside(moved: float, expected: bool) -> None:
    bench = Bench(reconciliation={"after_s": 10, "tolerance": "0.001"})
    bench.say(0, balances=[{"currency": "USDT", "amount": "600"}])  # 400 are not the fund's
    bench.value(0)
    bench.take(0)
    bench.account(0, USDT=1000 - moved)
    for at in (1, 12):
        bench.take(at)
    assert ("reconciliation" in bench.above(12)) is expected


def fill(bench: Bench, number: int, at: float, name: str = PERPETUAL) -> None:
    bench.report(
        Filled(
            client_order_id="f-1-000001",
            venue_order_id="1",
            trade_id=str(number),
            instrument=name,
            side="buy",
            quantity=1000,
            price=10_000,
            fee=0,
            fee_currency="USDT",
            liquidity="taker",
            ts=1,
        ),
        at,
    )


def test_a_node_that_trades_all_the_time_agrees_as_of_when_it_was_asked() -> None:
    """What it said a second ago is what there was a second ago."""
    bench = Bench(reconciliation={"after_s": 10})
    bench.quote(0, 10_000)
    bench.quote(0, 10_000, name=PAIR)
    bench.value(0)
    for second in range(1, 40):
        bench.say(
            second,
            positions=[{"instrument": PERPETUAL, "quantity": str(second - 1)}],
            balances=[
                {"currency": "USDT", "amount": str(10_000 - 100 * (second - 1))},
                {"currency": "BTC", "amount": str(second - 1)},
            ],
        )
        fill(bench, 2 * second, second)
        fill(bench, 2 * second + 1, second, PAIR)
        bench.account(second, position=1000 * second, USDT=10_000 - 100 * second, BTC=float(second))
        bench.value(second)
        bench.take(second)
        assert not bench.above(second)
    for second in range(40, 62):  # it stays where it was a long time ago
        bench.account(second, position=39_000, USDT=6_100, BTC=39.0)
        bench.take(second)
    assert bench.above(61) == {"reconciliation"}
    names = bench.check(61)["reconciliation"].text
    assert all(name in names for name in ("USDT", "BTC", PERPETUAL))


def test_a_venue_that_forgot() -> None:
    bench = Bench(reconciliation={"after_s": 10})
    bench.view.hear(Delivery(sequence=None, ts_received=1, event=Status(state="reset", ts=1)), 0)
    bench.take(0)
    assert bench.above(0) == {"venue_reset"}
    bench.watch.restart()
    assert not bench.above(0)


@pytest.mark.parametrize(("others", "expected"), [(499, False), (500, False), (501, True)])
def test_limits_over_several_funds(others: int, expected: bool) -> None:
    bench = Bench(firm={"gross_max": 600, "day_loss_max": 500, "level": "flatten"})
    bench.quote(0, 10_000)
    bench.account(0, position=1000, USDT=1000)  # one, at 100.00
    bench.value(0)
    bench.watch.firm = Firm(others * E12, -others * E12)
    assert bench.above(0) == ({"firm_gross", "firm_day_loss"} if expected else set())
    assert not expected or bench.check(0)["firm_gross"].level is Level.FLATTEN


def test_what_is_switched_off_is_not_watched() -> None:
    bench = Bench()
    bench.value(0)
    bench.watch.disk_free = 0
    bench.account(0, USDT=1)
    bench.value(1)
    assert bench.check(10_000) == {}


def test_what_is_not_known_for_long_takes_the_permission() -> None:
    bench = Bench(unknown_s=5)
    names = ("node", "venue", "account")
    assert bench.watch.unknown(0, bench.node, [bench.view]) == [
        "what the account is worth is not known"
    ]
    bench.value(0)
    assert not bench.watch.unknown(5, bench.node, [bench.view])
    found = bench.watch.unknown(5.1, bench.node, [bench.view])
    assert [any(name in text for text in found) for name in names] == [True] * 3
    bench.watch.firm = Firm(0, 0, ("other",))
    found = bench.watch.unknown(0, bench.node, [bench.view])
    assert found == ["fund other of the firm does not answer"]


def test_a_position_without_a_price_is_not_known() -> None:
    bench = Bench()
    bench.value(0)
    bench.account(9, position=1, USDT=1000)
    bench.say(9)
    bench.value(9)
    assert bench.watch.unknown(9, bench.node, [bench.view])
    bench.quote(9, 10_000)
    bench.value(9)
    assert not bench.watch.unknown(9, bench.node, [bench.view])


def test_an_account_is_valued_only_with_the_fills_that_it_has() -> None:
    bench = Bench()
    bench.quote(0, 10_000)
    bench.value(0)
    bench.heard = 1  # the account is after a fill that was not heard yet
    bench.account(1, position=1000, USDT=999)
    bench.value(1)
    assert bench.watch.worth.equity == 1000 * E12
    assert bench.watch.worth.valued_at == 0


def test_other_money_is_worth_what_its_pair_says() -> None:
    bench = Bench()
    bench.account(0, USDT=1000, BTC=2)
    bench.value(0)
    assert bench.watch.worth.equity is None
    bench.quote(0, 10_000, 10_100, name=PAIR)
    bench.value(0)
    assert bench.watch.worth.equity == 1201 * E12
    assert bench.watch.gross == 201 * E12
    bench.began["x"] = {"BTC": 2 * E12}
    bench.value(0)
    assert bench.watch.gross == 0


def test_thresholds_are_read_from_a_file() -> None:
    section = GuardSection.model_validate({"drawdown": False, "slice_band": False})
    assert (section.drawdown, section.slice_band) == (None, None)
    assert GuardSection().drawdown is not None
    assert GuardSection(keep={"BTC": Decimal(1)}).keep == {"BTC": Decimal(1)}


def test_an_account_older_than_the_last_report_is_valued_as_of_its_own() -> None:
    bench = Bench()
    bench.quote(0, 10_000)
    fill(bench, 1, 0)
    bench.account(1, position=1000, USDT=1000)  # it was read before the next fill
    bench.heard = 1
    fill(bench, 2, 1)
    bench.heard = 1
    bench.quote(1, 11_000)
    bench.account(2, position=1000, USDT=1000)
    bench.value(2)
    assert (bench.watch.worth.equity, bench.watch.worth.valued_at) == (1010 * E12, 2)
