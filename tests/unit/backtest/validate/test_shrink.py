from quantvista.backtest.validate import Finding
from quantvista.backtest.validate._compare import Difference
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._session import Session
from quantvista.backtest.validate._shrink import shrink


def test_only_the_commands_that_matter_are_left() -> None:
    session = generate(2)
    orders = [each.order.id for each in session.commands if each.order is not None]
    needed = {orders[3], orders[9]}
    runs = 0

    def again(tried: Session) -> Finding | None:
        nonlocal runs
        runs += 1
        if not needed <= set(tried.orders()):
            return None
        return Finding(tried, Difference(tried.end, "fills", ""), None)

    first = again(session)
    assert first is not None
    small = shrink(first, again)
    assert set(small.session.orders()) == needed
    assert len(small.session.commands) == 2
    assert runs <= 61


def test_a_difference_that_a_rule_explains_is_not_taken_for_it() -> None:
    session = generate(2)
    whole = len(session.commands)

    def again(tried: Session) -> Finding | None:
        rule = None if len(tried.commands) == whole else "known"
        return Finding(tried, Difference(tried.end, "fills", ""), rule)

    first = again(session)
    assert first is not None
    assert shrink(first, again).session == session
