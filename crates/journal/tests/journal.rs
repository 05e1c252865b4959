//! What a journal promises when nothing goes wrong, and what it refuses.

use quantvista_journal::{
    Files, Journal, JournalError, Memory as Disk, Options, Reader, Record, SecretKey, verify,
};

const SMALL: Options = Options {
    segment_bytes: 1_000,
};

fn open(disk: &Disk) -> Journal<Disk> {
    Journal::open(disk.clone(), "fund/orders", SMALL).unwrap().0
}

fn all(disk: &Disk, from: u64) -> Vec<Record> {
    let mut reader = Reader::new(disk.clone(), from);
    let mut records = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        records.extend(batch);
    }
    reader.check_end().unwrap();
    records
}

#[test]
fn what_was_committed_is_read_in_order() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    for number in 0..100_u8 {
        let sequence = journal
            .append(7, 2, i64::from(number), &[number; 20])
            .unwrap();
        assert_eq!(sequence, u64::from(number) + 1);
        if number % 3 == 0 {
            journal.commit().unwrap();
        }
    }
    let head = journal.commit().unwrap();
    let records = all(&disk, 0);
    assert_eq!(records.len(), 100);
    assert!(
        records
            .iter()
            .zip(1..)
            .all(|(record, place)| record.sequence == place)
    );
    assert_eq!(
        (records[41].ts, records[41].kind, records[41].version),
        (41, 7, 2)
    );
    assert_eq!(records[41].payload, [41; 20]);
    let verified = verify(&disk, &[]).unwrap();
    assert_eq!((verified.head, verified.records), (head, 100));
    assert!(verified.segments > 3);
}

#[test]
fn what_was_not_committed_is_not_there() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    journal.append(1, 1, 0, b"kept").unwrap();
    let head = journal.commit().unwrap();
    journal.append(1, 1, 0, b"lost").unwrap();
    drop(journal);
    let (_, opened) = Journal::open(disk.clone(), "fund/orders", SMALL).unwrap();
    assert_eq!((opened.head, opened.torn), (head, 0));
    assert_eq!(all(&disk, 0).len(), 1);
}

#[test]
fn a_reader_follows_a_writer() {
    let disk = Disk::new();
    let mut reader = Reader::new(disk.clone(), 5);
    assert!(reader.next_batch().unwrap().is_none());
    let mut journal = open(&disk);
    let mut seen = Vec::new();
    for number in 0..200_u64 {
        journal.append(1, 1, 0, &number.to_le_bytes()).unwrap();
        if number % 4 == 0 {
            journal.commit().unwrap();
        }
        while let Some(batch) = reader.next_batch().unwrap() {
            seen.extend(batch.into_iter().map(|record| record.sequence));
        }
    }
    assert_eq!(seen, (5..=197).collect::<Vec<_>>());
    assert_eq!(reader.head(), Some(journal.head()));
    assert_eq!(reader.stream(), Some("fund/orders"));
}

#[test]
fn a_reader_may_begin_in_any_segment() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    for number in 0..100_u64 {
        journal.append(1, 1, 0, &number.to_le_bytes()).unwrap();
        journal.commit().unwrap();
    }
    for from in [1, 2, 50, 99, 100, 101] {
        let records = all(&disk, from);
        assert_eq!(
            records.first().map(|record| record.sequence),
            (from <= 100).then_some(from)
        );
        assert_eq!(records.len() as u64, 101 - from);
    }
}

#[test]
fn a_batch_larger_than_a_segment_gets_a_segment_of_its_own() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    journal.append(1, 1, 0, b"small").unwrap();
    journal.commit().unwrap();
    journal.append(1, 1, 0, &vec![9; 300_000]).unwrap();
    journal.commit().unwrap();
    journal.append(1, 1, 0, b"small").unwrap();
    journal.commit().unwrap();
    assert_eq!(all(&disk, 0).len(), 3);
    assert_eq!(verify(&disk, &[]).unwrap().segments, 3);
    let (journal, _) = Journal::open(disk, "fund/orders", SMALL).unwrap();
    assert_eq!(journal.head().sequence, 3);
}

#[test]
fn a_snapshot_is_found_again_with_its_place() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    for number in 0..50_u8 {
        journal.append(1, 1, 0, &[number; 30]).unwrap();
        if number % 10 == 9 {
            journal.snapshot(3, &[number]).unwrap();
        }
    }
    journal.commit().unwrap();
    let (journal, _) = Journal::open(disk, "fund/orders", SMALL).unwrap();
    let snapshot = journal.newest_snapshot().unwrap().unwrap();
    assert_eq!((snapshot.head.sequence, snapshot.version), (50, 3));
    assert_eq!(snapshot.state, [49]);
}

#[test]
fn a_journal_that_lost_its_end_to_someone_is_refused() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    for number in 0..50_u8 {
        journal.append(1, 1, 0, &[number; 30]).unwrap();
        journal.commit().unwrap();
    }
    journal.snapshot(1, b"state").unwrap();
    let segments: Vec<String> = disk
        .file_names()
        .into_iter()
        .filter(|name| name.contains(".qvj"))
        .collect();
    disk.remove(segments.last().unwrap());
    let refused = Journal::open(disk, "fund/orders", SMALL).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("ends before its newest snapshot"),
        "{refused}"
    );
}

#[test]
fn after_a_failed_sync_nothing_more_is_taken() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    journal.append(1, 1, 0, b"first").unwrap();
    disk.fail_after(1);
    assert!(matches!(journal.commit(), Err(JournalError::Io { .. })));
    disk.lose_power(|| false);
    assert!(matches!(journal.commit(), Err(JournalError::Failed)));
    assert!(matches!(
        journal.append(1, 1, 0, b"second"),
        Err(JournalError::Failed)
    ));
    let (_, opened) = Journal::open(disk, "fund/orders", SMALL).unwrap();
    assert_eq!(opened.head.sequence, 0);
}

#[test]
fn what_no_record_may_be_is_refused() {
    let disk = Disk::new();
    let mut journal = open(&disk);
    for kind in [0, 0xFF00, 0xFFFF] {
        assert!(journal.append(kind, 1, 0, b"").is_err());
    }
    assert!(journal.append(1, 1, 0, &vec![0; (16 << 20) + 1]).is_err());
    assert_eq!(journal.append(1, 1, 0, b"").unwrap(), 1);
    for stream in ["", "a b", "ä", &"x".repeat(65)] {
        assert!(Journal::open(Disk::new(), stream, SMALL).is_err());
    }
    drop(journal);
    let other = Journal::open(disk, "fund/market", SMALL).unwrap_err();
    assert!(matches!(other, JournalError::OtherStream { .. }));
}

#[test]
fn a_folder_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::locked(folder.path()).unwrap();
    let (mut journal, _) = Journal::open(files, "fund/orders", SMALL).unwrap();
    let second = Files::locked(folder.path()).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    for number in 0..100_u8 {
        journal.append(1, 1, 0, &[number; 40]).unwrap();
        journal.commit().unwrap();
    }
    let key = SecretKey::new(&[1; 32]);
    let seal = journal.seal(&key, 5).unwrap();
    drop(journal);
    let files = Files::locked(folder.path()).unwrap();
    assert_eq!(verify(&files, &[seal]).unwrap().sealed, [100]);
    let (_, opened) = Journal::open(files, "fund/orders", SMALL).unwrap();
    assert_eq!((opened.head.sequence, opened.torn), (100, 0));
}
