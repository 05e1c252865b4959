//! Dice that do not care what makes sense: numbers, prices, sizes.

use quantvista_engine::{Side, splitmix64};

use crate::world::INSTRUMENTS;

/// A stream of numbers from one seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = splitmix64(self.0);
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())].clone()
    }

    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below((high - low).unsigned_abs())).unwrap()
    }

    /// Mostly a price near 1000, now and then anything at all.
    pub fn price(&mut self) -> i64 {
        match self.below(60) {
            0 => i64::from_ne_bytes(self.roll().to_ne_bytes()),
            1 => self.between(-5, 5),
            2 => self.pick(&[i64::MIN, i64::MAX, i64::MIN + 1, 1 << 40]),
            3..10 => self.between(500, 1_500),
            _ => self.between(970, 1_030),
        }
    }

    pub fn size(&mut self) -> i64 {
        match self.below(60) {
            0 => i64::from_ne_bytes(self.roll().to_ne_bytes()),
            1 => self.pick(&[i64::MIN, i64::MAX, 0, -1]),
            2..6 => self.between(0, 100_000),
            _ => self.between(1, 300),
        }
    }

    pub fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.one_in(5)).then(|| value(self))
    }

    pub fn instrument(&mut self) -> usize {
        if self.one_in(100) {
            99
        } else {
            self.index(INSTRUMENTS)
        }
    }

    pub fn sleeve(&mut self) -> usize {
        if self.one_in(100) { 99 } else { self.index(2) }
    }

    pub fn side(&mut self) -> Side {
        self.pick(Side::ALL)
    }
}
