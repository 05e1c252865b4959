//! Triggers, time in force and lists on event instruments: `docs/engine/orders.md`, sections 5 to 8.

mod support;

use quantvista_engine::{
    Amendment, Config, DataKind, Event, Link, OrderKind, OrderRequest, OrderStatus, Output, Quote,
    Reason, Rule, Side, Tick, TimeInForce, Trail, TriggerSource,
};
use support::{
    Market, brief, cancels, config, expiries, instrument, limit, margin_config, order, rejects,
    stop, triggered,
};

fn on(matching: DataKind) -> Config {
    let mut config = margin_config(quantvista_engine::PositionMode::Netting);
    let mut listed = instrument("a");
    listed.matching = matching;
    listed.shortable = 1_000;
    config.instruments = vec![listed];
    config.venues[0].slippage.ticks = 0;
    config
}

fn quote(market: &mut Market, bid: i64, ask: i64) -> Vec<Output> {
    market.later(Event::Quote {
        instrument: 0,
        quote: Quote {
            bid: Some(bid),
            bid_size: Some(1_000),
            ask: Some(ask),
            ask_size: Some(1_000),
        },
    })
}

fn trade(market: &mut Market, price: i64) -> Vec<Output> {
    market.later(Event::Trade {
        instrument: 0,
        trade: Tick {
            price,
            size: 1_000,
            aggressor: None,
        },
    })
}

fn trailing(side: Side, amount: i64) -> OrderRequest {
    OrderRequest {
        trail: Some(Trail::Amount(amount)),
        ..order(side, 10, OrderKind::TrailingStop)
    }
}

fn touched(side: Side, trigger: i64) -> OrderRequest {
    OrderRequest {
        trigger_price: Some(trigger),
        ..order(side, 10, OrderKind::MarketIfTouched)
    }
}

#[test]
fn buys_watch_the_ask_and_sales_the_bid() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let buy_stop = market.submit(stop(Side::Buy, 10, 105));
    let sale_stop = market.submit(stop(Side::Sell, 10, 95));
    let buy_touched = market.submit(touched(Side::Buy, 97));
    let sale_touched = market.submit(touched(Side::Sell, 103));
    assert!(triggered(&quote(&mut market, 98, 104)).is_empty());
    let out = quote(&mut market, 103, 105);
    assert_eq!(triggered(&out), [buy_stop, sale_touched]);
    assert_eq!(brief(&out), [(sale_touched, 10, 103), (buy_stop, 10, 105)]);
    assert!(triggered(&quote(&mut market, 96, 98)).is_empty());
    let out = quote(&mut market, 95, 97);
    assert_eq!(triggered(&out), [sale_stop, buy_touched]);
    assert_eq!(brief(&out), [(sale_stop, 10, 95), (buy_touched, 10, 97)]);
}

#[test]
fn another_price_may_be_watched() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let by = |trigger_by, trigger| OrderRequest {
        trigger_by: Some(trigger_by),
        ..stop(Side::Buy, 10, trigger)
    };
    let by_bid = market.submit(by(TriggerSource::Bid, 104));
    let by_mark = market.submit(by(TriggerSource::Mark, 104));
    let by_last = market.submit(by(TriggerSource::Last, 104));
    assert_eq!(triggered(&quote(&mut market, 103, 106)), [by_mark]);
    assert_eq!(triggered(&quote(&mut market, 104, 106)), [by_bid]);
    assert_eq!(triggered(&trade(&mut market, 104)), [by_last]);
}

#[test]
fn a_trigger_that_is_met_at_arrival_acts_at_once() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let out = market.apply(Event::SubmitOrder(stop(Side::Buy, 10, 100)));
    assert_eq!(triggered(&out), [1]);
    assert_eq!(brief(&out), [(1, 10, 101)]);
}

#[test]
fn a_trailing_stop_follows_the_best_price_of_its_side() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let sale = market.submit(trailing(Side::Sell, 5));
    let buy = market.submit(trailing(Side::Buy, 5));
    assert_eq!(market.order(sale).trigger_price, Some(94));
    assert_eq!(market.order(buy).trigger_price, Some(106));
    quote(&mut market, 102, 104);
    let late = market.submit(trailing(Side::Sell, 10));
    quote(&mut market, 101, 103);
    assert_eq!(market.order(sale).trigger_price, Some(97));
    assert_eq!(market.order(late).trigger_price, Some(92));
    quote(&mut market, 103, 105);
    assert_eq!(market.order(late).trigger_price, Some(93));
    let out = quote(&mut market, 98, 99);
    assert_eq!(triggered(&out), [sale]);
    assert_eq!(market.order(buy).trigger_price, Some(104));
    assert_eq!(triggered(&quote(&mut market, 103, 104)), [buy]);
}

#[test]
fn a_stop_limit_rests_once_it_has_triggered() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let id = market.submit(OrderRequest {
        limit_price: Some(103),
        ..OrderRequest {
            kind: OrderKind::StopLimit,
            ..stop(Side::Buy, 10, 105)
        }
    });
    let out = quote(&mut market, 104, 106);
    assert_eq!(triggered(&out), [id]);
    assert!(brief(&out).is_empty());
    assert_eq!(market.order(id).status, OrderStatus::Triggered);
    assert_eq!(brief(&quote(&mut market, 101, 103)), [(id, 10, 103)]);
}

#[test]
fn on_trades_the_last_price_triggers_and_the_same_trade_fills() {
    let mut market = Market::new(on(DataKind::Trades));
    trade(&mut market, 100);
    let id = market.submit(stop(Side::Sell, 10, 95));
    assert!(triggered(&trade(&mut market, 96)).is_empty());
    let out = trade(&mut market, 94);
    assert_eq!(triggered(&out), [id]);
    assert_eq!(brief(&out), [(id, 10, 94)]);
    let by_bid = OrderRequest {
        trigger_by: Some(TriggerSource::Bid),
        ..stop(Side::Sell, 10, 90)
    };
    let out = market.apply(Event::SubmitOrder(by_bid));
    assert_eq!(rejects(&out), [(2, Rule::NeedsData)]);
}

#[test]
fn an_amended_trigger_is_watched_at_its_new_price_only() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let id = market.submit(stop(Side::Buy, 10, 105));
    let amend = |market: &mut Market, trigger| {
        market.apply(Event::AmendOrder(Amendment {
            order: id,
            quantity: None,
            limit_price: None,
            trigger_price: Some(trigger),
            trail: None,
            expire_at: None,
        }))
    };
    amend(&mut market, 108);
    assert!(triggered(&quote(&mut market, 104, 106)).is_empty());
    let out = amend(&mut market, 106);
    assert_eq!(triggered(&out), [id]);
    assert_eq!(brief(&out), [(id, 10, 106)]);
}

#[test]
fn a_cancelled_stop_is_not_watched() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let id = market.submit(stop(Side::Buy, 10, 105));
    market.apply(Event::CancelOrder { order: id });
    assert!(triggered(&quote(&mut market, 104, 106)).is_empty());
}

#[test]
fn a_bracket_is_released_by_the_fill_of_its_entry() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let orders = vec![
        limit(Side::Buy, 10, 100),
        limit(Side::Sell, 10, 105),
        stop(Side::Sell, 10, 95),
    ];
    let link = Link::Bracket;
    market.apply(Event::SubmitList { orders, link });
    assert_eq!(market.order(3).status, OrderStatus::Held);
    assert_eq!(brief(&quote(&mut market, 98, 100)), [(1, 10, 100)]);
    assert_eq!(market.order(2).status, OrderStatus::Accepted);
    let out = quote(&mut market, 94, 96);
    assert_eq!(brief(&out), [(3, 10, 94)]);
    assert_eq!(cancels(&out), [(2, Reason::Linked)]);
    assert_eq!(market.position(), 0);
}

#[test]
fn a_child_whose_trigger_is_met_acts_when_it_is_released() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let orders = vec![
        order(Side::Buy, 10, OrderKind::Market),
        stop(Side::Sell, 10, 99),
    ];
    let link = Link::Oto;
    let out = market.apply(Event::SubmitList { orders, link });
    assert_eq!(brief(&out), [(1, 10, 101), (2, 10, 99)]);
}

#[test]
fn orders_for_the_day_end_with_the_session() {
    let mut market = Market::new(on(DataKind::Quotes));
    quote(&mut market, 99, 101);
    let day = |request: OrderRequest| OrderRequest {
        tif: TimeInForce::Day,
        ..request
    };
    let waits = market.submit(day(stop(Side::Buy, 10, 105)));
    let rests = market.submit(day(limit(Side::Buy, 10, 95)));
    assert!(expiries(&market.barrier(&[], true, false)).is_empty());
    let out = market.barrier(&[], false, true);
    assert_eq!(
        expiries(&out),
        [(waits, Reason::Trigger), (rests, Reason::Limit)]
    );
    assert!(triggered(&quote(&mut market, 110, 111)).is_empty());
}

#[test]
fn what_is_halted_does_not_match_at_a_barrier() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(OrderRequest {
        tif: TimeInForce::Day,
        ..order(Side::Buy, 10, OrderKind::Market)
    });
    market.later(Event::Status {
        instrument: 0,
        status: quantvista_engine::TradingStatus::Halted,
    });
    let out = market.bars(&[(0, support::ohlc(100, 100, 100, 100))]);
    assert_eq!(expiries(&out), [(id, Reason::Halted)]);
}
