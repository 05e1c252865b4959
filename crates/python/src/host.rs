//! Telling event strategies what happened.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use quantvista_engine::{Fill, Side, TapeKind};

use crate::context::Context;
use crate::events::{
    BarEvent, BookEvent, FillEvent, OrderEvent, QuoteEvent, TimerEvent, TradeEvent,
};
use crate::mail::{Change, Notice};
use crate::session::Session;
use crate::source::{Best, Print, Source, bar_of};
use crate::steps::Step;

/// A sleeve, its context, its handlers by name, and the instruments whose market events it
/// wants, None for all.
pub type HostSpec<'py> = (usize, Py<Context>, Bound<'py, PyDict>, Option<Vec<usize>>);

/// A sleeve's event strategy: its context and the handlers that it has.
pub struct Host {
    pub sleeve: usize,
    context: Py<Context>,
    on_quote: Option<Py<PyAny>>,
    on_trade: Option<Py<PyAny>>,
    on_book: Option<Py<PyAny>>,
    on_bar: Option<Py<PyAny>>,
    pub on_fill: Option<Py<PyAny>>,
    pub on_order: Option<Py<PyAny>>,
    pub on_timer: Option<Py<PyAny>>,
    /// By instrument.
    wants: Vec<bool>,
    hears_market: bool,
}

const HANDLERS: [&str; 7] = [
    "on_quote", "on_trade", "on_book", "on_bar", "on_fill", "on_order", "on_timer",
];

impl Host {
    pub fn new(run: &Session, spec: HostSpec<'_>) -> PyResult<Self> {
        let (sleeve, context, handlers, instruments) = spec;
        if sleeve >= run.engine.config().sleeves.len() {
            return Err(PyValueError::new_err(format!(
                "`hosts` must be of sleeves of the fund; found {sleeve}"
            )));
        }
        for name in handlers.keys() {
            let name: String = name.extract()?;
            if !HANDLERS.contains(&name.as_str()) {
                return Err(PyValueError::new_err(format!(
                    "`hosts` must have handlers of {HANDLERS:?}; found {name:?}"
                )));
            }
        }
        let of = |name: &str| -> PyResult<Option<Py<PyAny>>> {
            Ok(handlers.get_item(name)?.map(Bound::unbind))
        };
        let mut wants = vec![instruments.is_none(); run.names.len()];
        for instrument in instruments.into_iter().flatten() {
            *wants.get_mut(instrument).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "`hosts` must name instruments of the fund; found {instrument}"
                ))
            })? = true;
        }
        let made = Self {
            sleeve,
            context,
            on_quote: of("on_quote")?,
            on_trade: of("on_trade")?,
            on_book: of("on_book")?,
            on_bar: of("on_bar")?,
            on_fill: of("on_fill")?,
            on_order: of("on_order")?,
            on_timer: of("on_timer")?,
            wants,
            hears_market: false,
        };
        let market = [&made.on_quote, &made.on_trade, &made.on_book, &made.on_bar];
        Ok(Self {
            hears_market: market.iter().any(|handler| handler.is_some()),
            ..made
        })
    }

    /// Tell the strategy what happened: its orders and fills, its timers, the market.
    pub fn call(&self, run: &Bound<'_, Session>, step: Step) -> PyResult<()> {
        self.tell(run)?;
        if let Some(handler) = &self.on_timer {
            self.time(run, handler)?;
        }
        let Step::Rows { first, last, .. } = step else {
            return Ok(());
        };
        if !self.hears_market {
            return Ok(());
        }
        if !run.borrow().has_tape() {
            return self.bars(run, first);
        }
        for row in first..last {
            self.market(run, row)?;
        }
        Ok(())
    }

    /// Tell what became of the sleeve's orders until now; not of what it answers to that.
    pub fn tell(&self, run: &Bound<'_, Session>) -> PyResult<()> {
        if !run.borrow().mail.is_waiting() {
            return Ok(());
        }
        let py = run.py();
        let count = run.borrow().mail.count(self.sleeve);
        for _ in 0..count {
            let notice = run.borrow_mut().mail.take(self.sleeve);
            match notice {
                None => break,
                Some(Notice::Fill(fill)) => {
                    if let Some(handler) = &self.on_fill {
                        let event = {
                            let mut session = run.borrow_mut();
                            session.calling = Some((self.sleeve, "on_fill", Some(fill.instrument)));
                            session.fill_event(py, &fill)
                        };
                        handler.call1(py, (&self.context, event))?;
                    }
                }
                Some(Notice::Order(change)) => {
                    if let Some(handler) = &self.on_order {
                        let event = {
                            let mut session = run.borrow_mut();
                            session.calling =
                                Some((self.sleeve, "on_order", Some(change.instrument)));
                            session.order_event(py, &change)
                        };
                        handler.call1(py, (&self.context, event))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn time(&self, run: &Bound<'_, Session>, handler: &Py<PyAny>) -> PyResult<()> {
        let py = run.py();
        let (due, ts) = {
            let mut session = run.borrow_mut();
            let ts = session.now;
            (session.timers.take_due(self.sleeve, ts), ts)
        };
        for (_, _, _, name) in due {
            run.borrow_mut().calling = Some((self.sleeve, "on_timer", None));
            handler.call1(py, (&self.context, TimerEvent { name, ts }))?;
        }
        Ok(())
    }

    /// Tell of the bars of a row of bars.
    fn bars(&self, run: &Bound<'_, Session>, row: usize) -> PyResult<()> {
        let py = run.py();
        let Some(handler) = &self.on_bar else {
            return Ok(());
        };
        for (instrument, wanted) in self.wants.iter().enumerate() {
            if !wanted {
                continue;
            }
            let event = {
                let mut session = run.borrow_mut();
                let Some(event) = session.bar_event(py, row, instrument) else {
                    continue;
                };
                session.calling = Some((self.sleeve, "on_bar", Some(instrument)));
                event
            };
            handler.call1(py, (&self.context, event))?;
        }
        Ok(())
    }

    /// Tell of a row of a tape, if the strategy has a handler for it.
    #[inline]
    fn market(&self, run: &Bound<'_, Session>, row: usize) -> PyResult<()> {
        let py = run.py();
        let mut session = run.borrow_mut();
        let Source::Tape(events) = &session.source else {
            return Ok(());
        };
        let tape = &events.tape;
        let kind = tape.kind(row);
        let (handler, name) = match kind {
            TapeKind::Quote => (&self.on_quote, "on_quote"),
            TapeKind::Trade => (&self.on_trade, "on_trade"),
            TapeKind::Bar => (&self.on_bar, "on_bar"),
            TapeKind::BookLevel
            | TapeKind::BookClear
            | TapeKind::BookOrderAdded
            | TapeKind::BookOrderModified
            | TapeKind::BookOrderDeleted
                if !tape.more(row) =>
            {
                (&self.on_book, "on_book")
            }
            _ => return Ok(()),
        };
        let Some(handler) = handler else {
            return Ok(());
        };
        let instrument = tape.index(row);
        if !self.wants[instrument] {
            return Ok(());
        }
        session.calling = Some((self.sleeve, name, Some(instrument)));
        match kind {
            TapeKind::Quote => {
                let event = session.quote_of_row(py, row, instrument);
                drop(session);
                handler.call1(py, (&self.context, event))?;
            }
            TapeKind::Trade => {
                let event = session.trade_of_row(py, row, instrument);
                drop(session);
                handler.call1(py, (&self.context, event))?;
            }
            TapeKind::Bar => {
                let event = session.bar_event(py, row, instrument);
                drop(session);
                handler.call1(py, (&self.context, event))?;
            }
            _ => {
                let event = session.book_event(py, instrument, 1);
                drop(session);
                handler.call1(py, (&self.context, event))?;
            }
        }
        Ok(())
    }
}

fn or_nan(value: Option<i64>, scale: f64) -> f64 {
    value.map_or(f64::NAN, |value| value as f64 / scale)
}

impl Session {
    fn fill_event(&self, py: Python<'_>, fill: &Fill) -> FillEvent {
        let money = |amount: i128| amount as f64 / 1e12;
        FillEvent {
            order_id: fill.order.unwrap_or(0),
            instrument: self.names[fill.instrument].clone_ref(py),
            side: fill.side.name(),
            quantity: fill.quantity as f64 / self.quantity_scale[fill.instrument],
            price: fill.price as f64 / self.price_scale[fill.instrument],
            fee: money(fill.fee),
            kind: fill.kind.name(),
            liquidity: fill.liquidity.name(),
            ts: fill.ts,
        }
    }

    fn order_event(&self, py: Python<'_>, change: &Change) -> OrderEvent {
        OrderEvent {
            order_id: change.id,
            instrument: self.names[change.instrument].clone_ref(py),
            change: change.what,
            status: change.status.name(),
            reason: change.reason,
            is_final: change.status.is_final(),
            ts: change.ts,
        }
    }

    fn bar_event(&self, py: Python<'_>, row: usize, instrument: usize) -> Option<BarEvent> {
        let bar = bar_of(&self.source, row, instrument)?;
        let scale = self.price_scale[instrument];
        let [open, high, low] = bar
            .range
            .map_or([f64::NAN; 3], |r| r.map(|p| p as f64 / scale));
        Some(BarEvent {
            instrument: self.names[instrument].clone_ref(py),
            ts: self.now,
            open,
            high,
            low,
            close: bar.close as f64 / scale,
            volume: or_nan(bar.volume, self.quantity_scale[instrument]),
        })
    }

    #[inline]
    fn quote_of_row(&self, py: Python<'_>, row: usize, instrument: usize) -> Option<QuoteEvent> {
        let Source::Tape(events) = &self.source else {
            return None;
        };
        let value = |place: usize| events.tape.value(row, place);
        let best = Best {
            ts: self.now,
            bid: value(0),
            bid_size: value(1),
            ask: value(2),
            ask_size: value(3),
        };
        Some(self.quote_event(py, instrument, &best))
    }

    #[inline]
    pub fn quote_event(&self, py: Python<'_>, instrument: usize, best: &Best) -> QuoteEvent {
        let (price, size) = (
            self.price_scale[instrument],
            self.quantity_scale[instrument],
        );
        QuoteEvent {
            instrument: self.names[instrument].clone_ref(py),
            ts: best.ts,
            bid: or_nan(best.bid, price),
            bid_size: or_nan(best.bid_size, size),
            ask: or_nan(best.ask, price),
            ask_size: or_nan(best.ask_size, size),
        }
    }

    fn trade_of_row(&self, py: Python<'_>, row: usize, instrument: usize) -> Option<TradeEvent> {
        let Source::Tape(events) = &self.source else {
            return None;
        };
        let print = Print {
            ts: self.now,
            price: events.tape.value(row, 0)?,
            size: events.tape.value(row, 1)?,
            aggressor: events.tape.aggressor(row),
        };
        Some(self.trade_event(py, instrument, &print))
    }

    pub fn trade_event(&self, py: Python<'_>, instrument: usize, print: &Print) -> TradeEvent {
        TradeEvent {
            instrument: self.names[instrument].clone_ref(py),
            ts: print.ts,
            price: print.price as f64 / self.price_scale[instrument],
            size: print.size as f64 / self.quantity_scale[instrument],
            aggressor: print.aggressor.map(Side::name),
        }
    }

    /// The book of an instrument as it stands, down to `depth` levels a side.
    pub fn book_event(&self, py: Python<'_>, instrument: usize, depth: usize) -> BookEvent {
        let (price, size) = (
            self.price_scale[instrument],
            self.quantity_scale[instrument],
        );
        let levels = |side: Side| {
            self.engine
                .levels(instrument, side, depth)
                .into_iter()
                .map(|(at, of)| (at as f64 / price, of as f64 / size))
                .collect()
        };
        BookEvent {
            instrument: self.names[instrument].clone_ref(py),
            ts: self.now,
            bids: levels(Side::Buy),
            asks: levels(Side::Sell),
        }
    }

    /// Interned name of an instrument.
    pub fn name(&self, py: Python<'_>, instrument: usize) -> Py<PyString> {
        self.names[instrument].clone_ref(py)
    }
}
