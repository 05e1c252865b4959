//! What holds whatever is commanded: no command takes a figure beyond its limit or makes it worse
//! where it is beyond, with any part of what is in flight filled; and what may only reduce never
//! enlarges or flips a position. The figures are computed here from positions and orders alone.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::config::PositionMode;
use crate::input::Amendment;
use crate::limits::{Crossed, ValueAtRisk};
use crate::numbers::RATE_ONE;
use crate::order::{Leg, Link, OrderStatus};
use crate::output::FillKind;
use crate::risk::{Command, FundState, SleeveState};

const INSTRUMENTS: usize = 3;
const SLEEVES: usize = 2;
const RETURNS: [[i32; 4]; INSTRUMENTS] = [
    [-100_000_000, -30_000_000, 50_000_000, 200_000_000],
    [-80_000_000, 10_000_000, -90_000_000, 150_000_000],
    [60_000_000, -40_000_000, 20_000_000, -120_000_000],
];

/// What may be held at most and at least of an instrument, by line and over all, in money.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    up: i128,
    down: i128,
}

impl Span {
    fn worst(&self) -> i128 {
        self.up.max(-self.down)
    }
}

/// The figures that have limits, each with its limit where it has one.
#[derive(Debug, Clone)]
struct Figures {
    /// Gross, position, concentration, sector, leverage, sleeves.
    bound: Vec<(String, i128, Option<i128>)>,
    /// Net and value at risk, from which reducing orders are free; and margin.
    free: Vec<(String, i128, Option<i128>)>,
}

fn spans(desk: &Desk, legs: usize) -> Vec<Span> {
    let engine = &desk.engine;
    let mut spans = vec![Span::default(); SLEEVES * INSTRUMENTS * legs];
    for sleeve in 0..SLEEVES {
        for instrument in 0..INSTRUMENTS {
            for leg in 0..legs {
                let held = engine.ledger.position(sleeve, instrument, leg).quantity;
                let place = (sleeve * INSTRUMENTS + instrument) * legs + leg;
                let worth = i128::from(held) * i128::from(engine.mark(instrument).unwrap_or(0));
                spans[place] = Span {
                    up: worth * MONEY,
                    down: worth * MONEY,
                };
            }
        }
    }
    let mut groups = std::collections::BTreeSet::new();
    for order in engine.book.working() {
        let is_first = order.group.is_none_or(|group| groups.insert(group));
        if order.status == OrderStatus::Held || !is_first {
            continue;
        }
        let mark = i128::from(engine.mark(order.instrument).unwrap_or(0));
        let worth = i128::from(order.unfilled()) * mark * MONEY;
        let place = (order.sleeve * INSTRUMENTS + order.instrument) * legs + order.leg.index();
        match order.side {
            Side::Buy => spans[place].up += worth,
            Side::Sell => spans[place].down -= worth,
        }
    }
    spans
}

fn figures(desk: &Desk, legs: usize) -> Figures {
    let engine = &desk.engine;
    let lines = spans(desk, legs);
    let equity = engine.equity().unwrap().max(0);
    let limits = &engine.config.limits;
    let share = |of: i128, rate: Option<i64>| {
        rate.map(|rate| (of * i128::from(rate)).div_euclid(i128::from(RATE_ONE)))
    };
    let mut rows = [Span::default(); INSTRUMENTS];
    for (place, line) in lines.iter().enumerate() {
        let row = &mut rows[place / legs % INSTRUMENTS];
        row.up += line.up;
        row.down += line.down;
    }
    let of_line = |place: usize| match (legs, place % legs) {
        (1, _) => lines[place].worst(),
        (_, 0) => lines[place].up,
        _ => -lines[place].down,
    };
    let mut bound = Vec::new();
    let mut free = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        bound.push((
            format!("position {index}"),
            row.worst(),
            limits.position_max,
        ));
        let cap = share(equity, limits.weight_max);
        bound.push((format!("concentration {index}"), row.worst(), cap));
    }
    let mines = rows[0].worst() + rows[1].worst();
    let gross = mines + rows[2].worst();
    let sector_max = share(equity, limits.sector_max);
    bound.push(("mines".to_owned(), mines, sector_max));
    bound.push(("banks".to_owned(), rows[2].worst(), sector_max));
    bound.push(("gross".to_owned(), gross, share(equity, limits.gross_max)));
    let leverage = (0..lines.len()).map(of_line).sum();
    let cap = share(equity, limits.leverage_max);
    bound.push(("leverage".to_owned(), leverage, cap));
    for sleeve in 0..SLEEVES {
        let own = engine.sleeve_equity(sleeve).unwrap();
        let of_sleeve = &engine.config.sleeves[sleeve].limits;
        let places = sleeve * INSTRUMENTS * legs..(sleeve + 1) * INSTRUMENTS * legs;
        let total = places.map(of_line).sum::<i128>();
        let cap = share(own.max(0), of_sleeve.gross_max);
        bound.push((format!("gross of {sleeve}"), total, cap));
        if engine.config.account.kind == AccountKind::Margin {
            // All instruments ask for half; what orders hold is not part of the figure.
            free.push((format!("margin of {sleeve}"), total / 2, Some(own)));
        }
    }
    let up = rows.iter().map(|row| row.up).sum::<i128>();
    let down = rows.iter().map(|row| row.down).sum::<i128>();
    free.push((
        "net".to_owned(),
        up.max(-down),
        share(equity, limits.net_max),
    ));
    if let Some(risk) = limits.value_at_risk {
        // The worst of all combinations of what may be held, in each scenario.
        let mut losses: Vec<i128> = (0..4)
            .map(|scenario| {
                rows.iter()
                    .zip(&RETURNS)
                    .map(|(row, returns)| {
                        let rate = i128::from(returns[scenario]);
                        (-row.up * rate).max(-row.down * rate)
                    })
                    .sum()
            })
            .collect();
        losses.sort_unstable();
        let value = losses[3 - risk.beyond()];
        let value = value.div_euclid(i128::from(RATE_ONE))
            + i128::from(value.rem_euclid(i128::from(RATE_ONE)) > 0);
        let cap = share(equity, risk.max);
        free.push(("value at risk".to_owned(), value.max(0), cap));
    }
    Figures { bound, free }
}

#[derive(Debug, Clone)]
enum Move {
    Session([i64; INSTRUMENTS]),
    Order(OrderRequest),
    Target(usize, Vec<(usize, i64)>),
    List(OrderRequest, i64, Link),
    Cancel(u64),
    Amend(u64, Option<i64>, Option<i64>),
    Operator(Command),
}

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(Side::ALL)
}

fn order() -> impl Strategy<Value = OrderRequest> {
    let kind = prop_oneof![
        4 => Just((OrderKind::Market, false, false)),
        3 => Just((OrderKind::Limit, true, false)),
        1 => Just((OrderKind::Stop, false, true)),
        1 => Just((OrderKind::StopLimit, true, true)),
    ];
    (
        (0..SLEEVES, 0..INSTRUMENTS, side(), 1..120_i64, kind),
        (80..120_i64, prop::bool::weighted(0.2), any::<bool>()),
    )
        .prop_map(
            |((sleeve, instrument, side, quantity, kind), (price, reduce_only, is_long))| {
                OrderRequest {
                    kind: kind.0,
                    limit_price: kind.1.then_some(price),
                    trigger_price: kind.2.then_some(price),
                    reduce_only,
                    leg: if is_long { Leg::Long } else { Leg::Short },
                    ..market(sleeve, instrument, side, quantity)
                }
            },
        )
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => Just(Command::Reduce),
        1 => Just(Command::Halt),
        4 => Just(Command::Resume),
        1 => Just(Command::Flatten),
        3 => (0..SLEEVES, prop::sample::select(SleeveState::ALL))
            .prop_map(|(sleeve, state)| Command::Sleeve { sleeve, state }),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let price = || 70..140_i64;
    let weights = vec((0..INSTRUMENTS, -600_000_000..600_000_000_i64), 1..3);
    let list = (order(), 80..120_i64, prop::bool::ANY);
    vec(
        prop_oneof![
            4 => [price(), price(), price()].prop_map(Move::Session),
            10 => order().prop_map(Move::Order),
            2 => (0..SLEEVES, weights).prop_map(|(sleeve, targets)| Move::Target(sleeve, targets)),
            2 => list.prop_map(|(order, price, oco)| {
                Move::List(order, price, if oco { Link::Oco } else { Link::Oto })
            }),
            2 => (1..60_u64).prop_map(Move::Cancel),
            4 => (1..60_u64, prop::option::of(1..150_i64), prop::option::of(80..120_i64))
                .prop_map(|(order, quantity, price)| Move::Amend(order, quantity, price)),
            1 => command().prop_map(Move::Operator),
        ],
        5..60,
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let share = || prop::option::weighted(0.4, 20_000_000..150_000_000_i64);
    (
        prop::option::weighted(0.4, 2_000..15_000_i128),
        [share(), share(), share(), share(), share()],
        prop::option::weighted(0.4, 2_000_000..12_000_000_i64),
        any::<bool>(),
    )
        .prop_map(|(position, shares, risk, reduces)| Limits {
            position_max: position.map(|units| units * MONEY),
            weight_max: shares[0],
            sector_max: shares[1],
            gross_max: shares[2],
            leverage_max: shares[3],
            net_max: shares[4],
            value_at_risk: risk.map(|max| ValueAtRisk {
                scenarios: 4,
                confidence: 740_000_000,
                max: Some(max),
                step_max: None,
            }),
            crossed: if reduces {
                Crossed::ReduceOnly
            } else {
                Crossed::Refuse
            },
            ..Limits::default()
        })
}

/// What the book and the positions were before a move.
struct Before {
    figures: Figures,
    state: FundState,
    sleeves: [SleeveState; SLEEVES],
    orders: Vec<u64>,
}

fn take(desk: &mut Desk, step: &Move, is_hedging: bool) -> Vec<Output> {
    let on_leg = |request: &OrderRequest| OrderRequest {
        leg: if is_hedging { request.leg } else { Leg::Net },
        ..*request
    };
    match step {
        Move::Session(closes) => desk.session(closes),
        Move::Order(request) => desk.feed(Event::SubmitOrder(on_leg(request))),
        Move::Target(_, _) if is_hedging => Vec::new(),
        Move::Target(sleeve, targets) => {
            let mut targets = targets.clone();
            targets.sort_unstable();
            targets.dedup_by_key(|target| target.0);
            desk.feed(Event::TargetPortfolio {
                sleeve: *sleeve,
                targets,
            })
        }
        Move::List(request, price, link) => {
            let entry = on_leg(request);
            let other = OrderRequest {
                kind: OrderKind::Limit,
                limit_price: Some(*price),
                trigger_price: None,
                side: if *link == Link::Oco {
                    entry.side
                } else {
                    entry.side.opposite()
                },
                ..entry
            };
            desk.feed(Event::SubmitList {
                orders: vec![entry, other],
                link: *link,
            })
        }
        Move::Cancel(order) => desk.feed(Event::CancelOrder { order: *order }),
        Move::Amend(order, quantity, limit_price) => desk.feed(Event::AmendOrder(Amendment {
            order: *order,
            quantity: *quantity,
            limit_price: *limit_price,
            trigger_price: None,
            trail: None,
            expire_at: None,
        })),
        Move::Operator(command) => desk.feed(Event::Operator(command.clone())),
    }
}

/// A fill of something that may only reduce does no more than that.
fn check_fills(
    out: &[Output],
    positions: &mut [i64],
    legs: usize,
    reduces: impl Fn(usize, Option<u64>) -> bool,
) -> Result<(), TestCaseError> {
    for output in out {
        let Output::OrderFilled(fill) = output else {
            continue;
        };
        let place = (fill.sleeve * INSTRUMENTS + fill.instrument) * legs + fill.leg;
        let before = positions[place];
        let after = before + fill.side.signed(fill.quantity);
        positions[place] = after;
        if reduces(fill.sleeve, fill.order) && fill.kind != FillKind::Liquidation {
            prop_assert!(
                after.abs() < before.abs() && after.signum() * before.signum() >= 0,
                "{before} became {after} by {fill:?}"
            );
        }
    }
    Ok(())
}

fn check_figures(before: &Before, after: &Figures, exempt: bool) -> Result<(), TestCaseError> {
    let pairs = before.figures.bound.iter().zip(&after.bound);
    let free = before.figures.free.iter().zip(&after.free);
    for (old, new) in pairs.chain(free.filter(|_| !exempt)) {
        if let (_, figure, Some(limit)) = new {
            prop_assert!(
                *figure <= (*limit).max(old.1),
                "{} went from {} to {} beyond {}",
                new.0,
                old.1,
                figure,
                limit
            );
        }
    }
    Ok(())
}

fn settings() -> ProptestConfig {
    let is_random = std::env::var_os("QV_RANDOM").is_some();
    ProptestConfig {
        cases: if is_random { 20_000 } else { 400 },
        rng_seed: if is_random {
            RngSeed::Random
        } else {
            RngSeed::Fixed(7)
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn no_command_crosses_or_worsens_a_limit(
        limits in limits(), steps in moves(), is_hedging in any::<bool>(), is_cash in prop::bool::weighted(0.3),
    ) {
        let is_hedging = is_hedging && !is_cash;
        let kind = if is_cash { AccountKind::Cash } else { AccountKind::Margin };
        let has_scenarios = limits.value_at_risk.is_some();
        let mut config = config(kind, limits);
        if is_hedging {
            config.account.positions = PositionMode::Hedging;
        }
        config.sleeves[0].limits.gross_max = Some(200_000_000);
        let legs = config.account.legs();
        let mut desk = Desk::new(config);
        desk.session(&[100, 100, 100]);
        if has_scenarios {
            for (instrument, returns) in RETURNS.iter().enumerate() {
                desk.feed(Event::Scenarios(Scenarios {
                    instrument,
                    returns: returns.to_vec(),
                    expires_at: i64::MAX,
                }));
            }
        }
        let mut positions = vec![0; SLEEVES * INSTRUMENTS * legs];
        let mut flagged = std::collections::HashSet::new();
        for step in &steps {
            let before = Before {
                figures: figures(&desk, legs),
                state: desk.engine.fund_state(),
                sleeves: [0, 1].map(|sleeve| desk.engine.sleeve_state(sleeve)),
                orders: desk.working().iter().map(|order| order.id).collect(),
            };
            let out = take(&mut desk, step, is_hedging);
            check_fills(&out, &mut positions, legs, |sleeve, order| {
                before.state != FundState::Active
                    || before.sleeves[sleeve] != SleeveState::On
                    || order.is_some_and(|id| flagged.contains(&id))
            })?;
            for order in desk.working() {
                if order.reduce_only {
                    flagged.insert(order.id);
                }
                let is_new = !before.orders.contains(&order.id);
                let place = (order.sleeve * INSTRUMENTS + order.instrument) * legs + order.leg.index();
                let opposite = positions[place] != 0
                    && (positions[place] > 0) == (order.side == Side::Sell);
                if is_new && before.state != FundState::Active && order.status != OrderStatus::Held {
                    prop_assert!(opposite, "{order:?} adds to {}", positions[place]);
                }
            }
            let is_command = !matches!(step, Move::Session(_) | Move::Operator(_));
            if is_command {
                // Orders that may reduce are free from some limits.
                let exempt = desk.working().iter().any(|order| {
                    let place = (order.sleeve * INSTRUMENTS + order.instrument) * legs
                        + order.leg.index();
                    let held = positions[place];
                    held != 0 && (held > 0) == (order.side == Side::Sell)
                });
                check_figures(&before, &figures(&desk, legs), exempt)?;
            }
        }
    }
}
