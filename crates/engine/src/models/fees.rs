//! Fee schedules: `docs/engine/matching.md`, section 12.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::config::Instrument;
use crate::numbers::{RATE_ONE, Result, Rounding, add, div_round, mul, sub};
use crate::output::Liquidity;

/// What a venue charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeModel {
    /// In ascending order of volume, the first from 0.
    pub tiers: Vec<FeeTier>,
    /// Money for a whole unit of quantity.
    #[serde(default)]
    pub per_unit: i128,
    /// Money for an order that fills at all.
    #[serde(default)]
    pub minimum: i128,
    /// Complete days over which our volume counts.
    #[serde(default = "month")]
    pub window_days: u16,
}

/// Rates from a traded volume on, in `10^-9` of the notional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// In the fund's currency.
    #[serde(default)]
    pub volume_from: i128,
    /// Negative is a rebate.
    pub maker: i64,
    pub taker: i64,
}

fn month() -> u16 {
    30
}

impl FeeModel {
    /// One rate for everything.
    #[must_use]
    pub fn flat(rate: i64) -> Self {
        Self {
            tiers: vec![FeeTier {
                volume_from: 0,
                maker: rate,
                taker: rate,
            }],
            per_unit: 0,
            minimum: 0,
            window_days: month(),
        }
    }

    /// Place of the tier that a volume leads to.
    pub(crate) fn tier_at(&self, volume: i128) -> usize {
        self.tiers
            .partition_point(|tier| tier.volume_from <= volume)
            .saturating_sub(1)
    }

    /// The schedule for one instrument, while a tier holds.
    pub(crate) fn fees(&self, tier: usize, instrument: &Instrument, minor_unit: i128) -> Fees {
        let rates = self.tiers[tier];
        let highest = self.tiers.iter().map(|tier| tier.maker.max(tier.taker));
        Fees {
            maker: FeeScale::new(rates.maker, minor_unit),
            taker: FeeScale::new(rates.taker, minor_unit),
            worst: FeeScale::new(highest.max().unwrap_or(0).max(0), minor_unit),
            per_unit: self.per_unit,
            unit: 10_i128.pow(u32::from(instrument.quantity_precision)),
            minimum: self.minimum,
        }
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        let rate = -RATE_ONE + 1..RATE_ONE;
        let ascends = self
            .tiers
            .windows(2)
            .all(|pair| pair[0].volume_from < pair[1].volume_from);
        if self.tiers.first().is_none_or(|tier| tier.volume_from != 0) || !ascends {
            Some("`fee` tiers must ascend from a volume of 0")
        } else if self
            .tiers
            .iter()
            .any(|tier| !rate.contains(&tier.maker) || !(0..RATE_ONE).contains(&tier.taker))
        {
            Some("`fee` rates must be below 1, and those of takers not negative")
        } else if self.per_unit < 0 || self.minimum < 0 {
            Some("`fee` per_unit and minimum must not be negative")
        } else if self.minimum > 0 && self.tiers.iter().any(|tier| tier.maker < 0) {
            Some("`fee` must not have both a minimum and a rebate")
        } else if !(1..=366).contains(&self.window_days) {
            Some("`fee` window_days must be 1 to 366")
        } else {
            None
        }
    }
}

/// A schedule in the coins of an instrument's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fees {
    maker: FeeScale,
    taker: FeeScale,
    worst: FeeScale,
    per_unit: i128,
    /// Quantity units of a whole one.
    unit: i128,
    minimum: i128,
}

impl Fees {
    /// The most that an order can pay for what is unfilled, whatever the tier and whoever comes
    /// first; `has_paid` says whether an earlier fill has paid the minimum.
    #[inline(always)]
    pub(crate) fn worst(&self, notional: i128, quantity: i64, has_paid: bool) -> Result<i128> {
        let raw = self.raw(&self.worst, notional, quantity)?;
        Ok(if has_paid { raw } else { raw.max(self.minimum) })
    }

    /// What a fill of its own costs, without regard to a minimum.
    #[inline(always)]
    pub(crate) fn exact(
        &self,
        notional: i128,
        quantity: i64,
        liquidity: Liquidity,
    ) -> Result<i128> {
        let scale = match liquidity {
            Liquidity::Maker => &self.maker,
            Liquidity::Taker => &self.taker,
            Liquidity::None => return Ok(0),
        };
        self.raw(scale, notional, quantity)
    }

    pub(crate) fn has_minimum(&self) -> bool {
        self.minimum > 0
    }

    /// What a fill adds to the fees of an order; `before` is the sum of [`Fees::exact`] of its
    /// earlier fills, None for the first.
    #[inline]
    pub(crate) fn charged(&self, before: Option<i128>, exact: i128) -> Result<i128> {
        let Some(before) = before else {
            return Ok(exact.max(self.minimum));
        };
        let after = add(before, exact, "a fee")?.max(self.minimum);
        sub(after, before.max(self.minimum), "a fee")
    }

    #[inline(always)]
    fn raw(&self, scale: &FeeScale, notional: i128, quantity: i64) -> Result<i128> {
        if self.per_unit == 0 {
            return scale.fee(notional.abs());
        }
        self.by_unit(scale, notional.abs(), quantity)
    }

    /// A fee that has a part for each unit.
    fn by_unit(&self, scale: &FeeScale, notional: i128, quantity: i64) -> Result<i128> {
        let by_value = mul(notional, i128::from(scale.rate_e9), "a fee")?;
        let by_value = mul(by_value, self.unit, "a fee")?;
        let by_unit = mul(self.per_unit, i128::from(quantity), "a fee")?;
        let by_unit = mul(by_unit, i128::from(RATE_ONE), "a fee")?;
        let whole = i128::from(RATE_ONE) * self.unit;
        let whole = mul(whole, scale.minor_unit, "a fee")?;
        let sum = add(by_value, by_unit, "a fee")?;
        let coins = div_round(sum, whole, Rounding::Up);
        mul(coins, scale.minor_unit, "a fee")
    }
}

/// A rate as a reduced fraction: `rate / whole` coins for each unit of money. Reduced, most
/// products fit in 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FeeScale {
    rate: i128,
    whole: i128,
    /// Both again, where they fit.
    narrow: Option<(i64, i64)>,
    minor_unit: i128,
    rate_e9: i64,
}

impl FeeScale {
    fn new(rate_e9: i64, minor_unit: i128) -> Self {
        let (rate, whole) = (i128::from(rate_e9), i128::from(RATE_ONE) * minor_unit);
        let (mut divisor, mut rest) = (whole, rate.abs());
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let (rate, whole) = (rate / divisor, whole / divisor);
        Self {
            rate,
            whole,
            narrow: i64::try_from(rate).ok().zip(i64::try_from(whole).ok()),
            minor_unit,
            rate_e9,
        }
    }

    #[inline(always)]
    fn fee(&self, notional: i128) -> Result<i128> {
        if self.rate_e9 == 0 {
            return Ok(0);
        }
        if let (Ok(amount), Some((rate, whole))) = (i64::try_from(notional), self.narrow)
            && let Some(product) = amount.checked_mul(rate)
            && product >= 0
        {
            let coins = product / whole + i64::from(product % whole != 0);
            return mul(i128::from(coins), self.minor_unit, "a fee");
        }
        self.wide_fee(notional)
    }

    #[inline(never)]
    fn wide_fee(&self, notional: i128) -> Result<i128> {
        let product = mul(notional, self.rate, "a fee")?;
        let coins = div_round(product, self.whole, Rounding::Up);
        mul(coins, self.minor_unit, "a fee")
    }
}

/// Our traded volume at a venue, a number a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turnover {
    today: i128,
    /// Complete days, the newest last; no longer than the schedule's window.
    days: VecDeque<i128>,
    pub(crate) tier: usize,
}

impl Turnover {
    #[inline]
    pub(crate) fn add(&mut self, notional: i128) -> Result<()> {
        self.today = add(self.today, notional.abs(), "a traded volume")?;
        Ok(())
    }

    /// A day is over; whether that changed the tier.
    pub(crate) fn end_day(&mut self, model: &FeeModel) -> Result<bool> {
        self.days.push_back(std::mem::take(&mut self.today));
        while self.days.len() > usize::from(model.window_days) {
            self.days.pop_front();
        }
        let volume = self
            .days
            .iter()
            .try_fold(0, |sum, day| add(sum, *day, "a traded volume"))?;
        let tier = model.tier_at(volume);
        let changed = tier != self.tier;
        self.tier = tier;
        Ok(changed)
    }

    pub(crate) fn fits(&self, model: &FeeModel) -> bool {
        self.tier < model.tiers.len() && self.days.len() <= usize::from(model.window_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COIN: i128 = 10_000_000_000;
    const MONEY: i128 = 1_000_000_000_000;

    fn plain(tier: FeeTier, per_unit: i128, minimum: i128) -> Fees {
        Fees {
            maker: FeeScale::new(tier.maker, COIN),
            taker: FeeScale::new(tier.taker, COIN),
            worst: FeeScale::new(tier.taker, COIN),
            per_unit,
            unit: 1,
            minimum,
        }
    }

    const TIER: FeeTier = FeeTier {
        volume_from: 0,
        maker: -100_000,
        taker: 250_000,
    };

    #[test]
    fn takers_pay_makers_get_a_rebate_both_rounded_against_us() {
        let fees = plain(TIER, 0, 0);
        let of = |notional, liquidity| fees.exact(notional, 1, liquidity).unwrap();
        assert_eq!(of(1_000 * MONEY, Liquidity::Taker), 25 * COIN);
        assert_eq!(of(1_001 * MONEY, Liquidity::Taker), 26 * COIN);
        assert_eq!(of(1_099 * MONEY, Liquidity::Maker), -10 * COIN);
        assert_eq!(of(-1_000 * MONEY, Liquidity::Taker), 25 * COIN);
        assert_eq!(of(1_000 * MONEY, Liquidity::None), 0);
    }

    #[test]
    fn shares_cost_by_the_piece_and_an_order_its_minimum_once() {
        let half_cent = MONEY / 200;
        let fees = plain(
            FeeTier {
                maker: 0,
                taker: 0,
                ..TIER
            },
            half_cent,
            MONEY,
        );
        let exact = |quantity| fees.exact(7 * MONEY, quantity, Liquidity::Taker).unwrap();
        assert_eq!(exact(3), 2 * COIN);
        assert_eq!(fees.worst(7 * MONEY, 3, false).unwrap(), MONEY);
        let first = fees.charged(None, exact(150)).unwrap();
        assert_eq!(first, MONEY);
        let second = fees.charged(Some(exact(150)), exact(100)).unwrap();
        assert_eq!(first + second, MONEY + 25 * COIN);
        assert_eq!(fees.charged(Some(10 * COIN), 20 * COIN).unwrap(), 0);
    }

    #[test]
    fn tiers_follow_the_volume_of_complete_days() {
        let mut model = FeeModel::flat(100);
        model.window_days = 2;
        model.tiers.push(FeeTier {
            volume_from: 100,
            maker: 0,
            taker: 50,
        });
        let mut turnover = Turnover::default();
        turnover.add(-150).unwrap();
        assert_eq!(turnover.tier, 0);
        assert!(turnover.end_day(&model).unwrap());
        assert_eq!(turnover.tier, 1);
        assert!(!turnover.end_day(&model).unwrap());
        assert!(turnover.end_day(&model).unwrap());
        assert_eq!(turnover.tier, 0);
        assert_eq!(model.tier_at(99), 0);
        assert_eq!(model.tier_at(100), 1);
    }

    #[test]
    fn unsound_schedules_are_named() {
        let sound = FeeModel::flat(10);
        assert_eq!(sound.problem(), None);
        for model in [
            FeeModel {
                tiers: vec![],
                ..sound.clone()
            },
            FeeModel::flat(RATE_ONE),
            FeeModel::flat(-1),
            FeeModel {
                minimum: -1,
                ..sound.clone()
            },
            FeeModel {
                window_days: 0,
                ..sound.clone()
            },
            FeeModel {
                tiers: vec![TIER],
                minimum: 1,
                ..sound.clone()
            },
            FeeModel {
                tiers: vec![TIER, TIER],
                ..sound
            },
        ] {
            assert!(model.problem().is_some(), "{model:?}");
        }
    }

    proptest! {
        #[test]
        fn fees_in_reduced_fractions_are_those_of_the_model(
            notional in 0..i64::MAX, rate in -RATE_ONE + 1..RATE_ONE, digits in 0..=4_u32, wide in any::<bool>(),
        ) {
            let minor_unit = 10_i128.pow(12 - digits);
            let notional = i128::from(notional) * if wide { 1 << 30 } else { 1 };
            let exact = notional * i128::from(rate);
            let whole = i128::from(RATE_ONE) * minor_unit;
            let coins = div_round(exact, whole, Rounding::Up);
            prop_assert_eq!(FeeScale::new(rate, minor_unit).fee(notional).unwrap(), coins * minor_unit);
        }

        #[test]
        fn an_order_in_parts_pays_its_minimum_once(minimum in 0..1_000_i128, parts in proptest::collection::vec(0..500_i128, 1..6)) {
            let fees = plain(TIER, 0, minimum);
            let (mut before, mut paid) = (None, 0);
            for part in &parts {
                paid += fees.charged(before, *part).unwrap();
                before = Some(before.unwrap_or(0) + part);
                prop_assert_eq!(paid, before.unwrap().max(minimum));
            }
        }
    }
}
