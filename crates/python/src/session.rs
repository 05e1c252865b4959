//! A run over market data: feeds the engine step by step and calls strategies in between.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use quantvista_engine::{
    Engine, Event, Input, MISSING, OrderKind, OrderRequest, Output, Recorder, Side, TimeInForce,
};

use crate::columns::Epoch;
use crate::host::HostSpec;
use crate::log::Log;
use crate::mail::Mail;
use crate::source::{self, Source, View};
use crate::timers::Timers;
use crate::{columns, raise, records, steps};

#[pyclass(name = "Session", module = "quantvista._native")]
pub struct Session {
    pub engine: Engine,
    pub source: Source,
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
}

/// What is written down at each barrier, beside orders, fills and verdicts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Record {
    All,
    Accounts,
    Nothing,
    /// Not even those: for a load without strategies, which need them.
    Off,
}

/// How many units one is, of so many digits.
pub fn scale(digits: u8) -> f64 {
    10_f64.powi(i32::from(digits))
}

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
    /// corporate `actions` that it names and further `inputs` by their time. Accounts are recorded
    /// at barriers and, with `sample_ns`, at the first time of each such period at which something
    /// happens.
    #[new]
    #[pyo3(signature = (config, feed = None, *, tape = None, actions = None, inputs = Vec::new(), record = "all", sample_ns = None))]
    #[expect(clippy::too_many_arguments, reason = "a run's set-up, by keyword")]
    fn new(
        py: Python<'_>,
        config: &Bound<'_, PyDict>,
        feed: Option<&Bound<'_, PyDict>>,
        tape: Option<&Bound<'_, PyDict>>,
        actions: Option<Bound<'_, PyAny>>,
        inputs: Vec<(i64, Bound<'_, PyAny>)>,
        record: &str,
        sample_ns: Option<i64>,
    ) -> PyResult<Self> {
        if let Some(period) = sample_ns.filter(|period| *period <= 0) {
            return Err(PyValueError::new_err(format!(
                "`sample_ns` must be positive; found {period}"
            )));
        }
        let record = records::parse("record", record, |name| match name {
            "all" => Some(Record::All),
            "accounts" => Some(Record::Accounts),
            "nothing" => Some(Record::Nothing),
            "off" => Some(Record::Off),
            _ => None,
        })?;
        let engine = Engine::new(records::config(config)?).map_err(|e| raise(&e))?;
        let instruments = &engine.config().instruments;
        let source = match (feed, tape) {
            (Some(feed), None) if actions.is_none() && inputs.is_empty() => {
                source::bars(feed, instruments.len())?
            }
            (None, Some(columns)) => {
                let actions = actions.unwrap_or_else(|| pyo3::types::PyList::empty(py).into_any());
                source::tape(columns, &actions, inputs, engine.config())?
            }
            _ => {
                return Err(PyValueError::new_err(
                    "`feed` or `tape` must be given, one of them; actions and inputs go with a tape",
                ));
            }
        };
        Ok(Self {
            ids: instruments
                .iter()
                .enumerate()
                .map(|(index, i)| (i.id.clone(), index))
                .collect(),
            names: instruments
                .iter()
                .map(|i| PyString::intern(py, &i.id).unbind())
                .collect(),
            price_scale: instruments
                .iter()
                .map(|i| scale(i.price_precision))
                .collect(),
            quantity_scale: instruments
                .iter()
                .map(|i| scale(i.quantity_precision))
                .collect(),
            epochs: Vec::new(),
            views: vec![View::default(); instruments.len()],
            source,
            recorder: Recorder::default(),
            engine,
            record,
            sample_ns,
            row: 0,
            scheduled: 0,
            now: i64::MIN,
            sequence: 0,
            timers: Timers::default(),
            mail: Mail::default(),
            out: Vec::new(),
            log: Log::default(),
            calling: None,
        })
    }

    /// Go on with a further block of events where the tape is over, of later times than all before;
    /// blocks that are over are not kept, so that a run of any length needs little memory.
    fn extend(&mut self, tape: &Bound<'_, PyDict>) -> PyResult<()> {
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
        events.go_on(block, &self.views);
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
        steps::run(slf, until, hosts, decide, decision_rows)
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
        let count = self.names.len();
        let mut sent = 0_usize;
        for row in 0..rows.min(self.source.rows() - self.row) {
            self.advance(usize::MAX, false)?;
            let side = if row.is_multiple_of(2) {
                Side::Buy
            } else {
                Side::Sell
            };
            for _ in 0..orders_per_row {
                let request = OrderRequest::new(
                    0,
                    sent % count,
                    side,
                    quantity,
                    OrderKind::Market,
                    TimeInForce::Gtc,
                );
                self.decide(Event::SubmitOrder(request))?;
                sent += 1;
            }
            self.mark()?;
            py.check_signals()?;
        }
        Ok(sent as u64)
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
    fn snapshot<'py>(&self, py: Python<'py>, states: Vec<Vec<u8>>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.to_snapshot(states))
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

    /// Fills recorded since this session began; without a record, fills of the engine.
    #[getter]
    fn fills(&self) -> u64 {
        match self.record {
            Record::Off => self.engine.last_fill(),
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
}
