//! Where the trigger of a trailing stop belongs: `docs/engine/orders.md`, section 5.

use crate::numbers::{RATE_ONE, Rounding, div_round};
use crate::order::{Side, Trail};

/// The trigger that belongs to a market price, in whole ticks; None if it does not fit.
#[inline]
pub(crate) fn trail_trigger(side: Side, trail: Trail, price: i64, tick: i64) -> Option<i64> {
    let distance = match trail {
        Trail::Amount(amount) => i128::from(amount),
        Trail::Rate(rate) => {
            let part = i128::from(price).abs() * i128::from(rate);
            div_round(part, i128::from(RATE_ONE), Rounding::Up)
        }
    };
    let (exact, rounding) = match side {
        Side::Sell => (i128::from(price) - distance, Rounding::Down),
        Side::Buy => (i128::from(price) + distance, Rounding::Up),
    };
    let ticks = div_round(exact, i128::from(tick), rounding);
    i64::try_from(ticks * i128::from(tick)).ok()
}

/// Whether a trigger is nearer to the market than another: trailing stops only move so.
#[inline]
pub(crate) fn is_nearer(side: Side, trigger: i64, than: i64) -> bool {
    match side {
        Side::Sell => trigger > than,
        Side::Buy => trigger < than,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_rounded_away_from_the_market() {
        let amount = Trail::Amount(30);
        assert_eq!(trail_trigger(Side::Sell, amount, 1_004, 10), Some(970));
        assert_eq!(trail_trigger(Side::Buy, amount, 1_004, 10), Some(1_040));
        let rate = Trail::Rate(15_000_000);
        assert_eq!(trail_trigger(Side::Sell, rate, 1_001, 1), Some(985));
        assert_eq!(trail_trigger(Side::Buy, rate, 1_001, 1), Some(1_017));
        assert_eq!(trail_trigger(Side::Sell, rate, -1_001, 1), Some(-1_017));
    }

    #[test]
    fn a_trigger_that_does_not_fit_is_none() {
        let amount = Trail::Amount(i64::MAX);
        assert_eq!(trail_trigger(Side::Buy, amount, i64::MAX, 1), None);
    }
}
