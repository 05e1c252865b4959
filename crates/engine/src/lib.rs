//! The deterministic engine of `QuantVista`: a state machine without input or output, clock or
//! randomness. [`Engine::apply`] takes one [`Input`] and returns what it led to; the same inputs
//! give the same outputs and the same state hash on every machine. No float is ever part of it.
//!
//! `docs/engine/bars.md` states the rules; this crate is one implementation of them, and the reference
//! in `tests/reference` is another that shares no code with it.

mod allocation;
mod book;
mod config;
mod crossing;
mod encoding;
mod engine;
mod error;
mod exposure;
mod feed;
mod filling;
mod gate;
mod input;
mod ledger;
mod matching;
mod numbers;
mod order;
mod output;
mod packed;
mod recording;
mod sizing;
mod snapshot;

pub use allocation::allocate;
pub use config::{Config, FeeModel, Instrument, Limits, Sleeve, SlippageModel, Venue};
pub use encoding::{Encoded, FORMAT_VERSION, RunState, decode, encode};
pub use engine::{Engine, SEMANTICS_SUPPORTED};
pub use error::EngineError;
pub use feed::{BarColumns, Feed, MISSING};
pub use input::{Bar, Event, Input, Key, OrderRequest};
pub use ledger::{Account, Entry, Ledger};
pub use numbers::{MONEY_DIGITS, RATE_ONE, Rounding, div_round, notional};
pub use order::{Order, OrderKind, OrderStatus, Reason, Side, TRANSITIONS, TimeInForce};
pub use output::{Figure, Fill, FillKind, Outcome, Output, Rule, Verdict};
pub use recording::{OrderRow, PositionRow, Recorder, SleeveRow, VerdictRow};
pub use snapshot::Snapshot;
