//! Snapshots of a session, and going on from one.

use quantvista_engine::{
    Config, Encoded, Engine, EngineError, RunState, Tape, TapeColumns, decode, encode,
};
use serde::{Deserialize, Serialize};

use crate::live::Live;
use crate::mail::Mail;
use crate::session::Session;
use crate::source::{self, Source, View};
use crate::timers::Timers;

/// State of a live session: there are no rows from which it could be found out what was seen last.
#[derive(Serialize, Deserialize)]
struct LiveState {
    /// An encoded [`RunState`], whose orders are those that may still be asked for.
    run: Vec<u8>,
    /// How much was told beside rows.
    scheduled: u64,
    /// Finished orders that are known, as they finished.
    finished: Vec<u64>,
    views: Vec<View>,
}

/// More than a session can have been told.
const EVENTS_MAX: usize = 1 << 62;

impl Encoded for LiveState {
    const KIND: u8 = b'L';
}

fn fail<T>(text: &str) -> Result<T, EngineError> {
    Err(EngineError::Decode(text.to_owned()))
}

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
        if self.live.is_none() {
            return encode(&run);
        }
        encode(&LiveState {
            run: encode(&run),
            scheduled: self.scheduled_before() + self.scheduled as u64,
            finished: self.recorder.finished(),
            views: self.views.clone(),
        })
    }

    /// Put a snapshot's state in the place of the present one; returns the strategies' states.
    /// A snapshot that is refused changes nothing.
    pub fn resume_from(&mut self, snapshot: &[u8]) -> Result<Vec<Vec<u8>>, EngineError> {
        let kind = snapshot.get(1).copied();
        match (kind, self.live.is_some()) {
            (Some(LiveState::KIND), false) => {
                return fail("the snapshot is of a live session; this one is not live");
            }
            (Some(RunState::KIND), true) => {
                return fail("the snapshot is of a run over data; this session is live");
            }
            (_, true) => return self.resume_live(snapshot),
            (_, false) => {}
        }
        let run: RunState = decode(snapshot)?;
        let engine = decode(&run.engine)?;
        let engine = Engine::restore(engine)?;
        let row = self.check_fits(&run, &engine)?;
        self.recorder.resume(&engine, &run.orders, &[], run.now)?;
        let strategies = self.go_on_as(run, engine, row);
        self.views.fill(View::default());
        if let Source::Tape(events) = &self.source {
            for (view, before) in self.views.iter_mut().zip(&events.before.views) {
                *view = *before;
            }
            self.scheduled = events.scheduled_until(self.now);
            for row in 0..row {
                source::look(&mut self.views, &events.tape, row);
            }
        }
        Ok(strategies)
    }

    fn resume_live(&mut self, snapshot: &[u8]) -> Result<Vec<Vec<u8>>, EngineError> {
        if self.live.as_ref().is_some_and(Live::is_running) {
            return fail("a snapshot may be restored between two calls of run_live only");
        }
        let state: LiveState = decode(snapshot)?;
        let run: RunState = decode(&state.run)?;
        let engine = decode(&run.engine)?;
        let engine = Engine::restore(engine)?;
        self.check_is_ours(&run, &engine)?;
        let place = |number: u64| usize::try_from(number).ok().filter(|n| *n < EVENTS_MAX);
        let (Some(rows), Some(scheduled)) = (place(run.row), place(state.scheduled)) else {
            return fail("the snapshot counts more events than there can be");
        };
        let config = engine.config();
        let count = config.instruments.len();
        if state.views.len() != count {
            return fail("the quotes of the snapshot are not of its instruments");
        }
        let nothing = Tape::new(
            TapeColumns::default(),
            Vec::new(),
            count,
            config.currencies.len(),
        )?;
        self.recorder
            .resume(&engine, &run.orders, &state.finished, run.now)?;
        let strategies = self.go_on_as(run, engine, 0);
        self.views = state.views;
        self.scheduled = 0;
        self.mail = Mail::default();
        self.live = Some(Live::behind(rows, scheduled));
        if let Source::Tape(events) = &mut self.source {
            events.begin_behind(nothing, rows, scheduled);
        }
        Ok(strategies)
    }

    /// Take over what snapshots of all modes say; returns the strategies' states.
    fn go_on_as(&mut self, run: RunState, engine: Engine, row: usize) -> Vec<Vec<u8>> {
        self.engine = engine;
        self.row = row;
        self.now = run.now;
        self.sequence = run.sequence;
        self.timers = Timers::from_list(run.timers);
        self.epochs.retain(|epoch| epoch.until <= run.now);
        self.renew_scales();
        run.strategies
    }

    fn scheduled_before(&self) -> u64 {
        match &self.source {
            Source::Bars(_) => 0,
            Source::Tape(events) => events.before.scheduled as u64,
        }
    }

    /// Refuse a snapshot of another fund or of other strategies.
    fn check_is_ours(&self, run: &RunState, engine: &Engine) -> Result<(), EngineError> {
        if !self.is_same_fund(engine.config()) {
            return fail("the snapshot is of a fund that is set up differently");
        }
        let sleeves = engine.config().sleeves.len();
        if run.strategies.len() != sleeves || run.timers.iter().any(|timer| timer.1 >= sleeves) {
            return fail("the strategies of the snapshot are not those of its engine");
        }
        Ok(())
    }

    /// The row at which a snapshot of this very run goes on.
    fn check_fits(&self, run: &RunState, engine: &Engine) -> Result<usize, EngineError> {
        self.check_is_ours(run, engine)?;
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
