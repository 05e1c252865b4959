//! Each rule: the last order that passes, the first that fails, the figure and the limit.

use super::*;
use crate::config::{Currency, InstrumentKind};
use crate::config::{PositionMode, Settlement};
use crate::limits::SleeveLimits;
use crate::limits::ValueAtRisk;
use crate::order::Leg;
use crate::output::{Figure, Outcome, Rule};

pub(super) fn money(units: i128) -> Figure {
    Figure::Money(units * MONEY)
}

#[track_caller]
pub(super) fn passes(verdict: Verdict) {
    assert_eq!(
        (verdict.rule, verdict.outcome),
        (Rule::All, Outcome::Accepted),
        "{verdict:?}"
    );
}

#[track_caller]
pub(super) fn fails(verdict: Verdict, rule: Rule, figure: Figure, limit: Figure) {
    assert_eq!(
        (verdict.rule, verdict.figure, verdict.limit, verdict.outcome),
        (rule, figure, limit, Outcome::Rejected)
    );
}

#[test]
fn worst_cases_count_both_sides_in_flight() {
    let mut desk = Desk::margin(Limits {
        position_max: Some(2_000 * MONEY),
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 10));
    passes(desk.sell(1, 0, 20));
    // 10 bought and 20 sold in flight: the worst is 20 short, and may be 20 long besides.
    passes(desk.buy(0, 0, 10));
    fails(
        desk.buy(0, 0, 1),
        Rule::Position,
        money(2_100),
        money(2_000),
    );
    fails(
        desk.sell(1, 0, 1),
        Rule::Position,
        money(2_100),
        money(2_000),
    );
}

#[test]
fn what_raises_nothing_passes_a_limit_that_is_crossed() {
    let mut desk = Desk::margin(Limits {
        position_max: Some(2_000 * MONEY),
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 20));
    desk.session(&[100, 100, 100]);
    desk.session(&[150, 100, 100]);
    passes(desk.sell(0, 0, 20));
    // Beyond the position, but no worse than what is held.
    passes(desk.sell(0, 0, 20));
    fails(
        desk.sell(0, 0, 1),
        Rule::Position,
        money(3_150),
        money(2_000),
    );
    fails(
        desk.buy(0, 0, 1),
        Rule::Position,
        money(3_150),
        money(2_000),
    );
}

#[test]
fn sums_over_sectors_funds_and_sleeves() {
    let limits = Limits {
        sector_max: Some(20_000_000),   // 4 000
        gross_max: Some(30_000_000),    // 6 000
        leverage_max: Some(35_000_000), // 7 000
        ..Limits::default()
    };
    let mut desk = Desk::margin(limits);
    passes(desk.buy(0, 0, 20));
    passes(desk.sell(0, 1, 20));
    fails(desk.buy(0, 1, 21), Rule::Sector, money(4_100), money(4_000));
    passes(desk.buy(0, 2, 20));
    fails(desk.buy(0, 2, 1), Rule::Gross, money(6_100), money(6_000));
    // Between sleeves an instrument nets once it is filled, but leverage does not.
    desk.session(&[100, 100, 100]);
    passes(desk.sell(1, 2, 10));
    fails(
        desk.sell(1, 2, 1),
        Rule::Leverage,
        money(7_100),
        money(7_000),
    );
}

#[test]
fn limits_of_a_sleeve_are_of_its_own_equity() {
    let mut config = config(AccountKind::Margin, Limits::default());
    config.sleeves[0].limits = SleeveLimits {
        weight_max: Some(20_000_000), // 2 000
        gross_max: Some(30_000_000),  // 3 000
        ..SleeveLimits::default()
    };
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    passes(desk.buy(0, 0, 20));
    fails(
        desk.buy(0, 0, 1),
        Rule::SleeveConcentration,
        money(2_100),
        money(2_000),
    );
    passes(desk.sell(0, 1, 10));
    fails(
        desk.buy(0, 2, 1),
        Rule::SleeveGross,
        money(3_100),
        money(3_000),
    );
    passes(desk.buy(1, 2, 500));
}

#[test]
fn net_exposure_is_bounded_on_both_sides_and_free_for_what_reduces() {
    let mut desk = Desk::margin(Limits {
        net_max: Some(10_000_000), // 2 000
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 20));
    fails(desk.buy(0, 1, 1), Rule::Net, money(2_100), money(2_000));
    // A sale in flight helps nothing yet.
    passes(desk.sell(0, 1, 20));
    fails(desk.buy(0, 2, 1), Rule::Net, money(2_100), money(2_000));
    desk.session(&[100, 100, 100]);
    // Hedged now; closing one leg alone bares the other, and may.
    passes(desk.sell(0, 0, 20));
    passes(desk.buy(0, 1, 20));
    fails(desk.buy(0, 2, 1), Rule::Net, money(2_100), money(2_000));
}

#[test]
fn margin_is_asked_of_the_worst_case_with_what_orders_lose_at_once() {
    let mut desk = Desk::margin(Limits::default());
    fails(
        desk.buy(0, 0, 2_001),
        Rule::Margin,
        money(100_050),
        money(100_000),
    );
    passes(desk.buy(0, 0, 1_000));
    // Half of it at the mark, and ten a piece that the limit is above it.
    fails(
        desk.submit(limit(0, 1, Side::Buy, 834, 110)),
        Rule::Margin,
        money(50_000 + 41_700 + 8_340),
        money(100_000),
    );
    passes(desk.submit(limit(0, 1, Side::Buy, 833, 110)));
    passes(desk.sell(1, 2, 2_000));
    desk.session(&[100, 100, 100]);
    desk.session(&[100, 100, 110]);
    // Closing is free, however little is left.
    passes(desk.buy(1, 2, 2_000));
}

#[test]
fn short_sales_need_a_locate() {
    let mut config = config(AccountKind::Margin, Limits::default());
    config.instruments[0].shortable = 10;
    config.instruments[1].shortable = 0;
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    passes(desk.sell(0, 0, 6));
    let (six, ten) = (Figure::Quantity(6), Figure::Quantity(10));
    fails(desk.sell(1, 0, 5), Rule::Locate, Figure::Quantity(11), ten);
    passes(desk.sell(1, 0, 4));
    fails(desk.sell(0, 1, 6), Rule::NoShort, six, Figure::Quantity(0));
}

#[test]
fn legs_are_closed_and_not_flipped() {
    let mut config = config(AccountKind::Margin, Limits::default());
    config.account.positions = PositionMode::Hedging;
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    let on = |leg, side, quantity| OrderRequest {
        leg,
        ..market(0, 0, side, quantity)
    };
    passes(desk.submit(on(Leg::Long, Side::Buy, 10)));
    passes(desk.submit(on(Leg::Short, Side::Sell, 4)));
    desk.session(&[100, 100, 100]);
    let quantity = Figure::Quantity;
    fails(
        desk.submit(on(Leg::Long, Side::Sell, 11)),
        Rule::Leg,
        quantity(11),
        quantity(10),
    );
    passes(desk.submit(on(Leg::Long, Side::Sell, 7)));
    fails(
        desk.submit(on(Leg::Long, Side::Sell, 4)),
        Rule::Leg,
        quantity(4),
        quantity(3),
    );
    passes(desk.submit(on(Leg::Short, Side::Buy, 4)));
}

#[test]
fn reduce_only_orders_stay_within_the_position() {
    let mut desk = Desk::margin(Limits::default());
    let reduce = |side, quantity| OrderRequest {
        reduce_only: true,
        ..market(0, 0, side, quantity)
    };
    let quantity = Figure::Quantity;
    fails(
        desk.submit(reduce(Side::Sell, 1)),
        Rule::ReduceOnly,
        quantity(1),
        quantity(0),
    );
    passes(desk.buy(0, 0, 5));
    desk.session(&[100, 100, 100]);
    fails(
        desk.submit(reduce(Side::Sell, 6)),
        Rule::ReduceOnly,
        quantity(6),
        quantity(5),
    );
    fails(
        desk.submit(reduce(Side::Buy, 1)),
        Rule::ReduceOnly,
        quantity(1),
        quantity(0),
    );
    // Two of them may stand side by side, since a match cuts them.
    passes(desk.submit(reduce(Side::Sell, 5)));
    passes(desk.submit(reduce(Side::Sell, 5)));
}

#[test]
fn targets_are_cut_to_what_every_check_accepts() {
    let risk = ValueAtRisk {
        scenarios: 2,
        confidence: 500_000_000,
        max: Some(1_000_000), // 200
        step_max: None,
    };
    let limits = Limits {
        value_at_risk: Some(risk),
        net_max: Some(50_000_000), // 10 000
        ..Limits::default()
    };
    let mut desk = Desk::margin(limits);
    let hundredth = 10_000_000;
    desk.scenarios(0, &[-hundredth, -3 * hundredth]);
    desk.scenarios(1, &[-hundredth, hundredth]);
    let out = desk.feed(Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, 900_000_000)],
    });
    let verdict = verdicts(&out)[0];
    assert_eq!(verdict.outcome, Outcome::Cut);
    assert_eq!((verdict.rule, verdict.figure), (Rule::Net, money(90_000)));
    assert_eq!(desk.working()[0].quantity, 100);
    desk.session(&[100, 100, 100]);
    // From long to short: what reduces always passes, the rest as far as the limits go.
    let out = desk.feed(Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, -900_000_000)],
    });
    let verdict = verdicts(&out)[0];
    assert_eq!((verdict.outcome, verdict.rule), (Outcome::Cut, Rule::Net));
    assert_eq!(desk.working()[0].quantity, 200);
}

#[test]
fn an_exchange_moves_the_rows_of_its_currencies() {
    let mut config = config(
        AccountKind::Cash,
        Limits {
            position_max: Some(300 * MONEY),
            ..Limits::default()
        },
    );
    for code in ["BTC", "EUR"] {
        config.currencies.push(Currency::new(code, 8));
    }
    config.instruments.truncate(2);
    for (instrument, quote) in config.instruments.iter_mut().zip([0, 2]) {
        instrument.kind = InstrumentKind::Pair;
        instrument.settlement = Settlement::Exchange { base: 1 };
        instrument.currency = quote;
    }
    config.sleeves[0].balances = vec![(2, 50 * MONEY)];
    let mut desk = Desk::new(config);
    desk.session(&[100, 80]);
    let none = Figure::None;
    fails(desk.buy(0, 0, 1), Rule::NoRate, none, none);
    for (currency, rate) in [(1, 100), (2, 2)] {
        let rate = rate * 1_000_000_000_000;
        desk.feed(Event::CurrencyRate { currency, rate });
    }
    passes(desk.buy(0, 0, 2));
    fails(desk.buy(0, 0, 2), Rule::Position, money(400), money(300));
    fails(desk.buy(0, 1, 1), Rule::Cash, money(80), money(50));
    fails(desk.sell(0, 0, 1), Rule::Cash, money(1), money(0));
    desk.session(&[100, 80]);
    assert_eq!(desk.engine.ledger.cash(0, 1), 2 * MONEY);
    // Sold for euros there is less of the one and more of the other.
    fails(desk.sell(0, 1, 2), Rule::Position, money(420), money(300));
    passes(desk.sell(0, 1, 1));
    passes(desk.sell(0, 0, 1));
    fails(desk.sell(0, 0, 1), Rule::Cash, money(1), money(0));
}

#[test]
fn cash_accounts_keep_the_rules_of_bars() {
    let mut desk = Desk::cash(Limits {
        weight_max: Some(250_000_000), // 50 000
        ..Limits::default()
    });
    fails(
        desk.buy(0, 0, 1_001),
        Rule::Cash,
        money(100_100),
        money(100_000),
    );
    passes(desk.buy(0, 0, 400));
    fails(
        desk.buy(1, 0, 101),
        Rule::Concentration,
        money(50_100),
        money(50_000),
    );
    passes(desk.buy(1, 0, 100));
    desk.session(&[100, 100, 100]);
    let quantity = Figure::Quantity;
    passes(desk.sell(0, 0, 300));
    fails(
        desk.sell(0, 0, 101),
        Rule::NoShort,
        quantity(101),
        quantity(100),
    );
    // Sales in flight do not make room.
    fails(
        desk.buy(1, 0, 1),
        Rule::Concentration,
        money(50_100),
        money(50_000),
    );
}
