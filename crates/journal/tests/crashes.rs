//! Power is lost at any change of the disk, with any of the unsynced sectors written.

use proptest::prelude::*;
use quantvista_journal::{
    Access, Journal, Key, KeyRing, Memory as Disk, Options, Reader, SecretKey, verify_with,
};

const STREAM: &str = "fund";

#[derive(Debug, Clone)]
enum Act {
    Append(usize),
    Commit,
    Snapshot,
    Seal,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => prop_oneof![0..60_usize, 400..1_500_usize].prop_map(Act::Append),
        4 => Just(Act::Commit),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Seal),
    ];
    proptest::collection::vec(act, 1..60)
}

/// Payloads that tell their place, and hold zeros as well as other bytes.
fn payload(sequence: u64, size: usize) -> Vec<u8> {
    let of = |place: u64| match place % 700 {
        0..300 => 0,
        _ => (sequence ^ place).to_le_bytes()[0],
    };
    (0..size as u64).map(of).collect()
}

struct Run {
    disk: Disk,
    options: Options,
    /// How many keys there are; 0 for a journal in the clear.
    keys: u8,
    /// The sizes of all that was appended, and how many of them were said to be durable.
    sizes: Vec<usize>,
    told: usize,
}

impl Run {
    fn access(&self) -> Access {
        let keys = (0..self.keys).map(|number| Key::new(&[number; 32]));
        Access {
            keys: KeyRing::new(keys.collect()),
            encrypt: self.keys > 0,
        }
    }

    fn open(&self) -> quantvista_journal::Result<(Journal<Disk>, quantvista_journal::Opened)> {
        Journal::open_with(self.disk.clone(), STREAM, self.options, &self.access())
    }

    /// Do what can be done until the disk fails.
    fn go(&mut self, acts: &[Act]) {
        let Ok((mut journal, opened)) = self.open() else {
            return;
        };
        let sequence = usize::try_from(opened.head.sequence).unwrap();
        assert!(sequence >= self.told && sequence <= self.sizes.len());
        self.sizes.truncate(sequence);
        self.told = sequence;
        let key = SecretKey::new(&[7; 32]);
        for act in acts {
            let done = match act {
                Act::Append(size) => {
                    let sequence = self.sizes.len() as u64 + 1;
                    let added = journal.append(1, 1, 0, &payload(sequence, *size));
                    self.sizes.push(*size);
                    added.map(|_| None)
                }
                Act::Commit => journal.commit().map(Some),
                Act::Snapshot => journal.snapshot(1, b"state").map(Some),
                Act::Seal if self.sizes.is_empty() => Ok(None),
                Act::Seal => journal.seal(&key, 0).map(|seal| Some(seal.head)),
            };
            match done {
                Ok(Some(head)) => self.told = usize::try_from(head.sequence).unwrap(),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }

    fn check(&self) {
        let (journal, opened) = self.open().unwrap();
        let there = usize::try_from(opened.head.sequence).unwrap();
        assert!(
            there >= self.told,
            "{there} of {} that were durable",
            self.told
        );
        let keys = self.access().keys;
        let verified = verify_with(&self.disk, &[], &keys, |_, _| true).unwrap();
        assert_eq!((verified.head, verified.torn), (journal.head(), 0));
        let opened_count = if self.keys > 0 { verified.records } else { 0 };
        assert_eq!(verified.opened, opened_count);
        let mut reader = Reader::new(self.disk.clone(), 0).with_keys(keys);
        let mut sequence = 0;
        while let Some(batch) = reader.next_batch().unwrap() {
            for record in batch {
                sequence += 1;
                assert_eq!(record.sequence, sequence);
                let size = self.sizes[usize::try_from(sequence).unwrap() - 1];
                assert_eq!(record.payload, payload(sequence, size));
            }
        }
        assert_eq!(sequence, opened.head.sequence);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_durable_is_lost(
        lives in proptest::collection::vec((acts(), 0..40_u32, any::<u64>()), 1..5),
        segment_bytes in 200..6_000_u64,
        is_encrypted in proptest::bool::weighted(0.4),
    ) {
        let mut run = Run {
            disk: Disk::new(),
            options: Options { segment_bytes },
            keys: u8::from(is_encrypted),
            sizes: Vec::new(),
            told: 0,
        };
        for (acts, changes, seed) in lives {
            run.disk.fail_after(changes);
            run.go(&acts);
            let mut bits = seed;
            run.disk.lose_power(|| {
                bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                bits >> 63 == 1
            });
            run.check();
            // The next life has a new key.
            run.keys += u8::from(is_encrypted);
        }
    }
}
