//! Snapshots of a session, and going on from one.

use quantvista_engine::{Config, Engine, EngineError, RunState, decode, encode};

use crate::session::Session;
use crate::source::{self, Source, View};
use crate::timers::Timers;

impl Session {
    /// State of engine, run and strategies as bytes; `states` has one entry per sleeve.
    pub fn to_snapshot(&self, states: Vec<Vec<u8>>) -> Vec<u8> {
        let engine = encode(&self.engine.snapshot());
        let run = RunState {
            engine,
            row: (self.source.rows_before() + self.row) as u64,
            now: self.now,
            sequence: self.sequence,
            timers: self.timers.to_list(),
            orders: self.recorder.orders().collect(),
            strategies: states,
        };
        encode(&run)
    }

    /// Put a snapshot's state in the place of the present one; returns the strategies' states.
    /// A snapshot that is refused changes nothing.
    pub fn resume_from(&mut self, snapshot: &[u8]) -> Result<Vec<Vec<u8>>, EngineError> {
        let run: RunState = decode(snapshot)?;
        let engine = decode(&run.engine)?;
        let engine = Engine::restore(engine)?;
        let row = self.check_fits(&run, &engine)?;
        self.recorder.resume(&engine, &run.orders, run.now)?;
        self.engine = engine;
        self.row = row;
        self.now = run.now;
        self.sequence = run.sequence;
        self.timers = Timers::from_list(run.timers);
        self.epochs.retain(|epoch| epoch.until <= run.now);
        self.renew_scales();
        self.views.fill(View::default());
        if let Source::Tape(events) = &self.source {
            for (view, before) in self.views.iter_mut().zip(&events.before.views) {
                *view = *before;
            }
            self.scheduled = events.scheduled_until(run.now);
            for row in 0..row {
                source::look(&mut self.views, &events.tape, row);
            }
        }
        Ok(run.strategies)
    }

    /// The row at which a snapshot of this very run goes on.
    fn check_fits(&self, run: &RunState, engine: &Engine) -> Result<usize, EngineError> {
        let fail = |text: &str| Err(EngineError::Decode(text.to_owned()));
        if !self.is_same_fund(engine.config()) {
            return fail("the snapshot is of a fund that is set up differently");
        }
        let sleeves = engine.config().sleeves.len();
        if run.strategies.len() != sleeves || run.timers.iter().any(|timer| timer.1 >= sleeves) {
            return fail("the strategies of the snapshot are not those of its engine");
        }
        let row = usize::try_from(run.row).unwrap_or(usize::MAX);
        let started = run.now != i64::MIN;
        let fits = match &self.source {
            Source::Bars(_) => started == (row > 0),
            Source::Tape(_) => started || row == 0,
        };
        match row.checked_sub(self.source.rows_before()) {
            Some(row) if fits && self.source.may_stop(row, run.now) => Ok(row),
            _ => fail("the snapshot is of a run over other data"),
        }
    }

    /// Inputs of a run of events may change limits, rates and the steps of instruments.
    fn is_same_fund(&self, other: &Config) -> bool {
        let ours = self.engine.config();
        if !self.has_tape() {
            return ours == other;
        }
        let ids = |config: &Config| -> Vec<String> {
            let instruments = config.instruments.iter().map(|i| i.id.clone());
            let currencies = config.currencies.iter().map(|c| c.code.clone());
            instruments.chain(currencies).collect()
        };
        (ours.semantics, &ours.fund, ours.epoch, ours.seed)
            == (other.semantics, &other.fund, other.epoch, other.seed)
            && ours.account == other.account
            && ours.sleeves == other.sleeves
            && ours.venues == other.venues
            && ids(ours) == ids(other)
    }
}
