//! Orders and the life they may lead.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    Buy,
    Sell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderKind {
    Market,
    Limit,
    OnOpen,
    OnClose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeInForce {
    Day,
    Gtc,
    Ioc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    Initialised,
    Accepted,
    PartiallyFilled,
    Filled,
    Cancelled,
    Expired,
    Rejected,
}

/// Every transition there is; what is not listed is illegal.
pub const TRANSITIONS: &[(OrderStatus, OrderStatus)] = &[
    (OrderStatus::Initialised, OrderStatus::Accepted),
    (OrderStatus::Initialised, OrderStatus::Rejected),
    (OrderStatus::Accepted, OrderStatus::PartiallyFilled),
    (OrderStatus::Accepted, OrderStatus::Filled),
    (OrderStatus::Accepted, OrderStatus::Cancelled),
    (OrderStatus::Accepted, OrderStatus::Expired),
    (OrderStatus::PartiallyFilled, OrderStatus::PartiallyFilled),
    (OrderStatus::PartiallyFilled, OrderStatus::Filled),
    (OrderStatus::PartiallyFilled, OrderStatus::Cancelled),
    (OrderStatus::PartiallyFilled, OrderStatus::Expired),
];

impl OrderStatus {
    /// Whether an order may go from this status to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }
}

/// Why an order was not filled, cancelled or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Nothing special: the session ended.
    Day,
    NoBar,
    PriceBand,
    Volume,
    Limit,
    Uncrossed,
    Ioc,
    Cash,
    Superseded,
    Requested,
    InstrumentEnded,
}

/// A working order. Finished ones leave the state; the outputs tell their story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub ts: i64,
    pub sleeve: usize,
    pub instrument: usize,
    pub side: Side,
    pub kind: OrderKind,
    pub tif: TimeInForce,
    pub limit_price: Option<i64>,
    pub quantity: i64,
    pub filled: i64,
    /// Limit price, else the mark at acceptance: centre of its band, price of its reserve.
    pub reference: i64,
    pub status: OrderStatus,
    pub due: bool,
    pub from_target: bool,
    pub reason: Reason,
}

impl Order {
    #[must_use]
    pub fn unfilled(&self) -> i64 {
        self.quantity - self.filled
    }
}

/// Names as they stand in the files of a run.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use named;

named!(Side { Buy = "buy", Sell = "sell" });
named!(OrderKind { Market = "market", Limit = "limit", OnOpen = "on_open", OnClose = "on_close" });
named!(TimeInForce { Day = "day", Gtc = "gtc", Ioc = "ioc" });
named!(OrderStatus {
    Initialised = "initialised",
    Accepted = "accepted",
    PartiallyFilled = "partially_filled",
    Filled = "filled",
    Cancelled = "cancelled",
    Expired = "expired",
    Rejected = "rejected",
});
named!(Reason {
    Day = "day",
    NoBar = "no_bar",
    PriceBand = "price_band",
    Volume = "volume",
    Limit = "limit",
    Uncrossed = "uncrossed",
    Ioc = "ioc",
    Cash = "cash",
    Superseded = "superseded",
    Requested = "requested",
    InstrumentEnded = "instrument_ended",
});
