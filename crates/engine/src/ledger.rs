//! Double-entry books: one sub-ledger per sleeve and currency. Debits are positive.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Settlement};
use crate::error::EngineError;
use crate::numbers::{Result, Rounding, add, div_round, mul, quantity_add, sub};
use crate::order::named;

named!(
    /// An account of a sleeve in one currency. Positions, kept at cost, come on top of these.
    Account {
        /// Settled or not: what has been received and paid.
        Cash = "cash",
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
}

/// A holding at cost; both are negative for a short one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub quantity: i64,
    pub cost: i128,
}

/// A trade to be booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trade {
    pub(crate) sleeve: usize,
    pub(crate) instrument: usize,
    pub(crate) leg: usize,
    pub(crate) settlement: Settlement,
    /// Positive is bought.
    pub(crate) quantity: i64,
    /// Money of one quantity unit at the price.
    pub(crate) per_unit: i128,
    pub(crate) fee: i128,
    /// Money of one quantity unit of the base currency, for exchanges.
    pub(crate) base_unit: i128,
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

    /// Book a trade; returns how the cost of the position changed.
    ///
    /// What goes against the position closes it, relieving cost in proportion to the quantity,
    /// rounded towards zero (the last unit relieves what is left); the rest opens at its price.
    pub(crate) fn trade(&mut self, trade: &Trade) -> Result<i128> {
        let Trade {
            sleeve, instrument, ..
        } = *trade;
        let currency = self.currency_of[instrument];
        let notional = mul(
            i128::from(trade.quantity),
            trade.per_unit,
            "the notional of a trade",
        )?;
        let place = self.place(sleeve, instrument, trade.leg);
        if let Settlement::Exchange { base } = trade.settlement {
            self.exchange(trade, base, notional)?;
            self.positions[place].quantity =
                quantity_add(self.positions[place].quantity, trade.quantity, "a position")?;
            return Ok(0);
        }
        let position = self.positions[place];
        let change = cost_change(&position, trade.quantity, trade.per_unit, notional)?;
        let gain = sub(change, notional, "the gain of a trade")?;
        let fee = Entry::Account(Account::Fees, trade.fee);
        let cost = Entry::Position(place, change);
        let realised = Entry::Account(Account::Realised, -gain);
        if trade.settlement == Settlement::Difference {
            let received = sub(gain, trade.fee, "the proceeds of a trade")?;
            let cash = Entry::Account(Account::Cash, received);
            let contra = Entry::Account(Account::Contra, -change);
            let entries = [cash, fee, cost, contra, realised];
            self.post("trade", sleeve, currency, &entries)?;
        } else {
            let paid = add(notional, trade.fee, "the cost of a trade")?;
            let cash = Entry::Account(Account::Cash, -paid);
            self.post("trade", sleeve, currency, &[cash, fee, cost, realised])?;
        }
        let position = &mut self.positions[place];
        position.quantity = quantity_add(position.quantity, trade.quantity, "a position")?;
        Ok(change)
    }

    /// Two currencies change hands; each passes through a clearing account of its own.
    fn exchange(&mut self, trade: &Trade, base: usize, notional: i128) -> Result<()> {
        let paid = add(notional, trade.fee, "the cost of a trade")?;
        let quote = [
            Entry::Account(Account::Cash, -paid),
            Entry::Account(Account::Fees, trade.fee),
            Entry::Account(Account::Clearing, notional),
        ];
        let currency = self.currency_of[trade.instrument];
        self.post("exchange", trade.sleeve, currency, &quote)?;
        let amount = mul(
            i128::from(trade.quantity),
            trade.base_unit,
            "the amount of an exchange",
        )?;
        let bought = [
            Entry::Account(Account::Cash, amount),
            Entry::Account(Account::Clearing, -amount),
        ];
        self.post("exchange", trade.sleeve, base, &bought)
    }

    /// Book entries of one sleeve in one currency; they must sum to zero.
    pub(crate) fn post(
        &mut self,
        event: &'static str,
        sleeve: usize,
        currency: usize,
        entries: &[Entry],
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
        Ok(())
    }

    fn place(&self, sleeve: usize, instrument: usize, leg: usize) -> usize {
        (sleeve * self.instruments + instrument) * self.legs + leg
    }

    #[must_use]
    pub fn balance(&self, sleeve: usize, currency: usize, account: Account) -> i128 {
        self.books[sleeve * self.currencies + currency][account as usize]
    }

    #[must_use]
    pub fn cash(&self, sleeve: usize, currency: usize) -> i128 {
        self.balance(sleeve, currency, Account::Cash)
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
    }

    /// Check that all balances of each currency sum to zero, as every booking did.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unbalanced`] if they do not, [`EngineError::Overflow`] if a sum does not fit.
    pub fn verify(&self) -> Result<()> {
        let mut sums = vec![0_i128; self.currencies];
        for (place, book) in self.books.iter().enumerate() {
            let sum = &mut sums[place % self.currencies];
            for amount in book {
                *sum = add(*sum, *amount, "the trial balance")?;
            }
        }
        for (place, position) in self.positions.iter().enumerate() {
            let instrument = place / self.legs % self.instruments;
            let sum = &mut sums[self.currency_of[instrument]];
            *sum = add(*sum, position.cost, "the trial balance")?;
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

/// How a trade changes what a position cost.
fn cost_change(position: &Position, quantity: i64, per_unit: i128, notional: i128) -> Result<i128> {
    let held = position.quantity;
    if held == 0 || (held > 0) == (quantity > 0) {
        return Ok(notional);
    }
    let closed = quantity.unsigned_abs().min(held.unsigned_abs());
    let relieved = if closed == held.unsigned_abs() {
        position.cost
    } else {
        let product = mul(position.cost, i128::from(closed), "the cost of a sale")?;
        let rounding = if product < 0 {
            Rounding::Up
        } else {
            Rounding::Down
        };
        div_round(product, i128::from(held.unsigned_abs()), rounding)
    };
    // What is left of the trade after closing, with its sign, opens a position the other way.
    let opened = i128::from(quantity) + i128::from(closed) * if held > 0 { 1 } else { -1 };
    let opened = mul(opened, per_unit, "the cost of a trade")?;
    sub(opened, relieved, "the cost of a trade")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(cash: i128) -> Ledger {
        let mut book = [0; ACCOUNTS];
        book[Account::Cash as usize] = cash;
        book[Account::Capital as usize] = -cash;
        Ledger {
            instruments: 1,
            legs: 1,
            currencies: 1,
            currency_of: vec![0],
            books: vec![book],
            positions: vec![Position::default()],
        }
    }

    fn trade(ledger: &mut Ledger, settlement: Settlement, quantity: i64, per_unit: i128) {
        let trade = Trade {
            sleeve: 0,
            instrument: 0,
            leg: 0,
            settlement,
            quantity,
            per_unit,
            fee: 1,
            base_unit: 0,
        };
        ledger.trade(&trade).unwrap();
    }

    #[test]
    fn partial_sale_relieves_cost_rounded_down_and_the_last_sale_the_rest() {
        let mut ledger = empty(1_000);
        trade(&mut ledger, Settlement::Asset, 3, 33);
        trade(&mut ledger, Settlement::Asset, 4, 34);
        trade(&mut ledger, Settlement::Asset, -1, 40);
        assert_eq!(ledger.cost(0, 0), 235 - 33);
        trade(&mut ledger, Settlement::Asset, -6, 40);
        assert_eq!(ledger.cost(0, 0), 0);
        assert_eq!(ledger.balance(0, 0, Account::Realised), 235 - 280);
        assert_eq!(ledger.cash(0, 0), 1_000 - 235 + 280 - 4);
        ledger.verify().unwrap();
    }

    #[test]
    fn a_trade_through_zero_closes_and_opens() {
        for settlement in [Settlement::Asset, Settlement::Difference] {
            let mut ledger = empty(1_000);
            trade(&mut ledger, settlement, 3, 10);
            trade(&mut ledger, settlement, -5, 12);
            assert_eq!(
                ledger.position(0, 0, 0),
                Position {
                    quantity: -2,
                    cost: -24
                }
            );
            assert_eq!(ledger.balance(0, 0, Account::Realised), -6);
            trade(&mut ledger, settlement, 2, 13);
            assert_eq!(ledger.position(0, 0, 0), Position::default());
            assert_eq!(ledger.cash(0, 0), 1_000 + 6 - 2 - 3);
            ledger.verify().unwrap();
        }
    }

    #[test]
    fn unbalanced_entries_are_refused_and_change_nothing() {
        let mut ledger = empty(10);
        let before = ledger.clone();
        let error = ledger
            .post("test", 0, 0, &[Entry::Account(Account::Cash, 1)])
            .unwrap_err();
        assert_eq!(
            error,
            EngineError::Unbalanced {
                event: "test",
                sum: 1
            }
        );
        assert_eq!(ledger, before);
    }
}
