//! Margin accounts: leverage, shorts, hedging, calls and liquidation.

use quantvista_engine::{
    Command, Event, FillKind, InstrumentKind, Leg, Output, Reason, Rule, Side,
};

use crate::market::*;

#[test]
fn leverage_ends_where_margin_does() {
    let mut market = Market::new(on_margin(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    assert_eq!(rejected_by(&market.order(0, 201)), Some(Rule::Margin));
    assert_eq!(rejected_by(&market.order(0, 150)), None);
    // 150 in flight leave room for 50.
    assert_eq!(rejected_by(&market.order(0, 51)), Some(Rule::Margin));
    market.close(&[(0, 10_000)]);
    assert_eq!(market.cash(0), -5_000 * MONEY);
    assert_eq!(market.equity(), 10_000 * MONEY);
    // Worst case of both sides: a sale of what is held needs nothing more.
    assert_eq!(rejected_by(&market.order(0, -150)), None);
}

#[test]
fn a_fill_at_a_worse_price_is_cut_to_margin() {
    let mut market = Market::new(on_margin(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    market.order(0, 200);
    let out = market.close(&[(0, 12_500)]);
    assert_eq!(fills(&out)[0].quantity, 160);
    assert_eq!(cancelled(&out), [(1, Reason::Margin)]);
    assert!(out.iter().any(|output| matches!(
        output,
        Output::Verdict(v) if v.rule == Rule::Margin
    )));
}

#[test]
fn a_fill_may_flip_a_position_in_netting() {
    let mut market = Market::new(on_margin(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    market.order(0, 50);
    market.close(&[(0, 10_000)]);
    market.order(0, -80);
    let out = market.close(&[(0, 11_000)]);
    assert_eq!(fills(&out).len(), 1);
    assert_eq!(market.quantity(0), -30);
    assert_eq!(market.engine.ledger().cost(0, 0), -3_300 * MONEY);
    assert_eq!(market.equity(), 10_500 * MONEY);
}

#[test]
fn shorts_need_a_locate() {
    let mut config = on_margin(vec![instrument("a")]);
    config.instruments[0].shortable = 40;
    let mut market = Market::new(config);
    market.close(&[(0, 10_000)]);
    assert_eq!(rejected_by(&market.order(0, -41)), Some(Rule::Locate));
    assert_eq!(rejected_by(&market.order(0, -30)), None);
    assert_eq!(rejected_by(&market.order(0, -11)), Some(Rule::Locate));
    market.close(&[(0, 10_000)]);
    market.apply(Event::ShortTerms {
        instrument: 0,
        shortable: 0,
        borrow_rate: 0,
    });
    assert_eq!(rejected_by(&market.order(0, -1)), Some(Rule::NoShort));
    assert_eq!(rejected_by(&market.order(0, 30)), None);
    market.close(&[(0, 10_000)]);
    assert_eq!(market.quantity(0), 0);
    assert_eq!(market.cash(0), 10_000 * MONEY);
}

#[test]
fn cash_accounts_sell_only_what_they_have() {
    let mut market = Market::new(config(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    assert_eq!(rejected_by(&market.order(0, -1)), Some(Rule::NoShort));
}

#[test]
fn legs_of_a_hedging_account_are_apart() {
    let mut market = Market::new(hedging(vec![difference("p", InstrumentKind::Perpetual)]));
    market.close(&[(0, 10_000)]);
    market.apply(on_leg(0, 5, Leg::Long));
    market.apply(on_leg(0, -3, Leg::Short));
    market.close(&[(0, 10_000)]);
    let position = |market: &Market, leg| market.engine.ledger().position(0, 0, leg).quantity;
    assert_eq!((position(&market, 0), position(&market, 1)), (5, -3));
    assert_eq!(market.quantity(0), 2);
    market.close(&[(0, 11_000)]);
    assert_eq!(market.equity(), 10_020 * MONEY);
    market.apply(on_leg(0, 3, Leg::Short));
    market.close(&[(0, 11_000)]);
    assert_eq!((position(&market, 0), position(&market, 1)), (5, 0));
    assert_eq!(market.cash(0), 9_970 * MONEY);
    let targets = Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, 1)],
    };
    assert!(market.try_apply(targets).is_err());
}

#[test]
fn a_call_liquidates_the_largest_first_until_initial_margin_is_met() {
    let mut market = Market::new(on_margin(vec![instrument("a"), instrument("b")]));
    market.close(&[(0, 10_000), (1, 10_000)]);
    market.order(0, 120);
    market.order(1, 80);
    market.close(&[(0, 10_000), (1, 10_000)]);
    market.limit(0, -10, 15_000);
    // Equity 4,000; margin of 8,400 and 5,600: maintenance 3,500, initial 7,000.
    let out = market.close(&[(0, 7_000), (1, 7_000)]);
    assert_eq!(cancelled(&out), []);
    // Equity 3,200 and maintenance 3,300.
    let out = market.close(&[(0, 6_600), (1, 6_600)]);
    assert!(out.contains(&Output::MarginCalled {
        ts: market.ts,
        sleeve: 0,
        equity: 3_200 * MONEY,
        required: 3_300 * MONEY,
    }));
    assert_eq!(cancelled(&out), [(3, Reason::Margin)]);
    // 3,400 are missing, at 33 a lot.
    let order = market.engine.order(4).copied().expect("a liquidation");
    assert_eq!((order.instrument, order.side), (0, Side::Sell));
    assert_eq!(order.quantity, 104);
    // Its instrument has no bar: a further fall calls for what that order will not close.
    market.close(&[(1, 3_000)]);
    let asked = |id| market.engine.order(id).map(|o| (o.instrument, o.quantity));
    assert_eq!((asked(5), asked(6)), (Some((1, 80)), Some((0, 7))));
    let out = market.close(&[(0, 6_600), (1, 3_000)]);
    let closed: Vec<_> = fills(&out).iter().map(|f| (f.kind, f.quantity)).collect();
    assert_eq!(
        closed,
        [104, 7, 80].map(|lots| (FillKind::Liquidation, lots))
    );
    assert_eq!((market.quantity(0), market.quantity(1)), (9, 0));
    assert_eq!(market.equity(), 320 * MONEY);
}

#[test]
fn calls_end_with_nothing_left_where_all_is_lost() {
    let mut market = Market::new(on_margin(vec![difference("p", InstrumentKind::Perpetual)]));
    market.close(&[(0, 10_000)]);
    market.order(0, -1_000);
    market.close(&[(0, 10_000)]);
    market.close(&[(0, 11_100)]);
    let out = market.close(&[(0, 11_100)]);
    assert_eq!(fills(&out)[0].quantity, 1_000);
    assert_eq!(market.cash(0), -1_000 * MONEY);
    for _ in 0..3 {
        assert_eq!(market.close(&[(0, 12_000)]), []);
    }
    assert_eq!(rejected_by(&market.order(0, 1)), Some(Rule::Margin));
}

#[test]
fn withdrawals_leave_what_margin_needs() {
    let mut market = Market::new(on_margin(vec![difference("p", InstrumentKind::Perpetual)]));
    market.close(&[(0, 10_000)]);
    market.order(0, 500);
    market.close(&[(0, 10_000)]);
    let refused = market.pay(0, -5_001 * MONEY);
    assert!(matches!(
        refused[..],
        [Output::CashFlowRejected { available, .. }] if available == 5_000 * MONEY
    ));
    assert_eq!(postings(&market.pay(0, -5_000 * MONEY)).len(), 1);
}

#[test]
fn flatten_sells_a_currency_once_also_where_positions_have_legs() {
    let mut market = Market::new(hedging(vec![pair("p")]));
    market.rate(1_000_000_000_000);
    market.close(&[(0, 10_000)]);
    market.apply(on_leg(0, 100, Leg::Long));
    market.close(&[(0, 10_000)]);
    let out = market.apply(Event::Operator(Command::Flatten));
    let sent = out
        .iter()
        .filter(|output| matches!(output, Output::OrderAccepted(_)));
    assert_eq!(sent.count(), 1);
}
