//! Reading the sums.

use super::{Burden, Exposure, Row, Sums, Till};
use crate::models::fees::Fees;
use crate::numbers::{Result, add};
use crate::order::Order;

impl Exposure {
    #[inline(always)]
    fn till(&self, sleeve: usize, currency: usize) -> &Till {
        &self.tills[sleeve * self.currencies + currency]
    }

    /// Money of one quantity unit at one price unit.
    pub(crate) fn unit(&self, instrument: usize) -> i128 {
        self.facts[instrument].unit
    }

    /// What its venue charges, in its currency.
    pub(crate) fn fees(&self, instrument: usize) -> &Fees {
        &self.facts[instrument].fees
    }

    /// The venue charges something else from now on.
    pub(crate) fn set_fees(&mut self, instrument: usize, fees: &Fees) {
        self.facts[instrument].fees = *fees;
    }

    /// Whether anything of an instrument is held or in flight.
    #[inline]
    pub(crate) fn is_active(&self, instrument: usize) -> bool {
        self.tallies[instrument].active > 0
    }

    pub(crate) fn burden(&self, sleeve: usize, instrument: usize, leg: usize) -> Burden {
        self.holdings[self.place(sleeve, instrument, leg)].burden
    }

    pub(crate) fn row(&self, instrument: usize) -> &Row {
        &self.tallies[instrument].row
    }

    /// Over the rows of instruments; those of currencies follow from the ledger.
    pub(crate) fn sums(&self) -> Sums {
        self.sums
    }

    pub(crate) fn sector(&self, instrument: usize) -> i128 {
        self.by_sector[self.facts[instrument].sector]
    }

    pub(crate) fn sectors(&self) -> &[i128] {
        &self.by_sector
    }

    pub(crate) fn short(&self, instrument: usize) -> i128 {
        self.tallies[instrument].short
    }

    pub(crate) fn sleeve_gross(&self, sleeve: usize) -> i128 {
        self.sleeve_gross[sleeve]
    }

    pub(crate) fn leverage(&self) -> Result<i128> {
        self.sleeve_gross
            .iter()
            .try_fold(0, |sum, gross| add(sum, *gross, "the leverage"))
    }

    /// Whether orders in an instrument are judged by margin rather than by cash.
    pub(crate) fn on_margin(&self, instrument: usize) -> bool {
        self.facts[instrument].on_margin
    }

    /// The margin of a sleeve's lines in a currency, in `10^-21`, and what orders hold there.
    #[inline(always)]
    pub(crate) fn margin(&self, sleeve: usize, currency: usize) -> (i128, i128) {
        let till = self.till(sleeve, currency);
        (till.margin, till.holds)
    }

    /// What buys hold of a currency, and sales that give it away.
    pub(crate) fn reserved(&self, sleeve: usize, currency: usize) -> Result<i128> {
        let till = self.till(sleeve, currency);
        add(till.reserved, till.sold, "reserved cash")
    }

    /// What sales in flight give away of a currency.
    pub(crate) fn sold(&self, sleeve: usize, currency: usize) -> i128 {
        self.till(sleeve, currency).sold
    }

    pub(crate) fn expected(&self, sleeve: usize, currency: usize) -> i128 {
        self.till(sleeve, currency).expected
    }

    /// What exchanges in flight may bring of a currency, and take.
    pub(crate) fn flows(&self, currency: usize) -> (i128, i128) {
        self.flows[currency]
    }

    /// The highest price at which a buy of ours rests, where that is kept.
    pub(crate) fn highest_buy(&self, instrument: usize) -> Option<i64> {
        self.resting.get(instrument)?.highest_buy()
    }

    /// The lowest price at which a sale of ours rests.
    pub(crate) fn lowest_sale(&self, instrument: usize) -> Option<i64> {
        self.resting.get(instrument)?.lowest_sale()
    }

    /// An order of ours begins to rest, or ceases to.
    #[inline]
    pub(crate) fn resting_changed(&mut self, order: &Order, sign: i8) {
        if let Some(resting) = self.resting.get_mut(order.instrument) {
            resting.changed(order, sign);
        }
    }

    pub(crate) fn base_unit(&self, instrument: usize) -> i128 {
        self.facts[instrument].base_unit
    }

    /// The same, rounded up.
    #[inline(always)]
    pub(crate) fn in_fund_currency_up(&self, currency: usize, amount: i128) -> Result<i128> {
        if currency == 0 {
            return Ok(amount);
        }
        Ok(-self.in_fund_currency(currency, -amount)?)
    }
}
