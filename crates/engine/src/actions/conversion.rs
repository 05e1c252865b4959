//! Positions that become others: mergers for stock, and spin-offs: `docs/engine/actions.md`,
//! section 3.

use super::orders::Terms;
use super::rescale::{CashPart, against, part_of, price_of, quantity_of};
use crate::action::Action;
use crate::engine::Engine;
use crate::ledger::{Account, Entry, Position};
use crate::numbers::{RATE_ONE, Result, add, div_nearest, mul, mul_div, sub};
use crate::order::{Reason, Side};
use crate::output::{Output, Posting, PostingKind};

/// The terms of a merger or a spin-off: whole units of `into`, and money, for whole units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchanged {
    pub(crate) from: usize,
    pub(crate) into: usize,
    numerator: i128,
    denominator: i128,
    cash: i128,
    cost_share: i64,
}

/// What a position gets: all without sign.
#[derive(Debug, Clone, Copy)]
struct Share {
    sign: i128,
    /// Whole lots of the other instrument.
    quantity: i128,
    /// The exact quantity, and the part of it that is paid in cash, both times a divisor.
    exact: i128,
    rest: i128,
    /// What the part is worth.
    in_lieu: i128,
}

impl Exchanged {
    pub(crate) fn of(action: &Action) -> Self {
        match action {
            Action::MergerStock {
                instrument,
                into,
                numerator,
                denominator,
                cash,
                ..
            } => Self {
                from: *instrument,
                into: *into,
                numerator: i128::from(*numerator),
                denominator: i128::from(*denominator),
                cash: *cash,
                cost_share: RATE_ONE,
            },
            Action::SpinOff {
                instrument,
                into,
                numerator,
                denominator,
                cost_share,
                ..
            } => Self {
                from: *instrument,
                into: *into,
                numerator: i128::from(*numerator),
                denominator: i128::from(*denominator),
                cash: 0,
                cost_share: *cost_share,
            },
            _ => unreachable!("only mergers for stock and spin-offs exchange positions"),
        }
    }
}

impl Engine {
    fn digits(&self, instrument: usize) -> i128 {
        10_i128.pow(u32::from(
            self.config.instruments[instrument].quantity_precision,
        ))
    }

    /// By how much each quantity unit, times `denominator * digits`, counts in the other.
    fn divisor(&self, terms: &Exchanged) -> Result<i128> {
        mul(terms.denominator, self.digits(terms.from), "a ratio")
    }

    fn share_of_position(&self, terms: &Exchanged, held: &Position) -> Result<Share> {
        let divisor = self.divisor(terms)?;
        let sign = i128::from(held.quantity.signum());
        let factor = mul(terms.numerator, self.digits(terms.into), "a ratio")?;
        let exact = mul(i128::from(held.quantity).abs(), factor, "a position")?;
        let lot = i128::from(self.config.instruments[terms.into].lot_size);
        let quantity = exact / mul(divisor, lot, "a position")? * lot;
        let rest = sub(exact, mul(quantity, divisor, "a position")?, "a position")?;
        let worth = self.worth_of_unit(terms.into)?;
        Ok(Share {
            sign,
            quantity,
            exact,
            rest,
            in_lieu: mul_div(rest, worth, divisor, against(sign))?,
        })
    }

    /// Money of one quantity unit at the mark.
    fn worth_of_unit(&self, instrument: usize) -> Result<i128> {
        let mark = i128::from(self.mark(instrument).unwrap_or(0));
        mul(mark, self.exposure.unit(instrument), "a unit")
    }

    pub(crate) fn merge(
        &mut self,
        ts: i64,
        terms: &Exchanged,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.cancel_all(ts, terms.from, Reason::Action, out)?;
        for sleeve in 0..self.config.sleeves.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, terms.from, leg);
                if held.quantity == 0 {
                    continue;
                }
                let share = self.share_of_position(terms, &held)?;
                let divisor = self.divisor(terms)?;
                let cash = mul_div(
                    i128::from(held.quantity).abs(),
                    terms.cash,
                    divisor,
                    against(share.sign),
                )?;
                let cost = held.cost * share.sign;
                let relieved = if share.quantity == 0 {
                    cost
                } else {
                    let worth = self.worth_of_unit(terms.into)?;
                    let money = mul(cash, divisor, "a merger")?;
                    let paid = add(money, mul(share.rest, worth, "a merger")?, "a merger")?;
                    let whole = add(money, mul(share.exact, worth, "a merger")?, "a merger")?;
                    part_of(cost, paid, whole)?
                };
                let side = if share.sign > 0 {
                    Side::Sell
                } else {
                    Side::Buy
                };
                self.say_moved(
                    ts,
                    (sleeve, terms.from, leg),
                    side,
                    held.quantity.abs(),
                    out,
                );
                self.move_cost(
                    ts,
                    (sleeve, leg),
                    terms,
                    &share,
                    (cash, cost, relieved),
                    out,
                )?;
                let place = self.ledger.place(sleeve, terms.from, leg);
                self.ledger.set_quantity(place, 0);
            }
        }
        self.instruments[terms.from].ended = true;
        self.exposure = self.exposure_from_scratch()?;
        Ok(())
    }

    pub(crate) fn spin_off(
        &mut self,
        ts: i64,
        terms: &Exchanged,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for sleeve in 0..self.config.sleeves.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, terms.from, leg);
                if held.quantity == 0 {
                    continue;
                }
                let share = self.share_of_position(terms, &held)?;
                let rate = i128::from(terms.cost_share);
                let cost = part_of(held.cost * share.sign, rate, i128::from(RATE_ONE))?;
                let relieved = if share.quantity == 0 {
                    cost
                } else {
                    part_of(cost, share.rest, share.exact)?
                };
                self.move_cost(ts, (sleeve, leg), terms, &share, (0, cost, relieved), out)?;
            }
        }
        let Some(mark) = self.mark(terms.from) else {
            return Ok(());
        };
        let drop = self.drop_of(terms)?;
        self.restate_mark(terms.from, mark - drop);
        self.adjust_orders(ts, terms.from, &Terms::Lowered { drop }, out)
    }

    /// What a unit of the parent loses by a spin-off, in its price units.
    fn drop_of(&self, terms: &Exchanged) -> Result<i64> {
        let worth = mul(self.worth_of_unit(terms.into)?, terms.numerator, "a drop")?;
        let worth = mul(worth, self.digits(terms.into), "a drop")?;
        let own = mul(
            self.divisor(terms)?,
            self.exposure.unit(terms.from),
            "a drop",
        )?;
        price_of(div_nearest(worth, own))
    }

    pub(crate) fn spin_off_problem(
        &self,
        terms: &Exchanged,
        price: Option<i64>,
    ) -> Result<Option<&'static str>> {
        let Some(mark) = self.mark(terms.from) else {
            return Ok(None);
        };
        let other = i128::from(self.mark(terms.into).or(price).unwrap_or(0));
        let worth = mul(other, self.exposure.unit(terms.into), "a drop")?;
        let worth = mul(worth, terms.numerator, "a drop")?;
        let worth = mul(worth, self.digits(terms.into), "a drop")?;
        let own = mul(
            self.divisor(terms)?,
            self.exposure.unit(terms.from),
            "a drop",
        )?;
        let is_less = div_nearest(worth, own) < i128::from(mark);
        Ok((!is_less).then_some("what is spun off must be worth less than the mark"))
    }

    /// Move what is left of a cost to the other instrument, after cash and a part in cash have
    /// relieved theirs; `money` is the cash, the whole cost and what is relieved, without sign.
    fn move_cost(
        &mut self,
        ts: i64,
        (sleeve, leg): (usize, usize),
        terms: &Exchanged,
        share: &Share,
        money: (i128, i128, i128),
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let sign = share.sign;
        let (cash, cost, relieved) = (money.0 * sign, money.1 * sign, money.2 * sign);
        let in_lieu = share.in_lieu * sign;
        let moved = sub(cost, relieved, "a cost")?;
        let place = self.ledger.place(sleeve, terms.into, leg);
        let other = self.ledger.position(sleeve, terms.into, leg);
        let arriving = share.quantity * sign;
        let closed = closed_by(&other, arriving, moved)?;
        let received = add(cash, in_lieu, "a merger")?;
        let gain = sub(received, relieved, "a merger")?;
        let currency = self.config.instruments[terms.from].currency;
        let entries = [
            Entry::Account(Account::Cash, received),
            Entry::Account(Account::Realised, sub(closed, gain, "a merger")?),
            Entry::Position(self.ledger.place(sleeve, terms.from, leg), -cost),
            Entry::Position(place, sub(moved, closed, "a merger")?),
        ];
        self.ledger
            .post("a conversion", sleeve, currency, &entries)?;
        let quantity = quantity_of(i128::from(other.quantity) + arriving)?;
        self.ledger.set_quantity(place, quantity);
        if cash != 0 {
            out.push(Output::Posted(Posting {
                ts,
                sleeve,
                currency,
                kind: PostingKind::Merger,
                instrument: Some(terms.from),
                amount: cash,
                equity: None,
            }));
        }
        let part = CashPart {
            sleeve,
            instrument: terms.into,
            leg,
            sign,
            value: share.in_lieu,
            cost: 0,
        };
        self.say_in_lieu(ts, &part, in_lieu, out);
        if share.quantity > 0 {
            let side = if sign > 0 { Side::Buy } else { Side::Sell };
            let quantity = quantity_of(share.quantity)?;
            self.say_moved(ts, (sleeve, terms.into, leg), side, quantity, out);
        }
        Ok(())
    }

    /// Say that an action gave or took units.
    fn say_moved(
        &mut self,
        ts: i64,
        (sleeve, instrument, leg): (usize, usize, usize),
        side: Side,
        quantity: i64,
        out: &mut Vec<Output>,
    ) {
        let mut fill = self.plain_fill(ts, sleeve, instrument, side, quantity);
        fill.leg = leg;
        self.last_fill = fill.id;
        out.push(Output::OrderFilled(fill));
    }
}

/// The costs of both sides, with their signs, that end where units arrive at a position of the
/// other sign.
fn closed_by(other: &Position, arriving: i128, cost: i128) -> Result<i128> {
    let held = i128::from(other.quantity);
    if held == 0 || arriving == 0 || (held > 0) == (arriving > 0) {
        return Ok(0);
    }
    let closed = held.abs().min(arriving.abs());
    let own = part_of(other.cost * held.signum(), closed, held.abs())? * held.signum();
    let came = part_of(cost * arriving.signum(), closed, arriving.abs())? * arriving.signum();
    add(own, came, "a cost")
}
