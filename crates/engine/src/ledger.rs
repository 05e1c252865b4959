//! Double-entry books: one sub-ledger per sleeve. Debits are positive.

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::EngineError;
use crate::numbers::{Result, Rounding, add, div_round, mul, quantity_add, sub};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    Cash,
    Capital,
    Fees,
    Realised,
    /// Holding of an instrument, at cost.
    Position(usize),
}

/// One side of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub account: Account,
    pub amount: i128,
}

/// Balances of all accounts of all sleeves, in the fund's currency, and the quantities held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    instruments: usize,
    books: Vec<Book>,
    /// Sleeve-major: `sleeve * instruments + instrument`.
    positions: Vec<Position>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Book {
    cash: i128,
    capital: i128,
    fees: i128,
    realised: i128,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    quantity: i64,
    cost: i128,
}

impl Ledger {
    /// Books in which each sleeve has received its capital.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if an amount does not fit.
    pub fn open(config: &Config) -> Result<Self> {
        let instruments = config.instruments.len();
        let mut ledger = Self {
            instruments,
            books: vec![Book::default(); config.sleeves.len()],
            positions: vec![Position::default(); config.sleeves.len() * instruments],
        };
        for (index, sleeve) in config.sleeves.iter().enumerate() {
            let entries = [
                Entry {
                    account: Account::Cash,
                    amount: sleeve.cash,
                },
                Entry {
                    account: Account::Capital,
                    amount: -sleeve.cash,
                },
            ];
            ledger.post("capital", index, &entries)?;
        }
        Ok(ledger)
    }

    /// Book a purchase; `notional` and `fee` are money.
    pub(crate) fn buy(
        &mut self,
        sleeve: usize,
        instrument: usize,
        quantity: i64,
        notional: i128,
        fee: i128,
    ) -> Result<()> {
        let paid = add(notional, fee, "the cost of a purchase")?;
        let entries = [
            Entry {
                account: Account::Position(instrument),
                amount: notional,
            },
            Entry {
                account: Account::Fees,
                amount: fee,
            },
            Entry {
                account: Account::Cash,
                amount: -paid,
            },
        ];
        self.post("purchase", sleeve, &entries)?;
        let position = self.position_mut(sleeve, instrument);
        position.quantity = quantity_add(position.quantity, quantity, "a position")?;
        Ok(())
    }

    /// Book a sale of what is held; relieves cost in proportion, rounded down.
    pub(crate) fn sell(
        &mut self,
        sleeve: usize,
        instrument: usize,
        quantity: i64,
        notional: i128,
        fee: i128,
    ) -> Result<()> {
        let held = *self.position_mut(sleeve, instrument);
        let relieved = if quantity == held.quantity {
            held.cost
        } else {
            let product = mul(held.cost, i128::from(quantity), "the cost of a sale")?;
            div_round(product, i128::from(held.quantity), Rounding::Down)
        };
        let received = sub(notional, fee, "the proceeds of a sale")?;
        let gain = sub(notional, relieved, "the gain of a sale")?;
        let entries = [
            Entry {
                account: Account::Cash,
                amount: received,
            },
            Entry {
                account: Account::Fees,
                amount: fee,
            },
            Entry {
                account: Account::Position(instrument),
                amount: -relieved,
            },
            Entry {
                account: Account::Realised,
                amount: -gain,
            },
        ];
        self.post("sale", sleeve, &entries)?;
        self.position_mut(sleeve, instrument).quantity = held.quantity - quantity;
        Ok(())
    }

    /// Book entries of one sleeve; they must sum to zero.
    fn post(&mut self, event: &'static str, sleeve: usize, entries: &[Entry]) -> Result<()> {
        let mut sum = 0_i128;
        for entry in entries {
            sum = add(sum, entry.amount, "a booking")?;
        }
        if sum != 0 {
            return Err(EngineError::Unbalanced { event, sum });
        }
        for entry in entries {
            let balance = self.balance_mut(sleeve, entry.account);
            *balance = add(*balance, entry.amount, "a balance")?;
        }
        Ok(())
    }

    fn balance_mut(&mut self, sleeve: usize, account: Account) -> &mut i128 {
        let book = &mut self.books[sleeve];
        match account {
            Account::Cash => &mut book.cash,
            Account::Capital => &mut book.capital,
            Account::Fees => &mut book.fees,
            Account::Realised => &mut book.realised,
            Account::Position(instrument) => {
                &mut self.positions[sleeve * self.instruments + instrument].cost
            }
        }
    }

    fn position_mut(&mut self, sleeve: usize, instrument: usize) -> &mut Position {
        &mut self.positions[sleeve * self.instruments + instrument]
    }

    #[must_use]
    pub fn balance(&self, sleeve: usize, account: Account) -> i128 {
        let book = &self.books[sleeve];
        match account {
            Account::Cash => book.cash,
            Account::Capital => book.capital,
            Account::Fees => book.fees,
            Account::Realised => book.realised,
            Account::Position(instrument) => {
                self.positions[sleeve * self.instruments + instrument].cost
            }
        }
    }

    #[must_use]
    pub fn cash(&self, sleeve: usize) -> i128 {
        self.books[sleeve].cash
    }

    #[must_use]
    pub fn quantity(&self, sleeve: usize, instrument: usize) -> i64 {
        self.positions[sleeve * self.instruments + instrument].quantity
    }

    pub(crate) fn fits(&self, sleeves: usize, instruments: usize) -> bool {
        self.instruments == instruments
            && self.books.len() == sleeves
            && self.positions.len() == sleeves * instruments
    }

    /// Check that all balances sum to zero, as every booking did.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unbalanced`] if they do not, [`EngineError::Overflow`] if a sum does not fit.
    pub fn verify(&self) -> Result<()> {
        let mut sum = 0_i128;
        for book in &self.books {
            for amount in [book.cash, book.capital, book.fees, book.realised] {
                sum = add(sum, amount, "the trial balance")?;
            }
        }
        for position in &self.positions {
            sum = add(sum, position.cost, "the trial balance")?;
        }
        if sum == 0 {
            Ok(())
        } else {
            Err(EngineError::Unbalanced {
                event: "trial balance",
                sum,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(cash: i128) -> Ledger {
        Ledger {
            instruments: 1,
            books: vec![Book {
                cash,
                capital: -cash,
                ..Book::default()
            }],
            positions: vec![Position::default()],
        }
    }

    #[test]
    fn partial_sale_relieves_cost_rounded_down_and_the_last_sale_the_rest() {
        let mut ledger = empty(1_000);
        ledger.buy(0, 0, 3, 100, 1).unwrap();
        ledger.sell(0, 0, 1, 40, 1).unwrap();
        assert_eq!(ledger.balance(0, Account::Position(0)), 67);
        ledger.sell(0, 0, 2, 80, 1).unwrap();
        assert_eq!(ledger.balance(0, Account::Position(0)), 0);
        assert_eq!(ledger.balance(0, Account::Realised), -20);
        assert_eq!(ledger.cash(0), 1_000 - 100 + 40 + 80 - 3);
        ledger.verify().unwrap();
    }

    #[test]
    fn unbalanced_entries_are_refused_and_change_nothing() {
        let mut ledger = empty(10);
        let before = ledger.clone();
        let entry = Entry {
            account: Account::Cash,
            amount: 1,
        };
        let error = ledger.post("test", 0, &[entry]).unwrap_err();
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
