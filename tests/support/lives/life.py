"""A life from its seed: trading, faults, recoveries, and at the end the accounts."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass

from quantvista.journal import verify
from support.lives.aims import Aims, can_be
from support.lives.faults import FAULTS, NEEDS, OFTEN
from support.lives.guarding import ROOM
from support.lives.watch import Violation
from support.lives.world import PRICE_MAX, World
from support.virtual_loop import run_virtually

__all__ = ["Outcome", "live"]

_ORDERS, _KINDS, _BURSTS = 500, 10, 1_500


@dataclass(frozen=True)
class Outcome:
    """What a seed came to.

    Parameters
    ----------
    seed : int
        Which.
    orders : int
        That left for the venue.
    faults : Counter of (str, str)
        By kind, and what the node was in.
    guard_faults : Counter of (str, str)
        By kind, and what the guard was in.
    digest : str
        Of all bytes of both journals.
    """

    seed: int
    orders: int
    faults: Counter[tuple[str, str]]
    guard_faults: Counter[tuple[str, str]]
    digest: str


def live(seed: int) -> Outcome:
    """Run a life.

    Raises
    ------
    Violation
        If something was that must never be.
    """
    return run_virtually(_life(seed))


async def _life(seed: int) -> Outcome:
    world = World(seed)
    world.aims = Aims(seed)
    await world.start()
    world.guard.boot()
    bursts = 0
    while _is_young(world):
        bursts += 1
        if bursts > _BURSTS:
            raise Violation(f"only {world.watch.orders_sent} orders in {bursts} bursts")
        await _go_on(world)
    await _heal(world)
    await _settle(world)
    _check(world)
    await _end(world)
    orders = world.watch.orders_sent
    return Outcome(seed, orders, world.faults, world.guard_faults, _digest(world))


def _is_young(world: World) -> bool:
    kinds = {kind for kind, _ in world.faults}
    return world.watch.orders_sent < _ORDERS or len(kinds) < _KINDS


async def _go_on(world: World) -> None:
    """Let a few moments pass, some of them bad."""
    draw = world.random
    if not world.guard.is_up and draw.random() < 0.6:
        world.guard.boot()
    if not world.is_up:
        if draw.random() < 0.3:
            await _strike(world)
            await world.market(draw.randrange(3))
        if draw.random() < 0.7:
            world.boot()
            if draw.random() < (0.7 if world.aims.wants("starting") else 0.2):
                await _strike(world)
            if world.aims.wants("reconciling") and draw.random() < 0.5:
                await _seek(world, "reconciling")
            await asyncio.sleep(draw.random() * 0.5)
            await world.look()
        return
    if draw.random() < 0.35:
        await _strike(world)
    if world.is_up and world.aims.wants("reconciling") and draw.random() < 0.1:
        await world.paper.fault(kind="disconnect", seconds=0)
        await _seek(world, "reconciling")
    if world.is_up and draw.random() < (0.1 if world.aims.wants("stopping") else 0.03):
        await world.ask("stop")
        if world.aims.wants("stopping") or draw.random() < 0.6:
            await _strike(world)
        await asyncio.sleep(0.01)
        await world.look()
    if world.state == "trading":
        await world.market(draw.randrange(4, 16))
    else:  # the guard takes seconds over what it does, in which nothing else need happen
        await world.market(draw.randrange(1, 5), pause_s=0.3)
    await _mend(world)


async def _strike(world: World) -> None:
    """Let one thing go wrong: what the life aims at, if it can be now, or anything."""
    draw, node, guard = world.random, world.state, world.guard.state
    wanted = [
        kind for kind in world.aims.now(node, guard) if kind not in NEEDS or NEEDS[kind](world)
    ]
    if wanted and draw.random() < 0.7:
        kind = draw.choice(wanted)
    else:
        kind = draw.choice([*FAULTS, *sorted(OFTEN), *sorted(OFTEN)])
    if not can_be(kind, node, guard) or (kind in NEEDS and not NEEDS[kind](world)):
        return
    world.note(kind, node)
    world.guard_faults[kind, guard] += 1
    world.aims.met(kind, node, guard)
    await FAULTS[kind](world)
    await world.look()


async def _seek(world: World, state: str) -> None:
    """Wait for a state that lasts a moment only, and let something go wrong in it."""
    for _ in range(150):
        if world.state == state:
            await _strike(world)
            return
        await asyncio.sleep(0.002)
        await world.look()


async def _mend(world: World) -> None:
    """Let some of what is wrong end."""
    draw, network = world.random, world.network
    armed = world.paper.faults.armed
    armed[:] = [each for each in armed if draw.random() < 0.6]
    if draw.random() < 0.4:
        network.late = 0.0
    if draw.random() < 0.4:
        network.spoilt = network.answers = ""
    if world.lease.hidden and draw.random() < 0.4:
        world.lease.hide(False)
    if any(world.paper.venue._core.shown.halted.values()) and draw.random() < 0.4:
        await world.paper.fault(kind="resume")
    if draw.random() < 0.3:
        world.clock.offset_ns = world.venue_clock.offset_ns = 0
    if draw.random() < 0.1:
        world.paper.faults.away_until = 0
    if draw.random() < 0.05:
        world.backup = world.store.copy()
    await _mend_guard(world)
    if world.forgot_at is not None and draw.random() < 0.4:
        await _judge(world)
    if world.is_up and world.node.session.fund_state != "active" and draw.random() < 0.4:
        await world.ask("resume")


async def _judge(world: World) -> None:
    """Let a person look at what a venue forgot: resume the node, or begin with a new state.

    Where books and account do not agree, the node refuses to go on: what the one knows and the
    other does not can be told to neither.
    """
    if not world.is_up:
        if world.random.random() < 0.2:
            await world.begin_anew()
        return
    link = world.node.links[0]
    if link.forgot or (world.must_notice and not world.watch.judged):
        await world.ask("resume")
    elif link.connected and link.differences and link.differences == world.differences:
        await world.begin_anew()
    world.differences = [] if link.forgot else list(link.differences)


async def _mend_guard(world: World) -> None:
    """Let some of what is wrong with the guard end, and a person let the fund trade again."""
    draw, guard = world.random, world.guard
    if draw.random() < 0.4:
        guard.network.late = 0.0
    if draw.random() < 0.4:
        guard.network.spoilt = guard.network.answers = ""
    if draw.random() < 0.2:
        guard.node.deaf = False
    if draw.random() < 0.3:
        guard.disk_free = ROOM
    if draw.random() < 0.3:
        guard.others.heal()
    if guard.state not in ("down", "watch") and draw.random() < 0.4:
        await _resume_guard(world)


async def _resume_guard(world: World) -> str:
    """Let a person resume; say what the guard has against it."""
    why = str((await world.guard.ask("resume")).get("error"))
    if "day_loss" in why:
        world.mid = PRICE_MAX  # a loss of the day ends with the day, or where prices rise
    return why


async def _heal(world: World) -> None:
    """Let all be well again."""
    world.paper.faults.clear()
    world.network.heal()
    world.lease.hide(False)
    await _heal_guard(world)
    world.clock.offset_ns = world.venue_clock.offset_ns = 0
    await world.paper.fault(kind="resume")
    if world.is_up:
        world.journal.countdown = None
        world.line.kill_at = ""
    await world.look()
    if world.is_up and world._disk_failed:
        await world.kill()
    while not world.is_up:
        if world.boot():
            world.journal.countdown = None


async def _heal_guard(world: World) -> None:
    guard = world.guard
    guard.network.heal()
    guard.node.deaf, guard.disk_free = False, ROOM
    guard.others.heal()
    if guard.is_up:
        guard.live_on()
        if guard.has_failed_disk:
            await guard.kill()
    while not guard.is_up:
        if guard.boot():
            guard.live_on()


async def _settle(world: World) -> None:
    """Wait until the fund trades, and then until nothing is left to be done."""
    for _ in range(1_200):
        await world.market(1)
        await asyncio.sleep(0.1)
        await world.look()
        if not (world.is_up and world.guard.is_up):
            await _heal(world)
        node, why = world.node, ""
        if world.forgot_at is not None:
            await _judge(world)
            continue
        if world.guard.state != "watch":
            why = await _resume_guard(world)
        elif not node.reasons and node.links[0].clean:
            if node.session.fund_state == "active":
                break
            await world.ask("resume")
    else:
        raise Violation(f"it does not come to trade again: {world.node.reasons}; {why}")
    await world.market(5)
    await _take_off(world)
    for _ in range(600):
        await asyncio.sleep(0.1)
        await world.look()
        is_quiet = not node.links[0].sender._last and not node._inbox
        if is_quiet and node.links[0].clean and not node.session.working():
            break
    else:
        raise Violation(f"it does not settle: {node.reasons}, {node.session.working()}")
    node.links[0].due_at = 0
    await asyncio.sleep(2.5)
    if not node.links[0].clean:
        raise Violation(f"the books are not the venue's: {node.links[0].differences}")


async def _take_off(world: World) -> None:
    """Halt it: by its node, or with all that it holds by its guard."""
    if world.random.random() < 0.6:
        answer = await world.ask("halt")
        if not answer.get("ok"):
            raise Violation(f"it is not halted: {answer}")
        return
    guard = world.guard
    answer = await guard.ask("flatten")
    if not answer.get("ok"):
        raise Violation(f"the guard does not flatten: {answer}")
    for _ in range(600):
        await world.market(2)
        await world.look()
        if guard.guard.chain.is_done:
            guard.watch.flat = True  # whatever disturbed it came before the guard began
            guard.watch.look_at_venue()
            return
    raise Violation(f"the guard waits for {guard.guard.chain.waits_for()}")


def _check(world: World) -> None:
    """Hold everything against everything, to the last unit."""
    core, node = world.paper.venue._core, world.node
    world.watch.look_at_venue()
    ours, positions = world.our_books()
    money, held = world.ledger.at(core.sequences[0])
    there = {each.currency: each.total for each in core.balances(0)}
    _same("money", ours, money, there)
    venue_held = {each.instrument: each.quantity for each in core.positions(0)}
    _same("positions", positions, held, venue_held)
    working = {node.orders.client_id(each["id"]) for each in node.session.working()}
    _same("open orders", working, {each.client_order_id for each in core.open_orders(0)})
    node.session.audit()
    link = node.links[0]
    sizes = {
        "senders": len(link.sender._last),
        "unsettled": len(link.sender.unsettled),
        "inbox": len(node._inbox),
        "tasks": max(0, len(node._tasks) - 3),
        "waiting reports": len(link.venue.gateway._reports._waiting),  # type: ignore[attr-defined]
        "texts": max(0, len(node.texts) - 50),
        "bars": len(node._arrivals._bars),
        "told": len(node._told),
        "effects": len(node.stage.effects),
    }
    if any(sizes.values()):
        raise Violation(f"something grows: {sizes}")


def _same(what: str, first: object, *others: object) -> None:
    for each in others:
        if first != each:
            raise Violation(f"{what} differ: {first} and {each}")


async def _end(world: World) -> None:
    """End it, in order or not; what comes up from the journal is what went down."""
    if world.random.random() < 0.5:
        await world.ask("stop")
        for _ in range(100):
            await asyncio.sleep(0.05)
            await world.look()
            if not world.is_up:
                break
    else:
        await world.kill()
    if world.is_up:
        raise Violation("it does not stop")
    verify(world.disk)
    while not world.boot():
        pass
    world.journal.countdown = None
    await world.kill()
    verify(world.disk)
    await _end_guard(world)
    await world.paper.stop()


async def _end_guard(world: World) -> None:
    guard = world.guard
    await (guard.stop() if world.random.random() < 0.5 else guard.kill())
    verify(guard.disk)
    while not guard.boot():
        pass
    guard.live_on()
    await guard.stop()
    verify(guard.disk)


def _digest(world: World) -> str:
    found = hashlib.sha256()
    for disk in (*world.left, world.disk, world.guard.disk):
        for name in sorted(disk.names()):
            found.update(name.encode())
            found.update(disk.content(name) or b"")
    return found.hexdigest()
