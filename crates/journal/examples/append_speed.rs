//! How fast records become durable: `append_speed [encrypted] COUNT [BATCH [FOLDER]]` prints a line
//! of JSON.
//!
//! Payloads of 120 bytes, a batch and its sync at every 10,000th unless told otherwise.

use std::path::PathBuf;
use std::time::Instant;

use quantvista_journal::{Access, Files, Journal, Key, KeyRing, Options, Reader};

const PAYLOAD: usize = 120;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let encrypt = arguments.first().is_some_and(|word| word == "encrypted");
    arguments.drain(..usize::from(encrypt));
    let access = Access {
        keys: KeyRing::new(vec![Key::new(&[7; 32])]),
        encrypt,
    };
    let number = |place: usize, otherwise: u64| {
        let given = arguments.get(place);
        given.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (count, batch) = (number(0, 10_000_000), number(1, 10_000));
    let folder = arguments
        .get(2)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("append_speed.{}", std::process::id()));
    let files = Files::locked(&folder).expect("a folder to write to");
    let opened = Journal::open_with(files, "speed", Options::default(), &access);
    let (mut journal, _) = opened.expect("a journal");
    let start = Instant::now();
    for place in 0..count {
        let ts = i64::try_from(place).expect("few records");
        let mut payload = [0x5A; PAYLOAD];
        payload[..8].copy_from_slice(&place.to_le_bytes());
        journal.append(1, 1, ts, &payload).expect("a record");
        if (place + 1) % batch == 0 {
            journal.commit().expect("a batch");
        }
    }
    let head = journal.commit().expect("the last batch");
    let seconds = start.elapsed().as_secs_f64();
    drop(journal);
    let start = Instant::now();
    let mut reader = Reader::new(Files::new(&folder), 0).with_keys(access.keys);
    let mut read = 0;
    while let Some(batch) = reader.next_batch().expect("a batch that verifies") {
        read += batch.len() as u64;
    }
    assert_eq!((read, reader.head()), (count, Some(head)));
    let reading = start.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    // The chain of what is encrypted is another one each time.
    let [a, b, c, d, ..] = if encrypt { [0; 32] } else { head.chain };
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = count as f64 / reading;
    let (version, peak) = (env!("CARGO_PKG_VERSION"), peak_mb());
    println!(
        "{{\"seconds\": {seconds}, \"count\": {count}, \"version\": \"{version}\", \
         \"peak_mb\": {peak}, \"check\": \"{a:02x}{b:02x}{c:02x}{d:02x}\", \
         \"agreed\": \"all records\", \"rates\": {{\"read back\": {rate}}}}}"
    );
}

/// Most memory that this process had, in MB, where the system tells.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
}
