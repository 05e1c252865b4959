//! What imbalance bars expect (Lopez de Prado 2018, section 2.3.2.1).

use serde::{Deserialize, Serialize};

use super::sum::Sum;

/// How an imbalance bar learns.
#[derive(Debug, Clone, Copy)]
pub struct Learning {
    /// Rows of the first bar, and of a block.
    pub expected: u64,
    /// Of the exponential averages, in bars and in blocks.
    pub span: f64,
}

impl Learning {
    fn weight(self) -> f64 {
        2.0 / (self.span + 1.0)
    }
}

/// Exponential averages over the bars so far, and the flow of the one that is open.
///
/// The book's rule alone runs away: where flow is balanced on average, every row is a bar, and where
/// the length feeds on itself it grows without end. So the flow that ends a bar is never less than what
/// comes together by chance within `expected` rows. That is measured over blocks of so many rows, which
/// do not end where bars do: flow at the end of a bar is large because it ended it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Bars that were learnt from.
    bars: u64,
    /// Rows of a bar.
    length: f64,
    /// Signed flow of a row.
    flow: f64,
    /// Square of the flow of a block.
    chance: f64,
    /// Of the open bar: flow with and without its sign.
    signed: Sum,
    gross: Sum,
    /// Of the open block.
    block: Sum,
    block_rows: u64,
}

impl Expectation {
    #[inline(always)]
    pub fn add(&mut self, sign: i8, size: f64, learning: Learning) {
        let flow = f64::from(sign) * size;
        self.signed.add(flow);
        self.gross.add(size);
        self.block.add(flow);
        self.block_rows += 1;
        if self.block_rows == learning.expected && self.bars > 0 {
            let square = self.block.total() * self.block.total();
            self.chance += learning.weight() * (square - self.chance);
            self.block = Sum::default();
            self.block_rows = 0;
        }
    }

    /// Whether the flow of the open bar is more than is expected of one.
    ///
    /// The first bar has no expectation and ends at `expected` rows. From then on a bar ends when its
    /// flow reaches expected length times expected flow of a row, or what comes by chance, whichever is
    /// more.
    pub fn reached(&self, rows: u64, learning: Learning) -> bool {
        if self.bars == 0 {
            return rows >= learning.expected;
        }
        let flow = self.signed.total().abs();
        flow * flow >= self.chance && flow >= self.length * self.flow.abs()
    }

    /// Learn from the bar that ended, and begin another one.
    #[expect(clippy::cast_precision_loss, reason = "bars have not 2^52 rows")]
    pub fn learn(&mut self, rows: u64, learning: Learning) {
        let count = rows as f64;
        let flow = self.signed.total() / count;
        if self.bars == 0 {
            // Of flow without memory, until blocks say what it is like.
            let size = self.gross.total() / count;
            self.chance = count * size * size;
            self.length = count;
            self.flow = flow;
            self.block = Sum::default();
            self.block_rows = 0;
        } else {
            self.length += learning.weight() * (count - self.length);
            self.flow += learning.weight() * (flow - self.flow);
        }
        self.bars += 1;
        self.signed = Sum::default();
        self.gross = Sum::default();
    }

    /// Begin another bar and another block without learning from these.
    pub fn forget(&mut self) {
        self.signed = Sum::default();
        self.gross = Sum::default();
        self.block = Sum::default();
        self.block_rows = 0;
    }
}
