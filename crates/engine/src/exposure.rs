//! Sums that the gate reads at every order, kept up to date instead of computed anew.
//!
//! Nothing here is state: it all follows from the ledger, the marks and the working orders, and
//! is built from them when a snapshot is restored.

use crate::config::{Config, FeeScale, Instrument};
use crate::ledger::Ledger;
use crate::numbers::{
    RATE_ONE, Result, Rounding, add, div_round, mul, notional, quantity_add, sub,
};
use crate::order::{Order, OrderKind, Side};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// Money of one quantity unit at one price unit, per instrument.
    pub(crate) unit: Vec<i128>,
    pub(crate) sector_of: Vec<usize>,
    pub(crate) fees: FeeScale,
    /// Per instrument: held by the whole fund, and bought in flight.
    held: Vec<i64>,
    buys: Vec<i64>,
    /// Per sleeve and instrument: sold in flight.
    sales: Vec<i64>,
    /// Per sleeve: cash reserved by buys, proceeds expected of sales, value of positions.
    pub(crate) reserved: Vec<i128>,
    pub(crate) expected: Vec<i128>,
    value: Vec<i128>,
    /// Positions and buys in flight at their marks.
    pub(crate) gross: i128,
    pub(crate) by_sector: Vec<i128>,
}

impl Exposure {
    pub(crate) fn new(config: &Config) -> Self {
        let instruments = config.instruments.len();
        let sleeves = config.sleeves.len();
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
        Self {
            unit: config.instruments.iter().map(Instrument::unit).collect(),
            sector_of,
            fees: config.venue.fee.in_coins(config.minor_unit()),
            held: vec![0; instruments],
            buys: vec![0; instruments],
            sales: vec![0; instruments * sleeves],
            reserved: vec![0; sleeves],
            expected: vec![0; sleeves],
            value: vec![0; sleeves],
            gross: 0,
            by_sector: vec![0; names.len()],
        }
    }

    pub(crate) fn notional(&self, instrument: usize, quantity: i64, price: i64) -> Result<i128> {
        notional(quantity, price, self.unit[instrument])
    }

    /// Value of positions and buys in flight in one instrument.
    pub(crate) fn of(&self, instrument: usize, mark: i64) -> Result<i128> {
        let quantity = quantity_add(self.held[instrument], self.buys[instrument], "an exposure")?;
        self.notional(instrument, quantity, mark)
    }

    pub(crate) fn sales_of(&self, sleeve: usize, instrument: usize) -> i64 {
        self.sales[sleeve * self.held.len() + instrument]
    }

    pub(crate) fn sleeve_equity(&self, ledger: &Ledger, sleeve: usize) -> Result<i128> {
        add(
            ledger.cash(sleeve),
            self.value[sleeve],
            "the equity of a sleeve",
        )
    }

    pub(crate) fn equity(&self, ledger: &Ledger) -> Result<i128> {
        let mut sum = 0;
        for sleeve in 0..self.value.len() {
            sum = add(
                sum,
                self.sleeve_equity(ledger, sleeve)?,
                "the equity of the fund",
            )?;
        }
        Ok(sum)
    }

    /// The value of all positions; long only, so also the gross and the net one.
    pub(crate) fn positions_value(&self) -> Result<i128> {
        self.value
            .iter()
            .try_fold(0, |sum, value| add(sum, *value, "the value of positions"))
    }

    pub(crate) fn mark_changed(
        &mut self,
        ledger: &Ledger,
        instrument: usize,
        old: i64,
        new: i64,
    ) -> Result<()> {
        let (held, buys) = (self.held[instrument], self.buys[instrument]);
        if held == 0 && buys == 0 {
            return Ok(());
        }
        let change = sub(i128::from(new), i128::from(old), "a mark")?;
        let per_unit = mul(change, self.unit[instrument], "a mark")?;
        if held != 0 {
            for sleeve in 0..self.value.len() {
                let quantity = ledger.quantity(sleeve, instrument);
                if quantity != 0 {
                    let gain = mul(i128::from(quantity), per_unit, "a marked position")?;
                    self.value[sleeve] = add(self.value[sleeve], gain, "a marked position")?;
                }
            }
        }
        let total = i128::from(held) + i128::from(buys);
        self.worst_changed(instrument, mul(total, per_unit, "an exposure")?)
    }

    pub(crate) fn position_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        quantity: i64,
        mark: i64,
    ) -> Result<()> {
        self.held[instrument] = quantity_add(self.held[instrument], quantity, "a position")?;
        let change = self.notional(instrument, quantity, mark)?;
        self.value[sleeve] = add(self.value[sleeve], change, "a marked position")?;
        self.worst_changed(instrument, change)
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
        let fee = self.fees.fee(notional)?;
        if is_buy {
            add(notional, fee, "a reserve")
        } else {
            Ok(sub(notional, fee, "expected proceeds")?.max(0))
        }
    }

    /// Add (`+1`) or take away (`-1`) what an order with this hold has in flight.
    pub(crate) fn in_flight_changed(
        &mut self,
        order: &Order,
        hold: i128,
        mark: i64,
        sign: i8,
    ) -> Result<()> {
        let signed = i64::from(sign) * order.unfilled();
        let amount = i128::from(sign) * hold;
        match order.side {
            Side::Buy => {
                let slot = &mut self.reserved[order.sleeve];
                *slot = add(*slot, amount, "a reserve")?;
                let slot = &mut self.buys[order.instrument];
                *slot = quantity_add(*slot, signed, "the buys in flight")?;
                let change = self.notional(order.instrument, signed, mark)?;
                self.worst_changed(order.instrument, change)
            }
            Side::Sell => {
                let index = order.sleeve * self.held.len() + order.instrument;
                self.sales[index] = quantity_add(self.sales[index], signed, "the sales in flight")?;
                let slot = &mut self.expected[order.sleeve];
                *slot = add(*slot, amount, "expected proceeds")?;
                Ok(())
            }
        }
    }

    fn worst_changed(&mut self, instrument: usize, change: i128) -> Result<()> {
        self.gross = add(self.gross, change, "the gross exposure")?;
        let sector = &mut self.by_sector[self.sector_of[instrument]];
        *sector = add(*sector, change, "a sector's exposure")?;
        Ok(())
    }
}

/// The lowest price that a price band allows, rounded down to a price unit.
fn worst_sale_price(reference: i64, band: i64) -> i64 {
    let product = i128::from(reference) * i128::from(RATE_ONE - band);
    i64::try_from(div_round(product, i128::from(RATE_ONE), Rounding::Down))
        .expect("below the reference price")
}
