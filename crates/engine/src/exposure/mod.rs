//! Sums that the gate reads at every order, kept up to date instead of computed anew.
//!
//! Nothing here is state: it all follows from the ledger, the marks, the rates and the working
//! orders, and is built from them when a snapshot is restored.

mod in_flight;
mod line;
mod reading;
mod resting;

use resting::Resting;

pub(crate) use line::{Burden, Line, Row, Sums};

use crate::config::{AccountKind, Config, Instrument, RateSource, Settlement};
use crate::ledger::Ledger;
use crate::models::fees::Fees;
use crate::numbers::{Result, add, convert, mul, notional, quantity_add, sub};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    sleeves: usize,
    currencies: usize,
    pub(crate) legs: usize,
    on_margin: bool,
    /// Whether figures of sleeves are kept: margin, or limits that ask for them.
    by_sleeve: bool,
    /// Money of one quantity unit at one price unit, per instrument.
    pub(crate) unit: Vec<i128>,
    pub(crate) currency_of: Vec<usize>,
    /// Whether the value of a position is on top of cash: not for currencies, which are cash.
    pub(crate) settlement: Vec<Settlement>,
    margin_rate: Vec<i64>,
    base_unit: Vec<i128>,
    pub(crate) sector_of: Vec<usize>,
    /// Per instrument, of its venue in its currency.
    pub(crate) fees: Vec<Fees>,
    /// Prices of currencies; None where not known yet.
    pub(crate) rates: Vec<Option<i128>>,
    /// Per sleeve, instrument and leg, in this order.
    lines: Vec<Line>,
    burdens: Vec<Burden>,
    /// Per instrument: how many of its lines are not empty.
    pub(crate) active: Vec<u32>,
    rows: Vec<Row>,
    /// Per instrument: what may come to be short, over all lines.
    short: Vec<i128>,
    sums: Sums,
    by_sector: Vec<i128>,
    /// Per sleeve: the worst cases of its lines.
    sleeve_gross: Vec<i128>,
    /// Per sleeve and currency: the margin of its lines, in `10^-21`; what its orders in flight
    /// hold against it; cash reserved by buys; sold in flight as the base of an exchange;
    /// proceeds expected of sales; and what positions are worth beyond cash.
    margin: Vec<i128>,
    holds: Vec<i128>,
    reserved: Vec<i128>,
    sold: Vec<i128>,
    expected: Vec<i128>,
    value: Vec<i128>,
    /// Per currency: what exchanges in flight may bring and take, over all sleeves.
    flows: Vec<(i128, i128)>,
    /// Per instrument, where the gate asks for them.
    resting: Vec<Resting>,
    /// Whether an exchange instrument moves the currency.
    pub(crate) is_exchanged: Vec<bool>,
    /// Per instrument: the currency whose rate follows its mark, and whether it is the inverse.
    pub(crate) rate_of: Vec<Option<(usize, bool)>>,
}

impl Exposure {
    pub(crate) fn new(config: &Config) -> Self {
        let instruments = config.instruments.len();
        let (sleeves, currencies) = (config.sleeves.len(), config.currencies.len());
        let legs = config.account.legs();
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
        rates[0] = Some(i128::from(crate::numbers::MONEY_ONE));
        let on_margin = config.account.kind == AccountKind::Margin;
        let mut is_exchanged = vec![false; currencies];
        for instrument in &config.instruments {
            if let Settlement::Exchange { base } = instrument.settlement {
                is_exchanged[base] = true;
                is_exchanged[instrument.currency] = true;
            }
        }
        Self {
            sleeves,
            currencies,
            legs,
            on_margin,
            by_sleeve: on_margin || wants_sleeves(config),
            unit: config.instruments.iter().map(Instrument::unit).collect(),
            currency_of: config.instruments.iter().map(|i| i.currency).collect(),
            settlement: config.instruments.iter().map(|i| i.settlement).collect(),
            margin_rate: config
                .instruments
                .iter()
                .map(|i| i.margin_initial)
                .collect(),
            base_unit: config
                .instruments
                .iter()
                .map(Instrument::base_unit)
                .collect(),
            sector_of,
            fees: (0..instruments).map(|i| fees_of(config, i, 0)).collect(),
            rates,
            lines: vec![Line::default(); instruments * sleeves * legs],
            burdens: vec![Burden::default(); instruments * sleeves * legs],
            active: vec![0; instruments],
            rows: vec![Row::default(); instruments],
            short: vec![0; instruments],
            sums: Sums::default(),
            by_sector: vec![0; names.len()],
            sleeve_gross: vec![0; sleeves],
            margin: vec![0; sleeves * currencies],
            holds: vec![0; sleeves * currencies],
            reserved: vec![0; sleeves * currencies],
            sold: vec![0; sleeves * currencies],
            expected: vec![0; sleeves * currencies],
            value: vec![0; sleeves * currencies],
            flows: vec![(0, 0); currencies],
            resting: if config.limits.self_trade {
                vec![Resting::default(); instruments]
            } else {
                Vec::new()
            },
            is_exchanged,
            rate_of: rates_of(config),
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

    #[inline]
    fn place(&self, sleeve: usize, instrument: usize, leg: usize) -> usize {
        (sleeve * self.rows.len() + instrument) * self.legs + leg
    }

    #[inline]
    pub(crate) fn line(&self, sleeve: usize, instrument: usize, leg: usize) -> Line {
        self.lines[self.place(sleeve, instrument, leg)]
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
        self.equity_less(ledger, sleeve, 0, 0)
    }

    /// The same with an amount of a currency taken off.
    #[inline]
    pub(crate) fn equity_less(
        &self,
        ledger: &Ledger,
        sleeve: usize,
        less_in: usize,
        amount: i128,
    ) -> Result<i128> {
        let place = "the equity of a sleeve";
        let mut sum = 0;
        for currency in 0..self.currencies {
            let value = self.value[sleeve * self.currencies + currency];
            let mut total = add(ledger.cash(sleeve, currency), value, place)?;
            if currency == less_in {
                total = sub(total, amount, place)?;
            }
            sum = add(sum, self.in_fund_currency(currency, total)?, place)?;
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
        if self.active[instrument] == 0 {
            return Ok(());
        }
        let change = sub(i128::from(new), i128::from(old), "a mark")?;
        let per_unit = mul(change, self.unit[instrument], "a mark")?;
        let is_position = !matches!(self.settlement[instrument], Settlement::Exchange { .. });
        let currency = self.currency_of[instrument];
        for sleeve in 0..self.sleeves {
            for leg in 0..self.legs {
                let line = self.line(sleeve, instrument, leg);
                if line.held != 0 && is_position {
                    let gain = mul(i128::from(line.held), per_unit, "a marked position")?;
                    let value = &mut self.value[sleeve * self.currencies + currency];
                    *value = add(*value, gain, "a marked position")?;
                }
                if self.by_sleeve && line != Line::default() {
                    self.weigh(sleeve, instrument, leg, new)?;
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
        leg: usize,
        quantity: i64,
        cost: i128,
        mark: i64,
    ) -> Result<()> {
        let change = match self.settlement[instrument] {
            // The position is cash of the base currency.
            Settlement::Exchange { .. } => return Ok(()),
            Settlement::Asset => self.notional(instrument, quantity, mark)?,
            Settlement::Difference => {
                let worth = self.notional(instrument, quantity, mark)?;
                sub(worth, cost, "a marked position")?
            }
        };
        let value = &mut self.value[sleeve * self.currencies + self.currency_of[instrument]];
        *value = add(*value, change, "a marked position")?;
        self.line_changed(sleeve, instrument, leg, mark, |line| {
            line.held = quantity_add(line.held, quantity, "a position")?;
            Ok(())
        })
    }

    /// The cost of a position of differences changed, and nothing else.
    pub(crate) fn cost_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        cost: i128,
    ) -> Result<()> {
        let value = &mut self.value[sleeve * self.currencies + self.currency_of[instrument]];
        *value = sub(*value, cost, "a marked position")?;
        Ok(())
    }

    /// Change a line and all that follows from it.
    #[inline]
    fn line_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        leg: usize,
        mark: i64,
        change: impl FnOnce(&mut Line) -> Result<()>,
    ) -> Result<()> {
        let place = self.place(sleeve, instrument, leg);
        let old = self.lines[place];
        let mut new = old;
        change(&mut new)?;
        self.lines[place] = new;
        let empty = Line::default();
        match (old == empty, new == empty) {
            (true, false) => self.active[instrument] += 1,
            (false, true) => self.active[instrument] -= 1,
            _ => {}
        }
        self.short[instrument] += new.short(self.legs, leg) - old.short(self.legs, leg);
        if self.by_sleeve {
            self.weigh(sleeve, instrument, leg, mark)?;
        }
        let row = &mut self.rows[instrument];
        row.high += new.high() - old.high();
        row.low += new.low() - old.low();
        self.refresh(instrument, mark)
    }

    /// A currency has a new rate.
    pub(crate) fn rate_changed(
        &mut self,
        currency: usize,
        rate: i128,
        mark_of: impl Fn(usize) -> i64,
    ) -> Result<()> {
        self.rates[currency] = Some(rate);
        for instrument in 0..self.rows.len() {
            if self.currency_of[instrument] == currency && self.active[instrument] > 0 {
                let mark = mark_of(instrument);
                if self.by_sleeve {
                    for place in 0..self.sleeves * self.legs {
                        self.weigh(place / self.legs, instrument, place % self.legs, mark)?;
                    }
                }
                self.refresh(instrument, mark)?;
            }
        }
        Ok(())
    }

    /// A quantity of an instrument at its mark, in the fund's currency, with its sign.
    #[inline]
    pub(crate) fn value_of(&self, instrument: usize, quantity: i128, mark: i64) -> Result<i128> {
        let amount = mul(quantity.abs(), i128::from(mark).abs(), "an exposure")?;
        let amount = mul(amount, self.unit[instrument], "an exposure")?;
        let value = self.in_fund_currency(self.currency_of[instrument], amount)?;
        Ok(if quantity < 0 { -value } else { value })
    }

    /// A row with other bounds.
    #[inline]
    pub(crate) fn row_of(
        &self,
        instrument: usize,
        high: i128,
        low: i128,
        mark: i64,
    ) -> Result<Row> {
        let up = self.value_of(instrument, high, mark)?;
        let down = if low == high {
            up
        } else {
            self.value_of(instrument, low, mark)?
        };
        Ok(Row {
            high,
            low,
            up,
            down,
        })
    }

    /// What a line would add to its sleeve's figures.
    pub(crate) fn burden_of(
        &self,
        instrument: usize,
        leg: usize,
        line: &Line,
        mark: i64,
    ) -> Result<Burden> {
        let worst = line.worst(self.legs, leg);
        let mut burden = Burden {
            worst: self.value_of(instrument, worst, mark)?,
            margin: 0,
        };
        if self.on_margin(instrument) {
            let amount = mul(worst, i128::from(mark).abs(), "a margin")?;
            let amount = mul(amount, self.unit[instrument], "a margin")?;
            burden.margin = mul(amount, i128::from(self.margin_rate[instrument]), "a margin")?;
        }
        Ok(burden)
    }

    /// Bring what a line adds to its sleeve's figures up to date.
    fn weigh(&mut self, sleeve: usize, instrument: usize, leg: usize, mark: i64) -> Result<()> {
        let place = self.place(sleeve, instrument, leg);
        let new = self.burden_of(instrument, leg, &self.lines[place], mark)?;
        let old = std::mem::replace(&mut self.burdens[place], new);
        let gross = &mut self.sleeve_gross[sleeve];
        *gross = add(*gross, new.worst - old.worst, "a sleeve's exposure")?;
        let margin = &mut self.margin[sleeve * self.currencies + self.currency_of[instrument]];
        *margin = add(*margin, new.margin - old.margin, "a sleeve's margin")?;
        Ok(())
    }

    /// Bring the worst case of an instrument, and the sums over it, up to date.
    #[inline]
    fn refresh(&mut self, instrument: usize, mark: i64) -> Result<()> {
        let old = self.rows[instrument];
        let new = self.row_of(instrument, old.high, old.low, mark)?;
        self.sums = self.sums.replace(&old, &new)?;
        let change = sub(new.worst(), old.worst(), "an exposure")?;
        let sector = &mut self.by_sector[self.sector_of[instrument]];
        *sector = add(*sector, change, "a sector's exposure")?;
        self.rows[instrument] = new;
        Ok(())
    }
}

fn rates_of(config: &Config) -> Vec<Option<(usize, bool)>> {
    let mut found = vec![None; config.instruments.len()];
    for (index, currency) in config.currencies.iter().enumerate() {
        if let RateSource::Pair {
            instrument,
            inverse,
        } = currency.source
        {
            found[instrument] = Some((index, inverse));
        }
    }
    found
}

/// Whether a limit needs the figures of single sleeves.
fn wants_sleeves(config: &Config) -> bool {
    config.limits.leverage_max.is_some()
        || config
            .sleeves
            .iter()
            .any(|s| s.limits.weight_max.is_some() || s.limits.gross_max.is_some())
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
