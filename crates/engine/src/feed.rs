//! Columns of bars, turned into inputs one barrier at a time.

use crate::error::EngineError;
use crate::input::{Bar, Event, Input};
use crate::numbers::Result;

/// Marks a bar that is not there.
pub const MISSING: i64 = i64::MIN;

/// Bars of `n` instruments at `ts.len()` times, row by row, in integer units.
#[derive(Debug, Clone, Default)]
pub struct BarColumns {
    pub ts: Vec<i64>,
    pub session_start: Vec<bool>,
    pub session_end: Vec<bool>,
    pub instruments: usize,
    /// Time-major: `row * instruments + instrument`; [`MISSING`] where there is no bar.
    pub close: Vec<i64>,
    /// Open, high and low like `close`; an instrument without them has [`MISSING`] opens.
    pub range: Option<[Vec<i64>; 3]>,
    pub volume: Option<Vec<i64>>,
}

/// Checked columns, and when each instrument lives.
#[derive(Debug, Clone)]
pub struct Feed {
    bars: BarColumns,
    /// Rows of an instrument's first and last bar; None if it has no bar at all.
    lives: Vec<Option<(usize, usize)>>,
}

impl BarColumns {
    fn check(&self) -> Result<()> {
        let rows = self.ts.len();
        let cells = rows * self.instruments;
        let [open, high, low] = self
            .range
            .as_ref()
            .map_or([None; 3], |of| of.each_ref().map(Some));
        let columns = [
            ("close", Some(&self.close)),
            ("open", open),
            ("high", high),
            ("low", low),
            ("volume", self.volume.as_ref()),
        ];
        for (name, column) in columns {
            let found = column.map_or(cells, Vec::len);
            if found != cells {
                return Err(EngineError::Columns(format!(
                    "`{name}` must have a value per row and instrument, {cells}; found {found}"
                )));
            }
        }
        let flags = [
            ("session_start", self.session_start.len()),
            ("session_end", self.session_end.len()),
        ];
        if let Some((name, found)) = flags.into_iter().find(|(_, found)| *found != rows) {
            return Err(EngineError::Columns(format!(
                "`{name}` must have a value per row, {rows}; found {found}"
            )));
        }
        let out_of_order = |pair: &&[i64]| pair[0] >= pair[1];
        if let Some([before, after]) = self.ts.windows(2).find(out_of_order) {
            return Err(EngineError::Columns(format!(
                "`ts` must increase from row to row; found {after} after {before}"
            )));
        }
        Ok(())
    }
}

impl Feed {
    /// Check the columns and find out when each instrument lives.
    ///
    /// # Errors
    ///
    /// [`EngineError::Columns`] if the columns differ in length or times do not increase.
    pub fn new(bars: BarColumns) -> Result<Self> {
        bars.check()?;
        let mut lives: Vec<Option<(usize, usize)>> = vec![None; bars.instruments];
        for row in 0..bars.ts.len() {
            for (instrument, life) in lives.iter_mut().enumerate() {
                if bars.close[row * bars.instruments + instrument] != MISSING {
                    *life = Some((life.map_or(row, |(first, _)| first), row));
                }
            }
        }
        Ok(Self { bars, lives })
    }

    /// Time of a row.
    #[must_use]
    pub fn ts(&self, row: usize) -> i64 {
        self.bars.ts[row]
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.bars.ts.len()
    }

    /// Apply one row: what ended before it, its bars, its missing bars, its barrier.
    ///
    /// # Errors
    ///
    /// The first [`EngineError`] that an input meets.
    pub fn step(&self, row: usize, mut apply: impl FnMut(&Input) -> Result<()>) -> Result<()> {
        let ts = self.bars.ts[row];
        let input = |sequence: usize, event: Event| Input {
            ts_event: ts,
            ts_received: ts,
            source: 0,
            sequence: sequence as u64,
            event,
        };
        for (instrument, life) in self.lives.iter().enumerate() {
            if life.is_some_and(|(_, last)| last + 1 == row) {
                let price = None;
                apply(&input(
                    instrument,
                    Event::InstrumentEnded { instrument, price },
                ))?;
            }
        }
        for instrument in 0..self.bars.instruments {
            let event = match self.bar(row, instrument) {
                Some(bar) => Event::Bar { instrument, bar },
                None if self.lives[instrument].is_some_and(|(a, b)| a <= row && row <= b) => {
                    Event::BarMissing { instrument }
                }
                None => continue,
            };
            apply(&input(instrument, event))?;
        }
        let (session_start, session_end) =
            (self.bars.session_start[row], self.bars.session_end[row]);
        apply(&input(
            0,
            Event::Barrier {
                session_start,
                session_end,
            },
        ))
    }

    /// The bar of an instrument in a row, if it has one.
    #[must_use]
    pub fn bar(&self, row: usize, instrument: usize) -> Option<Bar> {
        let cell = row * self.bars.instruments + instrument;
        let close = self.bars.close[cell];
        if close == MISSING {
            return None;
        }
        let range = self
            .bars
            .range
            .as_ref()
            .map(|[open, high, low]| [open[cell], high[cell], low[cell]])
            .filter(|[open, _, _]| *open != MISSING);
        let volume = self
            .bars
            .volume
            .as_ref()
            .map(|column| column[cell])
            .filter(|v| *v != MISSING);
        Some(Bar {
            range,
            close,
            volume,
        })
    }
}
