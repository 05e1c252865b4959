//! Reading the sums.

use super::{Burden, Exposure, Row, Sums};
use crate::config::Settlement;
use crate::numbers::{Result, add};
use crate::order::Order;

impl Exposure {
    pub(crate) fn burden(&self, sleeve: usize, instrument: usize, leg: usize) -> Burden {
        self.burdens[self.place(sleeve, instrument, leg)]
    }

    pub(crate) fn row(&self, instrument: usize) -> &Row {
        &self.rows[instrument]
    }

    /// Over the rows of instruments; those of currencies follow from the ledger.
    pub(crate) fn sums(&self) -> Sums {
        self.sums
    }

    pub(crate) fn sector(&self, instrument: usize) -> i128 {
        self.by_sector[self.sector_of[instrument]]
    }

    pub(crate) fn sectors(&self) -> &[i128] {
        &self.by_sector
    }

    pub(crate) fn short(&self, instrument: usize) -> i128 {
        self.short[instrument]
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
        self.on_margin && !matches!(self.settlement[instrument], Settlement::Exchange { .. })
    }

    /// The margin of a sleeve's lines in a currency, in `10^-21`, and what orders hold there.
    pub(crate) fn margin(&self, sleeve: usize, currency: usize) -> (i128, i128) {
        let place = sleeve * self.currencies + currency;
        (self.margin[place], self.holds[place])
    }

    /// What buys hold of a currency, and sales that give it away.
    pub(crate) fn reserved(&self, sleeve: usize, currency: usize) -> Result<i128> {
        let place = sleeve * self.currencies + currency;
        add(self.reserved[place], self.sold[place], "reserved cash")
    }

    /// What sales in flight give away of a currency.
    pub(crate) fn sold(&self, sleeve: usize, currency: usize) -> i128 {
        self.sold[sleeve * self.currencies + currency]
    }

    pub(crate) fn expected(&self, sleeve: usize, currency: usize) -> i128 {
        self.expected[sleeve * self.currencies + currency]
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
        self.base_unit[instrument]
    }

    /// The same, rounded up.
    pub(crate) fn in_fund_currency_up(&self, currency: usize, amount: i128) -> Result<i128> {
        Ok(-self.in_fund_currency(currency, -amount)?)
    }
}
