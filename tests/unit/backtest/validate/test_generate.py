from collections import Counter

import pytest

from quantvista.backtest.validate import KINDS, Kind
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._session import CONDITIONAL, MORE, PASSIVE, Session

SEEDS = range(60)


def test_the_same_seed_makes_the_same_session() -> None:
    assert generate(7) == generate(7)
    assert generate(7).tape != generate(11).tape


def test_kinds_take_turns() -> None:
    assert Counter(generate(seed).kind for seed in range(8)) == dict.fromkeys(KINDS, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_times_are_in_order_and_commands_between_the_events(kind: Kind) -> None:
    for seed in SEEDS:
        session = generate(seed, kind)
        rows = [row.ts for row in session.tape]
        assert rows == sorted(rows)
        sent = [command.ts for command in session.commands]
        assert sent == sorted(sent)
        assert not set(rows) & set(sent)
        assert len(set(sent)) == len(sent)
        assert session.marks[-1].ts > max(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_prices_are_whole_ticks_and_quantities_whole_lots(kind: Kind) -> None:
    for seed in SEEDS:
        session = generate(seed, kind)
        for order in session.orders().values():
            traded = session.instruments[order.instrument]
            assert order.quantity > 0
            assert order.quantity % traded.lot_size == 0
            for price in (order.limit, order.trigger):
                assert price is None or (price > 0 and price % traded.tick_size == 0)


def test_all_types_lifetimes_accounts_and_instruments_come_up() -> None:
    sessions = [generate(seed) for seed in range(200)]
    orders = [order for session in sessions for order in session.orders().values()]
    assert {order.type for order in orders} == {"market", "limit", *CONDITIONAL}
    assert {order.tif for order in orders} == {"gtc", "day", "gtd", "ioc", "fok"}
    assert {order.side for order in orders} == {"buy", "sell"}
    assert any(order.post_only for order in orders)
    assert {command.do for each in sessions for command in each.commands} == {
        "submit",
        "group",
        "cancel",
        "amend",
    }
    assert {each.account.kind for each in sessions} == {"cash", "margin"}
    kinds = {traded.kind for each in sessions for traded in each.instruments}
    assert kinds == {"equity", "pair", "spot", "perpetual"}


def resting_together(session: Session) -> int:
    """Most orders of a side that may rest in an instrument at a time."""
    ends = {command.id: command.ts for command in session.commands if command.do == "cancel"}
    lives = [
        (command.ts, ends.get(order.id, session.end), order)
        for command in session.commands
        for order in command.sent()
        if order.type in PASSIVE and order.tif not in ("ioc", "fok")
    ]
    return max(
        sum(
            begun <= start < end
            and (other.instrument, other.side) == (order.instrument, order.side)
            for begun, end, other in lives
        )
        for start, _, order in lives
    )


def test_one_order_of_a_side_rests_at_a_time_unless_crowded() -> None:
    crowded = {True: 0, False: 0}
    for seed in range(200):
        session = generate(seed)
        most = resting_together(session)
        found = "crowded" in session.tags
        crowded[found] = max(crowded[found], most)
    assert crowded[False] == 1
    assert crowded[True] > 1


def test_books_are_never_crossed_after_a_message() -> None:
    for seed in SEEDS:
        session = generate(seed, "books")
        books: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
        for row in session.tape:
            if row.kind == "clear":
                books[row.instrument] = ({}, {})
            elif row.kind == "level":
                side = books[row.instrument][row.flag & 1]
                if row.b:
                    side[row.a] = row.b
                else:
                    assert side.pop(row.a, None) is not None
            if row.kind != "trade" and not row.flag & MORE:
                bids, asks = books[row.instrument]
                assert max(bids) < min(asks)


def test_commands_can_be_left_out_with_what_refers_to_them() -> None:
    session = generate(3)
    first = next(i for i, each in enumerate(session.commands) if each.do == "cancel")
    number = session.commands[first].id
    sent = next(
        i
        for i, each in enumerate(session.commands)
        if number in {order.id for order in each.sent()}
    )
    left = session.without(frozenset({sent}))
    assert number not in left.orders()
    assert all(each.id != number for each in left.commands if each.do in ("cancel", "amend"))
    assert session.without(frozenset()) == session
