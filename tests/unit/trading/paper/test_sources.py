"""Markets of a paper venue: recorded, generated, and where they go on."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantvista.data.events import FlowTerms
from quantvista.engine import Tape, merge_tapes
from quantvista.errors import ConfigError
from quantvista.market import EventKind, Instrument
from quantvista.trading.paper import (
    FlowSource,
    LiveSource,
    MarketSource,
    MemoryStore,
    Message,
    Moving,
    PaperVenue,
    SQLiteStore,
    TapeSource,
    VenueFailedError,
)
from quantvista.trading.paper._config import load_config
from support.gateway_worlds import CASH, INSTRUMENTS, PAIR, order

SECOND = 10**9
START = 1_704_067_200 * SECOND
FILES = Path(__file__).parents[5] / "shared" / "data" / "l2_binance_ws"


def taken(source: MarketSource, until: int) -> list[Message]:
    found = []
    while (message := source.take(until)) is not None:
        found.append(message)
    return found


def watched(source: MarketSource, since: int, seconds: int) -> list[Message]:
    """What somebody sees who looks every second."""
    return [m for second in range(seconds + 1) for m in taken(source, since + second * SECOND)]


def flow(seed: int = 3, matching: str = "quotes") -> FlowSource:
    instruments = [replace(each, matching=matching) for each in CASH.instruments]
    moving = {each.id: Moving(10_000, 5.0, FlowTerms(20, 4, 0.1, 1, 3, 3)) for each in instruments}
    return FlowSource(instruments, moving, seed, block_s=5)


@pytest.mark.parametrize("matching", ["quotes", "l2"])
def test_generated_market_is_the_same_for_the_same_seed(matching: str) -> None:
    runs = []
    for seed in (3, 3, 4):
        source = flow(seed, matching)
        source.start(START, None)
        runs.append([(m.ts, m.events) for m in watched(source, START, 12)])
    assert runs[0] == runs[1] != runs[2]
    times = [ts for ts, _ in runs[0]]
    assert times == sorted(times)
    assert len(times) > 200


def test_generated_market_goes_on_where_it_was_after_a_restart() -> None:
    whole, first, second = flow(), flow(), flow()
    whole.start(START, None)
    wanted = [(m.ts, m.events) for m in watched(whole, START, 12)]
    first.start(START, None)
    before = watched(first, START, 7)
    due = first.next_at()
    # The cursor has been through a store, as JSON has it.
    second.start(due, json.loads(json.dumps(before[-1].cursor)))
    after = watched(second, START + 7 * SECOND, 5)
    assert [(m.ts, m.events) for m in before + after] == wanted


def test_generated_market_that_nobody_watched_goes_on_now() -> None:
    source = flow()
    source.start(START, None)
    first = taken(source, START + SECOND)
    late = START + 3_600 * SECOND
    assert source.take(late) is not None
    rest = taken(source, late + SECOND)
    assert 0 < len(rest) < 10 * len(first)
    assert rest[0].ts >= late


def test_generated_day_ends_at_midnight() -> None:
    source = flow()
    source.start(START - SECOND, None)
    ended = [m for m in taken(source, START + SECOND) if "day_ended" in m.events[-1]]
    (message,) = ended
    assert message.events[0] == {"barrier": {"session_start": False, "session_end": True}}


def tape(times: list[int]) -> Tape:
    received = np.array(times, dtype=np.int64)
    count = np.arange(len(times), dtype=np.int64)
    values = {"a": 100 + count, "b": 10 + 0 * count, "c": 101 + count, "d": 10 + 0 * count}
    trades = Tape.of(
        EventKind.TRADE, received[:1], flag=2, values={"a": count[:1] + 7, "b": count[:1] + 1}
    )
    return merge_tapes([Tape.of(EventKind.QUOTE, received, values=values), trades])


def test_recording_keeps_its_pace_and_repeats() -> None:
    source = TapeSource(tape([0, SECOND, 3 * SECOND]), speed=2.0, repeat=True)
    source.start(START, None)
    found = taken(source, START + 4 * SECOND)
    half = SECOND // 2
    once = [0, half, 3 * half]
    again = [3 * half + half + each for each in once]
    assert [m.ts - START for m in found] == [*once, *again, 7 * half + half]
    assert found[0].events == [
        {
            "quote": {
                "instrument": 0,
                "quote": {"bid": 100, "bid_size": 10, "ask": 101, "ask_size": 10},
            }
        },
        {"trade": {"instrument": 0, "trade": {"price": 7, "size": 1, "aggressor": "sell"}}},
    ]
    second = TapeSource(tape([0, SECOND, 3 * SECOND]), speed=2.0, repeat=True)
    second.start(START, json.loads(json.dumps(found[3].cursor)))
    message = second.take(START)
    assert message is not None
    assert message.events == found[4].events


def test_recording_that_is_over_stands_still() -> None:
    source = TapeSource(tape([0, SECOND]))
    source.start(START, None)
    assert len(taken(source, START + 9 * SECOND)) == 2
    assert source.next_at() is None


def test_recorded_stream_of_binance_moves_a_venue(tmp_path: Path) -> None:
    if not FILES.is_dir():
        pytest.skip("needs shared/data/l2_binance_ws beside the checkout, which is not here")
    path = tmp_path / "paper.toml"
    path.write_text(
        f"""
        [[venue]]
        id = "recorded"
        fee_bps = 10
        accounts = {{ main = {{ USDT = 1000000 }} }}
        [venue.market]
        speed = 100
        [[venue.market.file]]
        source = "{FILES / "spot_btcusdt_20240808.jsonl.gz"}"
        format = "binance"
        instrument = "BTC-USDT.BINANCE"
        [[venue.instrument]]
        id = "BTC-USDT.BINANCE"
        kind = "pair"
        base = "BTC"
        tick_size = "0.01"
        lot_size = "0.00000001"
        matching = "l2"
        """
    )
    config, base = load_config(path)
    terms, source = config.venue[0].build(base)
    venue = PaperVenue(terms, MemoryStore(), source)
    for step in range(20):
        venue.advance(START + step * SECOND // 2)
    bought = order("buy", 1_000_000, 1, "BTC-USDT.BINANCE")
    state, _ = venue.submit(0, bought, START + 11 * SECOND)
    assert state.status == "filled"
    (fill,) = venue.fills(0, 0, 10).fills
    assert 5_000_000 < fill.price < 7_000_000
    # How it stands is what the levels say.
    told = [event for _, event in venue.market("BTC-USDT.BINANCE")]
    assert {getattr(each, "side", None) for each in told} == {"bid", "ask"}


@pytest.mark.parametrize("durable", ["memory", "sqlite"])
def test_venue_that_is_opened_again_is_the_same(durable: str, tmp_path: Path) -> None:
    def store() -> Any:  # noqa: ANN401 - either store
        return memory if durable == "memory" else SQLiteStore(tmp_path / "venue.db")

    memory = MemoryStore()
    terms = replace(CASH, instruments=INSTRUMENTS)
    kept = store()
    venue = PaperVenue(terms, kept, flow())
    now = START
    for number in range(1, 120):
        now += SECOND // 4
        price = 10_000 + number % 7
        terms_of: dict[str, Any] = {"kind": "limit", "limit_price": price} if number % 2 else {}
        venue.submit(0, order("buy", 1, number, PAIR, **terms_of), now)
    snapshot, hashed = venue.snapshot(0), venue.state_hash()
    assert len(venue.fills(0, 0, 1_000).fills) > 20
    kept.close()
    again = PaperVenue(terms, store(), flow())
    assert (again.snapshot(0), again.state_hash()) == (snapshot, hashed)
    again.close()
    third = PaperVenue(terms, store(), flow())
    assert (third.snapshot(0), third.state_hash()) == (snapshot, hashed)
    third.close()
    other = replace(terms, seed=99)
    with pytest.raises(VenueFailedError, match="set up otherwise"):
        PaperVenue(other, store(), flow())


def test_venue_whose_store_fails_answers_nobody() -> None:
    class Broken(MemoryStore):
        broken = False

        def commit(self, batch: Any) -> None:  # noqa: ANN401
            if self.broken:
                raise OSError("no space left")
            super().commit(batch)

    store = Broken()
    venue = PaperVenue(CASH, store, LiveSource())
    heard: list[object] = []
    venue.listen(lambda notices, _: heard.extend(notices))
    venue.submit(0, order("buy", 1, 1), START)
    assert len(heard) == 1
    store.broken = True
    with pytest.raises(OSError, match="no space"):
        venue.submit(0, order("buy", 1, 2), START + 1)
    store.broken = False
    with pytest.raises(VenueFailedError):
        venue.submit(0, order("buy", 1, 2), START + 2)
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = 2", "version"),
        ("nonsense", "not valid TOML"),
        ('[[venue]]\nid = "a"', "accounts"),
        ('[[venue]]\nid = "a"\nfees = 1\naccounts = { m = {} }', "`venue.0.fees` is not known"),
        ('[[venue]]\nid = "a"\nfee_bps = -1\naccounts = { m = {} }', "fee_bps"),
    ],
    ids=["version", "toml", "missing", "unknown", "range"],
)
def test_configuration_that_is_wrong_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_venue_without_instruments_or_with_single_orders_is_refused() -> None:
    with pytest.raises(ConfigError, match="instruments"):
        replace(CASH, instruments=())
    book = Instrument("X.PAPER", currency="USDT", kind="spot", matching="l3")
    with pytest.raises(ConfigError, match="l3"):
        replace(CASH, instruments=(book,))
    euro = Instrument("X.PAPER", currency="EUR", kind="spot", matching="quotes")
    with pytest.raises(ConfigError, match="prices"):
        PaperVenue(replace(CASH, instruments=(euro,)), MemoryStore(), LiveSource())
    priced = replace(CASH, instruments=(euro,), prices={"EUR": Decimal("1.1"), "BTC": Decimal(1)})
    assert PaperVenue(priced, MemoryStore(), LiveSource()).snapshot(0).balances
