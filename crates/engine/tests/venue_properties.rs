//! Random markets and random orders in them: nothing fills beyond what the market shows, or better
//! than it allows, queues only shorten, and the state survives the trip through bytes.

mod single;

use std::collections::{BTreeMap, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::{
    Amendment, Auction, AuctionKind, BookLevel, BookOrder, Config, DataKind, Engine, Event, Fill,
    LatencyModel, Link, Liquidity, OrderKind, OrderRequest, Output, Quote, Side, Tick, TimeInForce,
    TradingStatus,
};
use single::{Run, config, instrument};

const KINDS: [DataKind; 4] = [
    DataKind::L2,
    DataKind::L3,
    DataKind::Quotes,
    DataKind::Trades,
];

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::Buy, Side::Sell])
}

fn price() -> impl Strategy<Value = i64> {
    97..104_i64
}

fn request() -> impl Strategy<Value = OrderRequest> {
    (
        0..KINDS.len(),
        side(),
        1..12_i64,
        prop_oneof![
            6 => Just(OrderKind::Limit),
            2 => Just(OrderKind::Market),
            3 => prop::sample::select(OrderKind::ALL),
        ],
        prop_oneof![4 => Just(TimeInForce::Gtc), 3 => prop::sample::select(TimeInForce::ALL)],
        price(),
        price(),
        (0..6_u8, 0..6_u8, 0..9_u8),
    )
        .prop_map(
            |(instrument, side, quantity, kind, tif, limit, trigger, (post, reduce, shown))| {
                let has_limit = matches!(
                    kind,
                    OrderKind::Limit | OrderKind::StopLimit | OrderKind::LimitIfTouched
                );
                let has_trigger = kind.is_triggered() && kind != OrderKind::TrailingStop;
                let is_plain =
                    kind == OrderKind::Limit && !matches!(tif, TimeInForce::Ioc | TimeInForce::Fok);
                OrderRequest {
                    limit_price: has_limit.then_some(limit),
                    trigger_price: has_trigger.then_some(trigger),
                    trail: (kind == OrderKind::TrailingStop)
                        .then_some(quantvista_engine::Trail::Amount(3)),
                    expire_at: (tif == TimeInForce::Gtd).then_some(limit * 4),
                    post_only: is_plain && post == 0,
                    reduce_only: reduce == 0,
                    display_quantity: (is_plain && shown == 0).then_some(1 + quantity / 3),
                    ..OrderRequest::new(0, instrument, side, quantity, kind, tif)
                }
            },
        )
}

fn market() -> impl Strategy<Value = Event> {
    let quote = (
        95..103_i64,
        prop_oneof![8 => 1..4_i64, 1 => -2..1_i64],
        0..9_i64,
        0..9_i64,
    );
    prop_oneof![
        6 => quote.prop_map(|(bid, spread, bid_size, ask_size)| Event::Quote {
            instrument: 2,
            quote: Quote {
                bid: Some(bid),
                bid_size: Some(bid_size),
                ask: Some(bid + spread),
                ask_size: Some(ask_size),
            },
        }),
        5 => (0..KINDS.len(), price(), 1..9_i64, prop::option::of(side())).prop_map(
            |(instrument, price, size, aggressor)| Event::Trade {
                instrument,
                trade: Tick { price, size, aggressor },
            }
        ),
        8 => (side(), 0..4_i64, 0..9_i64).prop_map(|(side, depth, size)| {
            let price = if side == Side::Buy { 100 - depth } else { 100 + depth };
            Event::BookLevel { instrument: 0, level: BookLevel { side, price, size, more: false } }
        }),
        6 => (1..30_u64, side(), 0..4_i64, 0..9_i64).prop_map(|(id, side, depth, size)| {
            let price = if side == Side::Buy { 100 - depth } else { 100 + depth };
            Event::BookOrder { instrument: 1, order: BookOrder { id, side, price, size, more: false } }
        }),
        1 => (0..2_usize).prop_map(|instrument| Event::BookCleared { instrument, more: false }),
        1 => (0..KINDS.len(), prop::sample::select(AuctionKind::ALL), price(), 0..20_i64).prop_map(
            |(instrument, kind, price, volume)| Event::Auction {
                instrument,
                auction: Auction { kind, price, volume: Some(volume) },
            }
        ),
        1 => (0..KINDS.len(), prop::sample::select(TradingStatus::ALL)).prop_map(
            |(instrument, status)| Event::Status { instrument, status }
        ),
    ]
}

fn command() -> impl Strategy<Value = Event> {
    let amendment = (
        1..40_u64,
        prop::option::of(1..12_i64),
        prop::option::of(price()),
    );
    prop_oneof![
        8 => request().prop_map(Event::SubmitOrder),
        1 => vec(request(), 3).prop_map(|orders| Event::SubmitList { orders, link: Link::Bracket }),
        2 => (1..40_u64).prop_map(|order| Event::CancelOrder { order }),
        2 => amendment.prop_map(|(order, quantity, limit_price)| Event::AmendOrder(Amendment {
            order,
            quantity,
            limit_price,
            trigger_price: None,
            trail: None,
            expire_at: None,
        })),
    ]
}

fn four_markets(latency: i64, on_touch: bool) -> Config {
    let mut config = config(DataKind::L2);
    config.instruments = KINDS
        .iter()
        .map(|kind| instrument(&format!("{}.SIM", kind.name()), *kind))
        .collect();
    config.limits.price_band = 500_000_000;
    config.venues[0].limit_fill_on_touch = on_touch;
    config.venues[0].latency = LatencyModel {
        submit_ns: latency,
        cancel_ns: latency / 2,
        amend_ns: latency,
        jitter_ns: latency,
    };
    config
}

/// What the markets have shown and not yet given, computed apart from the engine.
#[derive(Default)]
struct Shadow {
    quote: [i64; 2],
    levels: BTreeMap<(Side, i64), i64>,
    limits: HashMap<u64, (Side, Option<i64>)>,
    left: HashMap<u64, i64>,
}

impl Shadow {
    /// Take over what an input shows.
    fn see(&mut self, event: &Event) {
        match event {
            Event::Quote { quote, .. } => {
                self.quote = [quote.bid_size.unwrap_or(0), quote.ask_size.unwrap_or(0)];
            }
            Event::BookLevel { level, .. } => {
                self.levels.insert((level.side, level.price), level.size);
            }
            Event::BookCleared { instrument: 0, .. } => self.levels.clear(),
            _ => {}
        }
    }

    fn note(&mut self, output: &Output) {
        match output {
            Output::OrderAccepted(order)
            | Output::OrderSubmitted(order)
            | Output::OrderHeld(order)
            | Output::OrderAmended { order, .. } => {
                self.limits
                    .insert(order.id, (order.side, order.limit_price));
                self.left.insert(order.id, order.unfilled());
            }
            _ => {}
        }
    }

    fn check(&mut self, fill: &Fill, event: &Event, printed: &mut i64) {
        let id = fill.order.expect("a fill of an order");
        let (side, limit) = self.limits[&id];
        assert_eq!(side, fill.side);
        if let Some(limit) = limit {
            let better = match side {
                Side::Buy => fill.price <= limit,
                Side::Sell => fill.price >= limit,
            };
            assert!(better, "{fill:?} beyond its limit {limit}");
        }
        let left = self.left.get_mut(&id).expect("an order that was told");
        *left -= fill.quantity;
        assert!(*left >= 0, "{fill:?} beyond its order");
        match event {
            Event::Auction { auction, .. } => assert_eq!(fill.price, auction.price),
            Event::Trade { instrument, .. } if *instrument == fill.instrument => {
                *printed -= fill.quantity;
                // What a fill released may take from what stands as well.
                let may_stand = matches!(fill.liquidity, Liquidity::Taker) && fill.instrument != 3;
                assert!(*printed >= 0 || may_stand, "more than was traded");
            }
            _ if fill.instrument == 2 => {
                let left = &mut self.quote[usize::from(side == Side::Buy)];
                *left -= fill.quantity;
                assert!(*left >= 0, "more than was quoted");
            }
            _ if fill.instrument == 0 && fill.liquidity == Liquidity::Taker => {
                let key = (side.opposite(), fill.price);
                let left = self.levels.get_mut(&key).expect("a level that is shown");
                *left -= fill.quantity;
                assert!(*left >= 0, "more than stood there");
            }
            _ => {}
        }
    }
}

fn ahead(engine: &Engine) -> HashMap<u64, i64> {
    (1..=engine.last_order())
        .filter_map(|id| Some((id, engine.queue_ahead(id)?)))
        .collect()
}

/// Orders whose place in a queue may be a new one.
fn moved(out: &[Output]) -> Vec<u64> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderFilled(fill) => fill.order,
            Output::OrderAmended { order, .. } | Output::OrderAccepted(order) => Some(order.id),
            Output::OrderTriggered { order, .. } => Some(*order),
            _ => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_fills_beyond_the_market(
        events in vec(prop_oneof![3 => market().boxed(), 2 => command().boxed()], 1..200),
        latency in prop::sample::select(vec![0_i64, 0, 3]),
        on_touch in any::<bool>(),
    ) {
        let mut run = Run::new(four_markets(latency, on_touch));
        let mut shadow = Shadow::default();
        for event in events {
            // What was due comes first, to the market as it was.
            let nothing = Event::BarMissing { instrument: 0 };
            let due = run.next(nothing.clone());
            let before = ahead(&run.engine);
            let out = run.attempt(event.clone()).unwrap_or_default();
            for (outputs, event) in [(&due, &nothing), (&out, &event)] {
                shadow.see(event);
                let mut printed = match event {
                    Event::Trade { trade, .. } => trade.size,
                    _ => 0,
                };
                for output in outputs {
                    shadow.note(output);
                    if let Output::OrderFilled(fill) = output {
                        shadow.check(fill, event, &mut printed);
                    }
                }
            }
            let moved = moved(&out);
            for (id, now) in ahead(&run.engine) {
                let was = before.get(&id).copied();
                if let Some(was) = was.filter(|_| !moved.contains(&id)) {
                    prop_assert!(now <= was, "the queue before {id} grew from {was} to {now}");
                }
            }
        }
    }
}
