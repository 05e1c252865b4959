//! Inputs of every kind from dice that do not care what makes sense: whatever comes, the engine
//! does not panic, refuses without changing, keeps its books and its running sums, survives the
//! trip through bytes, and does not grow beyond what it was given.
//!
//! Each input is rolled from one number, so that a failure shrinks to few of them.

mod accounts;
mod dice;
mod market;
mod orders;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::{
    AccountKind, Config, Engine, Event, Input, Output, Snapshot, decode, encode,
};

use dice::Dice;
use world::{DAY, SECOND, config};

impl Dice {
    /// Any event but those of bars, which come in rows.
    fn event(&mut self, ts: i64) -> Event {
        match self.below(9) {
            0..2 => self.account_event(ts),
            2..6 => self.market_event(),
            _ => self.order_event(ts),
        }
    }
}

/// What a state may take at the start, and more with every input.
const START_BYTES_MAX: usize = 32 * 1_024;
const INPUT_BYTES_MAX: usize = 4 * 1_024;

/// What one number stands for: a row of bars with its barrier, or one event.
fn inputs(seed: u64, ts: &mut i64, sequence: &mut u64) -> Vec<Input> {
    let mut dice = Dice(seed);
    *ts = ts.saturating_add(dice.pick(&[1, 1_000, SECOND, 60 * SECOND, DAY / 3]));
    let mut events = Vec::new();
    if dice.one_in(6) {
        for instrument in 0..3 {
            if dice.one_in(8) {
                events.push(Event::BarMissing { instrument });
            } else {
                let mut bar = dice.bar();
                if instrument == 1 && !dice.one_in(30) {
                    bar.range = None;
                }
                events.push(Event::Bar { instrument, bar });
            }
        }
        let session_start = dice.one_in(3);
        events.push(Event::Barrier {
            session_start,
            session_end: dice.one_in(3),
        });
    } else {
        events.push(dice.event(*ts));
    }
    events
        .into_iter()
        .map(|event| {
            *sequence += 1;
            let source = u32::try_from(dice.below(2)).unwrap();
            Input {
                ts_event: *ts,
                ts_received: *ts,
                source,
                sequence: *sequence,
                event,
            }
        })
        .collect()
}

/// The same cases everywhere, so that a failure is a change of the code; `QV_RANDOM=1` looks for more.
fn settings() -> ProptestConfig {
    let is_random = std::env::var_os("QV_RANDOM").is_some();
    ProptestConfig {
        cases: if is_random { 5_000 } else { 200 },
        rng_seed: if is_random {
            RngSeed::Random
        } else {
            RngSeed::Fixed(11)
        },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn whatever_comes_the_engine_stays_whole(seed in any::<u64>(), rolls in vec(any::<u64>(), 1..250)) {
        let mut engine = Engine::new(config(seed)).unwrap();
        let (mut ts, mut sequence) = (DAY, 0);
        for roll in rolls {
            for input in inputs(roll, &mut ts, &mut sequence) {
                let decoded: Input = decode(&encode(&input)).unwrap();
                prop_assert_eq!(&decoded, &input);
                let before = engine.state_hash();
                match engine.apply(&input) {
                    Ok(outputs) => {
                        for output in &outputs {
                            let decoded: Output = decode(&encode(output)).unwrap();
                            prop_assert_eq!(&decoded, output);
                        }
                        if let Err(error) = engine.audit() {
                            prop_assert!(false, "{error} after {input:?}");
                        }
                    }
                    Err(error) if error.is_fatal() => {
                        prop_assert!(engine.apply(&input).is_err());
                        return Ok(());
                    }
                    Err(error) => prop_assert_eq!(
                        engine.state_hash(), before, "refusing {:?} with {} changed the state", input, error
                    ),
                }
                let kind = engine.config().account.kind;
                for sleeve in 0..2 {
                    for currency in 0..3 {
                        let cash = engine.ledger().cash(sleeve, currency);
                        prop_assert!(kind == AccountKind::Margin || cash >= 0, "{cash} after {input:?}");
                    }
                }
            }
        }
        let bytes = encode(&engine.snapshot());
        // An input may leave a list of orders, each with a few hundred bytes.
        let most = START_BYTES_MAX + INPUT_BYTES_MAX * usize::try_from(sequence).unwrap();
        prop_assert!(bytes.len() < most, "{} bytes after {sequence} inputs", bytes.len());
        let snapshot: Snapshot = decode(&bytes).unwrap();
        let restored = Engine::restore(snapshot).unwrap();
        prop_assert_eq!(restored.state_hash(), engine.state_hash());
    }

    #[test]
    fn bytes_that_decode_are_taken_or_refused(seed in any::<u64>(), noise in vec(any::<u8>(), 0..300), place in any::<prop::sample::Index>()) {
        // Past the head and its hash, MessagePack itself must hold against anything.
        for value in [encode(&Input { ts_event: 0, ts_received: 0, source: 0, sequence: 0, event: Event::Barrier { session_start: true, session_end: true } }), encode(&config(seed))] {
            let mut damaged = value.clone();
            let at = place.index(damaged.len());
            damaged.splice(at.., noise.iter().copied());
            let head: Vec<u8> = damaged.iter().copied().take(4).collect();
            let body = damaged.get(12..).unwrap_or_default();
            let whole = [head.as_slice(), &blake3::hash(body).as_bytes()[..8], body].concat();
            let _ = decode::<Input>(&whole);
            if let Ok(config) = decode::<Config>(&whole) {
                let _ = Engine::new(config);
            }
            let _ = decode::<Snapshot>(&whole).map(Engine::restore);
        }
    }
}
