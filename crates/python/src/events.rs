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

/// The best bid and ask; NaN where a side is absent or a size is unknown. Also what `ctx.quote`
/// returns, and, under another name, what strategies are told of a book.
#[pyclass(frozen, name = "Quote", module = "quantvista.engine")]
pub struct QuoteEvent {
    pub instrument: Py<PyString>,
    /// When it was received.
    #[pyo3(get)]
    pub ts: i64,
    #[pyo3(get)]
    pub bid: f64,
    #[pyo3(get)]
    pub bid_size: f64,
    #[pyo3(get)]
    pub ask: f64,
    #[pyo3(get)]
    pub ask_size: f64,
}

#[pymethods]
impl QuoteEvent {
    #[getter]
    fn instrument(&self, py: Python<'_>) -> Py<PyString> {
        self.instrument.clone_ref(py)
    }

    /// Halfway between bid and ask; NaN where a side is absent.
    #[getter]
    fn mid(&self) -> f64 {
        f64::midpoint(self.bid, self.ask)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let name = self.instrument.bind(py);
        format!(
            "Quote({name} {} x {} / {} x {})",
            self.bid, self.bid_size, self.ask, self.ask_size
        )
    }
}

/// The levels of one side, best first: price and size.
pub type Levels = Vec<(f64, f64)>;

/// A book after a complete message: the best prices, and as many levels as were asked for.
#[pyclass(frozen, name = "Book", module = "quantvista.engine")]
pub struct BookEvent {
    pub instrument: Py<PyString>,
    #[pyo3(get)]
    pub ts: i64,
    #[pyo3(get)]
    pub bids: Levels,
    #[pyo3(get)]
    pub asks: Levels,
}

fn level(levels: &Levels) -> (f64, f64) {
    levels.first().copied().unwrap_or((f64::NAN, f64::NAN))
}

#[pymethods]
impl BookEvent {
    #[getter]
    fn instrument(&self, py: Python<'_>) -> Py<PyString> {
        self.instrument.clone_ref(py)
    }

    #[getter]
    fn bid(&self) -> f64 {
        level(&self.bids).0
    }

    #[getter]
    fn bid_size(&self) -> f64 {
        level(&self.bids).1
    }

    #[getter]
    fn ask(&self) -> f64 {
        level(&self.asks).0
    }

    #[getter]
    fn ask_size(&self) -> f64 {
        level(&self.asks).1
    }

    #[getter]
    fn mid(&self) -> f64 {
        f64::midpoint(self.bid(), self.ask())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let name = self.instrument.bind(py);
        format!("Book({name} {} / {})", self.bid(), self.ask())
    }
}

/// A trade of others.
#[pyclass(frozen, name = "Trade", module = "quantvista.engine")]
pub struct TradeEvent {
    pub instrument: Py<PyString>,
    #[pyo3(get)]
    pub ts: i64,
    #[pyo3(get)]
    pub price: f64,
    #[pyo3(get)]
    pub size: f64,
    /// Side of the order that came in; None where it is not known.
    #[pyo3(get)]
    pub aggressor: Option<&'static str>,
}

#[pymethods]
impl TradeEvent {
    #[getter]
    fn instrument(&self, py: Python<'_>) -> Py<PyString> {
        self.instrument.clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let name = self.instrument.bind(py);
        format!("Trade({name} {} at {})", self.size, self.price)
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
    pub liquidity: &'static str,
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

/// A change of an order of ours, and the status that it then has.
#[pyclass(frozen, get_all, name = "OrderEvent", module = "quantvista.engine")]
pub struct OrderEvent {
    pub order_id: u64,
    pub instrument: Py<PyString>,
    /// What happened: the new status, or `amended`, `amend_rejected`, `cancel_rejected`.
    pub change: &'static str,
    pub status: &'static str,
    /// Rule or cause; empty where there is none.
    pub reason: &'static str,
    pub is_final: bool,
    pub ts: i64,
}

#[pymethods]
impl OrderEvent {
    fn __repr__(&self) -> String {
        format!(
            "OrderEvent({} {} ts={})",
            self.order_id, self.change, self.ts
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
    pub ts: i64,
    pub instrument: Py<PyString>,
    pub side: &'static str,
    pub r#type: &'static str,
    pub tif: &'static str,
    pub quantity: f64,
    pub filled: f64,
    pub limit_price: Option<f64>,
    pub trigger_price: Option<f64>,
    pub status: &'static str,
    /// Rule or cause of the end; empty while there is none.
    pub reason: &'static str,
    pub is_working: bool,
}

#[pymethods]
impl OrderView {
    /// Whether nothing more can happen to it.
    #[getter]
    fn is_final(&self) -> bool {
        !self.is_working
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let name = self.instrument.bind(py);
        format!(
            "OrderView({} {} {} {name} {}: {})",
            self.order_id, self.side, self.quantity, self.r#type, self.status
        )
    }
}
