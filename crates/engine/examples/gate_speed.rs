//! How fast the gate is, in this process alone:
//! `cargo run --release -p quantvista-engine --example gate_speed -- WORK COUNT`, where the work is
//! `scalar`, `value_at_risk` or `value_at_risk_refused`, and the count is of orders. Prints a line of
//! JSON, as `benchmarks/run.py` reads it; what it counts is checks for the first, orders for the others.
//!
//! Orders that the gate refuses at its last check go through all of it and change nothing, so
//! the time is that of the gate and of telling its verdict.

use std::time::Instant;

use quantvista_engine::{
    AccountKind, Bar, Config, Engine, Event, FeeModel, Input, Instrument, Limits, OrderKind,
    OrderRequest, Scenarios, Side, Sleeve, TimeInForce, ValueAtRisk,
};

const MONEY: i128 = 1_000_000_000_000;
const INSTRUMENTS: usize = 500;
const SCENARIOS: u32 = 1_000;

fn instrument(index: usize) -> Instrument {
    Instrument {
        sector: format!("S{}", index % 10),
        close_only: true,
        margin_initial: 500_000_000,
        margin_maintenance: 250_000_000,
        shortable: 1_000_000,
        ..Instrument::new(&format!("I{index:03}.X"))
    }
}

fn config(limits: Limits) -> Config {
    let instruments = (0..INSTRUMENTS).map(instrument).collect();
    let sleeves = vec![Sleeve::new("one", 100_000_000 * MONEY)];
    let mut config = Config::new("speed", instruments, sleeves);
    config.account.kind = AccountKind::Margin;
    config.venues[0].fee = FeeModel::flat(100_000);
    config.limits = limits;
    config
}

struct Desk {
    engine: Engine,
    sequence: u64,
    out: Vec<quantvista_engine::Output>,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        let mut desk = Self {
            engine: Engine::new(config(limits)).expect("a sound configuration"),
            sequence: 0,
            out: Vec::new(),
        };
        desk.session(1);
        for index in 0..INSTRUMENTS {
            let side = if index % 2 == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            desk.feed(1, Event::SubmitOrder(order(index, side, 100)));
        }
        desk.session(2);
        desk
    }

    fn session(&mut self, ts: i64) {
        for instrument in 0..INSTRUMENTS {
            let bar = Bar {
                range: None,
                close: 10_000,
                volume: None,
            };
            self.feed(ts, Event::Bar { instrument, bar });
        }
        let ends = Event::Barrier {
            session_start: true,
            session_end: true,
        };
        self.feed(ts, ends);
    }

    fn feed(&mut self, ts: i64, event: Event) {
        self.sequence += 1;
        let input = Input {
            ts_event: ts,
            ts_received: ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        self.out.clear();
        let result = self.engine.apply_into(&input, &mut self.out);
        result.expect("an input that is taken");
    }

    /// Send so many orders, for each instrument in turn; returns the seconds that took.
    fn send(&mut self, count: usize, quantity: i64) -> f64 {
        let start = Instant::now();
        for number in 0..count {
            let request = order(number % INSTRUMENTS, Side::Buy, quantity);
            self.feed(3, Event::SubmitOrder(request));
        }
        start.elapsed().as_secs_f64()
    }
}

fn order(instrument: usize, side: Side, quantity: i64) -> OrderRequest {
    let (kind, tif) = (OrderKind::Market, TimeInForce::Gtc);
    OrderRequest::new(0, instrument, side, quantity, kind, tif)
}

fn scalar_limits() -> Limits {
    Limits {
        fat_finger_quantity: Some(1_000_000),
        fat_finger_notional: Some(100_000_000 * MONEY),
        position_max: Some(50_000_000 * MONEY),
        weight_max: Some(500_000_000),
        sector_max: Some(1_000_000_000),
        gross_max: Some(2_000_000_000),
        leverage_max: Some(2_000_000_000),
        net_max: Some(1),
        bar_age_max_ns: Some(1_000_000),
        ..Limits::default()
    }
}

/// State, sleeve, listing, price, nine of form, band, currency, halt, age, two fat fingers,
/// locate, margin, position, concentration, sector, gross, leverage, net.
const CHECKS: usize = 26;

/// A desk that checks value at risk too, and has returns of all instruments.
fn var_desk(max: i64) -> Desk {
    let mut desk = Desk::new(Limits {
        value_at_risk: Some(ValueAtRisk {
            scenarios: SCENARIOS,
            confidence: 990_000_000,
            max: Some(max),
            step_max: None,
        }),
        net_max: None,
        ..scalar_limits()
    });
    for instrument in 0..INSTRUMENTS {
        let scatter = |k: u32| {
            let mixed = (u64::from(k) + 1) * 2_654_435_761 * (instrument as u64 + 7);
            i32::try_from(mixed % 60_000_000).expect("small") - 30_000_000
        };
        let scenarios = Scenarios {
            instrument,
            returns: (0..SCENARIOS).map(scatter).collect(),
            expires_at: i64::MAX,
        };
        desk.feed(3, Event::Scenarios(scenarios));
    }
    desk
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let work = arguments.next().unwrap_or_default();
    let count = arguments.next().and_then(|count| count.parse().ok());
    let Some(count) = count else {
        panic!("usage: gate_speed scalar|value_at_risk|value_at_risk_refused COUNT");
    };
    let (mut desk, quantity, checks) = match work.as_str() {
        "scalar" => (Desk::new(scalar_limits()), 1_000, CHECKS),
        "value_at_risk" => (var_desk(900_000_000), 1, 1),
        "value_at_risk_refused" => (var_desk(1), 100_000, 1),
        other => panic!("there is no work {other:?}"),
    };
    let seconds = desk.send(count, quantity);
    println!(
        "{{\"seconds\": {seconds}, \"count\": {}, \"version\": \"{}\", \"peak_mb\": {}, \"check\": \"{}\"}}",
        count * checks,
        env!("CARGO_PKG_VERSION"),
        peak_mb(),
        desk.engine.state_hash()
    );
}

/// Most memory that this process had, in MB, where the system tells.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
}
