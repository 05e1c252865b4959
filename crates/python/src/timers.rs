//! Timers that strategies set for themselves.

use std::collections::BTreeSet;

/// When, which sleeve, in what order it was set, its name.
pub type Timer = (i64, usize, u64, String);

/// Pending timers, the earliest first.
#[derive(Default)]
pub struct Timers {
    pending: BTreeSet<Timer>,
    places: BTreeSet<u64>,
}

impl Timers {
    pub fn from_list(list: Vec<Timer>) -> Self {
        Self {
            places: list.iter().map(|timer| timer.2).collect(),
            pending: list.into_iter().collect(),
        }
    }

    pub fn to_list(&self) -> Vec<Timer> {
        self.pending.iter().cloned().collect()
    }

    pub fn set(&mut self, at: i64, sleeve: usize, name: String) {
        let place = self.places.last().map_or(0, |last| last + 1);
        self.places.insert(place);
        self.pending.insert((at, sleeve, place, name));
    }

    /// When the earliest one is due.
    pub fn next(&self) -> Option<i64> {
        self.pending.first().map(|timer| timer.0)
    }

    /// Take off the timers of a sleeve that are due at `now`, the earliest first.
    pub fn take_due(&mut self, sleeve: usize, now: i64) -> Vec<Timer> {
        if self.next().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let due: Vec<Timer> = self
            .pending
            .iter()
            .take_while(|timer| timer.0 <= now)
            .filter(|timer| timer.1 == sleeve)
            .cloned()
            .collect();
        for timer in &due {
            self.remove(timer);
        }
        due
    }

    /// Forget what is due at `now` and of a sleeve that has no handler for it.
    pub fn drop_due(&mut self, now: i64, has_handler: &[bool]) {
        for (sleeve, _) in has_handler.iter().enumerate().filter(|(_, has)| !**has) {
            self.take_due(sleeve, now);
        }
    }

    fn remove(&mut self, timer: &Timer) {
        self.pending.remove(timer);
        self.places.remove(&timer.2);
    }
}
