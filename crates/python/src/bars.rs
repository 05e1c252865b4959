//! Bar builders over `NumPy` arrays.

use std::borrow::Cow;

use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use quantvista_kernels::{BarBuilder as Builder, BarColumns, BarSetting, Frames, RowColumns};

use crate::features::raise;

type Spans<'py> = (
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
);

/// Bars of several kinds and instruments; use `quantvista.data.bars` instead.
#[pyclass(module = "quantvista._native")]
pub struct BarBuilder {
    builder: Builder,
}

#[pymethods]
impl BarBuilder {
    #[new]
    fn new(setting: &Bound<'_, PyDict>) -> PyResult<Self> {
        let setting: BarSetting = pythonize::depythonize(setting)
            .map_err(|error| crate::raise_as("ConfigError", format!("`setting` {error}")))?;
        let builder = Builder::new(setting).map_err(|error| raise(&error))?;
        Ok(Self { builder })
    }

    /// Add instruments behind those that there are.
    fn grow(&mut self, names: Vec<String>) {
        self.builder.grow(names);
    }

    /// Sessions, and for each kind of the clock its frames: starts, ends and anchors.
    fn set_clock(
        &mut self,
        sessions: Option<Spans<'_>>,
        frames: Vec<Option<Spans<'_>>>,
    ) -> PyResult<()> {
        let made = frames.into_iter().map(spans).collect::<PyResult<_>>()?;
        self.builder
            .set_clock(spans(sessions)?, made)
            .map_err(|error| raise(&error))
    }

    /// Take the next rows, a dict of columns; for each kind the bars that they end.
    fn advance<'py>(
        &mut self,
        py: Python<'py>,
        columns: &Bound<'py, PyDict>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let held = Held::new(columns)?;
        let rows = held.rows()?;
        let builder = &mut self.builder;
        let outputs = py
            .detach(|| builder.advance(&rows))
            .map_err(|error| raise(&error))?;
        outputs.into_iter().map(|bars| table(py, bars)).collect()
    }

    /// Close what is over by an instant; for each kind the bars.
    fn close_until<'py>(
        &mut self,
        py: Python<'py>,
        until: i64,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let builder = &mut self.builder;
        let outputs = py.detach(|| builder.close_until(until));
        outputs.into_iter().map(|bars| table(py, bars)).collect()
    }

    /// The bars that are open, as they stand.
    fn open_bars<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let outputs = self.builder.open_bars();
        outputs.into_iter().map(|bars| table(py, bars)).collect()
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.builder.snapshot())
    }

    fn restore(&mut self, snapshot: &[u8]) -> PyResult<()> {
        self.builder
            .restore(snapshot)
            .map_err(|error| raise(&error))
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.builder.names().to_vec()
    }

    /// Rows that were given, late, missing and outside the sessions.
    #[getter]
    fn counts(&self) -> (u64, u64, u64, u64) {
        let found = self.builder.counts();
        (found.rows, found.late, found.missing, found.outside)
    }
}

fn spans(given: Option<Spans<'_>>) -> PyResult<Option<Frames>> {
    let Some((starts, ends, anchors)) = given else {
        return Ok(None);
    };
    let list = |array: &PyReadonlyArray1<'_, i64>| array.as_array().to_vec();
    Frames::new(list(&starts), list(&ends), list(&anchors))
        .map(Some)
        .map_err(|error| raise(&error))
}

/// Arrays of a chunk, kept while their rows are read.
struct Held<'py> {
    whole: Vec<(String, PyReadonlyArray1<'py, i64>)>,
    floats: Vec<(String, PyReadonlyArray1<'py, f64>)>,
    instrument: Option<PyReadonlyArray1<'py, u32>>,
    side: Option<PyReadonlyArray1<'py, i8>>,
}

impl<'py> Held<'py> {
    fn new(columns: &Bound<'py, PyDict>) -> PyResult<Self> {
        let mut held = Self {
            whole: Vec::new(),
            floats: Vec::new(),
            instrument: None,
            side: None,
        };
        for (name, array) in columns {
            let name: String = name.extract()?;
            match name.as_str() {
                "ts_event" | "ts_received" | "known_at" | "start" | "ticks" => {
                    held.whole.push((name, array.extract()?));
                }
                "instrument" => held.instrument = Some(array.extract()?),
                "side" => held.side = Some(array.extract()?),
                _ => held.floats.push((name, array.extract()?)),
            }
        }
        Ok(held)
    }

    fn rows(&self) -> PyResult<RowColumns<'_>> {
        let mut rows = RowColumns::default();
        for (name, array) in &self.whole {
            let values = slice(name, array)?;
            match name.as_str() {
                "ts_event" => rows.ts = values,
                "ts_received" => rows.received = Some(values),
                "known_at" => rows.known = Some(values),
                "start" => rows.start = Some(values),
                _ => rows.ticks = Some(values),
            }
        }
        for (name, array) in &self.floats {
            let values = slice(name, array)?;
            match name.as_str() {
                "close" => rows.close = values,
                "open" => rows.open = Some(values),
                "high" => rows.high = Some(values),
                "low" => rows.low = Some(values),
                "volume" => rows.volume = Some(values),
                "value" => rows.value = Some(values),
                "buy_volume" => rows.bought = Some(values),
                "sell_volume" => rows.sold = Some(values),
                _ => {
                    let text = format!("`columns` must be known ones; found '{name}'");
                    return Err(PyTypeError::new_err(text));
                }
            }
        }
        if let Some(array) = &self.instrument {
            rows.instrument = Some(slice("instrument", array)?);
        }
        if let Some(array) = &self.side {
            rows.side = Some(slice("side", array)?);
        }
        Ok(rows)
    }
}

fn slice<'a, T: Element + Clone>(
    name: &str,
    array: &'a PyReadonlyArray1<'_, T>,
) -> PyResult<Cow<'a, [T]>> {
    array
        .as_slice()
        .map(Cow::Borrowed)
        .map_err(|_| PyTypeError::new_err(format!("`columns['{name}']` must be contiguous")))
}

fn table(py: Python<'_>, bars: BarColumns) -> PyResult<Bound<'_, PyDict>> {
    fn put<T: Element>(dict: &Bound<'_, PyDict>, name: &str, values: Vec<T>) -> PyResult<()> {
        let array: Bound<'_, PyArray1<T>> = values.into_pyarray(dict.py());
        dict.set_item(name, array)
    }
    let dict = PyDict::new(py);
    put(&dict, "instrument", bars.instrument)?;
    put(&dict, "ts_event", bars.ts_event)?;
    put(&dict, "ts_received", bars.ts_received)?;
    put(&dict, "known_at", bars.known_at)?;
    put(&dict, "start", bars.start)?;
    put(&dict, "number", bars.number)?;
    put(&dict, "open", bars.open)?;
    put(&dict, "high", bars.high)?;
    put(&dict, "low", bars.low)?;
    put(&dict, "close", bars.close)?;
    put(&dict, "volume", bars.volume)?;
    put(&dict, "value", bars.value)?;
    put(&dict, "vwap", bars.vwap)?;
    put(&dict, "buy_volume", bars.bought)?;
    put(&dict, "sell_volume", bars.sold)?;
    put(&dict, "ticks", bars.ticks)?;
    put(&dict, "ended_by", bars.ending)?;
    Ok(dict)
}
