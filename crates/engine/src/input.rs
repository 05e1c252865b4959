//! What the engine is told, and the order in which it may be told.

use serde::{Deserialize, Serialize};

use crate::order::{OrderKind, Side, TimeInForce};

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    InstrumentEnded {
        instrument: usize,
    },
    Bar {
        instrument: usize,
        bar: Bar,
    },
    BarMissing {
        instrument: usize,
    },
    Barrier {
        session_start: bool,
        session_end: bool,
    },
    TargetPortfolio {
        sleeve: usize,
        targets: Vec<(usize, i64)>,
    },
    SubmitOrder(OrderRequest),
    CancelOrder {
        order: u64,
    },
    ActivateSemantics {
        number: u16,
    },
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
    pub limit_price: Option<i64>,
}

/// Place of an input in the total order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub ts_received: i64,
    pub class: u8,
    pub source: u32,
    pub sequence: u64,
}

impl Event {
    /// Rank among events of the same time: reports (0, none yet), corporate actions, market,
    /// timer, strategy, orders.
    #[must_use]
    pub fn class(&self) -> u8 {
        match self {
            Self::InstrumentEnded { .. } => 1,
            Self::Bar { .. } | Self::BarMissing { .. } => 2,
            Self::Barrier { .. } => 3,
            Self::TargetPortfolio { .. } => 4,
            Self::SubmitOrder(_) | Self::CancelOrder { .. } | Self::ActivateSemantics { .. } => 5,
        }
    }
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
