//! Our orders at the venue of one instrument, in the order in which they match.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::order::Side;

/// What an order at the venue waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Queue {
    /// Whatever it can take: it has no limit.
    Waiting,
    /// Somebody to come to its limit.
    Resting,
    /// Its first trade, on instruments where nothing stands.
    Fresh,
    /// An auction.
    Auction,
}

const QUEUES: usize = 4;

/// Where an order stands: best price first, then by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) queue: Queue,
    pub(crate) side: Side,
    /// Its limit price, negated for buys; 0 without one.
    pub(crate) key: i64,
    pub(crate) rank: u64,
}

/// An order on its stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) slot: usize,
    /// What stands before it at its price.
    pub(crate) ahead: i64,
    /// What of an iceberg shows and is not filled yet.
    pub(crate) shown: i64,
    /// Its place in time among the orders of an L3 book.
    pub(crate) place: u64,
}

/// A seat as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeatState {
    pub(crate) order: u64,
    pub(crate) queue: Queue,
    pub(crate) rank: u64,
    pub(crate) ahead: i64,
    pub(crate) shown: i64,
    pub(crate) place: u64,
}

type Line = BTreeMap<(i64, u64), Seat>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Desk {
    /// The last rank that was given.
    pub(crate) ranks: u64,
    lines: [[Line; 2]; QUEUES],
}

/// The key of a limit price: the most aggressive price is the smallest.
pub(crate) fn key_of(side: Side, limit: Option<i64>) -> i64 {
    match (side, limit) {
        (_, None) => 0,
        (Side::Buy, Some(price)) => -price,
        (Side::Sell, Some(price)) => price,
    }
}

impl Stand {
    /// The limit price that the stand stands for.
    pub(crate) fn price(&self) -> i64 {
        match self.side {
            Side::Buy => -self.key,
            Side::Sell => self.key,
        }
    }
}

impl Desk {
    pub(crate) fn next_rank(&mut self) -> u64 {
        self.ranks += 1;
        self.ranks
    }

    pub(crate) fn put(&mut self, stand: Stand, seat: Seat) {
        self.line_mut(stand.queue, stand.side)
            .insert((stand.key, stand.rank), seat);
    }

    pub(crate) fn take_away(&mut self, stand: Stand) {
        self.line_mut(stand.queue, stand.side)
            .remove(&(stand.key, stand.rank));
    }

    pub(crate) fn seat(&self, stand: Stand) -> Option<&Seat> {
        self.line(stand.queue, stand.side)
            .get(&(stand.key, stand.rank))
    }

    pub(crate) fn seat_mut(&mut self, stand: Stand) -> Option<&mut Seat> {
        self.line_mut(stand.queue, stand.side)
            .get_mut(&(stand.key, stand.rank))
    }

    pub(crate) fn is_empty(&self, queue: Queue, side: Side) -> bool {
        self.line(queue, side).is_empty()
    }

    /// The most aggressive limit price that rests on a side.
    pub(crate) fn best_resting(&self, side: Side) -> Option<i64> {
        let (key, _) = self.line(Queue::Resting, side).first_key_value()?.0;
        Some(match side {
            Side::Buy => -key,
            Side::Sell => *key,
        })
    }

    /// Spots and slots of a line, as far as their keys are at most `key`.
    pub(crate) fn up_to(
        &self,
        queue: Queue,
        side: Side,
        key: i64,
    ) -> impl Iterator<Item = (Stand, usize)> {
        self.line(queue, side)
            .range(..=(key, u64::MAX))
            .map(move |(&(key, rank), seat)| {
                let stand = Stand {
                    queue,
                    side,
                    key,
                    rank,
                };
                (stand, seat.slot)
            })
    }

    /// The seats that rest at a price.
    pub(crate) fn resting_at(&mut self, side: Side, price: i64) -> impl Iterator<Item = &mut Seat> {
        let key = key_of(side, Some(price));
        self.line_mut(Queue::Resting, side)
            .range_mut((key, 0)..=(key, u64::MAX))
            .map(|(_, seat)| seat)
    }

    /// All seats that rest on a side, with their prices.
    pub(crate) fn resting(&mut self, side: Side) -> impl Iterator<Item = (i64, &mut Seat)> {
        self.line_mut(Queue::Resting, side)
            .iter_mut()
            .map(move |((key, _), seat)| {
                let price = match side {
                    Side::Buy => -key,
                    Side::Sell => *key,
                };
                (price, seat)
            })
    }

    /// Every seat with its stand.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Stand, &Seat)> {
        const ALL: [Queue; QUEUES] = [Queue::Waiting, Queue::Resting, Queue::Fresh, Queue::Auction];
        ALL.into_iter()
            .flat_map(|queue| [(queue, Side::Buy), (queue, Side::Sell)])
            .flat_map(|(queue, side)| {
                self.line(queue, side)
                    .iter()
                    .map(move |(&(key, rank), seat)| {
                        let stand = Stand {
                            queue,
                            side,
                            key,
                            rank,
                        };
                        (stand, seat)
                    })
            })
    }

    fn line(&self, queue: Queue, side: Side) -> &Line {
        &self.lines[queue as usize][side as usize]
    }

    fn line_mut(&mut self, queue: Queue, side: Side) -> &mut Line {
        &mut self.lines[queue as usize][side as usize]
    }
}
