//! Limits that are shares of equity, in money.

use crate::engine::Engine;
use crate::limits::Limits;
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

impl Limits {
    /// Whether any limit on the whole fund is a share of its equity.
    #[inline]
    fn has_shares(&self) -> bool {
        self.weight_max.is_some()
            || self.sector_max.is_some()
            || self.gross_max.is_some()
            || self.leverage_max.is_some()
            || self.net_max.is_some()
            || self.value_at_risk.is_some()
    }
}

impl Engine {
    /// Bring the limits given as shares up to the equity of now.
    #[inline]
    pub(crate) fn update_caps(&mut self) -> Result<()> {
        if !self.config.limits.has_shares() {
            return Ok(());
        }
        let equity = self.exposure.equity(&self.ledger)?.max(0);
        if self.caps.equity != Some(equity) {
            self.caps = self.caps_at(equity)?;
        }
        Ok(())
    }

    fn caps_at(&self, equity: i128) -> Result<Caps> {
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
