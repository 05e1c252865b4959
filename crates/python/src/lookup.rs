//! What a strategy names, found: instruments, currencies, orders, legs.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use quantvista_engine::{Event, Instrument, Leg, Link, Order, OrderRow, Position, Side};

use crate::context::Context;
use crate::events::OrderView;
use crate::mail::reason_of;
use crate::records::parse;
use crate::session::Session;
use crate::source::Best;
use crate::terms::request_of;

impl Context {
    pub fn index(&self, instrument: &Bound<'_, PyString>) -> PyResult<usize> {
        index(&self.session.borrow(instrument.py()), instrument)
    }

    pub fn holding(
        &self,
        session: &Session,
        instrument: usize,
        leg: Option<&str>,
    ) -> PyResult<Position> {
        let ledger = session.engine.ledger();
        match leg {
            None => Ok(Position {
                quantity: session.engine.held(self.sleeve, instrument),
                cost: ledger.cost(self.sleeve, instrument),
            }),
            Some(name) => {
                let leg = parse("leg", name, Leg::from_name)?.index();
                if leg >= ledger.legs() {
                    return Err(PyValueError::new_err(
                        "`leg` must not be short in a netting account; leave it out",
                    ));
                }
                Ok(ledger.position(self.sleeve, instrument, leg))
            }
        }
    }

    pub fn listing<T>(
        &self,
        instrument: &Bound<'_, PyString>,
        of: impl Fn(&Instrument) -> T,
    ) -> PyResult<T> {
        let index = self.index(instrument)?;
        let session = self.session.borrow(instrument.py());
        Ok(of(&session.engine.config().instruments[index]))
    }

    /// The row of an order of this sleeve.
    pub fn row(&self, session: &Session, order_id: u64) -> PyResult<OrderRow> {
        session
            .recorder
            .order(order_id)
            .filter(|row| row.order.sleeve == self.sleeve)
            .ok_or_else(|| {
                PyValueError::new_err(format!("`order_id` {order_id} is no order of this sleeve"))
            })
    }

    /// Refuse to touch an order of another sleeve.
    pub fn check_own(&self, session: &Session, order_id: u64) -> PyResult<()> {
        let other = session
            .engine
            .order(order_id)
            .is_some_and(|order| order.sleeve != self.sleeve);
        if other {
            return Err(PyValueError::new_err(format!(
                "`order_id` {order_id} belongs to another sleeve"
            )));
        }
        Ok(())
    }

    pub fn working(&self, session: &Session, of: impl Fn(&Order) -> bool) -> Vec<u64> {
        session
            .engine
            .working_orders()
            .iter()
            .filter(|order| order.sleeve == self.sleeve && of(order))
            .map(|order| order.id)
            .collect()
    }

    pub fn list(
        &self,
        py: Python<'_>,
        orders: &Bound<'_, PyList>,
        link: Link,
    ) -> PyResult<Vec<u64>> {
        let requests = {
            let session = self.session.borrow(py);
            orders
                .iter()
                .map(|table| {
                    let table: Bound<'_, PyDict> = table.cast_into()?;
                    request_of(&session, self.sleeve, &table, |name| index(&session, name))
                })
                .collect::<PyResult<Vec<_>>>()?
        };
        let count = requests.len();
        let mut session = self.session.borrow_mut(py);
        let orders = requests;
        session.ask(self.sleeve, count, Event::SubmitList { orders, link })?;
        let last = session.engine.last_order();
        Ok((last - count as u64 + 1..=last).collect())
    }
}

pub fn currency_index(session: &Session, code: &str) -> PyResult<usize> {
    let currencies = &session.engine.config().currencies;
    currencies
        .iter()
        .position(|currency| currency.code == code)
        .ok_or_else(|| {
            let known: Vec<&str> = currencies.iter().map(|c| c.code.as_str()).collect();
            PyValueError::new_err(format!(
                "`currency` must be one of {}; found {code:?}",
                known.join(", ")
            ))
        })
}

pub fn index(session: &Session, instrument: &Bound<'_, PyString>) -> PyResult<usize> {
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

pub fn view(session: &Session, py: Python<'_>, row: &OrderRow) -> OrderView {
    let order = &row.order;
    let quantity = |units: i64| units as f64 / session.quantity_scale[order.instrument];
    let price = |units: i64| units as f64 / session.price_scale[order.instrument];
    OrderView {
        order_id: order.id,
        ts: order.ts,
        instrument: session.name(py, order.instrument),
        side: order.side.name(),
        r#type: order.kind.name(),
        tif: order.tif.name(),
        quantity: quantity(order.quantity),
        filled: quantity(order.filled),
        limit_price: order.limit_price.map(price),
        trigger_price: order.trigger_price.map(price),
        status: order.status.name(),
        reason: reason_of(row),
        is_working: !order.status.is_final(),
    }
}

impl Session {
    /// Best prices of a book, with the time of now; None while it is empty.
    pub fn best_of_book(&self, instrument: usize) -> Option<Best> {
        let side = |side| self.engine.levels(instrument, side, 1).first().copied();
        let (bid, ask) = (side(Side::Buy), side(Side::Sell));
        if bid.is_none() && ask.is_none() {
            return None;
        }
        Some(Best {
            ts: self.engine.priced_at(instrument).unwrap_or(self.now),
            bid: bid.map(|(price, _)| price),
            bid_size: bid.map(|(_, size)| size),
            ask: ask.map(|(price, _)| price),
            ask_size: ask.map(|(_, size)| size),
        })
    }
}
