//! What the gate enforces: limits, windows and breakers, `docs/engine/gate.md`.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::numbers::{RATE_ONE, Result};
use crate::order::named;
use crate::risk::FundState;

/// No window counts more than this: the times in it are kept.
const COUNT_MAX: i64 = 1_000_000;

/// What the gate enforces; `None` switches a limit off. Shares are of equity, in `10^-9`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub price_band: i64,
    /// In whole units of the instrument.
    pub fat_finger_quantity: Option<i64>,
    pub fat_finger_notional: Option<i128>,
    /// Share of the instrument's average volume of a day.
    pub fat_finger_volume: Option<i64>,
    pub position_max: Option<i128>,
    pub weight_max: Option<i64>,
    pub sector_max: Option<i64>,
    pub gross_max: Option<i64>,
    pub leverage_max: Option<i64>,
    pub net_max: Option<i64>,
    /// Of the fund, and of an instrument, a day.
    pub volatility_max: Option<i64>,
    pub instrument_volatility_max: Option<i64>,
    pub correlation_max: Option<i64>,
    /// A bit for each label of the regime that allows no new risk.
    pub regimes_blocked: Option<u64>,
    pub bar_age_max_ns: Option<i64>,
    pub quote_age_max_ns: Option<i64>,
    pub order_rate: Option<OrderRate>,
    pub duplicate_window_ns: Option<i64>,
    /// Whether event instruments refuse orders that would meet our own.
    pub self_trade: bool,
    pub value_at_risk: Option<ValueAtRisk>,
    /// What follows if the market moves a figure beyond its limit.
    pub crossed: Crossed,
    pub breakers: Breakers,
}

/// Limits of a sleeve, as shares of its own equity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SleeveLimits {
    pub weight_max: Option<i64>,
    pub gross_max: Option<i64>,
    pub drawdown_max: Option<i64>,
    pub order_rate: Option<OrderRate>,
}

/// Fewer than `count` orders in `window_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRate {
    pub count: i64,
    pub window_ns: i64,
}

/// Value at risk over as many scenarios, at a confidence in `10^-9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueAtRisk {
    pub scenarios: u32,
    pub confidence: i64,
    /// Share of equity.
    pub max: Option<i64>,
    /// Share of equity that one order may add.
    pub step_max: Option<i64>,
}

named!(
    /// What follows if the market, not an order, moves a figure beyond its limit.
    Crossed {
        /// Orders that would raise the figure are refused, as always.
        Refuse = "refuse",
        /// The fund turns reduce-only besides.
        ReduceOnly = "reduce_only",
    }
);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breakers {
    pub drawdown: Option<Breaker>,
    pub day_loss: Option<Breaker>,
    pub rejects: Option<Breaker>,
    pub dislocation: Option<Breaker>,
    pub order_rate: Option<Breaker>,
}

/// A measure that changes the fund's state by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// A share in `10^-9`, or a count.
    pub limit: i64,
    /// Of counts and of dislocations.
    #[serde(default)]
    pub window_ns: i64,
    /// What the fund becomes.
    pub state: FundState,
}

impl Default for Limits {
    /// A price band of a quarter, which there always is, and nothing else.
    fn default() -> Self {
        Self {
            price_band: RATE_ONE / 4,
            fat_finger_quantity: None,
            fat_finger_notional: None,
            fat_finger_volume: None,
            position_max: None,
            weight_max: None,
            sector_max: None,
            gross_max: None,
            leverage_max: None,
            net_max: None,
            volatility_max: None,
            instrument_volatility_max: None,
            correlation_max: None,
            regimes_blocked: None,
            bar_age_max_ns: None,
            quote_age_max_ns: None,
            order_rate: None,
            duplicate_window_ns: None,
            self_trade: false,
            value_at_risk: None,
            crossed: Crossed::Refuse,
            breakers: Breakers::default(),
        }
    }
}

impl OrderRate {
    fn is_sound(&self) -> bool {
        (1..=COUNT_MAX).contains(&self.count) && self.window_ns > 0
    }
}

impl ValueAtRisk {
    /// How many scenarios may lose more than the value at risk.
    #[must_use]
    pub fn beyond(&self) -> usize {
        let tail = u64::from(self.scenarios) * (RATE_ONE - self.confidence).unsigned_abs()
            / RATE_ONE.unsigned_abs();
        // No more than there are scenarios.
        usize::try_from(tail).unwrap_or(usize::MAX)
    }

    fn is_sound(&self) -> bool {
        (1..=100_000).contains(&self.scenarios)
            && (1..RATE_ONE).contains(&self.confidence)
            && self.max.is_none_or(|r| r > 0)
            && self.step_max.is_none_or(|r| r > 0)
    }
}

impl Breaker {
    fn is_sound(&self, counts: bool, has_window: bool) -> bool {
        let limits = if counts { 1..=COUNT_MAX } else { 1..=i64::MAX };
        limits.contains(&self.limit)
            && (self.window_ns > 0 || !has_window)
            && self.state != FundState::Active
    }
}

impl SleeveLimits {
    /// # Errors
    ///
    /// [`EngineError::Config`] naming the limit that is out of range.
    pub fn validate(&self) -> Result<()> {
        let positive = |limit: Option<i64>| limit.is_none_or(|l| l > 0);
        check(&[
            ("a sleeve's weight_max", positive(self.weight_max)),
            ("a sleeve's gross_max", positive(self.gross_max)),
            (
                "a sleeve's drawdown_max",
                self.drawdown_max
                    .is_none_or(|share| (1..=RATE_ONE).contains(&share)),
            ),
            (
                "a sleeve's order_rate",
                self.order_rate.is_none_or(|r| r.is_sound()),
            ),
        ])
    }
}

impl Limits {
    /// # Errors
    ///
    /// [`EngineError::Config`] naming the limit that is out of range.
    pub fn validate(&self) -> Result<()> {
        let positive = |limit: Option<i64>| limit.is_none_or(|l| l > 0);
        let money = |limit: Option<i128>| limit.is_none_or(|l| l > 0);
        let breaker = |found: Option<Breaker>, counts, has_window| {
            found.is_none_or(|b| b.is_sound(counts, has_window))
        };
        let loss = |found: Option<Breaker>| {
            breaker(found, false, false) && found.is_none_or(|b| b.limit <= RATE_ONE)
        };
        let breakers = &self.breakers;
        check(&[
            ("price_band", (1..RATE_ONE).contains(&self.price_band)),
            ("fat_finger_quantity", positive(self.fat_finger_quantity)),
            ("fat_finger_notional", money(self.fat_finger_notional)),
            ("fat_finger_volume", positive(self.fat_finger_volume)),
            ("position_max", money(self.position_max)),
            ("weight_max", positive(self.weight_max)),
            ("sector_max", positive(self.sector_max)),
            ("gross_max", positive(self.gross_max)),
            ("leverage_max", positive(self.leverage_max)),
            ("net_max", positive(self.net_max)),
            ("volatility_max", positive(self.volatility_max)),
            (
                "instrument_volatility_max",
                positive(self.instrument_volatility_max),
            ),
            (
                "correlation_max",
                self.correlation_max
                    .is_none_or(|c| (-RATE_ONE..=RATE_ONE).contains(&c)),
            ),
            ("bar_age_max_ns", positive(self.bar_age_max_ns)),
            ("quote_age_max_ns", positive(self.quote_age_max_ns)),
            ("duplicate_window_ns", positive(self.duplicate_window_ns)),
            ("order_rate", self.order_rate.is_none_or(|r| r.is_sound())),
            (
                "value_at_risk",
                self.value_at_risk.is_none_or(|v| v.is_sound()),
            ),
            ("breakers.drawdown", loss(breakers.drawdown)),
            ("breakers.day_loss", loss(breakers.day_loss)),
            ("breakers.rejects", breaker(breakers.rejects, true, true)),
            (
                "breakers.dislocation",
                breaker(breakers.dislocation, false, true),
            ),
            (
                "breakers.order_rate",
                breaker(breakers.order_rate, true, true),
            ),
        ])
    }

    /// Set one limit by its name; what it then is must be sound.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidLimit`]; the limits are then as before.
    pub fn change(&mut self, name: &str, value: Option<i128>) -> Result<()> {
        let fail = || EngineError::InvalidLimit {
            name: name.to_owned(),
            value,
        };
        let mut changed = self.clone();
        changed.set(name, value).ok_or_else(fail)?;
        changed.validate().map_err(|_| fail())?;
        *self = changed;
        Ok(())
    }

    /// None if there is no such limit, or if the value is not one of its kind.
    fn set(&mut self, name: &str, value: Option<i128>) -> Option<()> {
        let narrow = || match value {
            None => Some(None),
            Some(value) => i64::try_from(value).ok().map(Some),
        };
        let plain = match name {
            "fat_finger_notional" => {
                self.fat_finger_notional = value;
                return Some(());
            }
            "position_max" => {
                self.position_max = value;
                return Some(());
            }
            "regimes_blocked" => {
                self.regimes_blocked = match value {
                    None => None,
                    Some(mask) => Some(u64::try_from(mask).ok()?),
                };
                return Some(());
            }
            "price_band" => {
                self.price_band = narrow()??;
                return Some(());
            }
            "value_at_risk" => {
                self.value_at_risk.as_mut()?.max = narrow()?;
                return Some(());
            }
            "incremental_value_at_risk" => {
                self.value_at_risk.as_mut()?.step_max = narrow()?;
                return Some(());
            }
            "order_rate" => {
                self.order_rate.as_mut()?.count = narrow()??;
                return Some(());
            }
            "drawdown" => {
                self.breakers.drawdown.as_mut()?.limit = narrow()??;
                return Some(());
            }
            "day_loss" => {
                self.breakers.day_loss.as_mut()?.limit = narrow()??;
                return Some(());
            }
            "fat_finger_quantity" => &mut self.fat_finger_quantity,
            "fat_finger_volume" => &mut self.fat_finger_volume,
            "weight_max" => &mut self.weight_max,
            "sector_max" => &mut self.sector_max,
            "gross_max" => &mut self.gross_max,
            "leverage_max" => &mut self.leverage_max,
            "net_max" => &mut self.net_max,
            "volatility_max" => &mut self.volatility_max,
            "instrument_volatility_max" => &mut self.instrument_volatility_max,
            "correlation_max" => &mut self.correlation_max,
            "bar_age_max_ns" => &mut self.bar_age_max_ns,
            "quote_age_max_ns" => &mut self.quote_age_max_ns,
            "duplicate_window_ns" => &mut self.duplicate_window_ns,
            _ => return None,
        };
        *plain = narrow()?;
        Some(())
    }
}

fn check(limits: &[(&str, bool)]) -> Result<()> {
    match limits.iter().find(|(_, ok)| !ok) {
        Some((name, _)) => Err(EngineError::Config(format!("{name} is out of range"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_changed_by_its_name_and_only_within_its_range() {
        let mut limits = Limits::default();
        limits.change("gross_max", Some(2_000_000_000)).unwrap();
        assert_eq!(limits.gross_max, Some(2_000_000_000));
        limits.change("gross_max", None).unwrap();
        limits.change("position_max", Some(1 << 90)).unwrap();
        let before = limits.clone();
        for (name, value) in [
            ("gross_max", Some(0)),
            ("gross_max", Some(1 << 90)),
            ("price_band", None),
            ("order_rate", Some(5)),
            ("unheard_of", Some(5)),
        ] {
            assert!(limits.change(name, value).is_err(), "{name}");
            assert_eq!(limits, before);
        }
    }

    #[test]
    fn the_tail_of_scenarios_is_rounded_down() {
        let tail = |scenarios, confidence| {
            ValueAtRisk {
                scenarios,
                confidence,
                max: None,
                step_max: None,
            }
            .beyond()
        };
        assert_eq!(tail(1_000, 990_000_000), 10);
        assert_eq!(tail(999, 990_000_000), 9);
        assert_eq!(tail(50, 990_000_000), 0);
    }
}
