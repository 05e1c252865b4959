//! What inputs led to.

use serde::{Deserialize, Serialize};

use crate::order::{Order, Reason, Side, named};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    OrderAccepted(Order),
    OrderRejected {
        order: Order,
        rule: Rule,
    },
    OrderFilled(Fill),
    OrderCancelled {
        ts: i64,
        order: u64,
        reason: Reason,
    },
    OrderExpired {
        ts: i64,
        order: u64,
        reason: Reason,
    },
    CancelRejected {
        ts: i64,
        order: u64,
    },
    Verdict(Verdict),
    BarMissed {
        ts: i64,
        instrument: usize,
    },
    InstrumentSettled {
        ts: i64,
        instrument: usize,
        price: Option<i64>,
    },
    SemanticsActivated {
        ts: i64,
        number: u16,
    },
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
    pub side: Side,
    pub quantity: i64,
    /// Slippage included.
    pub price: i64,
    pub fee: i128,
    /// Money lost against the market's price; never negative.
    pub slippage: i128,
    pub kind: FillKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FillKind {
    /// With the venue.
    Trade,
    /// Between two sleeves.
    Cross,
    /// At the end of an instrument.
    Settlement,
}

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    Accepted,
    Cut,
    Rejected,
    Held,
}

/// A number of a verdict, in its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Figure {
    None,
    Money(i128),
    Price(i64),
    Quantity(i64),
}

/// The gate's rules, in the order in which it checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// All passed.
    All,
    NotListed,
    NoPrice,
    Lot,
    Tick,
    NeedsOhlc,
    TimeInForce,
    PriceBand,
    FatFingerQuantity,
    FatFingerNotional,
    NoShort,
    Cash,
    Position,
    Concentration,
    Sector,
    Gross,
}

named!(FillKind { Trade = "trade", Cross = "cross", Settlement = "settlement" });
named!(Outcome { Accepted = "accepted", Cut = "cut", Rejected = "rejected", Held = "held" });
named!(Rule {
    All = "all",
    NotListed = "not_listed",
    NoPrice = "no_price",
    Lot = "lot",
    Tick = "tick",
    NeedsOhlc = "needs_ohlc",
    TimeInForce = "time_in_force",
    PriceBand = "price_band",
    FatFingerQuantity = "fat_finger_quantity",
    FatFingerNotional = "fat_finger_notional",
    NoShort = "no_short",
    Cash = "cash",
    Position = "position",
    Concentration = "concentration",
    Sector = "sector",
    Gross = "gross",
});
