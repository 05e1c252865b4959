"""The guard in a lab: when it lets a fund trade, what makes it act, and what a person may ask."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from typing import Any

import pytest

from quantvista.errors import JournalError, OutputError
from quantvista.fund import GuardSection
from quantvista.journal import verify
from quantvista.trading.gateway import SubmitOrder
from quantvista.trading.guard import Firm, Guard, Level, Standing
from quantvista.trading.paper import Fault, MemoryStore
from support.gateway_worlds import CASH, MARGIN, PAIR
from support.guard_worlds import QUIET, Lab, in_lab, records


def section(**changes: Any) -> GuardSection:  # noqa: ANN401
    return QUIET.model_copy(update=dict(GuardSection.model_validate(changes)) | _FAST)


_FAST = {name: getattr(QUIET, name) for name in ("fence_s", "recheck_s", "slice_pause_s")}


async def begin(lab: Lab, *, busy: bool = True) -> None:
    await lab.start_guard()
    await lab.node.start(busy=busy)
    await lab.until(lambda: lab.lease.valid(lab.node.epoch, lab.world.clock.now_ns()), 20)


def is_leased(lab: Lab) -> bool:
    return lab.lease.valid(lab.node.epoch, lab.world.clock.now_ns())


async def ask(lab: Lab, command: str, by: str = "anna") -> dict[str, Any]:
    return await lab.guard.handle({"command": command, "by": by, "reason": "a test"})


def steps(lab: Lab) -> list[str]:
    return [
        f"{each['step']} {each['state']}"
        for each in lab.guard.log.state.steps
        if each["state"] != "waits"
    ]


def test_the_lease_is_renewed_while_all_is_well() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        for _ in range(20):
            await asyncio.sleep(0.5)
            assert is_leased(lab)
        assert lab.guard.level is Level.WATCH
        status = lab.guard.status()
        assert (status["level"], status["lease"], status["unknown"]) == ("watch", "given", [])
        assert {each["name"] for each in status["limits"]} >= {"drawdown", "heartbeat", "venue"}

    in_lab(test)


def test_a_lease_ends_with_the_guard() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await lab.kill_guard()
        await asyncio.sleep(5.1)
        assert not is_leased(lab)

    in_lab(test)


@pytest.mark.parametrize("what", ["node", "venue", "firm"])
def test_what_is_not_known_takes_the_lease_until_it_is_known_again(what: str) -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        match what:
            case "node":
                lab.node.deaf = True
            case "venue":
                await lab.world.fault(kind="disconnect", seconds="13")
            case "firm":
                lab.others.found = Firm(0, 0, ("other",))
        await asyncio.sleep(12)
        assert not is_leased(lab)
        assert lab.guard.level is Level.WATCH
        lab.node.deaf, lab.others.found = False, None
        await asyncio.sleep(5)
        assert is_leased(lab)

    in_lab(test)


def test_a_node_that_dies_is_fenced_and_its_orders_cancelled() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await lab.until(lambda: bool(lab.world.venue.snapshot(0).orders))
        await lab.node.kill()
        await lab.until(lambda: lab.guard.level is Level.HALT)
        await lab.until(lambda: lab.guard.chain.is_done)
        assert not lab.world.venue.snapshot(0).orders
        assert lab.guard.status()["trigger"] == "heartbeat"
        assert steps(lab) == ["fence begun", "fence done", "cancel begun", "cancel done"]

    in_lab(test)


def test_a_node_that_starts_again_in_time_goes_on() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await lab.node.kill()
        await asyncio.sleep(6)
        await lab.node.start()
        await asyncio.sleep(3)
        assert lab.node.epoch == 2
        assert is_leased(lab)
        assert lab.guard.level is Level.WATCH

    in_lab(test)


def test_a_node_that_does_not_confirm_is_killed_until_it_is_gone() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        lab.node.deaf = lab.node.slow_to_die = True
        assert (await ask(lab, "halt"))["ok"]
        await lab.until(lambda: lab.guard.chain.is_done)
        assert lab.node.task is None
        assert steps(lab)[:4] == ["fence begun", "kill begun", "kill done", "fence done"]
        assert not lab.world.venue.snapshot(0).orders

    in_lab(test)


def test_a_node_that_trades_although_it_must_not_is_fenced_again() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "halt")
        await lab.until(lambda: lab.guard.chain.is_done)
        await lab.node.kill()
        await lab.node.start(busy=False)
        lab.node.says_more = {"health": "trading"}
        lab.node.asked.clear()
        await lab.until(lambda: "halt" in lab.node.asked)
        assert not is_leased(lab)

    in_lab(test)


def test_a_venue_that_forgot_everything_halts_and_can_be_resumed() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(side="buy", quantity=1_000, kind="market", tif="ioc")
        await asyncio.sleep(2)
        lab.world.store = MemoryStore()
        await lab.world.crash()
        await lab.until(lambda: lab.guard.level is Level.HALT)
        assert lab.guard.status()["trigger"] == "venue_reset"
        await lab.until(lambda: lab.guard.chain.is_done and not lab.guard.status()["unknown"])
        assert (await ask(lab, "resume"))["ok"]
        await asyncio.sleep(3)
        assert is_leased(lab)

    in_lab(test, terms=MARGIN)


def test_what_appears_after_a_halt_is_cancelled_too() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "halt")
        await lab.until(lambda: lab.guard.chain.is_done)
        await lab.node.order(kind="limit", tif="gtc", limit_price=lab.bid - 10_000, side="buy")
        assert lab.world.venue.snapshot(0).orders
        await lab.until(lambda: not lab.world.venue.snapshot(0).orders)

    in_lab(test)


def test_nobody_resumes_while_something_is_cleared_again() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "halt")
        await lab.until(lambda: lab.guard.chain.is_done and not lab.guard.status()["unknown"])
        await lab.node.order(kind="limit", tif="gtc", limit_price=lab.bid - 10_000, side="buy")
        lab.world.faults.arm(Fault(kind="reject", on="cancel", reason="busy", count=None))
        await lab.until(lambda: not lab.guard.chain.is_done)
        answer = await ask(lab, "resume")
        assert "venue paper is clear" in answer["error"]
        lab.world.faults.clear()
        await lab.until(lambda: lab.guard.chain.is_done)
        assert (await ask(lab, "resume"))["ok"]

    in_lab(test)


def test_what_is_done_at_a_venue_is_given_up_where_the_node_trades() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(kind="limit", tif="gtc", limit_price=lab.bid - 10_000, side="buy")
        lab.world.faults.arm(Fault(kind="reject", on="cancel", reason="busy", count=None))
        await ask(lab, "halt")
        await lab.until(lambda: "cancel begun" in steps(lab))
        before = len(steps(lab))
        lab.node.says_more = {"health": "trading"}
        await lab.until(lambda: len(steps(lab)) > before + 3)
        assert steps(lab)[before : before + 3] == ["fence begun", "fence done", "cancel begun"]

    in_lab(test)


def test_reduce_is_confirmed_by_the_node_and_the_lease_goes_on() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        assert (await ask(lab, "reduce"))["level"] == "reduce"
        await lab.until(lambda: lab.guard.chain.is_done)
        await asyncio.sleep(3)
        assert (lab.node.state, is_leased(lab)) == ("reduce_only", True)

    in_lab(test)


def test_a_node_that_does_not_reduce_is_halted() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        lab.node.deaf = True
        await ask(lab, "reduce")
        await lab.until(lambda: lab.guard.level is Level.HALT)
        await lab.until(lambda: lab.guard.chain.is_done)
        assert lab.node.task is None

    in_lab(test)


def test_a_loss_takes_positions_off() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(side="buy", quantity=2_000, kind="market", tif="ioc")
        await asyncio.sleep(2)
        lab.bid -= 500_000
        await lab.until(lambda: lab.guard.level is Level.FLATTEN)
        assert lab.guard.status()["trigger"] == "drawdown"
        await lab.until(lambda: lab.guard.chain.is_done)
        assert not lab.world.venue.snapshot(0).positions
        verify(lab.disk)

    terms = section(drawdown={"limit": "0.002", "level": "flatten"}, dislocation=False)
    in_lab(test, section=terms, terms=MARGIN)


def test_resume_needs_a_person_and_a_clean_fund() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "halt")
        assert "wait until it is done" in (await ask(lab, "resume"))["error"]
        await lab.until(lambda: lab.guard.chain.is_done)
        for nobody in ("", "supervisor", "node"):
            assert "person" in (await ask(lab, "resume", by=nobody))["error"]
        lab.free = 10**6
        await asyncio.sleep(1.1)
        assert "1 MB are free" in (await ask(lab, "resume"))["error"]
        lab.free = 10**12
        await asyncio.sleep(1.1)
        assert (await ask(lab, "resume")) == {"ok": True, "level": "watch", "node": ""}
        assert (lab.node.state, is_leased(lab)) == ("active", True)

    in_lab(test)


def test_a_resume_that_is_not_durable_lets_nobody_trade() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await ask(lab, "halt")
        await lab.until(lambda: lab.guard.chain.is_done)
        lab.disk.fail_after(0)
        with pytest.raises((JournalError, OutputError)):
            await ask(lab, "resume")
        granted = lab.lease.grants
        with contextlib.suppress(BaseException):
            await lab.until(lambda: False, 2)  # it ends by what it cannot write
        assert lab.lease.grants == granted
        assert not is_leased(lab)

    in_lab(test)


def test_resume_says_what_the_node_has_against_it() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "halt")
        await lab.until(lambda: lab.guard.chain.is_done)
        lab.node.says_more = {"ok": False, "error": "it is not clean"}
        assert (await ask(lab, "resume"))["node"] == "it is not clean"

    in_lab(test)


def test_resume_begins_a_drawdown_anew_but_not_a_day() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(side="buy", quantity=3_000, kind="market", tif="ioc")
        await asyncio.sleep(2)
        lab.bid -= 1_500_000
        await lab.until(lambda: lab.guard.level is Level.HALT)
        await lab.until(lambda: lab.guard.chain.is_done)
        await asyncio.sleep(2)
        assert "day_loss" in (await ask(lab, "resume"))["error"]
        worth = lab.guard.watch.worth
        worth.day_start = worth.equity
        await asyncio.sleep(1.1)
        assert (await ask(lab, "resume"))["ok"]

    terms = section(drawdown={"limit": "0.005"}, day_loss={"limit": "0.005"}, dislocation=False)
    in_lab(test, section=terms, terms=MARGIN)


def test_an_order_that_was_left_is_obeyed_and_gone_after_resume() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        lab.halts.standing = Standing("halt", "anna", "nobody answered")
        await lab.until(lambda: lab.guard.chain.is_done and lab.guard.level is Level.HALT)
        assert lab.guard.status()["by"] == "anna"
        assert (await ask(lab, "resume"))["ok"]
        assert lab.halts.standing is None
        await asyncio.sleep(2)
        assert is_leased(lab)

    in_lab(test)


@pytest.mark.parametrize("command", ["halt", "flatten"])
def test_a_level_outlives_the_guard(command: str) -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await ask(lab, command)
        await lab.until(lambda: lab.guard.chain.is_done)
        epoch = lab.guard.log.state.epoch
        await lab.kill_guard()
        await lab.start_guard()
        assert lab.guard.level is Level[command.upper()]
        assert lab.guard.log.state.epoch == epoch + 1
        await lab.until(lambda: lab.guard.chain.is_done)
        await asyncio.sleep(3)
        assert not is_leased(lab)

    in_lab(test)


def test_losses_outlive_the_guard() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(side="buy", quantity=2_000, kind="market", tif="ioc")
        await asyncio.sleep(2)
        await lab.kill_guard()
        lab.bid -= 500_000
        await lab.start_guard()
        await lab.until(lambda: lab.guard.level is Level.HALT)
        assert lab.guard.status()["trigger"] == "drawdown"

    in_lab(test, section=section(drawdown={"limit": "0.002"}, dislocation=False), terms=MARGIN)


def test_keep_says_how_much_of_a_currency_stays() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await ask(lab, "flatten")
        await lab.until(lambda: lab.guard.chain.is_done)
        held = {each.currency: each.total for each in lab.world.venue.snapshot(0).balances}
        assert held["BTC"] == 9_990_000_000_000

    terms = section().model_copy(
        update={"keep": {"BTC": Decimal("9.99")}, "slice_max": Decimal(200)}
    )
    in_lab(test, section=terms)


def test_what_there_was_stays_though_flatten_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Guard, name: str) -> None:
        del name
        await asyncio.Event().wait()

    async def test(lab: Lab) -> None:
        await lab.start_guard()
        await lab.node.start(busy=False)
        await ask(lab, "flatten")
        await lab.until(lambda: lab.guard.chain.is_done, 20)
        held = {each.currency: each.total for each in lab.world.venue.snapshot(0).balances}
        assert held["BTC"] == 10 * 10**12
        assert lab.guard.log.state.began["paper"]["BTC"] == str(10 * 10**12)

    monkeypatch.setattr(Guard, "_poll", never)
    in_lab(test, section=section())


def test_slices_are_as_large_as_they_may_be() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.node.order(side="buy", quantity=1_000, kind="market", tif="ioc")
        await ask(lab, "flatten")
        await lab.until(lambda: lab.guard.chain.is_done)
        sent = [each for each in records(lab.disk) if type(each).__name__ == "Sent"]
        assert max(each.quantity for each in sent) <= 20  # 0.00020 are 10
        assert len(sent) >= 20

    terms = section().model_copy(update={"slice_max": Decimal(10)})
    in_lab(test, section=terms)


def test_a_drill_goes_through_everything() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        assert (await ask(lab, "drill"))["ok"]
        await lab.until(lambda: lab.guard.chain.is_done)
        sent = [each for each in records(lab.disk) if type(each).__name__ == "Sent"]
        assert [each.purpose for each in sent[:3]] == ["drill", "drill", "flatten"]
        assert "flatten done" in steps(lab)
        account = lab.world.venue.snapshot(0)
        assert (account.orders, account.positions) == ((), ())
        assert "resume it" in (await ask(lab, "drill"))["error"]
        assert (await ask(lab, "resume"))["ok"]

    in_lab(test)


def test_a_drill_gives_way_to_what_happens_in_earnest() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        await lab.world.fault(kind="drop", on="submit", count=1)  # its first order has no answer
        drill = asyncio.create_task(ask(lab, "drill"))
        await lab.until(lambda: any(type(each).__name__ == "Sent" for each in records(lab.disk)), 5)
        assert (await ask(lab, "flatten"))["ok"]
        refused = await drill
        assert not refused["ok"]
        assert "the guard went to flatten while the drill was being prepared" in refused["error"]
        await lab.until(lambda: lab.guard.chain.is_done)
        await asyncio.sleep(20)
        sent = [each for each in records(lab.disk) if type(each).__name__ == "Sent"]
        assert [each.purpose for each in sent] == ["drill"]
        account = lab.world.venue.snapshot(0)
        assert (account.orders, account.positions) == ((), ())

    in_lab(test)


def test_a_drill_that_ended_with_its_guard_leaves_no_order() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        hand = lab.guard.hands["paper"]
        listing = hand.view.listings[PAIR]
        await hand.send(hand.small(listing, "limit", "gtc", lab.bid // 2), 0, "drill")
        await lab.kill_guard()
        assert lab.world.venue.snapshot(0).orders
        await lab.start_guard()
        await lab.until(lambda: not lab.world.venue.snapshot(0).orders, 10)
        assert lab.guard.level is Level.WATCH

    in_lab(test)


def test_no_drill_where_money_is_real() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        lab.guard.terms = type(lab.guard.terms)("test", "USDT", "UTC", lab.section)
        assert "only held on paper" in (await ask(lab, "drill"))["error"]
        assert not [each for each in records(lab.disk) if type(each).__name__ == "Sent"]

    in_lab(test)


def test_commands_that_are_none_are_refused_and_written_down() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        assert "must be one of" in (await ask(lab, "dance"))["error"]
        asked = [each for each in records(lab.disk) if type(each).__name__ == "Asked"]
        assert [(each.command, bool(each.refused)) for each in asked] == [("dance", True)]

    in_lab(test)


def test_other_accounts_of_the_venue_are_left_alone() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab, busy=False)
        gateway = lab.world.gateway("other")
        await gateway.connect()
        order = SubmitOrder(
            client_order_id="other-1-000001",
            instrument=PAIR,
            side="buy",
            quantity=100,
            kind="limit",
            limit_price=4_000_000,
        )
        await gateway.submit(order)
        await ask(lab, "flatten")
        await lab.until(lambda: lab.guard.chain.is_done)
        assert len(await gateway.open_orders()) == 1

    in_lab(test, terms=CASH)
