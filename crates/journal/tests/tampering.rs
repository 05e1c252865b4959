//! Whatever is changed in a sealed journal is found, and where.

use proptest::prelude::*;
use quantvista_journal::{
    Access, Journal, JournalError, Key, KeyRing, Memory as Disk, Options, Reader, Seal, SecretKey,
    verify,
};

/// In the clear and encrypted; nothing of this needs the key.
const BOTH: [bool; 2] = [false, true];

fn access(encrypt: bool) -> Access {
    Access {
        keys: KeyRing::new(vec![Key::new(&[8; 32])]),
        encrypt,
    }
}

fn sealed(records: u8, encrypt: bool) -> (Disk, Seal) {
    let disk = Disk::new();
    let options = Options { segment_bytes: 700 };
    let opened = Journal::open_with(disk.clone(), "fund", options, &access(encrypt));
    let (mut journal, _) = opened.unwrap();
    for number in 0..records {
        journal
            .append(1, 1, i64::from(number), &[number; 30])
            .unwrap();
        if number % 3 == 2 {
            journal.commit().unwrap();
        }
    }
    let seal = journal.seal(&SecretKey::new(&[3; 32]), 99).unwrap();
    (disk, seal)
}

fn segments(disk: &Disk) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.contains(".qvj"));
    names
}

#[test]
fn a_sealed_journal_verifies() {
    for encrypt in BOTH {
        let (disk, seal) = sealed(40, encrypt);
        let verified = verify(&disk, std::slice::from_ref(&seal)).unwrap();
        assert_eq!((verified.records, verified.sealed), (40, vec![40]));
        let text = String::from_utf8(disk.content(&seal.file_name()).unwrap()).unwrap();
        assert_eq!(Seal::from_text(&text).unwrap(), seal);
    }
}

#[test]
fn every_flipped_bit_is_found_in_its_segment() {
    for encrypt in BOTH {
        let (disk, seal) = sealed(60, encrypt);
        let total: usize = segments(&disk)
            .iter()
            .map(|name| disk.content(name).unwrap().len())
            .sum();
        assert!(total > 3_000 && total < 16_384, "{total}");
        for name in segments(&disk) {
            let whole = disk.content(&name).unwrap();
            // What follows the seal is not covered by it.
            let is_open = name == *segments(&disk).last().unwrap();
            let covered = if is_open { 128 } else { whole.len() };
            for bit in 0..covered * 8 {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                disk.put(&name, bytes);
                match verify(&disk, std::slice::from_ref(&seal)) {
                    Err(JournalError::Damaged {
                        segment, offset, ..
                    }) => {
                        assert_eq!(segment, name, "bit {bit}");
                        assert!(offset <= bit as u64 / 8, "bit {bit} told at {offset}");
                    }
                    other => panic!("bit {bit} of {name}: {other:?}"),
                }
            }
            disk.put(&name, whole);
        }
    }
}

#[test]
fn every_flipped_bit_of_a_seal_is_found() {
    for encrypt in BOTH {
        let (disk, seal) = sealed(20, encrypt);
        let text = seal.to_text().into_bytes();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let found = Seal::from_text(&text).and_then(|seal| verify(&disk, &[seal]));
            assert!(found.is_err(), "bit {bit}");
        }
    }
}

#[test]
fn segments_that_are_dropped_swapped_cut_or_longer_are_found() {
    for encrypt in BOTH {
        let (disk, seal) = sealed(80, encrypt);
        let names = segments(&disk);
        assert!(names.len() > 4);
        let is_refused = |disk: &Disk| verify(disk, std::slice::from_ref(&seal)).is_err();
        for (place, name) in names[..names.len() - 1].iter().enumerate() {
            let changed = disk.copy();
            changed.remove(name);
            assert!(is_refused(&changed), "{name} dropped");
            let changed = disk.copy();
            let next = &names[place + 1];
            let (this, other) = (disk.content(name).unwrap(), disk.content(next).unwrap());
            changed.put(name, other);
            changed.put(next, this.clone());
            assert!(is_refused(&changed), "{name} swapped");
            for keep in 0..this.len() {
                changed.put(next, disk.content(next).unwrap());
                changed.put(name, this[..keep].to_vec());
                assert!(is_refused(&changed), "{name} cut to {keep}");
            }
            let mut longer = this.clone();
            longer.extend_from_slice(&[0; 9]);
            changed.put(name, longer);
            assert!(is_refused(&changed), "{name} longer");
        }
    }
}

#[test]
fn a_journal_that_was_written_anew_does_not_fit_the_seal() {
    let (_, seal) = sealed(40, false);
    let (mut other, _) = sealed(40, false);
    assert!(verify(&other, std::slice::from_ref(&seal)).is_ok());
    let options = Options { segment_bytes: 700 };
    other = Disk::new();
    let (mut journal, _) = Journal::open(other.clone(), "fund", options).unwrap();
    for number in 0..40_u8 {
        let content = if number == 17 { 99 } else { number };
        journal
            .append(1, 1, i64::from(number), &[content; 30])
            .unwrap();
        if number % 3 == 2 {
            journal.commit().unwrap();
        }
    }
    journal.commit().unwrap();
    let refused = verify(&other, &[seal]).unwrap_err();
    assert!(
        refused.to_string().contains("not the one that was sealed"),
        "{refused}"
    );
}

#[test]
fn a_record_of_a_durable_batch_that_was_damaged_stops_the_writer_and_the_reader() {
    for encrypt in BOTH {
        let disk = Disk::new();
        let options = Options {
            segment_bytes: 100_000,
        };
        let opened = Journal::open_with(disk.clone(), "fund", options, &access(encrypt));
        let (mut journal, _) = opened.unwrap();
        for number in 1..=9_u8 {
            journal.append(1, 1, 0, &[number; 700]).unwrap();
            journal.commit().unwrap();
        }
        drop(journal);
        let whole = disk.content("00000000000000000001.qvj").unwrap();
        let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
        for at in (128..=end).step_by(37) {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            let damaged = disk.copy();
            damaged.put("00000000000000000001.qvj", bytes);
            let refused = Journal::open_with(damaged.clone(), "fund", options, &access(encrypt));
            assert!(
                matches!(refused, Err(JournalError::Damaged { .. })),
                "byte {at}"
            );
            let mut reader = Reader::new(damaged, 0).with_keys(access(encrypt).keys);
            let mut end = Ok(());
            loop {
                match reader.next_batch() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => end = Err(error),
                }
            }
            assert!(end.and_then(|()| reader.check_end()).is_err(), "byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(
        garbage in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0..1_500_usize,
        encrypt in any::<bool>(),
    ) {
        let (disk, seal) = sealed(30, encrypt);
        let name = segments(&disk)[1].clone();
        let mut bytes = disk.content(&name).unwrap();
        let from = at.min(bytes.len());
        bytes.truncate(from);
        bytes.extend_from_slice(&garbage);
        let is_same = bytes == disk.content(&name).unwrap();
        disk.put(&name, bytes);
        prop_assert_eq!(verify(&disk, &[seal]).is_ok(), is_same);
        let options = Options { segment_bytes: 700 };
        let _ = Journal::open_with(disk.clone(), "fund", options, &access(encrypt));
        let mut reader = Reader::new(disk, 0).with_keys(access(encrypt).keys);
        while let Ok(Some(_)) = reader.next_batch() {}
    }
}
