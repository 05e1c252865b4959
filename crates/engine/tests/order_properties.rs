//! Random orders of every kind, lists, amendments and replacements on random bars: what must hold
//! whatever happens. The market takes the engine through bytes, and checks its sums, at every input.

mod support;

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::{
    Amendment, Bar, Config, Event, Leg, Link, Order, OrderKind, OrderRequest, OrderStatus, Output,
    PositionMode, Side, TRANSITIONS, TimeInForce, Trail,
};
use support::{Market, config, margin_config};

#[derive(Debug, Clone)]
enum Deed {
    Order(OrderRequest),
    List(Vec<OrderRequest>, Link),
    Amend(Amendment),
    Replace(u64, OrderRequest),
    Cancel(u64),
}

#[derive(Debug, Clone)]
struct Day {
    bars: [Option<Bar>; 2],
    starts: bool,
    ends: bool,
    deeds: Vec<Deed>,
}

fn price() -> impl Strategy<Value = i64> {
    85..116_i64
}

fn bar(close_only: bool) -> impl Strategy<Value = Bar> {
    (90..111_i64, 0..9_i64, 0..9_i64, 0..18_i64, 0..300_i64).prop_map(
        move |(open, up, down, place, volume)| {
            let (high, low) = (open + up, open - down);
            Bar {
                range: (!close_only).then_some([open, high, low]),
                close: (low + place).min(high),
                volume: Some(volume),
            }
        },
    )
}

fn request() -> impl Strategy<Value = OrderRequest> {
    let terms = (
        prop::sample::select(OrderKind::ALL),
        prop::sample::select(TimeInForce::ALL),
        price(),
        price(),
        prop_oneof![
            (1..9_i64).prop_map(Trail::Amount),
            (1..90_i64).prop_map(|m| Trail::Rate(m * 1_000_000))
        ],
        1..12_i64,
    );
    let flags = (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.02),
    );
    (
        terms,
        flags,
        0..2_usize,
        0..2_usize,
        any::<bool>(),
        1..30_i64,
    )
        .prop_map(|(terms, flags, sleeve, instrument, buys, quantity)| {
            let (kind, tif, limit, trigger, trail, days) = terms;
            let (post_only, reduce_only, shows, odd) = flags;
            let side = if buys { Side::Buy } else { Side::Sell };
            let triggers = kind.is_triggered() && kind != OrderKind::TrailingStop;
            OrderRequest {
                limit_price: (kind.has_limit() != odd).then_some(limit),
                trigger_price: triggers.then_some(trigger),
                trail: (kind == OrderKind::TrailingStop).then_some(trail),
                expire_at: (tif == TimeInForce::Gtd).then_some(days * 100),
                display_quantity: (shows && kind == OrderKind::Limit).then_some(1),
                post_only: post_only && kind == OrderKind::Limit,
                reduce_only,
                ..OrderRequest::new(sleeve, instrument, side, quantity, kind, tif)
            }
        })
}

/// A list that is mostly well formed.
fn list() -> impl Strategy<Value = Deed> {
    let link = prop::sample::select(vec![Link::Oco, Link::Oto, Link::Bracket]);
    (link, vec(request(), 3), any::<bool>()).prop_map(|(link, mut orders, third)| {
        let head = orders[0];
        for (index, order) in orders.iter_mut().enumerate() {
            order.sleeve = head.sleeve;
            order.instrument = head.instrument;
            order.quantity = head.quantity;
            order.side = match link {
                Link::Oto => order.side,
                Link::Bracket if index > 0 => head.side.opposite(),
                Link::Oco | Link::Bracket => head.side,
            };
            let is_parent = link != Link::Oco && index == 0;
            if !is_parent && matches!(order.tif, TimeInForce::Ioc | TimeInForce::Fok) {
                order.tif = TimeInForce::Gtc;
            }
            if !is_parent && order.kind == OrderKind::Market && link != Link::Oto {
                order.kind = OrderKind::OnClose;
            }
        }
        if !third && link != Link::Bracket {
            orders.pop();
        }
        Deed::List(orders, link)
    })
}

fn amendment() -> impl Strategy<Value = Deed> {
    (
        1..60_u64,
        option::weighted(0.6, 1..30_i64),
        option::weighted(0.4, price()),
        option::weighted(0.2, price()),
        option::weighted(0.1, (1..9_i64).prop_map(Trail::Amount)),
        option::weighted(0.1, (1..12_i64).prop_map(|day| day * 100)),
    )
        .prop_map(
            |(order, quantity, limit_price, trigger_price, trail, expire_at)| {
                Deed::Amend(Amendment {
                    order,
                    quantity,
                    limit_price,
                    trigger_price,
                    trail,
                    expire_at,
                })
            },
        )
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => request().prop_map(Deed::Order),
        4 => list(),
        3 => amendment(),
        1 => (1..60_u64, request()).prop_map(|(id, request)| Deed::Replace(id, request)),
        2 => (1..60_u64).prop_map(Deed::Cancel),
    ]
}

fn day() -> impl Strategy<Value = Day> {
    (
        option::weighted(0.95, bar(false)),
        option::weighted(0.9, bar(true)),
        any::<bool>(),
        prop::bool::weighted(0.4),
        vec(deed(), 0..6),
    )
        .prop_map(|(a, b, starts, ends, deeds)| Day {
            bars: [a, b],
            starts,
            ends,
            deeds,
        })
}

fn settings() -> ProptestConfig {
    let is_random = std::env::var_os("QV_RANDOM").is_some();
    ProptestConfig {
        cases: if is_random { 5_000 } else { 192 },
        rng_seed: if is_random {
            RngSeed::Random
        } else {
            RngSeed::Fixed(11)
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What the outputs tell of orders, and what must hold of it.
#[derive(Default)]
struct Story {
    orders: HashMap<u64, Order>,
    /// Held of each line, by sleeve, instrument and leg.
    held: HashMap<(usize, usize, usize), i64>,
    /// What orders filled, by the group that they share.
    by_group: HashMap<u64, i64>,
    /// The size of a group: its first quantity, for children what their parent has filled.
    sizes: HashMap<u64, i64>,
    steps: HashMap<(OrderStatus, OrderStatus), usize>,
}

impl Story {
    fn know(&mut self, order: &Order) {
        let before = self
            .orders
            .insert(order.id, *order)
            .map_or(OrderStatus::Initialised, |known| known.status);
        if before != order.status {
            self.step(before, order.status);
        }
        assert!(order.filled <= order.quantity, "{order:?}");
        if let Some(group) = order.group.filter(|_| order.parent.is_none()) {
            self.sizes.entry(group).or_insert(order.quantity);
        }
    }

    fn step(&mut self, before: OrderStatus, after: OrderStatus) {
        let step = (before, after);
        assert!(TRANSITIONS.contains(&step), "{before:?} -> {after:?}");
        *self.steps.entry(step).or_default() += 1;
    }

    fn turn(&mut self, id: u64, status: OrderStatus) {
        let before = self.orders[&id].status;
        self.step(before, status);
        self.orders.get_mut(&id).expect("a known order").status = status;
    }

    fn observe(&mut self, output: &Output, works: impl Fn(u64) -> bool) {
        match output {
            Output::OrderHeld(order)
            | Output::OrderAccepted(order)
            | Output::OrderRejected { order, .. } => self.know(order),
            Output::OrderAmended { order, .. } => {
                let known = self.orders[&order.id];
                assert_eq!(known.status, order.status, "{order:?}");
                assert_eq!(known.filled, order.filled, "{order:?}");
                self.know(order);
            }
            Output::OrderTriggered { order, .. } => self.turn(*order, OrderStatus::Triggered),
            Output::OrderCancelled { order, .. } => self.turn(*order, OrderStatus::Cancelled),
            Output::OrderExpired { order, .. } => self.turn(*order, OrderStatus::Expired),
            Output::OrderFilled(fill) => {
                let Some(id) = fill.order else { return };
                let order = self.orders.get_mut(&id).expect("a known order");
                order.filled += fill.quantity;
                let order = *order;
                assert!(order.filled <= order.quantity, "{order:?} is overfilled");
                let awaits = order.parent.is_some_and(&works);
                let next = if order.filled == order.quantity && !awaits {
                    OrderStatus::Filled
                } else {
                    OrderStatus::PartiallyFilled
                };
                // What a child has left may be given away in this very input, when its parent ends.
                if order.filled < order.quantity || !awaits {
                    self.turn(id, next);
                } else if order.status != OrderStatus::PartiallyFilled {
                    self.turn(id, OrderStatus::PartiallyFilled);
                }
                let line = (fill.sleeve, fill.instrument, fill.leg);
                let held = self.held.entry(line).or_default();
                let before = *held;
                *held += fill.side.signed(fill.quantity);
                let closes = matches!(
                    (order.leg, order.side),
                    (Leg::Long, Side::Sell) | (Leg::Short, Side::Buy)
                );
                if order.reduce_only || closes {
                    let reduces = held.abs() < before.abs() && held.signum() != -before.signum();
                    assert!(reduces, "{before} -> {held} by {order:?}");
                }
                if let Some(group) = order.group {
                    *self.by_group.entry(group).or_default() += fill.quantity;
                }
            }
            _ => {}
        }
    }

    fn check(&self, market: &Market) {
        for (group, filled) in &self.by_group {
            let parent = self.orders[group].parent;
            let size = match parent {
                Some(parent) => self.orders[&parent].filled,
                None => self.sizes[group],
            };
            assert!(*filled <= size, "group {group} filled {filled} of {size}");
        }
        for (id, order) in &self.orders {
            let Some(engine) = market.engine.order(*id) else {
                // A child may be done without a word when its parent is filled.
                let is_done = order.status.is_final()
                    || (order.parent.is_some() && order.filled == order.quantity);
                assert!(is_done, "{order:?} is gone");
                continue;
            };
            assert_eq!(engine.status, order.status, "{order:?}");
            assert_eq!(
                (engine.quantity, engine.filled),
                (order.quantity, order.filled)
            );
            if let Some(group) = engine.group.filter(|_| engine.status != OrderStatus::Held) {
                let counted = (group..group + 8)
                    .filter_map(|id| market.engine.order(id))
                    .filter(|other| other.group == Some(group) && other.counted)
                    .count();
                assert_eq!(counted, 1, "of group {group}");
            }
        }
        for ((sleeve, instrument, leg), held) in &self.held {
            let position = market.engine.ledger().position(*sleeve, *instrument, *leg);
            assert_eq!(position.quantity, *held);
        }
    }
}

fn play(config: Config, days: &[Day]) -> Story {
    let hedging = config.account.positions == PositionMode::Hedging;
    let mut market = Market::new(config);
    let mut story = Story::default();
    let fit = |request: &OrderRequest| OrderRequest {
        leg: match (hedging, request.quantity % 2 == 0) {
            (false, _) => Leg::Net,
            (true, true) => Leg::Long,
            (true, false) => Leg::Short,
        },
        ..*request
    };
    for day in days {
        let bars: Vec<(usize, Bar)> = (0..)
            .zip(day.bars)
            .filter_map(|(instrument, bar)| Some((instrument, bar?)))
            .collect();
        let mut outputs = vec![market.barrier(&bars, day.starts, day.ends)];
        for deed in &day.deeds {
            let event = match deed {
                Deed::Order(request) => Event::SubmitOrder(fit(request)),
                Deed::List(orders, link) => Event::SubmitList {
                    orders: orders.iter().map(fit).collect(),
                    link: *link,
                },
                Deed::Amend(amendment) => Event::AmendOrder(*amendment),
                Deed::Replace(order, request) => Event::ReplaceOrder {
                    order: *order,
                    request: fit(request),
                },
                Deed::Cancel(order) => Event::CancelOrder { order: *order },
            };
            outputs.push(market.apply(event));
        }
        for output in outputs.iter().flatten() {
            let parents: HashMap<u64, OrderStatus> = story
                .orders
                .iter()
                .map(|(id, order)| (*id, order.status))
                .collect();
            story.observe(output, |id| {
                parents.get(&id).is_some_and(|status| !status.is_final())
            });
        }
        story.check(&market);
    }
    story
}

/// Kinds of accounts, with and without a cap on volume.
fn accounts() -> impl Strategy<Value = Config> {
    (
        0..3_usize,
        option::of(100_000_000..600_000_000_i64),
        any::<bool>(),
    )
        .prop_map(|(account, participation, touch)| {
            let mut config = match account {
                0 => config(),
                1 => margin_config(PositionMode::Netting),
                _ => margin_config(PositionMode::Hedging),
            };
            config.venues[0].participation_max = participation;
            config.venues[0].limit_fill_on_touch = touch;
            config
        })
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn orders_keep_to_their_rules_whatever_happens(
        config in accounts(),
        days in vec(day(), 1..14),
    ) {
        play(config, &days);
    }
}

/// What never happens on bars without latency is left to the tests of events.
#[test]
fn random_days_show_every_step_of_an_order() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::new(settings());
    let mut seen: HashMap<(OrderStatus, OrderStatus), usize> = HashMap::new();
    for _ in 0..120 {
        let config = accounts().new_tree(&mut runner).unwrap().current();
        let days = vec(day(), 1..14).new_tree(&mut runner).unwrap().current();
        for (step, count) in play(config, &days).steps {
            *seen.entry(step).or_default() += count;
        }
    }
    let on_its_way = [OrderStatus::Submitted, OrderStatus::Unknown];
    let missing: Vec<_> = TRANSITIONS
        .iter()
        .filter(|(from, to)| !on_its_way.contains(from) && !on_its_way.contains(to))
        .filter(|step| !seen.contains_key(step))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
