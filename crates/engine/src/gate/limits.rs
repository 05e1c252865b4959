//! Limits that are shares of equity, in money.

use crate::config::Config;
use crate::engine::Engine;
use crate::limits::{Crossed, SleeveLimits};
use crate::numbers::{Result, share_of};

/// The limits given as shares of the fund's equity, for one equity: orders often come in numbers
/// between two changes of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caps {
    equity: Option<i128>,
    pub(crate) weight: Option<i128>,
    pub(crate) sector: Option<i128>,
    pub(crate) gross: Option<i128>,
    pub(crate) leverage: Option<i128>,
    pub(crate) net: Option<i128>,
    pub(crate) value_at_risk: Option<i128>,
    pub(crate) step: Option<i128>,
}

/// Which checks there are at all: most funds set few of the limits, and every order passes all of
/// the checks.
#[expect(
    clippy::struct_excessive_bools,
    reason = "kinds of checks, each its own"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enforced {
    /// Whether any limit on the whole fund is a share of its equity.
    shares: bool,
    pub(super) fat_fingers: bool,
    /// Ages of prices, regimes, our own orders on the other side.
    pub(super) circumstances: bool,
    /// Orders in windows of time, for limits and for breakers.
    pub(super) counts: bool,
    /// What the fund and its sleeves may come to hold.
    pub(super) rows: bool,
    pub(super) figures: bool,
    /// Losses, and figures that the market has moved.
    pub(super) losses: bool,
}

impl Enforced {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        let breakers = &limits.breakers;
        let any_sleeve = |has: fn(&SleeveLimits) -> bool| {
            config.sleeves.iter().any(|sleeve| has(&sleeve.limits))
        };
        let by_fund = limits.weight_max.is_some()
            || limits.sector_max.is_some()
            || limits.gross_max.is_some()
            || limits.leverage_max.is_some()
            || limits.net_max.is_some();
        Self {
            shares: by_fund || limits.value_at_risk.is_some(),
            fat_fingers: limits.fat_finger_quantity.is_some()
                || limits.fat_finger_notional.is_some()
                || limits.fat_finger_volume.is_some(),
            circumstances: limits.bar_age_max_ns.is_some()
                || limits.quote_age_max_ns.is_some()
                || limits.regimes_blocked.is_some()
                || limits.self_trade,
            counts: limits.order_rate.is_some()
                || limits.duplicate_window_ns.is_some()
                || breakers.order_rate.is_some()
                || breakers.rejects.is_some()
                || any_sleeve(|limits| limits.order_rate.is_some()),
            rows: by_fund
                || limits.position_max.is_some()
                || any_sleeve(|limits| limits.weight_max.is_some() || limits.gross_max.is_some()),
            figures: limits.volatility_max.is_some()
                || limits.instrument_volatility_max.is_some()
                || limits.correlation_max.is_some(),
            losses: limits.crossed == Crossed::ReduceOnly
                || breakers.drawdown.is_some()
                || breakers.day_loss.is_some()
                || any_sleeve(|limits| limits.drawdown_max.is_some()),
        }
    }
}

impl Engine {
    /// Bring the limits given as shares up to the equity of now.
    #[inline(always)]
    pub(crate) fn update_caps(&mut self) -> Result<()> {
        if !self.enforced.shares {
            return Ok(());
        }
        self.update_shares()
    }

    fn update_shares(&mut self) -> Result<()> {
        let equity = self.exposure.equity(&self.ledger)?.max(0);
        if self.caps.equity != Some(equity) {
            self.caps = self.caps_at(equity)?;
        }
        Ok(())
    }

    pub(super) fn caps_at(&self, equity: i128) -> Result<Caps> {
        let limits = &self.config.limits;
        let cap = |share: Option<i64>| share.map(|s| share_of(equity, s, "a limit")).transpose();
        let risk = limits.value_at_risk;
        Ok(Caps {
            equity: Some(equity),
            weight: cap(limits.weight_max)?,
            sector: cap(limits.sector_max)?,
            gross: cap(limits.gross_max)?,
            leverage: cap(limits.leverage_max)?,
            net: cap(limits.net_max)?,
            value_at_risk: cap(risk.and_then(|r| r.max))?,
            step: cap(risk.and_then(|r| r.step_max))?,
        })
    }

    /// A share of a sleeve's equity, where it is limited.
    pub(crate) fn sleeve_cap(&self, sleeve: usize, share: Option<i64>) -> Result<Option<i128>> {
        let Some(share) = share else { return Ok(None) };
        let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?.max(0);
        share_of(equity, share, "a sleeve's limit").map(Some)
    }
}
