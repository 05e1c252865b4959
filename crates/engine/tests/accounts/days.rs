//! Ends of days, funding, and the terms of interest and shorting.

use quantvista_engine::{Event, InstrumentKind, PostingKind};

use crate::market::*;

#[test]
fn interest_is_rounded_against_us_each_day() {
    let mut config = on_margin(vec![instrument("a")]);
    config.currencies[0].credit_rate = 36_500_000;
    config.currencies[0].debit_rate = 73_000_000;
    config.sleeves[0].cash = 1_000 * MONEY + 1;
    let mut market = Market::new(config);
    let day = market.end_day(false);
    assert_eq!(posted(&day), [(PostingKind::Interest, MONEY / 10)]);
    market.close(&[(0, 10_000)]);
    market.order(0, 15);
    market.close(&[(0, 10_000)]);
    let owed = -market.cash(0);
    assert_eq!(owed, 500 * MONEY - MONEY / 10 - 1);
    let day = market.end_day(true);
    // 0.02 % of it, rounded up.
    assert_eq!(
        posted(&day),
        [(PostingKind::Interest, -(owed * 2 / 10_000 + 1))]
    );
    market.apply(Event::InterestRates {
        currency: 0,
        credit_rate: 0,
        debit_rate: 0,
    });
    assert_eq!(posted(&market.end_day(true)), []);
}

#[test]
fn shorts_pay_for_what_they_borrow() {
    let mut market = Market::new(on_margin(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    market.order(0, -30);
    market.close(&[(0, 10_000)]);
    assert_eq!(market.cash(0), 13_000 * MONEY);
    market.apply(Event::ShortTerms {
        instrument: 0,
        shortable: 30,
        borrow_rate: 20_000_000,
    });
    market.close(&[(0, 11_000)]);
    let fee = (3_300 * MONEY * 2 / 100 + 364) / 365;
    assert_eq!(
        posted(&market.end_day(false)),
        [(PostingKind::Borrow, -fee)]
    );
    market.order(0, 30);
    market.close(&[(0, 11_000)]);
    assert_eq!(posted(&market.end_day(false)), []);
    let bad = Event::ShortTerms {
        instrument: 0,
        shortable: -1,
        borrow_rate: 0,
    };
    assert!(market.try_apply(bad).is_err());
}

#[test]
fn funding_goes_from_longs_to_shorts_or_back() {
    let mut perpetual = difference("p", InstrumentKind::Perpetual);
    perpetual.quantity_precision = 3;
    let mut config = on_margin(vec![instrument("a"), perpetual]);
    let mut other = config.sleeves[0].clone();
    other.id = "two".to_owned();
    config.sleeves.push(other);
    let mut market = Market::new(config);
    market.close(&[(1, 3_333)]);
    market.order(1, 100);
    let mut sale = request(1, -100);
    sale.sleeve = 1;
    market.apply(Event::SubmitOrder(sale));
    market.close(&[(1, 3_333)]);
    assert_eq!(market.cash(0), 10_000 * MONEY);
    let pay = |rate| Event::Funding {
        instrument: 1,
        rate,
    };
    // 3.333 at 0.01 %: what is paid is rounded up, what is received down.
    let found = posted(&market.apply(pay(100_001)));
    let exact = 3_333_000_000_000_i128 * 100_001;
    let (up, down) = ((exact + 999_999_999) / 1_000_000_000, exact / 1_000_000_000);
    assert_eq!(
        found,
        [(PostingKind::Funding, -up), (PostingKind::Funding, down)]
    );
    let found = posted(&market.apply(pay(-100_001)));
    assert_eq!(
        found,
        [(PostingKind::Funding, down), (PostingKind::Funding, -up)]
    );
    let not_a_perpetual = Event::Funding {
        instrument: 0,
        rate: 1,
    };
    assert!(market.try_apply(not_a_perpetual).is_err());
}

#[test]
fn futures_settle_daily_and_end_at_their_price() {
    let mut future = difference("f", InstrumentKind::Future);
    future.multiplier = 50;
    let mut market = Market::new(on_margin(vec![future]));
    market.close(&[(0, 10_000)]);
    market.order(0, 2);
    market.close(&[(0, 10_000)]);
    market.close(&[(0, 10_050)]);
    assert_eq!(market.cash(0), 10_000 * MONEY);
    assert_eq!(market.equity(), 10_050 * MONEY);
    assert_eq!(posted(&market.end_day(false)), []);
    assert_eq!(
        posted(&market.end_day(true)),
        [(PostingKind::Variation, 50 * MONEY)]
    );
    assert_eq!(market.cash(0), 10_050 * MONEY);
    assert_eq!(market.equity(), 10_050 * MONEY);
    let ended = market.apply(Event::InstrumentEnded {
        instrument: 0,
        price: Some(9_990),
    });
    assert_eq!(
        (fills(&ended)[0].price, fills(&ended)[0].quantity),
        (9_990, 2)
    );
    assert_eq!(market.cash(0), 9_990 * MONEY);
    assert_eq!(market.equity(), market.cash(0));
}
