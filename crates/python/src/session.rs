//! A run over columns of bars: feeds the engine row by row and calls strategies in between.

use std::collections::HashMap;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use quantvista_engine::{
    BarColumns, Engine, EngineError, Event, Feed, Input, MISSING, OrderRequest, Output, Recorder,
    RunState, decode, encode,
};

use crate::context::Context;
use crate::host::Host;
use crate::timers::Timers;
use crate::{columns, raise, records};

/// Rows between two looks at whether the user pressed Ctrl-C.
const ROWS_PER_SIGNAL_CHECK: usize = 256;

#[pyclass(name = "Session", module = "quantvista._native")]
pub struct Session {
    pub engine: Engine,
    pub feed: Feed,
    pub recorder: Recorder,
    record: Record,
    pub row: usize,
    pub now: i64,
    sequence: u64,
    pub timers: Timers,
    out: Vec<Output>,
    pub ids: HashMap<String, usize>,
    pub names: Vec<Py<PyString>>,
    pub price_scale: Vec<f64>,
    pub quantity_scale: Vec<f64>,
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

fn column(dict: &Bound<'_, PyDict>, key: &str) -> PyResult<Option<Vec<i64>>> {
    let Some(value) = dict.get_item(key)?.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    Ok(Some(PyBuffer::<i64>::get(&value)?.to_vec(dict.py())?))
}

fn required<T>(key: &str, value: Option<T>) -> PyResult<T> {
    value.ok_or_else(|| PyValueError::new_err(format!("`{key}` is missing")))
}

fn flags(dict: &Bound<'_, PyDict>, key: &str) -> PyResult<Vec<bool>> {
    let bytes: Vec<u8> = required(key, dict.get_item(key)?)?.extract()?;
    Ok(bytes.iter().map(|byte| *byte != 0).collect())
}

impl Session {
    /// The instrument that strategy code was last called for.
    pub fn called_for(&self) -> Option<usize> {
        self.calling.and_then(|(_, _, instrument)| instrument)
    }

    fn observe(&mut self) {
        if self.record != Record::Off {
            self.recorder.observe(&self.out);
        }
    }

    /// Give the engine something that was decided now.
    pub fn decide(&mut self, source: usize, event: Event) -> PyResult<()> {
        self.sequence += 1;
        let input = Input {
            ts_event: self.now,
            ts_received: self.now,
            source: u32::try_from(source).expect("a sleeve's number fits"),
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
        if engine.config() != self.engine.config() {
            return fail("the snapshot is of a fund that is set up differently");
        }
        let sleeves = engine.config().sleeves.len();
        if run.strategies.len() != sleeves || run.timers.iter().any(|timer| timer.1 >= sleeves) {
            return fail("the strategies of the snapshot are not those of its engine");
        }
        let row = usize::try_from(run.row).unwrap_or(usize::MAX);
        let at_row = match row.checked_sub(1) {
            None => run.now == i64::MIN,
            Some(before) => before < self.feed.rows() && run.now == self.feed.ts(before),
        };
        if at_row {
            Ok(row)
        } else {
            fail("the snapshot is of a run over other data")
        }
    }

    fn step(&mut self) -> PyResult<()> {
        self.now = self.feed.ts(self.row);
        self.out.clear();
        self.feed
            .step(self.row, &mut self.engine, &mut self.out)
            .map_err(|e| raise(&e))?;
        self.observe();
        self.row += 1;
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
}

#[pymethods]
impl Session {
    /// `config` as for `RawEngine`; `feed` holds `ts`, `close` and, if there are, `open`, `high`,
    /// `low`, `volume` as 64-bit integers, row by row, and `session_start`, `session_end` as bytes.
    #[new]
    #[pyo3(signature = (config, feed, *, record = "all"))]
    fn new(
        py: Python<'_>,
        config: &Bound<'_, PyDict>,
        feed: &Bound<'_, PyDict>,
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
        let range = match (
            column(feed, "open")?,
            column(feed, "high")?,
            column(feed, "low")?,
        ) {
            (Some(open), Some(high), Some(low)) => Some([open, high, low]),
            _ => None,
        };
        let bars = BarColumns {
            ts: required("ts", column(feed, "ts")?)?,
            session_start: flags(feed, "session_start")?,
            session_end: flags(feed, "session_end")?,
            instruments: engine.config().instruments.len(),
            close: required("close", column(feed, "close")?)?,
            range,
            volume: column(feed, "volume")?,
        };
        let instruments = &engine.config().instruments;
        let scale = |digits: u8| 10_f64.powi(i32::from(digits));
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
            feed: Feed::new(bars).map_err(|e| raise(&e))?,
            recorder: Recorder::default(),
            engine,
            record,
            row: 0,
            now: i64::MIN,
            sequence: 0,
            timers: Timers::default(),
            out: Vec::new(),
            calling: None,
        })
    }

    /// Run up to row `until`, exclusively. `hosts` are `(sleeve, context, on_bar, on_fill,
    /// on_timer)` in order of sleeve; `decide(row)` is called on the rows whose flag is set.
    #[pyo3(signature = (until, hosts, decide = None, decision_rows = None))]
    #[expect(clippy::type_complexity, reason = "the tuple is taken apart at once")]
    fn run(
        slf: &Bound<'_, Self>,
        until: usize,
        hosts: Vec<(
            usize,
            Py<Context>,
            Option<Py<PyAny>>,
            Option<Py<PyAny>>,
            Option<Py<PyAny>>,
        )>,
        decide: Option<&Bound<'_, PyAny>>,
        decision_rows: Option<&[u8]>,
    ) -> PyResult<()> {
        let py = slf.py();
        if slf.borrow().record == Record::Off && !(hosts.is_empty() && decide.is_none()) {
            return Err(PyValueError::new_err(
                "`record` must not be off where strategies run",
            ));
        }
        let hosts: Vec<Host> = hosts
            .into_iter()
            .map(|(sleeve, context, on_bar, on_fill, on_timer)| Host {
                sleeve,
                context,
                on_bar,
                on_fill,
                on_timer,
            })
            .collect();
        let until = until.min(slf.borrow().feed.rows());
        loop {
            let (row, first_fill) = {
                let mut session = slf.borrow_mut();
                if session.row >= until {
                    return Ok(());
                }
                let first_fill = session.recorder.fill_count();
                session.step()?;
                (session.row - 1, first_fill)
            };
            if let Some(decide) = decide
                && decision_rows.is_none_or(|rows| rows.get(row).is_some_and(|flag| *flag != 0))
            {
                decide.call1((row,))?;
            }
            for host in &hosts {
                host.call(slf, first_fill)?;
            }
            slf.borrow_mut().mark()?;
            if row % ROWS_PER_SIGNAL_CHECK == 0 {
                py.check_signals()?;
            }
        }
    }

    /// Apply a sleeve's target portfolio: weights of its equity in `10^-9`.
    fn submit_targets(&mut self, sleeve: usize, targets: Vec<(usize, i64)>) -> PyResult<()> {
        self.decide(sleeve, Event::TargetPortfolio { sleeve, targets })
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
                    records::parse("side", &side, quantvista_engine::Side::from_name)?,
                    quantity,
                    records::parse("type", &kind, quantvista_engine::OrderKind::from_name)?,
                    records::parse("tif", &tif, quantvista_engine::TimeInForce::from_name)?,
                )
            };
            self.decide(sleeve, Event::SubmitOrder(request))?;
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
        for row in 0..rows.min(self.feed.rows() - self.row) {
            self.step()?;
            let side = if row.is_multiple_of(2) {
                quantvista_engine::Side::Buy
            } else {
                quantvista_engine::Side::Sell
            };
            for _ in 0..orders_per_row {
                let request = OrderRequest::new(
                    0,
                    sent % count,
                    side,
                    quantity,
                    quantvista_engine::OrderKind::Market,
                    quantvista_engine::TimeInForce::Gtc,
                );
                self.decide(0, Event::SubmitOrder(request))?;
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
            row: self.row as u64,
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
        Ok(run
            .strategies
            .iter()
            .map(|state| PyBytes::new(py, state))
            .collect())
    }

    /// All recorded tables as columns of bytes.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        columns::tables(py, self.engine.config(), &self.recorder)
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
        self.row
    }

    #[getter]
    fn rows(&self) -> usize {
        self.feed.rows()
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
        Ok(self.engine.ledger().quantity(sleeve, instrument))
    }
}
