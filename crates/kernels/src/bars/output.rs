//! Closed bars, column by column.

use super::bar::Bar;
use super::clock::Window;

/// Why a bar ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its window was over.
    Clock,
    /// It reached its size.
    Size,
    /// It reached the most rows that an imbalance bar may have.
    Most,
    /// The session was over before it reached its size.
    Session,
    /// It did not end: there are no more rows yet.
    Open,
}

impl Ending {
    /// All of them, by their code.
    pub const NAMES: [&'static str; 5] = ["clock", "size", "most", "session", "open"];

    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Bars in the order in which they ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarColumns {
    pub instrument: Vec<u32>,
    /// Of the bars of this kind and instrument, from 1.
    pub number: Vec<i64>,
    pub start: Vec<i64>,
    pub ts_event: Vec<i64>,
    pub ts_received: Vec<i64>,
    pub known_at: Vec<i64>,
    pub open: Vec<f64>,
    pub high: Vec<f64>,
    pub low: Vec<f64>,
    pub close: Vec<f64>,
    pub volume: Vec<f64>,
    /// Sum of price times size.
    pub value: Vec<f64>,
    pub vwap: Vec<f64>,
    /// By who took; 0 where that is not known.
    pub bought: Vec<f64>,
    pub sold: Vec<f64>,
    pub ticks: Vec<i64>,
    pub ending: Vec<u8>,
}

impl BarColumns {
    #[must_use]
    pub fn len(&self) -> usize {
        self.number.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number.is_empty()
    }

    /// Add the bars of another one behind.
    pub(super) fn append(&mut self, mut other: Self) {
        self.instrument.append(&mut other.instrument);
        self.number.append(&mut other.number);
        self.start.append(&mut other.start);
        self.ts_event.append(&mut other.ts_event);
        self.ts_received.append(&mut other.ts_received);
        self.known_at.append(&mut other.known_at);
        self.open.append(&mut other.open);
        self.high.append(&mut other.high);
        self.low.append(&mut other.low);
        self.close.append(&mut other.close);
        self.volume.append(&mut other.volume);
        self.value.append(&mut other.value);
        self.vwap.append(&mut other.vwap);
        self.bought.append(&mut other.bought);
        self.sold.append(&mut other.sold);
        self.ticks.append(&mut other.ticks);
        self.ending.append(&mut other.ending);
    }

    /// Add a bar; no earlier known than it ended, and than its last row was received.
    pub(super) fn push(
        &mut self,
        instrument: usize,
        number: i64,
        window: Window,
        bar: &Bar,
        ending: Ending,
    ) {
        let received = bar.received.max(window.end);
        let volume = bar.volume.total();
        let value = bar.value.total();
        self.instrument
            .push(u32::try_from(instrument).expect("instruments fit"));
        self.number.push(number);
        self.start.push(window.start);
        self.ts_event.push(window.end);
        self.ts_received.push(received);
        self.known_at.push(bar.known.max(received));
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(volume);
        self.value.push(value);
        let vwap = if volume > 0.0 {
            value / volume
        } else {
            f64::NAN
        };
        self.vwap.push(vwap);
        self.bought.push(bar.bought.total());
        self.sold.push(bar.sold.total());
        self.ticks.push(bar.ticks);
        self.ending.push(ending.code());
    }
}
