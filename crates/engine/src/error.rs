//! What makes the engine refuse an input.

use thiserror::Error;

/// An input that the engine refuses. A refused input changes nothing, except that after
/// [`EngineError::Overflow`] and [`EngineError::Unbalanced`] the engine refuses everything.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    #[error("`config` {0}")]
    Config(String),
    /// Columns of market data that do not go together.
    #[error("{0}")]
    Columns(String),
    #[error(
        "inputs must come in the order of (ts_received, class, source, sequence); found {found} after {last}"
    )]
    OutOfOrder { last: String, found: String },
    #[error("`{what}` must be below {count}; found {found}")]
    UnknownIndex {
        what: &'static str,
        count: usize,
        found: usize,
    },
    #[error("bar of instrument {instrument} at {ts}: {problem}")]
    InvalidBar {
        instrument: String,
        ts: i64,
        problem: &'static str,
    },
    #[error("market data of instrument {instrument} at {ts}: {problem}")]
    InvalidData {
        instrument: String,
        ts: i64,
        problem: &'static str,
    },
    #[error(
        "a book message of {since} is not complete: only market data of the same time may follow; found an input of class {class} at {ts}"
    )]
    MessageIncomplete { since: i64, class: u8, ts: i64 },
    #[error(
        "bars of {waiting_since} still wait for their barrier; found an input of class {class} at {ts}"
    )]
    BarrierMissing {
        waiting_since: i64,
        class: u8,
        ts: i64,
    },
    #[error(
        "the rate of currency {currency} must be positive, and the fund's own has none; found {rate}"
    )]
    InvalidRate { currency: String, rate: i64 },
    #[error("`{name}` must name a limit that there is, with a value of its range; found {value:?}")]
    InvalidLimit { name: String, value: Option<i128> },
    #[error("risk figure `{kind}` {problem}; found {found}")]
    InvalidFigure {
        kind: &'static str,
        problem: &'static str,
        found: i64,
    },
    #[error("`amount` of a cash flow must not be 0")]
    InvalidCashFlow,
    #[error("instrument {instrument} pays no funding: that needs a perpetual with a mark")]
    InvalidFunding { instrument: String },
    #[error(
        "`shortable` of instrument {instrument} must not be negative, its borrow rate must be in [0, 1], and only assets in margin accounts have them"
    )]
    InvalidShortTerms { instrument: String },
    #[error("a venue's report `{report}`: {problem}")]
    InvalidReport {
        report: &'static str,
        problem: &'static str,
    },
    #[error("{action} of instrument {instrument}: {problem}")]
    InvalidAction {
        action: &'static str,
        instrument: String,
        problem: &'static str,
    },
    #[error("targets need a netting account: a weight says nothing of two legs")]
    TargetsNeedNetting,
    #[error("targets must name an instrument once; found {instrument} twice")]
    DuplicateTarget { instrument: String },
    #[error("instrument {instrument} has ended already")]
    EndedTwice { instrument: String },
    #[error("semantics {found} is not supported by this build, which knows {supported}")]
    UnsupportedSemantics { found: u16, supported: u16 },
    #[error(
        "arithmetic overflow in {place}: the amount does not fit into the engine, so prices, quantities or cash are too large together; it refuses further inputs"
    )]
    Overflow { place: &'static str },
    #[error("entries of {event} sum to {sum}, not zero; the engine refuses further inputs")]
    Unbalanced { event: &'static str, sum: i128 },
    #[error("the engine failed earlier ({0}) and refuses further inputs")]
    Failed(String),
    #[error("cannot decode: {0}")]
    Decode(String),
}

impl EngineError {
    /// Whether the state can no longer be trusted.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Overflow { .. } | Self::Unbalanced { .. })
    }
}
