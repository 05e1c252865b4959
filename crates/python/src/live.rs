//! Live mode: a session without data of its own, which is told events as they come.
//!
//! What is told is kept in blocks, each a tape with a schedule, so that strategies hear of it as in
//! runs over data and so that nothing that is over is kept. Of rows and of what is scheduled the
//! numbers go on over blocks and snapshots: the same events give the same bytes.

use std::collections::{HashMap, VecDeque};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use quantvista_engine::{
    DataKind, Event, Input, Order, Output, Tape, TapeColumns, Trail, TriggerSource, decode,
};

use crate::session::Session;
use crate::source::{Events, SCHEDULE, Scheduled, Source};
use crate::steps::Step;
use crate::{raise, records};

/// How many finished orders strategies may still ask for; of other rows that are written down
/// twice as many are kept at most.
pub const KEPT: usize = 1_000;

/// What a live session has beside a run over data.
#[derive(Default)]
pub struct Live {
    /// What was told and has not happened yet, behind the block that the source reads.
    waiting: VecDeque<Block>,
    /// Time of the last event that was told.
    last: Option<i64>,
    /// How many rows, and other events, were told.
    rows: usize,
    scheduled: usize,
    effects: Vec<Effect>,
    failed: Option<String>,
    is_alone: bool,
    is_running: bool,
}

struct Block {
    tape: Tape,
    schedule: Vec<Scheduled>,
}

/// What must leave for a remote venue.
enum Effect {
    Submit(Order),
    Cancel(u64),
}

/// An event that is told, and where it was recorded its source and sequence.
pub struct Told {
    ts_received: i64,
    ts_event: i64,
    event: Event,
    number: Option<(u32, u64)>,
}

impl Told {
    pub fn new(ts_received: i64, ts_event: i64, event: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            ts_received,
            ts_event,
            event: records::read("events", event)?,
            number: None,
        })
    }

    pub fn decode(record: &[u8]) -> PyResult<Self> {
        let input: Input = decode(record).map_err(|e| raise(&e))?;
        Ok(Self {
            ts_received: input.ts_received,
            ts_event: input.ts_event,
            event: input.event,
            number: Some((input.source, input.sequence)),
        })
    }
}

impl Live {
    /// Begin anew, behind so many rows and other events.
    pub fn behind(rows: usize, scheduled: usize) -> Self {
        Self {
            rows,
            scheduled,
            ..Self::default()
        }
    }

    /// Keep what outputs say to remote venues.
    pub fn collect(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::OrderSubmitted(order) if order.remote => {
                    self.effects.push(Effect::Submit(*order));
                }
                Output::CancelRequested { order, .. } => self.effects.push(Effect::Cancel(*order)),
                _ => {}
            }
        }
    }

    /// Let nothing more happen after an error in the middle of something.
    pub fn fail(&mut self, error: &PyErr) {
        self.failed.get_or_insert_with(|| error.to_string());
    }

    /// Go on without strategies, after code of one has raised.
    pub fn go_on_alone(&mut self) {
        self.failed = None;
        self.is_alone = true;
    }

    /// Refuse strategies where one has heard what another has not.
    pub fn check_alone(&self, hosts: usize) -> PyResult<()> {
        if self.is_alone && hosts > 0 {
            return Err(PyValueError::new_err(format!(
                "`hosts` must be empty after `go_on_alone`; found {hosts}"
            )));
        }
        Ok(())
    }

    /// Strategies are about to be called; not while they are.
    pub fn begin(&mut self) -> PyResult<()> {
        if self.is_running {
            return Err(PyValueError::new_err(
                "`run_live` must not be called by what it calls",
            ));
        }
        self.is_running = true;
        Ok(())
    }

    pub fn is_running(&self) -> bool {
        self.is_running
    }

    pub fn end(&mut self) {
        self.is_running = false;
    }

    /// Refuse decisions that nobody would make again after a crash.
    pub fn check_decides(&self) -> PyResult<()> {
        if self.is_running {
            return self.check();
        }
        Err(PyValueError::new_err(
            "`run_live` must be calling the strategy that decides: what is decided else is lost to \
             who goes on from records",
        ))
    }

    pub fn check(&self) -> PyResult<()> {
        match &self.failed {
            None => Ok(()),
            Some(cause) => Err(crate::raise_as(
                "EngineError",
                format!(
                    "the session failed earlier ({cause}) and refuses further inputs; go on from a snapshot"
                ),
            )),
        }
    }

    fn is_over(&self, source: &Source, row: usize, scheduled: usize) -> bool {
        let Source::Tape(events) = source else {
            return true;
        };
        self.waiting.is_empty() && events.next_of_both(row, scheduled).is_none()
    }
}

/// What is wrong with `events` where it is not what one of them says by itself.
fn refuse(problem: &str) -> PyErr {
    PyValueError::new_err(format!("`events` {problem}"))
}

fn check_times(told: &[Told], after: i64) -> PyResult<()> {
    if let Some(first) = told.first().map(|each| each.ts_received)
        && first <= after
    {
        return Err(refuse(&format!(
            "must be later than {after}, until when all is told; found {first} (tell all events of \
             one time at once)"
        )));
    }
    let late = told
        .windows(2)
        .find(|two| two[1].ts_received < two[0].ts_received);
    late.map_or(Ok(()), |two| {
        Err(refuse(&format!(
            "must be in order of `ts_received`; found {} after {}",
            two[1].ts_received, two[0].ts_received
        )))
    })
}

impl Session {
    /// What the session has of live mode, if that is what it is in and nothing failed.
    pub fn live(&mut self) -> PyResult<&mut Live> {
        let live = self.live.as_mut().ok_or_else(|| {
            PyValueError::new_err("`live` must be true for this; found a session over data")
        })?;
        live.check()?;
        Ok(live)
    }

    /// Refuse what only runs over data have.
    pub fn check_not_live(&self, instead: &str) -> PyResult<()> {
        if self.live.is_none() {
            return Ok(());
        }
        Err(PyValueError::new_err(format!(
            "`live` must be false for this; found a live session (use {instead})"
        )))
    }

    /// Refuse to go on where something that was told has not happened yet.
    pub fn check_all_happened(&self) -> PyResult<()> {
        let Some(live) = &self.live else {
            return Ok(());
        };
        live.check()?;
        if !live.is_running && live.is_over(&self.source, self.row, self.scheduled) {
            return Ok(());
        }
        Err(PyValueError::new_err(
            "`snapshot` must be of a session that has done what it was told; found events that wait \
             (call run_live first)",
        ))
    }

    /// Take all that is told, or nothing of it.
    pub fn take_in(&mut self, mut told: Vec<Told>) -> PyResult<()> {
        let (now, live) = (self.now, self.live()?);
        let after = live.last.map_or(now, |last| last.max(now));
        check_times(&told, after)?;
        self.check_events(&told)?;
        let Some(last) = told.last().map(|each| each.ts_received) else {
            return Ok(());
        };
        told.sort_by_key(|each| (each.ts_received, each.event.class()));
        for at_once in told.chunk_by(|one, other| one.ts_received == other.ts_received) {
            self.check_whole(at_once)?;
        }
        let block = self.block_of(told)?;
        let live = self.live()?;
        live.last = Some(last);
        live.rows += block.tape.len();
        live.scheduled += block.schedule.len();
        live.waiting.push_back(block);
        Ok(())
    }

    fn check_events(&self, told: &[Told]) -> PyResult<()> {
        let waits = match &self.live {
            Some(live) => !live.is_over(&self.source, self.row, self.scheduled),
            None => false,
        };
        for (place, each) in told.iter().enumerate() {
            if each.event.class() > 3 {
                let name = each.event.name();
                return Err(refuse(&format!(
                    "must not decide anything; found {name:?} (strategies decide, when they are \
                     called)"
                )));
            }
            // What these need may come about by what is told before them.
            let depends = matches!(
                each.event,
                Event::Funding { .. } | Event::Action(_) | Event::InstrumentEnded { .. }
            );
            if !depends || (place == 0 && !waits) {
                self.engine
                    .check_event(each.ts_received, &each.event)
                    .map_err(|e| raise(&e))?;
            }
        }
        Ok(())
    }

    /// Refuse bars without the barrier that they wait for and parts of a book's message: the engine
    /// takes nothing of a later time before the rest of them.
    fn check_whole(&self, at_once: &[Told]) -> PyResult<()> {
        let ts = at_once[0].ts_received;
        let mut bars = Vec::new();
        let mut goes_on = HashMap::new();
        let mut is_barrier = false;
        for each in at_once {
            match &each.event {
                Event::Bar { instrument, .. } => bars.push(*instrument),
                Event::BookLevel { instrument, level } => {
                    goes_on.insert(*instrument, level.more);
                }
                Event::BookOrder { instrument, order } => {
                    goes_on.insert(*instrument, order.more);
                }
                Event::BookCleared { instrument, more } => {
                    goes_on.insert(*instrument, *more);
                }
                Event::Barrier { .. } => is_barrier = true,
                _ => {}
            }
        }
        let matching = |instrument: &usize| {
            self.engine.config().instruments[*instrument].matching == DataKind::Bars
        };
        bars.retain(matching);
        if !bars.is_empty() && !is_barrier {
            return Err(refuse(&format!(
                "must have a barrier of the same time where they have bars; found none at {ts}"
            )));
        }
        bars.sort_unstable();
        if bars.windows(2).any(|two| two[0] == two[1]) {
            return Err(refuse(&format!(
                "must have one bar of an instrument at a time; found two at {ts}"
            )));
        }
        if goes_on.values().any(|more| *more) {
            return Err(refuse(&format!(
                "must have whole messages of books; found one at {ts} that goes on"
            )));
        }
        Ok(())
    }

    fn block_of(&self, told: Vec<Told>) -> PyResult<Block> {
        let (rows, scheduled) = self
            .live
            .as_ref()
            .map_or((0, 0), |live| (live.rows, live.scheduled));
        let (mut columns, mut actions) = (TapeColumns::default(), Vec::new());
        let mut schedule = Vec::new();
        let mut shown = Vec::new();
        for mut each in told {
            if let Event::BookOrder { order, .. } = &mut each.event
                && order.size == 0
            {
                // What is deleted has a price no more.
                order.price = 0;
            }
            let (ts, ts_event) = (each.ts_received, each.ts_event);
            let number = if columns.push(ts, ts_event, &each.event, &mut actions) {
                let number = (0, (rows + shown.len()) as u64);
                shown.push(each.event);
                number
            } else {
                let number = (SCHEDULE, (scheduled + schedule.len()) as u64);
                schedule.push(Scheduled {
                    ts,
                    ts_event,
                    event: each.event,
                });
                number
            };
            if let Some(found) = each.number.filter(|found| *found != number) {
                return Err(PyValueError::new_err(format!(
                    "`records` must be all inputs of classes 0 to 3 since the snapshot, in order; \
                     found number {} of source {} at {ts} where number {} of source {} comes next",
                    found.1, found.0, number.1, number.0
                )));
            }
        }
        let config = self.engine.config();
        let (instruments, currencies) = (config.instruments.len(), config.currencies.len());
        let tape = Tape::new(columns, actions, instruments, currencies).map_err(|e| raise(&e))?;
        for (row, event) in shown.iter().enumerate() {
            if tape.input(row).event != *event {
                return Err(refuse(&format!(
                    "must have numbers above -2^63; found {:?} at {}",
                    event.name(),
                    tape.ts(row)
                )));
            }
        }
        Ok(Block { tape, schedule })
    }

    /// Go on to the next time at which something happens: what was told, or a timer, of which the
    /// last to come are at `horizon`.
    pub fn advance_live(&mut self, horizon: i64, with_timers: bool) -> PyResult<Step> {
        self.out.clear();
        let first = self.open_block();
        let Source::Tape(events) = &self.source else {
            return Ok(Step::Done);
        };
        let next = events.next_of_both(first, self.scheduled);
        let timer = self.timers.next().filter(|at| {
            with_timers && self.now != i64::MIN && next.map_or(*at <= horizon, |ts| *at < ts)
        });
        if let Some(at) = timer {
            self.now = self.now.max(at);
            return Ok(Step::Timer);
        }
        let Some(ts) = next else {
            return Ok(Step::Done);
        };
        self.now = ts;
        let mut barrier = None;
        self.apply_all_at(ts, &mut barrier)?;
        self.observe();
        Ok(Step::Rows {
            first,
            last: self.row,
            barrier,
        })
    }

    /// Go on to the block that was told next, where one is over; returns the row to go on at.
    fn open_block(&mut self) -> usize {
        let (Source::Tape(events), Some(live)) = (&mut self.source, &mut self.live) else {
            return self.row;
        };
        while events.next_of_both(self.row, self.scheduled).is_none()
            && let Some(block) = live.waiting.pop_front()
        {
            open(events, block);
            self.row = 0;
            self.scheduled = 0;
        }
        self.row
    }

    /// What must leave for remote venues since the last time.
    pub fn effects<'py>(
        &mut self,
        py: Python<'py>,
    ) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        if self.live.is_none() {
            self.live()?;
        }
        let effects = self
            .live
            .as_mut()
            .map(|live| std::mem::take(&mut live.effects));
        let effects = effects.unwrap_or_default().into_iter();
        effects
            .map(|effect| match effect {
                Effect::Submit(order) => Ok(("submit", terms(py, &order)?.into_any())),
                Effect::Cancel(id) => Ok(("cancel", id.into_pyobject(py)?.into_any())),
            })
            .collect()
    }

    /// Orders that work, at venues and in the engine.
    pub fn working_orders<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let orders = self.engine.working_orders();
        orders
            .iter()
            .map(|order| {
                let row = terms(py, order)?;
                row.set_item("ts", order.ts)?;
                row.set_item("status", order.status.name())?;
                row.set_item("filled", order.filled)?;
                row.set_item("origin", order.origin.name())?;
                row.set_item("remote", order.remote)?;
                let is_asked = self.engine.is_cancel_requested(order.id);
                row.set_item("cancel_requested", is_asked)?;
                Ok(row)
            })
            .collect()
    }
}

fn open(events: &mut Events, block: Block) {
    events.before.scheduled += events.schedule.len();
    events.schedule = block.schedule;
    events.go_on(block.tape);
}

/// The terms of an order in units.
fn terms<'py>(py: Python<'py>, order: &Order) -> PyResult<Bound<'py, PyDict>> {
    let (amount, rate) = match order.trail {
        None => (None, None),
        Some(Trail::Amount(amount)) => (Some(amount), None),
        Some(Trail::Rate(rate)) => (None, Some(rate)),
    };
    let row = PyDict::new(py);
    row.set_item("id", order.id)?;
    row.set_item("sleeve", order.sleeve)?;
    row.set_item("instrument", order.instrument)?;
    row.set_item("side", order.side.name())?;
    row.set_item("quantity", order.quantity)?;
    row.set_item("kind", order.kind.name())?;
    row.set_item("tif", order.tif.name())?;
    row.set_item("limit_price", order.limit_price)?;
    row.set_item("trigger_price", order.trigger_price)?;
    row.set_item("trigger_by", order.trigger_by.map(TriggerSource::name))?;
    row.set_item("trail_amount", amount)?;
    row.set_item("trail_rate", rate)?;
    row.set_item("expire_at", order.expire_at)?;
    row.set_item("display_quantity", order.display_quantity)?;
    row.set_item("post_only", order.post_only)?;
    row.set_item("reduce_only", order.reduce_only)?;
    row.set_item("leg", order.leg.name())?;
    Ok(row)
}
