//! The working orders, found by id, by instrument and by the time at which they expire.

use std::collections::{BTreeMap, BTreeSet};

use crate::order::{Order, Origin};

/// So many ids in a row share a page.
const PAGE: usize = 64;

/// No order stands there.
const NONE: usize = usize::MAX;

/// Slots of the orders of some ids in a row.
struct Page {
    number: u64,
    slots: [usize; PAGE],
    count: usize,
}

/// Where orders are, by id. Ids are given out in a row, and new orders are looked at most: the
/// newest page is at hand, of the older ones there are those that have working orders.
struct Index {
    newest: Box<Page>,
    older: BTreeMap<u64, Box<Page>>,
}

impl Page {
    fn new(number: u64) -> Box<Self> {
        Box::new(Self {
            number,
            slots: [NONE; PAGE],
            count: 0,
        })
    }

    fn find(&self, place: usize) -> Option<usize> {
        Some(self.slots[place]).filter(|slot| *slot != NONE)
    }
}

/// The page of an id, and its place there.
#[expect(clippy::cast_possible_truncation, reason = "below the size of a page")]
fn page_of(id: u64) -> (u64, usize) {
    (id / PAGE as u64, (id % PAGE as u64) as usize)
}

impl Default for Index {
    fn default() -> Self {
        Self {
            newest: Page::new(0),
            older: BTreeMap::new(),
        }
    }
}

impl Index {
    /// Ids must come in ascending order.
    #[inline]
    fn insert(&mut self, id: u64, slot: usize) {
        let (number, place) = page_of(id);
        if self.newest.number != number {
            self.turn(number);
        }
        self.newest.slots[place] = slot;
        self.newest.count += 1;
    }

    #[cold]
    fn turn(&mut self, number: u64) {
        if self.newest.count == 0 && !self.older.contains_key(&number) {
            self.newest.number = number;
            return;
        }
        let new = self.older.remove(&number);
        let new = new.unwrap_or_else(|| Page::new(number));
        let old = std::mem::replace(&mut self.newest, new);
        self.older.insert(old.number, old);
    }

    #[inline]
    fn find(&self, id: u64) -> Option<usize> {
        let (number, place) = page_of(id);
        if self.newest.number == number {
            return self.newest.find(place);
        }
        self.older.get(&number)?.find(place)
    }

    /// Forget an order that is there.
    #[inline]
    fn remove(&mut self, id: u64) {
        let (number, place) = page_of(id);
        if self.newest.number == number {
            self.newest.slots[place] = NONE;
            self.newest.count -= 1;
        } else {
            self.remove_older(number, place);
        }
    }

    fn remove_older(&mut self, number: u64, place: usize) {
        if let Some(page) = self.older.get_mut(&number) {
            page.slots[place] = NONE;
            page.count -= 1;
            if page.count == 0 {
                self.older.remove(&number);
            }
        }
    }
}

/// Where an order lives.
struct Slot {
    order: Order,
    /// What the order reserves or is expected to bring; follows from the order.
    hold: i128,
    /// Whether the order works; what is left of a finished one stays readable until the next
    /// order comes here.
    works: bool,
}

/// Orders live in slots; a finished order's slot is free again after [`Book::sweep`].
#[derive(Default)]
pub(crate) struct Book {
    slots: Vec<Slot>,
    free: Vec<usize>,
    by_id: Index,
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
        let slot = if let Some(slot) = self.free.pop() {
            let found = &mut self.slots[slot];
            found.order = *order;
            found.hold = hold;
            found.works = true;
            slot
        } else {
            self.slots.push(Slot {
                order: *order,
                hold,
                works: true,
            });
            self.slots.len() - 1
        };
        self.by_id.insert(order.id, slot);
        self.tidy(order.instrument);
        self.by_instrument[order.instrument]
            .orders
            .push((order.id, slot));
        if let Some(time) = order.expire_at.filter(|_| !order.remote) {
            self.expiries.insert((time, order.id));
        }
        if order.origin == Origin::Target {
            self.from_targets.insert((order.sleeve, order.id));
        }
        slot
    }

    #[inline]
    pub(crate) fn get(&self, slot: usize) -> Option<&Order> {
        let found = &self.slots[slot];
        found.works.then_some(&found.order)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut Order> {
        let found = &mut self.slots[slot];
        found.works.then_some(&mut found.order)
    }

    /// An order that works, or did so until just now.
    #[inline]
    pub(crate) fn latest(&self, slot: usize) -> &Order {
        &self.slots[slot].order
    }

    #[inline]
    pub(crate) fn hold(&self, slot: usize) -> i128 {
        self.slots[slot].hold
    }

    /// Put a changed order in its own place.
    pub(crate) fn replace(&mut self, slot: usize, order: Order, hold: i128) {
        let found = &mut self.slots[slot];
        found.order = order;
        found.hold = hold;
    }

    /// An order holds something else.
    pub(crate) fn set_hold(&mut self, slot: usize, hold: i128) {
        self.slots[slot].hold = hold;
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
        self.by_id.find(id)
    }

    /// The order with this id, if it stands in this slot.
    #[inline]
    pub(crate) fn is_in(&self, slot: usize, id: u64) -> bool {
        self.get(slot).is_some_and(|order| order.id == id)
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
        let Slot { order, works, .. } = &mut self.slots[slot];
        if !std::mem::take(works) {
            return;
        }
        self.by_id.remove(order.id);
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
        self.removed.push(slot);
    }

    /// Free the slots of the orders removed since the last sweep.
    pub(crate) fn sweep(&mut self) {
        // Mostly it is one; draining costs more.
        for &slot in &self.removed {
            self.free.push(slot);
        }
        self.removed.clear();
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
                .retain(|(id, slot)| slots[*slot].works && slots[*slot].order.id == *id);
            line.gone = 0;
        }
    }

    /// All working orders in order of id.
    pub(crate) fn working(&self) -> Vec<Order> {
        let working = self.slots.iter().filter(|slot| slot.works);
        let mut orders: Vec<Order> = working.map(|slot| slot.order).collect();
        orders.sort_unstable_by_key(|order| order.id);
        orders
    }
}
