//! Bytes that promise more than they hold: decoding takes no more memory than what is there.
//!
//! The peak of the whole process is measured, so there is one test here and nothing beside it.

#![cfg(target_os = "linux")]

mod single;

use quantvista_engine::{
    Config, DataKind, Engine, Input, Link, Output, RunState, Snapshot, decode, encode,
};
use quantvista_engine::{Event, Side};
use single::{Run, config, limit, order};

/// What `MessagePack` says before texts, bytes, rows and tables of four thousand million entries.
const PROMISES: [u8; 4] = [0xdb, 0xc6, 0xdd, 0xdf];
/// The largest growth of the process, which rests on nothing but what serde reserves at once.
const GROWTH_KB_MAX: u64 = 32 * 1_024;

fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a peak in kB")
}

/// A market with orders of several kinds: its configuration, inputs and state as bytes.
fn encoded() -> Vec<Vec<u8>> {
    let mut run = Run::new(config(DataKind::L3));
    let mut found = vec![encode(run.engine.config())];
    let events = [
        Event::BookOrder {
            instrument: 0,
            order: quantvista_engine::BookOrder {
                id: 1,
                side: Side::Sell,
                price: 10_000,
                size: 5,
                more: false,
            },
        },
        Event::SubmitOrder(order(Side::Buy, 3)),
        Event::SubmitList {
            orders: vec![limit(Side::Buy, 4, 9_900), limit(Side::Sell, 4, 10_100)],
            link: Link::Oto,
        },
        Event::TargetPortfolio {
            sleeve: 0,
            targets: vec![(0, 1_000_000)],
        },
    ];
    for (sequence, event) in (1..).zip(events) {
        found.push(encode(&Input {
            ts_event: 0,
            ts_received: 0,
            source: 0,
            sequence,
            event: event.clone(),
        }));
        found.extend(run.next(event).iter().map(encode));
    }
    let engine = encode(&run.engine.snapshot());
    found.push(encode(&RunState {
        engine: engine.clone(),
        row: 1,
        now: 2,
        sequence: 3,
        timers: vec![(1, 0, 1, "later".to_owned())],
        orders: Vec::new(),
        strategies: vec![vec![1, 2, 3]],
    }));
    found.push(engine);
    found
}

#[test]
fn what_bytes_promise_is_not_taken_at_their_word() {
    let records = encoded();
    let before = peak_kb();
    let mut refused = 0;
    for record in &records {
        for place in 12..record.len() {
            for promise in PROMISES {
                let mut body = record[12..].to_vec();
                body.splice(place - 12..=place - 12, [promise, 0xff, 0xff, 0xff, 0xff]);
                let head = record[..4].to_vec();
                let hash = blake3::hash(&body);
                let whole = [&head, &hash.as_bytes()[..8], &body[..]].concat();
                refused += u32::from(decode::<Input>(&whole).is_err());
                refused += u32::from(decode::<Output>(&whole).is_err());
                refused += u32::from(decode::<Config>(&whole).map(Engine::new).is_err());
                refused += u32::from(decode::<Snapshot>(&whole).map(Engine::restore).is_err());
                refused += u32::from(decode::<RunState>(&whole).is_err());
            }
        }
    }
    assert!(refused > 0);
    let grown = peak_kb() - before;
    assert!(grown < GROWTH_KB_MAX, "the process grew by {grown} kB");
}
