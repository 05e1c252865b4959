//! What event strategies are told.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// A bar, stamped at its close. Prices in currency per unit, NaN where absent.
#[pyclass(frozen, name = "Bar", module = "quantvista.engine")]
pub struct BarEvent {
    pub instrument: Py<PyString>,
    #[pyo3(get)]
    pub ts: i64,
    #[pyo3(get)]
    pub open: f64,
    #[pyo3(get)]
    pub high: f64,
    #[pyo3(get)]
    pub low: f64,
    #[pyo3(get)]
    pub close: f64,
    #[pyo3(get)]
    pub volume: f64,
}

#[pymethods]
impl BarEvent {
    #[getter]
    fn instrument(&self, py: Python<'_>) -> Py<PyString> {
        self.instrument.clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!(
            "Bar({} ts={} close={})",
            self.instrument.bind(py),
            self.ts,
            self.close
        )
    }
}

/// One of our executions.
#[pyclass(frozen, get_all, name = "Fill", module = "quantvista.engine")]
pub struct FillEvent {
    /// 0 for a settlement, which has no order.
    pub order_id: u64,
    pub instrument: Py<PyString>,
    pub side: &'static str,
    pub quantity: f64,
    pub price: f64,
    pub fee: f64,
    pub kind: &'static str,
    pub ts: i64,
}

#[pymethods]
impl FillEvent {
    fn __repr__(&self, py: Python<'_>) -> String {
        let name = self.instrument.bind(py);
        format!(
            "Fill({} {} {} at {})",
            self.side, self.quantity, name, self.price
        )
    }
}

/// A timer that a strategy set for itself.
#[pyclass(frozen, get_all, name = "Timer", module = "quantvista.engine")]
pub struct TimerEvent {
    pub name: String,
    pub ts: i64,
}

/// An order as it stands.
#[pyclass(frozen, get_all, name = "OrderView", module = "quantvista.engine")]
pub struct OrderView {
    pub order_id: u64,
    pub instrument: Py<PyString>,
    pub side: &'static str,
    pub quantity: f64,
    pub filled: f64,
    pub limit_price: Option<f64>,
    pub status: &'static str,
    /// Rule or cause of the end; empty while there is none.
    pub reason: &'static str,
}
