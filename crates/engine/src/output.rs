//! What inputs led to.

use serde::{Deserialize, Serialize};

use crate::order::{Order, Reason, Side, named};
use crate::risk::{Cause, FundState, SleeveState};

/// Names of the kinds of [`Output`], as in encodings and in Python.
macro_rules! outputs {
    ($($(#[$meta:meta])* $variant:ident $({ $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })? $(($inner:ty))? = $name:literal;)+) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Output {
            $($(#[$meta])* #[serde(rename = $name)] $variant $({ $($(#[$field_meta])* $field: $type),* })? $(($inner))?),+
        }

        impl Output {
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }
        }
    };
}

outputs! {
    /// The gate took it; it waits for its parent.
    OrderHeld(Order) = "order_held";
    /// The gate took it; it is on its way to the venue.
    OrderSubmitted(Order) = "order_submitted";
    /// The gate took it and it works at the venue.
    OrderAccepted(Order) = "order_accepted";
    OrderRejected { order: Order, rule: Rule } = "order_rejected";
    OrderTriggered { ts: i64, order: u64 } = "order_triggered";
    /// New terms; also where a sibling, a parent or a corporate action changed them.
    OrderAmended { ts: i64, order: Order } = "order_amended";
    OrderFilled(Fill) = "order_filled";
    OrderCancelled { ts: i64, order: u64, reason: Reason } = "order_cancelled";
    OrderExpired { ts: i64, order: u64, reason: Reason } = "order_expired";
    /// A remote venue is to cancel an order, which works until it says that it did.
    CancelRequested { ts: i64, order: u64, reason: Reason } = "cancel_requested";
    CancelRejected { ts: i64, order: u64 } = "cancel_rejected";
    /// Whether a remote venue has the order is not known; it counts as if it did.
    OrderUnknown { ts: i64, order: u64 } = "order_unknown";
    /// A report changed nothing: it came twice, or too late, or of nothing that we know.
    ReportIgnored { ts: i64, report: String, order: Option<u64> } = "report_ignored";
    AmendRejected { ts: i64, order: u64, rule: Rule } = "amend_rejected";
    Verdict(Verdict) = "verdict";
    /// Money that moved without a trade.
    Posted(Posting) = "posted";
    CashFlowRejected { ts: i64, sleeve: usize, currency: usize, amount: i128, available: i128 } = "cash_flow_rejected";
    MarginCalled { ts: i64, sleeve: usize, equity: i128, required: i128 } = "margin_called";
    /// With the rule and figures that led to it, where there are any.
    StateChanged { ts: i64, state: FundState, cause: Cause, rule: Rule, figure: Figure, limit: Figure } = "state_changed";
    SleeveChanged { ts: i64, sleeve: usize, state: SleeveState, cause: Cause } = "sleeve_changed";
    LimitChanged { ts: i64, name: String, value: Option<i128> } = "limit_changed";
    BarMissed { ts: i64, instrument: usize } = "bar_missed";
    InstrumentSettled { ts: i64, instrument: usize, price: Option<i64> } = "instrument_settled";
    SymbolChanged { ts: i64, instrument: usize, symbol: String } = "symbol_changed";
    /// A corporate action came into effect.
    ActionApplied { ts: i64, instrument: usize, action: String } = "action_applied";
    SemanticsActivated { ts: i64, number: u16 } = "semantics_activated";
}

/// Say something that is made where it stays: outputs are large, and not worth a second copy.
#[inline(always)]
pub(crate) fn say(out: &mut Vec<Output>, make: impl FnOnce() -> Output) {
    out.extend(std::iter::once_with(make));
}

/// Our execution of an order, or of part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    pub ts: i64,
    pub id: u64,
    /// None for a settlement.
    pub order: Option<u64>,
    pub instrument: usize,
    pub sleeve: usize,
    pub leg: usize,
    pub side: Side,
    pub quantity: i64,
    /// Slippage included.
    pub price: i64,
    /// In the instrument's currency; negative is a rebate.
    pub fee: i128,
    /// Money lost against the market's price.
    pub slippage: i128,
    pub kind: FillKind,
    pub liquidity: Liquidity,
}

named!(FillKind {
    /// With the venue.
    Trade = "trade",
    /// Between two sleeves.
    Cross = "cross",
    /// At the end of an instrument, or a part that a corporate action paid in cash.
    Settlement = "settlement",
    /// To meet a margin call.
    Liquidation = "liquidation",
    /// Units that a corporate action gave or took.
    Action = "action",
    /// At a remote venue, and not of an order that works: by hand, late, or more than was asked.
    External = "external",
    /// A trade that a remote venue took back.
    Bust = "bust",
});

named!(
    /// Whether our order rested or came to what rested.
    Liquidity { Maker = "maker", Taker = "taker", None = "none" }
);

/// Money that moved on a sleeve's cash without a trade; positive is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub ts: i64,
    pub sleeve: usize,
    pub currency: usize,
    pub kind: PostingKind,
    pub instrument: Option<usize>,
    pub amount: i128,
    /// Of deposits and withdrawals: the sleeve's equity just before, in the fund's currency.
    #[serde(default)]
    pub equity: Option<i128>,
}

named!(PostingKind {
    Deposit = "deposit",
    Withdrawal = "withdrawal",
    Interest = "interest",
    Borrow = "borrow",
    Funding = "funding",
    Dividend = "dividend",
    /// Cash for a fraction of a unit.
    InLieu = "in_lieu",
    /// Proceeds of a sale became settled money.
    Settled = "settled",
    /// Cash part of a merger.
    Merger = "merger",
    /// Gains and losses of a future at the end of its day.
    Variation = "variation",
});

/// What the gate, or matching on its behalf, said about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub ts: i64,
    pub order: u64,
    pub rule: Rule,
    pub figure: Figure,
    pub limit: Figure,
    pub outcome: Outcome,
}

named!(Outcome { Accepted = "accepted", Cut = "cut", Rejected = "rejected", Held = "held" });

/// A number of a verdict, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    None,
    Money(i128),
    Price(i64),
    Quantity(i64),
    /// In `10^-9`.
    Rate(i64),
    Count(i64),
    /// Nanoseconds.
    Duration(i64),
}

named!(
    /// The gate's rules, in the order in which it checks them.
    Rule {
        /// All passed.
        All = "all",
        State = "state",
        SleeveState = "sleeve_state",
        NotListed = "not_listed",
        NoPrice = "no_price",
        Linked = "linked",
        Lot = "lot",
        Tick = "tick",
        /// Terms that do not go together.
        Form = "form",
        NeedsOhlc = "needs_ohlc",
        /// The kind of order needs data that the instrument does not have.
        NeedsData = "needs_data",
        TimeInForce = "time_in_force",
        Trigger = "trigger",
        PostOnly = "post_only",
        Leg = "leg",
        PriceBand = "price_band",
        ReduceOnly = "reduce_only",
        NoRate = "no_rate",
        Halted = "halted",
        StalePrice = "stale_price",
        Regime = "regime",
        OrderRate = "order_rate",
        SleeveOrderRate = "sleeve_order_rate",
        Duplicate = "duplicate",
        SelfTrade = "self_trade",
        FatFingerQuantity = "fat_finger_quantity",
        FatFingerNotional = "fat_finger_notional",
        FatFingerVolume = "fat_finger_volume",
        NoShort = "no_short",
        Locate = "locate",
        Cash = "cash",
        Margin = "margin",
        Position = "position",
        Concentration = "concentration",
        SleeveConcentration = "sleeve_concentration",
        Sector = "sector",
        Gross = "gross",
        SleeveGross = "sleeve_gross",
        Leverage = "leverage",
        Net = "net",
        Volatility = "volatility",
        Correlation = "correlation",
        ValueAtRisk = "value_at_risk",
        IncrementalValueAtRisk = "incremental_value_at_risk",
        /// No working order has this id.
        Unknown = "unknown",
        /// A remote venue refused it, or it is nothing that we send to one.
        Venue = "venue",
    }
);

impl Rule {
    /// Rules that may leave less of an order than was asked for; the others say yes or no.
    pub const CUTTING: &'static [Self] = &[
        Self::State,
        Self::SleeveState,
        Self::Leg,
        Self::ReduceOnly,
        Self::NoRate,
        Self::StalePrice,
        Self::Regime,
        Self::FatFingerQuantity,
        Self::FatFingerNotional,
        Self::FatFingerVolume,
        Self::NoShort,
        Self::Locate,
        Self::Cash,
        Self::Margin,
        Self::Position,
        Self::Concentration,
        Self::SleeveConcentration,
        Self::Sector,
        Self::Gross,
        Self::SleeveGross,
        Self::Leverage,
        Self::Net,
        Self::Volatility,
        Self::Correlation,
        Self::ValueAtRisk,
        Self::IncrementalValueAtRisk,
    ];
}
