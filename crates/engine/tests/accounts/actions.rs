//! Corporate actions on longs, shorts and orders.

use quantvista_engine::{
    Account, Action, Event, FillKind, InstrumentKind, OrderKind, OrderRequest, Output, PostingKind,
    Reason, Side, TimeInForce, Trail,
};

use crate::market::*;

/// A margin market with one position, after a close at `price`.
fn holding(quantity: i64, price: i64) -> Market {
    let mut market = Market::new(on_margin(vec![instrument("a"), instrument("b")]));
    market.close(&[(0, price), (1, 5_000)]);
    market.order(0, quantity);
    market.close(&[(0, price)]);
    market
}

fn realised(market: &Market) -> i128 {
    -market.engine.ledger().balance(0, 0, Account::Realised)
}

fn split(numerator: i64, denominator: i64) -> Action {
    Action::Split {
        instrument: 0,
        numerator,
        denominator,
    }
}

#[test]
fn a_split_moves_quantity_and_mark_and_nothing_else() {
    for quantity in [30, -30] {
        let mut market = holding(quantity, 10_000);
        let before = market.equity();
        let out = market.act(split(4, 1));
        assert_eq!(market.quantity(0), 4 * quantity);
        assert_eq!(market.engine.mark(0), Some(2_500));
        assert_eq!(market.equity(), before);
        assert_eq!(
            market.engine.ledger().cost(0, 0),
            i128::from(quantity) * 100 * MONEY
        );
        assert!(matches!(out[..], [Output::ActionApplied { .. }]));
    }
}

#[test]
fn a_reverse_split_pays_fractions_in_cash() {
    for (quantity, sign) in [(37, 1), (-37, -1)] {
        let mut market = holding(quantity, 10_001);
        let (cash, before) = (market.cash(0), market.equity());
        let out = market.act(split(1, 10));
        // 0.7 new shares, which is 7 old ones at 100.01.
        let value = sign * 70_007 * MONEY / 100;
        assert_eq!(posted(&out), [(PostingKind::InLieu, value)]);
        assert_eq!(market.quantity(0), i64::try_from(sign * 3).unwrap());
        assert_eq!(market.cash(0) - cash, value);
        assert_eq!(market.engine.mark(0), Some(100_010));
        assert_eq!(market.equity(), before);
        assert_eq!(realised(&market), 0);
        assert_eq!(
            market.engine.ledger().cost(0, 0),
            sign * 30 * 10_001 * MONEY / 100
        );
    }
}

#[test]
fn parts_in_cash_are_rounded_against_us() {
    for (quantity, expected) in [(10, 1), (-10, -2)] {
        let mut market = holding(quantity, 1);
        // 10 for 3 of 10 at 0.01 is 33 and a third of one, 0.003 old shares each.
        let out = market.act(split(10, 3));
        let in_lieu: Vec<i128> = posted(&out).iter().map(|p| p.1).collect();
        let exact = MONEY / 1_000;
        assert_eq!(in_lieu.len(), 1);
        let off = in_lieu[0] - if expected > 0 { exact } else { -exact };
        assert!((-1..=0).contains(&off), "{off}");
    }
}

#[test]
fn a_position_below_one_share_is_paid_out_whole() {
    let mut market = holding(7, 10_000);
    market.close(&[(0, 11_000)]);
    let out = market.act(split(1, 10));
    assert_eq!(posted(&out), [(PostingKind::InLieu, 770 * MONEY)]);
    assert_eq!(market.engine.ledger().position(0, 0, 0).cost, 0);
    assert_eq!(realised(&market), 70 * MONEY);
    assert_eq!(market.quantity(0), 0);
}

#[test]
fn a_stock_dividend_is_a_split_of_another_name() {
    let mut market = holding(41, 10_500);
    let before = market.equity();
    market.act(Action::StockDividend {
        instrument: 0,
        numerator: 1,
        denominator: 20,
    });
    assert_eq!(market.quantity(0), 43);
    assert_eq!(market.engine.mark(0), Some(10_000));
    assert_eq!(market.equity(), before);
}

#[test]
fn a_dividend_is_paid_to_longs_and_by_shorts_and_equity_stays() {
    for (quantity, paid) in [(30, 30), (-30, -30)] {
        let mut market = holding(quantity, 10_000);
        let before = market.equity();
        let amount = MONEY * 82 / 100;
        let action = Action::CashDividend {
            instrument: 0,
            amount,
        };
        let out = market.act(action);
        assert_eq!(posted(&out), [(PostingKind::Dividend, paid * amount)]);
        assert_eq!(market.engine.mark(0), Some(9_918));
        assert_eq!(market.equity(), before);
        let dividends = market.engine.ledger().balance(0, 0, Account::Dividends);
        assert_eq!(dividends, -paid * amount);
    }
    let mut market = holding(1, 100);
    let too_much = Action::CashDividend {
        instrument: 0,
        amount: MONEY,
    };
    assert!(market.try_apply(Event::Action(too_much)).is_err());
}

#[test]
fn parts_of_a_dividend_are_rounded_against_us() {
    let mut listed = instrument("a");
    listed.quantity_precision = 3;
    for (quantity, expected) in [(1, 3), (-1, -4)] {
        let mut market = Market::new(on_margin(vec![listed.clone()]));
        market.close(&[(0, 10_000)]);
        market.order(0, quantity);
        market.close(&[(0, 10_000)]);
        let out = market.act(Action::CashDividend {
            instrument: 0,
            amount: 3_500,
        });
        assert_eq!(posted(&out), [(PostingKind::Dividend, expected)]);
    }
}

fn rest(market: &mut Market, request: OrderRequest) -> u64 {
    market.apply(Event::SubmitOrder(OrderRequest {
        tif: TimeInForce::Gtc,
        ..request
    }));
    market.engine.last_order()
}

fn kind(quantity: i64, kind: OrderKind, limit: Option<i64>, trigger: Option<i64>) -> OrderRequest {
    OrderRequest {
        kind,
        limit_price: limit,
        trigger_price: trigger,
        ..request(0, quantity)
    }
}

/// Limit, trigger and quantity of an order.
fn terms(market: &Market, id: u64) -> (Option<i64>, Option<i64>, i64) {
    let order = market.engine.order(id).expect("it works");
    (order.limit_price, order.trigger_price, order.unfilled())
}

#[test]
fn orders_follow_a_split_and_never_ask_for_more() {
    let mut market = holding(20, 10_000);
    let buy = rest(&mut market, kind(5, OrderKind::Limit, Some(9_001), None));
    let sell = rest(&mut market, kind(-5, OrderKind::Limit, Some(11_001), None));
    let stop = rest(&mut market, kind(-5, OrderKind::Stop, None, Some(9_001)));
    let cover = rest(&mut market, kind(5, OrderKind::Stop, None, Some(11_001)));
    let dip = kind(5, OrderKind::MarketIfTouched, None, Some(9_001));
    let dip = rest(&mut market, dip);
    let rise = kind(-5, OrderKind::LimitIfTouched, Some(11_003), Some(11_001));
    let rise = rest(&mut market, rise);
    let trailing = OrderRequest {
        trail: Some(Trail::Amount(501)),
        ..kind(-5, OrderKind::TrailingStop, None, None)
    };
    let trailing = rest(&mut market, trailing);
    let plain = market.order(0, 1);
    assert_eq!(rejected_by(&plain), None);
    let out = market.act(split(2, 1));
    assert_eq!(terms(&market, buy), (Some(4_500), None, 10));
    assert_eq!(terms(&market, sell), (Some(5_501), None, 10));
    assert_eq!(terms(&market, stop), (None, Some(4_500), 10));
    assert_eq!(terms(&market, cover), (None, Some(5_501), 10));
    assert_eq!(terms(&market, dip), (None, Some(4_500), 10));
    assert_eq!(terms(&market, rise), (Some(5_502), Some(5_501), 10));
    assert_eq!(terms(&market, trailing), (None, Some(4_749), 10));
    let trail = market.engine.order(trailing).and_then(|order| order.trail);
    assert_eq!(trail, Some(Trail::Amount(251)));
    let amended = out
        .iter()
        .filter(|output| matches!(output, Output::OrderAmended { .. }));
    assert_eq!(amended.count(), 8);
}

#[test]
fn an_order_of_which_nothing_is_left_is_cancelled() {
    let mut market = holding(20, 10_000);
    rest(&mut market, kind(-9, OrderKind::Stop, None, Some(9_000)));
    let partly = rest(&mut market, kind(-11, OrderKind::Stop, None, Some(9_000)));
    let out = market.act(split(1, 10));
    assert_eq!(cancelled(&out), [(2, Reason::Action)]);
    assert_eq!(terms(&market, partly), (None, Some(90_000), 1));
}

#[test]
fn a_dividend_lowers_buy_limits_and_sell_stops_only() {
    let mut market = holding(20, 10_000);
    let buy = rest(&mut market, kind(5, OrderKind::Limit, Some(9_000), None));
    let sell = rest(&mut market, kind(-5, OrderKind::Limit, Some(11_000), None));
    let stop = kind(-5, OrderKind::StopLimit, Some(8_900), Some(9_000));
    let stop = rest(&mut market, stop);
    let cover = rest(&mut market, kind(5, OrderKind::Stop, None, Some(11_000)));
    let last = rest(&mut market, kind(5, OrderKind::Limit, Some(2_000), None));
    let out = market.act(Action::CashDividend {
        instrument: 0,
        amount: 20 * MONEY,
    });
    assert_eq!(terms(&market, buy).0, Some(7_000));
    assert_eq!(terms(&market, sell).0, Some(11_000));
    assert_eq!(terms(&market, stop), (Some(6_900), Some(7_000), 5));
    assert_eq!(terms(&market, cover).1, Some(11_000));
    assert_eq!(cancelled(&out), [(last, Reason::Action)]);
}

#[test]
fn a_symbol_changes_and_all_else_stays() {
    let mut market = holding(20, 10_000);
    let before = market.equity();
    let out = market.act(Action::SymbolChange {
        instrument: 0,
        symbol: "META".to_owned(),
    });
    assert!(matches!(
        &out[..],
        [Output::SymbolChanged { symbol, .. }, Output::ActionApplied { .. }] if symbol == "META"
    ));
    assert_eq!((market.quantity(0), market.equity()), (20, before));
}

#[test]
fn a_cash_merger_settles_at_its_price() {
    for (quantity, gain) in [(20, 40), (-20, -40)] {
        let mut market = holding(quantity, 10_000);
        rest(&mut market, kind(1, OrderKind::Limit, Some(9_000), None));
        let out = market.act(Action::MergerCash {
            instrument: 0,
            price: 10_200,
        });
        assert_eq!(cancelled(&out), [(2, Reason::Action)]);
        assert_eq!(fills(&out)[0].kind, FillKind::Settlement);
        assert_eq!(market.cash(0), (10_000 + gain) * MONEY);
        assert_eq!(realised(&market), gain * MONEY);
        let again = Event::Action(split(2, 1));
        assert!(market.try_apply(again).is_err());
    }
}

#[test]
fn a_delisting_without_a_price_is_a_loss_of_all() {
    let mut market = holding(20, 10_000);
    let out = market.act(Action::Delisting {
        instrument: 0,
        price: None,
    });
    assert_eq!(fills(&out)[0].price, 0);
    assert_eq!(market.equity(), 8_000 * MONEY);
    assert_eq!(realised(&market), -2_000 * MONEY);
}

fn merger(numerator: i64, denominator: i64, cash: i128) -> Action {
    Action::MergerStock {
        instrument: 0,
        into: 1,
        numerator,
        denominator,
        cash,
        into_price: None,
    }
}

#[test]
fn a_merger_for_stock_carries_cost_and_pays_the_rest() {
    for (quantity, sign) in [(15, 1), (-15, -1)] {
        let mut market = holding(quantity, 10_000);
        let cash = market.cash(0);
        // One share of 50 and 50 in money for each share: half of the cost goes with the money.
        let out = market.act(merger(1, 1, 50 * MONEY));
        assert_eq!(posted(&out), [(PostingKind::Merger, sign * 750 * MONEY)]);
        assert_eq!((market.quantity(0), market.quantity(1)), (0, quantity));
        assert_eq!(market.cash(0) - cash, sign * 750 * MONEY);
        assert_eq!(market.engine.ledger().cost(0, 1), sign * 750 * MONEY);
        assert_eq!(market.equity(), 10_000 * MONEY);
        assert_eq!(realised(&market), 0);
    }
    let mut market = holding(15, 10_000);
    // Three for two: 22 and a half, of which the half is paid at 50.
    let out = market.act(merger(3, 2, 0));
    assert_eq!(posted(&out), [(PostingKind::InLieu, 25 * MONEY)]);
    assert_eq!(market.quantity(1), 22);
    // Its share of the cost of 1,500 is a 45th.
    let relieved = 1_500 * MONEY / 45;
    assert_eq!(realised(&market), 25 * MONEY - relieved);
    let moved: Vec<_> = fills(&out).iter().map(|f| (f.side, f.quantity)).collect();
    assert_eq!(moved, [(Side::Sell, 15), (Side::Buy, 22)]);
}

#[test]
fn shares_that_arrive_at_a_short_position_close_it() {
    let mut market = holding(15, 10_000);
    market.order(1, -10);
    market.close(&[(1, 6_000)]);
    market.act(merger(2, 1, 0));
    // 30 arrive at a cost of 1,500: 10 of them, for 500, close the short of 600.
    assert_eq!(market.quantity(1), 20);
    assert_eq!(market.engine.ledger().cost(0, 1), 1_000 * MONEY);
    assert_eq!(realised(&market), 100 * MONEY);
}

#[test]
fn a_spin_off_splits_the_cost_and_lowers_the_mark() {
    for (quantity, sign) in [(21, 1), (-21, -1)] {
        let mut market = Market::new(on_margin(vec![instrument("a"), instrument("b")]));
        market.close(&[(0, 10_000)]);
        market.order(0, quantity);
        market.close(&[(0, 10_000)]);
        let spin_off = |into_price| Action::SpinOff {
            instrument: 0,
            into: 1,
            numerator: 1,
            denominator: 2,
            cost_share: 100_000_000,
            into_price,
        };
        assert!(market.try_apply(Event::Action(spin_off(None))).is_err());
        assert!(
            market
                .try_apply(Event::Action(spin_off(Some(20_000))))
                .is_err()
        );
        let out = market.act(spin_off(Some(2_000)));
        // Ten and a half: the half is paid at 20.
        assert_eq!(posted(&out), [(PostingKind::InLieu, sign * 10 * MONEY)]);
        assert_eq!(
            (market.quantity(0), market.quantity(1)),
            (quantity, quantity / 2)
        );
        assert_eq!(market.engine.mark(0), Some(9_000));
        assert_eq!(market.equity(), 10_000 * MONEY);
        let ledger = market.engine.ledger();
        assert_eq!(ledger.cost(0, 0), sign * 1_890 * MONEY);
        assert_eq!(ledger.cost(0, 1), sign * 200 * MONEY);
        assert_eq!(realised(&market), 0);
    }
}

#[test]
fn a_change_of_precision_keeps_values() {
    let mut market = holding(20, 10_000);
    let order = rest(&mut market, kind(5, OrderKind::Limit, Some(9_001), None));
    let before = market.equity();
    let finer = Action::Precision {
        instrument: 0,
        price_precision: 4,
        quantity_precision: 3,
        tick_size: 50,
        lot_size: 10,
    };
    market.act(finer);
    assert_eq!(market.quantity(0), 20_000);
    assert_eq!(market.engine.mark(0), Some(1_000_000));
    assert_eq!(market.equity(), before);
    assert_eq!(terms(&market, order), (Some(900_100), None, 5_000));
    let coarser = Action::Precision {
        instrument: 0,
        price_precision: 0,
        quantity_precision: 0,
        tick_size: 1,
        lot_size: 3,
    };
    let out = market.act(coarser);
    // Lots of three: two of 20 are paid out at 100, and two of the order go.
    assert_eq!(posted(&out), [(PostingKind::InLieu, 200 * MONEY)]);
    assert_eq!(terms(&market, order), (Some(90), None, 3));
    assert_eq!(market.equity(), before);
    let unsound = Action::Precision {
        instrument: 0,
        price_precision: 9,
        quantity_precision: 9,
        tick_size: 1,
        lot_size: 1,
    };
    assert!(market.try_apply(Event::Action(unsound)).is_err());
}

#[test]
fn parts_of_differences_realise_their_gain_only() {
    let mut perpetual = difference("p", InstrumentKind::Perpetual);
    perpetual.quantity_precision = 1;
    let mut market = Market::new(on_margin(vec![perpetual]));
    market.close(&[(0, 10_000)]);
    market.order(0, 25);
    market.close(&[(0, 10_000)]);
    market.close(&[(0, 11_000)]);
    let before = market.equity();
    let out = market.act(Action::Precision {
        instrument: 0,
        price_precision: 2,
        quantity_precision: 0,
        tick_size: 1,
        lot_size: 1,
    });
    assert_eq!(posted(&out), [(PostingKind::InLieu, 5 * MONEY)]);
    assert_eq!(market.quantity(0), 2);
    assert_eq!(market.equity(), before);
    let none = Event::Action(split(2, 1));
    assert!(market.try_apply(none).is_err());
}
