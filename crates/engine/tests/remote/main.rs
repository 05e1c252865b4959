//! Orders at venues outside: `docs/engine/remote.md`.

mod lives;
#[path = "../support/mod.rs"]
mod support;

use quantvista_engine::{
    Amendment, Config, Engine, EngineError, Event, Execution, FillKind, Input, Leg, Link,
    Liquidity, OrderKind, OrderRequest, OrderStatus, Output, PositionMode, Reason, Report, Rule,
    Side, SlippageModel, TimeInForce,
};
use quantvista_engine::{Command, FundState};
use support::{MONEY, Market, cancels, fills, limit, order, rejects};

fn config() -> Config {
    let mut config = support::config();
    config.venues[0].slippage = SlippageModel::default();
    config.venues[0].remote = true;
    config
}

fn margin() -> Config {
    let mut config = support::margin_config(PositionMode::Netting);
    config.venues[0].slippage = SlippageModel::default();
    config.venues[0].remote = true;
    config
}

fn market(config: Config) -> Market {
    let mut market = Market::new(config);
    market.bar(100, 100, 100, 100);
    market
}

fn execution(trade: &str, order: u64, side: Side, quantity: i64, price: i64) -> Execution {
    Execution {
        trade: trade.to_owned(),
        order: Some(order),
        sleeve: 0,
        instrument: 0,
        leg: Leg::Net,
        side,
        quantity,
        price,
        fee: MONEY,
        liquidity: Liquidity::Taker,
    }
}

fn says(market: &mut Market, report: Report) -> Vec<Output> {
    market.later(Event::Report(report))
}

fn filled(market: &mut Market, trade: &str, order: u64, side: Side, quantity: i64) -> Vec<Output> {
    let execution = execution(trade, order, side, quantity, 100);
    says(market, Report::Filled(execution))
}

fn ignored(out: &[Output]) -> usize {
    out.iter()
        .filter(|output| matches!(output, Output::ReportIgnored { .. }))
        .count()
}

fn requested(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::CancelRequested { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn an_order_leaves_and_only_reports_move_it() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    assert_eq!(market.order(id).status, OrderStatus::Submitted);
    // The market trades through it, and its day ends: nothing happens here.
    assert!(fills(&market.barrier(&[(0, support::ohlc(90, 95, 80, 90))], true, true)).is_empty());
    says(&mut market, Report::Accepted { order: id });
    assert_eq!(market.order(id).status, OrderStatus::Accepted);
    filled(&mut market, "t1", id, Side::Buy, 4);
    assert_eq!(market.order(id).status, OrderStatus::PartiallyFilled);
    let out = filled(&mut market, "t2", id, Side::Buy, 6);
    assert_eq!(fills(&out)[0].kind, FillKind::Trade);
    assert!(market.engine.order(id).is_none());
    assert_eq!(market.position(), 10);
    assert_eq!(
        market.engine.ledger().cash(0, 0),
        (1_000_000 - 1_002) * MONEY
    );
}

#[test]
fn what_is_on_its_way_or_unknown_is_reserved() {
    let mut market = market(config());
    let before = market.engine.available_cash(0, 0).unwrap();
    let id = market.submit(limit(Side::Buy, 10, 100));
    let reserved = before - market.engine.available_cash(0, 0).unwrap();
    assert_eq!(reserved, 1_000 * MONEY);
    let out = says(&mut market, Report::Unknown { order: id });
    assert!(matches!(out[0], Output::OrderUnknown { order, .. } if order == id));
    assert_eq!(market.order(id).status, OrderStatus::Unknown);
    assert_eq!(
        before - market.engine.available_cash(0, 0).unwrap(),
        reserved
    );
    let out = says(&mut market, Report::Rejected { order: id });
    assert_eq!(rejects(&out), [(id, Rule::Venue)]);
    assert_eq!(market.engine.available_cash(0, 0).unwrap(), before);
}

#[test]
fn a_fill_says_that_the_venue_has_the_order() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    let out = filled(&mut market, "t1", id, Side::Buy, 10);
    assert!(matches!(out[0], Output::OrderAccepted(_)));
    assert!(matches!(out[1], Output::OrderFilled(_)));
}

#[test]
fn a_cancel_is_asked_for_once_and_the_order_works_until_it_is_confirmed() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    let out = market.apply(Event::CancelOrder { order: id });
    assert_eq!(requested(&out), [(id, Reason::Requested)]);
    assert!(requested(&market.apply(Event::CancelOrder { order: id })).is_empty());
    filled(&mut market, "t1", id, Side::Buy, 3);
    let out = says(&mut market, Report::Cancelled { order: id });
    assert_eq!(cancels(&out), [(id, Reason::Requested)]);
    assert_eq!(market.position(), 3);
    assert_eq!(
        ignored(&says(&mut market, Report::Cancelled { order: id })),
        1
    );
}

#[test]
fn a_cancel_that_is_refused_may_be_asked_for_again() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    market.apply(Event::CancelOrder { order: id });
    let out = says(&mut market, Report::CancelRejected { order: id });
    assert!(matches!(out[0], Output::CancelRejected { order, .. } if order == id));
    assert_eq!(
        requested(&market.apply(Event::CancelOrder { order: id })).len(),
        1
    );
    assert_eq!(
        ignored(&says(&mut market, Report::CancelRejected { order: 99 })),
        1
    );
}

#[test]
fn a_venue_may_end_orders_by_itself() {
    let mut market = market(config());
    let (one, two) = (
        market.submit(limit(Side::Buy, 10, 100)),
        market.submit(OrderRequest {
            tif: TimeInForce::Day,
            ..limit(Side::Buy, 5, 99)
        }),
    );
    says(&mut market, Report::Accepted { order: one });
    let out = says(&mut market, Report::Rejected { order: one });
    assert_eq!(cancels(&out), [(one, Reason::Venue)]);
    let out = says(&mut market, Report::Expired { order: two });
    assert_eq!(support::expiries(&out), [(two, Reason::Day)]);
}

#[test]
fn a_trade_counts_once() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    filled(&mut market, "t1", id, Side::Buy, 4);
    assert_eq!(ignored(&filled(&mut market, "t1", id, Side::Buy, 4)), 1);
    assert_eq!(market.position(), 4);
}

#[test]
fn late_strange_and_excess_fills_are_booked_all_the_same() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    market.apply(Event::CancelOrder { order: id });
    says(&mut market, Report::Cancelled { order: id });
    let late = filled(&mut market, "t1", id, Side::Buy, 4);
    assert_eq!(fills(&late)[0].kind, FillKind::External);
    assert_eq!(fills(&late)[0].order, Some(id));
    let by_hand = Execution {
        order: None,
        ..execution("t2", 0, Side::Buy, 5, 101)
    };
    says(&mut market, Report::Filled(by_hand));
    let second = market.submit(limit(Side::Buy, 3, 100));
    let out = filled(&mut market, "t3", second, Side::Buy, 7);
    let kinds: Vec<FillKind> = fills(&out).iter().map(|fill| fill.kind).collect();
    assert_eq!(kinds, [FillKind::Trade, FillKind::External]);
    assert_eq!(market.position(), 16);
    assert_eq!(
        market.engine.ledger().cash(0, 0),
        (1_000_000 - 400 - 505 - 700 - 3) * MONEY
    );
}

#[test]
fn a_trade_of_an_instrument_without_a_price_is_its_price() {
    let mut market = Market::new(config());
    let mut strange = execution("t1", 0, Side::Buy, 5, 120);
    strange.order = None;
    says(&mut market, Report::Filled(strange));
    assert_eq!(market.engine.mark(0), Some(120));
}

#[test]
fn a_busted_trade_is_undone_once_even_if_it_is_told_of_first() {
    let mut market = market(config());
    let id = market.submit(limit(Side::Buy, 10, 100));
    filled(&mut market, "t1", id, Side::Buy, 10);
    let made = execution("t1", id, Side::Buy, 10, 100);
    let out = says(&mut market, Report::Busted(made.clone()));
    assert_eq!(fills(&out)[0].kind, FillKind::Bust);
    assert_eq!(market.position(), 0);
    assert_eq!(market.engine.ledger().cash(0, 0), 1_000_000 * MONEY);
    assert_eq!(ignored(&says(&mut market, Report::Busted(made))), 1);
    let early = execution("t2", id, Side::Buy, 10, 100);
    assert_eq!(
        ignored(&says(&mut market, Report::Busted(early.clone()))),
        1
    );
    assert_eq!(ignored(&says(&mut market, Report::Filled(early))), 1);
    assert_eq!(market.position(), 0);
}

#[test]
fn lists_amendments_and_replacements_do_not_leave() {
    let mut market = market(config());
    let pair = [limit(Side::Buy, 10, 90), limit(Side::Buy, 10, 95)];
    let out = market.apply(Event::SubmitList {
        orders: pair.to_vec(),
        link: Link::Oco,
    });
    assert_eq!(rejects(&out)[0].1, Rule::Venue);
    let id = market.submit(limit(Side::Buy, 10, 90));
    let out = market.apply(Event::AmendOrder(Amendment {
        order: id,
        quantity: Some(5),
        limit_price: None,
        trigger_price: None,
        trail: None,
        expire_at: None,
    }));
    let is_refused = |output: &Output| {
        matches!(
            output,
            Output::AmendRejected {
                rule: Rule::Venue,
                ..
            }
        )
    };
    assert!(out.iter().any(is_refused));
    let out = market.apply(Event::ReplaceOrder {
        order: id,
        request: limit(Side::Buy, 5, 91),
    });
    assert_eq!(rejects(&out)[0].1, Rule::Venue);
}

#[test]
fn new_targets_wait_for_the_orders_of_the_old_ones() {
    let mut market = market(config());
    let targets = |weight| Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, weight)],
    };
    market.apply(targets(1_000_000));
    let first = market.engine.last_order();
    let out = market.later(targets(2_000_000));
    assert_eq!(requested(&out), [(first, Reason::Superseded)]);
    assert_eq!(market.engine.last_order(), first);
    filled(&mut market, "t1", first, Side::Buy, 3);
    let out = says(&mut market, Report::Cancelled { order: first });
    let sent = out.iter().find_map(|output| match output {
        Output::OrderSubmitted(order) => Some(order.quantity),
        _ => None,
    });
    // 0.2 % of 1,000,000 less fees is 19 lots of 100, of which 3 are there.
    assert_eq!(sent, Some(16));
}

#[test]
fn nothing_flips_a_position_when_all_is_flattened() {
    let mut market = market(margin());
    let id = market.submit(order(Side::Buy, 10, OrderKind::Market));
    filled(&mut market, "t1", id, Side::Buy, 10);
    let sale = market.submit(limit(Side::Sell, 6, 110));
    let out = market.later(Event::Operator(Command::Flatten));
    assert_eq!(requested(&out), [(sale, Reason::State)]);
    let closing = |out: &[Output]| {
        out.iter().find_map(|output| match output {
            Output::OrderSubmitted(order) => Some((order.id, order.quantity, order.reduce_only)),
            _ => None,
        })
    };
    // Six may be sold yet by the order that is to be cancelled.
    let (first, quantity, reduce_only) = closing(&out).expect("an order");
    assert_eq!((quantity, reduce_only), (4, true));
    filled(&mut market, "t2", sale, Side::Sell, 2);
    let out = says(&mut market, Report::Cancelled { order: sale });
    assert_eq!(closing(&out).expect("an order").1, 4);
    let second = market.engine.last_order();
    filled(&mut market, "t3", first, Side::Sell, 4);
    filled(&mut market, "t4", second, Side::Sell, 4);
    assert_eq!(market.position(), 0);
}

#[test]
fn a_late_fill_is_flattened_and_targets_that_wait_are_forgotten() {
    let mut market = market(margin());
    let target = |weight| Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, weight)],
    };
    market.apply(target(1_000_000));
    let first = market.engine.last_order();
    market.later(target(2_000_000));
    market.later(Event::Operator(Command::Flatten));
    says(&mut market, Report::Cancelled { order: first });
    assert_eq!(market.engine.last_order(), first);
    let late = filled(&mut market, "t1", first, Side::Buy, 5);
    assert_eq!(fills(&late)[0].kind, FillKind::External);
    let closing = market.order(market.engine.last_order());
    assert_eq!((closing.side, closing.quantity), (Side::Sell, 5));
    market.later(Event::Operator(Command::Resume));
    filled(&mut market, "t2", closing.id, Side::Sell, 5);
    assert_eq!(market.engine.last_order(), closing.id);
}

#[test]
fn the_venues_refusals_trip_the_breaker() {
    let mut config = config();
    config.limits.breakers.rejects = Some(quantvista_engine::Breaker {
        limit: 1,
        window_ns: 1_000_000,
        state: FundState::Halted,
    });
    let mut market = market(config);
    let out: Vec<Output> = (0..2)
        .flat_map(|_| {
            let order = market.submit(limit(Side::Buy, 10, 100));
            says(&mut market, Report::Rejected { order })
        })
        .collect();
    let halted = |output: &Output| {
        matches!(
            output,
            Output::StateChanged {
                state: FundState::Halted,
                ..
            }
        )
    };
    assert!(out.iter().any(halted));
}

#[test]
fn reports_that_make_no_sense_are_refused() {
    let mut engine = Engine::new(config()).unwrap();
    let mut apply = |report| {
        let input = Input {
            ts_event: 1,
            ts_received: 1,
            source: 0,
            sequence: 1,
            event: Event::Report(report),
        };
        engine.apply(&input).unwrap_err()
    };
    let sound = execution("t", 1, Side::Buy, 1, 100);
    for broken in [
        Execution {
            quantity: 0,
            ..sound.clone()
        },
        Execution {
            price: 0,
            ..sound.clone()
        },
        Execution {
            fee: i128::MAX,
            ..sound.clone()
        },
        Execution {
            leg: Leg::Long,
            ..sound.clone()
        },
        Execution {
            trade: String::new(),
            ..sound.clone()
        },
    ] {
        let error = apply(Report::Filled(broken.clone()));
        assert!(
            matches!(error, EngineError::InvalidReport { .. }),
            "{broken:?}"
        );
    }
    for broken in [
        Execution {
            sleeve: 9,
            ..sound.clone()
        },
        Execution {
            instrument: 9,
            ..sound
        },
    ] {
        let error = apply(Report::Busted(broken));
        assert!(matches!(error, EngineError::UnknownIndex { .. }));
    }
}

#[test]
fn a_remote_venue_has_no_models_of_ours() {
    let mut config = config();
    config.venues[0].slippage.ticks = 1;
    let error = Engine::new(config).err().expect("a refusal");
    assert!(error.to_string().contains("remote venue has no slippage"));
}
