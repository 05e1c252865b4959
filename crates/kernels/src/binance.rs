//! Recordings of Binance's combined streams as columns: a line for each message, which is the time
//! received in nanoseconds, a space, and the message as it came.

mod message;
mod values;

use crate::decimal::PRECISION_MOST;
use crate::error::{KernelError, Result};
use message::{Reading, read};

/// Best bids and asks, one value for each message and column.
#[derive(Debug, Default)]
pub struct Quotes {
    pub row: Vec<u32>,
    pub received: Vec<i64>,
    pub bid: Vec<i64>,
    pub bid_size: Vec<i64>,
    pub ask: Vec<i64>,
    pub ask_size: Vec<i64>,
}

/// Trades, single ones and aggregates.
#[derive(Debug, Default)]
pub struct Trades {
    pub row: Vec<u32>,
    pub received: Vec<i64>,
    /// In nanoseconds, as all times are here.
    pub event: Vec<i64>,
    pub price: Vec<i64>,
    pub size: Vec<i64>,
    /// Whether the buyer was there first, so that the seller took.
    pub buyer_made: Vec<bool>,
    pub aggregate: Vec<bool>,
}

/// Depth differences and snapshots in the order of their lines.
#[derive(Debug, Default)]
pub struct Books {
    pub row: Vec<u32>,
    pub received: Vec<i64>,
    /// When it happened; of a snapshot, which does not say, when it was received.
    pub event: Vec<i64>,
    pub snapshot: Vec<bool>,
    /// The first and the last update that it holds; the same number twice for a snapshot.
    pub first: Vec<i64>,
    pub last: Vec<i64>,
    /// Levels of each message.
    pub bids: Vec<u32>,
    pub asks: Vec<u32>,
    /// Of all levels: the bids of a message, then its asks, then those of the next one.
    pub price: Vec<i64>,
    pub size: Vec<i64>,
}

/// What a recording holds.
#[derive(Debug, Default)]
pub struct Recording {
    pub quotes: Quotes,
    pub trades: Trades,
    pub books: Books,
    /// Whose messages they are; empty if there are none that say so.
    pub symbol: String,
    /// Messages of other streams, which are not read.
    pub others: u64,
}

/// Read a whole recording. Prices and sizes become whole numbers of `10^-precision`.
///
/// # Errors
///
/// [`KernelError::Recording`] with the row and what it must be: text in UTF-8, the time received,
/// a message of one symbol with all its fields once, numbers that are exact at this precision.
pub fn decode_binance(content: &[u8], precision: u32) -> Result<Recording> {
    if precision > PRECISION_MOST {
        return Err(KernelError::Recording(format!(
            "`precision` must be at most {PRECISION_MOST}; found {precision}"
        )));
    }
    let text = str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let row = before.split(|byte| *byte == b'\n').count();
        KernelError::Recording(format!(
            "a line must be text in UTF-8; found other bytes in row {row}"
        ))
    })?;
    let mut reading = Reading::new(precision);
    for (place, line) in text.lines().enumerate() {
        let refuse = |text: String| KernelError::Recording(format!("{text} in row {}", place + 1));
        let Some((received, json)) = received(line) else {
            let rule = "must begin with the time received in nanoseconds, and a space";
            return Err(refuse(format!("a line {rule}; found another")));
        };
        let Ok(row) = u32::try_from(place + 1) else {
            return Err(refuse(
                "a recording must have fewer lines; found more".to_owned(),
            ));
        };
        read(&mut reading, row, received, json).map_err(refuse)?;
    }
    Ok(reading.recording)
}

/// The time, and what follows it.
fn received(line: &str) -> Option<(i64, &str)> {
    let count = line.bytes().take_while(u8::is_ascii_digit).count();
    let json = line[count..].strip_prefix(' ')?;
    let time = (16..=19).contains(&count).then(|| &line[..count])?;
    Some((time.parse().ok()?, json))
}
