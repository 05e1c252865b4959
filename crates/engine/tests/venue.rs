//! The rules of `docs/engine/matching.md`, one by one.

mod single;

use quantvista_engine::Liquidity::{Maker, Taker};
use quantvista_engine::Side::{Buy, Sell};
use quantvista_engine::{
    Amendment, Auction, AuctionKind, DataKind, EngineError, Event, OrderKind, OrderRequest,
    Outcome, Output, Quote, Reason, Rule, TimeInForce, TradingStatus,
};
use single::{MONEY, Run, cancels, config, limit, order, quote, short};

fn with(tif: TimeInForce, request: OrderRequest) -> OrderRequest {
    OrderRequest { tif, ..request }
}

#[test]
fn market_orders_take_what_is_quoted_and_wait_for_the_rest() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_000, 5));
    assert_eq!(short(&run.submit(order(Buy, 8))), [(1, 10_000, 5, Taker)]);
    assert_eq!(short(&run.submit(order(Buy, 1))), []);
    let out = run.quote((9_900, 5), (10_100, 5));
    assert_eq!(short(&out), [(1, 10_100, 3, Taker), (2, 10_100, 1, Taker)]);
    assert_eq!(short(&run.submit(order(Buy, 9))), [(3, 10_100, 1, Taker)]);
}

#[test]
fn unknown_sizes_are_unlimited_and_a_size_of_nothing_is_no_side() {
    let mut run = Run::on(DataKind::Quotes);
    let unknown = Quote {
        bid: Some(9_900),
        ask: Some(10_000),
        ..Quote::default()
    };
    run.next(Event::Quote {
        instrument: 0,
        quote: unknown,
    });
    let out = run.submit(order(Buy, 1_000));
    assert_eq!(short(&out), [(1, 10_000, 1_000, Taker)]);
    run.quote((9_900, 5), (10_000, 0));
    assert_eq!(run.engine.quote(0).ask, None);
    assert_eq!(short(&run.submit(order(Buy, 1))), []);
    assert_eq!(short(&run.submit(order(Sell, 1))), [(3, 9_900, 1, Taker)]);
}

#[test]
fn marks_are_middles_rounded_down_below_zero_too() {
    let mut config = config(DataKind::Quotes);
    config.instruments[0].negative_prices = true;
    let mut run = Run::new(config);
    run.trade(7, 1, None);
    assert_eq!(run.engine.mark(0), Some(7));
    run.quote((-4, 1), (-1, 1));
    assert_eq!(run.engine.mark(0), Some(-3));
    run.trade(50, 1, None);
    assert_eq!(run.engine.mark(0), Some(-3));
    run.quote((5, 1), (4, 1));
    assert_eq!(run.engine.mark(0), Some(-3), "crossed quotes set no mark");
    assert_eq!(short(&run.submit(order(Buy, 1))), []);
}

#[test]
fn resting_limits_fill_at_their_limit_best_first_then_by_rank() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_100, 5));
    run.submit(limit(Buy, 2, 9_900));
    run.submit(limit(Buy, 2, 10_000));
    run.submit(limit(Buy, 2, 10_000));
    assert_eq!(short(&run.quote((9_900, 5), (10_050, 9))), []);
    let out = run.quote((9_900, 5), (10_000, 3));
    assert_eq!(short(&out), [(2, 10_000, 2, Maker), (3, 10_000, 1, Maker)]);
    let out = run.quote((9_800, 5), (9_850, 9));
    assert_eq!(short(&out), [(3, 10_000, 1, Maker), (1, 9_900, 2, Maker)]);
}

#[test]
fn trades_fill_resting_limits_by_touch_or_through_and_once() {
    for on_touch in [true, false] {
        let mut config = config(DataKind::Quotes);
        config.venues[0].limit_fill_on_touch = on_touch;
        let mut run = Run::new(config);
        run.quote((9_900, 5), (10_100, 5));
        run.submit(limit(Buy, 4, 10_000));
        run.submit(limit(Sell, 4, 10_050));
        assert_eq!(short(&run.trade(10_000, 3, Some(Buy))), [], "they bought");
        let touched = short(&run.trade(10_000, 3, Some(Sell)));
        assert_eq!(touched.len(), usize::from(on_touch));
        assert_eq!(short(&run.trade(9_950, 3, Some(Buy))), [], "they bought");
        let out = short(&run.trade(9_950, 3, None));
        let left = if on_touch { 1 } else { 3 };
        assert_eq!(out, [(1, 10_000, left, Maker)], "through");
    }
}

#[test]
fn post_only_never_takes() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_000, 5));
    let post = |price| OrderRequest {
        post_only: true,
        ..limit(Buy, 1, price)
    };
    assert_eq!(cancels(&run.submit(post(10_000))), [(1, Reason::PostOnly)]);
    assert_eq!(cancels(&run.submit(post(9_999))), []);
    let out = run.quote((9_800, 5), (9_900, 5));
    assert_eq!(short(&out), [(2, 9_999, 1, Maker)]);
}

#[test]
fn immediate_orders_take_what_there_is_and_whole_ones_all_or_nothing() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 5), (Sell, 10_000, 5), (Sell, 10_100, 5)]);
    let out = run.submit(with(TimeInForce::Ioc, limit(Buy, 8, 10_000)));
    assert_eq!(short(&out), [(1, 10_000, 5, Taker)]);
    assert_eq!(cancels(&out), [(1, Reason::Ioc)]);
    let out = run.submit(with(TimeInForce::Fok, limit(Buy, 6, 10_100)));
    assert_eq!(short(&out), []);
    assert_eq!(cancels(&out), [(2, Reason::Fok)]);
    let out = run.submit(with(TimeInForce::Fok, limit(Buy, 5, 10_100)));
    assert_eq!(short(&out), [(3, 10_100, 5, Taker)]);
    let out = run.submit(with(TimeInForce::Ioc, order(Buy, 1)));
    assert_eq!(cancels(&out), [(4, Reason::Ioc)], "nothing is left");
}

#[test]
fn fill_or_kill_is_killed_where_funds_end() {
    let mut config = config(DataKind::L2);
    config.account.kind = quantvista_engine::AccountKind::Cash;
    config.instruments[0].shortable = 0;
    config.sleeves[0].cash = 905 * MONEY;
    let mut run = Run::new(config);
    run.levels(&[(Buy, 9_900, 5), (Sell, 10_000, 5), (Sell, 10_400, 5)]);
    let out = run.submit(with(TimeInForce::Fok, order(Buy, 9)));
    assert_eq!(short(&out), []);
    assert_eq!(cancels(&out), [(1, Reason::Cash)]);
    let out = run.submit(with(TimeInForce::Ioc, order(Buy, 9)));
    assert_eq!(short(&out), [(2, 10_000, 5, Taker), (2, 10_400, 3, Taker)]);
    assert_eq!(cancels(&out), [(2, Reason::Cash)]);
}

#[test]
fn takers_walk_the_book_and_what_they_took_stays_taken() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[
        (Buy, 9_900, 5),
        (Sell, 10_000, 5),
        (Sell, 10_100, 5),
        (Sell, 10_200, 5),
    ]);
    let out = run.submit(limit(Buy, 12, 10_100));
    assert_eq!(short(&out), [(1, 10_000, 5, Taker), (1, 10_100, 5, Taker)]);
    run.levels(&[(Sell, 10_300, 5)]);
    let out = run.submit(order(Buy, 1));
    assert_eq!(
        short(&out),
        [(2, 10_200, 1, Taker)],
        "100 and 101 are used up"
    );
    let out = run.levels(&[(Sell, 10_000, 5)]);
    assert_eq!(short(&out), [(1, 10_100, 2, Maker)]);
}

#[test]
fn the_queue_shortens_by_trades_and_smaller_levels_and_never_grows() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 10), (Sell, 10_000, 5)]);
    run.submit(limit(Buy, 4, 9_900));
    assert_eq!(run.engine.queue_ahead(1), Some(10));
    run.levels(&[(Buy, 9_900, 20)]);
    assert_eq!(run.engine.queue_ahead(1), Some(10));
    run.levels(&[(Buy, 9_900, 7)]);
    assert_eq!(run.engine.queue_ahead(1), Some(7));
    assert_eq!(short(&run.trade(9_900, 5, None)), []);
    assert_eq!(short(&run.trade(9_900, 5, Some(Buy))), []);
    assert_eq!(run.engine.queue_ahead(1), Some(2));
    let out = run.trade(9_900, 5, Some(Sell));
    assert_eq!(short(&out), [(1, 9_900, 3, Maker)]);
    let out = run.trade(9_850, 9, Some(Sell));
    assert_eq!(short(&out), [(1, 9_900, 1, Maker)]);
}

#[test]
fn a_book_that_trades_through_us_fills_us() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 10), (Sell, 10_000, 5)]);
    run.submit(limit(Buy, 4, 9_900));
    let out = run.levels(&[(Buy, 9_900, 0), (Sell, 9_900, 3), (Buy, 9_800, 5)]);
    assert_eq!(short(&out), [(1, 9_900, 3, Maker)]);
}

#[test]
fn snapshots_replace_the_book_and_keep_our_place_in_it() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 10), (Buy, 9_800, 10), (Sell, 10_000, 5)]);
    run.submit(limit(Buy, 4, 9_900));
    run.submit(limit(Buy, 4, 9_800));
    run.ts += 1;
    run.now(Event::BookCleared {
        instrument: 0,
        more: true,
    });
    let late = Event::SubmitOrder(order(Buy, 1));
    let refused = run.attempt(late).unwrap_err();
    assert!(matches!(refused, EngineError::MessageIncomplete { .. }));
    run.ts -= 1;
    run.levels(&[(Buy, 9_900, 30), (Sell, 10_100, 5)]);
    assert_eq!(run.engine.queue_ahead(1), Some(10));
    assert_eq!(run.engine.queue_ahead(2), Some(0), "that level is gone");
    assert_eq!(run.engine.book_level(0, Sell, 0), Some((10_100, 5)));
    assert_eq!(run.engine.book_level(0, Sell, 1), None);
}

#[test]
fn orders_of_an_l3_book_stand_before_us_one_by_one() {
    let mut run = Run::on(DataKind::L3);
    run.stands(11, Buy, 9_900, 4);
    run.stands(12, Buy, 9_900, 6);
    run.stands(13, Sell, 10_000, 5);
    run.submit(limit(Buy, 5, 9_900));
    assert_eq!(run.engine.queue_ahead(1), Some(10));
    run.stands(14, Buy, 9_900, 50);
    run.stands(12, Buy, 9_900, 7);
    assert_eq!(run.engine.queue_ahead(1), Some(4), "12 went to the back");
    assert_eq!(short(&run.trade(9_900, 4, Some(Sell))), []);
    assert_eq!(
        run.engine.queue_ahead(1),
        Some(4),
        "trades tell before the book"
    );
    run.stands(11, Buy, 9_900, 0);
    assert_eq!(run.engine.queue_ahead(1), Some(0));
    let out = run.trade(9_900, 3, Some(Sell));
    assert_eq!(short(&out), [(1, 9_900, 3, Maker)]);
    assert_eq!(run.engine.book_level(0, Buy, 0), Some((9_900, 57)));
}

#[test]
fn an_iceberg_goes_to_the_back_with_every_part() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 2), (Sell, 10_000, 5)]);
    run.submit(OrderRequest {
        display_quantity: Some(3),
        ..limit(Buy, 10, 9_900)
    });
    assert_eq!(short(&run.trade(9_900, 9, None)), [(1, 9_900, 3, Maker)]);
    assert_eq!(run.engine.queue_ahead(1), Some(2));
    assert_eq!(short(&run.trade(9_900, 2, None)), []);
    assert_eq!(short(&run.trade(9_800, 9, None)), [(1, 9_900, 7, Maker)]);
}

#[test]
fn on_trades_everything_waits_for_the_next_one() {
    let mut run = Run::on(DataKind::Trades);
    run.trade(10_000, 5, None);
    assert_eq!(short(&run.submit(order(Buy, 3))), []);
    run.submit(limit(Buy, 3, 10_200));
    run.submit(limit(Buy, 3, 9_900));
    run.submit(with(TimeInForce::Ioc, limit(Buy, 3, 10_000)));
    run.submit(OrderRequest {
        post_only: true,
        ..limit(Buy, 1, 10_300)
    });
    let out = run.trade(10_100, 5, None);
    assert_eq!(short(&out), [(1, 10_100, 3, Taker), (2, 10_100, 2, Taker)]);
    assert_eq!(cancels(&out), [(5, Reason::PostOnly), (4, Reason::Ioc)]);
    let out = run.trade(9_900, 5, None);
    assert_eq!(short(&out), [(2, 10_200, 1, Maker), (3, 9_900, 3, Maker)]);
}

#[test]
fn sales_and_buys_share_one_trade() {
    let mut run = Run::on(DataKind::Trades);
    run.trade(10_000, 5, None);
    run.submit(order(Buy, 3));
    run.submit(order(Sell, 3));
    let out = run.trade(10_000, 5, None);
    assert_eq!(short(&out), [(2, 10_000, 3, Taker), (1, 10_000, 2, Taker)]);
}

#[test]
fn the_participation_cap_bounds_every_offer() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].participation_max = Some(250_000_000);
    config.instruments[0].lot_size = 2;
    let mut run = Run::new(config);
    run.quote((9_900, 20), (10_000, 20));
    assert_eq!(short(&run.submit(order(Buy, 20))), [(1, 10_000, 4, Taker)]);
    run.ts += 1;
    let refused = run.attempt(Event::Quote {
        instrument: 0,
        quote: Quote {
            bid: Some(1),
            ..Quote::default()
        },
    });
    assert!(matches!(refused, Err(EngineError::InvalidData { .. })));
}

#[test]
fn halts_stop_matching_and_their_end_matches_at_once() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_100, 5));
    run.submit(limit(Buy, 2, 10_000));
    let status = |status| Event::Status {
        instrument: 0,
        status,
    };
    run.next(status(TradingStatus::Halted));
    assert_eq!(short(&run.quote((9_800, 5), (9_900, 3))), []);
    assert_eq!(run.engine.mark(0), Some(9_850));
    assert_eq!(short(&run.submit(order(Buy, 2))), []);
    let out = run.submit(with(TimeInForce::Ioc, order(Buy, 2)));
    assert!(matches!(
        out[0],
        Output::OrderRejected {
            rule: Rule::Halted,
            ..
        }
    ));
    let out = run.next(status(TradingStatus::Trading));
    assert_eq!(short(&out), [(2, 9_900, 2, Taker), (1, 10_000, 1, Maker)]);
}

#[test]
fn auctions_fill_at_their_price_those_without_a_limit_first() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_100, 5));
    let open = |side, quantity| OrderRequest {
        kind: OrderKind::OnOpen,
        ..order(side, quantity)
    };
    run.submit(limit(Buy, 4, 10_000));
    run.submit(limit(Buy, 4, 10_050));
    run.submit(open(Buy, 2));
    run.submit(OrderRequest {
        kind: OrderKind::OnClose,
        ..order(Buy, 2)
    });
    let auction = |kind, volume| Event::Auction {
        instrument: 0,
        auction: Auction {
            kind,
            price: 10_000,
            volume,
        },
    };
    let out = run.next(auction(AuctionKind::Open, Some(7)));
    let expected = [
        (3, 10_000, 2, Taker),
        (2, 10_000, 4, Taker),
        (1, 10_000, 1, Taker),
    ];
    assert_eq!(short(&out), expected);
    let out = run.next(auction(AuctionKind::Close, None));
    assert_eq!(short(&out), [(4, 10_000, 2, Taker), (1, 10_000, 3, Taker)]);
}

#[test]
fn on_close_orders_must_be_in_time() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].on_close_cutoff_ns = 10;
    let mut run = Run::new(config);
    run.quote((9_900, 5), (10_100, 5));
    run.submit(OrderRequest {
        kind: OrderKind::OnClose,
        ..order(Buy, 2)
    });
    let close = Event::Auction {
        instrument: 0,
        auction: Auction {
            kind: AuctionKind::Close,
            price: 10_000,
            volume: None,
        },
    };
    assert_eq!(short(&run.next(close.clone())), []);
    run.ts += 20;
    assert_eq!(short(&run.next(close)), [(1, 10_000, 2, Taker)]);
}

#[test]
fn market_orders_out_of_their_band_are_held_and_told_once() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 5), (Sell, 10_100, 5), (Sell, 20_000, 5)]);
    let held = |out: &[Output]| {
        out.iter()
            .filter(|output| matches!(output, Output::Verdict(v) if v.outcome == Outcome::Held))
            .count()
    };
    let out = run.submit(order(Buy, 8));
    assert_eq!(short(&out), [(1, 10_100, 5, Taker)]);
    assert_eq!(held(&out), 1);
    assert_eq!(held(&run.levels(&[(Sell, 20_000, 6)])), 0);
    let out = run.levels(&[(Sell, 10_200, 6)]);
    assert_eq!(short(&out), [(1, 10_200, 3, Taker)]);
}

#[test]
fn an_amended_order_arrives_anew_unless_only_its_quantity_fell() {
    let mut run = Run::on(DataKind::L2);
    run.levels(&[(Buy, 9_900, 10), (Sell, 10_000, 5)]);
    run.submit(limit(Buy, 4, 9_900));
    run.levels(&[(Buy, 9_900, 4)]);
    run.levels(&[(Buy, 9_900, 9)]);
    let amend = |quantity, limit_price| {
        Event::AmendOrder(Amendment {
            order: 1,
            quantity,
            limit_price,
            trigger_price: None,
            trail: None,
            expire_at: None,
        })
    };
    run.next(amend(Some(3), None));
    assert_eq!(run.engine.queue_ahead(1), Some(4));
    run.next(amend(Some(4), None));
    assert_eq!(run.engine.queue_ahead(1), Some(9));
    let out = run.next(amend(None, Some(10_000)));
    assert_eq!(short(&out), [(1, 10_000, 4, Taker)]);
}

#[test]
fn a_stop_triggers_and_takes_at_the_same_event() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_000, 5));
    run.submit(OrderRequest {
        kind: OrderKind::Stop,
        trigger_price: Some(10_100),
        ..order(Buy, 2)
    });
    run.submit(OrderRequest {
        kind: OrderKind::StopLimit,
        trigger_price: Some(10_100),
        limit_price: Some(10_100),
        ..order(Buy, 2)
    });
    assert_eq!(short(&run.quote((10_000, 5), (10_099, 5))), []);
    let out = run.quote((10_100, 5), (10_150, 5));
    assert_eq!(short(&out), [(1, 10_150, 2, Taker)]);
    let out = run.quote((10_000, 5), (10_100, 5));
    assert_eq!(short(&out), [(2, 10_100, 2, Maker)]);
}

#[test]
fn refused_data_change_nothing() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 5), (10_000, 5));
    let before = run.engine.state_hash();
    let quotes = [
        quote((0, 5), (10_000, 5)),
        quote((9_900, -1), (10_000, 5)),
        quote((9_900, 5), (i64::MAX, 5)),
        Quote {
            bid_size: Some(4),
            ..Quote::default()
        },
    ];
    run.ts += 1;
    for quote in quotes {
        let event = Event::Quote {
            instrument: 0,
            quote,
        };
        let refused = run.attempt(event).unwrap_err();
        assert!(matches!(refused, EngineError::InvalidData { .. }));
    }
    let foreign = Event::BookCleared {
        instrument: 0,
        more: false,
    };
    assert!(run.attempt(foreign).is_err());
    assert_eq!(run.engine.state_hash(), before);
}
