//! What a session is made of: its engine, what feeds it, and what is written down.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use quantvista_engine::{Engine, Recorder};

use crate::live::{KEPT, Live};
use crate::log::Log;
use crate::mail::Mail;
use crate::session::Session;
use crate::source::{self, Source, View};
use crate::timers::Timers;
use crate::{raise, records};

/// What is written down at each barrier, beside orders, fills and verdicts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Record {
    All,
    Accounts,
    Nothing,
    /// Not even those: for a load without strategies, which need them.
    Off,
}

impl Record {
    pub fn parse(name: &str) -> PyResult<Self> {
        records::parse("record", name, |name| match name {
            "all" => Some(Self::All),
            "accounts" => Some(Self::Accounts),
            "nothing" => Some(Self::Nothing),
            "off" => Some(Self::Off),
            _ => None,
        })
    }
}

/// How many units one is, of so many digits.
pub fn scale(digits: u8) -> f64 {
    10_f64.powi(i32::from(digits))
}

/// Where the inputs of a session come from, as its arguments say.
pub struct Feeds<'a, 'py> {
    pub feed: Option<&'a Bound<'py, PyDict>>,
    pub tape: Option<&'a Bound<'py, PyDict>>,
    pub actions: Option<Bound<'py, PyAny>>,
    pub inputs: Vec<(i64, Bound<'py, PyAny>)>,
    pub live: bool,
}

impl Feeds<'_, '_> {
    fn source(self, py: Python<'_>, engine: &Engine) -> PyResult<Source> {
        let config = engine.config();
        let is_bare = self.actions.is_none() && self.inputs.is_empty();
        match (self.feed, self.tape) {
            (None, None) if self.live && is_bare => source::nothing(config),
            (Some(feed), None) if !self.live && is_bare => {
                source::bars(feed, config.instruments.len())
            }
            (None, Some(columns)) if !self.live => {
                let actions = self.actions.unwrap_or_else(|| PyList::empty(py).into_any());
                source::tape(columns, &actions, self.inputs, config)
            }
            _ => Err(PyValueError::new_err(
                "`feed`, `tape` or `live` must be given, one of them; actions and inputs go with a \
                 tape",
            )),
        }
    }
}

impl Session {
    pub fn over(
        py: Python<'_>,
        config: &Bound<'_, PyDict>,
        feeds: Feeds<'_, '_>,
        record: Record,
        sample_ns: Option<i64>,
    ) -> PyResult<Self> {
        if let Some(period) = sample_ns.filter(|period| *period <= 0) {
            return Err(PyValueError::new_err(format!(
                "`sample_ns` must be positive; found {period}"
            )));
        }
        let engine = Engine::new(records::config(config)?).map_err(|e| raise(&e))?;
        let is_live = feeds.live;
        let source = feeds.source(py, &engine)?;
        let sleeves = engine.config().sleeves.len();
        let instruments = &engine.config().instruments;
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
            live: is_live.then(Live::default),
            recorder: if is_live {
                Recorder::newest(KEPT)
            } else {
                Recorder::default()
            },
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
            asked: vec![(i64::MIN, 0); sleeves],
        })
    }
}
