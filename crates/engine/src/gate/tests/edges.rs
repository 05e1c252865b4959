//! The edges of rules at which a slip would go unseen elsewhere.

use super::rules::{fails, money, passes};
use super::*;
use crate::config::{Currency, InstrumentKind, Settlement};
use crate::gate::Guard;
use crate::gate::figures::Figures;
use crate::gate::scenarios::Column;
use crate::ledger::Ledger;
use crate::limits::{Breaker, Breakers, Crossed, ValueAtRisk};
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

#[test]
fn what_is_cut_is_cut_to_whole_lots() {
    let mut config = config(
        AccountKind::Margin,
        Limits {
            position_max: Some(10_550 * MONEY),
            ..Limits::default()
        },
    );
    config.instruments[0].lot_size = 10;
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    let out = desk.feed(Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, 900_000_000)],
    });
    let verdict = verdicts(&out)[0];
    assert_eq!(
        (verdict.rule, verdict.outcome),
        (Rule::Position, Outcome::Cut)
    );
    assert_eq!(desk.working()[0].quantity, 100);
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
    let risk = ValueAtRisk {
        scenarios: 2,
        confidence: 500_000_000,
        max: Some(1_000_000), // 200
        step_max: None,
    };
    let mut desk = Desk::margin(Limits {
        value_at_risk: Some(risk),
        ..Limits::default()
    });
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
fn what_the_gate_remembers_fits_its_configuration_or_is_refused() {
    let mut config = config(
        AccountKind::Margin,
        Limits {
            duplicate_window_ns: Some(10),
            value_at_risk: Some(ValueAtRisk {
                scenarios: 2,
                confidence: 500_000_000,
                max: Some(1_000_000),
                step_max: None,
            }),
            ..Limits::default()
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
