//! How fast the venue of event instruments is, in this process alone:
//! `cargo run --release -p quantvista-engine --example venue_speed`.

#[path = "../tests/single/mod.rs"]
mod single;

use std::time::Instant;

use quantvista_engine::{
    BookLevel, DataKind, Engine, Event, Input, Order, OrderRequest, Output, Quote, Side, splitmix64,
};
use single::{config, instrument, limit, order};

const MILLION: f64 = 1e6;

/// Seconds that this process had a processor, where the system tells; others may want it too.
fn busy() -> f64 {
    std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or(0.0, |nanoseconds| nanoseconds / 1e9)
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

    #[inline]
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

/// A count, or a part of it where `PART` says so: for profilers.
fn scaled(count: u32) -> u32 {
    let part = std::env::var("PART")
        .ok()
        .and_then(|part| part.parse().ok());
    count / part.unwrap_or(1)
}

fn quotes() {
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
    let count = scaled(20_000_000);
    let start = busy();
    for index in 0..count {
        let at = index as usize & 0xFFFF;
        let instrument = usize::try_from(places[at]).expect("a place");
        feeder.feed(quote(instrument, 9_950 + moves[at]));
    }
    let seconds = busy() - start;
    let rate = f64::from(count) / seconds / MILLION;
    println!("quotes: {rate:.1} M/s over {INSTRUMENTS} instruments");
}

fn orders(spread: usize) {
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
    let count = scaled(2_000_000);
    let mut slowest = Vec::with_capacity(count as usize);
    let start = busy();
    for index in 0..count {
        let side = if index % 2 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let before = Instant::now();
        feeder.feed(on(index as usize / 2 % spread, order(side, 1)));
        slowest.push(before.elapsed().as_nanos());
        assert!(matches!(feeder.out.last(), Some(Output::OrderFilled(_))));
    }
    let seconds = busy() - start;
    slowest.sort_unstable();
    let p99 = slowest[slowest.len() / 100 * 99];
    let rate = f64::from(count) / seconds / MILLION;
    println!("orders filled at once: {rate:.2} M/s, p99 {p99} ns, 100k rest on {spread}");
}

fn levels() {
    let mut feeder = Feeder::new(DataKind::L2, 1);
    let sizes = noise(1 << 16, 50);
    let depths = noise(1 << 16, 400);
    let count = scaled(20_000_000) as usize;
    let start = busy();
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
    let seconds = busy() - start;
    let rate = f64::from(u32::try_from(count).expect("small")) / seconds / MILLION;
    println!("levels: {rate:.1} M/s");
}

fn main() {
    println!(
        "bytes: input {}, order {}, output {}",
        size_of::<Input>(),
        size_of::<Order>(),
        size_of::<Output>()
    );
    let wanted = std::env::args().nth(1);
    let runs: [(&str, fn()); 4] = [
        ("quotes", quotes),
        ("orders", || orders(500)),
        ("one", || orders(1)),
        ("levels", levels),
    ];
    for (name, run) in runs {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            run();
        }
    }
}
