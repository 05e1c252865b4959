//! Each rule: the last order that passes, the first that fails, the figure and the limit.

use super::*;
use crate::config::{PositionMode, Settlement};
use crate::limits::{OrderRate, ValueAtRisk};
use crate::order::Leg;
use crate::output::{Figure, Outcome, Rule};

fn money(units: i128) -> Figure {
    Figure::Money(units * MONEY)
}

#[track_caller]
fn passes(verdict: Verdict) {
    assert_eq!(
        (verdict.rule, verdict.outcome),
        (Rule::All, Outcome::Accepted),
        "{verdict:?}"
    );
}

#[track_caller]
fn fails(verdict: Verdict, rule: Rule, figure: Figure, limit: Figure) {
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
    let mut desk = Desk::margin(Limits::default());
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
        assert!(desk.engine.receive_figure(&figure).is_err(), "{figure:?}");
    }
    let scenarios = Scenarios {
        instrument: 0,
        returns: vec![0; 3],
        expires_at: i64::MAX,
    };
    assert!(desk.engine.receive_scenarios(&scenarios).is_err());
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
        config.currencies.push(Currency {
            code: code.to_owned(),
            precision: 8,
            ..config.currencies[0].clone()
        });
    }
    config.instruments.truncate(2);
    for (instrument, quote) in config.instruments.iter_mut().zip([0, 2]) {
        instrument.kind = InstrumentKind::Pair;
        instrument.settlement = Settlement::Exchange { base: 1 };
        instrument.currency = quote;
        instrument.shortable = 0;
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
