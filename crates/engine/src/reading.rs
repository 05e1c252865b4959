//! Reading the state, for strategies and for what is written down.

use crate::config::{AccountKind, Settlement};
use crate::engine::Engine;
use crate::input::Event;
use crate::numbers::{Result, add, sub};
use crate::order::{Order, Side};

/// What a sleeve's positions come to in the fund's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worth {
    /// Without signs.
    pub gross: i128,
    /// Long less short.
    pub net: i128,
}

impl Worth {
    fn add(&mut self, value: i128) -> Result<()> {
        self.gross = add(self.gross, value.abs(), "the worth of positions")?;
        self.net = add(self.net, value, "the worth of positions")?;
        Ok(())
    }
}

impl Engine {
    /// All working orders in order of id.
    #[must_use]
    pub fn working_orders(&self) -> Vec<Order> {
        self.book.working()
    }

    /// Whether a remote venue was asked to cancel an order and has not answered yet.
    #[must_use]
    pub fn is_cancel_requested(&self, order: u64) -> bool {
        self.remote.is_cancelling(order)
    }

    /// Refuse an event that could not be applied at `ts`, as far as that can be told of the state
    /// as it stands; nothing happens.
    ///
    /// # Errors
    ///
    /// What [`Engine::apply`] would say.
    pub fn check_event(&self, ts: i64, event: &Event) -> Result<()> {
        self.check(ts, event)
    }

    /// What a sleeve holds of an instrument, long less short; of an exchange of currencies, what
    /// it has of the base, in whole lots.
    #[must_use]
    pub fn held(&self, sleeve: usize, instrument: usize) -> i64 {
        let listed = &self.config.instruments[instrument];
        let Settlement::Exchange { base } = listed.settlement else {
            return self.ledger.quantity(sleeve, instrument);
        };
        let per_lot = listed.base_unit() * i128::from(listed.lot_size);
        let lots = self.ledger.cash(sleeve, base) / per_lot;
        i64::try_from(lots * i128::from(listed.lot_size)).unwrap_or(i64::MAX)
    }

    /// Whether an instrument has ended.
    #[must_use]
    pub fn has_ended(&self, instrument: usize) -> bool {
        self.instruments[instrument].ended
    }

    /// Cash of a sleeve in the fund's currency; what has no rate counts for nothing.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if the sum does not fit.
    pub fn sleeve_cash(&self, sleeve: usize) -> Result<i128> {
        (0..self.config.currencies.len()).try_fold(0, |sum, currency| {
            let amount = self.ledger.cash(sleeve, currency);
            let amount = self.exposure.in_fund_currency(currency, amount)?;
            add(sum, amount, "the cash of a sleeve")
        })
    }

    /// Margin that a sleeve needs for what it holds and has in flight, in the fund's currency;
    /// nothing in a cash account.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if the sum does not fit.
    pub fn margin_used(&self, sleeve: usize) -> Result<i128> {
        match self.config.account.kind {
            AccountKind::Cash => Ok(0),
            AccountKind::Margin => self.required(sleeve),
        }
    }

    /// Equity of a sleeve that no margin is needed of.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if it does not fit.
    pub fn margin_free(&self, sleeve: usize) -> Result<i128> {
        sub(
            self.sleeve_equity(sleeve)?,
            self.margin_used(sleeve)?,
            "free margin",
        )
    }

    /// Signed value of a position at its mark, in the fund's currency.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if it does not fit.
    pub fn leg_value(&self, sleeve: usize, instrument: usize, leg: usize) -> Result<i128> {
        let quantity = self.ledger.position(sleeve, instrument, leg).quantity;
        let Some(mark) = self.mark(instrument).filter(|_| quantity != 0) else {
            return Ok(0);
        };
        let value = self.exposure.notional(instrument, quantity, mark)?;
        let currency = self.config.instruments[instrument].currency;
        self.exposure.in_fund_currency(currency, value)
    }

    /// What a sleeve's positions are worth, those in currencies that it exchanges included.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if it does not fit.
    pub fn worth(&self, sleeve: usize) -> Result<Worth> {
        let mut worth = Worth::default();
        for instrument in 0..self.config.instruments.len() {
            for leg in 0..self.ledger.legs() {
                worth.add(self.leg_value(sleeve, instrument, leg)?)?;
            }
        }
        for currency in 1..self.config.currencies.len() {
            let is_traded = self.config.instruments.iter().any(|i| {
                matches!(i.settlement, Settlement::Exchange { base } if base == currency || i.currency == currency)
            });
            if is_traded {
                let amount = self.ledger.cash(sleeve, currency);
                worth.add(self.exposure.in_fund_currency(currency, amount)?)?;
            }
        }
        Ok(worth)
    }

    /// Price of a currency in the fund's, in `10^-12`; None while it is not known.
    #[must_use]
    pub fn rate(&self, currency: usize) -> Option<i128> {
        self.exposure.rates[currency]
    }

    /// Money of a currency in the fund's; what has no rate is worth nothing.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if it does not fit.
    pub fn converted(&self, currency: usize, amount: i128) -> Result<i128> {
        self.exposure.in_fund_currency(currency, amount)
    }

    /// Levels of a book, best first: price and size. None of it for an instrument without one.
    #[must_use]
    pub fn levels(&self, instrument: usize, side: Side, depth: usize) -> Vec<(i64, i64)> {
        let Some(found) = &self.floor.pits[instrument].standing.depth else {
            return Vec::new();
        };
        let ladder = found.side(side);
        (0..depth)
            .map_while(|place| ladder.level(place))
            .map(|level| (level.price, level.size))
            .collect()
    }

    /// When the price of an instrument was last told; None before the first.
    #[must_use]
    pub fn priced_at(&self, instrument: usize) -> Option<i64> {
        let listing = &self.instruments[instrument];
        listing.mark.map(|_| listing.priced_at)
    }

    /// Whether an instrument does not trade now.
    #[must_use]
    pub fn is_in_halt(&self, instrument: usize) -> bool {
        self.is_halted(instrument)
    }

    /// What a sleeve may spend now: cash, less reserves, plus the worst case of its sales.
    ///
    /// # Errors
    ///
    /// [`EngineError::Overflow`] if it does not fit.
    pub fn available_cash(&self, sleeve: usize, currency: usize) -> Result<i128> {
        self.available(sleeve, currency)
    }
}
