"""Whatever Python hands to the engine, it answers or says what is wrong: it never panics.

A panic of the compiled part is no ``Exception`` in Python, and so fails every test here. The same
on the inside, where nothing has to be converted first, is crates/engine/tests/hostile.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quantvista._native import RawEngine, names
from quantvista.engine import MISSING, Context, Session, SessionClock, Tape
from quantvista.errors import QuantVistaError
from quantvista.market import EventKind
from support.live_sessions import config as live_config
from support.live_sessions import quote
from support.order_floor import PRICE, Floor, setup
from support.quote_sessions import A, config

CLEAR = (QuantVistaError, ValueError, TypeError, OverflowError)
"""What a wrong argument may raise, with a message."""

MANY = 5_000 if os.environ.get("QV_RANDOM") else 150
HUGE = [2**31, 2**53 + 1, 2**60, 2**63 - 1, -(2**63), 2**63, 2**64, 2**127, -(2**127), 10**40]
WORDS = sorted({name for found in names.values() for name in found})

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from(HUGE),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=3),
    st.binary(max_size=3),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.integers(0, 3)), inner, max_size=3),
    ),
    max_leaves=4,
)


def tame(call: Callable[[], object]) -> object:
    """Call; what is refused must say why."""
    why = ""
    try:
        return call()
    except CLEAR as error:
        why = f"{type(error).__name__}: {error}"
    assert len(why.partition(": ")[2]) > 8, why
    return None


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Places of all that a nested value holds."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for name, each in inner for found in paths(each, (*path, name)))]


def at(value: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401
    for name in path:
        value = value[name]
    return value


def instead_of(value: object) -> st.SearchStrategy[Any]:
    """Something else, mostly of the same kind: what is of another is refused at once."""
    if isinstance(value, int) and not isinstance(value, bool):
        return st.one_of(st.integers(-3, 12), st.sampled_from(HUGE), anything)
    return st.one_of(st.sampled_from(WORDS), anything) if isinstance(value, str) else anything


def altered(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:  # noqa: ANN401
    """Copy what leads to a place, and change what is there."""
    copied = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        change(copied, path[0])
    else:
        copied[path[0]] = altered(value[path[0]], path[1:], change)
    return copied


@st.composite
def spoilt(draw: st.DrawFn, value: Any, most: int = 3) -> Any:  # noqa: ANN401
    """A sound value of which some parts are replaced by anything, left out, or added."""
    for _ in range(draw(st.integers(1, most))):
        places = paths(value)[1:]
        if not places:
            break
        path = draw(st.sampled_from(places))
        what = draw(instead_of(at(value, path)))
        drop = draw(st.integers(0, 5)) == 0

        def change(holder: Any, name: Any, what: Any = what, drop: bool = drop) -> None:  # noqa: ANN401
            if drop:
                del holder[name]
            else:
                holder[name] = what

        value = altered(value, path, change)
    return value


# -- one input at a time ----------------------------------------------------------------------
def sound_inputs() -> list[dict[str, Any]]:
    """One input of every kind: those of the golden corpus."""
    from golden.encoding.scenes import scenes

    found = {}
    for scene in scenes():
        for name, record in scene.inputs:
            if record is not None and name:
                found[name] = record
    return list(found.values())


INPUTS = sound_inputs()


@given(data=st.data())
@settings(max_examples=MANY)
def test_inputs_of_any_shape_are_taken_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["bars_close", "bars", "quotes", "trades", "l2", "l3"]))
    floor = Floor(kind)
    floor.show(PRICE)
    engine = floor.comparison.engine
    before = engine.state_hash()
    sound = data.draw(st.sampled_from(INPUTS)) | {"ts_received": floor.ts + 1}
    record = data.draw(spoilt(sound)) if data.draw(st.booleans()) else sound
    taken = tame(lambda: engine.apply(record))
    encoded = tame(lambda: RawEngine.encode_input(record))
    if encoded is not None:
        assert isinstance(encoded, bytes)
        assert RawEngine.encode_input(RawEngine.decode_input(encoded)) == encoded
    if taken is None and engine.state()["failed"] is None:
        assert engine.state_hash() == before
    if engine.state()["failed"] is None:
        engine.audit()


@given(data=st.data())
@settings(max_examples=MANY)
def test_configurations_of_any_shape_are_taken_or_refused(data: st.DataObject) -> None:
    record = data.draw(spoilt(setup(data.draw(st.sampled_from(["bars", "quotes", "l3"])))))
    engine = tame(lambda: RawEngine(record))
    if isinstance(engine, RawEngine):
        engine.audit()
        assert RawEngine.restore(engine.snapshot()).state_hash() == engine.state_hash()
    tame(lambda: Session(record, tape=Tape.empty().columns()))


@given(
    st.binary(max_size=60),
    st.sampled_from(["", "Q", "QI\2\0", "QS\2\0", "QO\2\0", "QR\2\0", "QL\2\0"]),
)
def test_bytes_of_any_kind_are_refused(noise: bytes, head: str) -> None:
    data = head.encode() + noise
    for read in (RawEngine.decode_input, RawEngine.decode_output, RawEngine.restore):
        with pytest.raises(QuantVistaError):
            read(data)
    with pytest.raises(QuantVistaError):
        Session(config(), tape=Tape.empty().columns()).restore(data)
    live = Session(config(), live=True)
    for attempt in (lambda: live.restore(data), lambda: live.tell_encoded([data])):
        with pytest.raises(QuantVistaError):
            attempt()


@given(data=st.data())
@settings(max_examples=MANY)
def test_what_is_told_is_taken_whole_or_refused_whole(data: st.DataObject) -> None:
    session = Session(live_config(["a"]), live=True)
    session.tell([(place, 0, quote(place, PRICE)) for place in range(2)])
    session.run_live(1, [])
    before = session.snapshot([b""])
    told: Any = []
    for place in range(2, data.draw(st.integers(3, 6))):
        event = data.draw(st.sampled_from(INPUTS))["event"]
        ts = data.draw(st.one_of(st.just(place), st.sampled_from(HUGE)))
        told.append((ts, place, data.draw(spoilt(event)) if data.draw(st.booleans()) else event))
    refused = False
    try:
        session.tell(told)
    except CLEAR:
        refused = True
    tame(lambda: session.run_live(0, []))
    kept: Any = tame(lambda: session.snapshot([b""]))
    if refused:
        assert kept == before
    elif kept is not None:
        session.audit()
        session.restore(kept)
        assert session.snapshot([b""]) == kept
    session.restore(before)
    assert session.snapshot([b""]) == before


@given(*[st.one_of(st.integers(-2, 9), st.sampled_from(HUGE))] * 2, scalars)
def test_questions_about_what_there_is_not_are_refused(one: int, two: int, three: Any) -> None:  # noqa: ANN401
    engine = RawEngine(setup("quotes"))
    for ask in (
        lambda: engine.cash(one, two),
        lambda: engine.balance(one, three, two),
        lambda: engine.position(one, two),
        lambda: engine.cost(one, two),
        lambda: engine.sleeve_equity(one),
    ):
        tame(ask)


# -- columns ----------------------------------------------------------------------------------
DTYPES = ["<i8", "<u1", "<f8", "<i4", "<u8", ">i8", "?", "<M8[ns]", "O"]
numbers = st.one_of(
    st.integers(-2, 300), st.integers(9_000, 11_000), st.sampled_from([MISSING, 2**63 - 1, 2**60])
)


@st.composite
def columns(draw: st.DrawFn, sound: Mapping[str, Any]) -> dict[str, Any]:
    """Sound columns of which some are of another type, length, order or content."""
    found: dict[str, Any] = dict(sound)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(found) or ["ts"]))
        array = found.get(name)
        if isinstance(array, bytes):
            array = np.frombuffer(array, dtype=np.uint8)
        if not isinstance(array, np.ndarray):
            continue
        match draw(st.integers(0, 7)):
            case 0:
                found.pop(name)
            case 1:
                found[name] = draw(anything)
            case 2:
                with contextlib.suppress(TypeError, ValueError):
                    found[name] = array.astype(draw(st.sampled_from(DTYPES)))
            case 3:
                found[name] = array[: draw(st.integers(0, len(array)))]
            case 4:
                found[name] = np.concatenate([array, array[: draw(st.integers(0, 3))]])
            case 5:
                found[name] = array[::-1]
            case 6:
                found[name] = np.stack([array, array])
            case _:
                changed = array.copy()
                for _ in range(draw(st.integers(1, 3))):
                    place = draw(st.integers(0, max(0, len(changed) - 1)))
                    if len(changed):
                        value = draw(numbers)
                        changed[place] = value % 256 if changed.dtype == np.uint8 else value
                found[name] = changed
    return found


def sound_bars(rows: int = 6) -> dict[str, Any]:
    """Bars of two instruments, as a session takes them."""
    close = np.full(rows * 2, PRICE, dtype=np.int64)
    found: dict[str, Any] = {
        name: close.copy() for name in ("open", "high", "low", "close", "volume")
    }
    found["ts"] = np.arange(1, rows + 1, dtype=np.int64) * 10**9
    for name in ("session_start", "session_end"):
        found[name] = np.ones(rows, dtype=np.uint8).tobytes()
    return found


@st.composite
def sound_tapes(draw: st.DrawFn) -> dict[str, Any]:
    """Rows of any kinds, in order of time, of numbers that make sense at times."""
    rows = draw(st.integers(0, 8))

    def some(of: st.SearchStrategy[int], dtype: type[np.generic]) -> Any:  # noqa: ANN401
        return np.array(draw(st.lists(of, min_size=rows, max_size=rows)), dtype=dtype)

    found = {name: some(numbers, np.int64) for name in "abcde"}
    ts = np.cumsum(some(st.integers(0, 2), np.int64) * 10**9)
    kinds = st.sampled_from([int(kind) for kind in EventKind])
    flags = st.sampled_from([0, 1, 2, 3, 128, 129, 255])
    found |= {"ts_event": ts, "ts_received": ts, "instrument": some(st.integers(0, 1), np.int64)}
    found |= {"kind": some(kinds, np.uint8), "flag": some(flags, np.uint8)}
    return found


def run(made: object, on_event: Callable[..., object] | None = None) -> None:
    """Run a session to its end, if there is one, and read its tables."""
    if not isinstance(made, Session):
        return
    handlers = {} if on_event is None else dict.fromkeys(("on_bar", "on_quote"), on_event)
    context = Context(made, 0, SessionClock(made), None)
    tame(lambda: made.run(made.rows, [(0, context, handlers, None)]))
    tame(made.tables)
    tame(made.audit)


@given(columns(sound_bars()), st.booleans())
@settings(max_examples=MANY)
def test_bars_of_any_shape_are_taken_or_refused(feed: dict[str, Any], closes: bool) -> None:
    run(tame(lambda: Session(config(matching="bars"), feed)))
    if closes:
        run(tame(lambda: Session(config(matching="bars"), feed | {"open": None})))


@given(st.data(), sound_tapes(), st.sampled_from(["bars", "quotes", "trades", "l2", "l3"]))
@settings(max_examples=MANY)
def test_tapes_of_any_shape_are_taken_or_refused(
    data: st.DataObject, tape: dict[str, Any], matching: str
) -> None:
    if data.draw(st.booleans()):
        tape = data.draw(columns(tape))
    more = data.draw(st.sampled_from(["none", "actions", "inputs", "extend"]))
    given: dict[str, Any] = {}
    if more == "actions":
        actions = [each["event"]["action"] for each in INPUTS if "action" in each["event"]]
        given["actions"] = data.draw(spoilt(data.draw(st.lists(st.sampled_from(actions)))))
    if more == "inputs":
        inputs = data.draw(st.lists(st.sampled_from(INPUTS), max_size=2))
        given["inputs"] = data.draw(spoilt([(k, each["event"]) for k, each in enumerate(inputs)]))
    made = tame(lambda: Session(config(matching=matching), tape=tape, **given))
    run(made)
    if more == "extend" and isinstance(made, Session):
        tame(lambda: made.extend(data.draw(columns(tape))))
        run(made)


# -- what strategies ask for ------------------------------------------------------------------
TERMS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(names["type"]),
    "tif": st.sampled_from(names["tif"]),
    "leg": st.sampled_from(names["leg"]),
    "trigger_by": st.sampled_from(["last", "bid", "ask", "mark"]),
    "post_only": st.booleans(),
    "reduce_only": st.booleans(),
    "expire_at": st.integers(0, 2**62),
} | dict.fromkeys(
    ("limit_price", "trigger_price", "trail", "trail_rate", "display_quantity"),
    st.integers(9_000, 11_000).map(lambda cents: cents / 100),
)
wild = st.one_of(st.floats(), anything)


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, list[Any], dict[str, Any]]:
    """A call of a strategy's context: its method and arguments."""

    def one(sound: st.SearchStrategy[Any]) -> Any:  # noqa: ANN401
        return draw(wild if draw(st.integers(0, 7)) == 0 else sound)

    def terms(some: list[str]) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(some), unique=True, max_size=4))
        return {name: one(TERMS[name]) for name in chosen}

    amount = st.one_of(st.integers(0, 30).map(float), st.sampled_from([99.5, 100.01, 100.5]))
    first = [one(st.just(A)), one(st.sampled_from(["buy", "sell"])), one(amount)]
    row = dict(zip(("instrument", "side", "quantity"), first, strict=True)) | terms(sorted(TERMS))
    changes = ["limit_price", "trigger_price", "trail", "trail_rate", "expire_at"]
    number = one(st.integers(0, 4))
    prices = {"stop_price": one(amount), "profit_price": one(amount)}
    calls: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("submit", first, terms(sorted(TERMS))),
        ("submit_list", [[row, row], one(st.sampled_from(names["link"]))], {}),
        ("oco", [row, one(st.just(row))], {}),
        ("oto", [row, row], {}),
        ("bracket", first, prices | terms(["type", "limit_price"])),
        ("amend", [number], terms(changes) | {"quantity": one(amount)}),
        ("cancel", [number], {}),
        ("cancel_all", [one(st.just(A)), one(st.sampled_from(["buy", None]))], {}),
        ("order", [number], {}),
        ("orders", [one(st.just(A))], {}),
        ("book", [one(st.just(A)), one(st.integers(0, 3))], {}),
        ("position", [one(st.just(A)), one(st.none())], {}),
        ("average_price", [one(st.just(A)), one(st.none())], {}),
        ("balance", [one(st.just("USD"))], {}),
        ("set_timer", [one(st.integers(0, 2**63 - 1)), one(st.just("wake"))], {}),
    ]
    call: tuple[str, list[Any], dict[str, Any]] = draw(st.sampled_from(calls))
    return call


@given(st.lists(asked(), min_size=1, max_size=6), st.sampled_from(["bars", "quotes", "l2"]))
@settings(max_examples=MANY)
@example([("submit", [A, "buy", float("nan")], {})], "quotes")
@example([("submit", [A, "buy", 1e300], {})], "quotes")
def test_calls_of_any_shape_are_taken_or_refused(
    calls: list[tuple[str, list[Any], dict[str, Any]]], matching: str
) -> None:
    def on_event(ctx: Any, event: Any) -> None:  # noqa: ANN401
        for method, arguments, terms in calls:
            tame(lambda: getattr(ctx, method)(*arguments, **terms))  # noqa: B023 - called here

    ts = np.arange(1, 5, dtype=np.int64) * 10**9
    sizes = {"a": ts * 0 + PRICE, "b": ts * 0 + 9, "c": ts * 0 + PRICE + 2, "d": ts * 0 + 9}
    tape = Tape.of(EventKind.QUOTE, ts, values=sizes).columns()
    if matching == "bars":
        run(Session(config(matching=matching), sound_bars()), on_event)
    else:
        run(Session(config(matching=matching), tape=tape), on_event)


@given(scalars, st.lists(st.tuples(scalars, scalars), max_size=3), st.lists(scalars, max_size=6))
def test_loads_without_a_strategy_are_taken_or_refused(
    sleeve: Any,  # noqa: ANN401
    targets: list[tuple[Any, Any]],
    order: list[Any],
) -> None:
    made = Session(config(matching="bars"), sound_bars())
    tame(lambda: made.submit_targets(sleeve, targets))
    tame(lambda: made.submit_orders(sleeve, [tuple(order)]))
    tame(lambda: made.run_market_orders(sleeve, 2, sleeve))
    tame(lambda: made.run(sleeve, []))
    tame(lambda: made.snapshot([sleeve]))
