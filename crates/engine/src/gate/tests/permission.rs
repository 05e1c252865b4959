//! Rules that ask for statistics, times, counts and scenarios.

use super::rules::{fails, money, passes};
use super::*;
use crate::limits::{OrderRate, ValueAtRisk};
use crate::market::DataKind;
use crate::output::{Figure, Rule};

#[test]
fn fat_fingers_by_average_volume() {
    let mut desk = Desk::margin(Limits {
        fat_finger_volume: Some(10_000_000), // a hundredth
        ..Limits::default()
    });
    let quantity = Figure::Quantity;
    fails(
        desk.buy(0, 0, 1),
        Rule::FatFingerVolume,
        quantity(1),
        Figure::None,
    );
    desk.figure(RiskKind::AverageVolume, Some(0), 1_099);
    fails(
        desk.buy(0, 0, 11),
        Rule::FatFingerVolume,
        quantity(11),
        quantity(10),
    );
    passes(desk.buy(0, 0, 10));
    desk.session(&[100, 100, 100]);
    desk.session(&[100, 100, 100]);
    // The figure is stale: only what reduces passes.
    fails(
        desk.buy(0, 0, 1),
        Rule::FatFingerVolume,
        quantity(1),
        Figure::None,
    );
    passes(desk.sell(0, 0, 10));
}

#[test]
fn statistics_that_are_too_high_or_missing_allow_no_new_risk() {
    let mut desk = Desk::margin(Limits {
        volatility_max: Some(20),
        instrument_volatility_max: Some(30),
        correlation_max: Some(500_000_000),
        regimes_blocked: Some(0b100),
        ..Limits::default()
    });
    let (none, rate) = (Figure::None, Figure::Rate);
    fails(desk.buy(0, 0, 1), Rule::Regime, none, none);
    desk.figure(RiskKind::Regime, None, 2);
    fails(desk.buy(0, 0, 1), Rule::Regime, Figure::Count(2), none);
    desk.figure(RiskKind::Regime, None, 1);
    fails(desk.buy(0, 0, 1), Rule::Volatility, none, rate(20));
    desk.figure(RiskKind::FundVolatility, None, 21);
    fails(desk.buy(0, 0, 1), Rule::Volatility, rate(21), rate(20));
    desk.figure(RiskKind::FundVolatility, None, 20);
    desk.figure(RiskKind::Volatility, Some(0), 31);
    fails(desk.buy(0, 0, 1), Rule::Volatility, rate(31), rate(30));
    desk.figure(RiskKind::Volatility, Some(0), 30);
    desk.figure(RiskKind::Correlation, Some(0), 500_000_001);
    let most = rate(500_000_000);
    fails(
        desk.buy(0, 0, 1),
        Rule::Correlation,
        rate(500_000_001),
        most,
    );
    // A sale of what moves with the book is a hedge.
    passes(desk.sell(0, 0, 10));
    desk.session(&[100, 100, 100]);
    passes(desk.buy(0, 0, 10));
}

#[test]
fn figures_of_another_kind_are_refused() {
    let desk = Desk::margin(Limits::default());
    for (kind, instrument, value) in [
        (RiskKind::Regime, Some(0), 1),
        (RiskKind::Regime, None, 64),
        (RiskKind::Volatility, None, 1),
        (RiskKind::Volatility, Some(3), 1),
        (RiskKind::AverageVolume, Some(0), -1),
        (RiskKind::Correlation, Some(0), 1_000_000_001),
    ] {
        let figure = RiskFigure {
            kind,
            instrument,
            value,
            expires_at: i64::MAX,
        };
        assert!(desk.engine.check_figure(&figure).is_err(), "{figure:?}");
    }
    let scenarios = Scenarios {
        instrument: 0,
        returns: vec![0; 3],
        expires_at: i64::MAX,
    };
    assert!(desk.engine.check_scenarios(&scenarios).is_err());
}

#[test]
fn prices_grow_stale() {
    let mut desk = Desk::margin(Limits {
        bar_age_max_ns: Some(DAY),
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 5));
    desk.session(&[100, 100, 100]);
    desk.ts += DAY;
    passes(desk.buy(0, 0, 5));
    desk.ts += 1;
    let (age, most) = (Figure::Duration(DAY + 1), Figure::Duration(DAY));
    fails(desk.buy(0, 0, 1), Rule::StalePrice, age, most);
    passes(desk.sell(0, 0, 5));
}

#[test]
fn orders_come_no_faster_than_their_rate() {
    let rate = |count| {
        Some(OrderRate {
            count,
            window_ns: 10,
        })
    };
    let mut config = config(
        AccountKind::Margin,
        Limits {
            order_rate: rate(3),
            ..Limits::default()
        },
    );
    config.sleeves[0].limits.order_rate = rate(2);
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    passes(desk.buy(0, 0, 1));
    passes(desk.buy(0, 0, 1));
    let count = Figure::Count;
    fails(desk.buy(0, 0, 1), Rule::SleeveOrderRate, count(2), count(2));
    passes(desk.buy(1, 0, 1));
    fails(desk.buy(1, 0, 1), Rule::OrderRate, count(3), count(3));
    desk.ts += 10;
    passes(desk.buy(1, 0, 1));
}

#[test]
fn the_same_order_again_is_a_duplicate_for_a_while() {
    let mut desk = Desk::margin(Limits {
        duplicate_window_ns: Some(10),
        ..Limits::default()
    });
    let order = limit(0, 0, Side::Buy, 1, 99);
    passes(desk.submit(order));
    desk.ts += 9;
    let (since, window) = (Figure::Duration(9), Figure::Duration(10));
    fails(desk.submit(order), Rule::Duplicate, since, window);
    passes(desk.submit(limit(0, 0, Side::Buy, 1, 98)));
    passes(desk.submit(order));
    passes(desk.submit(limit(1, 0, Side::Buy, 1, 99)));
    passes(desk.submit(limit(0, 0, Side::Sell, 1, 99)));
    desk.ts += 10;
    passes(desk.submit(order));
}

#[test]
fn an_order_does_not_meet_one_of_ours() {
    let mut config = config(
        AccountKind::Margin,
        Limits {
            self_trade: true,
            ..Limits::default()
        },
    );
    config.instruments[0].matching = DataKind::Quotes;
    let mut desk = Desk::new(config);
    desk.engine.change_mark(0, 0, 100).unwrap();
    passes(desk.submit(limit(0, 0, Side::Sell, 5, 104)));
    passes(desk.submit(limit(0, 0, Side::Sell, 5, 103)));
    passes(desk.submit(limit(1, 0, Side::Buy, 5, 98)));
    let price = Figure::Price;
    fails(
        desk.submit(limit(1, 0, Side::Buy, 5, 103)),
        Rule::SelfTrade,
        price(103),
        price(103),
    );
    fails(desk.buy(1, 0, 5), Rule::SelfTrade, price(103), Figure::None);
    fails(
        desk.submit(limit(0, 0, Side::Sell, 5, 97)),
        Rule::SelfTrade,
        price(98),
        price(97),
    );
    passes(desk.submit(limit(1, 0, Side::Buy, 5, 100)));
    desk.feed(Event::CancelOrder { order: 2 });
    passes(desk.submit(limit(1, 0, Side::Buy, 5, 103)));
}

#[test]
fn value_at_risk_counts_no_hedge_before_it_is_filled() {
    let risk = ValueAtRisk {
        scenarios: 4,
        confidence: 750_000_000, // one scenario may be worse
        max: Some(1_000_000),    // 200
        step_max: Some(600_000), // 120
    };
    let mut desk = Desk::margin(Limits {
        value_at_risk: Some(risk),
        ..Limits::default()
    });
    let cap = money(200);
    fails(desk.buy(0, 0, 1), Rule::ValueAtRisk, Figure::None, cap);
    let tenth = 100_000_000;
    desk.scenarios(0, &[-tenth, -2 * tenth, tenth, 0]);
    desk.scenarios(1, &[-tenth, -2 * tenth, tenth, 0]);
    // The second worst scenario counts: a tenth.
    fails(
        desk.buy(0, 0, 13),
        Rule::IncrementalValueAtRisk,
        money(130),
        money(120),
    );
    passes(desk.buy(0, 0, 12));
    fails(desk.buy(0, 1, 9), Rule::ValueAtRisk, money(210), cap);
    passes(desk.buy(0, 1, 8));
    // As a hedge it would lose nothing; until it is filled, the worst case of both counts.
    fails(desk.sell(0, 1, 40), Rule::ValueAtRisk, money(400), cap);
    desk.session(&[100, 100, 100]);
    passes(desk.sell(0, 0, 12));
    passes(desk.sell(0, 1, 8));
    fails(desk.buy(0, 2, 1), Rule::ValueAtRisk, Figure::None, cap);
}
