//! Double-entry books: one sub-ledger per sleeve and currency. Debits are positive.

mod settling;
mod trade;

pub(crate) use trade::{Money, Trade};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::EngineError;
use crate::numbers::{Result, add, sub};
use crate::order::named;
use settling::Settling;

named!(
    /// An account of a sleeve in one currency. Positions, kept at cost, come on top of these.
    Account {
        /// What is settled.
        Cash = "cash",
        /// Trades that wait for their settlement; positive is to be received.
        Unsettled = "unsettled",
        /// What currencies that were exchanged for each other passed through.
        Clearing = "clearing",
        /// The other side of positions of which no notional changes hands.
        Contra = "contra",
        Capital = "capital",
        Fees = "fees",
        Realised = "realised",
        Interest = "interest",
        Borrow = "borrow",
        Funding = "funding",
        Dividends = "dividends",
    }
);

const ACCOUNTS: usize = Account::ALL.len();

/// One side of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Account(Account, i128),
    /// A position by its place.
    Position(usize, i128),
}

/// Balances of all accounts of all sleeves, and the quantities held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    instruments: usize,
    legs: usize,
    currencies: usize,
    /// Per instrument.
    currency_of: Vec<usize>,
    /// Sleeve-major: `sleeve * currencies + currency`.
    books: Vec<[i128; ACCOUNTS]>,
    /// Sleeve-major: `(sleeve * instruments + instrument) * legs + leg`.
    positions: Vec<Position>,
    settling: Settling,
}

/// A holding at cost; both are negative for a short one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub quantity: i64,
    pub cost: i128,
}

impl Ledger {
    /// Books in which each sleeve has received its capital.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if an amount does not fit.
    pub fn open(config: &Config) -> Result<Self> {
        let instruments = config.instruments.len();
        let legs = config.account.legs();
        let mut ledger = Self {
            instruments,
            legs,
            currencies: config.currencies.len(),
            currency_of: config.instruments.iter().map(|i| i.currency).collect(),
            books: vec![[0; ACCOUNTS]; config.sleeves.len() * config.currencies.len()],
            positions: vec![Position::default(); config.sleeves.len() * instruments * legs],
            settling: Settling::new(config),
        };
        for (index, sleeve) in config.sleeves.iter().enumerate() {
            ledger.transfer("capital", index, 0, Account::Capital, sleeve.cash)?;
            for (currency, amount) in &sleeve.balances {
                ledger.transfer("capital", index, *currency, Account::Capital, *amount)?;
            }
        }
        Ok(ledger)
    }

    /// Money that comes to a sleeve's cash out of `from`, or goes there where negative.
    pub(crate) fn transfer(
        &mut self,
        event: &'static str,
        sleeve: usize,
        currency: usize,
        from: Account,
        amount: i128,
    ) -> Result<()> {
        let entries = [
            Entry::Account(Account::Cash, amount),
            Entry::Account(from, -amount),
        ];
        self.post(event, sleeve, currency, &entries)
    }

    /// Book entries of one sleeve in one currency; they must sum to zero.
    #[inline(always)]
    pub(crate) fn post<const COUNT: usize>(
        &mut self,
        event: &'static str,
        sleeve: usize,
        currency: usize,
        entries: &[Entry; COUNT],
    ) -> Result<()> {
        let mut sum = 0_i128;
        for entry in entries {
            let (Entry::Account(_, amount) | Entry::Position(_, amount)) = entry;
            sum = add(sum, *amount, "a booking")?;
        }
        if sum != 0 {
            return Err(EngineError::Unbalanced { event, sum });
        }
        let book = &mut self.books[sleeve * self.currencies + currency];
        for entry in entries {
            let (balance, amount) = match entry {
                Entry::Account(account, amount) => (&mut book[*account as usize], amount),
                Entry::Position(place, amount) => (&mut self.positions[*place].cost, amount),
            };
            *balance = add(*balance, *amount, "a balance")?;
        }
        let (settled, unsettled) = (Account::Cash as usize, Account::Unsettled as usize);
        add(book[settled], book[unsettled], "cash").map(|_| ())
    }

    /// Book a trade's money and what it is for: at once, or to be settled after some trading days.
    #[inline(always)]
    fn post_money<const COUNT: usize>(
        &mut self,
        event: &'static str,
        sleeve: usize,
        currency: usize,
        money: Money,
        entries: &[Entry; COUNT],
    ) -> Result<()> {
        if money.days > 0 {
            let place = sleeve * self.currencies + currency;
            self.settling.add(place, money.days, money.amount)?;
        }
        self.post(event, sleeve, currency, entries)
    }

    /// Settle what is due when a trading day ends; `settled` hears of each amount.
    pub(crate) fn settle(&mut self, mut settled: impl FnMut(usize, usize, i128)) -> Result<()> {
        self.settling.next_day();
        for place in 0..self.books.len() {
            let amount = self.settling.take_due(place)?;
            if amount != 0 {
                let (sleeve, currency) = (place / self.currencies, place % self.currencies);
                self.transfer("settlement", sleeve, currency, Account::Unsettled, amount)?;
                settled(sleeve, currency, amount);
            }
        }
        Ok(())
    }

    /// Replace a position; its cost goes with the entries of the same booking.
    pub(crate) fn set_quantity(&mut self, place: usize, quantity: i64) {
        self.positions[place].quantity = quantity;
    }

    pub(crate) fn place(&self, sleeve: usize, instrument: usize, leg: usize) -> usize {
        (sleeve * self.instruments + instrument) * self.legs + leg
    }

    #[must_use]
    pub fn balance(&self, sleeve: usize, currency: usize, account: Account) -> i128 {
        self.books[sleeve * self.currencies + currency][account as usize]
    }

    /// What is settled of a currency.
    #[must_use]
    pub fn settled(&self, sleeve: usize, currency: usize) -> i128 {
        self.balance(sleeve, currency, Account::Cash)
    }

    /// What there is of a currency, settled or not. Every booking has checked that it fits.
    #[must_use]
    #[inline(always)]
    pub fn cash(&self, sleeve: usize, currency: usize) -> i128 {
        let book = &self.books[sleeve * self.currencies + currency];
        book[Account::Cash as usize] + book[Account::Unsettled as usize]
    }

    /// What may be spent of a currency: all there is, or only what is settled, less what is owed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the sum does not fit.
    pub fn spendable(&self, sleeve: usize, currency: usize, on_unsettled: bool) -> Result<i128> {
        if on_unsettled || self.settling.is_empty() {
            return Ok(self.cash(sleeve, currency));
        }
        let place = sleeve * self.currencies + currency;
        let settled = self.books[place][Account::Cash as usize];
        sub(settled, self.settling.payable(place)?, "cash")
    }

    /// Money that leaves when trades settle.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if the sum does not fit.
    pub fn payable(&self, sleeve: usize, currency: usize) -> Result<i128> {
        self.settling.payable(sleeve * self.currencies + currency)
    }

    #[must_use]
    pub fn position(&self, sleeve: usize, instrument: usize, leg: usize) -> Position {
        self.positions[self.place(sleeve, instrument, leg)]
    }

    /// What a sleeve holds of an instrument, long less short.
    #[must_use]
    pub fn quantity(&self, sleeve: usize, instrument: usize) -> i64 {
        (0..self.legs)
            .map(|leg| self.position(sleeve, instrument, leg).quantity)
            .sum()
    }

    /// What it cost.
    #[must_use]
    pub fn cost(&self, sleeve: usize, instrument: usize) -> i128 {
        (0..self.legs)
            .map(|leg| self.position(sleeve, instrument, leg).cost)
            .sum()
    }

    #[must_use]
    pub fn legs(&self) -> usize {
        self.legs
    }

    pub(crate) fn fits(&self, config: &Config) -> bool {
        let (sleeves, instruments) = (config.sleeves.len(), config.instruments.len());
        self.instruments == instruments
            && self.legs == config.account.legs()
            && self.currencies == config.currencies.len()
            && self
                .currency_of
                .iter()
                .eq(config.instruments.iter().map(|i| &i.currency))
            && self.books.len() == sleeves * self.currencies
            && self.positions.len() == sleeves * instruments * self.legs
            && self.settling.fits(config)
    }

    /// Check that all balances of each sleeve in each currency sum to zero, as every booking did,
    /// and that what waits for its settlement is what is unsettled.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unbalanced`] if they do not, [`EngineError::Overflow`] if a sum does not fit.
    pub fn verify(&self) -> Result<()> {
        let mut sums = vec![0_i128; self.books.len()];
        for (sum, book) in sums.iter_mut().zip(&self.books) {
            for amount in book {
                *sum = add(*sum, *amount, "the trial balance")?;
            }
        }
        for (place, position) in self.positions.iter().enumerate() {
            let row = place / self.legs;
            let (sleeve, instrument) = (row / self.instruments, row % self.instruments);
            let sum = &mut sums[sleeve * self.currencies + self.currency_of[instrument]];
            *sum = add(*sum, position.cost, "the trial balance")?;
        }
        for (place, book) in self.books.iter().enumerate() {
            let unsettled = book[Account::Unsettled as usize];
            sums[place] = add(
                sums[place],
                sub(self.settling.net(place)?, unsettled, "what is unsettled")?,
                "the trial balance",
            )?;
        }
        match sums.into_iter().find(|sum| *sum != 0) {
            None => Ok(()),
            Some(sum) => Err(EngineError::Unbalanced {
                event: "trial balance",
                sum,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
