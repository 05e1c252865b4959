"""A live session does the same again: from a snapshot and its records, and on a tape."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from support.live_sessions import Life, World, on_tape, told_of

STEPS = 40


class Cut(NamedTuple):
    """A snapshot, and how much there was of everything by then."""

    snapshot: bytes = b""
    logged: int = 0
    sent: int = 0
    heard: tuple[int, ...] = ()


def lived(seed: int, *, lag: int = 5, cut: int | None = None) -> tuple[Life, World, Cut]:
    life, world, made = Life.of(seed), World(seed, lag=lag), Cut()
    for step in range(STEPS):
        if step == cut:
            heard = tuple(len(calls) for calls in life.calls)
            made = Cut(life.snapshot(), len(life.log), len(life.effects), heard)
        life.session.tell(world.step())
        sent = len(life.effects)
        world.ts += world.random.choice((0, 0, 5, 90))
        life.run(world.ts)
        world.hear(life.effects[sent:])
    life.session.audit()
    return life, world, made


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, STEPS - 1), parts=st.integers(0, 4))
def test_snapshot_and_records_make_the_same_life(seed: int, cut: int, parts: int) -> None:
    life, world, (snapshot, logged, sent, heard) = lived(seed, cut=cut)
    again = Life.of(seed + 1)
    again.restore(snapshot)
    assert again.snapshot() == snapshot
    records = told_of(life.log[logged:])
    # What is of one time is told at once.
    edges = [place for place in range(1, len(records)) if records[place - 1][0] < records[place][0]]
    cuts = sorted(random.Random(seed).sample(edges, min(parts, len(edges))))
    for first, last in pairwise([0, *cuts, len(records)]):
        again.session.tell_encoded([record for _, record in records[first:last]])
        again.run(records[last - 1][0])
    again.run(world.ts)
    assert again.log == life.log[logged:]
    assert again.effects == life.effects[sent:]
    assert again.calls == [calls[count:] for calls, count in zip(life.calls, heard, strict=True)]
    assert again.session.state_hash() == life.session.state_hash()
    assert again.snapshot() == life.snapshot()
    again.session.audit()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_run_over_a_tape_of_the_same_events_gives_the_same_bytes(seed: int) -> None:
    """The numbers of sources too: a tape is source 0, what is scheduled beside it source 1.

    A schedule does not tell when its events happened, so here they are known at once; and a run
    over a tape ends with its last row, so there is one.
    """
    life, world, _ = lived(seed, lag=0)
    life.session.tell([(world.ts + 1, world.ts + 1, world.barrier())])
    life.run(world.ts + 1)
    run = Life.of(seed, **on_tape(life.log))
    run.session.run(run.session.rows, run.hosts, run.decide)
    run.log = run.session.take_log()
    assert run.log == life.log
    assert run.calls == life.calls
    assert run.session.state_hash() == life.session.state_hash()
