//! Python binding of `QuantVista`'s crates: conversions, and the loop that calls strategies.

mod bars;
mod columns;
mod context;
mod disk;
mod events;
mod features;
mod host;
mod journal;
mod keys;
mod live;
mod log;
mod lookup;
mod mail;
mod names;
mod recording;
mod records;
mod resume;
mod seals;
mod session;
mod setup;
mod source;
mod steps;
mod terms;
mod timers;

use pyo3::prelude::*;

/// The compiled part of `quantvista`; use `quantvista.engine` instead.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::bars::BarBuilder;
    #[pymodule_export]
    use crate::context::Context;
    #[pymodule_export]
    use crate::disk::MemoryDisk;
    #[pymodule_export]
    use crate::events::{
        BarEvent, BookEvent, FillEvent, OrderEvent, OrderView, QuoteEvent, TimerEvent, TradeEvent,
    };
    #[pymodule_export]
    use crate::features::{FeatureProgram, operator_settle, operator_warm_up};
    #[pymodule_export]
    use crate::journal::{Head, Journal, Reader, Record, Snapshot, verify_journal};
    #[pymodule_export]
    use crate::keys::{KeyRing, exchange_folders};
    #[pymodule_export]
    use crate::recording::decode_binance;
    #[pymodule_export]
    use crate::records::RawEngine;
    #[pymodule_export]
    use crate::seals::{Seal, SecretKey};
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("SEMANTICS", quantvista_engine::SEMANTICS_SUPPORTED)?;
        module.add("FORMAT_VERSION", quantvista_engine::FORMAT_VERSION)?;
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        module.add("TRANSITIONS", crate::names::transitions())?;
        module.add("ORDER_MATRIX", crate::names::order_matrix())?;
        module.add(
            "FEATURE_OPERATORS",
            crate::features::feature_operators(module.py())?,
        )?;
        module.add("BAR_ENDINGS", quantvista_kernels::Ending::NAMES)?;
        module.add("names", crate::names::names(module.py())?)
    }
}

/// The engine's error as the Python exception of its family.
fn raise(error: &quantvista_engine::EngineError) -> PyErr {
    use quantvista_engine::EngineError as E;
    let family = match error {
        E::Config(_) | E::Columns(_) | E::UnsupportedSemantics { .. } => "ConfigError",
        E::InvalidBar { .. } => "MarketDataError",
        _ => "EngineError",
    };
    raise_as(family, error.to_string())
}

/// An exception of a family of `quantvista.errors`.
fn raise_as(family: &str, text: String) -> PyErr {
    Python::attach(|py| {
        let made = py
            .import("quantvista.errors")
            .and_then(|module| module.getattr(family))
            .and_then(|class| class.call1((text,)));
        match made {
            Ok(instance) => PyErr::from_value(instance),
            Err(failure) => failure,
        }
    })
}
