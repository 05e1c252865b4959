//! How much of each limit is in use.

use super::*;
use crate::limits::{Breaker, Breakers, OrderRate, SleeveLimits};
use crate::output::{Figure, Outcome};
use crate::risk::FundState;

const TENTH: i64 = 100_000_000;

fn used(desk: &Desk, name: &str) -> Vec<(Option<usize>, i128, i128)> {
    let found = desk.engine.limits_in_use(desk.ts).expect("known figures");
    let plain = |figure| match figure {
        Figure::Money(amount) => amount / MONEY,
        Figure::Count(count) => i128::from(count),
        other => panic!("neither money nor a count: {other:?}"),
    };
    let of_name = found.iter().filter(|each| each.name == name);
    of_name
        .map(|each| (each.sleeve, plain(each.used), plain(each.limit)))
        .collect()
}

fn breaker(limit: i64) -> Breaker {
    Breaker {
        limit,
        window_ns: 10,
        state: FundState::Halted,
    }
}

#[test]
fn nothing_is_told_of_limits_that_are_not_set() {
    let desk = Desk::margin(Limits::default());
    assert_eq!(desk.engine.limits_in_use(desk.ts).unwrap(), []);
}

#[test]
fn orders_in_flight_count_at_their_worst() {
    let limits = Limits {
        position_max: Some(60_000 * MONEY),
        weight_max: Some(4 * TENTH),
        sector_max: Some(5 * TENTH),
        gross_max: Some(10 * TENTH),
        net_max: Some(10 * TENTH),
        ..Limits::default()
    };
    let mut desk = Desk::margin(limits);
    desk.buy(0, 0, 100);
    desk.session(&[100, 100, 100]);
    desk.buy(1, 1, 200);
    desk.sell(1, 2, 50);
    for (name, figure, limit) in [
        ("position", 20_000, 60_000),
        ("concentration", 20_000, 80_000),
        ("sector", 30_000, 100_000),
        ("gross", 35_000, 200_000),
        ("net", 30_000, 200_000),
    ] {
        assert_eq!(used(&desk, name), [(None, figure, limit)], "{name}");
    }
}

#[test]
fn what_a_refused_order_would_have_added_is_what_its_verdict_says() {
    let limits = Limits {
        gross_max: Some(5 * TENTH),
        ..Limits::default()
    };
    let mut desk = Desk::margin(limits);
    desk.buy(0, 0, 300);
    let verdict = desk.buy(1, 2, 800);
    assert_eq!(verdict.outcome, Outcome::Rejected);
    let [(None, before, limit)] = used(&desk, "gross")[..] else {
        panic!("one limit of the fund");
    };
    assert_eq!(verdict.figure, Figure::Money((before + 80_000) * MONEY));
    assert_eq!(verdict.limit, Figure::Money(limit * MONEY));
}

#[test]
fn losses_stand_against_breakers_and_sleeves() {
    let mut config = config(
        AccountKind::Margin,
        Limits {
            breakers: Breakers {
                drawdown: Some(breaker(2 * TENTH)),
                day_loss: Some(breaker(TENTH)),
                ..Breakers::default()
            },
            ..Limits::default()
        },
    );
    config.sleeves[1].limits = SleeveLimits {
        drawdown_max: Some(3 * TENTH),
        weight_max: Some(5 * TENTH),
        gross_max: Some(6 * TENTH),
        order_rate: None,
    };
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    desk.buy(1, 0, 100);
    desk.session(&[100, 100, 100]);
    desk.session(&[90, 100, 100]);
    assert_eq!(
        used(&desk, "drawdown"),
        [(None, 1_000, 40_000), (Some(1), 1_000, 30_000)]
    );
    assert_eq!(used(&desk, "day_loss"), [(None, 1_000, 20_000)]);
    assert_eq!(
        used(&desk, "sleeve_concentration"),
        [(Some(1), 9_000, 49_500)]
    );
    assert_eq!(used(&desk, "sleeve_gross"), [(Some(1), 9_000, 59_400)]);
}

#[test]
fn orders_count_until_their_window_is_over() {
    let rate = Some(OrderRate {
        count: 5,
        window_ns: 10,
    });
    let mut config = config(
        AccountKind::Margin,
        Limits {
            order_rate: rate,
            breakers: Breakers {
                rejects: Some(breaker(3)),
                order_rate: Some(breaker(9)),
                ..Breakers::default()
            },
            ..Limits::default()
        },
    );
    config.sleeves[0].limits.order_rate = rate;
    let mut desk = Desk::new(config);
    desk.session(&[100, 100, 100]);
    desk.buy(0, 0, 1);
    desk.buy(1, 0, 1);
    desk.buy(1, 0, 0);
    assert_eq!(used(&desk, "order_rate"), [(None, 2, 5)]);
    assert_eq!(used(&desk, "sleeve_order_rate"), [(Some(0), 1, 5)]);
    assert_eq!(used(&desk, "order_rate_breaker"), [(None, 3, 9)]);
    assert_eq!(used(&desk, "rejects"), [(None, 1, 3)]);
    desk.ts += 10;
    assert_eq!(used(&desk, "order_rate"), [(None, 0, 5)]);
}
