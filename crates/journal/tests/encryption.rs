//! What an encrypted journal shows, what it refuses, and how its keys change.

use quantvista_journal::{
    Access, Journal, JournalError, Key, KeyRing, Memory as Disk, Options, Reader, Record,
    SecretKey, verify, verify_with,
};

const SMALL: Options = Options {
    segment_bytes: 1_000,
};
const WORD: &[u8] = b"BTC-USDT.BINANCE";

fn ring(numbers: &[u8]) -> KeyRing {
    KeyRing::new(
        numbers
            .iter()
            .map(|number| Key::new(&[*number; 32]))
            .collect(),
    )
}

fn with(numbers: &[u8]) -> Access {
    Access {
        keys: ring(numbers),
        encrypt: true,
    }
}

fn open(disk: &Disk, keys: &[u8]) -> Journal<Disk> {
    let opened = Journal::open_with(disk.clone(), "fund", SMALL, &with(keys));
    opened.unwrap().0
}

fn write(journal: &mut Journal<Disk>, count: u8) {
    for number in 0..count {
        journal.append(7, 2, i64::from(number), WORD).unwrap();
        if number % 3 == 2 {
            journal.commit().unwrap();
        }
    }
    journal.commit().unwrap();
}

fn all(disk: &Disk, keys: &[u8]) -> quantvista_journal::Result<Vec<Record>> {
    let mut reader = Reader::new(disk.clone(), 0).with_keys(ring(keys));
    let mut records = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        records.extend(batch);
    }
    reader.check_end()?;
    Ok(records)
}

fn segments(disk: &Disk) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.contains(".qvj"));
    names
}

fn shows(disk: &Disk, word: &[u8]) -> bool {
    let mut contents = disk
        .file_names()
        .into_iter()
        .map(|name| disk.content(&name).unwrap());
    contents.any(|bytes| bytes.windows(word.len()).any(|found| found == word))
}

#[test]
fn what_was_encrypted_is_read_with_the_key_and_seen_nowhere() {
    let disk = Disk::new();
    let mut journal = open(&disk, &[1]);
    assert!(journal.is_encrypted());
    write(&mut journal, 40);
    journal.snapshot(3, WORD).unwrap();
    let seal = journal.seal(&SecretKey::new(&[5; 32]), 9).unwrap();
    let snapshot = journal.newest_snapshot().unwrap().unwrap();
    assert_eq!((snapshot.version, snapshot.state.as_slice()), (3, WORD));
    let records = all(&disk, &[1]).unwrap();
    assert_eq!(records.len(), 40);
    for (record, place) in records.iter().zip(0_u8..) {
        let told = (record.sequence, record.ts, record.kind, record.version);
        assert_eq!(told, (u64::from(place) + 1, i64::from(place), 7, 2));
        assert_eq!(record.payload, WORD);
    }
    assert!(!shows(&disk, WORD));
    assert!(!shows(&disk, &[1; 32]));
    // Who has no key can verify; who has it, verifies what is inside, too.
    let without = verify(&disk, std::slice::from_ref(&seal)).unwrap();
    assert_eq!((without.records, without.opened), (40, 0));
    assert_eq!(without.keys, [Key::new(&[1; 32]).id()]);
    assert_eq!(without.span, Some((0, 39)));
    let with = verify_with(&disk, &[seal], &ring(&[1]), |_, _| true).unwrap();
    assert_eq!((with.records, with.opened), (40, 40));
}

#[test]
fn without_its_key_it_is_refused_and_never_empty() {
    for count in [0, 40] {
        let disk = Disk::new();
        write(&mut open(&disk, &[1]), count);
        let before = disk.file_names();
        for keys in [&[][..], &[2]] {
            let access = Access {
                keys: ring(keys),
                encrypt: false,
            };
            let refused = Journal::open_with(disk.clone(), "fund", SMALL, &access).unwrap_err();
            let text = refused.to_string();
            assert!(matches!(refused, JournalError::NoKey { .. }), "{text}");
            assert!(
                text.contains(&Key::new(&[1; 32]).id().to_string()),
                "{text}"
            );
            assert!(matches!(all(&disk, keys), Err(JournalError::NoKey { .. })));
        }
        assert_eq!(disk.file_names(), before);
    }
}

#[test]
fn a_journal_in_the_clear_is_not_taken_for_an_encrypted_one() {
    let disk = Disk::new();
    let (mut journal, _) = Journal::open(disk.clone(), "fund", SMALL).unwrap();
    write(&mut journal, 3);
    drop(journal);
    let refused = Journal::open_with(disk.clone(), "fund", SMALL, &with(&[1])).unwrap_err();
    assert!(matches!(refused, JournalError::InTheClear));
    // With keys at hand, but no need of them, it stays what it is.
    let access = Access {
        encrypt: false,
        ..with(&[1])
    };
    let (journal, _) = Journal::open_with(disk.clone(), "fund", SMALL, &access).unwrap();
    assert!(!journal.is_encrypted());
    assert_eq!(all(&disk, &[1]).unwrap().len(), 3);
    let none = Access {
        keys: KeyRing::default(),
        encrypt: true,
    };
    assert!(Journal::open_with(Disk::new(), "fund", SMALL, &none).is_err());
}

#[test]
fn an_encrypted_journal_stays_so_and_its_new_segments_have_the_newest_key() {
    let disk = Disk::new();
    write(&mut open(&disk, &[1]), 5);
    let access = Access {
        encrypt: false,
        ..with(&[1])
    };
    let (mut journal, _) = Journal::open_with(disk.clone(), "fund", SMALL, &access).unwrap();
    assert!(journal.is_encrypted());
    write(&mut journal, 5);
    drop(journal);
    let segments_before = segments(&disk).len();
    write(&mut open(&disk, &[1, 2]), 5);
    assert!(segments(&disk).len() > segments_before);
    assert_eq!(all(&disk, &[1, 2]).unwrap().len(), 15);
    assert!(matches!(all(&disk, &[2]), Err(JournalError::NoKey { .. })));
    assert!(matches!(all(&disk, &[1]), Err(JournalError::NoKey { .. })));
    let found = verify_with(&disk, &[], &ring(&[2]), |_, _| true).unwrap();
    assert_eq!((found.keys.len(), found.records, found.opened), (2, 15, 5));
    // A key that is gone cannot be taken up again by mistake: what is written stays readable.
    let refused = Journal::open_with(disk.clone(), "fund", SMALL, &with(&[1])).unwrap_err();
    assert!(matches!(refused, JournalError::NoKey { .. }));
}

#[test]
fn a_reader_follows_through_a_change_of_keys() {
    let disk = Disk::new();
    let mut journal = open(&disk, &[1]);
    write(&mut journal, 4);
    journal.seal(&SecretKey::new(&[5; 32]), 9).unwrap();
    drop(journal);
    let mut reader = Reader::new(disk.clone(), 0).with_keys(ring(&[1, 2]));
    let mut count = 0;
    while let Some(batch) = reader.next_batch().unwrap() {
        count += batch.len();
    }
    // It waits in a segment that holds nothing, which is begun anew with the other key.
    write(&mut open(&disk, &[1, 2]), 4);
    while let Some(batch) = reader.next_batch().unwrap() {
        count += batch.len();
    }
    assert_eq!(count, 8);
}

#[test]
fn what_is_written_again_at_its_place_has_another_key() {
    let disk = Disk::new();
    let mut journal = open(&disk, &[1]);
    journal.append(1, 1, 0, &[4; 100]).unwrap();
    disk.fail_after(1);
    assert!(journal.commit().is_err());
    let torn = disk.content(&segments(&disk)[0]).unwrap();
    disk.lose_power(|| false);
    let mut journal = open(&disk, &[1]);
    journal.append(1, 1, 0, &[4; 100]).unwrap();
    journal.commit().unwrap();
    let again = disk.content(&segments(&disk)[0]).unwrap();
    let (salt, text) = (128 + 28..128 + 28 + 32, 128 + 28 + 32..128 + 28 + 32 + 128);
    assert_eq!(torn[..128], again[..128]);
    assert_ne!(torn[salt.clone()], again[salt]);
    let pairs = torn[text.clone()].iter().zip(&again[text]);
    let same = pairs.filter(|(before, now)| before == now).count();
    assert!(same < 20, "{same} of 128 bytes are the same");
}

#[test]
fn a_batch_of_several_pieces_comes_back() {
    let disk = Disk::new();
    let mut journal = open(&disk, &[1]);
    for number in 0..5_u8 {
        journal.append(1, 1, 0, &vec![number; 700_000]).unwrap();
    }
    journal.append(1, 1, 0, &vec![9; 16 << 20]).unwrap();
    journal.commit().unwrap();
    journal.append(1, 1, 0, b"more").unwrap();
    journal.commit().unwrap();
    let records = all(&disk, &[1]).unwrap();
    assert_eq!(records.len(), 7);
    assert_eq!(records[3].payload, vec![3; 700_000]);
    assert_eq!(records[5].payload.len(), 16 << 20);
    let (journal, _) = Journal::open_with(disk, "fund", SMALL, &with(&[1])).unwrap();
    assert_eq!(journal.head().sequence, 7);
}

#[test]
fn segments_and_snapshots_of_another_kind_are_refused() {
    let encrypted = Disk::new();
    let mut journal = open(&encrypted, &[1]);
    write(&mut journal, 3);
    journal.snapshot(1, b"state").unwrap();
    let head = journal.head();
    let clear = Disk::new();
    let (mut other, _) = Journal::open(clear.clone(), "fund", SMALL).unwrap();
    write(&mut other, 3);
    other.snapshot(1, b"forged").unwrap();
    // The state of the other one, in the clear, with the chain of this one.
    let name = "00000000000000000003.qvs";
    let mut forged = clear.content(name).unwrap();
    forged[20..52].copy_from_slice(&head.chain);
    let hash = {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&forged[..84]);
        hasher.update(&forged[116..]);
        *hasher.finalize().as_bytes()
    };
    forged[84..116].copy_from_slice(&hash);
    encrypted.put(name, forged);
    let refused = open(&encrypted, &[1]).newest_snapshot().unwrap_err();
    assert!(refused.to_string().contains("not both"), "{refused}");
    // A segment in the clear that goes on where the encrypted one ends.
    let first = segments(&encrypted)[0].clone();
    let mut bytes = clear.content(&first).unwrap()[..128].to_vec();
    bytes[16..24].copy_from_slice(&4_u64.to_le_bytes());
    bytes[24..56].copy_from_slice(&head.chain);
    let crc = crc32c::crc32c(&bytes[..124]);
    bytes[124..].copy_from_slice(&crc.to_le_bytes());
    encrypted.put("00000000000000000004.qvj", bytes);
    let closed = encrypted.content(&first).unwrap();
    let end = closed.iter().rposition(|byte| *byte != 0).unwrap();
    encrypted.put(&first, closed[..=end].to_vec());
    let refused = verify(&encrypted, &[]).unwrap_err();
    assert!(refused.to_string().contains("not both"), "{refused}");
    assert!(all(&encrypted, &[1]).is_err());
}

/// Frames of a batch, made as a writer without the key could make them.
fn reframe(segment: &mut [u8], at: usize, length: usize, before: &[u8]) {
    let crc = crc32c::crc32c(&segment[at + 4..at + length]);
    segment[at..at + 4].copy_from_slice(&crc.to_le_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(&segment[at..at + length]);
    let commit = at + length;
    segment[commit + 28 + 12..commit + 28 + 44].copy_from_slice(hasher.finalize().as_bytes());
    let crc = crc32c::crc32c(&segment[commit + 4..commit + 28 + 44]);
    segment[commit..commit + 4].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn a_batch_that_was_moved_does_not_open_though_its_checksums_fit() {
    let disk = Disk::new();
    let mut journal = open(&disk, &[1]);
    for _ in 0..2 {
        journal.append(1, 1, 0, WORD).unwrap();
        journal.commit().unwrap();
    }
    let name = segments(&disk)[0].clone();
    let whole = disk.content(&name).unwrap();
    let piece = 28 + 32 + 28 + WORD.len() + 16;
    let (first, second) = (128, 128 + piece + 72);
    let body = |at: usize| at + 28..at + piece;
    // The second batch holds what the first one holds, and is signed for by a chain made anew.
    let mut moved = whole.clone();
    moved.copy_within(body(first), second + 28);
    let before = whole[first + piece + 28 + 12..first + piece + 28 + 44].to_vec();
    reframe(&mut moved, second, piece, &before);
    let forged = disk.copy();
    forged.put(&name, moved);
    assert_eq!(verify(&forged, &[]).unwrap().records, 2);
    let refused = all(&forged, &[1]).unwrap_err();
    let text = refused.to_string();
    assert!(
        matches!(refused, JournalError::Damaged { after: 1, .. }),
        "{text}"
    );
    let refused = verify_with(&forged, &[], &ring(&[1]), |_, _| true);
    assert!(matches!(
        refused,
        Err(JournalError::Damaged { after: 1, .. })
    ));
    // Nor does a batch open whose time in the clear was changed.
    let mut dated = whole.clone();
    dated[first + 16] ^= 1;
    reframe(&mut dated, first, piece, &[0; 32]);
    let forged = disk.copy();
    forged.put(&name, dated);
    assert!(matches!(
        all(&forged, &[1]),
        Err(JournalError::Damaged { after: 0, .. })
    ));
}

#[test]
fn keys_are_not_shown() {
    let keys = ring(&[0xAB, 0xCD]);
    let text = format!("{keys:?} {:?}", with(&[0xAB]));
    for secret in ["171", "abab", "ABAB", "205", "cdcd"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains(&Key::new(&[0xAB; 32]).id().to_string()));
}

#[test]
fn a_journal_in_the_clear_has_the_bytes_that_it_always_had() {
    let disk = Disk::new();
    let (mut journal, _) = Journal::open(disk.clone(), "fund/orders", SMALL).unwrap();
    for number in 0..40_u8 {
        journal
            .append(7, 2, i64::from(number), &[number; 20])
            .unwrap();
        if number % 3 == 2 {
            journal.commit().unwrap();
        }
    }
    journal.snapshot(3, b"state").unwrap();
    // The chain covers the frames; headers and the snapshot are told by their checksums.
    let chain = blake3::Hash::from_bytes(journal.head().chain);
    assert_eq!(
        chain.to_hex().as_str(),
        "de42399d6e17c7b12c401998bfb7c32fb95daa28f5fca58780c3df95e39a25a9"
    );
    let last = disk.content("00000000000000000037.qvj").unwrap();
    assert_eq!(last[..16], *b"QVJRNL\r\n\x01\0\0\0\0\0\0\0");
    let snapshot = disk.content("00000000000000000040.qvs").unwrap();
    assert_eq!((snapshot.len(), &snapshot[8..10]), (121, &[1, 0][..]));
}
