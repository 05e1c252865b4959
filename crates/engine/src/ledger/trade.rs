//! How trades are booked: `docs/engine/accounts.md`, section 2.

use super::{Account, Entry, Ledger, Position};
use crate::config::Settlement;
use crate::numbers::{Result, Rounding, add, div_round, mul, quantity_add, sub};

/// A trade to be booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trade {
    pub(crate) sleeve: usize,
    pub(crate) instrument: usize,
    pub(crate) leg: usize,
    pub(crate) settlement: Settlement,
    /// Trading days until the money of it is settled.
    pub(crate) days: u8,
    /// Positive is bought.
    pub(crate) quantity: i64,
    /// Money of one quantity unit at the price.
    pub(crate) per_unit: i128,
    pub(crate) fee: i128,
    /// Money of one quantity unit of the base currency, for exchanges.
    pub(crate) base_unit: i128,
}

/// Money that a trade brings, or takes where negative, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Money {
    pub(crate) amount: i128,
    pub(crate) days: u8,
}

impl Money {
    fn entry(self) -> Entry {
        let account = if self.days == 0 {
            Account::Cash
        } else {
            Account::Unsettled
        };
        Entry::Account(account, self.amount)
    }
}

impl Ledger {
    /// Book a trade; returns how the cost of the position changed.
    ///
    /// What goes against the position closes it, relieving cost in proportion to the quantity (the
    /// last unit relieves what is left); the rest opens at its price.
    #[inline(always)]
    pub(crate) fn trade(&mut self, trade: &Trade) -> Result<i128> {
        let Trade {
            sleeve, instrument, ..
        } = *trade;
        let currency = self.currency_of[instrument];
        let quantity = i128::from(trade.quantity);
        let notional = mul(quantity, trade.per_unit, "the notional of a trade")?;
        if let Settlement::Exchange { base } = trade.settlement {
            return self.exchange(trade, base, notional).map(|()| 0);
        }
        let place = self.place(sleeve, instrument, trade.leg);
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
            let money = trade.paid(notional)?;
            let entries = [money.entry(), fee, cost, realised];
            self.post_money("trade", sleeve, currency, money, &entries)?;
        }
        let position = &mut self.positions[place];
        position.quantity = quantity_add(position.quantity, trade.quantity, "a position")?;
        Ok(change)
    }

    /// Two currencies change hands; each passes through a clearing account of its own.
    #[inline(never)]
    fn exchange(&mut self, trade: &Trade, base: usize, notional: i128) -> Result<()> {
        let money = trade.paid(notional)?;
        let quote = [
            money.entry(),
            Entry::Account(Account::Fees, trade.fee),
            Entry::Account(Account::Clearing, notional),
        ];
        let currency = self.currency_of[trade.instrument];
        self.post_money("exchange", trade.sleeve, currency, money, &quote)?;
        let quantity = i128::from(trade.quantity);
        let amount = mul(quantity, trade.base_unit, "the amount of an exchange")?;
        let money = Money {
            amount,
            days: trade.days,
        };
        let bought = [money.entry(), Entry::Account(Account::Clearing, -amount)];
        self.post_money("exchange", trade.sleeve, base, money, &bought)
    }
}

impl Trade {
    /// The notional and the fee, as money of the sleeve.
    fn paid(&self, notional: i128) -> Result<Money> {
        let paid = add(notional, self.fee, "the cost of a trade")?;
        Ok(Money {
            amount: -paid,
            days: self.days,
        })
    }
}

/// The cost of `closed` out of a position of `whole` units (both without sign): its share, or all
/// where nothing is left. Rounded down for longs; for shorts, whose cost is turned around, up.
#[inline(always)]
fn relieved(position: &Position, closed: i128, whole: i128) -> Result<i128> {
    if closed == whole {
        return Ok(position.cost);
    }
    let product = mul(position.cost, closed, "the cost of a sale")?;
    let rounding = if position.quantity < 0 {
        Rounding::Up
    } else {
        Rounding::Down
    };
    Ok(div_round(product, whole, rounding))
}

/// How a trade changes what a position cost.
#[inline]
fn cost_change(position: &Position, quantity: i64, per_unit: i128, notional: i128) -> Result<i128> {
    let held = position.quantity;
    if held == 0 || (held > 0) == (quantity > 0) {
        return Ok(notional);
    }
    let whole = i128::from(held.unsigned_abs());
    let closed = i128::from(quantity.unsigned_abs()).min(whole);
    let relieved = relieved(position, closed, whole)?;
    // What is left of the trade after closing, with its sign, opens a position the other way.
    let opened = i128::from(quantity) + if held > 0 { closed } else { -closed };
    let opened = mul(opened, per_unit, "the cost of a trade")?;
    sub(opened, relieved, "the cost of a trade")
}
