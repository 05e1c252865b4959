//! What the end of a day brings: `docs/engine/accounts.md`, section 5.

use crate::config::{InstrumentKind, Settlement};
use crate::engine::Engine;
use crate::ledger::{Account, Entry};
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, mul, sub};
use crate::output::{Output, Posting, PostingKind};

/// Days of the year to which rates of interest and borrowing refer.
const YEAR: i128 = 365;

impl Engine {
    pub(crate) fn end_day(&mut self, ts: i64, trading: bool, out: &mut Vec<Output>) -> Result<()> {
        if trading {
            self.settle_futures(ts, out)?;
        }
        self.accrue_interest(ts, out)?;
        self.charge_borrowing(ts, out)?;
        if trading {
            self.ledger.settle(|sleeve, currency, amount| {
                out.push(Output::Posted(Posting {
                    ts,
                    sleeve,
                    currency,
                    kind: PostingKind::Settled,
                    instrument: None,
                    amount,
                    equity: None,
                }));
            })?;
        }
        Ok(())
    }

    /// Gains and losses of futures become cash, and their cost what they are worth.
    fn settle_futures(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        for sleeve in 0..self.config.sleeves.len() {
            for instrument in 0..self.config.instruments.len() {
                let listed = &self.config.instruments[instrument];
                let (InstrumentKind::Future, Some(mark)) = (listed.kind, self.mark(instrument))
                else {
                    continue;
                };
                let currency = listed.currency;
                for leg in 0..self.ledger.legs() {
                    let held = self.ledger.position(sleeve, instrument, leg);
                    let value = self.exposure.notional(instrument, held.quantity, mark)?;
                    let gain = sub(value, held.cost, "a future's gain")?;
                    if gain == 0 {
                        continue;
                    }
                    let place = self.ledger.place(sleeve, instrument, leg);
                    let entries = [
                        Entry::Position(place, gain),
                        Entry::Account(Account::Contra, -gain),
                        Entry::Account(Account::Cash, gain),
                        Entry::Account(Account::Realised, -gain),
                    ];
                    self.ledger.post("variation", sleeve, currency, &entries)?;
                    self.exposure.cost_changed(sleeve, instrument, gain)?;
                    out.push(Output::Posted(Posting {
                        ts,
                        sleeve,
                        currency,
                        kind: PostingKind::Variation,
                        instrument: Some(instrument),
                        amount: gain,
                        equity: None,
                    }));
                }
            }
        }
        Ok(())
    }

    fn accrue_interest(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        for sleeve in 0..self.config.sleeves.len() {
            for currency in 0..self.config.currencies.len() {
                let found = &self.config.currencies[currency];
                let settled = self.ledger.settled(sleeve, currency);
                let rate = if settled > 0 {
                    found.credit_rate
                } else {
                    found.debit_rate
                };
                // Rounded down, a debt costs more and a balance brings less.
                let product = mul(settled, i128::from(rate), "interest")?;
                let amount = div_round(product, i128::from(RATE_ONE) * YEAR, Rounding::Down);
                let kind = PostingKind::Interest;
                self.post_amount(ts, sleeve, currency, None, kind, amount, out)?;
            }
        }
        Ok(())
    }

    fn charge_borrowing(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        for sleeve in 0..self.config.sleeves.len() {
            for instrument in 0..self.config.instruments.len() {
                let listed = &self.config.instruments[instrument];
                let rate = i128::from(listed.borrow_rate);
                if rate == 0 || listed.settlement != Settlement::Asset {
                    continue;
                }
                let (currency, mark) = (listed.currency, self.mark(instrument).unwrap_or(0));
                for leg in 0..self.ledger.legs() {
                    let held = self.ledger.position(sleeve, instrument, leg).quantity;
                    if held >= 0 {
                        continue;
                    }
                    let value = self.exposure.notional(instrument, held, mark)?.abs();
                    let product = mul(value, rate, "a borrow fee")?;
                    let fee = div_round(product, i128::from(RATE_ONE) * YEAR, Rounding::Up);
                    let kind = PostingKind::Borrow;
                    self.post_amount(ts, sleeve, currency, Some(instrument), kind, -fee, out)?;
                }
            }
        }
        Ok(())
    }
}
