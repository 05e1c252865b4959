//! What orders in flight hold and move.

use super::{Exposure, Line};
use crate::config::{Config, Settlement};
use crate::market::DataKind;
use crate::numbers::{RATE_ONE, Result, Rounding, add, div_round, mul, sub};
use crate::order::{Order, OrderKind, Side};

/// What a fill did to an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled<'a> {
    /// As it was before.
    pub(crate) order: &'a Order,
    /// What it held before, and holds now.
    pub(crate) holds: (i128, i128),
    pub(crate) quantity: i64,
    /// How much the cost of the position changed.
    pub(crate) cost: i128,
}

impl Exposure {
    /// What an order holds. Judged by cash: what a buy may cost, or the least that a market sale
    /// brings, and nothing for other sales. Judged by margin: its fee and what it loses at once.
    /// `has_paid` says whether a fill of it has paid the venue's minimum.
    #[inline(always)]
    pub(crate) fn hold_of(&self, config: &Config, order: &Order, has_paid: bool) -> Result<i128> {
        if order.unfilled() == 0 {
            return Ok(0);
        }
        let facts = &self.facts[order.instrument];
        if !facts.on_margin {
            return self.hold_of_cash(config, order, has_paid);
        }
        let part = facts.notional(order.unfilled(), order.reference)?;
        let fee = facts.fees.worst(part, order.unfilled(), has_paid)?;
        if order.adverse == 0 {
            return Ok(fee);
        }
        let lost = facts.notional(order.unfilled(), order.adverse)?;
        add(fee, lost, "a hold")
    }

    /// The same where cash judges.
    #[inline(never)]
    fn hold_of_cash(&self, config: &Config, order: &Order, has_paid: bool) -> Result<i128> {
        let instrument = order.instrument;
        let (price, is_buy) = match (order.side, order.kind) {
            (Side::Buy, _) => (order.reference.max(0), true),
            (Side::Sell, OrderKind::Market) if !self.on_margin && is_sure(config, order) => {
                let band = config.limits.price_band;
                (worst_sale_price(order.reference, band), false)
            }
            (Side::Sell, _) => return Ok(0),
        };
        let notional = self.notional(instrument, order.unfilled(), price)?;
        let fee = self
            .fees(instrument)
            .worst(notional, order.unfilled(), has_paid)?;
        if is_buy {
            add(notional, fee, "a reserve")
        } else {
            Ok(sub(notional, fee, "expected proceeds")?.max(0))
        }
    }

    /// Add (`+1`) or take away (`-1`) what an order with this hold has in flight.
    #[inline(always)]
    pub(crate) fn in_flight_changed(
        &mut self,
        order: &Order,
        hold: i128,
        mark: i64,
        sign: i8,
    ) -> Result<()> {
        self.resting_changed(order, sign);
        if !order.counted {
            return Ok(());
        }
        let (sleeve, instrument) = (order.sleeve, order.instrument);
        self.hold_changed(order, if sign < 0 { -hold } else { hold })?;
        if let Settlement::Exchange { base } = self.facts[instrument].settlement {
            return self.exchange_changed(order, base, sign);
        }
        let signed = i64::from(sign) * order.unfilled();
        let change = Line::in_flight(order.side, signed);
        self.line_changed((sleeve, instrument, order.leg.index()), mark, &change)
    }

    /// An order was filled in part or whole: the same as taking away what it had in flight, adding
    /// what is left of it, and changing the position, in one step.
    #[inline(always)]
    pub(crate) fn order_filled(&mut self, filled: &Filled, mark: i64) -> Result<()> {
        let Filled {
            order: before,
            holds,
            quantity,
            cost,
        } = *filled;
        let instrument = before.instrument;
        let settlement = self.facts[instrument].settlement;
        let is_exchange = matches!(settlement, Settlement::Exchange { .. });
        if is_exchange || !self.resting.is_empty() {
            let after = before.after(quantity);
            if is_exchange {
                self.in_flight_changed(before, holds.0, mark, -1)?;
                return self.in_flight_changed(&after, holds.1, mark, 1);
            }
            self.resting_changed(before, -1);
            self.resting_changed(&after, 1);
        }
        let leg = before.leg.index();
        let signed = before.side.signed(quantity);
        let value = self.value_added(instrument, signed, cost, mark)?;
        let place = before.sleeve * self.currencies + self.facts[instrument].currency;
        let till = &mut self.tills[place];
        till.value = add(till.value, value, "a marked position")?;
        if before.counted {
            self.hold_changed(before, sub(holds.1, holds.0, "a hold")?)?;
        }
        let gone = if before.counted { -quantity } else { 0 };
        let change = Line {
            held: signed,
            ..Line::in_flight(before.side, gone)
        };
        self.line_changed((before.sleeve, instrument, leg), mark, &change)
    }

    /// What orders of one kind hold together has changed by so much.
    #[inline(always)]
    fn hold_changed(&mut self, order: &Order, amount: i128) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let facts = &self.facts[order.instrument];
        let till = &mut self.tills[order.sleeve * self.currencies + facts.currency];
        let sum = match (facts.on_margin, order.side) {
            (true, _) => &mut till.holds,
            (false, Side::Buy) => &mut till.reserved,
            (false, Side::Sell) => &mut till.expected,
        };
        *sum = add(*sum, amount, "what orders in flight hold")?;
        Ok(())
    }

    /// What an exchange of two currencies has in flight: the same for these.
    #[inline(never)]
    fn exchange_changed(&mut self, order: &Order, base: usize, sign: i8) -> Result<()> {
        let instrument = order.instrument;
        let unfilled = i128::from(sign) * i128::from(order.unfilled());
        let given = mul(
            unfilled,
            self.facts[instrument].base_unit,
            "orders in flight",
        )?;
        let paid = self.notional(instrument, order.unfilled(), order.reference.max(0))?;
        let paid = i128::from(sign) * paid;
        let quote = self.facts[instrument].currency;
        let place = order.sleeve * self.currencies + base;
        match order.side {
            Side::Buy => {
                self.flows[base].0 = add(self.flows[base].0, given, "orders in flight")?;
                self.flows[quote].1 = add(self.flows[quote].1, paid, "orders in flight")?;
            }
            Side::Sell => {
                self.flows[base].1 = add(self.flows[base].1, given, "orders in flight")?;
                self.flows[quote].0 = add(self.flows[quote].0, paid, "orders in flight")?;
                let till = &mut self.tills[place];
                till.sold = add(till.sold, given, "orders in flight")?;
            }
        }
        Ok(())
    }
}

/// Whether a market sale trades before any buy that counts on it, and whole.
fn is_sure(config: &Config, order: &Order) -> bool {
    let listed = &config.instruments[order.instrument];
    let settles = listed.settlement_days == 0 || config.account.trade_on_unsettled;
    listed.matching == DataKind::Bars && !order.reduce_only && !order.remote && settles
}

/// The lowest price that a price band allows, rounded down to a price unit.
fn worst_sale_price(reference: i64, band: i64) -> i64 {
    let product = i128::from(reference) * i128::from(RATE_ONE - band);
    let price = i64::try_from(div_round(product, i128::from(RATE_ONE), Rounding::Down))
        .expect("nearer to zero than the reference price");
    price.max(0)
}
