//! Prices that are worse than those the market shows.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::numbers::{RATE_ONE, Result, Rounding, div_round};
use crate::order::Side;

/// A worse price than the market's by a fixed proportion, rounded against us to the tick, and by
/// whole ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlippageModel {
    pub rate: i64,
    pub ticks: i64,
}

/// What the instrument says about its prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) tick_size: i64,
    pub(crate) negative_prices: bool,
}

impl Grid {
    /// Whether a price stays as it is where nothing is added to it.
    pub(crate) fn allows(self, price: i64) -> bool {
        (self.tick_size == 1 || price % self.tick_size == 0) && (price > 0 || self.negative_prices)
    }
}

impl SlippageModel {
    /// The price that an order gets where the market shows `reference` and its impact is this rate.
    #[inline]
    pub(crate) fn price(&self, reference: i64, side: Side, impact: i64, grid: Grid) -> Result<i64> {
        let rate = self.rate.saturating_add(impact);
        let (rounding, sign) = match side {
            Side::Buy => (Rounding::Up, 1),
            Side::Sell => (Rounding::Down, -1),
        };
        let against = match side {
            Side::Buy => rate,
            Side::Sell => -rate.min(RATE_ONE - 1),
        };
        let shift = if reference < 0 { -against } else { against };
        let exact = i128::from(reference) * (i128::from(RATE_ONE) + i128::from(shift));
        let whole = i128::from(RATE_ONE) * i128::from(grid.tick_size);
        let ticks = div_round(exact, whole, rounding) + i128::from(sign * self.ticks);
        let ticks = if grid.negative_prices {
            ticks
        } else {
            ticks.max(1)
        };
        i64::try_from(ticks * i128::from(grid.tick_size)).map_err(|_| EngineError::Overflow {
            place: "a slipped price",
        })
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        if !(0..RATE_ONE).contains(&self.rate) {
            Some("`slippage` rate must be at least 0 and below 1")
        } else if !(0..1_000_000).contains(&self.ticks) {
            Some("`slippage` ticks must be at least 0 and below a million")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: Grid = Grid {
        tick_size: 5,
        negative_prices: false,
    };

    #[test]
    fn prices_go_against_us_and_to_the_next_tick() {
        let model = SlippageModel {
            rate: 10_000_000,
            ticks: 0,
        };
        assert_eq!(model.price(1_000, Side::Buy, 0, WHOLE).unwrap(), 1_010);
        assert_eq!(model.price(1_001, Side::Buy, 0, WHOLE).unwrap(), 1_015);
        assert_eq!(model.price(1_001, Side::Sell, 0, WHOLE).unwrap(), 990);
        assert_eq!(
            model.price(1_000, Side::Buy, 10_000_000, WHOLE).unwrap(),
            1_020
        );
        let ticks = SlippageModel { rate: 0, ticks: 2 };
        assert_eq!(ticks.price(1_000, Side::Buy, 0, WHOLE).unwrap(), 1_010);
        assert_eq!(ticks.price(10, Side::Sell, 0, WHOLE).unwrap(), 5);
    }

    proptest! {
        #[test]
        fn slipped_prices_are_never_better(
            reference in -1_000_000_i64..1_000_000,
            rate in 0..RATE_ONE,
            impact in 0..RATE_ONE,
            tick_size in 1_i64..100,
            is_buy in any::<bool>(),
        ) {
            let grid = Grid { tick_size, negative_prices: true };
            let model = SlippageModel { rate, ticks: 0 };
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let price = model.price(reference, side, impact, grid).unwrap();
            let lost = if is_buy { price - reference } else { reference - price };
            prop_assert!(lost >= 0);
            prop_assert_eq!(price % tick_size, 0);
        }
    }
}
