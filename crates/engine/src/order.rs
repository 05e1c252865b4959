//! Orders and the life they may lead.

use serde::{Deserialize, Serialize};

use crate::config::is_false;
use crate::input::OrderRequest;

/// Names as they stand in the files of a run, in encodings and in Python.
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$variant_meta:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type { $($(#[$variant_meta])* #[serde(rename = $name)] $variant),+ }

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

/// Names of the variants of an enumeration that come with terms, as serde writes them. All of them:
/// one that is left out does not compile.
macro_rules! kinds {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All kinds by name.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }
        }
    };
}
pub(crate) use kinds;

named!(Side { Buy = "buy", Sell = "sell" });

named!(OrderKind {
    Market = "market",
    Limit = "limit",
    Stop = "stop",
    StopLimit = "stop_limit",
    TrailingStop = "trailing_stop",
    MarketIfTouched = "market_if_touched",
    LimitIfTouched = "limit_if_touched",
    OnOpen = "on_open",
    OnClose = "on_close",
});

named!(TimeInForce { Day = "day", Gtc = "gtc", Gtd = "gtd", Ioc = "ioc", Fok = "fok" });

named!(
    /// Which position of a hedging account an order works on; `Net` in a netting account.
    Leg { Net = "net", Long = "long", Short = "short" }
);

named!(
    /// Which price a trigger watches.
    TriggerSource { Last = "last", Bid = "bid", Ask = "ask", Mark = "mark" }
);

named!(
    /// Who asked for an order.
    Origin {
        Strategy = "strategy",
        Target = "target",
        /// The engine itself, to meet a margin call.
        Liquidation = "liquidation",
        /// The operator's command to flatten.
        Operator = "operator",
    }
);

named!(OrderStatus {
    Initialised = "initialised",
    /// Waits for its parent to fill.
    Held = "held",
    /// On its way to the venue.
    Submitted = "submitted",
    /// On its way to a remote venue, which may have it or not: it could not be asked.
    Unknown = "unknown",
    Accepted = "accepted",
    /// A stop or if-touched order that has become active.
    Triggered = "triggered",
    PartiallyFilled = "partially_filled",
    Filled = "filled",
    Cancelled = "cancelled",
    Expired = "expired",
    Rejected = "rejected",
});

named!(
    /// Why an order was not filled, cancelled or expired.
    Reason {
        /// Nothing special: the session ended.
        Day = "day",
        NoBar = "no_bar",
        PriceBand = "price_band",
        Volume = "volume",
        Limit = "limit",
        Uncrossed = "uncrossed",
        Ioc = "ioc",
        Fok = "fok",
        Gtd = "gtd",
        Cash = "cash",
        Margin = "margin",
        Superseded = "superseded",
        Requested = "requested",
        /// Another order took its place.
        Replaced = "replaced",
        InstrumentEnded = "instrument_ended",
        /// Its sibling or parent ended.
        Linked = "linked",
        PostOnly = "post_only",
        ReduceOnly = "reduce_only",
        /// The fund or the sleeve may take no new risk.
        State = "state",
        /// A corporate action left nothing that could be traded.
        Action = "action",
        /// Its instrument did not trade.
        Halted = "halted",
        /// The market did not reach its trigger.
        Trigger = "trigger",
        /// A remote venue ended it by itself.
        Venue = "venue",
    }
);

impl OrderKind {
    /// Whether it becomes active by a trigger.
    #[must_use]
    pub fn is_triggered(self) -> bool {
        self.is_stop() || matches!(self, Self::MarketIfTouched | Self::LimitIfTouched)
    }

    /// Whether it becomes active when the market goes against it.
    #[must_use]
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Stop | Self::StopLimit | Self::TrailingStop)
    }

    /// Whether it has a limit price.
    #[must_use]
    pub fn has_limit(self) -> bool {
        matches!(self, Self::Limit | Self::StopLimit | Self::LimitIfTouched)
    }
}

impl Leg {
    /// Place of the position among those of an instrument.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Net | Self::Long => 0,
            Self::Short => 1,
        }
    }
}

impl Side {
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `quantity` with the sign that it gives to a position.
    #[must_use]
    pub fn signed(self, quantity: i64) -> i64 {
        match self {
            Self::Buy => quantity,
            Self::Sell => -quantity,
        }
    }
}

/// How far behind the best price a trailing stop follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trail {
    /// In price units.
    Amount(i64),
    /// In `10^-9` of the price.
    Rate(i64),
}

kinds!(Trail {
    Amount = "amount",
    Rate = "rate",
});

named!(
    /// How the orders of a list hang together.
    Link {
        /// One cancels the other: a fill of one reduces the others by as much.
        Oco = "oco",
        /// One triggers the others: the first is the parent, the others wait for its fills.
        Oto = "oto",
        /// An entry that triggers two exits which are linked as [`Link::Oco`].
        Bracket = "bracket",
    }
);

use OrderStatus as S;

/// Every transition there is; what is not listed is illegal.
pub const TRANSITIONS: &[(OrderStatus, OrderStatus)] = &[
    (S::Initialised, S::Held),
    (S::Initialised, S::Submitted),
    (S::Initialised, S::Accepted),
    (S::Initialised, S::Rejected),
    (S::Held, S::Accepted),
    (S::Held, S::Rejected),
    (S::Held, S::Cancelled),
    (S::Held, S::Expired),
    (S::Submitted, S::Accepted),
    (S::Submitted, S::Cancelled),
    (S::Submitted, S::Expired),
    (S::Submitted, S::Rejected),
    (S::Submitted, S::Unknown),
    (S::Unknown, S::Accepted),
    (S::Unknown, S::Cancelled),
    (S::Unknown, S::Expired),
    (S::Unknown, S::Rejected),
    (S::Accepted, S::Triggered),
    (S::Accepted, S::PartiallyFilled),
    (S::Accepted, S::Filled),
    (S::Accepted, S::Cancelled),
    (S::Accepted, S::Expired),
    (S::Triggered, S::PartiallyFilled),
    (S::Triggered, S::Filled),
    (S::Triggered, S::Cancelled),
    (S::Triggered, S::Expired),
    (S::PartiallyFilled, S::PartiallyFilled),
    (S::PartiallyFilled, S::Filled),
    (S::PartiallyFilled, S::Cancelled),
    (S::PartiallyFilled, S::Expired),
];

impl OrderStatus {
    /// Whether an order may go from this status to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }

    /// Whether nothing more can happen to an order.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, S::Filled | S::Cancelled | S::Expired | S::Rejected)
    }
}

/// A working order. Finished ones leave the state; the outputs tell their story.
#[expect(
    clippy::struct_excessive_bools,
    reason = "terms of an order, each its own"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub ts: i64,
    /// When it came to the venue, at its present terms.
    pub arrival: i64,
    pub sleeve: usize,
    pub instrument: usize,
    pub side: Side,
    pub kind: OrderKind,
    pub tif: TimeInForce,
    pub limit_price: Option<i64>,
    pub trigger_price: Option<i64>,
    pub trail: Option<Trail>,
    pub trigger_by: Option<TriggerSource>,
    /// For [`TimeInForce::Gtd`]: the first time at which it no longer works.
    pub expire_at: Option<i64>,
    /// For an iceberg: how much of it is shown at a time.
    pub display_quantity: Option<i64>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub leg: Leg,
    pub origin: Origin,
    pub quantity: i64,
    pub filled: i64,
    /// Limit price, else trigger price, else the mark at acceptance: centre of its band, price of
    /// its reserve.
    pub reference: i64,
    /// By how much the reference was worse than the mark at acceptance, in price units; for
    /// margin accounts.
    pub adverse: i64,
    pub status: OrderStatus,
    pub due: bool,
    /// Of a kind with a trigger: whether it was met.
    pub triggered: bool,
    /// Whether it met the market and stands there since.
    pub rested: bool,
    pub reason: Reason,
    /// The order whose fills release this one.
    pub parent: Option<u64>,
    /// How many orders its fills release; their ids follow its own.
    pub children: u8,
    /// Its group of orders that cancel each other, named by the first of them.
    pub group: Option<u64>,
    /// Whether it counts as in flight: of a group only one does.
    pub counted: bool,
    /// Whether its venue is a remote one, where nothing but reports moves it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remote: bool,
}

impl Order {
    #[must_use]
    pub fn unfilled(&self) -> i64 {
        self.quantity - self.filled
    }

    /// The order when so much more of it has filled.
    #[must_use]
    pub(crate) fn after(&self, quantity: i64) -> Self {
        Self {
            filled: self.filled + quantity,
            ..*self
        }
    }

    /// Whether it stands at a simulated venue: no longer on its way there, and not held for its
    /// parent.
    #[must_use]
    pub fn is_at_venue(&self) -> bool {
        !self.remote && !matches!(self.status, S::Held | S::Submitted)
    }

    /// Whether a remote venue has not said yet that it has the order.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.remote && matches!(self.status, S::Submitted | S::Unknown)
    }

    /// Whether it waits at the venue for its trigger.
    #[must_use]
    pub fn waits_for_trigger(&self) -> bool {
        self.kind.is_triggered() && !self.triggered && self.is_at_venue()
    }

    /// The order as it would be asked for now: its terms, and what is unfilled.
    #[must_use]
    pub fn request(&self) -> OrderRequest {
        OrderRequest {
            sleeve: self.sleeve,
            instrument: self.instrument,
            side: self.side,
            quantity: self.unfilled(),
            kind: self.kind,
            tif: self.tif,
            limit_price: self.limit_price,
            // The engine sets the trigger of a trailing stop; nobody asks for it.
            trigger_price: self
                .trigger_price
                .filter(|_| self.kind != OrderKind::TrailingStop),
            trail: self.trail,
            trigger_by: self.trigger_by,
            expire_at: self.expire_at,
            // It cannot show more than there is.
            display_quantity: self
                .display_quantity
                .map(|shown| shown.min(self.unfilled())),
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            leg: self.leg,
        }
    }
}
