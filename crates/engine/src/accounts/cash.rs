//! Deposits, withdrawals, funding, and the terms of borrowing.

use crate::config::AccountKind;
use crate::engine::Engine;
use crate::input::Event;
use crate::ledger::Account;
use crate::numbers::{MONEY_ONE, RATE_ONE, Result, Rounding, add, div_round, mul, sub};
use crate::output::{Output, Posting, PostingKind};

impl Engine {
    /// Money that is paid in, or taken out where negative.
    pub(crate) fn move_cash(
        &mut self,
        ts: i64,
        sleeve: usize,
        currency: usize,
        amount: i128,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if amount < 0 {
            let refused = self.withdrawal_refused(sleeve, currency, -amount)?;
            if let Some(available) = refused {
                out.push(Output::CashFlowRejected {
                    ts,
                    sleeve,
                    currency,
                    amount,
                    available,
                });
                return Ok(());
            }
        }
        let equity = self.sleeve_equity(sleeve)?;
        self.ledger
            .transfer("cash flow", sleeve, currency, Account::Capital, amount)?;
        let moved = self.exposure.in_fund_currency(currency, amount)?;
        self.capital_moved(sleeve, moved)?;
        let kind = if amount > 0 {
            PostingKind::Deposit
        } else {
            PostingKind::Withdrawal
        };
        out.push(Output::Posted(Posting {
            ts,
            sleeve,
            currency,
            kind,
            instrument: None,
            amount,
            equity: Some(equity),
        }));
        self.check_all_margins(ts, out)
    }

    /// What could be taken out, if that is less than an amount.
    fn withdrawal_refused(
        &self,
        sleeve: usize,
        currency: usize,
        amount: i128,
    ) -> Result<Option<i128>> {
        let Some(rate) = self.exposure.rates[currency] else {
            return Ok(Some(0));
        };
        if !self.is_equity_known(sleeve) {
            return Ok(Some(0));
        }
        let settled = self.ledger.settled(sleeve, currency);
        let owed = add(
            self.ledger.payable(sleeve, currency)?,
            self.exposure.reserved(sleeve, currency)?,
            "owed cash",
        )?;
        let free = sub(settled, owed, "free cash")?;
        if amount > free {
            return Ok(Some(free));
        }
        if self.config.account.kind == AccountKind::Cash {
            return Ok(None);
        }
        let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
        let excess = sub(equity, self.required(sleeve)?, "free margin")?;
        if self.exposure.in_fund_currency_up(currency, amount)? <= excess {
            return Ok(None);
        }
        let money = mul(excess, i128::from(MONEY_ONE), "free margin")?;
        Ok(Some(div_round(money, rate, Rounding::Down)))
    }

    /// Holders of a perpetual pay each other, longs where the rate is positive.
    pub(crate) fn pay_funding(
        &mut self,
        ts: i64,
        instrument: usize,
        rate: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let listed = &self.config.instruments[instrument];
        let Some(mark) = self.mark(instrument) else {
            return Ok(());
        };
        let currency = listed.currency;
        for sleeve in 0..self.config.sleeves.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, instrument, leg).quantity;
                let value = self.exposure.notional(instrument, held, mark)?;
                let product = mul(value, i128::from(rate), "funding")?;
                let paid = div_round(product, i128::from(RATE_ONE), Rounding::Up);
                self.post_amount(
                    ts,
                    sleeve,
                    currency,
                    Some(instrument),
                    PostingKind::Funding,
                    -paid,
                    out,
                )?;
            }
        }
        self.check_all_margins(ts, out)
    }

    /// Book money that a sleeve receives, or pays where negative, and say so.
    #[expect(clippy::too_many_arguments, reason = "the fields of a posting")]
    pub(crate) fn post_amount(
        &mut self,
        ts: i64,
        sleeve: usize,
        currency: usize,
        instrument: Option<usize>,
        kind: PostingKind,
        amount: i128,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let from = match kind {
            PostingKind::Interest => Account::Interest,
            PostingKind::Borrow => Account::Borrow,
            PostingKind::Funding => Account::Funding,
            PostingKind::Dividend => Account::Dividends,
            _ => Account::Realised,
        };
        self.ledger
            .transfer(kind.name(), sleeve, currency, from, amount)?;
        out.push(Output::Posted(Posting {
            ts,
            sleeve,
            currency,
            kind,
            instrument,
            amount,
            equity: None,
        }));
        Ok(())
    }

    /// New terms of interest or of short sales.
    pub(crate) fn set_terms(&mut self, event: &Event) {
        match event {
            Event::InterestRates {
                currency,
                credit_rate,
                debit_rate,
            } => {
                let found = &mut self.config.currencies[*currency];
                (found.credit_rate, found.debit_rate) = (*credit_rate, *debit_rate);
            }
            Event::ShortTerms {
                instrument,
                shortable,
                borrow_rate,
            } => {
                let found = &mut self.config.instruments[*instrument];
                (found.shortable, found.borrow_rate) = (*shortable, *borrow_rate);
            }
            _ => {}
        }
    }
}
