//! What the engine is told, and the order in which it may be told.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::market::{Auction, BookLevel, BookOrder, Quote, Tick, TradingStatus};
use crate::order::{Leg, Link, OrderKind, Side, TimeInForce, Trail, TriggerSource};
use crate::report::Report;
use crate::risk::{Command, RiskFigure, Scenarios};

/// One thing that happened or was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// When it happened, UTC nanoseconds.
    pub ts_event: i64,
    /// When we could know it; decisions read only this one.
    pub ts_received: i64,
    pub source: u32,
    pub sequence: u64,
    pub event: Event,
}

/// Names of the kinds of [`Event`], as in encodings and in Python.
macro_rules! events {
    ($($(#[$meta:meta])* $variant:ident $({ $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })? $(($inner:ty))? = $name:literal, $class:literal;)+) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Event {
            $($(#[$meta])* #[serde(rename = $name)] $variant $({ $($(#[$field_meta])* $field: $type),* })? $(($inner))?),+
        }

        impl Event {
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }

            /// Rank among events of the same time: reports and operators, corporate actions,
            /// market, timer, strategy, orders.
            #[must_use]
            pub fn class(&self) -> u8 {
                match self { $(Self::$variant { .. } => $class),+ }
            }
        }
    };
}

events! {
    /// What the operator of the fund commands.
    Operator(Command) = "operator", 0;
    /// What a remote venue says of our orders.
    Report(Report) = "report", 0;
    /// Money paid in, or out where negative, in a currency.
    CashFlow { sleeve: usize, currency: usize, amount: i128 } = "cash_flow", 1;
    Action(Action) = "action", 1;
    /// At a price, else at the mark: positions are settled in cash.
    InstrumentEnded { instrument: usize, #[serde(default)] price: Option<i64> } = "instrument_ended", 1;
    /// Price of one unit of a currency in the fund's, in `10^-12`.
    CurrencyRate { currency: usize, rate: i64 } = "currency_rate", 2;
    /// Interest a year on settled cash and on debt, in `10^-9`.
    InterestRates { currency: usize, credit_rate: i64, debit_rate: i64 } = "interest_rates", 2;
    /// What may be sold short from now on, and the fee a year for it in `10^-9`.
    ShortTerms { instrument: usize, shortable: i64, borrow_rate: i64 } = "short_terms", 2;
    RiskFigure(RiskFigure) = "risk_figure", 2;
    Scenarios(Scenarios) = "scenarios", 2;
    Status { instrument: usize, status: TradingStatus } = "status", 2;
    Quote { instrument: usize, quote: Quote } = "quote", 2;
    Trade { instrument: usize, trade: Tick } = "trade", 2;
    BookLevel { instrument: usize, level: BookLevel } = "book_level", 2;
    /// All levels and orders of the book are gone; `more` of the same message may follow.
    BookCleared { instrument: usize, more: bool } = "book_cleared", 2;
    BookOrder { instrument: usize, order: BookOrder } = "book_order", 2;
    Auction { instrument: usize, auction: Auction } = "auction", 2;
    /// What holders of a perpetual pay, in `10^-9` of the value of their position.
    Funding { instrument: usize, rate: i64 } = "funding", 2;
    Bar { instrument: usize, bar: Bar } = "bar", 2;
    BarMissing { instrument: usize } = "bar_missing", 2;
    Barrier { session_start: bool, session_end: bool } = "barrier", 3;
    /// A calendar day of the fund is over; `trading` days count for settlement.
    DayEnded { trading: bool } = "day_ended", 3;
    TargetPortfolio { sleeve: usize, targets: Vec<(usize, i64)> } = "target_portfolio", 4;
    SubmitOrder(OrderRequest) = "submit_order", 5;
    SubmitList { orders: Vec<OrderRequest>, link: Link } = "submit_list", 5;
    AmendOrder(Amendment) = "amend_order", 5;
    /// Cancel one order and make another in its place, or neither.
    ReplaceOrder { order: u64, request: OrderRequest } = "replace_order", 5;
    CancelOrder { order: u64 } = "cancel_order", 5;
    ActivateSemantics { number: u16 } = "activate_semantics", 5;
}

/// Prices in price units, volume in quantity units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Open, high and low; absent for a close-only instrument.
    pub range: Option<[i64; 3]>,
    pub close: i64,
    pub volume: Option<i64>,
}

/// An order that a strategy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    pub sleeve: usize,
    pub instrument: usize,
    pub side: Side,
    pub quantity: i64,
    pub kind: OrderKind,
    pub tif: TimeInForce,
    #[serde(default)]
    pub limit_price: Option<i64>,
    #[serde(default)]
    pub trigger_price: Option<i64>,
    #[serde(default)]
    pub trail: Option<Trail>,
    #[serde(default)]
    pub trigger_by: Option<TriggerSource>,
    #[serde(default)]
    pub expire_at: Option<i64>,
    #[serde(default)]
    pub display_quantity: Option<i64>,
    #[serde(default)]
    pub post_only: bool,
    #[serde(default)]
    pub reduce_only: bool,
    #[serde(default = "net")]
    pub leg: Leg,
}

fn net() -> Leg {
    Leg::Net
}

impl OrderRequest {
    /// An order without any of the optional terms.
    #[must_use]
    pub fn new(
        sleeve: usize,
        instrument: usize,
        side: Side,
        quantity: i64,
        kind: OrderKind,
        tif: TimeInForce,
    ) -> Self {
        Self {
            sleeve,
            instrument,
            side,
            quantity,
            kind,
            tif,
            limit_price: None,
            trigger_price: None,
            trail: None,
            trigger_by: None,
            expire_at: None,
            display_quantity: None,
            post_only: false,
            reduce_only: false,
            leg: Leg::Net,
        }
    }
}

/// New terms for a working order; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    pub order: u64,
    /// The whole quantity, what is filled already included.
    #[serde(default)]
    pub quantity: Option<i64>,
    #[serde(default)]
    pub limit_price: Option<i64>,
    #[serde(default)]
    pub trigger_price: Option<i64>,
    #[serde(default)]
    pub trail: Option<Trail>,
    #[serde(default)]
    pub expire_at: Option<i64>,
}

/// Place of an input in the total order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub ts_received: i64,
    pub class: u8,
    pub source: u32,
    pub sequence: u64,
}

impl Input {
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            ts_received: self.ts_received,
            class: self.event.class(),
            source: self.source,
            sequence: self.sequence,
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "({}, {}, {}, {})",
            self.ts_received, self.class, self.source, self.sequence
        )
    }
}
