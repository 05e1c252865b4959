use proptest::prelude::*;

use super::*;
use crate::config::Settlement;

const BASE: i128 = 1_000;

/// One sleeve, one instrument, two currencies: prices in 0, the base of exchanges is 1.
fn empty(cash: i128, days: u8) -> Ledger {
    let mut book = [0; ACCOUNTS];
    book[Account::Cash as usize] = cash;
    book[Account::Capital as usize] = -cash;
    Ledger {
        instruments: 1,
        legs: 1,
        currencies: 2,
        currency_of: vec![0],
        books: vec![book, [0; ACCOUNTS]],
        positions: vec![Position::default()],
        settling: Settling::with_days(2, days),
    }
}

fn trade_in(settlement: Settlement, quantity: i64, per_unit: i128, days: u8) -> Trade {
    Trade {
        sleeve: 0,
        instrument: 0,
        leg: 0,
        settlement,
        days,
        quantity,
        per_unit,
        fee: 1,
        base_unit: BASE,
    }
}

fn trade(ledger: &mut Ledger, settlement: Settlement, quantity: i64, per_unit: i128) {
    let trade = trade_in(settlement, quantity, per_unit, 0);
    ledger.trade(&trade).unwrap();
}

#[test]
fn partial_sale_relieves_cost_rounded_down_and_the_last_sale_the_rest() {
    let mut ledger = empty(1_000, 0);
    trade(&mut ledger, Settlement::Asset, 3, 33);
    trade(&mut ledger, Settlement::Asset, 4, 34);
    trade(&mut ledger, Settlement::Asset, -1, 40);
    assert_eq!(ledger.cost(0, 0), 235 - 33);
    trade(&mut ledger, Settlement::Asset, -6, 40);
    assert_eq!(ledger.cost(0, 0), 0);
    assert_eq!(ledger.balance(0, 0, Account::Realised), 235 - 280);
    assert_eq!(ledger.cash(0, 0), 1_000 - 235 + 280 - 4);
    ledger.verify().unwrap();
}

#[test]
fn a_partial_cover_relieves_the_magnitude_of_a_short_cost_rounded_down() {
    let mut ledger = empty(1_000, 0);
    trade(&mut ledger, Settlement::Asset, -3, 33);
    trade(&mut ledger, Settlement::Asset, -4, 34);
    assert_eq!(ledger.cash(0, 0), 1_000 + 235 - 2);
    trade(&mut ledger, Settlement::Asset, 1, 20);
    assert_eq!(ledger.cost(0, 0), -(235 - 33));
    assert_eq!(ledger.balance(0, 0, Account::Realised), -(33 - 20));
    trade(&mut ledger, Settlement::Asset, 6, 40);
    assert_eq!(ledger.position(0, 0, 0), Position::default());
    assert_eq!(ledger.balance(0, 0, Account::Realised), 20 + 240 - 235);
    ledger.verify().unwrap();
}

#[test]
fn a_trade_through_zero_closes_and_opens() {
    for settlement in [Settlement::Asset, Settlement::Difference] {
        let mut ledger = empty(1_000, 0);
        trade(&mut ledger, settlement, 3, 10);
        trade(&mut ledger, settlement, -5, 12);
        let position = Position {
            quantity: -2,
            cost: -24,
        };
        assert_eq!(ledger.position(0, 0, 0), position);
        assert_eq!(ledger.balance(0, 0, Account::Realised), -6);
        trade(&mut ledger, settlement, 2, 13);
        assert_eq!(ledger.position(0, 0, 0), Position::default());
        assert_eq!(ledger.cash(0, 0), 1_000 + 6 - 2 - 3);
        ledger.verify().unwrap();
    }
}

#[test]
fn an_exchange_clears_in_both_currencies_and_keeps_no_position() {
    let mut ledger = empty(1_000, 0);
    let settlement = Settlement::Exchange { base: 1 };
    trade(&mut ledger, settlement, 5, 20);
    assert_eq!((ledger.cash(0, 0), ledger.cash(0, 1)), (899, 5 * BASE));
    assert_eq!(ledger.balance(0, 0, Account::Clearing), 100);
    assert_eq!(ledger.balance(0, 1, Account::Clearing), -5 * BASE);
    trade(&mut ledger, settlement, -5, 22);
    assert_eq!((ledger.cash(0, 0), ledger.cash(0, 1)), (1_008, 0));
    assert_eq!(ledger.position(0, 0, 0), Position::default());
    ledger.verify().unwrap();
}

#[test]
fn trades_settle_after_their_days_and_owed_money_is_not_spendable() {
    let mut ledger = empty(1_000, 2);
    ledger
        .trade(&trade_in(Settlement::Asset, 3, 100, 2))
        .unwrap();
    assert_eq!(ledger.settled(0, 0), 1_000);
    assert_eq!(ledger.spendable(0, 0, false).unwrap(), 699);
    ledger.settle(|_, _, _| panic!("nothing is due")).unwrap();
    ledger
        .trade(&trade_in(Settlement::Asset, -3, 110, 2))
        .unwrap();
    assert_eq!(ledger.cash(0, 0), 1_000 - 301 + 329);
    assert_eq!(ledger.spendable(0, 0, false).unwrap(), 699);
    assert_eq!(ledger.spendable(0, 0, true).unwrap(), 1_028);
    ledger.verify().unwrap();
    let mut told = Vec::new();
    for _ in 0..3 {
        let mut today = Vec::new();
        ledger.settle(|_, _, amount| today.push(amount)).unwrap();
        ledger.verify().unwrap();
        told.push(today);
    }
    assert_eq!(told, [vec![-301], vec![329], vec![]]);
    assert_eq!(ledger.settled(0, 0), 1_028);
}

/// Two sleeves with two instruments each, in two currencies, and both legs.
fn wide(days: u8) -> Ledger {
    Ledger {
        instruments: 2,
        legs: 2,
        currencies: 2,
        currency_of: vec![0, 1],
        books: vec![[0; ACCOUNTS]; 4],
        positions: vec![Position::default(); 8],
        settling: Settling::with_days(4, days),
    }
}

#[test]
fn every_sleeve_settles_its_own_money_in_each_currency() {
    let mut ledger = wide(2);
    for (sleeve, instrument, quantity) in [(0, 0, 3), (0, 1, 5), (1, 1, -2), (1, 0, 7)] {
        let trade = Trade {
            sleeve,
            instrument,
            leg: usize::from(quantity < 0),
            ..trade_in(Settlement::Asset, quantity, 100, 2)
        };
        ledger.trade(&trade).unwrap();
        ledger.verify().unwrap();
    }
    let payable = |sleeve, currency| ledger.payable(sleeve, currency).unwrap();
    assert_eq!([payable(0, 0), payable(0, 1)], [301, 501]);
    assert_eq!([payable(1, 0), payable(1, 1)], [701, 0]);
    assert_eq!(ledger.spendable(0, 1, false).unwrap(), -501);
    assert_eq!(ledger.spendable(1, 1, false).unwrap(), 0);
    ledger.settle(|_, _, _| panic!("nothing is due")).unwrap();
    let mut told = Vec::new();
    ledger
        .settle(|sleeve, currency, amount| told.push((sleeve, currency, amount)))
        .unwrap();
    let expected = [(0, 0, -301), (0, 1, -501), (1, 0, -701), (1, 1, 199)];
    assert_eq!(told, expected);
    for (sleeve, currency, amount) in expected {
        assert_eq!(ledger.settled(sleeve, currency), amount);
        assert_eq!(ledger.payable(sleeve, currency).unwrap(), 0);
    }
    ledger.verify().unwrap();
}

#[test]
fn unbalanced_entries_are_refused_and_change_nothing() {
    let mut ledger = empty(10, 0);
    let before = ledger.clone();
    let error = ledger
        .post("test", 0, 0, &[Entry::Account(Account::Cash, 1)])
        .unwrap_err();
    let expected = EngineError::Unbalanced {
        event: "test",
        sum: 1,
    };
    assert_eq!(error, expected);
    assert_eq!(ledger, before);
}

proptest! {
    #[test]
    fn books_balance_and_gains_add_up_whatever_is_traded(
        trades in prop::collection::vec((-9..9_i64, 1..500_i128, 0..3_usize), 1..40),
    ) {
        let mut ledger = empty(0, 2);
        let mut paid = 0;
        for (quantity, per_unit, kind) in trades {
            let quantity = if quantity == 0 { 1 } else { quantity };
            let days = u8::try_from(kind).unwrap();
            ledger.trade(&trade_in(Settlement::Asset, quantity, per_unit, days)).unwrap();
            paid += i128::from(quantity) * per_unit + 1;
            if kind == 2 {
                ledger.settle(|_, _, _| {}).unwrap();
            }
            ledger.verify().unwrap();
            prop_assert_eq!(ledger.cash(0, 0), -paid);
            let position = ledger.position(0, 0, 0);
            prop_assert!(position.cost.signum() * i128::from(position.quantity.signum()) >= 0);
            if position.quantity == 0 {
                prop_assert_eq!(position.cost, 0);
            }
        }
        for _ in 0..2 {
            ledger.settle(|_, _, _| {}).unwrap();
        }
        prop_assert_eq!(ledger.settled(0, 0), -paid);
    }
}
