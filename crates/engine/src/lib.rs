//! The deterministic engine of `QuantVista`: a state machine without input or output, clock or
//! randomness. [`Engine::apply`] takes one [`Input`] and returns what it led to; the same inputs
//! give the same outputs and the same state hash on every machine. No float is ever part of it.
//!
//! `docs/engine` states the rules; this crate is one implementation of them, and the oracle in
//! `tests/oracle` is another that shares no code with it.

mod accounts;
mod action;
mod actions;
mod allocation;
mod book;
mod checks;
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
mod limits;
mod market;
mod matching;
mod models;
mod numbers;
mod order;
mod orders;
mod output;
mod packed;
mod random;
mod reading;
mod recording;
mod remote;
mod report;
mod risk;
mod rows;
mod sizing;
mod snapshot;
mod tape;
mod transit;
mod venue;

pub use action::Action;
pub use allocation::allocate;
pub use config::{
    AccountKind, AccountModel, Config, Currency, Instrument, InstrumentKind, PositionMode,
    RateSource, Settlement, Sleeve, Venue,
};
pub use encoding::{Encoded, FORMAT_VERSION, RunState, decode, encode};
pub use engine::{Engine, SEMANTICS_SUPPORTED};
pub use error::EngineError;
pub use feed::{BarColumns, Feed, MISSING};
pub use gate::Usage;
pub use input::{Amendment, Bar, Event, Input, Key, OrderRequest};
pub use ledger::{Account, Ledger, Position};
pub use limits::{Breaker, Breakers, Crossed, Limits, OrderRate, SleeveLimits, ValueAtRisk};
pub use market::{
    Auction, AuctionKind, BookLevel, BookOrder, DataKind, Quote, Tick, TradingStatus,
};
pub use models::{FeeModel, FeeTier, ImpactModel, LatencyKind, LatencyModel, SlippageModel};
pub use numbers::{MONEY_DIGITS, RATE_ONE, Rounding, div_round, notional};
pub use order::{
    Leg, Link, Order, OrderKind, OrderStatus, Origin, Reason, Side, TRANSITIONS, TimeInForce,
    Trail, TriggerSource,
};
pub use orders::{CellData, MatrixCell, matrix};
pub use output::{
    Figure, Fill, FillKind, Liquidity, Outcome, Output, Posting, PostingKind, Rule, Verdict,
};
pub use random::splitmix64;
pub use reading::Worth;
pub use recording::{
    ActionRow, BalanceRow, OrderRow, PositionRow, Recorder, SleeveRow, StateRow, VerdictRow,
};
pub use report::{Execution, Report};
pub use risk::{Cause, Command, FundState, RiskFigure, RiskKind, Scenarios, SleeveState};
pub use snapshot::Snapshot;
pub use tape::{Tape, TapeColumns, TapeKind};
