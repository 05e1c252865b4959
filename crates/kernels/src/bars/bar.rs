//! The bar that is open, and what a row adds to it.

use serde::{Deserialize, Serialize};

use super::sum::Sum;

/// What one row adds.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// When it began; of a trade or a quote, when it happened.
    pub start: i64,
    pub ts: i64,
    pub received: i64,
    pub known: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
    pub value: f64,
    pub bought: f64,
    pub sold: f64,
    pub ticks: i64,
    /// Of who took: +1 a buyer, -1 a seller, 0 unknown.
    pub sign: i8,
}

/// Rows that can be asked one by one.
pub trait Source {
    /// Whether a row is a bar, which is stamped with its end.
    const ENDS: bool;
    /// Whether it is known who took.
    const SIDED: bool;

    fn piece(&self, row: usize) -> Piece;
    fn ts(&self, row: usize) -> i64;

    /// The instant by which a row belongs to a window.
    #[inline(always)]
    fn key(&self, row: usize) -> i64 {
        self.ts(row) - i64::from(Self::ENDS)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Rows in it; the rest is only meant if there are any.
    pub rows: u64,
    pub start: i64,
    pub last: i64,
    pub received: i64,
    pub known: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: Sum,
    pub value: Sum,
    pub bought: Sum,
    pub sold: Sum,
    pub ticks: i64,
}

impl Bar {
    #[inline(always)]
    fn begin(&mut self, piece: &Piece) {
        *self = Self {
            start: piece.start,
            received: piece.received,
            known: piece.known,
            open: piece.open,
            high: piece.high,
            low: piece.low,
            ..Self::default()
        };
    }

    #[inline(always)]
    pub fn add<S: Source>(&mut self, source: &S, row: usize) {
        let piece = &source.piece(row);
        if self.rows == 0 {
            self.begin(piece);
        }
        self.rows += 1;
        self.last = piece.ts;
        self.received = self.received.max(piece.received);
        self.known = self.known.max(piece.known);
        self.high = if piece.high > self.high {
            piece.high
        } else {
            self.high
        };
        self.low = if piece.low < self.low {
            piece.low
        } else {
            self.low
        };
        self.close = piece.close;
        self.volume.add(piece.volume);
        self.value.add(piece.value);
        if S::SIDED {
            self.bought.add(piece.bought);
            self.sold.add(piece.sold);
        }
        self.ticks += piece.ticks;
    }

    /// Add rows until the bar is done; the first row that was not added.
    #[inline(always)]
    pub fn add_until<S: Source>(
        &mut self,
        source: &S,
        from: usize,
        to: usize,
        done: impl Fn(&Self) -> bool,
    ) -> usize {
        // A copy stays in registers, which what is behind a reference need not.
        let mut bar = *self;
        let mut row = from;
        while row < to {
            bar.add(source, row);
            row += 1;
            if done(&bar) {
                break;
            }
        }
        *self = bar;
        row
    }
}
