//! What the sums need to know of an instrument, and what a quantity of it is worth.

use crate::config::{AccountKind, Config, Settlement};
use crate::models::fees::Fees;
use crate::numbers::{Result, mul, notional};

/// The terms of an instrument, side by side in memory: every order reads most of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// Money of one quantity unit at one price unit.
    pub(super) unit: i128,
    /// The same, where it fits.
    narrow_unit: Option<i64>,
    pub(super) base_unit: i128,
    /// Of its venue, in its currency.
    pub(super) fees: Fees,
    pub(super) margin_rate: i64,
    pub(super) currency: usize,
    pub(super) sector: usize,
    /// Whether the value of a position is on top of cash: not for currencies, which are cash.
    pub(super) settlement: Settlement,
    /// Whether its orders are judged by margin rather than by cash.
    pub(super) on_margin: bool,
}

impl Facts {
    /// `sectors` are the names of all sectors in order.
    pub(super) fn new(config: &Config, instrument: usize, sectors: &[&str]) -> Self {
        let listed = &config.instruments[instrument];
        let is_exchange = matches!(listed.settlement, Settlement::Exchange { .. });
        Self {
            unit: listed.unit(),
            narrow_unit: i64::try_from(listed.unit()).ok(),
            base_unit: listed.base_unit(),
            fees: super::fees_of(config, instrument, 0),
            margin_rate: listed.margin_initial,
            currency: listed.currency,
            sector: sectors.partition_point(|name| *name < listed.sector.as_str()),
            settlement: listed.settlement,
            on_margin: config.account.kind == AccountKind::Margin && !is_exchange,
        }
    }

    /// Money in the instrument's currency for a quantity at a price.
    #[inline(always)]
    pub(super) fn notional(&self, quantity: i64, price: i64) -> Result<i128> {
        // Nearly always the factors fit in 64 bits, where a product cannot overflow.
        if let (Some(product), Some(unit)) = (quantity.checked_mul(price), self.narrow_unit) {
            return Ok(i128::from(product) * i128::from(unit));
        }
        self.wide_notional(quantity, price)
    }

    #[cold]
    fn wide_notional(&self, quantity: i64, price: i64) -> Result<i128> {
        notional(quantity, price, self.unit)
    }

    /// A quantity at the size of a price, in the instrument's currency, with the quantity's sign.
    #[inline(always)]
    pub(super) fn amount(&self, quantity: i128, price: i64) -> Result<i128> {
        // Nearly always the factors fit in 64 bits, where products cannot overflow.
        if let (Ok(quantity), Some(per_unit)) = (i64::try_from(quantity), self.per_unit(price)) {
            return Ok(i128::from(quantity) * i128::from(per_unit));
        }
        self.wide_amount(quantity, price)
    }

    /// Money of one quantity unit at the size of a price, where it fits in 64 bits.
    #[inline(always)]
    pub(super) fn per_unit(&self, price: i64) -> Option<i64> {
        price.checked_mul(self.narrow_unit?)?.checked_abs()
    }

    #[cold]
    fn wide_amount(&self, quantity: i128, price: i64) -> Result<i128> {
        let amount = mul(quantity, i128::from(price).abs(), "an exposure")?;
        mul(amount, self.unit, "an exposure")
    }

    /// A quantity at a price of one unit, and the margin of it, in `10^-21`.
    #[inline(always)]
    pub(super) fn burden(&self, quantity: i64, per_unit: i64) -> Result<(i128, i128)> {
        let Some(amount) = quantity.checked_mul(per_unit) else {
            let amount = i128::from(quantity) * i128::from(per_unit);
            return Ok((amount, self.margin(amount)?));
        };
        let rate = if self.on_margin { self.margin_rate } else { 0 };
        Ok((i128::from(amount), i128::from(amount) * i128::from(rate)))
    }

    /// The margin of an amount, in `10^-21`.
    #[inline(always)]
    pub(super) fn margin(&self, amount: i128) -> Result<i128> {
        if self.on_margin {
            mul(amount, i128::from(self.margin_rate), "a margin")
        } else {
            Ok(0)
        }
    }
}
