//! Prices of currencies: `docs/engine/accounts.md`, section 1.

use crate::engine::Engine;
use crate::numbers::{MONEY_DIGITS, Result};

impl Engine {
    /// An input says what a currency is worth.
    pub(crate) fn set_rate(&mut self, currency: usize, rate: i64) -> Result<()> {
        self.change_rate(currency, i128::from(rate))
    }

    fn change_rate(&mut self, currency: usize, rate: i128) -> Result<()> {
        let instruments = &self.instruments;
        self.exposure.rate_changed(currency, rate, |instrument| {
            instruments[instrument].mark.unwrap_or(0)
        })
    }

    /// An instrument is marked at a new price, and with it the currency that follows it.
    #[inline(always)]
    pub(crate) fn change_mark(&mut self, ts: i64, instrument: usize, mark: i64) -> Result<()> {
        self.instruments[instrument].priced_at = ts;
        self.watch_mark(ts, instrument, mark)?;
        let old = self.instruments[instrument].mark.replace(mark);
        if old == Some(mark) {
            return Ok(());
        }
        self.exposure
            .mark_changed(instrument, old.unwrap_or(mark), mark)?;
        match self.exposure.rate_of[instrument] {
            None => Ok(()),
            Some((currency, inverse)) => self.follow_mark(instrument, currency, inverse, mark),
        }
    }

    #[inline(never)]
    fn follow_mark(
        &mut self,
        instrument: usize,
        currency: usize,
        inverse: bool,
        mark: i64,
    ) -> Result<()> {
        if mark <= 0 {
            return Ok(());
        }
        let digits = self.config.instruments[instrument].price_precision;
        let rate = if inverse {
            10_i128.pow(u32::from(MONEY_DIGITS + digits)) / i128::from(mark)
        } else {
            i128::from(mark) * 10_i128.pow(u32::from(MONEY_DIGITS - digits))
        };
        self.change_rate(currency, rate)
    }

    /// Whether all that a sleeve has can be told in the fund's currency.
    pub(crate) fn is_equity_known(&self, sleeve: usize) -> bool {
        (1..self.config.currencies.len()).all(|currency| {
            self.exposure.rates[currency].is_some() || !self.has_in(sleeve, currency)
        })
    }

    /// Whether a sleeve has anything in a currency.
    fn has_in(&self, sleeve: usize, currency: usize) -> bool {
        let settled = self.ledger.settled(sleeve, currency);
        if settled != 0 || self.ledger.cash(sleeve, currency) != settled {
            return true;
        }
        (0..self.config.instruments.len()).any(|instrument| {
            self.config.instruments[instrument].currency == currency
                && (0..self.ledger.legs())
                    .any(|leg| self.ledger.position(sleeve, instrument, leg).quantity != 0)
        })
    }
}
