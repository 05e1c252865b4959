//! Splits, stock dividends and changes of precision: `docs/engine/actions.md`, section 1.

use super::orders::Terms;
use crate::config::Settlement;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ledger::{Account, Entry};
use crate::numbers::{Result, Rounding, add, div_nearest, mul, mul_div, sub};
use crate::output::{Output, Posting, PostingKind};

/// A ratio of positive numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
}

/// A part of a position that is paid in cash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CashPart {
    pub(crate) sleeve: usize,
    pub(crate) instrument: usize,
    pub(crate) leg: usize,
    /// 1 of a long position, -1 of a short one.
    pub(crate) sign: i128,
    /// What is paid for it and the cost that it relieves, without sign.
    pub(crate) value: i128,
    pub(crate) cost: i128,
}

impl Ratio {
    pub(crate) fn of(numerator: i64, denominator: i64) -> Self {
        Self {
            numerator: i128::from(numerator),
            denominator: i128::from(denominator),
        }
    }

    /// By how much numbers grow when a precision changes.
    pub(crate) fn of_digits(old: u8, new: u8) -> Self {
        let power = |digits: u8| 10_i128.pow(u32::from(digits));
        Self {
            numerator: power(new.saturating_sub(old)),
            denominator: power(old.saturating_sub(new)),
        }
    }

    pub(crate) fn inverse(self) -> Self {
        Self {
            numerator: self.denominator,
            denominator: self.numerator,
        }
    }

    /// Rounded towards zero, and at most the largest number.
    pub(crate) fn scale(self, number: i64) -> i64 {
        let product = i128::from(number).saturating_mul(self.numerator);
        i64::try_from(product / self.denominator).unwrap_or(i64::MAX)
    }

    pub(crate) fn times(self, number: i64) -> Result<i128> {
        mul(i128::from(number), self.numerator, "a ratio")
    }
}

impl Engine {
    /// Multiply quantities and prices of an instrument, whose configuration is the new one.
    pub(crate) fn rescale(
        &mut self,
        ts: i64,
        instrument: usize,
        quantities: Ratio,
        prices: Ratio,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(mark) = self.mark(instrument) {
            for sleeve in 0..self.config.sleeves.len() {
                for leg in 0..self.ledger.legs() {
                    self.rescale_position(ts, (sleeve, instrument, leg), quantities, mark, out)?;
                }
            }
            let scaled = div_nearest(prices.times(mark)?, prices.denominator);
            self.restate_mark(instrument, price_of(scaled)?);
        }
        let listed = &mut self.config.instruments[instrument];
        listed.shortable = quantities.scale(listed.shortable);
        listed.average_volume = listed.average_volume.map(|n| quantities.scale(n));
        let figures = &mut self.guard.figures;
        figures.rescale(instrument, |n| quantities.scale(n));
        self.felt[instrument].rescale(|n| quantities.scale(n));
        self.adjust_orders(ts, instrument, &Terms::Rescaled { quantities, prices }, out)
    }

    fn rescale_position(
        &mut self,
        ts: i64,
        (sleeve, instrument, leg): (usize, usize, usize),
        quantities: Ratio,
        mark: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let held = self.ledger.position(sleeve, instrument, leg);
        if held.quantity == 0 {
            return Ok(());
        }
        let lot = i128::from(self.config.instruments[instrument].lot_size);
        let sign = i128::from(held.quantity.signum());
        let exact = mul(
            i128::from(held.quantity).abs(),
            quantities.numerator,
            "a position",
        )?;
        let divisor = mul(quantities.denominator, lot, "a position")?;
        let quantity = exact / divisor * lot;
        let rest = sub(
            exact,
            mul(quantity, quantities.denominator, "a position")?,
            "a position",
        )?;
        // The unit of before: the exposures still have it.
        let worth = mul(
            i128::from(mark).abs(),
            self.exposure.unit(instrument),
            "a part",
        )?;
        let up = if mark < 0 { -1 } else { 1 };
        let part = CashPart {
            sleeve,
            instrument,
            leg,
            sign,
            value: mul_div(rest, worth, quantities.numerator, against(sign * up))? * up,
            cost: part_of(held.cost * sign, rest, exact)?,
        };
        if rest > 0 {
            let amount = self.pay_part(&part)?;
            self.say_in_lieu(ts, &part, amount, out);
        }
        let place = self.ledger.place(sleeve, instrument, leg);
        self.ledger
            .set_quantity(place, quantity_of(quantity * sign)?);
        Ok(())
    }

    /// Book a part that is paid in cash; returns the money that the sleeve receives.
    pub(crate) fn pay_part(&mut self, part: &CashPart) -> Result<i128> {
        let listed = &self.config.instruments[part.instrument];
        let currency = listed.currency;
        let (value, cost) = (part.value * part.sign, part.cost * part.sign);
        let gain = sub(value, cost, "the gain of a part")?;
        let place = self.ledger.place(part.sleeve, part.instrument, part.leg);
        let position = Entry::Position(place, -cost);
        let realised = Entry::Account(Account::Realised, -gain);
        if listed.settlement == Settlement::Difference {
            let cash = Entry::Account(Account::Cash, gain);
            let contra = Entry::Account(Account::Contra, cost);
            let entries = [cash, position, contra, realised];
            self.ledger
                .post("a part", part.sleeve, currency, &entries)?;
            return Ok(gain);
        }
        let cash = Entry::Account(Account::Cash, value);
        self.ledger
            .post("a part", part.sleeve, currency, &[cash, position, realised])?;
        Ok(value)
    }

    pub(crate) fn say_in_lieu(
        &self,
        ts: i64,
        part: &CashPart,
        amount: i128,
        out: &mut Vec<Output>,
    ) {
        if amount != 0 {
            out.push(Output::Posted(Posting {
                ts,
                sleeve: part.sleeve,
                currency: self.config.instruments[part.instrument].currency,
                kind: PostingKind::InLieu,
                instrument: Some(part.instrument),
                amount,
                equity: None,
            }));
        }
    }

    /// The mark after an action, of which nothing else is told: the exposures are made anew.
    pub(crate) fn restate_mark(&mut self, instrument: usize, mark: i64) {
        let may_fall = self.config.instruments[instrument].negative_prices;
        self.forget_reference(instrument);
        self.instruments[instrument].mark = Some(if may_fall { mark } else { mark.max(1) });
    }
}

/// The way a payment is rounded against us: longs receive it, shorts pay it.
pub(crate) fn against(sign: i128) -> Rounding {
    if sign > 0 {
        Rounding::Down
    } else {
        Rounding::Up
    }
}

/// The cost of `rest` out of `whole`, rounded down; all of it where they are the same.
pub(crate) fn part_of(cost: i128, rest: i128, whole: i128) -> Result<i128> {
    if rest == whole {
        return Ok(cost);
    }
    if cost < 0 {
        return Ok(-mul_div(-cost, rest, whole, Rounding::Up)?);
    }
    mul_div(cost, rest, whole, Rounding::Down)
}

pub(crate) fn price_of(price: i128) -> Result<i64> {
    i64::try_from(price).map_err(|_| EngineError::Overflow {
        place: "a price after an action",
    })
}

pub(crate) fn quantity_of(quantity: i128) -> Result<i64> {
    i64::try_from(add(quantity, 0, "a position")?).map_err(|_| EngineError::Overflow {
        place: "a position after an action",
    })
}
