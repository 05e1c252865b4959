//! What orders in flight hold and move.

use super::Exposure;
use crate::config::{Config, Settlement};
use crate::market::DataKind;
use crate::numbers::{RATE_ONE, Result, Rounding, add, div_round, mul, quantity_add, sub};
use crate::order::{Order, OrderKind, Side};

impl Exposure {
    /// What an order holds. Judged by cash: what a buy may cost, or the least that a market sale
    /// brings, and nothing for other sales. Judged by margin: its fee and what it loses at once.
    /// `has_paid` says whether a fill of it has paid the venue's minimum.
    pub(crate) fn hold_of(&self, config: &Config, order: &Order, has_paid: bool) -> Result<i128> {
        let instrument = order.instrument;
        if order.unfilled() == 0 {
            return Ok(0);
        }
        if self.on_margin(instrument) {
            let part = self.notional(instrument, order.unfilled(), order.reference)?;
            let lost = self.notional(instrument, order.unfilled(), order.adverse)?;
            return add(
                self.fees[instrument].worst(part.abs(), order.unfilled(), has_paid)?,
                lost,
                "a hold",
            );
        }
        let (price, is_buy) = match (order.side, order.kind) {
            (Side::Buy, _) => (order.reference.max(0), true),
            (Side::Sell, OrderKind::Market) if !self.on_margin && is_sure(config, order) => {
                let band = config.limits.price_band;
                (worst_sale_price(order.reference, band), false)
            }
            (Side::Sell, _) => return Ok(0),
        };
        let notional = self.notional(instrument, order.unfilled(), price)?;
        let fee = self.fees[instrument].worst(notional, order.unfilled(), has_paid)?;
        if is_buy {
            add(notional, fee, "a reserve")
        } else {
            Ok(sub(notional, fee, "expected proceeds")?.max(0))
        }
    }

    /// Add (`+1`) or take away (`-1`) what an order with this hold has in flight.
    #[inline]
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
        let amount = i128::from(sign) * hold;
        let purse = sleeve * self.currencies + self.currency_of[instrument];
        let sum = if self.on_margin(instrument) {
            &mut self.holds[purse]
        } else {
            match order.side {
                Side::Buy => &mut self.reserved[purse],
                Side::Sell => &mut self.expected[purse],
            }
        };
        *sum = add(*sum, amount, "what orders in flight hold")?;
        if let Settlement::Exchange { base } = self.settlement[instrument] {
            return self.exchange_changed(order, base, sign);
        }
        let signed = i64::from(sign) * order.unfilled();
        self.line_changed(sleeve, instrument, order.leg.index(), mark, |line| {
            let in_flight = match order.side {
                Side::Buy => &mut line.buys,
                Side::Sell => &mut line.sales,
            };
            *in_flight = quantity_add(*in_flight, signed, "orders in flight")?;
            Ok(())
        })
    }

    /// The same for an exchange of two currencies.
    fn exchange_changed(&mut self, order: &Order, base: usize, sign: i8) -> Result<()> {
        let instrument = order.instrument;
        let unfilled = i128::from(sign) * i128::from(order.unfilled());
        let given = mul(unfilled, self.base_unit[instrument], "orders in flight")?;
        let paid = self.notional(instrument, order.unfilled(), order.reference.max(0))?;
        let paid = i128::from(sign) * paid;
        let quote = self.currency_of[instrument];
        let place = order.sleeve * self.currencies + base;
        match order.side {
            Side::Buy => {
                self.flows[base].0 = add(self.flows[base].0, given, "orders in flight")?;
                self.flows[quote].1 = add(self.flows[quote].1, paid, "orders in flight")?;
            }
            Side::Sell => {
                self.flows[base].1 = add(self.flows[base].1, given, "orders in flight")?;
                self.flows[quote].0 = add(self.flows[quote].0, paid, "orders in flight")?;
                self.sold[place] = add(self.sold[place], given, "orders in flight")?;
            }
        }
        Ok(())
    }
}

/// Whether a market sale trades before any buy that counts on it, and whole.
fn is_sure(config: &Config, order: &Order) -> bool {
    let listed = &config.instruments[order.instrument];
    let settles = listed.settlement_days == 0 || config.account.trade_on_unsettled;
    listed.matching == DataKind::Bars && !order.reduce_only && settles
}

/// The lowest price that a price band allows, rounded down to a price unit.
fn worst_sale_price(reference: i64, band: i64) -> i64 {
    let product = i128::from(reference) * i128::from(RATE_ONE - band);
    let price = i64::try_from(div_round(product, i128::from(RATE_ONE), Rounding::Down))
        .expect("nearer to zero than the reference price");
    price.max(0)
}
