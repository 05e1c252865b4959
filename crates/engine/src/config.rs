//! What an engine is set up with: instruments, sleeves, the venue's models and the limits.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::numbers::{MONEY_DIGITS, RATE_ONE, Result, Rounding, add, div_round, mul};
use crate::order::Side;

/// Everything that fixes how an engine behaves; part of its state and of its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub semantics: u16,
    pub fund: String,
    pub epoch: u32,
    pub currency: String,
    /// Digits of the currency's minor unit: 2 for USD.
    pub currency_precision: u8,
    /// In ascending order of id.
    pub instruments: Vec<Instrument>,
    /// In ascending order of id.
    pub sleeves: Vec<Sleeve>,
    pub venue: Venue,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    pub id: String,
    pub currency: String,
    pub price_precision: u8,
    pub quantity_precision: u8,
    /// In price units.
    pub tick_size: i64,
    /// In quantity units.
    pub lot_size: i64,
    pub multiplier: i64,
    pub sector: String,
    pub effective_from: Option<i64>,
    pub effective_to: Option<i64>,
    pub close_only: bool,
}

/// A strategy's share of the fund, kept in a sub-ledger of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sleeve {
    pub id: String,
    /// Money it starts with.
    pub cash: i128,
}

/// The simulated venue: one object per assumption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    pub id: String,
    pub fee: FeeModel,
    pub slippage: SlippageModel,
    /// Whether the market must trade through a resting limit order, or only touch it.
    pub limit_fill_on_touch: bool,
    /// Cap on our part of a bar's volume; needs bars with volume.
    pub participation_max: Option<i64>,
    pub on_close_cutoff_ns: i64,
}

/// A fee in proportion to the notional, rounded up to the currency's minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeModel {
    pub rate: i64,
}

/// A worse price than the market's by a fixed proportion, rounded against us to the tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlippageModel {
    pub rate: i64,
}

/// What the gate enforces; `None` switches a limit off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub price_band: i64,
    /// In whole units of the instrument.
    pub fat_finger_quantity: Option<i64>,
    pub fat_finger_notional: Option<i128>,
    pub position_max: Option<i128>,
    pub weight_max: Option<i64>,
    pub sector_max: Option<i64>,
    pub gross_max: Option<i64>,
}

impl FeeModel {
    /// The model in the coins of a currency; `minor_unit` is the money of the smallest one.
    #[must_use]
    pub fn in_coins(&self, minor_unit: i128) -> FeeScale {
        let (rate, whole) = (i128::from(self.rate), i128::from(RATE_ONE) * minor_unit);
        let (mut divisor, mut rest) = (whole, rate);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let (rate, whole) = (rate / divisor, whole / divisor);
        FeeScale {
            rate,
            whole,
            narrow: i64::try_from(rate).ok().zip(i64::try_from(whole).ok()),
            minor_unit,
        }
    }
}

/// A [`FeeModel`] as a reduced fraction: `rate / whole` coins for each unit of money. Reduced,
/// most products fit in 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeScale {
    rate: i128,
    whole: i128,
    /// Both again, where they fit.
    narrow: Option<(i64, i64)>,
    minor_unit: i128,
}

impl FeeScale {
    /// Fee for a notional.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the amount does not fit.
    #[inline]
    pub fn fee(&self, notional: i128) -> Result<i128> {
        if let (Ok(amount), Some((rate, whole))) = (i64::try_from(notional), self.narrow)
            && let Some(product) = amount.checked_mul(rate)
            && product >= 0
        {
            let coins = product / whole + i64::from(product % whole != 0);
            return mul(i128::from(coins), self.minor_unit, "a fee");
        }
        let product = mul(notional, self.rate, "a fee")?;
        let coins = div_round(product, self.whole, Rounding::Up);
        mul(coins, self.minor_unit, "a fee")
    }

    /// Money of the currency's smallest coin.
    #[must_use]
    pub fn minor_unit(&self) -> i128 {
        self.minor_unit
    }
}

impl SlippageModel {
    /// The price that an order gets where the market shows `reference`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the price does not fit.
    #[inline]
    pub fn price(&self, reference: i64, side: Side, tick_size: i64) -> Result<i64> {
        let (factor, rounding) = match side {
            Side::Buy => (RATE_ONE + self.rate, Rounding::Up),
            Side::Sell => (RATE_ONE - self.rate, Rounding::Down),
        };
        let exact = i128::from(reference) * i128::from(factor);
        let ticks = div_round(
            exact,
            i128::from(RATE_ONE) * i128::from(tick_size),
            rounding,
        );
        i64::try_from(ticks.max(1) * i128::from(tick_size)).map_err(|_| EngineError::Overflow {
            place: "a slipped price",
        })
    }
}

impl Instrument {
    /// Money of one quantity unit at one price unit.
    #[must_use]
    pub fn unit(&self) -> i128 {
        let digits = MONEY_DIGITS - self.price_precision - self.quantity_precision;
        i128::from(self.multiplier) * 10_i128.pow(u32::from(digits))
    }

    fn validate(&self, currency: &str) -> Result<()> {
        let problem = if self.price_precision > 9 || self.quantity_precision > 9 {
            "has a precision above 9"
        } else if self.price_precision + self.quantity_precision > MONEY_DIGITS {
            "needs more than 12 digits for a notional"
        } else if self.tick_size <= 0 || self.lot_size <= 0 || self.multiplier <= 0 {
            "must have a positive tick size, lot size and multiplier"
        } else if self.currency != currency {
            "is not in the fund's currency; foreign currencies are not yet available"
        } else if matches!((self.effective_from, self.effective_to), (Some(a), Some(b)) if a >= b) {
            "must take effect before it ends"
        } else {
            return Ok(());
        };
        Err(EngineError::Config(format!(
            "instrument {} {problem}",
            self.id
        )))
    }
}

impl Config {
    /// Money of the currency's smallest coin.
    #[must_use]
    pub fn minor_unit(&self) -> i128 {
        10_i128.pow(u32::from(MONEY_DIGITS - self.currency_precision))
    }

    /// # Errors
    ///
    /// [`EngineError::Config`] saying what is wrong.
    pub fn validate(&self) -> Result<()> {
        let fail = |text: String| Err(EngineError::Config(text));
        if self.currency_precision > MONEY_DIGITS {
            return fail(format!(
                "currency_precision must be at most {MONEY_DIGITS}; found {}",
                self.currency_precision
            ));
        }
        if self.instruments.is_empty() || self.sleeves.is_empty() {
            return fail("needs at least one instrument and one sleeve".to_owned());
        }
        for pair in self.instruments.windows(2) {
            if pair[0].id >= pair[1].id {
                return fail(format!(
                    "instruments must be in ascending order of id; found {} after {}",
                    pair[1].id, pair[0].id
                ));
            }
        }
        for pair in self.sleeves.windows(2) {
            if pair[0].id >= pair[1].id {
                return fail(format!(
                    "sleeves must be in ascending order of id; found {} after {}",
                    pair[1].id, pair[0].id
                ));
            }
        }
        let mut cash = 0_i128;
        for sleeve in &self.sleeves {
            if sleeve.cash < 0 {
                return fail(format!("sleeve {} must not start with debt", sleeve.id));
            }
            cash = add(cash, sleeve.cash, "the starting cash")?;
        }
        for instrument in &self.instruments {
            instrument.validate(&self.currency)?;
        }
        self.validate_rates()
    }

    fn validate_rates(&self) -> Result<()> {
        let below_one = 0..RATE_ONE;
        let positive = 1..=i64::MAX;
        let venue = &self.venue;
        let rates = [
            ("fee rate", below_one.contains(&venue.fee.rate)),
            ("slippage rate", below_one.contains(&venue.slippage.rate)),
            (
                "price_band",
                (1..RATE_ONE).contains(&self.limits.price_band),
            ),
            (
                "participation_max",
                venue
                    .participation_max
                    .is_none_or(|r| (1..=RATE_ONE).contains(&r)),
            ),
            ("on_close_cutoff_ns", venue.on_close_cutoff_ns >= 0),
            (
                "fat_finger_quantity",
                self.limits.fat_finger_quantity.is_none_or(|q| q > 0),
            ),
            (
                "fat_finger_notional",
                self.limits.fat_finger_notional.is_none_or(|m| m > 0),
            ),
            (
                "position_max",
                self.limits.position_max.is_none_or(|m| m > 0),
            ),
            (
                "weight_max",
                self.limits.weight_max.is_none_or(|r| positive.contains(&r)),
            ),
            (
                "sector_max",
                self.limits.sector_max.is_none_or(|r| positive.contains(&r)),
            ),
            (
                "gross_max",
                self.limits.gross_max.is_none_or(|r| positive.contains(&r)),
            ),
        ];
        match rates.iter().find(|(_, ok)| !ok) {
            Some((name, _)) => Err(EngineError::Config(format!("{name} is out of range"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fees_in_reduced_fractions_are_those_of_the_model(
            notional in 0..i64::MAX, rate in 0..RATE_ONE, digits in 0..=4_u32, wide in any::<bool>(),
        ) {
            let minor_unit = 10_i128.pow(12 - digits);
            let notional = i128::from(notional) * if wide { 1 << 30 } else { 1 };
            let exact = notional * i128::from(rate);
            let whole = i128::from(RATE_ONE) * minor_unit;
            let coins = exact / whole + i128::from(exact % whole != 0);
            let scale = FeeModel { rate }.in_coins(minor_unit);
            prop_assert_eq!(scale.fee(notional).unwrap(), coins * minor_unit);
        }
    }
}
