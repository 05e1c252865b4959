//! How fast the venue of event instruments is, in this process alone:
//! `cargo run --release -p quantvista-engine --example venue_speed -- WORK COUNT`, where the work is
//! `quotes`, `orders`, `one` or `levels`. Prints a line of JSON, as `benchmarks/run.py` reads it.

#[path = "../tests/single/mod.rs"]
mod single;

use std::time::Instant;

use quantvista_engine::{
    BookLevel, DataKind, Engine, Event, Input, OrderRequest, Output, Quote, Side, splitmix64,
};
use single::{config, instrument, limit, order};

/// What a work took: seconds, the slowest in a hundred in nanoseconds, and the state that it led to.
struct Measured {
    seconds: f64,
    p99_ns: u32,
    state: String,
}

struct Feeder {
    engine: Engine,
    out: Vec<Output>,
    ts: i64,
    sequence: u64,
}

impl Feeder {
    fn new(kind: DataKind, instruments: usize) -> Self {
        let mut config = config(kind);
        config.instruments = (0..instruments)
            .map(|index| instrument(&format!("I{index:04}.SIM"), kind))
            .collect();
        config.sleeves[0].cash *= 1_000_000;
        Self {
            engine: Engine::new(config).expect("a sound configuration"),
            out: Vec::new(),
            ts: 0,
            sequence: 0,
        }
    }

    #[inline(always)]
    fn feed(&mut self, event: Event) {
        self.ts += 1;
        self.sequence += 1;
        self.out.clear();
        let input = Input {
            ts_event: self.ts,
            ts_received: self.ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        self.engine
            .apply_into(&input, &mut self.out)
            .expect("an input that is taken");
    }
}

fn on(instrument: usize, request: OrderRequest) -> Event {
    Event::SubmitOrder(OrderRequest {
        instrument,
        ..request
    })
}

fn quote(instrument: usize, bid: i64) -> Event {
    Event::Quote {
        instrument,
        quote: Quote {
            bid: Some(bid),
            bid_size: Some(100),
            ask: Some(bid + 2),
            ask_size: Some(100),
        },
    }
}

/// Numbers below `bound`, the same in every run.
fn noise(count: usize, bound: i64) -> Vec<i64> {
    (0..count as u64)
        .map(|seed| i64::try_from(splitmix64(seed) % bound.unsigned_abs()).expect("small"))
        .collect()
}

fn quotes(count: usize) -> Measured {
    const INSTRUMENTS: usize = 500;
    let mut feeder = Feeder::new(DataKind::Quotes, INSTRUMENTS);
    for instrument in 0..INSTRUMENTS {
        feeder.feed(quote(instrument, 10_000));
    }
    for instrument in (0..INSTRUMENTS).step_by(10) {
        feeder.feed(on(instrument, limit(Side::Buy, 10, 9_000)));
        feeder.feed(on(instrument, limit(Side::Sell, 10, 11_000)));
    }
    let moves = noise(1 << 16, 100);
    let places = noise(1 << 16, 500);
    let start = Instant::now();
    for index in 0..count {
        let at = index & 0xFFFF;
        let instrument = usize::try_from(places[at]).expect("a place");
        feeder.feed(quote(instrument, 9_950 + moves[at]));
    }
    measured(start, 0, &feeder)
}

fn orders(spread: usize, count: usize) -> Measured {
    let mut feeder = Feeder::new(DataKind::Quotes, spread);
    for instrument in 0..spread {
        feeder.feed(Event::Quote {
            instrument,
            quote: Quote {
                bid: Some(10_000),
                ask: Some(10_002),
                ..Quote::default()
            },
        });
    }
    for (index, price) in noise(100_000, 1_000).into_iter().enumerate() {
        feeder.feed(on(index % spread, limit(Side::Buy, 1, 8_500 + price)));
    }
    // Written to before the time is taken, so that its memory is there.
    let mut times = vec![u32::MAX; count];
    let start = Instant::now();
    let mut before = start;
    for (index, time) in times.iter_mut().enumerate() {
        let side = if index % 2 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        feeder.feed(on(index / 2 % spread, order(side, 1)));
        assert!(matches!(feeder.out.last(), Some(Output::OrderFilled(_))));
        // One look at the clock an order: it takes as long as a tenth of an order.
        let now = Instant::now();
        *time = u32::try_from((now - before).as_nanos()).unwrap_or(u32::MAX);
        before = now;
    }
    let end = before - start;
    times.sort_unstable();
    let p99_ns = times.get(count * 99 / 100).copied().unwrap_or(0);
    Measured {
        seconds: end.as_secs_f64(),
        p99_ns,
        state: feeder.engine.state_hash(),
    }
}

fn levels(count: usize) -> Measured {
    let mut feeder = Feeder::new(DataKind::L2, 1);
    let sizes = noise(1 << 16, 50);
    let depths = noise(1 << 16, 400);
    let start = Instant::now();
    for index in 0..count {
        let at = index & 0xFFFF;
        let is_bid = index & 1 == 0;
        // Mostly near the best price.
        let depth = depths[at] * depths[at] / 400;
        let price = if is_bid {
            10_000 - depth
        } else {
            10_001 + depth
        };
        feeder.feed(Event::BookLevel {
            instrument: 0,
            level: BookLevel {
                side: if is_bid { Side::Buy } else { Side::Sell },
                price,
                size: sizes[at],
                more: false,
            },
        });
    }
    measured(start, 0, &feeder)
}

fn measured(start: Instant, p99_ns: u32, feeder: &Feeder) -> Measured {
    Measured {
        seconds: start.elapsed().as_secs_f64(),
        p99_ns,
        state: feeder.engine.state_hash(),
    }
}

/// Most memory that this process had, in MB, where the system tells.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let work = arguments.next().unwrap_or_default();
    let count = arguments.next().and_then(|count| count.parse().ok());
    let Some(count) = count else {
        panic!("usage: venue_speed quotes|orders|one|levels COUNT");
    };
    let found = match work.as_str() {
        "quotes" => quotes(count),
        "orders" => orders(500, count),
        "one" => orders(1, count),
        "levels" => levels(count),
        other => panic!("there is no work {other:?}"),
    };
    let Measured {
        seconds,
        p99_ns,
        state,
    } = found;
    let (version, peak) = (env!("CARGO_PKG_VERSION"), peak_mb());
    println!(
        "{{\"seconds\": {seconds}, \"count\": {count}, \"version\": \"{version}\", \
         \"peak_mb\": {peak}, \"check\": \"{state}\", \"p99_ns\": {p99_ns}}}"
    );
}
