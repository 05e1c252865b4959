//! A run over market data: feeds the engine step by step and calls strategies in between.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use quantvista_engine::{
    Config, Engine, EngineError, Event, Input, MISSING, OrderKind, OrderRequest, Output, Recorder,
    RunState, Side, TapeKind, TimeInForce, decode, encode,
};

use crate::columns::Epoch;
use crate::host::{Host, HostSpec};
use crate::mail::Mail;
use crate::source::{self, Next, Source, View};
use crate::timers::Timers;
use crate::{columns, raise, records};

/// Steps between two looks at whether the user pressed Ctrl-C.
const STEPS_PER_SIGNAL_CHECK: usize = 256;

/// Rounds of strategies answering one another at one time, after which something is wrong.
const ROUNDS_MAX: usize = 1_000;

#[pyclass(name = "Session", module = "quantvista._native")]
pub struct Session {
    pub engine: Engine,
    pub source: Source,
    pub recorder: Recorder,
    record: Record,
    pub row: usize,
    /// How much of the schedule is over.
    scheduled: usize,
    pub now: i64,
    sequence: u64,
    pub timers: Timers,
    pub mail: Mail,
    pub views: Vec<View>,
    out: Vec<Output>,
    pub ids: HashMap<String, usize>,
    pub names: Vec<Py<PyString>>,
    pub price_scale: Vec<f64>,
    pub quantity_scale: Vec<f64>,
    epochs: Vec<Epoch>,
    /// Sleeve, handler and instrument of the strategy code that runs.
    pub calling: Option<(usize, &'static str, Option<usize>)>,
}

/// What is written down at each barrier, beside orders, fills and verdicts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    All,
    Accounts,
    Nothing,
    /// Not even those: for a load without strategies, which need them.
    Off,
}

/// What a session did next.
#[derive(Clone, Copy)]
pub enum Step {
    Done,
    /// Nothing happened but that it is time for a timer.
    Timer,
    /// Rows `first..last` of the source, of one time, and the number of the barrier among them.
    Rows {
        first: usize,
        last: usize,
        barrier: Option<usize>,
    },
}

fn scale(digits: u8) -> f64 {
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

    fn observe(&mut self) {
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
        self.engine
            .apply_into(&input, &mut self.out)
            .map_err(|e| raise(&e))?;
        self.observe();
        Ok(())
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

    fn apply_row(&mut self, row: usize) -> PyResult<()> {
        let Source::Tape(events) = &self.source else {
            return Ok(());
        };
        source::look(&mut self.views, &events.tape, row);
        let input = events.input(row);
        if matches!(
            input.event,
            Event::Action(quantvista_engine::Action::Precision { .. })
        ) {
            self.begin_epoch();
        }
        self.engine
            .apply_into(&input, &mut self.out)
            .map_err(|e| raise(&e))?;
        if matches!(input.event, Event::Action(_)) {
            self.renew_scales();
        }
        Ok(())
    }

    /// Keep how fine prices and quantities were before a corporate action changes it.
    fn begin_epoch(&mut self) {
        let working = self.engine.working_orders();
        self.epochs.push(Epoch {
            until: self.now,
            last_order: self.engine.last_order(),
            working: working.iter().map(|order| order.id).collect(),
            digits: columns::digits(self.engine.config()),
        });
    }

    /// A corporate action may have changed how fine prices and quantities are.
    fn renew_scales(&mut self) {
        for (index, instrument) in self.engine.config().instruments.iter().enumerate() {
            self.price_scale[index] = scale(instrument.price_precision);
            self.quantity_scale[index] = scale(instrument.quantity_precision);
        }
    }

    /// Go on to the next time at which something happens: a row, all events of one time, or, if
    /// strategies have any, a timer.
    fn advance(&mut self, until: usize, with_timers: bool) -> PyResult<Step> {
        if self.row >= until {
            return Ok(Step::Done);
        }
        let (first, mut barrier) = (self.row, None);
        self.out.clear();
        match &self.source {
            Source::Bars(feed) => {
                self.now = feed.ts(self.row);
                feed.step(self.row, &mut self.engine, &mut self.out)
                    .map_err(|e| raise(&e))?;
                barrier = Some(self.row);
                self.row += 1;
            }
            Source::Tape(events) => {
                let Some(ts) = events.next_ts(self.row, self.scheduled) else {
                    return Ok(Step::Done);
                };
                if let Some(at) = self.timers.next()
                    && with_timers
                    && at < ts
                    && self.now != i64::MIN
                {
                    self.now = self.now.max(at);
                    return Ok(Step::Timer);
                }
                self.now = ts;
                self.apply_all_at(ts, &mut barrier)?;
            }
        }
        self.observe();
        Ok(Step::Rows {
            first,
            last: self.row,
            barrier,
        })
    }

    fn apply_all_at(&mut self, ts: i64, barrier: &mut Option<usize>) -> PyResult<()> {
        while let Source::Tape(events) = &self.source
            && let Some(next) = events.next_at(ts, self.row, self.scheduled)
        {
            match next {
                Next::Row(row) => {
                    if events.tape.kind(row) == TapeKind::Barrier {
                        *barrier = Some(events.barrier(row));
                    }
                    self.apply_row(row)?;
                    self.row += 1;
                }
                Next::Scheduled(input) => {
                    self.engine
                        .apply_into(&input, &mut self.out)
                        .map_err(|e| raise(&e))?;
                    self.scheduled += 1;
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self) -> PyResult<()> {
        let marked = match self.record {
            Record::All => self.recorder.mark(&self.engine, self.now, true),
            Record::Accounts => self.recorder.mark(&self.engine, self.now, false),
            Record::Nothing | Record::Off => Ok(()),
        };
        marked.map_err(|e| raise(&e))
    }

    /// Let strategies hear of their own orders only where they have a handler for it.
    fn open_mail(&mut self, hosts: &[Host]) {
        let sleeves = self.engine.config().sleeves.len();
        let wants = |of: fn(&Host) -> bool| {
            let mut wants = vec![false; sleeves];
            for host in hosts {
                wants[host.sleeve] = of(host);
            }
            wants
        };
        self.mail.open(
            wants(|host| host.on_fill.is_some()),
            wants(|host| host.on_order.is_some()),
        );
    }
}

/// Let strategies answer what came of their own answers, until there is nothing left to tell.
fn settle(run: &Bound<'_, Session>, hosts: &[Host]) -> PyResult<()> {
    for _ in 0..ROUNDS_MAX {
        if !run.borrow().mail.is_waiting() {
            return Ok(());
        }
        for host in hosts {
            host.tell(run)?;
        }
        run.py().check_signals()?;
    }
    let calling = run.borrow().calling;
    let handler = calling.map_or("on_fill", |(_, handler, _)| handler);
    Err(PyValueError::new_err(format!(
        "`{handler}` must not answer its own orders for ever at one time; found {ROUNDS_MAX} rounds"
    )))
}

#[pymethods]
impl Session {
    /// `config` as for `RawEngine`. Market data are either bars in `feed`, or a `tape` with the
    /// corporate `actions` that it names and further `inputs` by their time.
    #[new]
    #[pyo3(signature = (config, feed = None, *, tape = None, actions = None, inputs = Vec::new(), record = "all"))]
    fn new(
        py: Python<'_>,
        config: &Bound<'_, PyDict>,
        feed: Option<&Bound<'_, PyDict>>,
        tape: Option<&Bound<'_, PyDict>>,
        actions: Option<Bound<'_, PyAny>>,
        inputs: Vec<(i64, Bound<'_, PyAny>)>,
        record: &str,
    ) -> PyResult<Self> {
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
            row: 0,
            scheduled: 0,
            now: i64::MIN,
            sequence: 0,
            timers: Timers::default(),
            mail: Mail::default(),
            out: Vec::new(),
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
        let py = slf.py();
        if slf.borrow().record == Record::Off && !(hosts.is_empty() && decide.is_none()) {
            return Err(PyValueError::new_err(
                "`record` must not be off where strategies run",
            ));
        }
        let hosts = hosts
            .into_iter()
            .map(|spec| Host::new(&slf.borrow(), spec))
            .collect::<PyResult<Vec<Host>>>()?;
        let with_timers = hosts.iter().any(|host| host.on_timer.is_some());
        let mut timed = vec![false; slf.borrow().engine.config().sleeves.len()];
        for host in &hosts {
            timed[host.sleeve] = host.on_timer.is_some();
        }
        let (mut at_once, mut last) = (0, i64::MIN);
        slf.borrow_mut().open_mail(&hosts);
        let until = {
            let source = &slf.borrow().source;
            until
                .saturating_sub(source.rows_before())
                .min(source.rows())
        };
        for count in 0_usize.. {
            let step = slf.borrow_mut().advance(until, with_timers)?;
            if matches!(step, Step::Done) {
                break;
            }
            let barrier = match step {
                Step::Rows { barrier, .. } => barrier,
                _ => None,
            };
            let now = slf.borrow().now;
            at_once = if now == last { at_once + 1 } else { 0 };
            last = now;
            if at_once > ROUNDS_MAX {
                return Err(PyValueError::new_err(format!(
                    "`on_timer` must not set timers for ever at one time; found {ROUNDS_MAX}"
                )));
            }
            if let (Some(decide), Some(number)) = (decide, barrier)
                && decision_rows.is_none_or(|rows| rows.get(number).is_some_and(|flag| *flag != 0))
            {
                decide.call1((number,))?;
            }
            for host in &hosts {
                host.call(slf, step)?;
            }
            settle(slf, &hosts)?;
            if with_timers {
                slf.borrow_mut().forget_timers(&timed);
            }
            if barrier.is_some() {
                slf.borrow_mut().mark()?;
            }
            if count % STEPS_PER_SIGNAL_CHECK == 0 {
                py.check_signals()?;
            }
        }
        Ok(())
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

    /// State of engine, run and strategies as bytes; `states` has one entry per sleeve.
    fn snapshot<'py>(&self, py: Python<'py>, states: Vec<Vec<u8>>) -> Bound<'py, PyBytes> {
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
        PyBytes::new(py, &encode(&run))
    }

    /// Put a snapshot's state in the place of the present one; returns the strategies' states.
    /// What was recorded up to the snapshot's time is kept. A snapshot that is refused changes
    /// nothing.
    fn restore<'py>(
        &mut self,
        py: Python<'py>,
        snapshot: &[u8],
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let run: RunState = decode(snapshot).map_err(|e| raise(&e))?;
        let engine = decode(&run.engine).map_err(|e| raise(&e))?;
        let engine = Engine::restore(engine).map_err(|e| raise(&e))?;
        let row = self.check_fits(&run, &engine).map_err(|e| raise(&e))?;
        self.recorder
            .resume(&engine, &run.orders, run.now)
            .map_err(|e| raise(&e))?;
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
        Ok(run
            .strategies
            .iter()
            .map(|state| PyBytes::new(py, state))
            .collect())
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

impl Session {
    /// In a run of events, forget timers that are due and of sleeves without a handler.
    fn forget_timers(&mut self, timed: &[bool]) {
        if self.has_tape() && self.timers.next().is_some_and(|at| at <= self.now) {
            self.timers.drop_due(self.now, timed);
        }
    }
}
