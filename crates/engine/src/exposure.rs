//! Sums that the gate reads at every order, kept up to date instead of computed anew.
//!
//! Nothing here is state: it all follows from the ledger, the marks, the rates and the working
//! orders, and is built from them when a snapshot is restored.

use crate::config::{Config, Instrument, Settlement};
use crate::ledger::Ledger;
use crate::models::fees::Fees;
use crate::numbers::{
    RATE_ONE, Result, Rounding, add, convert, div_round, mul, notional, quantity_add, sub,
};
use crate::order::{Order, OrderKind, Side};

/// What is held of an instrument, and what is bought and sold in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) held: i64,
    pub(crate) buys: i64,
    pub(crate) sales: i64,
}

impl Line {
    /// The most that may come to be held if everything in flight on one side fills.
    pub(crate) fn high(&self) -> Result<i64> {
        quantity_add(self.held, self.buys, "an exposure")
    }

    pub(crate) fn low(&self) -> Result<i64> {
        quantity_add(self.held, -self.sales, "an exposure")
    }

    /// The larger of both, without sign.
    pub(crate) fn worst(&self) -> Result<i128> {
        let (high, low) = (i128::from(self.high()?), i128::from(self.low()?));
        Ok(high.abs().max(low.abs()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    sleeves: usize,
    currencies: usize,
    /// Money of one quantity unit at one price unit, per instrument.
    pub(crate) unit: Vec<i128>,
    pub(crate) currency_of: Vec<usize>,
    /// Whether the value of a position is on top of cash: not for currencies, which are cash.
    settlement: Vec<Settlement>,
    pub(crate) sector_of: Vec<usize>,
    /// Per instrument, of its venue in its currency.
    pub(crate) fees: Vec<Fees>,
    /// Prices of currencies; None where not known yet.
    pub(crate) rates: Vec<Option<i64>>,
    /// Per instrument, over all sleeves.
    pub(crate) fund: Vec<Line>,
    /// Per sleeve and instrument.
    lines: Vec<Line>,
    /// Per sleeve and currency: cash reserved by buys, proceeds expected of sales, and what
    /// positions are worth beyond cash.
    reserved: Vec<i128>,
    expected: Vec<i128>,
    value: Vec<i128>,
    /// Per instrument, in the fund's currency: the worst case of positions and orders in flight.
    worst: Vec<i128>,
    pub(crate) gross: i128,
    pub(crate) by_sector: Vec<i128>,
}

impl Exposure {
    pub(crate) fn new(config: &Config) -> Self {
        let instruments = config.instruments.len();
        let (sleeves, currencies) = (config.sleeves.len(), config.currencies.len());
        let mut names: Vec<&str> = config
            .instruments
            .iter()
            .map(|i| i.sector.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let sector_of = config
            .instruments
            .iter()
            .map(|i| names.partition_point(|name| *name < i.sector.as_str()))
            .collect();
        let mut rates = vec![None; currencies];
        rates[0] = Some(crate::numbers::MONEY_ONE);
        Self {
            sleeves,
            currencies,
            unit: config.instruments.iter().map(Instrument::unit).collect(),
            currency_of: config.instruments.iter().map(|i| i.currency).collect(),
            settlement: config.instruments.iter().map(|i| i.settlement).collect(),
            sector_of,
            fees: (0..instruments).map(|i| fees_of(config, i, 0)).collect(),
            rates,
            fund: vec![Line::default(); instruments],
            lines: vec![Line::default(); instruments * sleeves],
            reserved: vec![0; sleeves * currencies],
            expected: vec![0; sleeves * currencies],
            value: vec![0; sleeves * currencies],
            worst: vec![0; instruments],
            gross: 0,
            by_sector: vec![0; names.len()],
        }
    }

    /// Money in the instrument's currency.
    #[inline]
    pub(crate) fn notional(&self, instrument: usize, quantity: i64, price: i64) -> Result<i128> {
        notional(quantity, price, self.unit[instrument])
    }

    /// Money of a currency in the fund's. Without a rate it counts for nothing: the gate takes
    /// no new risk then.
    #[inline]
    pub(crate) fn in_fund_currency(&self, currency: usize, amount: i128) -> Result<i128> {
        if currency == 0 {
            return Ok(amount);
        }
        convert(amount, self.rates[currency].unwrap_or(0))
    }

    pub(crate) fn line(&self, sleeve: usize, instrument: usize) -> Line {
        self.lines[sleeve * self.fund.len() + instrument]
    }

    /// The worst case of an instrument in the fund's currency.
    pub(crate) fn of(&self, instrument: usize) -> i128 {
        self.worst[instrument]
    }

    pub(crate) fn reserved(&self, sleeve: usize, currency: usize) -> i128 {
        self.reserved[sleeve * self.currencies + currency]
    }

    pub(crate) fn expected(&self, sleeve: usize, currency: usize) -> i128 {
        self.expected[sleeve * self.currencies + currency]
    }

    /// What positions of a sleeve are worth beyond its cash, in the fund's currency.
    pub(crate) fn sleeve_value(&self, sleeve: usize) -> Result<i128> {
        let mut sum = 0;
        for currency in 0..self.currencies {
            let value = self.value[sleeve * self.currencies + currency];
            let value = self.in_fund_currency(currency, value)?;
            sum = add(sum, value, "the value of positions")?;
        }
        Ok(sum)
    }

    /// In the fund's currency; each currency is converted as a whole.
    #[inline]
    pub(crate) fn sleeve_equity(&self, ledger: &Ledger, sleeve: usize) -> Result<i128> {
        let mut sum = 0;
        for currency in 0..self.currencies {
            let value = self.value[sleeve * self.currencies + currency];
            let total = add(
                ledger.cash(sleeve, currency),
                value,
                "the equity of a sleeve",
            )?;
            let total = self.in_fund_currency(currency, total)?;
            sum = add(sum, total, "the equity of a sleeve")?;
        }
        Ok(sum)
    }

    #[inline]
    pub(crate) fn equity(&self, ledger: &Ledger) -> Result<i128> {
        let mut sum = 0;
        for sleeve in 0..self.sleeves {
            sum = add(
                sum,
                self.sleeve_equity(ledger, sleeve)?,
                "the equity of the fund",
            )?;
        }
        Ok(sum)
    }

    /// The value of all positions beyond cash, in the fund's currency.
    pub(crate) fn positions_value(&self) -> Result<i128> {
        (0..self.sleeves).try_fold(0, |sum, sleeve| {
            add(sum, self.sleeve_value(sleeve)?, "the value of positions")
        })
    }

    #[inline]
    pub(crate) fn mark_changed(&mut self, instrument: usize, old: i64, new: i64) -> Result<()> {
        let line = self.fund[instrument];
        if line == Line::default() && self.sleeves == 1 {
            return Ok(());
        }
        let change = sub(i128::from(new), i128::from(old), "a mark")?;
        let per_unit = mul(change, self.unit[instrument], "a mark")?;
        if !matches!(self.settlement[instrument], Settlement::Exchange { .. }) {
            let currency = self.currency_of[instrument];
            for sleeve in 0..self.sleeves {
                let quantity = self.line(sleeve, instrument).held;
                if quantity != 0 {
                    let gain = mul(i128::from(quantity), per_unit, "a marked position")?;
                    let value = &mut self.value[sleeve * self.currencies + currency];
                    *value = add(*value, gain, "a marked position")?;
                }
            }
        }
        self.refresh(instrument, new)
    }

    /// `cost` is how much the cost of the position changed.
    pub(crate) fn position_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        quantity: i64,
        cost: i128,
        mark: i64,
    ) -> Result<()> {
        let place = sleeve * self.fund.len() + instrument;
        for line in [&mut self.fund[instrument], &mut self.lines[place]] {
            line.held = quantity_add(line.held, quantity, "a position")?;
        }
        let worth = self.notional(instrument, quantity, mark)?;
        let change = match self.settlement[instrument] {
            Settlement::Asset => worth,
            Settlement::Exchange { .. } => 0,
            Settlement::Difference => sub(worth, cost, "a marked position")?,
        };
        let value = &mut self.value[sleeve * self.currencies + self.currency_of[instrument]];
        *value = add(*value, change, "a marked position")?;
        self.refresh(instrument, mark)
    }

    /// What an order holds of its sleeve's cash: what a buy may cost, or the least that a market
    /// sale brings; nothing for other sales.
    pub(crate) fn hold_of(&self, config: &Config, order: &Order) -> Result<i128> {
        let (price, is_buy) = match (order.side, order.kind) {
            (Side::Buy, _) => (order.reference, true),
            (Side::Sell, OrderKind::Market) => {
                let band = config.limits.price_band;
                (worst_sale_price(order.reference, band), false)
            }
            (Side::Sell, _) => return Ok(0),
        };
        let notional = self.notional(order.instrument, order.unfilled(), price)?;
        let fee = self.fees[order.instrument].worst(notional, order.unfilled())?;
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
        if !order.counted {
            return Ok(());
        }
        let signed = i64::from(sign) * order.unfilled();
        let amount = i128::from(sign) * hold;
        let place = order.sleeve * self.fund.len() + order.instrument;
        let purse = order.sleeve * self.currencies + self.currency_of[order.instrument];
        for line in [&mut self.fund[order.instrument], &mut self.lines[place]] {
            let in_flight = match order.side {
                Side::Buy => &mut line.buys,
                Side::Sell => &mut line.sales,
            };
            *in_flight = quantity_add(*in_flight, signed, "orders in flight")?;
        }
        let sum = match order.side {
            Side::Buy => &mut self.reserved[purse],
            Side::Sell => &mut self.expected[purse],
        };
        *sum = add(*sum, amount, "what orders in flight hold")?;
        self.refresh(order.instrument, mark)
    }

    /// A currency has a new rate.
    pub(crate) fn rate_changed(
        &mut self,
        currency: usize,
        rate: i64,
        mark_of: impl Fn(usize) -> i64,
    ) -> Result<()> {
        self.rates[currency] = Some(rate);
        for instrument in 0..self.fund.len() {
            if self.currency_of[instrument] == currency {
                self.refresh(instrument, mark_of(instrument))?;
            }
        }
        Ok(())
    }

    /// Bring the worst case of an instrument, and the sums over it, up to date.
    #[inline]
    fn refresh(&mut self, instrument: usize, mark: i64) -> Result<()> {
        let quantity = self.fund[instrument].worst()?;
        let price = mul(quantity, i128::from(mark).abs(), "an exposure")?;
        let amount = mul(price, self.unit[instrument], "an exposure")?;
        let worst = self.in_fund_currency(self.currency_of[instrument], amount)?;
        let change = sub(worst, self.worst[instrument], "an exposure")?;
        self.worst[instrument] = worst;
        self.gross = add(self.gross, change, "the gross exposure")?;
        let sector = &mut self.by_sector[self.sector_of[instrument]];
        *sector = add(*sector, change, "a sector's exposure")?;
        Ok(())
    }
}

/// The schedule of an instrument's venue while a tier holds.
pub(crate) fn fees_of(config: &Config, instrument: usize, tier: usize) -> Fees {
    let listed = &config.instruments[instrument];
    let minor_unit = config.minor_unit(listed.currency);
    config
        .venue_of(instrument)
        .fee
        .fees(tier, listed, minor_unit)
}

/// The lowest price that a price band allows, rounded down to a price unit.
fn worst_sale_price(reference: i64, band: i64) -> i64 {
    let product = i128::from(reference) * i128::from(RATE_ONE - band);
    i64::try_from(div_round(product, i128::from(RATE_ONE), Rounding::Down))
        .expect("below the reference price")
}
