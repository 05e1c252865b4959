//! Corners of the venue in which engine and oracle once differed: `docs/engine/matching.md` and the
//! pages that it names.

mod single;

use quantvista_engine::Liquidity::Maker;
use quantvista_engine::Side::{Buy, Sell};
use quantvista_engine::{
    Action, Amendment, Breaker, Cause, DataKind, Event, FundState, Output, Rule,
};
use single::{Run, config, limit, order, short};

/// Refusals that say by which rule, and changes of the state with their cause, in their order.
fn told(out: &[Output]) -> Vec<String> {
    out.iter()
        .filter_map(|output| match output {
            Output::AmendRejected { rule, .. } | Output::OrderRejected { rule, .. } => {
                Some(format!("{rule:?}"))
            }
            Output::StateChanged { cause, .. } => Some(format!("{cause:?}")),
            _ => None,
        })
        .collect()
}

#[test]
fn what_a_late_command_trips_holds_for_the_next_decision() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].latency.amend_ns = 5;
    config.limits.breakers.rejects = Some(Breaker {
        limit: 1,
        window_ns: 1_000,
        state: FundState::Halted,
    });
    let mut run = Run::new(config);
    run.quote((9_900, 5), (10_000, 5));
    run.submit(limit(Buy, 1, 9_800));
    for _ in 0..2 {
        run.next(Event::AmendOrder(Amendment {
            order: 1,
            quantity: None,
            limit_price: Some(-1),
            trigger_price: None,
            trail: None,
            expire_at: None,
        }));
    }
    run.ts += 10;
    let out = run.submit(order(Buy, 1));
    let expected = [
        format!("{:?}", Rule::Tick),
        format!("{:?}", Rule::Tick),
        format!("{:?}", Cause::Rejects),
        format!("{:?}", Rule::State),
    ];
    assert_eq!(told(&out), expected);
}

#[test]
fn an_order_that_met_its_first_trade_keeps_its_rank() {
    let mut run = Run::on(DataKind::Trades);
    run.trade(1_020, 100, None);
    run.submit(limit(Buy, 10, 1_014));
    run.submit(limit(Buy, 10, 1_015));
    // It reaches neither; from now on both rest, the better price first.
    assert_eq!(short(&run.trade(1_020, 100, None)), []);
    run.next(Event::Action(Action::StockDividend {
        instrument: 0,
        numerator: 7,
        denominator: 5,
    }));
    // At one price now, the one that came first goes first.
    let out = run.trade(422, 30, None);
    assert_eq!(short(&out), [(1, 422, 24, Maker), (2, 422, 6, Maker)]);
}

#[test]
fn margin_is_not_looked_at_where_the_mark_stays() {
    let called = |out: &[Output]| {
        let is_call = |output: &&Output| matches!(output, Output::MarginCalled { .. });
        out.iter().filter(is_call).count()
    };
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_999, 100_000), (10_001, 100_000));
    run.submit(order(Buy, 90_000));
    let fallen = (9_001, 1);
    assert_eq!(called(&run.quote(fallen, (9_003, 1))), 1);
    // The order that closes the position is taken back; the next price finds the sleeve as it was.
    run.next(Event::CancelOrder { order: 2 });
    assert_eq!(called(&run.quote(fallen, (9_003, 2))), 0);
    assert_eq!(called(&run.quote((9_000, 1), (9_003, 2))), 1);

    let mut run = Run::on(DataKind::Trades);
    run.trade(10_000, 1, None);
    run.submit(order(Buy, 90_000));
    run.trade(10_000, 90_000, Some(Sell));
    assert_eq!(called(&run.trade(9_002, 1, None)), 1);
    run.next(Event::CancelOrder { order: 2 });
    assert_eq!(called(&run.trade(9_002, 1, None)), 0);
    assert_eq!(called(&run.trade(9_001, 1, None)), 1);
}
