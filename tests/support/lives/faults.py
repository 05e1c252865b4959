"""What goes wrong, by name; each is begun at some moment, and some of it ends by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

from quantvista.trading.guard import Standing
from quantvista.trading.paper import MemoryStore, VenueError
from support.gateway_worlds import PAIR
from support.lives.guarding import FIRM_MAX
from support.lives.world import World

__all__ = ["FAULTS", "GUARD_ONLY", "NEEDS", "NODE_ONLY", "OFTEN"]

type Strike = Callable[[World], Awaitable[None]]

_ARMED: dict[str, dict[str, object]] = {
    "lost order": {"kind": "drop", "on": "submit", "probability": 0.3},
    "order twice": {"kind": "duplicate", "on": "submit", "probability": 0.3},
    "late answer": {"kind": "delay", "on": "answer", "delay_ns": 300_000_000, "probability": 0.3},
    "lost answer": {"kind": "drop", "on": "answer", "probability": 0.3},
    "error after an order": {"kind": "error", "on": "submit", "probability": 0.3},
    "reject storm": {"kind": "reject", "on": "submit", "reason": "busy"},
    "lost cancel": {"kind": "drop", "on": "cancel", "probability": 0.4},
    "cancel refused": {"kind": "reject", "on": "cancel", "reason": "busy", "probability": 0.5},
    "error after a cancel": {"kind": "error", "on": "cancel", "probability": 0.4},
    "lost question": {"kind": "drop", "on": "query", "probability": 0.4},
    "error to a question": {"kind": "error", "on": "query", "probability": 0.4},
    "lie: unknown": {"kind": "lie", "on": "query", "status": "unknown", "probability": 0.5},
    "lie: cancelled": {"kind": "lie", "on": "query", "status": "cancelled", "probability": 0.5},
    "lie: accepted": {"kind": "lie", "on": "query", "status": "accepted", "probability": 0.5},
    "lost report": {"kind": "drop", "on": "report", "probability": 0.2},
    "late report": {
        "kind": "delay",
        "on": "report",
        "delay_ns": 400_000_000,
        "probability": 0.2,
    },
    "report twice": {"kind": "duplicate", "on": "report", "probability": 0.3},
    "reports out of order": {"kind": "reorder", "on": "report", "probability": 0.3},
    "lost market data": {"kind": "drop", "on": "market", "probability": 0.3},
    "market data twice": {"kind": "duplicate", "on": "market", "probability": 0.3},
    "market data out of order": {"kind": "reorder", "on": "market", "probability": 0.3},
}


def _arming(name: str) -> Strike:
    terms = _ARMED[name]

    async def strike(world: World) -> None:
        count = world.random.choice((1, 5, 50, None))
        world.lied |= terms["kind"] == "lie"
        world.arm(count=count, **terms)

    return strike


# -- the process and its disk ------------------------------------------------------------
async def _kill(world: World) -> None:
    await world.kill()


async def _kill_in_turn(world: World) -> None:
    world.journal.countdown = world.random.randrange(60)


async def _disk_fails(world: World) -> None:
    world.fail_disk(world.random.randrange(25))


async def _kill_before_sending(world: World) -> None:
    world.line.kill_at = "before"


async def _kill_after_sending(world: World) -> None:
    world.line.kill_at = "after"


async def _by_guard(world: World) -> None:
    world.guard.node.deaf = True
    await world.guard.ask("halt")


async def _clock(world: World) -> None:
    world.clock.offset_ns += world.random.choice((-20, -3, -1, 1, 3, 20)) * 10**9


# -- the network -----------------------------------------------------------------------------
async def _late(world: World) -> None:
    world.network.late = world.random.choice((0.1, 0.5))
    world.network.late_s = world.random.choice((0.1, 0.28, 0.6))


async def _hole(world: World) -> None:
    world.network.hole_until = world.loop_ns() + int(world.random.choice((0.1, 1, 4)) * 10**9)


async def _cut(world: World) -> None:
    seconds = world.random.choice((0, 0, 0.5, 3, 10))
    await world.paper.fault(kind="disconnect", seconds=seconds)


async def _cut_long(world: World) -> None:
    seconds = world.random.choice((300, 3_600)) if world.random.random() < 0.05 else 60
    await world.paper.fault(kind="disconnect", seconds=seconds)


def _spoiling(what: str) -> Strike:
    async def strike(world: World) -> None:
        world.network.spoilt = what

    return strike


def _answering(what: str) -> Strike:
    async def strike(world: World) -> None:
        world.network.answers = what

    return strike


# -- the venue ---------------------------------------------------------------------------------
async def _crash(world: World) -> None:
    await world.paper.crash()


async def _crash_for_long(world: World) -> None:
    await world.paper.crash()
    await world.paper.fault(kind="disconnect", seconds=world.random.choice((1, 5, 20)))


async def _forget(world: World) -> None:
    is_set_back = world.random.random() < 0.6
    await world.forget(world.backup if is_set_back and world.backup else MemoryStore())


async def _venue_clock(world: World) -> None:
    world.venue_clock.offset_ns += world.random.choice((-3, -1, 1, 3)) * 10**9


async def _halt(world: World) -> None:
    await world.paper.fault(kind="halt")


async def _by_hand(world: World) -> None:
    world.guard.watch.disturbed()
    side = world.random.choice(("buy", "sell"))
    quantity = str(Decimal(world.random.randrange(1, 30_000)).scaleb(-5))
    await world.paper.fault(
        kind="trade", account="main", instrument=PAIR, side=side, quantity=quantity
    )


async def _bust(world: World) -> None:
    world.guard.watch.disturbed()
    world.ledger.at(world.paper.venue.sequence(0))
    left = [
        each
        for each, trade in world.ledger.trades.items()
        if each not in world.ledger.busted and trade["instrument"] == PAIR
    ]
    if left:
        try:
            trade = world.random.choice(left[-50:])
            await world.paper.fault(kind="bust", account="main", trade_id=trade)
        except VenueError as error:
            if error.code != "gone":  # what it brought was sold: that cannot be undone
                raise


async def _pay(world: World) -> None:
    amount = world.random.choice((-50, 100, 5_000)) * 10**12
    if not world.watch.sent or world.forgot_at is not None:
        # An engine takes no money out before it knows the price of each currency that is held; a
        # venue that forgot has none either.
        amount = abs(amount)
    world.paper.venue.pay(0, "USDT", amount, world.venue_clock.now_ns())


# -- people -----------------------------------------------------------------------------------
def _commanding(command: str) -> Strike:
    async def strike(world: World) -> None:
        await world.ask(command)

    return strike


async def _lease(world: World) -> None:
    world.lease.hide(True)


# -- the guard ----------------------------------------------------------------------------------
async def _guard_killed(world: World) -> None:
    await world.guard.kill()


async def _guard_killed_in_turn(world: World) -> None:
    world.guard.die_within(world.random.randrange(12))


async def _guard_stopped(world: World) -> None:
    await world.guard.stop()


async def _guard_disk_fails(world: World) -> None:
    world.guard.fail_disk(world.random.randrange(8))


async def _guard_late(world: World) -> None:
    network = world.guard.network
    network.late, network.late_s = world.random.choice((0.1, 0.5)), 0.28


async def _guard_hole(world: World) -> None:
    seconds = world.random.choice((0.5, 3, 7))
    world.guard.network.hole_until = world.loop_ns() + int(seconds * 10**9)


async def _guard_spoilt(world: World) -> None:
    world.guard.network.spoilt = world.random.choice(("garbage", "stale", "malformed"))


async def _guard_answered(world: World) -> None:
    world.guard.network.answers = world.random.choice(("garbage", "busy"))


async def _deaf(world: World) -> None:
    world.guard.node.deaf = True


async def _full(world: World) -> None:
    world.guard.disk_free = 10**8


async def _jump(world: World) -> None:
    world.jump(world.random.choice((0.93, 1.07)))


def _guarding(command: str) -> Strike:
    async def strike(world: World) -> None:
        if command == "drill":
            world.guard.watch.disturbed()
        await world.guard.ask(command)

    return strike


def _firm(**says: int | bool) -> Strike:
    async def strike(world: World) -> None:
        world.guard.others.tell(**says)  # type: ignore[arg-type]

    return strike


def _leaving(command: str) -> Strike:
    async def strike(world: World) -> None:
        world.guard.halts.standing = Standing(command, "anna", "nobody answered")

    return strike


GUARD_ONLY: dict[str, Strike] = {
    "guard: kill": _guard_killed,
    "guard: kill in a turn": _guard_killed_in_turn,
    "guard: stop": _guard_stopped,
    "guard: disk fails": _guard_disk_fails,
    **{f"guard: {each}": _guarding(each) for each in ("reduce", "halt", "flatten", "drill")},
}
"""Faults that need a guard."""


NODE_ONLY: dict[str, Strike] = {
    "kill": _kill,
    "kill in a turn": _kill_in_turn,
    "disk fails": _disk_fails,
    "kill by the guard": _by_guard,
    "kill before an order arrives": _kill_before_sending,
    "kill after an order arrived": _kill_after_sending,
    **{f"operator: {each}": _commanding(each) for each in ("halt", "reduce", "resume", "flatten")},
}
"""Faults that need a process."""

FAULTS: dict[str, Strike] = {
    **{name: _arming(name) for name in _ARMED},
    **NODE_ONLY,
    **GUARD_ONLY,
    "clock of the node jumps": _clock,
    "late requests": _late,
    "black hole": _hole,
    "disconnect": _cut,
    "long disconnect": _cut_long,
    **{f"{each} market data": _spoiling(each) for each in ("garbage", "stale", "malformed")},
    **{f"{each} answers": _answering(each) for each in ("garbage", "busy")},
    "venue crashes": _crash,
    "venue is down": _crash_for_long,
    "venue forgets": _forget,
    "clock of the venue jumps": _venue_clock,
    "halt of trading": _halt,
    "trade by hand": _by_hand,
    "busted trade": _bust,
    "money paid": _pay,
    "lease lost": _lease,
    "guard: late requests": _guard_late,
    "guard: black hole": _guard_hole,
    "guard: spoilt market data": _guard_spoilt,
    "guard: spoilt answers": _guard_answered,
    "node deaf to the guard": _deaf,
    "disk nearly full": _full,
    "price jumps": _jump,
    **{f"{each} left for the guard": _leaving(each) for each in ("reduce", "halt", "flatten")},
    "firm: another fund loses": _firm(lost=3 * FIRM_MAX),
    "firm: another fund is large": _firm(gross=3 * FIRM_MAX),
    "firm: another fund is silent": _firm(unknown=True),
}
"""All of them."""

NEEDS: dict[str, Callable[[World], bool]] = {
    "venue forgets": lambda world: world.may_forget,
    **{kind: lambda world: world.guard.others.is_there for kind in FAULTS if "firm: " in kind},
}
"""What some of them need."""

OFTEN = {"kill", "kill in a turn", "kill before an order arrives", "kill after an order arrived"}
OFTEN |= {"money paid", "late requests", "lost answer", "reject storm", "disk fails", "lease lost"}
"""What meets most of what else goes wrong."""
