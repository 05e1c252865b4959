//! What a session feeds the engine with: rows of bars, or a tape of events, and what was
//! scheduled beside it.
//!
//! A tape can say what rows of bars say, and does where bars and events are mixed. Bars alone keep
//! a way of their own: a matrix has 32 bytes a bar where the columns of a tape have 66 and must be
//! sorted first. Their runs have one step a row, at which timers that came due between two rows
//! fire; on a tape a timer has a step of its own.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use quantvista_engine::{
    Action, Bar, BarColumns, Config, Event, Feed, Input, Side, Tape, TapeColumns, TapeKind,
};

use serde::{Deserialize, Serialize};

use crate::{raise, records};

/// Number of the source of what was scheduled; market data are source 0.
pub const SCHEDULE: u32 = 1;

/// Market data, and inputs at times of their own.
pub enum Source {
    Bars(Feed),
    Tape(Events),
}

/// A tape, and what comes between its rows.
pub struct Events {
    pub tape: Tape,
    /// By time, then class.
    pub schedule: Vec<Scheduled>,
    /// The rows that are barriers.
    barriers: Vec<usize>,
    pub before: Before,
}

/// Something at a time of its own.
pub struct Scheduled {
    pub ts: i64,
    pub ts_event: i64,
    pub event: Event,
}

/// What the run had before the block of events that it reads now.
#[derive(Debug, Clone, Default)]
pub struct Before {
    pub rows: usize,
    pub scheduled: usize,
    barriers: usize,
    pub views: Vec<View>,
}

/// The next input of a run of events.
pub enum Next {
    Row(usize),
    Scheduled(Input),
}

impl Source {
    pub fn rows(&self) -> usize {
        match self {
            Self::Bars(feed) => feed.rows(),
            Self::Tape(events) => events.tape.len(),
        }
    }

    /// How many rows there were in blocks before this one.
    pub fn rows_before(&self) -> usize {
        match self {
            Self::Bars(_) => 0,
            Self::Tape(events) => events.before.rows,
        }
    }

    /// Time of a row.
    pub fn ts(&self, row: usize) -> i64 {
        match self {
            Self::Bars(feed) => feed.ts(row),
            Self::Tape(events) => events.tape.ts(row),
        }
    }

    /// Whether a run may have stopped at `row` at the time `now`.
    pub fn may_stop(&self, row: usize, now: i64) -> bool {
        let Some(before) = row.checked_sub(1) else {
            return self.rows_before() == 0 || self.rows() == 0 || self.ts(0) > now;
        };
        if before >= self.rows() {
            return false;
        }
        match self {
            Self::Bars(feed) => feed.ts(before) == now,
            Self::Tape(events) => {
                events.tape.ts(before) <= now && (row == self.rows() || events.tape.ts(row) > now)
            }
        }
    }
}

impl Events {
    pub fn new(tape: Tape, mut schedule: Vec<Scheduled>) -> PyResult<Self> {
        if let Some(wrong) = schedule.iter().find(|each| each.event.class() > 3) {
            let name = wrong.event.name();
            return Err(PyValueError::new_err(format!(
                "`inputs` must not decide anything; found {name:?}"
            )));
        }
        schedule.sort_by_key(|each| (each.ts, each.event.class()));
        Ok(Self {
            barriers: barriers(&tape),
            tape,
            schedule,
            before: Before::default(),
        })
    }

    /// Put the next block of events in the place of the one that is over.
    pub fn go_on(&mut self, block: Tape) {
        self.before.rows += self.tape.len();
        self.before.barriers += self.barriers.len();
        self.barriers = barriers(&block);
        self.tape = block;
    }

    /// A row as the engine takes it.
    #[inline]
    pub fn input(&self, row: usize) -> Input {
        let mut input = self.tape.input(row);
        input.sequence += self.before.rows as u64;
        input
    }

    /// Number of the barrier that a row is.
    pub fn barrier(&self, row: usize) -> usize {
        self.before.barriers + self.barriers.partition_point(|barrier| *barrier < row)
    }

    /// Stand behind so many rows and scheduled inputs, with nothing to come yet.
    pub fn begin_behind(&mut self, nothing: Tape, rows: usize, scheduled: usize) {
        self.schedule.clear();
        self.barriers.clear();
        self.tape = nothing;
        self.before = Before {
            rows,
            scheduled,
            ..Before::default()
        };
    }

    /// How much of the schedule is over at `now`.
    pub fn scheduled_until(&self, now: i64) -> usize {
        self.schedule.partition_point(|each| each.ts <= now)
    }

    /// Time of the next input.
    pub fn next_ts(&self, row: usize, scheduled: usize) -> Option<i64> {
        // What is scheduled behind the last event belongs to no run.
        (row < self.tape.len())
            .then(|| self.next_of_both(row, scheduled))
            .flatten()
    }

    /// Time of the next input, be it behind the last row.
    pub fn next_of_both(&self, row: usize, scheduled: usize) -> Option<i64> {
        let of_tape = (row < self.tape.len()).then(|| self.tape.ts(row));
        let of_schedule = self.schedule.get(scheduled).map(|each| each.ts);
        of_tape.into_iter().chain(of_schedule).min()
    }

    /// The next input at `ts`.
    #[inline]
    pub fn next_at(&self, ts: i64, row: usize, scheduled: usize) -> Option<Next> {
        let of_tape = row < self.tape.len() && self.tape.ts(row) == ts;
        if let Some(next) = self.schedule.get(scheduled)
            && next.ts == ts
            && (!of_tape || next.event.class() < self.tape.kind(row).class())
        {
            return Some(Next::Scheduled(Input {
                ts_event: next.ts_event,
                ts_received: ts,
                source: SCHEDULE,
                sequence: (self.before.scheduled + scheduled) as u64,
                event: next.event.clone(),
            }));
        }
        of_tape.then_some(Next::Row(row))
    }
}

fn barriers(tape: &Tape) -> Vec<usize> {
    (0..tape.len())
        .filter(|row| tape.kind(*row) == TapeKind::Barrier)
        .collect()
}

/// The last quote and the last trade of an instrument, as they were told.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct View {
    pub quote: Option<Best>,
    pub trade: Option<Print>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Best {
    pub ts: i64,
    pub bid: Option<i64>,
    pub bid_size: Option<i64>,
    pub ask: Option<i64>,
    pub ask_size: Option<i64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Print {
    pub ts: i64,
    pub price: i64,
    pub size: i64,
    pub aggressor: Option<Side>,
}

/// Look at a row of a tape.
#[inline]
pub fn look(views: &mut [View], tape: &Tape, row: usize) {
    match tape.kind(row) {
        TapeKind::Quote => {
            views[tape.index(row)].quote = Some(Best {
                ts: tape.ts(row),
                bid: tape.value(row, 0),
                bid_size: tape.value(row, 1),
                ask: tape.value(row, 2),
                ask_size: tape.value(row, 3),
            });
        }
        TapeKind::Trade => {
            views[tape.index(row)].trade = Some(Print {
                ts: tape.ts(row),
                price: tape.value(row, 0).unwrap_or(0),
                size: tape.value(row, 1).unwrap_or(0),
                aggressor: tape.aggressor(row),
            });
        }
        _ => {}
    }
}

/// The bar of an instrument that a step told of.
pub fn bar_of(source: &Source, row: usize, instrument: usize) -> Option<Bar> {
    match source {
        Source::Bars(feed) => feed.bar(row, instrument),
        Source::Tape(events) => Some(events.tape.bar(row)),
    }
}

fn required<T>(key: &str, value: Option<T>) -> PyResult<T> {
    value.ok_or_else(|| PyValueError::new_err(format!("`{key}` is missing")))
}

/// The numbers of an array: one dimension, of just this type, one after the other.
fn array<T: Element>(key: &str, value: &Bound<'_, PyAny>, wanted: &str) -> PyResult<Vec<T>> {
    let fail = |found: String| {
        PyValueError::new_err(format!(
            "`{key}` must be an array of {wanted} in one dimension; found {found}"
        ))
    };
    let buffer = PyBuffer::<T>::get(value).map_err(|error| fail(error.to_string()))?;
    if buffer.dimensions() != 1 {
        return Err(fail(format!("{} dimensions", buffer.dimensions())));
    }
    buffer.to_vec(value.py())
}

fn column(dict: &Bound<'_, PyDict>, key: &str) -> PyResult<Option<Vec<i64>>> {
    match dict.get_item(key)?.filter(|value| !value.is_none()) {
        Some(value) => array(key, &value, "64-bit integers").map(Some),
        None => Ok(None),
    }
}

fn bytes(dict: &Bound<'_, PyDict>, key: &str) -> PyResult<Vec<u8>> {
    array(key, &required(key, dict.get_item(key)?)?, "bytes")
}

fn flags(dict: &Bound<'_, PyDict>, key: &str) -> PyResult<Vec<bool>> {
    Ok(bytes(dict, key)?.iter().map(|byte| *byte != 0).collect())
}

/// Columns of bars: `ts`, `close` and, if there are, `open`, `high`, `low`, `volume` as 64-bit
/// integers, row by row, and `session_start`, `session_end` as bytes.
pub fn bars(feed: &Bound<'_, PyDict>, instruments: usize) -> PyResult<Source> {
    let range = match (
        column(feed, "open")?,
        column(feed, "high")?,
        column(feed, "low")?,
    ) {
        (Some(open), Some(high), Some(low)) => Some([open, high, low]),
        (None, None, None) => None,
        _ => {
            return Err(PyValueError::new_err(
                "`open`, `high` and `low` must be given together; found some of them",
            ));
        }
    };
    let bars = BarColumns {
        ts: required("ts", column(feed, "ts")?)?,
        session_start: flags(feed, "session_start")?,
        session_end: flags(feed, "session_end")?,
        instruments,
        close: required("close", column(feed, "close")?)?,
        range,
        volume: column(feed, "volume")?,
    };
    Ok(Source::Bars(Feed::new(bars).map_err(|e| raise(&e))?))
}

fn tape_columns(columns: &Bound<'_, PyDict>) -> PyResult<TapeColumns> {
    let whole = |key: &str| required(key, column(columns, key)?);
    Ok(TapeColumns {
        ts_event: whole("ts_event")?,
        ts_received: whole("ts_received")?,
        kind: bytes(columns, "kind")?,
        flag: bytes(columns, "flag")?,
        instrument: whole("instrument")?,
        values: [
            whole("a")?,
            whole("b")?,
            whole("c")?,
            whole("d")?,
            whole("e")?,
        ],
    })
}

/// A tape without rows, to be gone on with.
pub fn nothing(config: &Config) -> PyResult<Source> {
    let (instruments, currencies) = (config.instruments.len(), config.currencies.len());
    let tape = Tape::new(TapeColumns::default(), Vec::new(), instruments, currencies);
    Events::new(tape.map_err(|e| raise(&e))?, Vec::new()).map(Source::Tape)
}

/// A further block of events; it names the corporate actions of the tape before it.
pub fn block(columns: &Bound<'_, PyDict>, before: &Tape, config: &Config) -> PyResult<Tape> {
    let (instruments, currencies) = (config.instruments.len(), config.currencies.len());
    let actions = before.actions().to_vec();
    Tape::new(tape_columns(columns)?, actions, instruments, currencies).map_err(|e| raise(&e))
}

/// A tape by its columns, the corporate actions that it names, and inputs by their time.
pub fn tape(
    columns: &Bound<'_, PyDict>,
    actions: &Bound<'_, PyAny>,
    inputs: Vec<(i64, Bound<'_, PyAny>)>,
    config: &Config,
) -> PyResult<Source> {
    let actions: Vec<Action> = records::read("actions", actions)?;
    let (instruments, currencies) = (config.instruments.len(), config.currencies.len());
    let tape = Tape::new(tape_columns(columns)?, actions, instruments, currencies)
        .map_err(|e| raise(&e))?;
    let schedule = inputs
        .into_iter()
        .map(|(ts, event)| {
            Ok(Scheduled {
                ts,
                ts_event: ts,
                event: records::read("inputs", &event)?,
            })
        })
        .collect::<PyResult<Vec<Scheduled>>>()?;
    Ok(Source::Tape(Events::new(tape, schedule)?))
}
