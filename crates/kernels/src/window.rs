//! Windows over the last defined values, in constant time a value and without drift.
//!
//! A window is two runs: the older values, of which the aggregate of every suffix is kept, and the
//! newer ones, of which the aggregate of all is kept. A result joins one of each, so it adds up the
//! values of its window and no others: nothing is ever subtracted, and a huge value that has left
//! leaves nothing behind. When the newer run is as long as the window it becomes the older one.
//! See Tangwongsan, Hirzel, Schneider and Wu (2015), General Incremental Sliding-Window Aggregation.

use serde::{Deserialize, Serialize};

/// What a window adds up. `join` must be associative but for rounding.
pub trait Aggregate: Copy {
    type Item: Copy;
    fn of(item: Self::Item) -> Self;
    /// The aggregate of these values followed by newer ones.
    fn join(self, newer: Self) -> Self;
    /// The aggregate of these values followed by one more.
    #[inline(always)]
    fn push(self, item: Self::Item) -> Self {
        self.join(Self::of(item))
    }
}

/// The aggregate of the last values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Window<A> {
    size: usize,
    /// Values of the newer run.
    newer: usize,
    /// Whether there is an older run.
    turned: bool,
    total: Option<A>,
    /// The newer run's values, then the suffixes of the older run that still count.
    slots: Vec<A>,
}

impl<A: Aggregate> Window<A> {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            newer: 0,
            turned: false,
            total: None,
            slots: Vec::new(),
        }
    }

    /// Take a value; the aggregate of the window once it is full.
    #[inline(always)]
    pub fn push(&mut self, item: A::Item) -> Option<A> {
        let total = match self.total {
            Some(total) => total.push(item),
            None => A::of(item),
        };
        let next = self.newer + 1;
        // Nearly always: the older run has a suffix left, which one question tells.
        if let Some(suffix) = self.slots.get(next) {
            let window = suffix.join(total);
            self.slots[self.newer] = A::of(item);
            self.newer = next;
            self.total = Some(total);
            return Some(window);
        }
        if self.turned {
            self.slots[self.newer] = A::of(item);
        } else {
            self.slots = grow(std::mem::take(&mut self.slots), item, A::of);
        }
        if next == self.size {
            turn(&mut self.slots);
            self.newer = 0;
            self.turned = true;
            self.total = None;
            return Some(total);
        }
        self.newer = next;
        self.total = Some(total);
        None
    }
}

/// Make the newer run the older one: a value becomes the aggregate of it and all after it.
#[inline(never)]
fn turn<A: Aggregate>(slots: &mut [A]) {
    if let Some((last, before)) = slots.split_last_mut() {
        let mut suffix = *last;
        for slot in before.iter_mut().rev() {
            suffix = slot.join(suffix);
            *slot = suffix;
        }
    }
}

/// One more slot. The slots change hands, for a borrowed state would have to leave its registers, and
/// so would a slot that is made before the call.
#[cold]
#[inline(never)]
fn grow<A, I>(mut slots: Vec<A>, item: I, slot: impl Fn(I) -> A) -> Vec<A> {
    slots.push(slot(item));
    slots
}

/// The last values themselves, the oldest first from `place` on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ring {
    size: usize,
    place: usize,
    values: Vec<f64>,
}

impl Ring {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            place: 0,
            values: Vec::new(),
        }
    }

    /// Take a value; the one that stood `size` values before it.
    #[inline(always)]
    pub fn push(&mut self, value: f64) -> Option<f64> {
        if self.values.len() < self.size {
            self.values = grow(std::mem::take(&mut self.values), value, |value| value);
            return None;
        }
        let old = std::mem::replace(&mut self.values[self.place], value);
        self.place += 1;
        if self.place == self.size {
            self.place = 0;
        }
        Some(old)
    }

    /// The values, in an order that depends on nothing but how many there were.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub fn is_full(&self) -> bool {
        self.values.len() == self.size
    }
}

/// The last values in their own order and by size. A value costs two binary searches and one short
/// move of memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sorted {
    ring: Ring,
    ascending: Vec<f64>,
}

impl Sorted {
    pub fn new(size: usize) -> Self {
        Self {
            ring: Ring::new(size),
            ascending: Vec::new(),
        }
    }

    /// Take a value; the window by size once it is full.
    #[inline(always)]
    pub fn push(&mut self, value: f64) -> Option<&[f64]> {
        // Both zeros are one value: a rank must not tell them apart.
        let value = value + 0.0;
        let place = |values: &[f64], value: f64| values.partition_point(|other| *other < value);
        if let Some(old) = self.ring.push(value) {
            let from = place(&self.ascending, old);
            let to = place(&self.ascending, value);
            if to > from {
                self.ascending.copy_within(from + 1..to, from);
                self.ascending[to - 1] = value;
            } else {
                self.ascending.copy_within(to..from, to + 1);
                self.ascending[to] = value;
            }
        } else {
            let to = place(&self.ascending, value);
            self.ascending = insert(std::mem::take(&mut self.ascending), to, value);
        }
        self.ring.is_full().then_some(&self.ascending)
    }
}

#[cold]
#[inline(never)]
fn insert(mut values: Vec<f64>, place: usize, value: f64) -> Vec<f64> {
    values.insert(place, value);
    values
}

/// Between two neighbours of sorted values, at a share of the way from the first to the last.
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else {
        return f64::NAN;
    };
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    let at = share * last as f64;
    let below = crate::operator::size(at.floor()).min(last);
    let above = (below + 1).min(last);
    let low = ascending[below];
    low + (at - at.floor()) * (ascending[above] - low)
}
