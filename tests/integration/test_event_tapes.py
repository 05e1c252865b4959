"""The engine takes the tapes that data makes: generated markets, and every corporate action."""

from decimal import Decimal
from pathlib import Path

import pytest

from quantvista.data import DataSpec
from quantvista.data.events import (
    GENERATED_MARKETS,
    EventData,
    EventSource,
    load_events,
    parse_action,
)
from quantvista.engine import (
    LimitRates,
    Session,
    SleeveCash,
    VenueRates,
    engine_config,
    engine_instrument,
)
from quantvista.market import ACTIONS


def run(data: EventData) -> Session:
    """Run the tape without a strategy."""
    config = engine_config(
        fund="tape",
        currency=data.currencies[0][0],
        instruments=(),
        close_only=False,
        sleeves=[SleeveCash("all", Decimal(1000))],
        venue=VenueRates(),
        limits=LimitRates(),
    )
    codes = [code for code, _ in data.currencies]
    config["currencies"] = [{"code": code, "precision": digits} for code, digits in data.currencies]
    config["account"] = {"kind": "margin", "positions": "netting"}
    config["instruments"] = [
        engine_instrument(each, codes, has_auctions="auctions" in data.kinds[each.id])
        for each in data.instruments
    ]
    actions = list(data.engine_actions)
    session = Session(config, tape=data.tape.columns(), actions=actions, record="nothing")
    session.run(session.rows, [])
    session.audit()
    return session


@pytest.mark.parametrize("publish", ["quotes", "l2", "l3"])
@pytest.mark.parametrize("name", GENERATED_MARKETS)
def test_generated_markets_run_and_end_in_the_same_state(name: str, publish: str) -> None:
    source = EventSource(f"generated:{name}", params={"seconds": 60, "publish": publish})
    data = load_events(DataSpec(events=(source,)), base=Path(), calendar="24/7")
    session = run(data)
    assert session.now == data.tape.ts_received[-1]
    assert session.state_hash() == run(data).state_hash()


def test_every_corporate_action_and_an_expiry_run(tmp_path: Path) -> None:
    days = ("01-02", "01-03", "01-04", "01-05")
    names = [f"{letter}.X" for letter in "ABCDEFGHI"]
    lines = ["ts,instrument,bid,ask"]
    for day in days[:2]:  # what ends has nothing afterwards
        lines += [f"2024-{day}T15:00:00Z,{name},9.99,10.01" for name in (*names, "F-2024H.X")]
    lines += [f"2024-{day}T15:00:00Z,I.X,9.99,10.01" for day in days[2:]]
    (tmp_path / "q.csv").write_text("\n".join(lines) + "\n")
    given: dict[str, dict[str, object]] = {
        "split": {"ratio": "1:10"},
        "cash_dividend": {"amount": "0.25"},
        "stock_dividend": {"ratio": "1:20"},
        "symbol_change": {"symbol": "META"},
        "merger_cash": {"price": "10.50"},
        "merger_stock": {"into": "I.X", "ratio": "1:2", "amount": "1"},
        "spin_off": {"into": "I.X", "ratio": "1:4", "cost_share": "0.2"},
        "delisting": {},
        "precision": {
            "price_precision": 4,
            "quantity_precision": 1,
            "tick_size": "0.0001",
            "lot_size": "0.1",
        },
    }
    assert set(given) == set(ACTIONS)
    actions = tuple(
        parse_action({"ex_date": "2024-01-04", "instrument": name, "action": kind, **fields})
        for name, (kind, fields) in zip(names, given.items(), strict=True)
    )
    # The precision of I.X changes after others were turned into it.
    spec = DataSpec(
        events=(EventSource("q.csv"),),
        actions=actions,
        declared={"F-2024H.X": {"kind": "future", "expiry": 1_704_402_000_000_000_000}},
    )
    data = load_events(spec, base=tmp_path, calendar="XNYS")
    counts = data.tape.counts()
    assert (counts["action"], counts["instrument_ended"]) == (9, 1)
    assert run(data).now == data.tape.ts_received[-1]


def test_auctions_statuses_funding_and_rates_run(tmp_path: Path) -> None:
    moment = "2024-01-02T15:00:00Z"
    files = {
        "q.csv": f"ts,instrument,bid,ask\n{moment},A.X,9.99,10.01\n{moment},P.X,9.99,10.01\n",
        "a.csv": f"ts,instrument,phase,price,volume\n{moment},A.X,open,10.00,500\n",
        "s.csv": f"ts,instrument,status\n{moment},A.X,halted\n{moment},A.X,trading\n",
        "f.csv": f"ts,instrument,rate\n{moment},P.X,0.0001\n",
        "r.csv": f"ts,currency,rate\n{moment},EUR,1.1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    spec = DataSpec(
        events=tuple(EventSource(name) for name in files),
        declared={"P.X": {"kind": "perpetual", "currency": "EUR"}},
    )
    data = load_events(spec, base=tmp_path, calendar="24/7")
    kinds = {"quote", "auction", "status", "funding", "currency_rate"}
    assert kinds <= set(data.tape.counts())
    run(data)
