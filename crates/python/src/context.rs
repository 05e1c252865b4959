//! What an event strategy may read and do.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use quantvista_engine::{Amendment, DataKind, Event, Link, Side};

use crate::events::{BookEvent, OrderView, QuoteEvent, TradeEvent};
use crate::lookup::{currency_index, index, view};
use crate::records::parse;
use crate::session::Session;
use crate::terms::{Terms, price_units, quantity_units, trail};

/// A sleeve's view of the fund. Money and prices in their currency, quantities in units.
#[pyclass(name = "Context", module = "quantvista.engine", frozen)]
pub struct Context {
    pub session: Py<Session>,
    pub sleeve: usize,
    /// Made by Python: a clock over the session, and the sleeve's random generator.
    #[pyo3(get)]
    clock: Py<PyAny>,
    #[pyo3(get)]
    rng: Py<PyAny>,
}

fn money(amount: i128) -> f64 {
    amount as f64 / 1e12
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
    #[pyo3(signature = (
        instrument, side, quantity, *, r#type = "market", tif = "day", limit_price = None,
        trigger_price = None, trigger_by = None, trail = None, trail_rate = None,
        expire_at = None, display_quantity = None, post_only = false, reduce_only = false,
        leg = None,
    ))]
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
        trigger_price: Option<f64>,
        trigger_by: Option<&str>,
        trail: Option<f64>,
        trail_rate: Option<f64>,
        expire_at: Option<i64>,
        display_quantity: Option<f64>,
        post_only: bool,
        reduce_only: bool,
        leg: Option<&str>,
    ) -> PyResult<u64> {
        let mut session = self.session.borrow_mut(py);
        let index = index(&session, instrument)?;
        let terms = Terms {
            side,
            quantity,
            kind: r#type,
            tif,
            limit_price,
            trigger_price,
            trigger_by,
            trail,
            trail_rate,
            expire_at,
            display_quantity,
            post_only,
            reduce_only,
            leg,
        };
        let request = terms.request(&session, self.sleeve, index)?;
        session.ask(self.sleeve, 1, Event::SubmitOrder(request))?;
        Ok(session.engine.last_order())
    }

    /// Send orders that hang together, each a table of the arguments of `submit`.
    fn submit_list(
        &self,
        py: Python<'_>,
        orders: &Bound<'_, PyList>,
        link: &str,
    ) -> PyResult<Vec<u64>> {
        self.list(py, orders, parse("link", link, Link::from_name)?)
    }

    /// Orders of which one cancels the others.
    #[pyo3(signature = (*orders))]
    fn oco(&self, py: Python<'_>, orders: &Bound<'_, PyTuple>) -> PyResult<Vec<u64>> {
        self.list(py, &orders.to_list(), Link::Oco)
    }

    /// An order whose fills release the others.
    #[pyo3(signature = (parent, *children))]
    fn oto(
        &self,
        py: Python<'_>,
        parent: &Bound<'_, PyDict>,
        children: &Bound<'_, PyTuple>,
    ) -> PyResult<Vec<u64>> {
        let orders = children.to_list();
        orders.insert(0, parent)?;
        self.list(py, &orders, Link::Oto)
    }

    /// An entry, and for what it fills a stop and a limit order to get out, of which one cancels
    /// the other. Further terms are the entry's.
    #[pyo3(signature = (
        instrument, side, quantity, *, stop_price, profit_price, exit_tif = "gtc", **entry
    ))]
    #[expect(clippy::too_many_arguments, reason = "an order's terms, by keyword")]
    fn bracket(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
        side: &str,
        quantity: f64,
        stop_price: f64,
        profit_price: f64,
        exit_tif: &str,
        entry: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Vec<u64>> {
        let exit = parse("side", side, Side::from_name)?.opposite().name();
        let first = entry.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        let stop = PyDict::new(py);
        let profit = PyDict::new(py);
        for (table, side) in [(&first, side), (&stop, exit), (&profit, exit)] {
            table.set_item("instrument", instrument)?;
            table.set_item("side", side)?;
            table.set_item("quantity", quantity)?;
        }
        for (table, kind, price, value) in [
            (&stop, "stop", "trigger_price", stop_price),
            (&profit, "limit", "limit_price", profit_price),
        ] {
            table.set_item("type", kind)?;
            table.set_item("tif", exit_tif)?;
            table.set_item(price, value)?;
            table.set_item("leg", first.get_item("leg")?)?;
        }
        self.list(py, &PyList::new(py, [first, stop, profit])?, Link::Bracket)
    }

    /// Change a working order; what is None stays. Its quantity is the whole one, what is
    /// filled included.
    #[pyo3(signature = (
        order_id, *, quantity = None, limit_price = None, trigger_price = None, trail = None,
        trail_rate = None, expire_at = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "an order's terms, by keyword")]
    fn amend(
        &self,
        py: Python<'_>,
        order_id: u64,
        quantity: Option<f64>,
        limit_price: Option<f64>,
        trigger_price: Option<f64>,
        trail: Option<f64>,
        trail_rate: Option<f64>,
        expire_at: Option<i64>,
    ) -> PyResult<()> {
        let mut session = self.session.borrow_mut(py);
        let index = self.row(&session, order_id)?.order.instrument;
        let amendment = Amendment {
            order: order_id,
            quantity: quantity
                .map(|value| quantity_units(&session, index, "quantity", value))
                .transpose()?,
            limit_price: price_units(&session, index, "limit_price", limit_price)?,
            trigger_price: price_units(&session, index, "trigger_price", trigger_price)?,
            trail: self::trail(&session, index, trail, trail_rate)?,
            expire_at,
        };
        session.ask(self.sleeve, 1, Event::AmendOrder(amendment))
    }

    /// Cancel a working order of this sleeve; a finished one is left as it is.
    fn cancel(&self, py: Python<'_>, order_id: u64) -> PyResult<()> {
        let mut session = self.session.borrow_mut(py);
        self.check_own(&session, order_id)?;
        session.decide(Event::CancelOrder { order: order_id })
    }

    /// Cancel all working orders of this sleeve, or those of an instrument or a side; returns
    /// how many.
    #[pyo3(signature = (instrument = None, side = None))]
    fn cancel_all(
        &self,
        py: Python<'_>,
        instrument: Option<&Bound<'_, PyString>>,
        side: Option<&str>,
    ) -> PyResult<usize> {
        let of = instrument.map(|name| self.index(name)).transpose()?;
        let side = side
            .map(|name| parse("side", name, Side::from_name))
            .transpose()?;
        let mut session = self.session.borrow_mut(py);
        let orders = self.working(&session, |order| {
            of.is_none_or(|of| of == order.instrument) && side.is_none_or(|side| side == order.side)
        });
        let mut count = 0;
        for order in orders {
            // The end of one may have ended another that hangs on it.
            if session.engine.order(order).is_some() {
                session.decide(Event::CancelOrder { order })?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// An order of this sleeve as it stands.
    fn order(&self, py: Python<'_>, order_id: u64) -> PyResult<OrderView> {
        let session = self.session.borrow(py);
        let row = self.row(&session, order_id)?;
        Ok(view(&session, py, &row))
    }

    /// Working orders of this sleeve, or of it in one instrument, by id.
    #[pyo3(signature = (instrument = None))]
    fn orders<'py>(
        &self,
        py: Python<'py>,
        instrument: Option<&Bound<'py, PyString>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let of = instrument.map(|name| self.index(name)).transpose()?;
        let session = self.session.borrow(py);
        let views = self
            .working(&session, |order| of.is_none_or(|of| of == order.instrument))
            .into_iter()
            .map(|id| Ok(view(&session, py, &self.row(&session, id)?)))
            .collect::<PyResult<Vec<OrderView>>>()?;
        PyTuple::new(py, views)
    }

    /// Quantity that this sleeve holds, negative if short; of a leg in a hedging account.
    #[pyo3(signature = (instrument, leg = None))]
    fn position(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
        leg: Option<&str>,
    ) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let held = match leg {
            None => session.engine.held(self.sleeve, index),
            Some(_) => self.holding(&session, index, leg)?.quantity,
        };
        Ok(held as f64 / session.quantity_scale[index])
    }

    /// What this sleeve holds, by instrument.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let session = self.session.borrow(py);
        let dict = PyDict::new(py);
        for (index, name) in session.names.iter().enumerate() {
            let held = session.engine.held(self.sleeve, index);
            if held != 0 {
                dict.set_item(name, held as f64 / session.quantity_scale[index])?;
            }
        }
        Ok(dict)
    }

    /// Average price of what is held; NaN where nothing is.
    #[pyo3(signature = (instrument, leg = None))]
    fn average_price(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
        leg: Option<&str>,
    ) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let held = self.holding(&session, index, leg)?;
        let unit = session.engine.config().instruments[index].unit();
        if held.quantity == 0 {
            return Ok(f64::NAN);
        }
        Ok(held.cost as f64 / unit as f64 / held.quantity as f64 / session.price_scale[index])
    }

    /// Price at which an instrument is valued; NaN before its first.
    fn mark_price(&self, py: Python<'_>, instrument: &Bound<'_, PyString>) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let scale = session.price_scale[index];
        Ok(session
            .engine
            .mark(index)
            .map_or(f64::NAN, |mark| mark as f64 / scale))
    }

    /// Best bid and ask of an instrument; None before the first.
    fn quote(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
    ) -> PyResult<Option<QuoteEvent>> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let best = match session.engine.config().instruments[index].matching {
            DataKind::L2 | DataKind::L3 => session.best_of_book(index),
            _ => session.views[index].quote,
        };
        Ok(best.map(|best| session.quote_event(py, index, &best)))
    }

    /// The book of an instrument, down to `depth` levels a side.
    #[pyo3(signature = (instrument, depth = 5))]
    fn book(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
        depth: usize,
    ) -> PyResult<BookEvent> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let listing = &session.engine.config().instruments[index];
        if !matches!(listing.matching, DataKind::L2 | DataKind::L3) {
            return Err(PyValueError::new_err(format!(
                "`instrument` must have a book; found {} on {}",
                listing.id,
                listing.matching.name()
            )));
        }
        Ok(session.book_event(py, index, depth))
    }

    /// The last trade of others; None before the first.
    fn last_trade(
        &self,
        py: Python<'_>,
        instrument: &Bound<'_, PyString>,
    ) -> PyResult<Option<TradeEvent>> {
        let session = self.session.borrow(py);
        let index = index(&session, instrument)?;
        let print = session.views[index].trade;
        Ok(print.map(|print| session.trade_event(py, index, &print)))
    }

    /// Smallest step of prices.
    fn tick_size(&self, instrument: &Bound<'_, PyString>) -> PyResult<f64> {
        self.listing(instrument, |i| {
            i.tick_size as f64 / 10_f64.powi(i32::from(i.price_precision))
        })
    }

    /// Smallest step of quantities.
    fn lot_size(&self, instrument: &Bound<'_, PyString>) -> PyResult<f64> {
        self.listing(instrument, |i| {
            i.lot_size as f64 / 10_f64.powi(i32::from(i.quantity_precision))
        })
    }

    /// Cash of this sleeve, in the fund's currency.
    #[getter]
    fn cash(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self.session.borrow(py).engine.sleeve_cash(self.sleeve);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// Cash of this sleeve in a currency.
    fn balance(&self, py: Python<'_>, currency: &str) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let currency = currency_index(&session, currency)?;
        Ok(money(session.engine.ledger().cash(self.sleeve, currency)))
    }

    /// Cash of this sleeve by currency, what is not zero.
    #[getter]
    fn balances<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let session = self.session.borrow(py);
        let dict = PyDict::new(py);
        for (index, currency) in session.engine.config().currencies.iter().enumerate() {
            let amount = session.engine.ledger().cash(self.sleeve, index);
            if amount != 0 {
                dict.set_item(&currency.code, money(amount))?;
            }
        }
        Ok(dict)
    }

    /// Cash that new buys may use: less what working buys reserve, plus the worst case of sales.
    #[getter]
    fn available_cash(&self, py: Python<'_>) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let amount = session.engine.available_cash(self.sleeve, 0);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// The same in a currency.
    fn available(&self, py: Python<'_>, currency: &str) -> PyResult<f64> {
        let session = self.session.borrow(py);
        let currency = currency_index(&session, currency)?;
        let amount = session.engine.available_cash(self.sleeve, currency);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// Cash and marked positions of this sleeve.
    #[getter]
    fn equity(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self.session.borrow(py).engine.sleeve_equity(self.sleeve);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// Margin that this sleeve needs for what it holds and has in flight; 0 in a cash account.
    #[getter]
    fn margin_used(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self.session.borrow(py).engine.margin_used(self.sleeve);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// Equity of this sleeve that no margin is needed of.
    #[getter]
    fn margin_free(&self, py: Python<'_>) -> PyResult<f64> {
        let amount = self.session.borrow(py).engine.margin_free(self.sleeve);
        amount.map(money).map_err(|e| crate::raise(&e))
    }

    /// What the fund may do: `active`, `reduce_only` or `halted`.
    #[getter]
    fn fund_state(&self, py: Python<'_>) -> &'static str {
        self.session.borrow(py).engine.fund_state().name()
    }

    /// What this sleeve may do: `on`, `reduce_only` or `off`.
    #[getter]
    fn sleeve_state(&self, py: Python<'_>) -> &'static str {
        let session = self.session.borrow(py);
        session.engine.sleeve_state(self.sleeve).name()
    }

    /// Whether an instrument does not trade now.
    fn is_halted(&self, instrument: &Bound<'_, PyString>) -> PyResult<bool> {
        let index = self.index(instrument)?;
        let session = self.session.borrow(instrument.py());
        Ok(session.engine.is_in_halt(index))
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

    /// Ask for `on_timer` at `at_ns` (UTC nanoseconds), on bars at the first barrier then.
    fn set_timer(&self, py: Python<'_>, at_ns: i64, name: String) {
        let mut session = self.session.borrow_mut(py);
        session.timers.set(at_ns, self.sleeve, name);
    }
}
