//! A look at every row before any of them is used, so that a refused chunk leaves no trace.

use serde::{Deserialize, Serialize};

use super::clock::{Frames, Window};
use super::rows::RowColumns;
use super::spec::{BarKind, BarRows, BarSetting, Policy};
use crate::error::{KernelError, Result};

/// A gap that would be filled with more bars than these is refused.
const FILLED_MOST: i64 = 10_000_000;
/// Rows that were given, and those of them that were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub rows: u64,
    /// Before an earlier row of their instrument.
    pub late: u64,
    /// Without a price or a size.
    pub missing: u64,
    /// In no session.
    pub outside: u64,
}

/// Of one instrument, before any kind of bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Time of the last row.
    pub last: i64,
    /// Of the tick rule: the last price, and the sign of its last change.
    pub price: f64,
    pub sign: i8,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            last: i64::MIN,
            price: f64::NAN,
            sign: 0,
        }
    }
}

/// One pass over the rows of a chunk, before any of them is used.
pub struct Check<'a> {
    pub setting: &'a BarSetting,
    pub sessions: Option<&'a Frames>,
    pub frames: &'a [Option<Frames>],
    pub names: &'a [String],
    pub rows: &'a RowColumns<'a>,
    /// Those before the chunk, but for what was left out of it so far.
    pub counts: Counts,
    pub seen: Vec<Seen>,
    /// The session of the last row.
    pub session: Window,
}

impl Check<'_> {
    /// Whether to keep a row.
    #[inline(always)]
    pub fn row(&mut self, row: usize) -> Result<bool> {
        let (setting, rows) = (self.setting, self.rows);
        let instrument = rows.instrument(row);
        let Some(seen) = self.seen.get_mut(instrument) else {
            return Err(self.refused(row, "the instrument must be one of the builder's"));
        };
        if !rows.defined(row, setting.rows) {
            if setting.missing == Policy::Refuse {
                return Err(
                    self.refused(row, "price and size must be finite, the size not negative")
                );
            }
            self.counts.missing += 1;
            return Ok(false);
        }
        let ts = rows.ts[row];
        let bars = setting.rows == BarRows::Bars;
        if ts < seen.last || (bars && ts == seen.last) {
            if setting.late == Policy::Refuse {
                return Err(self.backwards(row));
            }
            self.counts.late += 1;
            return Ok(false);
        }
        let before = seen.last;
        seen.last = ts;
        if let Some(sessions) = self.sessions {
            let key = ts - i64::from(bars);
            if key < self.session.start || key >= self.session.end {
                let Some(found) = sessions.at(key) else {
                    self.counts.outside += 1;
                    return Ok(false);
                };
                self.session = found;
            }
        }
        if ts.saturating_sub(before) > FILLED_MOST && before != i64::MIN {
            self.gap(row, before)?;
        }
        if bars && rows.start.is_some() {
            self.straddles(row)?;
        }
        Ok(true)
    }

    /// Refuse to fill a gap with too many bars.
    #[cold]
    fn gap(&self, row: usize, before: i64) -> Result<()> {
        for kind in &self.setting.kinds {
            if let BarKind::Time { step, fill: true } = *kind
                && self.rows.ts[row].saturating_sub(before) / step > FILLED_MOST
            {
                let text = "the gap before it would be filled with more than 10,000,000 bars";
                return Err(self.refused(row, text));
            }
        }
        Ok(())
    }

    /// Refuse a bar that begins before the window that it ends in.
    fn straddles(&self, row: usize) -> Result<()> {
        let (Some(start), ts) = (&self.rows.start, self.rows.ts[row]) else {
            return Ok(());
        };
        for (kind, frames) in self.setting.kinds.iter().zip(self.frames) {
            if let (BarKind::Time { step, .. }, Some(frames)) = (kind, frames)
                && let Some(window) = frames.window(ts - 1, *step)
                && start[row] < window.start
                // The first bar of a session may have been opened before it.
                && frames.at(ts - 1).is_some_and(|frame| frame.start < window.start)
            {
                let text =
                    "a bar must lie within one longer bar (is the step a multiple of theirs?)";
                return Err(self.refused(row, text));
            }
        }
        Ok(())
    }

    #[cold]
    fn refused(&self, row: usize, rule: &str) -> KernelError {
        let rows = self.rows;
        let whose = self.names.get(rows.instrument(row));
        let whose = whose.map_or(String::new(), |name| format!(" of '{name}'"));
        let number = self.counts.rows + row as u64 + 1;
        let size = rows
            .volume
            .as_ref()
            .map_or(String::new(), |volume| format!(" and size {}", volume[row]));
        KernelError::Rows(format!(
            "{rule}; found price {}{size} in row {number}{whose}, at {}",
            rows.close[row], rows.ts[row]
        ))
    }

    #[cold]
    fn backwards(&self, row: usize) -> KernelError {
        let rows = self.rows;
        let instrument = rows.instrument(row);
        let number = self.counts.rows + row as u64 + 1;
        let rule = if self.setting.rows == BarRows::Bars {
            "must rise"
        } else {
            "must not go back"
        };
        KernelError::Rows(format!(
            "`ts_event` of an instrument {rule}; found {} after {} in row {number} of '{}'",
            rows.ts[row], self.seen[instrument].last, self.names[instrument]
        ))
    }
}
