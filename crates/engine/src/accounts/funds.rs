//! What a sleeve's cash or margin covers when an order matches: `docs/engine/accounts.md`,
//! sections 4 and 6.

use crate::config::Settlement;
use crate::engine::Engine;
use crate::gate::most_lots;
use crate::numbers::{Result, Rounding, add, div_round, lots_in, mul, per_rate, sub};
use crate::order::{Order, Reason, Side};
use crate::orders::adverse;
use crate::output::{Figure, Liquidity, Outcome, Output, Rule, Verdict};

/// What orders that match together have used of a sleeve's funds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purse {
    sleeve: usize,
    /// Money in the instrument's currency: costs where cash counts, else fees and losses.
    spent: i128,
    /// Lots by leg, where margin counts; given away where a base currency is sold.
    lots: [i64; 2],
}

impl Purse {
    pub(crate) fn empty() -> Self {
        Self::of(usize::MAX)
    }

    /// Nothing used yet of a sleeve's.
    #[inline(always)]
    pub(crate) fn of(sleeve: usize) -> Self {
        Self {
            sleeve,
            spent: 0,
            lots: [0; 2],
        }
    }
}

/// What margin needs after a fill of one line, all else being as it is.
struct MarginTerms {
    sleeve: usize,
    instrument: usize,
    currency: usize,
    /// Positive is bought.
    lot: i64,
    held: i64,
    /// Lots of orders that match with it.
    before: i64,
    /// Initial margin of the other lines.
    base: Vec<i128>,
    rate: i64,
    equity: i128,
}

impl MarginTerms {
    fn of(engine: &Engine, order: &Order, held: i64, before: i64) -> Result<Self> {
        let listed = &engine.config.instruments[order.instrument];
        let line = Some((order.instrument, order.leg.index()));
        Ok(Self {
            sleeve: order.sleeve,
            instrument: order.instrument,
            currency: listed.currency,
            lot: order.side.signed(listed.lot_size),
            held,
            before,
            base: engine.margin_sums(order.sleeve, line)?,
            rate: listed.margin_initial,
            equity: engine
                .exposure
                .sleeve_equity(&engine.ledger, order.sleeve)?,
        })
    }

    /// Initial margin, and equity after what fees and prices take, if so many lots fill.
    fn after(&self, engine: &Engine, lots: i64, spent: i128) -> Result<(i128, i128)> {
        let filled = i128::from(self.before + lots) * i128::from(self.lot);
        let quantity = (i128::from(self.held) + filled).abs();
        let line = engine.margin_of(self.instrument, quantity, self.rate)?;
        let needed = engine.margin_with(&self.base, self.currency, line)?;
        let equity =
            engine
                .exposure
                .equity_less(&engine.ledger, self.sleeve, self.currency, spent)?;
        Ok((needed, equity))
    }
}

/// Whether a margin in `10^-21` and some money are within an amount: found without a division,
/// and false where it is close.
#[inline]
pub(crate) fn surely_within(margin: i128, money: i128, amount: i128) -> bool {
    // 2^29 is less than 10^9, so this is no less than the margin as money, rounded up.
    let most = (margin.max(0) >> 29) + 1;
    most.checked_add(money).is_some_and(|sum| sum <= amount)
}

/// Why funds cut an order, and the figures of the verdict.
struct Cut {
    rule: Rule,
    figure: i128,
    limit: i128,
}

impl Engine {
    /// Whether there is no currency but the fund's.
    #[inline]
    pub(crate) fn is_single_currency(&self) -> bool {
        self.config.currencies.len() == 1
    }

    /// Why an order ends that its sleeve's funds did not cover.
    pub(crate) fn reason_of_funds(&self, instrument: usize) -> Reason {
        if self.exposure.on_margin(instrument) {
            Reason::Margin
        } else {
            Reason::Cash
        }
    }

    /// The lots of an order that its sleeve's funds cover at a price, with a verdict if these are
    /// fewer than wanted; `purse` carries what the sleeve's orders before it have used.
    #[expect(
        clippy::too_many_arguments,
        reason = "the purse is shared by the orders of a group"
    )]
    pub(crate) fn cut_to_funds(
        &self,
        ts: i64,
        order: &Order,
        wanted: i64,
        price: i64,
        purse: &mut Purse,
        liquidity: Liquidity,
        out: &mut Vec<Output>,
    ) -> Result<i64> {
        if purse.sleeve != order.sleeve {
            *purse = Purse {
                sleeve: order.sleeve,
                ..Purse::empty()
            };
        }
        let (lots, cut) = if self.exposure.on_margin(order.instrument) {
            self.covered_by_margin(order, wanted, price, purse, liquidity)?
        } else if order.side == Side::Buy {
            self.covered_by_cash(order, wanted, price, purse, liquidity)?
        } else {
            self.covered_by_base(order, wanted, purse)?
        };
        if let Some(cut) = cut {
            out.push(Output::Verdict(Verdict {
                ts,
                order: order.id,
                rule: cut.rule,
                figure: Figure::Money(cut.figure),
                limit: Figure::Money(cut.limit),
                outcome: Outcome::Cut,
            }));
        }
        Ok(lots)
    }

    /// What may be spent of a currency now.
    pub(crate) fn spendable(&self, sleeve: usize, currency: usize) -> Result<i128> {
        let on_unsettled = self.config.account.trade_on_unsettled;
        self.ledger.spendable(sleeve, currency, on_unsettled)
    }

    fn covered_by_cash(
        &self,
        order: &Order,
        wanted: i64,
        price: i64,
        purse: &mut Purse,
        liquidity: Liquidity,
    ) -> Result<(i64, Option<Cut>)> {
        let listed = &self.config.instruments[order.instrument];
        let spendable = self.spendable(order.sleeve, listed.currency)?;
        let left = sub(spendable, purse.spent, "cash left")?;
        let per_lot = self
            .exposure
            .notional(order.instrument, listed.lot_size, price)?;
        let cost = |lots: i64| -> Result<i128> {
            let part = mul(i128::from(lots), per_lot, "the cost of an order")?;
            let quantity = lots * listed.lot_size;
            let fee = self.fee_of_fill(order.id, order.instrument, part, quantity, liquidity)?;
            add(part, fee, "the cost of an order")
        };
        let whole = cost(wanted)?;
        if whole <= left {
            purse.spent = add(purse.spent, whole, "cash left")?;
            return Ok((wanted, None));
        }
        let lots = most_lots(left, wanted, cost)?;
        purse.spent = add(purse.spent, cost(lots)?, "cash left")?;
        let cut = Cut {
            rule: Rule::Cash,
            figure: whole,
            limit: left,
        };
        Ok((lots, Some(cut)))
    }

    /// A sale, which the base of an exchange has to cover and what is an asset is there for.
    fn covered_by_base(
        &self,
        order: &Order,
        wanted: i64,
        purse: &mut Purse,
    ) -> Result<(i64, Option<Cut>)> {
        let listed = &self.config.instruments[order.instrument];
        let Settlement::Exchange { base } = listed.settlement else {
            return Ok((wanted, None));
        };
        let per_lot = mul(
            i128::from(listed.lot_size),
            self.exposure.base_unit(order.instrument),
            "the amount of an exchange",
        )?;
        let left = sub(
            self.spendable(order.sleeve, base)?,
            purse.spent,
            "cash left",
        )?;
        let whole = mul(i128::from(wanted), per_lot, "the amount of an exchange")?;
        let most = div_round(left.max(0), per_lot, Rounding::Down);
        let lots = i64::try_from(most).unwrap_or(i64::MAX).min(wanted);
        let used = mul(i128::from(lots), per_lot, "the amount of an exchange")?;
        purse.spent = add(purse.spent, used, "cash left")?;
        let cut = (lots < wanted).then_some(Cut {
            rule: Rule::Cash,
            figure: whole,
            limit: left,
        });
        Ok((lots, cut))
    }

    #[inline(always)]
    fn covered_by_margin(
        &self,
        order: &Order,
        wanted: i64,
        price: i64,
        purse: &mut Purse,
        liquidity: Liquidity,
    ) -> Result<(i64, Option<Cut>)> {
        let (lot, leg) = (self.lot(order), order.leg.index());
        let held = self.exposure.line(order.sleeve, order.instrument, leg).held;
        let reducible = if (held > 0) == (order.side == Side::Sell) {
            lots_in(held.abs(), lot) - purse.lots[leg]
        } else {
            0
        };
        let whole = self.fill_burden(order, wanted, price, liquidity)?;
        let whole = add(purse.spent, whole, "the cost of an order")?;
        if wanted > reducible && !self.is_margin_plain(order, whole)? {
            let asked = (wanted, reducible, whole);
            return self.cut_to_margin(order, asked, price, purse, liquidity);
        }
        if wanted > 0 {
            purse.spent = whole;
            purse.lots[leg] += wanted;
        }
        Ok((wanted, None))
    }

    /// The same where the margin of all that is in flight is not there: the lots wanted, how many
    /// of them need none, and what all of them cost.
    #[cold]
    fn cut_to_margin(
        &self,
        order: &Order,
        (wanted, reducible, whole): (i64, i64, i128),
        price: i64,
        purse: &mut Purse,
        liquidity: Liquidity,
    ) -> Result<(i64, Option<Cut>)> {
        let leg = order.leg.index();
        let held = self.exposure.line(order.sleeve, order.instrument, leg).held;
        let spent = |lots: i64| -> Result<i128> {
            let loss = self.fill_burden(order, lots, price, liquidity)?;
            add(purse.spent, loss, "the cost of an order")
        };
        let mut found = (wanted, None);
        let terms = MarginTerms::of(self, order, held, purse.lots[leg])?;
        let (needed, left) = terms.after(self, wanted, whole)?;
        if needed > left {
            let equity = terms.equity;
            let cost = |lots: i64| -> Result<i128> {
                if lots <= reducible {
                    return Ok(0);
                }
                let (needed, left) = terms.after(self, lots, spent(lots)?)?;
                add(needed, sub(equity, left, "a margin")?, "a margin")
            };
            let most = most_lots(equity, wanted, cost)?;
            let cut = Cut {
                rule: Rule::Margin,
                figure: needed,
                limit: left,
            };
            found = (most.max(reducible).max(0), Some(cut));
        }
        if found.0 > 0 {
            let is_whole = found.0 == wanted;
            purse.spent = if is_whole { whole } else { spent(found.0)? };
            purse.lots[leg] += found.0;
        }
        Ok(found)
    }

    fn lot(&self, order: &Order) -> i64 {
        self.config.instruments[order.instrument].lot_size
    }

    /// The fee of so many lots, and what their price takes at once.
    #[inline(always)]
    fn fill_burden(
        &self,
        order: &Order,
        lots: i64,
        price: i64,
        liquidity: Liquidity,
    ) -> Result<i128> {
        let instrument = order.instrument;
        let quantity = lots * self.lot(order);
        let notional = self.exposure.notional(instrument, quantity, price)?;
        let fee = self.fee_of_fill(order.id, instrument, notional, quantity, liquidity)?;
        let behind = adverse(order.side, price, self.mark_of(order));
        if behind == 0 {
            return Ok(fee);
        }
        let given_up = self.exposure.notional(instrument, quantity, behind)?;
        add(fee, given_up, "the cost of an order")
    }

    /// Whether all that is in flight, this order included, has its margin even without `spent`;
    /// what will be held needs no more than that.
    fn is_margin_plain(&self, order: &Order, spent: i128) -> Result<bool> {
        if !self.is_single_currency() && !self.is_equity_known(order.sleeve) {
            return Ok(true);
        }
        let currency = self.config.instruments[order.instrument].currency;
        let spent = self.exposure.in_fund_currency_up(currency, spent.max(0))?;
        let equity = self.exposure.sleeve_equity(&self.ledger, order.sleeve)?;
        if self.is_single_currency() {
            let (margin, holds) = self.exposure.margin(order.sleeve, 0);
            if equity
                .checked_sub(spent)
                .is_some_and(|left| surely_within(margin, holds, left))
            {
                return Ok(true);
            }
        }
        Ok(add(self.required(order.sleeve)?, spent, "a margin")? <= equity)
    }

    /// Margin for so much of an instrument at its mark, in `10^-21` of its currency.
    pub(crate) fn margin_of(&self, instrument: usize, quantity: i128, rate: i64) -> Result<i128> {
        let mark = i128::from(self.mark(instrument).unwrap_or(0)).abs();
        let amount = mul(quantity, mark, "a margin")?;
        let amount = mul(amount, self.exposure.unit(instrument), "a margin")?;
        mul(amount, i128::from(rate), "a margin")
    }

    /// Initial margin of what a sleeve holds but for one line, per currency in `10^-21` of it.
    pub(crate) fn margin_sums(
        &self,
        sleeve: usize,
        except: Option<(usize, usize)>,
    ) -> Result<Vec<i128>> {
        let mut sums = vec![0; self.config.currencies.len()];
        for (instrument, listed) in self.config.instruments.iter().enumerate() {
            if !self.exposure.on_margin(instrument) {
                continue;
            }
            for leg in 0..self.ledger.legs() {
                let held = self.exposure.line(sleeve, instrument, leg).held;
                if held != 0 && except != Some((instrument, leg)) {
                    let quantity = i128::from(held).abs();
                    let margin = self.margin_of(instrument, quantity, listed.margin_initial)?;
                    let sum = &mut sums[listed.currency];
                    *sum = add(*sum, margin, "a margin")?;
                }
            }
        }
        Ok(sums)
    }

    /// Sums of margins, and one more line, as money of the fund, rounded up.
    pub(crate) fn margin_with(&self, sums: &[i128], currency: usize, line: i128) -> Result<i128> {
        let mut total = 0;
        for (index, sum) in sums.iter().enumerate() {
            let own = if index == currency { line } else { 0 };
            total = add(
                total,
                self.margin_money(index, add(*sum, own, "a margin")?)?,
                "a margin",
            )?;
        }
        Ok(total)
    }

    /// A sum in `10^-21` of a currency as money of the fund, rounded up.
    #[inline(always)]
    pub(crate) fn margin_money(&self, currency: usize, sum: i128) -> Result<i128> {
        if sum == 0 {
            return Ok(0);
        }
        let money = per_rate(sum, Rounding::Up);
        self.exposure.in_fund_currency_up(currency, money)
    }

    /// Margin of all that a sleeve holds and has in flight, and what its orders hold.
    #[inline]
    pub(crate) fn required(&self, sleeve: usize) -> Result<i128> {
        let mut total = 0;
        for currency in 0..self.config.currencies.len() {
            let (margin, holds) = self.exposure.margin(sleeve, currency);
            let margin = self.margin_money(currency, margin)?;
            let holds = self.exposure.in_fund_currency(currency, holds)?;
            total = add(total, add(margin, holds, "a margin")?, "a margin")?;
        }
        Ok(total)
    }
}
