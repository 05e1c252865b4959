"""Bars, events, actions and the clock of a run on one tape."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantvista.data import DataSpec
from quantvista.data.events import EventData, EventSource, load_events, parse_action
from quantvista.engine import MISSING
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import EventKind

BARS = """date,instrument,open,high,low,close,volume
2024-01-02,A.X,1.00,1.10,0.90,1.05,10
2024-01-02,B.X,2.00,2.10,1.90,2.05,20
2024-01-03,A.X,1.00,1.10,0.90,1.06,10
2024-01-04,A.X,1.00,1.10,0.90,1.07,10
2024-01-04,B.X,2.00,2.10,1.90,2.07,20
2024-01-05,A.X,1.00,1.10,0.90,1.08,10
"""
QUOTES = """ts,instrument,bid,ask
2024-01-03T15:00:00Z,Q.X,5.00,5.02
2024-01-03T21:00:00Z,Q.X,5.01,5.02
2024-01-04T15:00:00Z,Q.X,5.02,5.04
"""
EVENTS = (EventSource("q.csv"),)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "b.csv").write_text(BARS)
    (tmp_path / "q.csv").write_text(QUOTES)
    return tmp_path


def read(folder: Path, calendar: str = "XNYS", **options: Any) -> EventData:  # noqa: ANN401
    return load_events(DataSpec(**options), base=folder, calendar=calendar)


def shown(data: EventData) -> list[tuple[str, str, int]]:
    tape = data.tape
    return [
        (str(np.datetime64(ts, "ns"))[5:16], EventKind(kind).name.lower(), number)
        for ts, kind, number in zip(
            tape.ts_received.tolist(), tape.kind.tolist(), tape.instrument.tolist(), strict=True
        )
    ]


def test_bars_and_quotes_run_on_one_tape(files: Path) -> None:
    data = read(files, source="b.csv", events=EVENTS, start=None)
    assert data.ids == ("A.X", "B.X", "Q.X")
    assert [each.matching for each in data.instruments] == ["bars", "bars", "quotes"]
    assert shown(data) == [
        ("01-02T21:00", "bar", 0),
        ("01-02T21:00", "bar", 1),
        ("01-02T21:00", "barrier", 0),
        ("01-02T21:00", "day_ended", 0),
        ("01-03T15:00", "quote", 2),
        ("01-03T21:00", "bar", 0),
        ("01-03T21:00", "bar_missing", 1),
        ("01-03T21:00", "quote", 2),
        ("01-03T21:00", "barrier", 0),
        ("01-03T21:00", "day_ended", 0),
        ("01-04T15:00", "quote", 2),
        ("01-04T21:00", "bar", 0),
        ("01-04T21:00", "bar", 1),
        ("01-04T21:00", "barrier", 0),
        ("01-04T21:00", "day_ended", 0),
        ("01-05T21:00", "instrument_ended", 1),
        ("01-05T21:00", "bar", 0),
        ("01-05T21:00", "barrier", 0),
        ("01-05T21:00", "day_ended", 0),
    ]
    bar = data.tape.take(slice(0, 1))
    assert [getattr(bar, name)[0] for name in "abcde"] == [100, 110, 90, 105, 10]
    assert data.kinds == {"A.X": ("bars",), "B.X": ("bars",), "Q.X": ("quotes",)}
    assert data.bars is not None
    assert [bias.name for bias in data.biases] == ["unknown_origin", "unknown_origin"]
    assert "no one reacts to our orders" in data.assumptions[-1]
    assert data.source == "b.csv, q.csv"


def test_closes_alone_have_neither_range_nor_volume(files: Path) -> None:
    (files / "c.csv").write_text("date,A.X\n2024-01-02,1.00\n")
    tape = read(files, source="c.csv").tape
    assert [getattr(tape, name)[0] for name in "abcde"] == [MISSING] * 3 + [100, MISSING]


def test_without_bars_a_clock_ticks_every_minute_unless_told_otherwise(files: Path) -> None:
    assert read(files, events=EVENTS).tape.counts()["barrier"] == 361 + 31
    assert read(files, events=EVENTS, clock_s=3600).tape.counts()["barrier"] == 8 + 2


def test_the_window_cuts_events_by_their_session(files: Path) -> None:
    data = read(files, events=EVENTS, start=np.datetime64("2024-01-04").astype(object))
    assert data.tape.counts()["quote"] == 1
    with pytest.raises(MarketDataError, match="must hold a session of the data"):
        read(files, events=EVENTS, start=np.datetime64("2024-02-04").astype(object))


def test_a_book_must_not_lose_its_snapshot(files: Path) -> None:
    (files / "l.csv").write_text(
        "ts,instrument,side,price,size,message,snapshot\n"
        "2024-01-03T15:00:00Z,L.X,bid,1,1,1,true\n"
        "2024-01-04T15:00:00Z,L.X,bid,1,2,2,false\n"
    )
    events = (EventSource("l.csv"),)
    assert read(files, events=events).instruments[0].matching == "l2"
    with pytest.raises(MarketDataError, match="must not cut a book off the snapshot"):
        read(files, events=events, start=np.datetime64("2024-01-04").astype(object))


def test_actions_stand_before_their_session_and_change_units(files: Path) -> None:
    actions: list[dict[str, Any]] = [
        {"ex_date": "2024-01-03", "instrument": "A.X", "action": "split", "ratio": "2:1"},
        {
            "ex_date": "2024-01-04",
            "instrument": "Q.X",
            "action": "precision",
            "price_precision": 3,
            "quantity_precision": 0,
            "tick_size": "0.005",
            "lot_size": "1",
        },
        {"ex_date": "2024-01-03", "instrument": "Z.X", "action": "delisting"},
        {"ex_date": "2023-01-03", "instrument": "A.X", "action": "split", "ratio": "2:1"},
    ]
    parsed = tuple(parse_action(each) for each in actions)
    data = read(files, source="b.csv", events=EVENTS, actions=parsed)
    assert [each.kind for each in data.actions] == ["split", "precision"]
    assert data.engine_actions[1]["precision"]["tick_size"] == 5
    assert ("01-03T05:00", "action", 0) in shown(data)
    quotes = data.tape.take(data.tape.kind == EventKind.QUOTE)
    assert quotes.a.tolist() == [500, 501, 5020]


def test_growth_follows_a_unit_through_actions_known_by_then(files: Path) -> None:
    given: list[dict[str, Any]] = [
        {"ex_date": "2024-01-03", "instrument": "A.X", "action": "split", "ratio": "2:1"},
        {"ex_date": "2024-01-04", "instrument": "A.X", "action": "cash_dividend", "amount": "0.53"},
        {"ex_date": "2024-01-05", "instrument": "A.X", "action": "stock_dividend", "ratio": "1:4"},
        {
            "ex_date": "2024-01-04",
            "instrument": "B.X",
            "action": "spin_off",
            "into": "A.X",
            "ratio": "1:2",
            "cost_share": "0.2",
        },
    ]
    actions = tuple(sorted(map(parse_action, given), key=lambda each: each.ex_date))
    data = read(files, source="b.csv", actions=actions)
    assert data.growth is not None
    np.testing.assert_allclose(data.growth[:, 0], [1, 2, 4, 5])  # 1.06 / (1.06 - 0.53) is 2
    np.testing.assert_allclose(data.growth[:, 1], [1, 1, *[2.05 / (2.05 - 0.53)] * 2])
    early = read(files, source="b.csv", actions=actions[:1])
    assert early.growth is not None
    np.testing.assert_array_equal(early.growth[:2, 0], data.growth[:2, 0])
    assert read(files, source="b.csv").growth is None
    much = parse_action({**given[1], "amount": "1.06"})
    with pytest.raises(MarketDataError, match=r"must be less than the close before; found 1.06"):
        read(files, source="b.csv", actions=(much,))


def test_bars_are_in_the_units_of_their_time(files: Path) -> None:
    change = {"ex_date": "2024-01-04", "instrument": "A.X", "action": "precision"}
    finer = {"price_precision": 4, "quantity_precision": 0, "tick_size": "0.0001", "lot_size": 1}
    data = read(files, source="b.csv", actions=(parse_action({**change, **finer}),))
    bars = data.tape.take((data.tape.kind == EventKind.BAR) & (data.tape.instrument == 0))
    assert bars.d.tolist() == [105, 106, 10700, 10800]
    coarser = {"price_precision": 1, "quantity_precision": 0, "tick_size": "0.1", "lot_size": 1}
    with pytest.raises(MarketDataError, match=r"at most 1 decimals at its time; found 1.07 of 'A"):
        read(files, source="b.csv", actions=(parse_action({**change, **coarser}),))


def test_declared_terms_stand_instead_of_defaults(files: Path) -> None:
    declared = {
        "Q.X": {"kind": "pair", "base": "EUR", "currency": "PEPE", "lot_size": Decimal(1000)},
    }
    data = read(files, events=EVENTS, declared=declared, currencies={"PEPE": 8})
    (instrument,) = data.instruments
    assert (instrument.settlement, instrument.lot_size) == ("exchange", Decimal(1000))
    assert data.currencies == (("USD", 2), ("EUR", 2), ("PEPE", 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`data` must have a source or events; found neither"),
        ({"events": EVENTS, "benchmark": "A.X"}, "`data.benchmark` must be in bars"),
        ({"events": EVENTS, "instruments": ("A.X",)}, "`data.instruments` must be in the data"),
        ({"events": EVENTS, "declared": {"Z.X": {}}}, "`instrument.id` must be an instrument of"),
        ({"events": EVENTS, "declared": {"Q.X": {"kin": "etf"}}}, "did you mean `kind`"),
        ({"events": EVENTS, "declared": {"Q.X": {"matching": "l2"}}}, "must come with levels"),
        ({"events": EVENTS, "declared": {"Q.X": {"kind": "option"}}}, "`kind` is not supported"),
        ({"events": EVENTS, "declared": {"Q.X": {"currency": "PEPE"}}}, "or in fund.currencies"),
        ({"events": EVENTS, "currencies": {"USD": 3}}, "must not change a currency that is known"),
        ({"events": EVENTS, "currencies": {"P": 3}}, "must be codes of 2 to 12"),
        ({"events": EVENTS, "currencies": {"PEPE": 13}}, "must give 0 to 12 decimals"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    files: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read(files, **options)


def test_a_book_is_for_those_who_are_matched_against_it(files: Path) -> None:
    (files / "l.csv").write_text(
        "ts,instrument,side,price,size,message\n2024-01-03T15:00:00Z,Q.X,bid,1,1,1\n"
    )
    events = (*EVENTS, EventSource("l.csv"))
    assert read(files, events=events).instruments[0].matching == "l2"
    with pytest.raises(ConfigError, match=r"must be l2 beside levels; found quotes for 'Q.X'"):
        read(files, events=events, declared={"Q.X": {"matching": "quotes"}})


def test_events_outside_the_listing_are_refused(files: Path) -> None:
    moment = int(np.datetime64("2024-01-03T21:00", "ns").astype(np.int64))
    for terms, row in (({"effective_from": moment}, 2), ({"effective_to": moment}, 3)):
        with pytest.raises(MarketDataError, match=f"within the listing.*in row {row}"):
            read(files, events=EVENTS, declared={"Q.X": terms})


def test_a_future_is_settled_just_after_its_expiry(files: Path) -> None:
    def declared(moment: str) -> dict[str, dict[str, object]]:
        expiry = int(np.datetime64(moment, "ns").astype(np.int64))
        return {"Q.X": {"kind": "future", "expiry": expiry}}

    data = read(files, source="b.csv", events=EVENTS, declared=declared("2024-01-04T15:00"))
    assert [row for row in shown(data) if row[1] == "instrument_ended"] == [
        ("01-04T15:00", "instrument_ended", 2),
        ("01-05T21:00", "instrument_ended", 1),
    ]
    with pytest.raises(MarketDataError, match=r"nothing of an instrument after its end.*'Q.X' in"):
        read(files, events=EVENTS, declared=declared("2024-01-04T14:00"))
    late = read(files, events=EVENTS, declared=declared("2024-01-09T15:00"))
    assert "instrument_ended" not in late.tape.counts()


def test_an_instrument_ends_once_and_without_data_after_it(files: Path) -> None:
    gone = {"instrument": "B.X", "action": "delisting", "price": "2.00"}
    actions = (parse_action({"ex_date": "2024-01-05", **gone}),)
    data = read(files, source="b.csv", actions=actions)
    assert ("01-05T05:00", "action", 1) in shown(data)
    assert "instrument_ended" not in data.tape.counts()
    early = (parse_action({"ex_date": "2024-01-04", **gone}),)
    with pytest.raises(MarketDataError, match=r"nothing of an instrument after its end.*bar of 'B"):
        read(files, source="b.csv", actions=early)
    split = {"ex_date": "2024-01-05", "instrument": "B.X", "action": "split", "ratio": "2:1"}
    with pytest.raises(MarketDataError, match="must not come after the end of its instrument"):
        read(files, source="b.csv", actions=(*early, parse_action(split)))


def test_actions_before_the_first_data_are_not_applied(files: Path) -> None:
    split = {"instrument": "Q.X", "action": "split", "ratio": "2:1"}
    first = parse_action({"ex_date": "2024-01-03", **split})
    second = parse_action({"ex_date": "2024-01-04", **split})
    assert read(files, events=EVENTS, actions=(first, second)).actions == (second,)


def test_sectors_are_asked_for_where_one_is_limited(files: Path) -> None:
    with pytest.raises(ConfigError, match=r"must name a sector.*found none for 'Q.X'"):
        load_events(DataSpec(events=EVENTS), base=files, calendar="XNYS", sectors_required=True)


def test_only_chosen_instruments_are_read(files: Path) -> None:
    (files / "two.csv").write_text(QUOTES + "2024-01-04T15:00:00Z,R.X,5.02,5.04\n")
    data = read(files, events=(EventSource("two.csv"),), instruments=("R.X",))
    assert (data.ids, data.tape.counts()["quote"]) == (("R.X",), 1)


def test_clocks_that_differ_are_said(files: Path) -> None:
    (files / "f.csv").write_text(
        "ts_event,ts_received,instrument,rate\n"
        "2024-01-03T15:00:01Z,2024-01-03T15:00:00Z,Q.X,0.0001\n"
    )
    with pytest.raises(ConfigError, match=r"must have bars, quotes.* of 'Q.X'.*found funding"):
        read(files, events=(EventSource("f.csv"),))
    data = read(files, events=(EventSource("f.csv"), EventSource("q.csv")))
    assert any("1 events happened" in each and "1.000 s" in each for each in data.assumptions)


def test_a_date_of_expiry_is_the_close_of_that_session(files: Path) -> None:
    day = np.datetime64("2024-01-05").astype(object)
    declared = {"Q.X": {"kind": "future", "expiry": day, "margin_initial": Decimal("0.1")}}
    (instrument,) = read(files, events=EVENTS, declared=declared).instruments
    assert instrument.expiry == np.datetime64("2024-01-05T21:00", "ns").astype(np.int64)
    sunday = np.datetime64("2024-01-07").astype(object)
    with pytest.raises(ConfigError, match="`expiry` must be a session of XNYS"):
        read(files, events=EVENTS, declared={"Q.X": {"kind": "future", "expiry": sunday}})
