//! What is held and in flight in one place, and what it is worth.

use crate::numbers::{Result, add, quantity_add, sub};
use crate::order::Side;

/// What a sleeve holds of an instrument on one leg, and what it buys and sells in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) held: i64,
    pub(crate) buys: i64,
    pub(crate) sales: i64,
}

/// What the fund may come to hold of an instrument: the most and the least, and what these are
/// worth in the fund's currency, with their signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) high: i128,
    pub(crate) low: i128,
    pub(crate) up: i128,
    pub(crate) down: i128,
}

/// Sums of values in the fund's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) gross: i128,
    pub(crate) up: i128,
    pub(crate) down: i128,
}

/// What a line adds to the figures of its sleeve: its worst case in the fund's currency, and the
/// margin that it needs in its own, in `10^-21`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Burden {
    pub(crate) worst: i128,
    pub(crate) margin: i128,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.held | self.buys | self.sales == 0
    }

    /// So much in flight on a side.
    pub(crate) fn in_flight(side: Side, quantity: i64) -> Self {
        let (buys, sales) = match side {
            Side::Buy => (quantity, 0),
            Side::Sell => (0, quantity),
        };
        Self {
            held: 0,
            buys,
            sales,
        }
    }

    #[inline(always)]
    pub(crate) fn plus(&self, change: &Self) -> Result<Self> {
        Ok(Self {
            held: quantity_add(self.held, change.held, "a position")?,
            buys: quantity_add(self.buys, change.buys, "orders in flight")?,
            sales: quantity_add(self.sales, change.sales, "orders in flight")?,
        })
    }

    /// The most that may come to be held if everything in flight on one side fills.
    #[inline(always)]
    pub(crate) fn high(&self) -> i128 {
        i128::from(self.held) + i128::from(self.buys)
    }

    #[inline(always)]
    pub(crate) fn low(&self) -> i128 {
        i128::from(self.held) - i128::from(self.sales)
    }

    /// Both, the low one turned around, where they fit in 64 bits.
    #[inline(always)]
    fn narrow_bounds(&self) -> Option<(i64, i64)> {
        Some((
            self.held.checked_add(self.buys)?,
            self.sales.checked_sub(self.held)?,
        ))
    }

    /// Whether both of its sides count: on a leg only what opens does, but if trades at a remote
    /// venue have left it with the sign of the other leg.
    #[inline(always)]
    fn has_two_sides(&self, legs: usize, leg: usize) -> bool {
        legs == 1
            || if leg == 0 {
                self.held < 0
            } else {
                self.held > 0
            }
    }

    /// The larger of both, without sign.
    #[inline(always)]
    pub(crate) fn worst(&self, legs: usize, leg: usize) -> i128 {
        if self.has_two_sides(legs, leg) {
            self.high().max(-self.low())
        } else if leg == 0 {
            self.high()
        } else {
            -self.low()
        }
    }

    /// What may come to be short.
    #[inline(always)]
    pub(crate) fn short(&self, legs: usize, leg: usize) -> i128 {
        if leg == 1 || self.has_two_sides(legs, leg) {
            (-self.low()).max(0)
        } else {
            0
        }
    }
}

/// How the bounds of a line move, and its worst case, in 64 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub(super) rise: i64,
    pub(super) fall: i64,
    pub(super) heavier: i64,
    pub(super) shorter: i64,
}

impl Move {
    /// From one line to another; None where a figure does not fit.
    #[inline(always)]
    pub(super) fn new(old: &Line, new: &Line, legs: usize, leg: usize) -> Option<Self> {
        // Lows are turned around.
        let (old_high, old_low) = old.narrow_bounds()?;
        let (new_high, new_low) = new.narrow_bounds()?;
        let worst = |line: &Line, high: i64, low: i64| {
            if line.has_two_sides(legs, leg) {
                high.max(low)
            } else if leg == 0 {
                high
            } else {
                low
            }
        };
        let short = |line: &Line, low: i64| {
            if leg == 1 || line.has_two_sides(legs, leg) {
                low.max(0)
            } else {
                0
            }
        };
        Some(Self {
            rise: new_high.checked_sub(old_high)?,
            fall: old_low.checked_sub(new_low)?,
            heavier: worst(new, new_high, new_low).checked_sub(worst(old, old_high, old_low))?,
            shorter: short(new, new_low) - short(old, old_low),
        })
    }
}

impl Row {
    #[inline(always)]
    pub(crate) fn worst(&self) -> i128 {
        self.up.max(-self.down)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.high == 0 && self.low == 0
    }
}

impl Sums {
    /// The sums with one row changed.
    pub(crate) fn replace(&self, old: &Row, new: &Row) -> Result<Self> {
        let change = |sum, old, new| add(sum, sub(new, old, "an exposure")?, "an exposure");
        Ok(Self {
            gross: change(self.gross, old.worst(), new.worst())?,
            up: change(self.up, old.up, new.up)?,
            down: change(self.down, old.down, new.down)?,
        })
    }

    pub(crate) fn net(&self) -> i128 {
        self.up.max(-self.down)
    }
}
