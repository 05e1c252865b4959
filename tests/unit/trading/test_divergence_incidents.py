"""What people and processes did, as a divergence lists it."""

from __future__ import annotations

from quantvista.fund.records import NodeOpened
from quantvista.journal import Body, Record
from quantvista.trading.divergence._incidents import Incidents
from quantvista.trading.node._bodies import Commanded, Held, StrategyFailed

SECOND = 10**9


def record(sequence: int, ts: int) -> Record:
    return Record(sequence, ts, 100, 1, b"")


def opened(epoch: int, *changes: str) -> NodeOpened:
    return NodeOpened(
        fund="coins",
        epoch=epoch,
        first_order=1,
        config="",
        engine="{}",
        fund_hash="",
        fingerprint={},
        changes=changes,
    )


def said(*bodies: tuple[Body, bool]) -> list[tuple[str, str]]:
    found = Incidents()
    for number, (body, begun) in enumerate(bodies, 1):
        ts = number * 10 * SECOND
        found.node(record(number, ts), body, ts - 10 * SECOND, begun=begun)
    assert found.count == len(found.kept)
    return [(each.kind, each.text) for each in found.kept]


def test_the_first_start_is_nothing_and_each_other_one_a_restart_with_its_pause() -> None:
    found = said((opened(1), False), (opened(2, "limit order_rate: 5 before, 9 now"), True))
    assert found == [("restart", "epoch 2 after 10.0 s; limit order_rate: 5 before, 9 now")]


def test_holds_count_once_the_market_was_seen() -> None:
    reason = "venue paper is not connected"
    found = said(
        (Held(reason, True), False), (Held(reason, True), True), (Held(reason, False), True)
    )
    assert found == [("hold", f"no new risk: {reason}"), ("hold", f"over: {reason}")]


def test_a_command_names_who_gave_it_and_the_node_names_itself() -> None:
    incidents = Incidents()
    incidents.node(record(1, 5), Commanded("halt", "ada", "odd prices"), 4, begun=True)
    assert incidents.is_asked
    incidents.operator(record(2, 5), "halt")
    incidents.operator(record(3, 6), {"change_limit": {"name": "order_rate", "value": None}})
    texts = [each.text for each in incidents.kept]
    assert texts == ["halt by ada: odd prices", "change limit by the node"]


def test_states_that_rules_changed_and_failures_are_listed() -> None:
    incidents = Incidents()
    incidents.state(record(1, 5), "state_changed", {"state": "halted", "cause": "operator"})
    incidents.state(record(2, 5), "state_changed", {"state": "halted", "cause": "drawdown"})
    changed = {"sleeve": 1, "state": "reduce_only", "cause": "drawdown"}
    incidents.state(record(3, 6), "sleeve_changed", changed)
    incidents.node(record(4, 7), StrategyFailed("a strategy failed: no"), 6, begun=True)
    assert [each.text for each in incidents.kept] == [
        "the fund became halted, by drawdown",
        "sleeve 1 became reduce_only, by drawdown",
        "a strategy failed: no",
    ]


def test_of_very_many_the_first_are_kept_and_all_are_counted() -> None:
    incidents = Incidents()
    for number in range(1, 1_202):
        incidents.taken(record(number, number), number)
    assert (len(incidents.kept), incidents.count) == (1_000, 1_201)
