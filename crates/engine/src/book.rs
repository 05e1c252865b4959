//! The working orders, found by id and by instrument.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::order::Order;

/// Hash for order ids, which are small and sequential.
#[derive(Default)]
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
        // Fibonacci hashing: spreads neighbours over the table.
        self.0 = (self.0 ^ id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
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
    by_instrument: Vec<Vec<usize>>,
    swept: Vec<usize>,
}

impl Book {
    pub(crate) fn new(instruments: usize) -> Self {
        Self {
            by_instrument: vec![Vec::new(); instruments],
            ..Self::default()
        }
    }

    /// Add an order with its hold; ids must come in ascending order.
    pub(crate) fn insert(&mut self, order: Order, hold: i128) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.holds.push(0);
            self.slots.len() - 1
        });
        self.by_id.insert(order.id, slot);
        self.by_instrument[order.instrument].push(slot);
        self.slots[slot] = Some(order);
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

    /// Put a partly filled order in its own place.
    pub(crate) fn replace(&mut self, slot: usize, order: Order, hold: i128) {
        self.slots[slot] = Some(order);
        self.holds[slot] = hold;
    }

    pub(crate) fn find(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// Slots of an instrument's orders in order of id; finished ones among them are empty.
    pub(crate) fn slots_of(&self, instrument: usize) -> &[usize] {
        &self.by_instrument[instrument]
    }

    /// Take a finished order out.
    pub(crate) fn remove(&mut self, slot: usize) {
        if let Some(order) = self.slots[slot].take() {
            self.by_id.remove(&order.id);
            self.swept.push(order.instrument);
        }
    }

    /// Free the slots of the orders removed since the last sweep.
    pub(crate) fn sweep(&mut self) {
        if self.swept.is_empty() {
            return;
        }
        let mut swept = std::mem::take(&mut self.swept);
        for instrument in swept.drain(..) {
            let Self {
                slots,
                free,
                by_instrument,
                ..
            } = self;
            by_instrument[instrument].retain(|slot| {
                let working = slots[*slot].is_some();
                if !working {
                    free.push(*slot);
                }
                working
            });
        }
        self.swept = swept;
    }

    /// All working orders in order of id.
    pub(crate) fn working(&self) -> Vec<Order> {
        let mut orders: Vec<Order> = self.slots.iter().flatten().copied().collect();
        orders.sort_unstable_by_key(|order| order.id);
        orders
    }
}
