//! Cash dividends: `docs/engine/actions.md`, section 2.

use super::orders::Terms;
use super::rescale::price_of;
use crate::engine::Engine;
use crate::numbers::{Result, Rounding, div_nearest, div_round, mul};
use crate::output::{Output, PostingKind};

impl Engine {
    /// Money of a whole unit at one price unit.
    pub(crate) fn whole_unit(&self, instrument: usize) -> Result<i128> {
        let digits = self.config.instruments[instrument].quantity_precision;
        mul(
            self.config.instruments[instrument].unit(),
            10_i128.pow(u32::from(digits)),
            "a whole unit",
        )
    }

    pub(crate) fn dividend_problem(
        &self,
        instrument: usize,
        amount: i128,
    ) -> Result<Option<&'static str>> {
        if amount <= 0 {
            return Ok(Some("its amount must be positive"));
        }
        let Some(mark) = self.mark(instrument) else {
            return Ok(None);
        };
        let worth = mul(
            i128::from(mark),
            self.whole_unit(instrument)?,
            "a whole unit",
        )?;
        Ok((amount >= worth).then_some("its amount must be below the mark"))
    }

    pub(crate) fn pay_dividend(
        &mut self,
        ts: i64,
        instrument: usize,
        amount: i128,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(mark) = self.mark(instrument) else {
            return Ok(());
        };
        let listed = &self.config.instruments[instrument];
        let (currency, digits) = (listed.currency, listed.quantity_precision);
        for sleeve in 0..self.config.sleeves.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, instrument, leg).quantity;
                let exact = mul(i128::from(held), amount, "a dividend")?;
                // Rounded down, longs receive less and shorts pay more.
                let paid = div_round(exact, 10_i128.pow(u32::from(digits)), Rounding::Down);
                let kind = PostingKind::Dividend;
                self.post_amount(ts, sleeve, currency, Some(instrument), kind, paid, out)?;
            }
        }
        let drop = price_of(div_nearest(amount, self.whole_unit(instrument)?))?;
        self.restate_mark(instrument, mark - drop);
        self.adjust_orders(ts, instrument, &Terms::Lowered { drop }, out)
    }
}
