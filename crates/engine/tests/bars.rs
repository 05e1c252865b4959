//! Every kind of order on the path of a bar, and on closes: `docs/engine/orders.md`, section 10.

mod support;

use quantvista_engine::{Liquidity, OrderKind, OrderRequest, Reason, Side, TimeInForce, Trail};
use support::{
    Market, brief, cancels, closing, config, expiries, fills, limit, ohlc, order, rejects, stop,
    triggered,
};

fn trailing(side: Side, quantity: i64, trail: Trail) -> OrderRequest {
    OrderRequest {
        trail: Some(trail),
        ..order(side, quantity, OrderKind::TrailingStop)
    }
}

fn with_limit(kind: OrderKind, side: Side, trigger: i64, price: i64) -> OrderRequest {
    OrderRequest {
        trigger_price: Some(trigger),
        limit_price: Some(price),
        ..order(side, 10, kind)
    }
}

fn touched(side: Side, trigger: i64) -> OrderRequest {
    OrderRequest {
        trigger_price: Some(trigger),
        ..order(side, 10, OrderKind::MarketIfTouched)
    }
}

#[test]
fn a_stop_fills_at_its_trigger_slipped_like_a_market_order() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let id = market.submit(stop(Side::Sell, 10, 95));
    assert!(brief(&market.bar(100, 104, 96, 99)).is_empty());
    let out = market.bar(99, 101, 90, 97);
    assert_eq!(triggered(&out), [id]);
    assert_eq!(brief(&out), [(id, 10, 94)]);
    assert_eq!(fills(&out)[0].liquidity, Liquidity::Taker);
}

#[test]
fn a_stop_beyond_which_the_bar_opens_fills_at_the_open() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let id = market.submit(stop(Side::Sell, 10, 95));
    let out = market.bar(80, 85, 75, 84);
    assert_eq!(brief(&out), [(id, 10, 79)]);
}

#[test]
fn a_buy_stop_is_met_from_below_and_an_if_touched_order_from_above() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let stop = market.submit(stop(Side::Buy, 10, 105));
    let touched = market.submit(touched(Side::Buy, 95));
    // Down first: the low is the nearer extreme.
    let out = market.bar(100, 110, 94, 102);
    assert_eq!(triggered(&out), [touched, stop]);
    assert_eq!(brief(&out), [(touched, 10, 96), (stop, 10, 106)]);
}

#[test]
fn the_nearer_extreme_comes_first_and_the_low_where_both_are_as_near() {
    for (high, low, first_price) in [(110, 95, 96), (105, 90, 106), (105, 95, 96)] {
        let mut market = Market::new(config());
        market.bar(100, 100, 100, 100);
        market.submit(stop(Side::Buy, 10, 105));
        market.submit(touched(Side::Buy, 95));
        let out = market.bar(100, high, low, 100);
        assert_eq!(brief(&out)[0].2, first_price, "{high} {low}");
    }
}

#[test]
fn a_stop_limit_rests_behind_its_trigger() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let below = market.submit(with_limit(OrderKind::StopLimit, Side::Buy, 105, 103));
    // Up to 108 and back: triggered at 105, not marketable there, filled on the way down.
    let out = market.bar(104, 108, 99, 102);
    assert_eq!(brief(&out), [(below, 10, 103)]);
    assert_eq!(fills(&out)[0].liquidity, Liquidity::Maker);
    let above = market.submit(with_limit(OrderKind::StopLimit, Side::Buy, 105, 105));
    let out = market.bar(100, 108, 99, 107);
    assert_eq!(brief(&out), [(above, 10, 105)]);
    assert_eq!(fills(&out)[0].liquidity, Liquidity::Taker);
    // The way back is not there: it stays, triggered.
    let stays = market.submit(with_limit(OrderKind::StopLimit, Side::Buy, 112, 109));
    let out = market.bar(110, 115, 110, 115);
    assert_eq!(triggered(&out), [stays]);
    assert!(market.order(stays).triggered);
    assert_eq!(brief(&market.bar(112, 112, 108, 110)), [(stays, 10, 109)]);
}

#[test]
fn a_limit_if_touched_order_takes_at_its_trigger_or_rests() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let taker = market.submit(with_limit(OrderKind::LimitIfTouched, Side::Buy, 95, 96));
    let maker = market.submit(with_limit(OrderKind::LimitIfTouched, Side::Buy, 95, 92));
    let out = market.bar(100, 101, 91, 100);
    assert_eq!(brief(&out), [(taker, 10, 96), (maker, 10, 92)]);
}

#[test]
fn a_trailing_stop_follows_the_path_and_never_goes_back() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let id = market.submit(trailing(Side::Sell, 10, Trail::Amount(5)));
    assert_eq!(market.order(id).trigger_price, Some(95));
    market.bar(100, 108, 98, 107);
    assert_eq!(market.order(id).trigger_price, Some(103));
    market.bar(107, 107, 104, 105);
    assert_eq!(market.order(id).trigger_price, Some(103));
    // Up to 110 first, so it is met at 105 on the way down.
    let out = market.bar(105, 110, 90, 91);
    assert_eq!(brief(&out), [(id, 10, 104)]);
}

#[test]
fn a_trailing_stop_of_a_rate_is_rounded_away_from_the_market() {
    let mut market = Market::new(config());
    market.bar(1_003, 1_003, 1_003, 1_003);
    let id = market.submit(trailing(Side::Buy, 10, Trail::Rate(10_000_000)));
    assert_eq!(market.order(id).trigger_price, Some(1_014));
    market.bar(1_000, 1_000, 995, 999);
    assert_eq!(market.order(id).trigger_price, Some(1_005));
    let out = market.bar(999, 1_006, 999, 1_000);
    assert_eq!(brief(&out), [(id, 10, 1_006)]);
}

#[test]
fn closes_trigger_at_the_close_and_move_trailing_stops() {
    let mut market = Market::new(config());
    market.close(100);
    let on_closes = |request: OrderRequest| OrderRequest {
        instrument: 1,
        ..request
    };
    let stop = market.submit(on_closes(stop(Side::Buy, 10, 105)));
    let trail = market.submit(on_closes(trailing(Side::Buy, 10, Trail::Amount(5))));
    let lit = market.submit(on_closes(with_limit(
        OrderKind::LimitIfTouched,
        Side::Buy,
        96,
        94,
    )));
    let out = market.close(95);
    assert_eq!(triggered(&out), [lit]);
    assert!(brief(&out).is_empty());
    assert_eq!(market.order(trail).trigger_price, Some(100));
    let out = market.close(106);
    assert_eq!(brief(&out), [(stop, 10, 107), (trail, 10, 107)]);
    assert_eq!(brief(&market.close(93)), [(lit, 10, 94)]);
}

#[test]
fn fok_is_filled_whole_or_cancelled() {
    let mut config = config();
    config.venues[0].participation_max = Some(100_000_000);
    let mut market = Market::new(config);
    let mut bar = ohlc(100, 105, 95, 100);
    bar.volume = Some(100);
    market.barrier(&[(0, bar)], false, false);
    let fok = |quantity, price: Option<i64>| OrderRequest {
        tif: TimeInForce::Fok,
        limit_price: price,
        ..order(
            Side::Buy,
            quantity,
            price.map_or(OrderKind::Market, |_| OrderKind::Limit),
        )
    };
    let large = market.submit(fok(11, None));
    let inside = market.submit(fok(7, Some(97)));
    let small = market.submit(fok(3, None));
    let far = market.submit(fok(1, Some(90)));
    let out = market.barrier(&[(0, bar)], false, false);
    assert_eq!(brief(&out), [(small, 3, 101), (inside, 7, 97)]);
    assert_eq!(cancels(&out), [(large, Reason::Fok), (far, Reason::Fok)]);
}

#[test]
fn post_only_is_cancelled_where_it_would_take_and_makes_once_it_rests() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let post = |price| OrderRequest {
        post_only: true,
        ..limit(Side::Buy, 10, price)
    };
    let takes = market.submit(post(102));
    let rests = market.submit(post(95));
    let out = market.bar(101, 102, 99, 100);
    assert_eq!(cancels(&out), [(takes, Reason::PostOnly)]);
    // The next bar opens below it: as a resting order it fills at its own limit.
    let out = market.bar(90, 92, 89, 91);
    assert_eq!(brief(&out), [(rests, 10, 95)]);
    assert_eq!(fills(&out)[0].liquidity, Liquidity::Maker);
}

#[test]
fn a_reduce_only_order_is_cut_to_the_position_and_never_flips_it() {
    let mut market = Market::new(config());
    market.hold(10, 100);
    let exit = OrderRequest {
        reduce_only: true,
        ..stop(Side::Sell, 10, 95)
    };
    let first = market.submit(exit);
    let out = market.bar(100, 100, 90, 92);
    assert_eq!(brief(&out), [(first, 10, 94)]);
    assert_eq!(market.position(), 0);
}

#[test]
fn gtd_orders_end_before_the_first_input_of_their_date() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let until = |expire_at| OrderRequest {
        tif: TimeInForce::Gtd,
        expire_at: Some(expire_at),
        ..limit(Side::Buy, 10, 95)
    };
    let ends = market.submit(until(200));
    let lives = market.submit(until(201));
    let out = market.bar(100, 100, 90, 95);
    assert_eq!(expiries(&out), [(ends, Reason::Gtd)]);
    assert_eq!(brief(&out), [(lives, 10, 95)]);
}

#[test]
fn day_orders_that_wait_for_a_trigger_expire_for_that_reason() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(OrderRequest {
        tif: TimeInForce::Day,
        ..stop(Side::Buy, 10, 105)
    });
    let out = market.bars(&[(0, ohlc(100, 104, 99, 100)), (1, closing(5))]);
    assert_eq!(expiries(&out), [(id, Reason::Trigger)]);
}

#[test]
fn orders_act_in_the_order_of_the_path() {
    let mut market = Market::new(config());
    market.hold(20, 100);
    let profit = market.submit(limit(Side::Sell, 10, 103));
    let loss = market.submit(stop(Side::Sell, 10, 97));
    // High first.
    assert_eq!(
        brief(&market.bar(100, 104, 95, 100)),
        [(profit, 10, 103), (loss, 10, 96)]
    );
}

#[test]
fn icebergs_fill_whole_where_there_is_no_queue() {
    let mut market = Market::new(config());
    market.bar(100, 100, 100, 100);
    let id = market.submit(OrderRequest {
        display_quantity: Some(2),
        ..limit(Side::Buy, 10, 95)
    });
    assert_eq!(brief(&market.bar(100, 100, 90, 95)), [(id, 10, 95)]);
}

#[test]
fn a_triggered_stop_that_volume_cut_goes_on_at_the_next_open() {
    let mut config = config();
    config.venues[0].participation_max = Some(100_000_000);
    let mut market = Market::new(config);
    let mut bar = ohlc(100, 106, 100, 105);
    bar.volume = Some(60);
    market.barrier(&[(0, ohlc_with(100, 60))], false, false);
    let id = market.submit(stop(Side::Buy, 10, 105));
    assert_eq!(
        brief(&market.barrier(&[(0, bar)], false, false)),
        [(id, 6, 106)]
    );
    let out = market.barrier(&[(0, ohlc_with(103, 60))], false, false);
    assert_eq!(brief(&out), [(id, 4, 104)]);
    assert!(rejects(&out).is_empty());
}

fn ohlc_with(price: i64, volume: i64) -> quantvista_engine::Bar {
    let mut bar = ohlc(price, price, price, price);
    bar.volume = Some(volume);
    bar
}
