//! What an event strategy may read and do.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use quantvista_engine::{Event, OrderKind, OrderRequest, Side, TimeInForce};

use crate::events::OrderView;
use crate::records::parse;
use crate::session::Session;

/// A sleeve's view of the fund. Money and prices in the fund's currency, quantities in units.
#[pyclass(name = "Context", module = "quantvista.engine", frozen)]
pub struct Context {
    session: Py<Session>,
    sleeve: usize,
    /// Made by Python: a clock over the session, and the sleeve's random generator.
    #[pyo3(get)]
    clock: Py<PyAny>,
    #[pyo3(get)]
    rng: Py<PyAny>,
}

/// Units of a decimal number, up to the noise of floats; None if it has more digits than the
/// scale, or is not a number, or too large.
fn exact_units(value: f64, scale: f64) -> Option<i64> {
    let scaled = value * scale;
    let whole = scaled.round_ties_even();
    // Half a billionth of the amount is far above what float arithmetic leaves behind, and far
    // below a tenth of a unit for every amount that money is about.
    let noise = (whole.abs() * 5e-10).clamp(1e-6, 1e-2);
    ((scaled - whole).abs() <= noise && whole.abs() < 9e18).then_some(whole as i64)
}

impl Context {
    fn index(&self, instrument: &Bound<'_, PyString>) -> PyResult<usize> {
        let session = self.session.borrow(instrument.py());
        // Strategies mostly ask about the instrument that they are called for, by its own name.
        if let Some(called) = session.called_for()
            && session.names[called].is(instrument)
        {
            return Ok(called);
        }
        let name = instrument.to_cow()?;
        session.ids.get(name.as_ref()).copied().ok_or_else(|| {
            PyValueError::new_err(format!(
                "`instrument` must be one of the fund's; found {name:?}"
            ))
        })
    }
}

#[pymethods]
impl Context {
    #[new]
    fn new(session: Py<Session>, sleeve: usize, clock: Py<PyAny>, rng: Py<PyAny>) -> Self {
        Self {
            session,
            sleeve,
            clock,
            rng,
        }
    }

    /// Send an order; returns its id. Whether the gate took it is seen from `order(id)`.
    #[pyo3(signature = (instrument, side, quantity, *, r#type = "market", tif = "day", limit_price = None))]
    #[expect(clippy::too_many_arguments, reason = "an order's terms, by keyword")]
    fn submit(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
        side: &str,
        quantity: f64,
        r#type: &str,
        tif: &str,
        limit_price: Option<f64>,
    ) -> PyResult<u64> {
        let index = self.index(instrument)?;
        let mut session = self.session.borrow_mut(py);
        let whole = exact_units(quantity, session.quantity_scale[index]).ok_or_else(|| {
            PyValueError::new_err(format!(
                "`quantity` must have no more digits than {instrument} has; found {quantity}"
            ))
        })?;
        let limit_price = limit_price
            .map(|price| {
                exact_units(price, session.price_scale[index]).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "`limit_price` must have no more digits than prices of {instrument} have \
                         (round it to the tick, up or down as you mean it); found {price}"
                    ))
                })
            })
            .transpose()?;
        let request = OrderRequest {
            limit_price,
            ..OrderRequest::new(
                self.sleeve,
                index,
                parse("side", side, Side::from_name)?,
                whole,
                parse("type", r#type, OrderKind::from_name)?,
                parse("tif", tif, TimeInForce::from_name)?,
            )
        };
        session.decide(self.sleeve, Event::SubmitOrder(request))?;
        Ok(session.engine.last_order())
    }

    /// Cancel a working order of this sleeve; a finished one is left as it is.
    fn cancel(&self, py: Python<'_>, order_id: u64) -> PyResult<()> {
        let mut session = self.session.borrow_mut(py);
        if session
            .engine
            .order(order_id)
            .is_some_and(|order| order.sleeve != self.sleeve)
        {
            return Err(PyValueError::new_err(format!(
                "`order_id` {order_id} belongs to another sleeve"
            )));
        }
        session.decide(self.sleeve, Event::CancelOrder { order: order_id })
    }

    /// Quantity that this sleeve holds.
    fn position(&self, py: Python<'_>, instrument: &Bound<'_, PyString>) -> PyResult<f64> {
        let index = self.index(instrument)?;
        let session = self.session.borrow(py);
        Ok(session.engine.ledger().quantity(self.sleeve, index) as f64
            / session.quantity_scale[index])
    }

    /// Last close of an instrument; NaN before its first bar.
    fn mark_price(&self, py: Python<'_>, instrument: &Bound<'_, PyString>) -> PyResult<f64> {
        let index = self.index(instrument)?;
        let session = self.session.borrow(py);
        let scale = session.price_scale[index];
        Ok(session
            .engine
            .mark(index)
            .map_or(f64::NAN, |mark| mark as f64 / scale))
    }

    /// Cash of this sleeve.
    #[getter]
    fn cash(&self, py: Python<'_>) -> f64 {
        self.session.borrow(py).engine.ledger().cash(self.sleeve, 0) as f64 / 1e12
    }

    /// Cash that new buys may use: less what working buys reserve, plus the worst case of sales.
    #[getter]
    fn available_cash(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self
            .session
            .borrow(py)
            .engine
            .available_cash(self.sleeve, 0);
        amount
            .map(|a| a as f64 / 1e12)
            .map_err(|e| crate::raise(&e))
    }

    /// Cash and marked positions of this sleeve.
    #[getter]
    fn equity(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self.session.borrow(py).engine.sleeve_equity(self.sleeve);
        amount
            .map(|a| a as f64 / 1e12)
            .map_err(|e| crate::raise(&e))
    }

    /// Ids of the fund's instruments, in ascending order.
    #[getter]
    fn instruments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let session = self.session.borrow(py);
        let names: Vec<Py<PyString>> = session
            .names
            .iter()
            .map(|name| name.clone_ref(py))
            .collect();
        PyTuple::new(py, names)
    }

    /// An order of this sleeve as it stands.
    fn order(&self, py: Python<'_>, order_id: u64) -> PyResult<OrderView> {
        let session = self.session.borrow(py);
        let row = session
            .recorder
            .order(order_id)
            .filter(|row| row.order.sleeve == self.sleeve)
            .ok_or_else(|| {
                PyValueError::new_err(format!("`order_id` {order_id} is no order of this sleeve"))
            })?;
        let order = &row.order;
        let quantity = |units: i64| units as f64 / session.quantity_scale[order.instrument];
        Ok(OrderView {
            order_id,
            instrument: session.names[order.instrument].clone_ref(py),
            side: order.side.name(),
            quantity: quantity(order.quantity),
            filled: quantity(order.filled),
            limit_price: order
                .limit_price
                .map(|p| p as f64 / session.price_scale[order.instrument]),
            status: order.status.name(),
            reason: row
                .rejected_by
                .map(quantvista_engine::Rule::name)
                .or(row.reason.map(quantvista_engine::Reason::name))
                .unwrap_or(""),
        })
    }

    /// Ask for `on_timer` at the first barrier at or after `at_ns` (UTC nanoseconds).
    fn set_timer(&self, py: Python<'_>, at_ns: i64, name: String) {
        let mut session = self.session.borrow_mut(py);
        session.timers.set(at_ns, self.sleeve, name);
    }
}
