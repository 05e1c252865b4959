//! The orders of an L3 book, and which of them stand before one of ours.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use crate::market::BookOrder;
use crate::order::Side;

/// So many ids in a row are next to each other in a table.
const NEIGHBOURS: u64 = 64;

/// Hash for order ids, which are mostly small and sequential.
#[derive(Debug, Clone, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        // Neighbours stay together, for new orders are looked at most; blocks of them are spread by
        // Fibonacci hashing.
        let mixed = (self.0 ^ (id / NEIGHBOURS)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let place = (mixed >> 16) * NEIGHBOURS + id % NEIGHBOURS;
        // The upper bits tell apart those that meet in one place.
        self.0 = place & (u64::MAX >> 7) | id << 57;
    }
}

/// An order of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) side: Side,
    pub(crate) price: i64,
    pub(crate) size: i64,
    /// Its place in time among the orders of the book, ours included.
    pub(crate) place: u64,
}

/// A quantity that no longer stands before those who came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) side: Side,
    pub(crate) price: i64,
    pub(crate) place: u64,
    pub(crate) quantity: i64,
}

type ById = HashMap<u64, Standing, BuildHasherDefault<IdHasher>>;

/// The orders of a book by their ids. They are never iterated over but in order of id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    orders: ById,
    /// Those before the snapshot that is coming in.
    former: ById,
    places: u64,
}

/// A queue as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueueState {
    orders: BTreeMap<u64, Standing>,
    former: BTreeMap<u64, Standing>,
    places: u64,
}

impl Queue {
    /// The next place in time.
    pub(crate) fn next_place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    /// What this change of an order leaves as it was before, and after it; both are None where
    /// there is nothing.
    pub(crate) fn change(&mut self, change: &BookOrder) -> (Option<Standing>, Option<Standing>) {
        let before = self.orders.remove(&change.id);
        if change.size == 0 {
            return (before, None);
        }
        let keeps = |old: &&Standing| {
            old.side == change.side && old.price == change.price && change.size <= old.size
        };
        let place = before
            .as_ref()
            .filter(keeps)
            .or_else(|| self.former.get(&change.id).filter(keeps))
            .map(|old| old.place);
        let place = place.unwrap_or_else(|| self.next_place());
        let after = Standing {
            side: change.side,
            price: change.price,
            size: change.size,
            place,
        };
        self.orders.insert(change.id, after);
        (before, Some(after))
    }

    /// A snapshot begins.
    pub(crate) fn clear(&mut self) {
        let orders = std::mem::take(&mut self.orders);
        // A second snapshot before the first was complete: the older orders are still those
        // whose places count.
        for (id, standing) in orders {
            self.former.entry(id).or_insert(standing);
        }
    }

    /// No order stands any more.
    pub(crate) fn forget(&mut self) {
        self.orders = ById::default();
        self.former = ById::default();
    }

    /// A message is complete; whether it was a snapshot.
    pub(crate) fn settle(&mut self) -> bool {
        let was_snapshot = !self.former.is_empty();
        self.former = ById::default();
        was_snapshot
    }

    /// What stands at a price before a place in time.
    pub(crate) fn ahead_of(&self, side: Side, price: i64, place: u64) -> i64 {
        self.orders
            .values()
            .filter(|order| order.side == side && order.price == price && order.place < place)
            .map(|order| order.size)
            .sum()
    }

    pub(crate) fn state(&self) -> QueueState {
        let sorted = |orders: &ById| orders.iter().map(|(id, order)| (*id, *order)).collect();
        QueueState {
            orders: sorted(&self.orders),
            former: sorted(&self.former),
            places: self.places,
        }
    }

    pub(crate) fn restore(state: QueueState) -> Self {
        Self {
            orders: state.orders.into_iter().collect(),
            former: state.former.into_iter().collect(),
            places: state.places,
        }
    }
}

/// What a change took away from before those who came later.
pub(crate) fn left(before: Option<Standing>, after: Option<Standing>) -> Option<Left> {
    let before = before?;
    let kept = after
        .filter(|after| after.place == before.place)
        .map_or(0, |after| after.size);
    Some(Left {
        side: before.side,
        price: before.price,
        place: before.place,
        quantity: before.size - kept,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: u64, price: i64, size: i64) -> BookOrder {
        BookOrder {
            id,
            side: Side::Buy,
            price,
            size,
            more: false,
        }
    }

    #[test]
    fn smaller_orders_keep_their_place_and_others_go_to_the_back() {
        let mut queue = Queue::default();
        queue.change(&change(7, 100, 10));
        queue.change(&change(8, 100, 10));
        let ours = queue.next_place();
        assert_eq!(queue.ahead_of(Side::Buy, 100, ours), 20);
        let (before, after) = queue.change(&change(7, 100, 4));
        assert_eq!(left(before, after).unwrap().quantity, 6);
        let (before, after) = queue.change(&change(8, 100, 11));
        assert_eq!(left(before, after).unwrap().quantity, 10);
        assert_eq!(queue.ahead_of(Side::Buy, 100, ours), 4);
        let (before, after) = queue.change(&change(7, 101, 4));
        assert_eq!(left(before, after).unwrap().price, 100);
        assert_eq!(queue.ahead_of(Side::Buy, 100, ours), 0);
        assert_eq!(queue.change(&change(99, 100, 0)), (None, None));
    }

    #[test]
    fn a_snapshot_keeps_the_places_of_those_it_names_again() {
        let mut queue = Queue::default();
        queue.change(&change(1, 100, 10));
        let ours = queue.next_place();
        queue.change(&change(2, 100, 10));
        queue.clear();
        assert_eq!(queue.ahead_of(Side::Buy, 100, ours), 0);
        for id in [3, 2, 1] {
            queue.change(&change(id, 100, 9));
        }
        assert!(queue.settle());
        assert_eq!(queue.ahead_of(Side::Buy, 100, ours), 9);
        assert_eq!(Queue::restore(queue.state()), queue);
        assert!(!queue.settle());
    }
}
