//! How fast records become durable: `append_speed RECORDS [BATCH [FOLDER]]`.

use std::path::PathBuf;
use std::time::Instant;

use quantvista_journal::{Files, Journal, Options, Reader};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| {
        let given = arguments.next();
        given.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (records, batch) = (number(10_000_000), number(10_000));
    let folder = std::env::args()
        .nth(3)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("append_speed.{}", std::process::id()));
    let files = Files::locked(&folder).expect("a folder to write to");
    let (mut journal, _) = Journal::open(files, "speed", Options::default()).expect("a journal");
    let payload = [0x5A; 120];
    let start = Instant::now();
    for place in 0..records {
        let ts = i64::try_from(place).expect("few records");
        journal.append(1, 1, ts, &payload).expect("a record");
        if (place + 1) % batch == 0 {
            journal.commit().expect("a batch");
        }
    }
    let head = journal.commit().expect("the last batch");
    let written = start.elapsed().as_secs_f64();
    drop(journal);
    let start = Instant::now();
    let mut reader = Reader::new(Files::new(&folder), 0);
    let mut read = 0;
    while let Some(batch) = reader.next_batch().expect("a batch that verifies") {
        read += batch.len() as u64;
    }
    assert_eq!((read, reader.head()), (records, Some(head)));
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = |seconds: f64| records as f64 / seconds / 1e6;
    println!(
        "append {:.2} M records/s, read {:.2} M/s",
        rate(written),
        rate(seconds)
    );
}
