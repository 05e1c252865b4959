//! Telling event strategies what happened.

use pyo3::prelude::*;
use quantvista_engine::Fill;

use crate::context::Context;
use crate::events::{BarEvent, FillEvent, TimerEvent};
use crate::session::Session;

/// A sleeve's event strategy: its context and the handlers that it has.
pub struct Host {
    pub sleeve: usize,
    pub context: Py<Context>,
    pub on_bar: Option<Py<PyAny>>,
    pub on_fill: Option<Py<PyAny>>,
    pub on_timer: Option<Py<PyAny>>,
}

impl Host {
    /// Tell the strategy what happened at this barrier: its fills, its timers, the bars.
    pub fn call(&self, run: &Bound<'_, Session>, first_fill: usize) -> PyResult<()> {
        let py = run.py();
        if let Some(handler) = &self.on_fill {
            let count = run.borrow().recorder.fill_count();
            for index in first_fill..count {
                let fill = run.borrow().recorder.fill(index);
                if fill.sleeve != self.sleeve {
                    continue;
                }
                run.borrow_mut().calling = Some((self.sleeve, "on_fill", Some(fill.instrument)));
                let event = run.borrow().fill_event(py, &fill);
                handler.call1(py, (&self.context, event))?;
            }
        }
        if let Some(handler) = &self.on_timer {
            let ts = run.borrow().now;
            let due = run.borrow_mut().timers.take_due(self.sleeve, ts);
            for (_, _, _, name) in due {
                run.borrow_mut().calling = Some((self.sleeve, "on_timer", None));
                handler.call1(py, (&self.context, TimerEvent { name, ts }))?;
            }
        }
        if let Some(handler) = &self.on_bar {
            let count = run.borrow().names.len();
            for instrument in 0..count {
                let event = {
                    let mut session = run.borrow_mut();
                    let Some(event) = session.bar_event(py, instrument) else {
                        continue;
                    };
                    session.calling = Some((self.sleeve, "on_bar", Some(instrument)));
                    event
                };
                handler.call1(py, (&self.context, event))?;
            }
        }
        Ok(())
    }
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
            ts: fill.ts,
        }
    }

    fn bar_event(&self, py: Python<'_>, instrument: usize) -> Option<BarEvent> {
        let bar = self.feed.bar(self.row - 1, instrument)?;
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
            volume: bar
                .volume
                .map_or(f64::NAN, |v| v as f64 / self.quantity_scale[instrument]),
        })
    }
}
