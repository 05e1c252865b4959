//! Rules that the engine and the oracle in Python once read differently, each as the pages of
//! `docs/engine` settle it.

mod single;

use quantvista_engine::Liquidity::{Maker, Taker};
use quantvista_engine::Side::{Buy, Sell};
use quantvista_engine::{
    AccountKind, Amendment, Auction, AuctionKind, Cause, Command, Config, Crossed, DataKind, Event,
    FeeModel, FundState, Link, OrderKind, OrderRequest, Origin, Outcome, Output, Reason, Rule,
    TimeInForce,
};
use single::{MONEY, Run, cancels, config, instrument, limit, order, quote, short};

fn amendment(order: u64) -> Amendment {
    Amendment {
        order,
        quantity: None,
        limit_price: None,
        trigger_price: None,
        trail: None,
        expire_at: None,
    }
}

fn triggered(kind: OrderKind, request: OrderRequest, trigger: i64) -> OrderRequest {
    OrderRequest {
        kind,
        trigger_price: Some(trigger),
        ..request
    }
}

fn has_verdict(out: &[Output], order: u64, rule: Rule, outcome: Outcome) -> bool {
    out.iter().any(|output| {
        matches!(output, Output::Verdict(v)
            if (v.order, v.rule, v.outcome) == (order, rule, outcome))
    })
}

fn states(out: &[Output]) -> Vec<(FundState, Cause)> {
    out.iter()
        .filter_map(|output| match output {
            Output::StateChanged { state, cause, .. } => Some((*state, *cause)),
            _ => None,
        })
        .collect()
}

/// A cash account at a venue with a minimum fee.
fn with_minimum(minimum: i128) -> Config {
    let mut config = config(DataKind::Quotes);
    config.account.kind = AccountKind::Cash;
    config.instruments[0].shortable = 0;
    config.venues[0].fee = FeeModel {
        minimum,
        ..FeeModel::flat(0)
    };
    config
}

#[test]
fn a_minimum_fee_is_reserved_until_a_fill_has_paid_it() {
    let available = |minimum| {
        let mut run = Run::new(with_minimum(minimum));
        run.quote((9_900, 5), (10_000, 4));
        let before = run.engine.available_cash(0, 0).unwrap();
        run.submit(OrderRequest {
            kind: OrderKind::Limit,
            limit_price: Some(9_990),
            ..order(Buy, 10)
        });
        let resting = run.engine.available_cash(0, 0).unwrap();
        run.trade(9_990, 4, Some(Sell));
        let filled = run.engine.available_cash(0, 0).unwrap();
        (before - resting, before - filled)
    };
    let (free, charged) = (available(0), available(MONEY));
    assert_eq!(charged.0 - free.0, MONEY, "reserved before the first fill");
    assert_eq!(charged.1 - free.1, MONEY, "paid, and not reserved again");
}

#[test]
fn an_order_that_fills_whole_or_not_is_not_held_on_trades() {
    let mut run = Run::on(DataKind::Trades);
    run.trade(10_000, 10, None);
    run.submit(OrderRequest {
        tif: TimeInForce::Fok,
        ..order(Buy, 5)
    });
    let out = run.trade(13_000, 10, None);
    assert_eq!(cancels(&out), [(1, Reason::Fok)]);
    assert!(!has_verdict(&out, 1, Rule::PriceBand, Outcome::Held));
}

#[test]
fn an_order_that_fills_whole_or_not_is_not_cut_to_its_position() {
    let mut run = Run::on(DataKind::Trades);
    run.trade(10_000, 10, None);
    run.submit(order(Buy, 3));
    run.trade(10_000, 10, None);
    let closing = |quantity, tif| OrderRequest {
        reduce_only: true,
        tif,
        ..order(Sell, quantity)
    };
    run.submit(closing(2, TimeInForce::Gtc));
    run.submit(closing(3, TimeInForce::Fok));
    let out = run.trade(10_000, 10, None);
    assert_eq!(short(&out), [(2, 10_000, 2, Taker)]);
    assert_eq!(cancels(&out), [(3, Reason::ReduceOnly)]);
}

#[test]
fn what_a_resume_ends_is_told_once() {
    let mut config = config(DataKind::Quotes);
    config.limits.crossed = Crossed::ReduceOnly;
    config.limits.gross_max = Some(150_000_000);
    let mut run = Run::new(config);
    run.quote((9_999, 9_000), (10_001, 9_000));
    run.submit(order(Buy, 1_400));
    run.quote((15_999, 9_000), (16_001, 9_000));
    let crossed = (FundState::ReduceOnly, Cause::LimitCrossed);
    let look = Event::AmendOrder(amendment(99));
    assert_eq!(states(&run.next(look)), [crossed]);
    run.next(Event::Operator(Command::Halt));
    run.quote((9_999, 9_000), (10_001, 9_000));
    let out = run.next(Event::Operator(Command::Resume));
    assert_eq!(states(&out), [(FundState::Active, Cause::Operator)]);
}

#[test]
fn a_child_that_has_triggered_may_meet_one_of_ours() {
    let mut config = config(DataKind::Quotes);
    config.limits.self_trade = true;
    let mut run = Run::new(config);
    run.quote((9_900, 50), (10_100, 50));
    let child = triggered(OrderKind::MarketIfTouched, order(Sell, 10), 9_900);
    run.next(Event::SubmitList {
        orders: vec![limit(Buy, 10, 10_000), child],
        link: Link::Oto,
    });
    let out = run.quote((9_900, 50), (10_000, 4));
    assert_eq!(short(&out), [(1, 10_000, 4, Maker), (2, 9_900, 4, Taker)]);
    let out = run.quote((9_900, 50), (10_000, 4));
    assert_eq!(short(&out), [(1, 10_000, 4, Maker)]);
    assert!(has_verdict(&out, 2, Rule::SelfTrade, Outcome::Rejected));
}

#[test]
fn a_child_with_nothing_unfilled_does_not_trigger() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_950, 50), (10_000, 2));
    let exit = |trigger| triggered(OrderKind::Stop, order(Sell, 10), trigger);
    run.next(Event::SubmitList {
        orders: vec![order(Buy, 10), exit(9_900), exit(9_800)],
        link: Link::Bracket,
    });
    assert_eq!(
        short(&run.quote((9_900, 50), (9_990, 0))),
        [(2, 9_900, 2, Taker)]
    );
    run.quote((9_800, 50), (9_990, 0));
    assert!(!run.engine.order(3).unwrap().triggered);
    // Enlarged, it comes anew: the market has recovered.
    let out = run.quote((9_950, 50), (10_000, 8));
    assert_eq!(short(&out), [(1, 10_000, 8, Taker), (2, 9_950, 8, Taker)]);
    assert!(!run.engine.order(3).is_some_and(|order| order.triggered));
}

#[test]
fn what_a_liquidation_lacks_is_counted_after_each_of_its_orders() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].fee = FeeModel::flat(10_000_000);
    config.instruments = ["A.SIM", "B.SIM"]
        .map(|id| instrument(id, DataKind::Quotes))
        .into();
    for listed in &mut config.instruments {
        listed.margin_initial = 100_000_000;
        listed.margin_maintenance = 50_000_000;
    }
    let mut run = Run::new(config);
    let tell = |run: &mut Run, instrument, price, size| {
        run.next(Event::Quote {
            instrument,
            quote: quote((price, size), (price, size)),
        })
    };
    tell(&mut run, 0, 10_000, 1_000_000);
    tell(&mut run, 1, 10_000, 1_000_000);
    run.submit(order(Buy, 70_000));
    run.submit(OrderRequest {
        instrument: 1,
        ..order(Buy, 5_000)
    });
    let out = tell(&mut run, 0, 9_100, 100);
    let mut steps = Vec::new();
    for output in &out {
        match output {
            Output::OrderAccepted(order) if order.origin == Origin::Liquidation => {
                steps.push(format!("order in {}", order.instrument));
            }
            Output::OrderFilled(fill) => steps.push(format!("fill in {}", fill.instrument)),
            _ => {}
        }
    }
    // The fee of the first fill is more than the rounding of its order has left over.
    assert_eq!(
        steps,
        ["order in 0", "fill in 0", "order in 1", "fill in 1"]
    );
}

#[test]
fn an_iceberg_may_be_amended_when_less_is_left_than_it_shows() {
    let mut run = Run::on(DataKind::Quotes);
    run.quote((9_900, 50), (10_100, 50));
    run.submit(OrderRequest {
        display_quantity: Some(5),
        ..limit(Buy, 10, 10_000)
    });
    run.trade(10_000, 7, Some(Sell));
    let out = run.next(Event::AmendOrder(Amendment {
        limit_price: Some(10_010),
        ..amendment(1)
    }));
    assert!(has_verdict(&out, 1, Rule::All, Outcome::Accepted));
    assert_eq!(run.engine.order(1).unwrap().display_quantity, Some(5));
}

#[test]
fn a_weight_of_nothing_needs_no_price() {
    let mut config = config(DataKind::Trades);
    config.instruments[0].negative_prices = true;
    let mut run = Run::new(config);
    run.trade(0, 10, None);
    let target = |weight| Event::TargetPortfolio {
        sleeve: 0,
        targets: vec![(0, weight)],
    };
    assert!(run.next(target(0)).is_empty());
    let out = run.next(target(1_000_000));
    assert!(has_verdict(&out, 1, Rule::NoPrice, Outcome::Rejected));
}

#[test]
fn a_trade_that_our_side_began_fills_us_only_where_nothing_stands() {
    let began = |kind| {
        let mut run = Run::on(kind);
        match kind {
            DataKind::Quotes => {
                run.quote((9_900, 50), (10_100, 50));
            }
            DataKind::L2 => {
                run.levels(&[(Buy, 9_900, 50), (Sell, 10_100, 50)]);
            }
            _ => {
                run.trade(10_050, 1, None);
            }
        }
        run.submit(limit(Buy, 4, 10_000));
        // On trades it rests from its first trade on.
        run.trade(10_050, 1, None);
        (
            short(&run.trade(9_950, 3, Some(Buy))),
            short(&run.trade(9_950, 1, Some(Sell))),
        )
    };
    let maker = |quantity| vec![(1, 10_000, quantity, Maker)];
    for kind in [DataKind::Quotes, DataKind::L2] {
        assert_eq!(began(kind), (Vec::new(), maker(1)));
    }
    assert_eq!(began(DataKind::Trades), (maker(3), maker(1)));
}

#[test]
fn an_auction_without_anything_left_leaves_its_orders_uncrossed() {
    let mut config = config(DataKind::Quotes);
    config.instruments[0].has_auctions = true;
    let mut run = Run::new(config);
    run.quote((9_900, 50), (10_100, 50));
    run.submit(OrderRequest {
        kind: OrderKind::OnClose,
        tif: TimeInForce::Day,
        ..order(Buy, 10)
    });
    let auction = Auction {
        kind: AuctionKind::Close,
        price: 10_000,
        volume: Some(0),
    };
    run.next(Event::Auction {
        instrument: 0,
        auction,
    });
    let out = run.next(Event::Barrier {
        session_start: false,
        session_end: true,
    });
    let expired = out.iter().any(|output| {
        matches!(output, Output::OrderExpired { reason, .. } if *reason == Reason::Uncrossed)
    });
    assert!(expired);
}
