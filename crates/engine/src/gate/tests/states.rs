//! States, commands and breakers.

use super::*;
use crate::limits::{Breaker, Breakers, Crossed};
use crate::order::Reason;
use crate::output::{Figure, Outcome, Rule};
use crate::risk::{Cause, Command, FundState, SleeveState};

const HALF: i64 = 500_000_000;
const TENTH: i64 = 100_000_000;

fn states(out: &[Output]) -> Vec<(FundState, Cause)> {
    out.iter()
        .filter_map(|output| match output {
            Output::StateChanged { state, cause, .. } => Some((*state, *cause)),
            _ => None,
        })
        .collect()
}

fn cancelled(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderCancelled { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}

fn breaker(limit: i64, state: FundState) -> Breaker {
    Breaker {
        limit,
        window_ns: 10,
        state,
    }
}

fn with_breakers(breakers: Breakers) -> Limits {
    Limits {
        breakers,
        ..Limits::default()
    }
}

fn refused(verdict: Verdict) -> Option<Rule> {
    (verdict.outcome == Outcome::Rejected).then_some(verdict.rule)
}

#[test]
fn reduce_only_keeps_what_reduces_and_refuses_the_rest() {
    let mut desk = Desk::margin(Limits::default());
    desk.buy(0, 0, 10);
    desk.session(&[100, 100, 100]);
    desk.submit(limit(0, 0, Side::Sell, 4, 120));
    desk.submit(limit(0, 0, Side::Buy, 4, 80));
    desk.submit(limit(1, 0, Side::Sell, 4, 120));
    let out = desk.feed(Event::Operator(Command::Reduce));
    assert_eq!(states(&out), [(FundState::ReduceOnly, Cause::Operator)]);
    let reason = Reason::ReduceOnly;
    assert_eq!(cancelled(&out), [(3, reason), (4, reason)]);
    assert_eq!(refused(desk.buy(0, 0, 1)), Some(Rule::State));
    assert_eq!(refused(desk.sell(1, 0, 1)), Some(Rule::State));
    assert_eq!(refused(desk.sell(0, 0, 7)), Some(Rule::State));
    assert_eq!(refused(desk.sell(0, 0, 6)), None);
    // A command that changes nothing is not told; one that loosens is not obeyed.
    assert!(desk.feed(Event::Operator(Command::Reduce)).is_empty());
    let out = desk.feed(Event::Operator(Command::Halt));
    assert_eq!(states(&out), [(FundState::Halted, Cause::Operator)]);
    assert_eq!(cancelled(&out), [(2, Reason::State), (8, Reason::State)]);
    assert!(desk.feed(Event::Operator(Command::Reduce)).is_empty());
    assert_eq!(refused(desk.sell(0, 0, 1)), Some(Rule::State));
    let out = desk.feed(Event::Operator(Command::Resume));
    assert_eq!(states(&out), [(FundState::Active, Cause::Operator)]);
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
}

#[test]
fn sleeves_are_switched_one_by_one() {
    let mut desk = Desk::margin(Limits::default());
    desk.buy(0, 0, 10);
    desk.session(&[100, 100, 100]);
    desk.submit(limit(0, 1, Side::Buy, 4, 80));
    desk.submit(limit(1, 1, Side::Buy, 4, 80));
    let switch = |state| Event::Operator(Command::Sleeve { sleeve: 0, state });
    let out = desk.feed(switch(SleeveState::ReduceOnly));
    assert_eq!(cancelled(&out), [(2, Reason::ReduceOnly)]);
    assert_eq!(refused(desk.buy(0, 0, 1)), Some(Rule::SleeveState));
    assert_eq!(refused(desk.sell(0, 0, 3)), None);
    let out = desk.feed(switch(SleeveState::Off));
    assert_eq!(cancelled(&out), [(5, Reason::State)]);
    assert_eq!(refused(desk.sell(0, 0, 1)), Some(Rule::SleeveState));
    assert_eq!(refused(desk.buy(1, 0, 1)), None);
    desk.feed(switch(SleeveState::On));
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
    assert_eq!(desk.engine.sleeve_state(0), SleeveState::On);
}

#[test]
fn flatten_closes_every_position_and_halts() {
    let mut desk = Desk::margin(Limits::default());
    desk.buy(0, 0, 10);
    desk.sell(1, 0, 7);
    desk.sell(0, 2, 3);
    desk.session(&[100, 100, 100]);
    desk.submit(limit(0, 0, Side::Sell, 4, 120));
    let out = desk.feed(Event::Operator(Command::Flatten));
    assert_eq!(states(&out), [(FundState::Halted, Cause::Flatten)]);
    assert_eq!(cancelled(&out), [(4, Reason::State)]);
    let sent: Vec<_> = desk
        .working()
        .iter()
        .map(|order| (order.sleeve, order.instrument, order.side, order.quantity))
        .collect();
    let expected = [
        (0, 0, Side::Sell, 10),
        (0, 2, Side::Buy, 3),
        (1, 0, Side::Buy, 7),
    ];
    assert_eq!(sent, expected);
    // Again: the orders are sent anew.
    let out = desk.feed(Event::Operator(Command::Flatten));
    assert_eq!(cancelled(&out).len(), 3);
    desk.session(&[100, 100, 100]);
    for (sleeve, instrument) in [(0, 0), (0, 2), (1, 0)] {
        assert_eq!(desk.held(sleeve, instrument), 0);
    }
    assert_eq!(refused(desk.buy(0, 0, 1)), Some(Rule::State));
    desk.feed(Event::Operator(Command::Resume));
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
}

#[test]
fn limits_change_by_command() {
    let mut desk = Desk::margin(Limits::default());
    desk.buy(0, 0, 10);
    let change = |value| {
        Event::Operator(Command::ChangeLimit {
            name: "leverage_max".to_owned(),
            value,
        })
    };
    let out = desk.feed(change(Some(1)));
    assert!(matches!(out[0], Output::LimitChanged { .. }));
    assert_eq!(refused(desk.buy(0, 0, 1)), Some(Rule::Leverage));
    desk.feed(change(None));
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
    let wrong = Command::ChangeLimit {
        name: "leverage_max".to_owned(),
        value: Some(-1),
    };
    assert!(desk.engine.command(0, &wrong, &mut Vec::new()).is_err());
}

#[test]
fn a_limit_crossed_by_the_market_turns_the_fund_reduce_only_until_it_is_not() {
    let mut desk = Desk::margin(Limits {
        gross_max: Some(TENTH),             // 20 000
        position_max: Some(19_000 * MONEY), // of one instrument
        crossed: Crossed::ReduceOnly,
        ..Limits::default()
    });
    desk.buy(0, 0, 100);
    desk.sell(1, 1, 50);
    desk.session(&[100, 100, 100]);
    let out = desk.session(&[160, 100, 100]);
    let expected = (FundState::ReduceOnly, Cause::LimitCrossed);
    assert_eq!(states(&out), [expected]);
    let Output::StateChanged { rule, figure, .. } = out[0] else {
        panic!("{out:?}")
    };
    assert_eq!((rule, figure), (Rule::Gross, Figure::Money(21_000 * MONEY)));
    assert_eq!(refused(desk.buy(0, 2, 1)), Some(Rule::State));
    assert_eq!(refused(desk.sell(0, 0, 20)), None);
    let out = desk.session(&[160, 100, 100]);
    assert_eq!(states(&out), [(FundState::Active, Cause::LimitCrossed)]);
    // Position and gross at once: the first in the order of the rules is named.
    let out = desk.session(&[300, 100, 100]);
    assert!(matches!(
        out[0],
        Output::StateChanged {
            rule: Rule::Position,
            ..
        }
    ));
    // Resume does not help against it.
    let out = desk.feed(Event::Operator(Command::Resume));
    assert_eq!(states(&out), []);
    assert_eq!(desk.engine.fund_state(), FundState::ReduceOnly);
}

#[test]
fn drawdown_counts_from_the_peak_and_until_resume() {
    let mut desk = Desk::margin(with_breakers(Breakers {
        drawdown: Some(breaker(TENTH, FundState::Halted)),
        ..Breakers::default()
    }));
    desk.buy(0, 0, 1_000);
    desk.session(&[100, 100, 100]);
    assert_eq!(states(&desk.session(&[150, 100, 100])), []); // 250 000
    assert_eq!(states(&desk.session(&[125, 100, 100])), []); // 225 000
    desk.submit(limit(0, 1, Side::Buy, 1, 90));
    let out = desk.session(&[124, 100, 100]);
    assert_eq!(states(&out), [(FundState::Halted, Cause::Drawdown)]);
    assert_eq!(cancelled(&out).len(), 1);
    assert_eq!(states(&desk.session(&[150, 100, 100])), []);
    desk.feed(Event::Operator(Command::Resume));
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
}

#[test]
fn a_sleeve_has_a_drawdown_of_its_own() {
    let mut config = config(AccountKind::Margin, Limits::default());
    config.sleeves[0].limits.drawdown_max = Some(TENTH);
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    desk.buy(0, 0, 1_000);
    desk.session(&[100, 100, 100]);
    let out = desk.session(&[89, 100, 100]);
    assert!(out.iter().any(|output| matches!(
        output,
        Output::SleeveChanged {
            sleeve: 0,
            state: SleeveState::ReduceOnly,
            cause: Cause::Drawdown,
            ..
        }
    )));
    assert_eq!(refused(desk.buy(0, 1, 1)), Some(Rule::SleeveState));
    assert_eq!(refused(desk.buy(1, 1, 1)), None);
}

#[test]
fn a_storm_of_rejects_trips_after_its_input() {
    let mut desk = Desk::margin(with_breakers(Breakers {
        rejects: Some(breaker(2, FundState::ReduceOnly)),
        ..Breakers::default()
    }));
    let bad = market(0, 0, Side::Buy, 0);
    for _ in 0..2 {
        assert_eq!(refused(desk.submit(bad)), Some(Rule::Lot));
    }
    desk.ts += 10;
    for _ in 0..2 {
        assert_eq!(refused(desk.submit(bad)), Some(Rule::Lot));
    }
    let out = desk.feed(Event::SubmitOrder(bad));
    assert_eq!(states(&out), [(FundState::ReduceOnly, Cause::Rejects)]);
    // Refused for the state itself, which does not count.
    assert_eq!(refused(desk.buy(0, 0, 1)), Some(Rule::State));
    desk.feed(Event::Operator(Command::Resume));
    assert_eq!(refused(desk.buy(0, 0, 1)), None);
}

#[test]
fn too_many_orders_trip_a_breaker() {
    let mut desk = Desk::margin(with_breakers(Breakers {
        order_rate: Some(breaker(2, FundState::Halted)),
        ..Breakers::default()
    }));
    desk.buy(0, 0, 1);
    desk.buy(0, 0, 0);
    let out = desk.feed(Event::SubmitOrder(market(0, 0, Side::Buy, 1)));
    assert_eq!(states(&out), [(FundState::Halted, Cause::OrderRate)]);
    assert_eq!(cancelled(&out).len(), 2);
}

#[test]
fn a_price_that_jumps_is_a_dislocation() {
    let breakers = Breakers {
        dislocation: Some(Breaker {
            limit: HALF,
            window_ns: DAY,
            state: FundState::ReduceOnly,
        }),
        ..Breakers::default()
    };
    let mut desk = Desk::margin(with_breakers(breakers));
    assert_eq!(states(&desk.session(&[150, 100, 100])), []);
    // The reference is too old now; the mark before this one takes its place.
    let out = desk.session(&[226, 100, 100]);
    assert_eq!(states(&out), [(FundState::ReduceOnly, Cause::Dislocation)]);
    desk.feed(Event::Operator(Command::Resume));
    desk.ts += DAY;
    assert_eq!(states(&desk.session(&[500, 100, 100])), []);
}
