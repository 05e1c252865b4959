//! Market data of event instruments: what is quoted, traded and stands in a book.

pub(crate) mod ladder;
pub(crate) mod queue;
pub(crate) mod standing;

use serde::{Deserialize, Serialize};

use crate::order::{Side, named};

named!(
    /// What an instrument is matched against.
    DataKind { Bars = "bars", Quotes = "quotes", Trades = "trades", L2 = "l2", L3 = "l3" }
);

named!(TradingStatus { Trading = "trading", Halted = "halted" });

named!(AuctionKind { Open = "open", Close = "close" });

/// The best prices and what stands there. A side that is absent has no price; a size that is
/// absent is unknown and counts as unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub bid: Option<i64>,
    pub bid_size: Option<i64>,
    pub ask: Option<i64>,
    pub ask_size: Option<i64>,
}

/// A trade of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    pub price: i64,
    pub size: i64,
    /// Side of the order that came in; None where it is not known.
    pub aggressor: Option<Side>,
}

/// The whole quantity that now stands at a price; 0 removes the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookLevel {
    /// Of the orders that stand there: buys are bids.
    pub side: Side,
    pub price: i64,
    pub size: i64,
    /// More of the same message follows; matching waits for the last.
    pub more: bool,
}

/// A change of one order of the book; size 0 deletes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookOrder {
    pub id: u64,
    pub side: Side,
    pub price: i64,
    pub size: i64,
    pub more: bool,
}

/// The result of an auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auction {
    pub kind: AuctionKind,
    pub price: i64,
    pub volume: Option<i64>,
}
