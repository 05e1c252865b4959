//! Bars of many instruments and of several kinds at once, a chunk of rows at a time.

use std::borrow::Cow;
use std::thread;

use serde::{Deserialize, Serialize};

use super::check::{Check, Counts, Seen};
use super::clock::{Frames, Window};
use super::output::BarColumns;
use super::rows::{RowColumns, Shorter, Ticks};
use super::rules::{Place, State, take};
use super::snapshot;
use super::spec::{BarKind, BarRows, BarSetting, Sides};
use crate::error::{KernelError, Result};

/// Kinds of bars share threads from so many rows on.
const ROWS_PER_THREAD: usize = 50_000;

/// Everything that changes, which is what a snapshot holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub names: Vec<String>,
    pub counts: Counts,
    pub seen: Vec<Seen>,
    /// By kind, then by instrument.
    pub states: Vec<Vec<State>>,
}

/// Makes bars; see the module.
pub struct BarBuilder {
    setting: BarSetting,
    sessions: Option<Frames>,
    /// Of each kind of the clock.
    frames: Vec<Option<Frames>>,
    memory: Memory,
}

impl BarBuilder {
    /// A builder without instruments.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] where the setting does not fit together.
    pub fn new(setting: BarSetting) -> Result<Self> {
        setting.check()?;
        let kinds = setting.kinds.len();
        Ok(Self {
            setting,
            sessions: None,
            frames: vec![None; kinds],
            memory: Memory {
                states: vec![Vec::new(); kinds],
                ..Memory::default()
            },
        })
    }

    /// Instruments by their index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.memory.names
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.memory.counts
    }

    /// Add instruments behind those that there are.
    pub fn grow(&mut self, names: impl IntoIterator<Item = String>) {
        let memory = &mut self.memory;
        memory.names.extend(names);
        let count = memory.names.len();
        memory.seen.resize(count, Seen::default());
        for states in &mut memory.states {
            states.resize(count, State::default());
        }
    }

    /// Set the sessions outside which rows are left out (none for no such thing), and for each kind
    /// of the clock the frames that its windows stay in. They may become longer while rows come in.
    ///
    /// # Errors
    ///
    /// [`KernelError::Spec`] where a kind of the clock has no frames.
    pub fn set_clock(
        &mut self,
        sessions: Option<Frames>,
        frames: Vec<Option<Frames>>,
    ) -> Result<()> {
        let fits = self
            .setting
            .kinds
            .iter()
            .zip(&frames)
            .all(|(kind, frames)| frames.is_some() == matches!(kind, BarKind::Time { .. }));
        if !fits || frames.len() != self.setting.kinds.len() {
            let text = "`frames` must be given for each kind of the clock, and for no other";
            return Err(KernelError::Spec(text.to_owned()));
        }
        self.sessions = sessions;
        self.frames = frames;
        Ok(())
    }

    /// Take the next rows, and give the bars of each kind that they end.
    ///
    /// # Errors
    ///
    /// [`KernelError::Rows`] with the first row that is refused; the state is then as it was.
    pub fn advance(&mut self, rows: &RowColumns<'_>) -> Result<Vec<BarColumns>> {
        let (kept, counts, mut seen) = self.check(rows)?;
        let selected;
        let rows = match kept {
            None => rows,
            Some(kept) => {
                selected = rows.select(&kept);
                &selected
            }
        };
        let signs = self.signs(rows, &mut seen);
        let left = counts.outside - self.memory.counts.outside;
        self.memory.seen = seen;
        self.memory.counts = counts;
        let (mut outputs, outside) = self.run(rows, signs.as_deref());
        self.memory.counts.outside += outside;
        if left > 0 {
            // What is outside ends no bar by itself, but says how late it is.
            let last: Vec<i64> = self.memory.seen.iter().map(|seen| seen.last).collect();
            let closed = self.each(|kind, state, place| {
                state.close_until(kind, place, last[place.instrument]);
            });
            for (output, more) in outputs.iter_mut().zip(closed) {
                output.append(more);
            }
        }
        Ok(outputs)
    }

    /// Close what is over by an instant up to which the rows are complete; windows that ended by then
    /// are filled where that was asked for. Rows before it are late from then on.
    pub fn close_until(&mut self, until: i64) -> Vec<BarColumns> {
        for seen in &mut self.memory.seen {
            if seen.last != i64::MIN {
                seen.last = seen.last.max(until);
            }
        }
        self.each(|kind, state, place| state.close_until(kind, place, until))
    }

    /// The bars that are open, as they stand; nothing changes.
    #[must_use]
    pub fn open_bars(&self) -> Vec<BarColumns> {
        let mut copy = Self {
            setting: self.setting.clone(),
            sessions: None,
            frames: vec![None; self.frames.len()],
            memory: self.memory.clone(),
        };
        copy.each(|_, state, place| state.peek(place))
    }

    /// The whole state, with the setting that it belongs to.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&self.setting, &self.memory)
    }

    /// Go on from a snapshot of the same setting; its instruments are those of the snapshot.
    ///
    /// # Errors
    ///
    /// [`KernelError::Snapshot`] with what is wrong; the state is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        self.memory = snapshot::read(bytes, &self.setting)?;
        Ok(())
    }

    fn each(&mut self, act: impl Fn(&BarKind, &mut State, &mut Place<'_>)) -> Vec<BarColumns> {
        let mut outputs = Vec::new();
        for (index, states) in self.memory.states.iter_mut().enumerate() {
            let kind = &self.setting.kinds[index];
            let frames = frames_of(kind, self.frames[index].as_ref(), self.sessions.as_ref());
            let mut output = BarColumns::default();
            for (instrument, state) in states.iter_mut().enumerate() {
                let mut place = Place {
                    instrument,
                    frames,
                    output: &mut output,
                };
                act(kind, state, &mut place);
            }
            outputs.push(output);
        }
        outputs
    }

    /// The rows to keep (none for all), with counts and what was seen after them.
    fn check(&self, rows: &RowColumns<'_>) -> Result<(Option<Vec<u32>>, Counts, Vec<Seen>)> {
        if let Some((name, length)) = rows.uneven() {
            let text = format!("'{name}' must have {} rows; found {length}", rows.len());
            return Err(KernelError::Rows(text));
        }
        let Ok(count) = u32::try_from(rows.len()) else {
            let text = "a chunk must have less than 2^32 rows".to_owned();
            return Err(KernelError::Rows(text));
        };
        if let Some(seen) = self.check_plain(rows) {
            let mut counts = self.memory.counts;
            counts.rows += u64::from(count);
            return Ok((None, counts, vec![seen]));
        }
        let mut check = Check {
            setting: &self.setting,
            sessions: self.sessions.as_ref(),
            frames: &self.frames,
            names: &self.memory.names,
            rows,
            counts: self.memory.counts,
            seen: self.memory.seen.clone(),
            session: Window {
                start: i64::MAX,
                end: i64::MIN,
            },
        };
        let mut kept: Option<Vec<u32>> = None;
        for row in 0..count {
            let keep = check.row(row as usize)?;
            match (&mut kept, keep) {
                (None, false) => kept = Some((0..row).collect()),
                (Some(kept), true) => kept.push(row),
                _ => {}
            }
        }
        check.counts.rows += rows.len() as u64;
        Ok((kept, check.counts, check.seen))
    }

    /// What was seen after rows that need no closer look: ticks of one instrument, all of them in
    /// order, whole, and in one session.
    fn check_plain(&self, rows: &RowColumns<'_>) -> Option<Seen> {
        let [seen] = self.memory.seen[..] else {
            return None;
        };
        let kinds = &self.setting.kinds;
        let fills = |kind: &BarKind| matches!(kind, BarKind::Time { fill: true, .. });
        if rows.instrument.is_some()
            || self.setting.rows == BarRows::Bars
            || kinds.iter().any(fills)
        {
            return None;
        }
        let (first, last) = (*rows.ts.first()?, *rows.ts.last()?);
        let one_session = self
            .sessions
            .as_ref()
            .is_none_or(|sessions| sessions.at(first).is_some_and(|session| last < session.end));
        // Without early ends, so that several values are looked at in one instruction.
        let whole = |values: &[f64]| values.iter().fold(true, |all, x| all & x.is_finite());
        let sizes = |values: &[f64]| {
            values
                .iter()
                .fold(true, |all, x| all & x.is_sign_positive())
        };
        let size = rows.volume.as_deref().unwrap_or(&[]);
        let fits = first >= seen.last
            && one_session
            && rows.ts.is_sorted()
            && whole(&rows.close)
            && whole(size)
            && sizes(size);
        fits.then_some(Seen { last, ..seen })
    }

    /// Who took, of each row; none where that is not known.
    fn signs<'a>(&self, rows: &'a RowColumns<'_>, seen: &mut [Seen]) -> Option<Cow<'a, [i8]>> {
        match (self.setting.rows, self.setting.sides) {
            (BarRows::Bars, _) | (_, Sides::Unknown) => None,
            (_, Sides::Given) => rows.side.as_deref().map(Cow::Borrowed),
            (_, Sides::TickRule) => {
                let sign = |row: usize| {
                    let price = rows.close[row];
                    let before = &mut seen[rows.instrument(row)];
                    if price > before.price {
                        before.sign = 1;
                    } else if price < before.price {
                        before.sign = -1;
                    }
                    before.price = price;
                    before.sign
                };
                Some(Cow::Owned((0..rows.len()).map(sign).collect()))
            }
        }
    }

    fn run(&mut self, rows: &RowColumns<'_>, signs: Option<&[i8]>) -> (Vec<BarColumns>, u64) {
        let input = self.setting.rows;
        let sessions = &self.sessions;
        let kinds = self.setting.kinds.iter();
        let work = kinds.zip(&self.frames).zip(&mut self.memory.states);
        let mut jobs = Vec::new();
        for ((kind, frames), states) in work {
            let frames = frames_of(kind, frames.as_ref(), sessions.as_ref());
            jobs.push(move || {
                let mut output = BarColumns::default();
                let times = rows.times();
                let (price, volume) = (&*rows.close, rows.volume.as_deref());
                let outside = match (input, signs) {
                    (BarRows::Bars, _) => {
                        along(kind, frames, states, rows, &Shorter(rows), &mut output)
                    }
                    (_, None) => {
                        let side: &[i8] = &[];
                        let ticks = Ticks::<false> {
                            times,
                            price,
                            volume,
                            side,
                        };
                        along(kind, frames, states, rows, &ticks, &mut output)
                    }
                    (_, Some(side)) => {
                        let ticks = Ticks::<true> {
                            times,
                            price,
                            volume,
                            side,
                        };
                        along(kind, frames, states, rows, &ticks, &mut output)
                    }
                };
                (output, outside)
            });
        }
        let found: Vec<_> = if jobs.len() > 1 && rows.len() >= ROWS_PER_THREAD {
            thread::scope(|scope| {
                let handles: Vec<_> = jobs.into_iter().map(|job| scope.spawn(job)).collect();
                let joined = handles.into_iter().map(thread::ScopedJoinHandle::join);
                joined.map(|made| made.expect("no job panics")).collect()
            })
        } else {
            jobs.into_iter().map(|mut job| job()).collect()
        };
        let outside = found.iter().map(|(_, outside)| *outside).max().unwrap_or(0);
        (
            found.into_iter().map(|(output, _)| output).collect(),
            outside,
        )
    }
}

fn frames_of<'a>(
    kind: &BarKind,
    own: Option<&'a Frames>,
    sessions: Option<&'a Frames>,
) -> Option<&'a Frames> {
    match kind {
        BarKind::Time { .. } => own,
        _ => sessions,
    }
}

/// Runs of one instrument after another.
fn along<S: super::bar::Source>(
    kind: &BarKind,
    frames: Option<&Frames>,
    states: &mut [State],
    rows: &RowColumns<'_>,
    source: &S,
    output: &mut BarColumns,
) -> u64 {
    let mut from = 0;
    let mut outside = 0;
    while from < rows.len() {
        let instrument = rows.instrument(from);
        let to = match &rows.instrument {
            None => rows.len(),
            Some(of) => {
                let run = of[from..].iter().take_while(|each| **each == of[from]);
                from + run.count()
            }
        };
        let mut place = Place {
            instrument,
            frames,
            output,
        };
        outside += take(kind, &mut states[instrument], &mut place, source, from, to);
        from = to;
    }
    outside
}
