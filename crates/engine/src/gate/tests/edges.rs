//! The edges of rules at which a slip would go unseen elsewhere.

use super::rules::{fails, money, passes};
use super::*;
use crate::config::{Currency, InstrumentKind, Settlement};
use crate::gate::Guard;
use crate::gate::figures::Figures;
use crate::gate::scenarios::Column;
use crate::ledger::Ledger;
use crate::limits::{Breaker, Breakers, Crossed, ValueAtRisk};
use crate::models::fees::FeeModel;
use crate::order::{Link, OrderStatus};
use crate::output::{Figure, Outcome, Rule};
use crate::risk::{Cause, Command, FundState};

/// Causes that were told, with figure and limit.
fn told(out: &[Output]) -> Vec<(Cause, Figure, Figure)> {
    out.iter()
        .filter_map(|output| match output {
            Output::StateChanged {
                cause,
                figure,
                limit,
                ..
            } => Some((*cause, *figure, *limit)),
            _ => None,
        })
        .collect()
}

/// Two currencies exchanged for each other: the fund's own, 0, and another one.
fn exchange(base: usize) -> Desk {
    let mut config = config(AccountKind::Cash, Limits::default());
    config.currencies.push(Currency {
        code: "EUR".to_owned(),
        ..config.currencies[0].clone()
    });
    config.instruments.truncate(1);
    config.instruments[0].kind = InstrumentKind::Pair;
    config.instruments[0].settlement = Settlement::Exchange { base };
    config.instruments[0].currency = 1 - base;
    config.sleeves[0].balances = vec![(1, 1_000 * MONEY)];
    let mut desk = Desk::new(config);
    desk.session(&[100]);
    desk
}

/// Two scenarios of which the worse one counts, and 200 that may be lost in it.
fn at_risk(crossed: Crossed) -> Limits {
    Limits {
        value_at_risk: Some(ValueAtRisk {
            scenarios: 2,
            confidence: 900_000_000,
            max: Some(1_000_000),
            step_max: None,
        }),
        crossed,
        ..Limits::default()
    }
}

#[test]
fn what_is_cut_is_cut_to_whole_lots() {
    let by_money = Limits {
        position_max: Some(10_550 * MONEY),
        ..Limits::default()
    };
    let by_quantity = Limits {
        fat_finger_quantity: Some(87),
        ..Limits::default()
    };
    for (limits, rule, quantity) in [
        (by_money, Rule::Position, 100),
        (by_quantity, Rule::FatFingerQuantity, 80),
    ] {
        let mut config = config(AccountKind::Margin, limits);
        config.instruments[0].lot_size = 10;
        let mut desk = Desk::new(config);
        desk.session(&[100, 100, 100]);
        let out = desk.feed(Event::TargetPortfolio {
            sleeve: 0,
            targets: vec![(0, 900_000_000)],
        });
        let verdict = verdicts(&out)[0];
        assert_eq!((verdict.rule, verdict.outcome), (rule, Outcome::Cut));
        assert_eq!(desk.working()[0].quantity, quantity);
    }
}

#[test]
fn what_leaves_net_exposure_as_it_is_passes_where_net_is_crossed() {
    let mut desk = Desk::margin(Limits {
        net_max: Some(10_000_000), // 2 000
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 20));
    desk.session(&[100, 100, 100]);
    desk.session(&[120, 100, 100]);
    fails(desk.buy(0, 1, 1), Rule::Net, money(2_500), money(2_004));
    // It opens a short position and reduces nothing, yet the worst case is as it was.
    passes(desk.sell(0, 1, 1));
}

#[test]
fn breakers_tell_the_count_that_tripped_them() {
    let breaker = Breaker {
        limit: 2,
        window_ns: 10,
        state: FundState::ReduceOnly,
    };
    let (found, limit) = (Figure::Count(3), Figure::Count(2));
    for (cause, quantity) in [(Cause::Rejects, 0), (Cause::OrderRate, 1)] {
        let mut desk = Desk::margin(Limits {
            breakers: Breakers {
                rejects: (cause == Cause::Rejects).then_some(breaker),
                order_rate: (cause == Cause::OrderRate).then_some(breaker),
                ..Breakers::default()
            },
            ..Limits::default()
        });
        let order = Event::SubmitOrder(market(0, 0, Side::Buy, quantity));
        assert_eq!(told(&desk.feed(order.clone())), []);
        assert_eq!(told(&desk.feed(order.clone())), []);
        assert_eq!(told(&desk.feed(order)), [(cause, found, limit)]);
    }
}

#[test]
fn a_limit_crossed_between_barriers_is_seen_before_the_next_order() {
    let mut desk = Desk::margin(Limits {
        gross_max: Some(100_000_000), // 20 000
        crossed: Crossed::ReduceOnly,
        ..Limits::default()
    });
    passes(desk.buy(0, 0, 200));
    desk.session(&[100, 100, 100]);
    desk.engine.change_mark(desk.ts, 0, 120).unwrap();
    let out = desk.feed(Event::SubmitOrder(market(1, 1, Side::Buy, 1)));
    // 200 at 120, of equity that has grown by 4 000.
    let crossed = (Cause::LimitCrossed, money(24_000), money(20_400));
    assert_eq!(told(&out), [crossed]);
    assert_eq!(verdicts(&out)[0].rule, Rule::State);
}

#[test]
fn children_that_wait_for_their_parent_stay_where_only_reducing_is_allowed() {
    let mut desk = Desk::margin(Limits::default());
    passes(desk.buy(0, 0, 10));
    desk.session(&[100, 100, 100]);
    let orders = vec![
        limit(0, 0, Side::Sell, 4, 120),
        limit(0, 0, Side::Buy, 4, 80),
    ];
    let link = Link::Oto;
    desk.feed(Event::SubmitList { orders, link });
    let out = desk.feed(Event::Operator(Command::Reduce));
    assert!(
        !out.iter()
            .any(|each| matches!(each, Output::OrderCancelled { .. }))
    );
    assert_eq!(desk.working()[1].status, OrderStatus::Held);
    let out = desk.feed(Event::Operator(Command::Halt));
    let is_cancel = |each: &&Output| matches!(each, Output::OrderCancelled { .. });
    assert_eq!(out.iter().filter(is_cancel).count(), 2);
}

#[test]
fn a_pair_needs_the_rates_of_both_its_currencies() {
    let mut config = config(AccountKind::Cash, Limits::default());
    for code in ["EUR", "GBP"] {
        config.currencies.push(Currency {
            code: code.to_owned(),
            ..config.currencies[0].clone()
        });
    }
    config.instruments.truncate(1);
    config.instruments[0].kind = InstrumentKind::Pair;
    config.instruments[0].settlement = Settlement::Exchange { base: 1 };
    config.instruments[0].currency = 2;
    let none = Figure::None;
    for known in [1, 2] {
        let mut desk = Desk::new(config.clone());
        desk.session(&[100]);
        desk.feed(Event::CurrencyRate {
            currency: known,
            rate: 1_000_000_000_000,
        });
        fails(desk.buy(0, 0, 1), Rule::NoRate, none, none);
    }
}

#[test]
fn to_buy_the_funds_own_currency_reduces() {
    let mut desk = exchange(0);
    desk.feed(Event::CurrencyRate {
        currency: 1,
        rate: 10_000_000_000,
    });
    desk.feed(Event::Operator(Command::Reduce));
    let none = Figure::None;
    fails(desk.sell(0, 0, 1), Rule::State, none, none);
    passes(desk.buy(0, 0, 1));
    // In units of the pair: one costs a hundred of the other currency, and there are 1 000.
    fails(desk.buy(0, 0, 10), Rule::Cash, money(1_000), money(900));
}

#[test]
fn to_sell_for_the_funds_own_currency_reduces_by_what_there_is() {
    let mut desk = exchange(1);
    desk.feed(Event::CurrencyRate {
        currency: 1,
        rate: 100_000_000_000_000,
    });
    desk.feed(Event::Operator(Command::Reduce));
    let none = Figure::None;
    fails(desk.buy(0, 0, 1), Rule::State, none, none);
    fails(desk.sell(0, 0, 1_001), Rule::State, none, none);
    passes(desk.sell(0, 0, 600));
    fails(desk.sell(0, 0, 401), Rule::State, none, none);
    passes(desk.sell(0, 0, 400));
}

#[test]
fn value_at_risk_is_unknown_while_returns_of_anything_held_have_expired() {
    let mut desk = Desk::margin(at_risk(Crossed::Refuse));
    let hundredth = 10_000_000;
    desk.scenarios(0, &[-hundredth, hundredth]);
    passes(desk.buy(0, 0, 10));
    for _ in 0..11 {
        desk.session(&[100, 100, 100]);
    }
    desk.scenarios(1, &[-hundredth, hundredth]);
    let cap = money(200);
    fails(desk.buy(0, 1, 1), Rule::ValueAtRisk, Figure::None, cap);
    passes(desk.sell(0, 0, 10));
    desk.session(&[100, 100, 100]);
    // Nothing is held of it any more.
    passes(desk.buy(0, 1, 1));
}

#[test]
fn value_at_risk_that_the_statistics_raise_turns_the_fund_reduce_only() {
    let mut desk = Desk::margin(at_risk(Crossed::ReduceOnly));
    let tenth = 100_000_000;
    desk.scenarios(0, &[-tenth, 0]);
    passes(desk.buy(0, 0, 10));
    assert_eq!(told(&desk.session(&[100, 100, 100])), []);
    desk.scenarios(0, &[-3 * tenth, 0]);
    let crossed = (Cause::LimitCrossed, money(300), money(200));
    assert_eq!(told(&desk.session(&[100, 100, 100])), [crossed]);
}

#[test]
fn value_at_risk_counts_currencies_that_are_exchanged() {
    let mut config = config(AccountKind::Cash, at_risk(Crossed::Refuse));
    config.currencies.push(Currency {
        code: "EUR".to_owned(),
        ..config.currencies[0].clone()
    });
    config.instruments.truncate(1);
    config.instruments[0].kind = InstrumentKind::Pair;
    config.instruments[0].settlement = Settlement::Exchange { base: 1 };
    let mut desk = Desk::new(config);
    desk.session(&[100]);
    desk.feed(Event::CurrencyRate {
        currency: 1,
        rate: 100_000_000_000_000,
    });
    let tenth = 100_000_000;
    desk.scenarios(0, &[-tenth, tenth]);
    passes(desk.buy(0, 0, 10));
    fails(
        desk.buy(0, 0, 11),
        Rule::ValueAtRisk,
        money(210),
        money(200),
    );
    desk.session(&[100]);
    fails(
        desk.buy(1, 0, 11),
        Rule::ValueAtRisk,
        money(210),
        money(200),
    );
    passes(desk.buy(1, 0, 10));
}

#[test]
fn what_reduces_needs_no_value_at_risk_even_where_it_cannot_be_told() {
    let mut config = config(AccountKind::Margin, at_risk(Crossed::Refuse));
    config.sleeves[0].cash = 1_000_000_000_000 * MONEY;
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    desk.scenarios(0, &[-1, 1]);
    passes(desk.buy(0, 0, 1_000_000_000));
    desk.session(&[100, 100, 100]);
    desk.engine.change_mark(desk.ts, 0, 100_000_000).unwrap();
    passes(desk.sell(0, 0, 1_000_000_000));
}

#[test]
fn what_the_gate_remembers_fits_its_configuration_or_is_refused() {
    let mut config = config(
        AccountKind::Margin,
        Limits {
            duplicate_window_ns: Some(10),
            ..at_risk(Crossed::Refuse)
        },
    );
    let guard = Guard::new(&config, &[0, 0]);
    assert!(guard.fits(&config));
    let request = market(0, 0, Side::Buy, 1);
    // Two sleeves with three instruments each: lines 0 to 5.
    for (line, fits) in [(5, true), (6, false)] {
        let mut guard = guard.clone();
        guard.newest.insert((line, Side::Buy), (0, request));
        assert_eq!(guard.fits(&config), fits, "line {line}");
    }
    let changes: [fn(&mut Guard); 6] = [
        |guard| guard.sleeves.truncate(1),
        |guard| guard.references.truncate(2),
        |guard| guard.columns.truncate(2),
        |guard| guard.figures = Figures::new(2),
        |guard| guard.fund = FundState::Halted,
        |guard| {
            guard.columns[1] = Some(Column {
                returns: vec![0; 3],
                expires_at: 0,
            });
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut guard = guard.clone();
        change(&mut guard);
        assert!(!guard.fits(&config), "change {number}");
    }
    let mut guard = guard;
    guard.columns[1] = Some(Column {
        returns: vec![0; 2],
        expires_at: 0,
    });
    assert!(guard.fits(&config));
    config.limits.value_at_risk = None;
    assert!(!guard.fits(&config));
}

#[test]
fn books_fit_their_configuration_or_are_refused() {
    let mut good = config(AccountKind::Cash, Limits::default());
    good.instruments[1].settlement_days = 3;
    let ledger = Ledger::open(&good).unwrap();
    assert!(ledger.fits(&good));
    let changes: [fn(&mut Config); 5] = [
        |config| config.instruments.truncate(2),
        |config| config.sleeves.truncate(1),
        |config| config.currencies.push(config.currencies[0].clone()),
        |config| config.instruments[1].settlement_days = 2,
        |config| config.instruments[0].currency = 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = good.clone();
        change(&mut other);
        assert!(!ledger.fits(&other), "change {number}");
    }
}

#[test]
fn buys_reserve_their_fee_and_sales_promise_what_they_bring_at_the_worst() {
    let mut config = config(AccountKind::Cash, Limits::default());
    config.venues[0].fee = FeeModel::flat(10_000_000); // a hundredth
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    passes(desk.buy(0, 0, 500));
    desk.session(&[100, 100, 100]);
    // There are 49 500, and 100 at 75 less 75: the band is a quarter.
    passes(desk.sell(0, 0, 100));
    let available = money(49_500 + 7_500 - 75);
    fails(desk.buy(0, 1, 564), Rule::Cash, money(56_964), available);
    passes(desk.buy(0, 1, 563));
    fails(desk.buy(0, 1, 1), Rule::Cash, money(101), money(62));
}

#[test]
fn the_edges_of_the_price_band_are_rounded_towards_the_mark() {
    let mut desk = Desk::margin(Limits::default());
    desk.session(&[99, 99, 99]);
    let price = Figure::Price;
    // A quarter either way: 123.75 and 74.25.
    for (side, outside, edge) in [(Side::Buy, 124, 123), (Side::Sell, 74, 75)] {
        let verdict = desk.submit(limit(0, 0, side, 1, outside));
        fails(verdict, Rule::PriceBand, price(outside), price(edge));
        passes(desk.submit(limit(0, 0, side, 1, edge)));
    }
}
