//! Fat fingers, short sales, cash and margin.

use super::measure::{Walk, most_lots};
use super::{Ask, NEXT, Step, pass};
use crate::accounts::surely_within;
use crate::config::{AccountKind, Settlement};
use crate::engine::Engine;
use crate::exposure::Line;
use crate::numbers::{Result, add, mul, share_of, sub};
use crate::order::Side;
use crate::orders::adverse;
use crate::output::{Figure, Rule};
use crate::risk::RiskKind;

impl Engine {
    #[inline(always)]
    pub(super) fn money_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        if self.enforced.fat_fingers {
            pass!(self.fat_finger_checks(ask, walk));
        }
        // What only reduces is never short.
        if ask.request.side == Side::Sell
            && !ask.is_reducing()
            && self.config.instruments[ask.request.instrument].settlement == Settlement::Asset
        {
            pass!(self.short_checks(ask, walk));
        }
        self.fund_checks(ask, walk)
    }

    fn fat_finger_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let limits = &self.config.limits;
        let i = ask.request.instrument;
        let quantity = Figure::Quantity(ask.quantity());
        if let Some(most) = limits.fat_finger_quantity {
            let scale = 10_i128.pow(u32::from(self.config.instruments[i].quantity_precision));
            let limit = mul(i128::from(most), scale, "a limit")?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rule = Rule::FatFingerQuantity;
            pass!(Ok(walk.at_most(
                ask,
                rule,
                limit,
                quantity,
                Figure::Quantity(limit)
            )));
        }
        if let Some(limit) = limits.fat_finger_notional {
            let figure = |lots: i64| self.value_at(i, lots * ask.lot, ask.reference);
            let found = figure(ask.lots())?;
            let rule = Rule::FatFingerNotional;
            pass!(walk.within(ask, rule, false, (found, limit), figure));
        }
        if let Some(share) = limits.fat_finger_volume {
            let rule = Rule::FatFingerVolume;
            let volume = self
                .guard
                .figures
                .get(RiskKind::AverageVolume, Some(i), ask.ts);
            let Some(volume) = volume else {
                return Ok(walk.holds(ask, rule, true, quantity, Figure::None));
            };
            let limit = share_of(i128::from(volume), share, "a limit")?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            pass!(Ok(walk.at_most(
                ask,
                rule,
                limit,
                quantity,
                Figure::Quantity(limit)
            )));
        }
        Ok(NEXT)
    }

    /// Whether assets may be sold short, and how many.
    #[inline(never)]
    fn short_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let (sleeve, i) = (ask.request.sleeve, ask.request.instrument);
        let leg = ask.request.leg.index();
        let line = self.exposure.line(sleeve, i, leg);
        let quantity = Figure::Quantity(ask.quantity());
        let shortable = self.shortable(i);
        if self.config.account.kind == AccountKind::Cash || shortable == 0 {
            let sold = if ask.request.reduce_only {
                0
            } else {
                line.sales
            };
            let left = line.held.saturating_sub(sold);
            let limit = Figure::Quantity(left);
            return Ok(walk.at_most(ask, Rule::NoShort, ask.room, quantity, limit));
        }
        let before = self.exposure.short(i);
        let legs = self.exposure.legs;
        let without = before - line.short(legs, leg);
        let figure = |lots: i64| {
            let mut after = line;
            after.sales = after.sales.saturating_add(lots * ask.lot);
            let short = without + after.short(legs, leg);
            Ok(if short > before { short } else { i128::MIN })
        };
        let found = figure(ask.lots())?;
        if found <= i128::from(shortable) {
            return Ok(NEXT);
        }
        let most = if ask.occasion.is_sized() {
            most_lots(i128::from(shortable), ask.lots(), figure)? * ask.lot
        } else {
            0
        };
        let found = Figure::Quantity(i64::try_from(found).unwrap_or(i64::MAX));
        let most = most.max(ask.room);
        Ok(walk.at_most(ask, Rule::Locate, most, found, Figure::Quantity(shortable)))
    }

    /// Cash, or margin.
    #[inline(always)]
    pub(super) fn fund_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let (sleeve, i) = (ask.request.sleeve, ask.request.instrument);
        if self.exposure.on_margin(i) {
            return self.margin_check(ask, walk);
        }
        let listed = &self.config.instruments[i];
        match (ask.request.side, listed.settlement) {
            (Side::Buy, _) => {
                let available = self.available(sleeve, listed.currency)?.max(0);
                let per_lot = self.exposure.notional(i, ask.lot, ask.reference.max(0))?;
                let cost = |lots: i64| self.cost(ask, lots, per_lot);
                let found = cost(ask.lots())?;
                walk.within(ask, Rule::Cash, false, (found, available), cost)
            }
            (Side::Sell, Settlement::Exchange { base }) => {
                let free = sub(
                    self.spendable(sleeve, base)?,
                    self.exposure.reserved(sleeve, base)?,
                    "available cash",
                )?
                .max(0);
                let unit = self.exposure.base_unit(i);
                let given = |lots: i64| mul(i128::from(lots * ask.lot), unit, "a currency");
                let found = given(ask.lots())?;
                walk.within(ask, Rule::Cash, false, (found, free), given)
            }
            (Side::Sell, _) => Ok(NEXT),
        }
    }

    /// Notional and fee of so many lots.
    fn cost(&self, ask: &Ask, lots: i64, per_lot: i128) -> Result<i128> {
        let part = mul(i128::from(lots), per_lot, "the cost of an order")?;
        let fees = self.exposure.fees(ask.request.instrument);
        let fee = fees.worst(part, lots * ask.lot, ask.past.has_paid)?;
        add(part, fee, "the cost of an order")
    }

    #[inline(always)]
    fn margin_check(&self, ask: &Ask, walk: &mut Walk) -> Step {
        if ask.is_reducing() {
            return Ok(NEXT);
        }
        let equity = self
            .exposure
            .sleeve_equity(&self.ledger, ask.request.sleeve)?;
        let (margin, hold) = self.needs_of(ask, ask.quantity())?;
        if self.is_single_currency() {
            let (lines, orders) = self.exposure.margin(ask.request.sleeve, 0);
            let lines = add(lines, margin, "a margin")?;
            if surely_within(lines, add(orders, hold, "a hold")?, equity) {
                return Ok(NEXT);
            }
        }
        let found = self.required_with(ask, margin, hold)?;
        let figure = |lots: i64| {
            let (margin, hold) = self.needs_of(ask, lots * ask.lot)?;
            self.required_with(ask, margin, hold)
        };
        walk.within(ask, Rule::Margin, true, (found, equity), figure)
    }

    /// What so much of an order needs: the margin of its line in `10^-21`, and what it holds.
    #[inline(always)]
    fn needs_of(&self, ask: &Ask, quantity: i64) -> Result<(i128, i128)> {
        let i = ask.request.instrument;
        let part = self.exposure.notional(i, quantity, ask.reference)?;
        let fees = self.exposure.fees(i);
        let fee = fees.worst(part, quantity, ask.past.has_paid)?;
        let lost = match ask.past.price {
            Some(price) => price.adverse,
            None => adverse(ask.request.side, ask.reference, ask.mark),
        };
        let hold = if lost == 0 {
            fee
        } else {
            add(fee, self.exposure.notional(i, quantity, lost)?, "a hold")?
        };
        Ok((self.margin_added(ask, quantity)?, hold))
    }

    /// The margin that its line needs more with so much more in flight, in `10^-21`.
    #[inline(always)]
    fn margin_added(&self, ask: &Ask, quantity: i64) -> Result<i128> {
        let (sleeve, i, leg) = (
            ask.request.sleeve,
            ask.request.instrument,
            ask.request.leg.index(),
        );
        let line = self.exposure.line(sleeve, i, leg);
        let after = line.plus(&Line::in_flight(ask.request.side, quantity))?;
        self.exposure
            .margin_added(i, leg, (&line, &after), ask.mark)
    }

    /// Initial margin of the worst case of a sleeve and what its orders hold, in the fund's
    /// currency, with so much more in the currency of an instrument.
    #[inline(never)]
    fn required_with(&self, ask: &Ask, margin: i128, hold: i128) -> Result<i128> {
        let (sleeve, instrument) = (ask.request.sleeve, ask.request.instrument);
        let mut sum = 0;
        for currency in 0..self.config.currencies.len() {
            let (mut lines, mut orders) = self.exposure.margin(sleeve, currency);
            if currency == self.config.instruments[instrument].currency {
                lines = add(lines, margin, "a margin")?;
                orders = add(orders, hold, "a hold")?;
            }
            let lines = self.margin_money(currency, lines)?;
            let orders = self.exposure.in_fund_currency(currency, orders)?;
            sum = add(sum, add(lines, orders, "a margin")?, "a margin")?;
        }
        Ok(sum)
    }

    /// An amount of an instrument at a price, in the fund's currency, without its sign.
    fn value_at(&self, instrument: usize, quantity: i64, price: i64) -> Result<i128> {
        let amount = self.exposure.notional(instrument, quantity, price)?.abs();
        let currency = self.config.instruments[instrument].currency;
        self.exposure.in_fund_currency(currency, amount)
    }

    /// What a sleeve may spend: its cash, less what its buys in flight reserve, plus what its
    /// sales in flight bring at the worst.
    pub(crate) fn available(&self, sleeve: usize, currency: usize) -> Result<i128> {
        let free = sub(
            self.spendable(sleeve, currency)?,
            self.exposure.reserved(sleeve, currency)?,
            "available cash",
        )?;
        add(
            free,
            self.exposure.expected(sleeve, currency),
            "available cash",
        )
    }

    /// How much of an instrument may be short.
    fn shortable(&self, instrument: usize) -> i64 {
        self.config.instruments[instrument].shortable
    }
}
