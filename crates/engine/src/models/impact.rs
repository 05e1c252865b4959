//! Square-root impact with decay: `docs/engine/matching.md`, section 10.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::numbers::{RATE_ONE, Result};
use crate::order::Side;

/// Our own volume moves the price by `coefficient * volatility * sqrt(volume / average volume)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpactModel {
    /// In `10^-9`.
    pub coefficient: i64,
    /// After which half of our volume is forgotten.
    pub half_life_ns: i64,
}

/// What the model knows of an instrument: both per day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Standard deviation of returns in `10^-9`.
    pub(crate) volatility: i64,
    /// In quantity units.
    pub(crate) volume: i64,
}

/// Our own volume in an instrument as far as it is still felt; buys are positive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Felt {
    quantity: i64,
    ts: i64,
}

impl Felt {
    /// An action has changed what a unit is.
    pub(crate) fn rescale(&mut self, scale: impl Fn(i64) -> i64) {
        self.quantity = scale(self.quantity);
    }
}

const RATE_MAX: i64 = RATE_ONE - 1;

impl ImpactModel {
    /// How much worse the price of this quantity is, as a rate, after all that is still felt.
    pub(crate) fn rate(
        &self,
        felt: Felt,
        ts: i64,
        side: Side,
        quantity: i64,
        activity: Activity,
    ) -> i64 {
        let after = i128::from(self.decayed(felt, ts)) + i128::from(side.signed(quantity));
        let is_ours = match side {
            Side::Buy => after > 0,
            Side::Sell => after < 0,
        };
        if !is_ours {
            return 0;
        }
        // Below 2^64 * 10^18, which fits.
        let share = after.unsigned_abs() * 1_000_000_000_000_000_000
            / u128::from(activity.volume.unsigned_abs().max(1));
        let scale = u128::from(self.coefficient.unsigned_abs())
            * u128::from(activity.volatility.unsigned_abs());
        let rate = scale
            .checked_mul(share.isqrt())
            .map(|product| product.div_ceil(1_000_000_000_000_000_000));
        rate.and_then(|rate| i64::try_from(rate).ok())
            .map_or(RATE_MAX, |rate| rate.min(RATE_MAX))
    }

    /// Count a fill that took from the market.
    pub(crate) fn add(&self, felt: &mut Felt, ts: i64, side: Side, quantity: i64) -> Result<()> {
        let quantity = self
            .decayed(*felt, ts)
            .checked_add(side.signed(quantity))
            .ok_or(EngineError::Overflow {
                place: "the volume of impact",
            })?;
        *felt = Felt { quantity, ts };
        Ok(())
    }

    fn decayed(&self, felt: Felt, ts: i64) -> i64 {
        let elapsed = ts.saturating_sub(felt.ts).max(0);
        let (halvings, rest) = (elapsed / self.half_life_ns, elapsed % self.half_life_ns);
        if halvings > 62 || felt.quantity == 0 {
            return 0;
        }
        let double = 2 * u128::from(self.half_life_ns.unsigned_abs());
        let kept = u128::from(felt.quantity.unsigned_abs())
            * (double - u128::from(rest.unsigned_abs()))
            / (double << halvings);
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        if felt.quantity < 0 { -kept } else { kept }
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.coefficient < 0 {
            Some("`impact` coefficient must not be negative")
        } else if self.half_life_ns < 1 {
            Some("`impact` half_life_ns must be positive")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODEL: ImpactModel = ImpactModel {
        coefficient: 1_000_000_000,
        half_life_ns: 1_000,
    };
    const DAY: Activity = Activity {
        volatility: 20_000_000,
        volume: 1_000_000,
    };

    #[test]
    fn a_percent_of_the_volume_costs_a_tenth_of_the_volatility() {
        let rate = MODEL.rate(Felt::default(), 0, Side::Buy, 10_000, DAY);
        assert_eq!(rate, 2_000_000);
        assert_eq!(
            MODEL.rate(Felt::default(), 0, Side::Sell, 10_000, DAY),
            rate
        );
    }

    #[test]
    fn slices_move_the_price_like_the_whole_until_they_are_forgotten() {
        let mut felt = Felt::default();
        MODEL.add(&mut felt, 0, Side::Buy, 7_500).unwrap();
        assert_eq!(MODEL.rate(felt, 0, Side::Buy, 2_500, DAY), 2_000_000);
        assert_eq!(MODEL.decayed(felt, 1_000), 3_750);
        assert_eq!(MODEL.decayed(felt, 1_500), 2_812);
        assert_eq!(MODEL.decayed(felt, 2_000), 1_875);
        assert_eq!(MODEL.decayed(felt, 1_000_000), 0);
    }

    #[test]
    fn trading_back_is_free_but_never_a_gain() {
        let mut felt = Felt::default();
        MODEL.add(&mut felt, 0, Side::Buy, 10_000).unwrap();
        assert_eq!(MODEL.rate(felt, 0, Side::Sell, 10_000, DAY), 0);
        assert_eq!(MODEL.rate(felt, 0, Side::Sell, 20_000, DAY), 2_000_000);
    }

    proptest! {
        #[test]
        fn impact_grows_with_the_quantity_and_stays_a_rate(
            coefficient in 0..i64::MAX,
            volatility in 1..i64::MAX,
            volume in 1..i64::MAX,
            (a, b) in (1..1_i64 << 60, 1..1_i64 << 60),
            felt in -(1_i64 << 60)..1 << 60,
        ) {
            let model = ImpactModel { coefficient, half_life_ns: 1 };
            let activity = Activity { volatility, volume };
            let felt = Felt { quantity: felt, ts: 0 };
            let small = model.rate(felt, 0, Side::Buy, a.min(b), activity);
            let large = model.rate(felt, 0, Side::Buy, a.max(b), activity);
            prop_assert!(0 <= small && small <= large && large <= RATE_MAX);
        }

        #[test]
        fn what_is_felt_only_fades(quantity in any::<i64>(), half_life_ns in 1..i64::MAX, a in 0..i64::MAX, b in 0..i64::MAX) {
            let model = ImpactModel { coefficient: 0, half_life_ns };
            let felt = Felt { quantity, ts: 0 };
            let (early, late) = (model.decayed(felt, a.min(b)), model.decayed(felt, a.max(b)));
            prop_assert!(late.unsigned_abs() <= early.unsigned_abs());
            prop_assert!(early.unsigned_abs() <= quantity.unsigned_abs());
            prop_assert!(late.signum() * quantity.signum() >= 0);
        }
    }
}
