//! The working orders, found by id, by instrument and by the time at which they expire.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::order::{Order, Origin};

/// So many ids in a row are next to each other in a table.
const NEIGHBOURS: u64 = 64;

/// Hash for order ids, which are mostly small and sequential.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdHasher(u64);

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

/// Orders live in slots; a finished order's slot is free again after [`Book::sweep`].
#[derive(Default)]
pub(crate) struct Book {
    slots: Vec<Option<Order>>,
    /// What each order reserves or is expected to bring; follows from the order.
    holds: Vec<i128>,
    free: Vec<usize>,
    by_id: HashMap<u64, usize, BuildHasherDefault<IdHasher>>,
    by_instrument: Vec<Line>,
    /// Slots of orders removed since the last sweep.
    removed: Vec<usize>,
    /// Time and id.
    expiries: BTreeSet<(i64, u64)>,
    /// Sleeve and id of the orders that came from targets.
    from_targets: BTreeSet<(usize, u64)>,
}

/// Orders of an instrument in order of id; those that are gone are taken out in bulk.
#[derive(Default)]
struct Line {
    orders: Vec<(u64, usize)>,
    gone: usize,
}

/// So many finished orders may stay in a [`Line`] that is short.
const GONE_MIN: usize = 32;

impl Book {
    pub(crate) fn new(instruments: usize) -> Self {
        Self {
            by_instrument: (0..instruments).map(|_| Line::default()).collect(),
            ..Self::default()
        }
    }

    /// Add an order with its hold; ids must come in ascending order.
    pub(crate) fn insert(&mut self, order: &Order, hold: i128) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.holds.push(0);
            self.slots.len() - 1
        });
        self.by_id.insert(order.id, slot);
        self.tidy(order.instrument);
        self.by_instrument[order.instrument]
            .orders
            .push((order.id, slot));
        if let Some(time) = order.expire_at {
            self.expiries.insert((time, order.id));
        }
        if order.origin == Origin::Target {
            self.from_targets.insert((order.sleeve, order.id));
        }
        self.slots[slot] = Some(*order);
        self.holds[slot] = hold;
        slot
    }

    pub(crate) fn get(&self, slot: usize) -> Option<&Order> {
        self.slots[slot].as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut Order> {
        self.slots[slot].as_mut()
    }

    pub(crate) fn hold(&self, slot: usize) -> i128 {
        self.holds[slot]
    }

    /// Put a changed order in its own place.
    pub(crate) fn replace(&mut self, slot: usize, order: Order, hold: i128) {
        self.slots[slot] = Some(order);
        self.holds[slot] = hold;
    }

    /// An order expires at another time.
    pub(crate) fn move_expiry(&mut self, id: u64, from: Option<i64>, to: Option<i64>) {
        if let Some(time) = from {
            self.expiries.remove(&(time, id));
        }
        if let Some(time) = to {
            self.expiries.insert((time, id));
        }
    }

    /// The order that expires first, with its time.
    #[inline]
    pub(crate) fn next_expiry(&self) -> Option<(i64, u64)> {
        self.expiries.first().copied()
    }

    pub(crate) fn find(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The order with this id, if it stands in this slot.
    pub(crate) fn is_in(&self, slot: usize, id: u64) -> bool {
        self.slots[slot]
            .as_ref()
            .is_some_and(|order| order.id == id)
    }

    /// Id and slot of an instrument's orders in order of id; among them are finished ones, of
    /// which [`Book::is_in`] tells.
    pub(crate) fn orders_of(&self, instrument: usize) -> &[(u64, usize)] {
        &self.by_instrument[instrument].orders
    }

    /// Slots of the orders of an instrument that work now, in order of id.
    pub(crate) fn slots_of(&self, instrument: usize) -> Vec<usize> {
        let orders = self.orders_of(instrument).iter();
        orders
            .filter(|(id, slot)| self.is_in(*slot, *id))
            .map(|(_, slot)| *slot)
            .collect()
    }

    /// Slots of the orders of a sleeve that came from targets, in order of id.
    pub(crate) fn targets_of(&self, sleeve: usize) -> Vec<usize> {
        let orders = self.from_targets.range((sleeve, 0)..=(sleeve, u64::MAX));
        orders.filter_map(|(_, id)| self.find(*id)).collect()
    }

    /// Take a finished order out.
    pub(crate) fn remove(&mut self, slot: usize) {
        if let Some(order) = &self.slots[slot] {
            self.by_id.remove(&order.id);
            if let Some(time) = order.expire_at {
                self.expiries.remove(&(time, order.id));
            }
            if order.origin == Origin::Target {
                self.from_targets.remove(&(order.sleeve, order.id));
            }
            let line = &mut self.by_instrument[order.instrument];
            if line.orders.last() == Some(&(order.id, slot)) {
                line.orders.pop();
            } else {
                line.gone += 1;
            }
            self.slots[slot] = None;
            self.removed.push(slot);
        }
    }

    /// Free the slots of the orders removed since the last sweep.
    pub(crate) fn sweep(&mut self) {
        if self.removed.is_empty() {
            return;
        }
        self.free.append(&mut self.removed);
    }

    /// Forget the finished orders of an instrument, if they are many beside those that work.
    fn tidy(&mut self, instrument: usize) {
        let Self {
            slots,
            by_instrument,
            ..
        } = self;
        let line = &mut by_instrument[instrument];
        if line.gone > GONE_MIN && line.gone * 2 > line.orders.len() {
            line.orders
                .retain(|(id, slot)| slots[*slot].as_ref().is_some_and(|order| order.id == *id));
            line.gone = 0;
        }
    }

    /// All working orders in order of id.
    pub(crate) fn working(&self) -> Vec<Order> {
        let mut orders: Vec<Order> = self.slots.iter().flatten().copied().collect();
        orders.sort_unstable_by_key(|order| order.id);
        orders
    }
}
