//! What a remote venue says: `docs/engine/remote.md`.

use serde::{Deserialize, Serialize};

use crate::order::{Leg, Side};
use crate::output::Liquidity;

/// Names of the kinds of [`Report`], as in encodings and in Python.
macro_rules! reports {
    ($($(#[$meta:meta])* $variant:ident $({ $($field:ident: $type:ty),* $(,)? })? $(($inner:ty))? = $name:literal;)+) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Report {
            $($(#[$meta])* #[serde(rename = $name)] $variant $({ $($field: $type),* })? $(($inner))?),+
        }

        impl Report {
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }
        }
    };
}

reports! {
    /// The venue has the order.
    Accepted { order: u64 } = "accepted";
    Rejected { order: u64 } = "rejected";
    Filled(Execution) = "filled";
    Cancelled { order: u64 } = "cancelled";
    Expired { order: u64 } = "expired";
    CancelRejected { order: u64 } = "cancel_rejected";
    /// The venue did not answer, so that it may have the order or not.
    Unknown { order: u64 } = "unknown";
    /// The venue takes a trade back that it had reported.
    Busted(Execution) = "busted";
}

/// A trade of ours at a venue, as the venue tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The venue's name of the trade; no other trade there bears it.
    pub trade: String,
    /// None where it is of no order of this engine.
    pub order: Option<u64>,
    pub sleeve: usize,
    pub instrument: usize,
    pub leg: Leg,
    pub side: Side,
    pub quantity: i64,
    pub price: i64,
    /// In the instrument's currency; negative is a rebate.
    pub fee: i128,
    pub liquidity: Liquidity,
}
