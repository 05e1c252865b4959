//! Levels of one side of a market, best last.

use serde::{Deserialize, Serialize};

use crate::order::Side;

/// What stands at a price, and what our orders took of it since it was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) price: i64,
    pub(crate) size: i64,
    pub(crate) taken: i64,
}

/// Sorted, for most changes come near the best price, which is where a vector is cheap to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ladder {
    side: Side,
    /// From worst to best.
    levels: Vec<Level>,
}

impl Ladder {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            levels: Vec::new(),
        }
    }

    /// The whole quantity that now stands at a price; 0 removes the level.
    #[inline]
    pub(crate) fn set(&mut self, price: i64, size: i64) {
        let place = self.place(price);
        let is_there = self
            .levels
            .get(place)
            .is_some_and(|level| level.price == price);
        let level = Level {
            price,
            size,
            taken: 0,
        };
        match (is_there, size > 0) {
            (true, true) => self.levels[place] = level,
            (true, false) => {
                self.levels.remove(place);
            }
            (false, true) => self.levels.insert(place, level),
            (false, false) => {}
        }
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(crate) fn size_at(&self, price: i64) -> i64 {
        self.levels
            .get(self.place(price))
            .filter(|level| level.price == price)
            .map_or(0, |level| level.size)
    }

    pub(crate) fn best(&self) -> Option<i64> {
        self.levels.last().map(|level| level.price)
    }

    /// The level so many below the best.
    pub(crate) fn level(&self, depth: usize) -> Option<&Level> {
        let place = self.levels.len().checked_sub(depth + 1)?;
        self.levels.get(place)
    }

    /// Our orders took from a level.
    pub(crate) fn take(&mut self, depth: usize, quantity: i64) {
        let place = self.levels.len() - depth - 1;
        self.levels[place].taken += quantity;
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Whether it is in order and holds no empty levels, as a restored one must be.
    pub(crate) fn is_sound(&self, side: Side) -> bool {
        let ascends = |pair: &[Level]| match side {
            Side::Buy => pair[0].price < pair[1].price,
            Side::Sell => pair[0].price > pair[1].price,
        };
        self.side == side
            && self.levels.windows(2).all(ascends)
            && self
                .levels
                .iter()
                .all(|level| level.size > 0 && level.taken >= 0)
    }

    /// Where a price is, or would be.
    #[inline]
    fn place(&self, price: i64) -> usize {
        let is_worse = |level: &Level| match self.side {
            Side::Buy => level.price < price,
            Side::Sell => level.price > price,
        };
        // Most messages are about the levels near the best one.
        let tail = self.levels.len().saturating_sub(8);
        match self.levels.get(tail) {
            Some(level) if is_worse(level) => tail + self.levels[tail..].partition_point(is_worse),
            _ => self.levels[..tail].partition_point(is_worse),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ladders_agree_with_a_sorted_map(
            changes in vec((0..60_i64, 0..5_i64), 0..300), is_buy in any::<bool>(),
        ) {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let mut ladder = Ladder::new(side);
            let mut map = BTreeMap::new();
            for (price, size) in changes {
                ladder.set(price, size);
                if size > 0 { map.insert(price, size); } else { map.remove(&price); }
                prop_assert_eq!(ladder.size_at(price), size);
            }
            let mut expected: Vec<_> = map.into_iter().collect();
            if is_buy { expected.reverse(); }
            let found: Vec<_> = (0..ladder.len())
                .map(|depth| ladder.level(depth).map(|level| (level.price, level.size)).unwrap())
                .collect();
            prop_assert_eq!(ladder.best(), expected.first().map(|level| level.0));
            prop_assert_eq!(found, expected);
            prop_assert!(ladder.is_sound(side));
        }
    }

    #[test]
    fn what_was_taken_is_remembered_until_the_level_is_told_anew() {
        let mut ladder = Ladder::new(Side::Sell);
        ladder.set(10, 5);
        ladder.set(11, 7);
        ladder.take(0, 3);
        assert_eq!(ladder.level(0).unwrap().taken, 3);
        ladder.set(11, 8);
        assert_eq!(ladder.level(0).unwrap().taken, 3);
        ladder.set(10, 5);
        assert_eq!(ladder.level(0).unwrap().taken, 0);
    }
}
