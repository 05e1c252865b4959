//! A run over market data: feeds the engine step by step and calls strategies in between.

use std::collections::HashMap;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyString};
use quantvista_engine::{
    Engine, Event, Input, MISSING, OrderKind, OrderRequest, Output, Recorder, Side, TimeInForce,
};

use crate::columns::Epoch;
use crate::host::HostSpec;
use crate::live::{Live, Told};
use crate::log::Log;
use crate::mail::Mail;
use crate::setup::{Feeds, Record};
use crate::source::{self, Source, View};
use crate::steps::Goal;
use crate::timers::Timers;
use crate::{columns, raise, records, steps};

#[pyclass(name = "Session", module = "quantvista._native")]
pub struct Session {
    pub engine: Engine,
    pub source: Source,
    /// What it has beside in live mode.
    pub live: Option<Live>,
    pub recorder: Recorder,
    pub record: Record,
    /// Accounts are written down at the first events of each period of so long, too.
    pub sample_ns: Option<i64>,
    pub row: usize,
    /// How much of the schedule is over.
    pub scheduled: usize,
    pub now: i64,
    pub sequence: u64,
    pub timers: Timers,
    pub mail: Mail,
    pub views: Vec<View>,
    pub out: Vec<Output>,
    pub log: Log,
    pub ids: HashMap<String, usize>,
    pub names: Vec<Py<PyString>>,
    pub price_scale: Vec<f64>,
    pub quantity_scale: Vec<f64>,
    pub epochs: Vec<Epoch>,
    /// Sleeve, handler and instrument of the strategy code that runs.
    pub calling: Option<(usize, &'static str, Option<usize>)>,
    /// Per sleeve, the newest time at which its strategy sent orders, and how many then.
    pub asked: Vec<(i64, usize)>,
}

/// Orders that a strategy may send at one time: so many, and so many more for each instrument.
const MOST_AT_ONCE: (usize, usize) = (1_000, 10);

impl Session {
    /// The instrument that strategy code was last called for.
    pub fn called_for(&self) -> Option<usize> {
        self.calling.and_then(|(_, _, instrument)| instrument)
    }

    /// Whether the source is a tape.
    pub fn has_tape(&self) -> bool {
        matches!(self.source, Source::Tape(_))
    }

    pub fn observe(&mut self) {
        if let Some(live) = &mut self.live {
            live.collect(&self.out);
        }
        if self.out.is_empty() || self.record == Record::Off {
            return;
        }
        if self.mail.is_wanted() {
            for output in &self.out {
                self.recorder.observe(std::slice::from_ref(output));
                self.mail.keep(output, &self.recorder, self.now);
            }
        } else {
            self.recorder.observe(&self.out);
        }
    }

    /// Let the engine take an input.
    #[inline]
    pub fn apply(&mut self, input: &Input) -> PyResult<()> {
        let Self {
            engine, out, log, ..
        } = self;
        log.apply(engine, input, out).map_err(|e| raise(&e))
    }

    /// Give the engine something that was decided now.
    pub fn decide(&mut self, event: Event) -> PyResult<()> {
        if let Some(live) = &self.live {
            live.check_decides()?;
        }
        self.sequence += 1;
        let input = Input {
            ts_event: self.now,
            ts_received: self.now,
            source: 0,
            sequence: self.sequence,
            event,
        };
        self.out.clear();
        self.apply(&input)?;
        self.observe();
        Ok(())
    }

    /// Give the engine what a strategy sends or amends now: one that goes wild is stopped.
    pub fn ask(&mut self, sleeve: usize, count: usize, event: Event) -> PyResult<()> {
        let most = MOST_AT_ONCE.0 + MOST_AT_ONCE.1 * self.ids.len();
        let (ts, asked) = self.asked[sleeve];
        let asked = count + if ts == self.now { asked } else { 0 };
        if asked > most {
            return Err(PyRuntimeError::new_err(format!(
                "a strategy may send and amend at most {most} orders at one time, which are \
                 {} and {} for each instrument; found one more. Look for a loop that does not end",
                MOST_AT_ONCE.0, MOST_AT_ONCE.1
            )));
        }
        self.asked[sleeve] = (self.now, asked);
        self.decide(event)
    }

    pub fn mark(&mut self) -> PyResult<()> {
        let marked = match self.record {
            Record::All => self.recorder.mark(&self.engine, self.now, true),
            Record::Accounts => self.recorder.mark(&self.engine, self.now, false),
            Record::Nothing | Record::Off => Ok(()),
        };
        marked.map_err(|e| raise(&e))
    }
}

#[pymethods]
impl Session {
    /// `config` as for `RawEngine`. Market data are either bars in `feed`, or a `tape` with the
    /// corporate `actions` that it names and further `inputs` by their time; a `live` session has
    /// none and is told of them. Accounts are recorded
    /// at barriers and, with `sample_ns`, at the first time of each such period at which something
    /// happens.
    #[new]
    #[pyo3(signature = (config, feed = None, *, tape = None, actions = None, inputs = Vec::new(), live = false, record = "all", sample_ns = None))]
    #[expect(clippy::too_many_arguments, reason = "a run's set-up, by keyword")]
    fn new(
        py: Python<'_>,
        config: &Bound<'_, PyDict>,
        feed: Option<&Bound<'_, PyDict>>,
        tape: Option<&Bound<'_, PyDict>>,
        actions: Option<Bound<'_, PyAny>>,
        inputs: Vec<(i64, Bound<'_, PyAny>)>,
        live: bool,
        record: &str,
        sample_ns: Option<i64>,
    ) -> PyResult<Self> {
        let feeds = Feeds {
            feed,
            tape,
            actions,
            inputs,
            live,
        };
        Self::over(py, config, feeds, Record::parse(record)?, sample_ns)
    }

    /// Go on with a further block of events where the tape is over, of later times than all before;
    /// blocks that are over are not kept, so that a run of any length needs little memory.
    fn extend(&mut self, tape: &Bound<'_, PyDict>) -> PyResult<()> {
        self.check_not_live("tell")?;
        let Source::Tape(events) = &mut self.source else {
            return Err(PyValueError::new_err(
                "`tape` must go on a tape; found a session of bars",
            ));
        };
        let left = events.tape.len() - self.row;
        if left > 0 {
            return Err(PyValueError::new_err(format!(
                "`tape` must come when the one before is over; found {left} rows left (run them first)"
            )));
        }
        let block = source::block(tape, &events.tape, self.engine.config())?;
        if !block.is_empty() && block.ts(0) <= self.now {
            return Err(PyValueError::new_err(format!(
                "`tape` must begin after {}, where the run is; found {}",
                self.now,
                block.ts(0)
            )));
        }
        events.before.views.clone_from(&self.views);
        events.go_on(block);
        self.row = 0;
        Ok(())
    }

    /// Run up to row `until`, exclusively, and to the end of its time. `hosts` are `(sleeve,
    /// context, handlers by name, instruments or None for all)` in order of sleeve;
    /// `decide(number)` is called at the barriers whose flag is set.
    #[pyo3(signature = (until, hosts, decide = None, decision_rows = None))]
    fn run(
        slf: &Bound<'_, Self>,
        until: usize,
        hosts: Vec<HostSpec>,
        decide: Option<&Bound<'_, PyAny>>,
        decision_rows: Option<&[u8]>,
    ) -> PyResult<()> {
        slf.borrow().check_not_live("run_live")?;
        steps::run(slf, Goal::Row(until), hosts, decide, decision_rows)
    }

    /// Tell a live session what happened: `(ts_received, ts_event, event)` in order of time, later
    /// than all before, of events that decide nothing. All of it is taken or nothing.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the binding hands a new list over"
    )]
    fn tell(&mut self, events: Vec<(i64, i64, Bound<'_, PyAny>)>) -> PyResult<()> {
        let told = events
            .iter()
            .map(|(received, event_at, event)| Told::new(*received, *event_at, event));
        self.take_in(told.collect::<PyResult<Vec<Told>>>()?)
    }

    /// The same of recorded inputs in the engine's encoding: those since a snapshot, in order.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the binding hands a new list over"
    )]
    fn tell_encoded(&mut self, records: Vec<PyBackedBytes>) -> PyResult<()> {
        let told = records.iter().map(|record| Told::decode(record));
        self.take_in(told.collect::<PyResult<Vec<Told>>>()?)
    }

    /// Let all happen that was told, and the timers that are due before, then those up to
    /// `horizon`; `hosts` as for `run`. `decide()` is called at each barrier.
    #[pyo3(signature = (horizon, hosts, decide = None))]
    fn run_live(
        slf: &Bound<'_, Self>,
        horizon: i64,
        hosts: Vec<HostSpec>,
        decide: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        {
            let mut session = slf.borrow_mut();
            let live = session.live()?;
            live.check_alone(hosts.len())?;
            live.begin()?;
        }
        let done = steps::run(slf, Goal::Horizon(horizon), hosts, decide, None);
        if let Some(live) = &mut slf.borrow_mut().live {
            live.end();
        }
        done
    }

    /// Go on without strategies, for good, after code of one has raised in `run_live`. Where the
    /// engine itself has failed it goes on refusing.
    fn go_on_alone(&mut self) -> PyResult<()> {
        match &mut self.live {
            Some(live) => live.go_on_alone(),
            None => self.live().map(|_| ())?,
        }
        Ok(())
    }

    /// What must leave for remote venues since the last time, in order: `("submit", order)` or
    /// `("cancel", id)`.
    fn take_effects<'py>(
        &mut self,
        py: Python<'py>,
    ) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        self.effects(py)
    }

    /// When the next timer of a strategy is due.
    #[getter]
    fn next_timer(&self) -> Option<i64> {
        self.timers.next()
    }

    /// Apply a sleeve's target portfolio: weights of its equity in `10^-9`.
    fn submit_targets(&mut self, sleeve: usize, targets: Vec<(usize, i64)>) -> PyResult<()> {
        self.decide(Event::TargetPortfolio { sleeve, targets })
    }

    /// Apply orders in units, all of one kind, without a strategy: for benchmarks and tools.
    fn submit_orders(
        &mut self,
        sleeve: usize,
        orders: Vec<(usize, String, i64, String, String, Option<i64>)>,
    ) -> PyResult<()> {
        for (instrument, side, quantity, kind, tif, limit_price) in orders {
            let request = OrderRequest {
                limit_price,
                ..OrderRequest::new(
                    sleeve,
                    instrument,
                    records::parse("side", &side, Side::from_name)?,
                    quantity,
                    records::parse("type", &kind, OrderKind::from_name)?,
                    records::parse("tif", &tif, TimeInForce::from_name)?,
                )
            };
            self.decide(Event::SubmitOrder(request))?;
        }
        Ok(())
    }

    /// Submit market orders on every row, round by round over the instruments, buying on the first
    /// row, selling on the next, and so on: a load without a strategy. Returns how many there were.
    #[pyo3(signature = (rows, orders_per_row, quantity))]
    fn run_market_orders(
        &mut self,
        py: Python<'_>,
        rows: usize,
        orders_per_row: usize,
        quantity: i64,
    ) -> PyResult<u64> {
        self.check_not_live("tell")?;
        steps::run_market_orders(self, py, rows, orders_per_row, quantity)
    }

    /// Keep all inputs and outputs of the engine from now on, encoded, until they are taken.
    fn open_log(&mut self) {
        self.log.open();
    }

    /// What was kept since it was taken last, in order, each input before its outputs: `"input"` or
    /// `"output"`, when the input was received, and the bytes.
    fn take_log<'py>(&mut self, py: Python<'py>) -> Vec<(&'static str, i64, Bound<'py, PyBytes>)> {
        let kept = self.log.take();
        kept.iter()
            .map(|(side, ts, bytes)| (*side, *ts, PyBytes::new(py, bytes)))
            .collect()
    }

    /// State of engine, run and strategies as bytes; `states` has one entry per sleeve.
    fn snapshot<'py>(
        &self,
        py: Python<'py>,
        states: Vec<Vec<u8>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        self.check_all_happened()?;
        Ok(PyBytes::new(py, &self.to_snapshot(states)))
    }

    /// Put a snapshot's state in the place of the present one; returns the strategies' states.
    /// What was recorded up to the snapshot's time is kept. A snapshot that is refused changes
    /// nothing.
    fn restore<'py>(
        &mut self,
        py: Python<'py>,
        snapshot: &[u8],
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let states = self.resume_from(snapshot).map_err(|e| raise(&e))?;
        Ok(states.iter().map(|state| PyBytes::new(py, state)).collect())
    }

    /// All recorded tables as columns of bytes.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::tables(py, self.engine.config(), &self.recorder, &self.epochs)
    }

    /// Sleeve, handler, instrument and time of the strategy code that ran last.
    #[getter]
    fn calling(&self) -> Option<(usize, &'static str, Option<String>, i64)> {
        self.calling.map(|(sleeve, handler, instrument)| {
            let name = instrument.map(|i| self.engine.config().instruments[i].id.clone());
            (sleeve, handler, name, self.now)
        })
    }

    #[getter]
    fn row(&self) -> usize {
        self.source.rows_before() + self.row
    }

    #[getter]
    fn rows(&self) -> usize {
        self.source.rows_before() + self.source.rows()
    }

    #[getter]
    fn now(&self) -> i64 {
        self.now
    }

    #[getter]
    fn missed_bars(&self) -> u64 {
        self.recorder.missed
    }

    /// Fills recorded since this session began; without a record of all, fills of the engine.
    #[getter]
    fn fills(&self) -> u64 {
        match self.record {
            Record::Off => self.engine.last_fill(),
            _ if self.live.is_some() => self.engine.last_fill(),
            _ => self.recorder.fill_count() as u64,
        }
    }

    #[classattr]
    const MISSING: i64 = MISSING;

    fn state_hash(&self) -> String {
        self.engine.state_hash()
    }

    fn audit(&self) -> PyResult<()> {
        self.engine.audit().map_err(|e| raise(&e))
    }

    /// Prices of the currencies in the fund's, in `10^-12`; None where not known.
    fn rates(&self) -> Vec<Option<i128>> {
        let count = self.engine.config().currencies.len();
        (0..count).map(|each| self.engine.rate(each)).collect()
    }

    /// Equity of the fund in money units of `10^-12`.
    fn equity(&self) -> PyResult<i128> {
        self.engine.equity().map_err(|e| raise(&e))
    }

    fn cash(&self, sleeve: usize) -> PyResult<i128> {
        records::check_indices(&self.engine, sleeve, 0)?;
        Ok(self.engine.ledger().cash(sleeve, 0))
    }

    fn position(&self, sleeve: usize, instrument: usize) -> PyResult<i64> {
        records::check_indices(&self.engine, sleeve, instrument)?;
        Ok(self.engine.held(sleeve, instrument))
    }

    /// Cash of a sleeve in a currency, settled or not, in money units of `10^-12`.
    #[pyo3(signature = (sleeve, currency = 0))]
    fn balance(&self, sleeve: usize, currency: usize) -> PyResult<i128> {
        records::check_currency(&self.engine, sleeve, currency)?;
        Ok(self.engine.ledger().cash(sleeve, currency))
    }

    /// Equity of a sleeve in money units of `10^-12`.
    fn sleeve_equity(&self, sleeve: usize) -> PyResult<i128> {
        records::check_indices(&self.engine, sleeve, 0)?;
        self.engine.sleeve_equity(sleeve).map_err(|e| raise(&e))
    }

    /// What a position cost, in money units of its currency; signed, and 0 for exchanged pairs.
    fn cost(&self, sleeve: usize, instrument: usize) -> PyResult<i128> {
        records::check_indices(&self.engine, sleeve, instrument)?;
        Ok(self.engine.ledger().cost(sleeve, instrument))
    }

    /// Limits that are set: name, sleeve or None, used and limit (money units, or counts), unit.
    fn limits_in_use(&self) -> PyResult<Vec<records::UsedLimit>> {
        records::limits_in_use(&self.engine, self.now())
    }

    /// Price at which an instrument is valued, in price units; None before its first.
    #[pyo3(name = "mark")]
    fn mark_of(&self, instrument: usize) -> PyResult<Option<i64>> {
        records::check_indices(&self.engine, 0, instrument)?;
        Ok(self.engine.mark(instrument))
    }

    /// Orders that have not ended, by id, in units.
    fn working<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.working_orders(py)
    }

    #[getter]
    fn fund_state(&self) -> &'static str {
        self.engine.fund_state().name()
    }

    #[getter]
    fn sleeve_states(&self) -> Vec<&'static str> {
        let sleeves = 0..self.engine.config().sleeves.len();
        sleeves
            .map(|sleeve| self.engine.sleeve_state(sleeve).name())
            .collect()
    }

    /// Id of the newest order; 0 before the first.
    #[getter]
    fn last_order(&self) -> u64 {
        self.engine.last_order()
    }

    /// How many rows are written down, of orders, fills and all else.
    #[getter]
    fn recorded(&self) -> usize {
        self.recorder.row_count()
    }
}
