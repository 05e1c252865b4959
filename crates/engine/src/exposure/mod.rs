//! Sums that the gate reads at every order, kept up to date instead of computed anew.
//!
//! Nothing here is state: it all follows from the ledger, the marks, the rates and the working
//! orders, and is built from them when a snapshot is restored.

mod changes;
mod facts;
mod in_flight;
mod line;
mod reading;
mod resting;

use facts::Facts;
use resting::Resting;

pub(crate) use in_flight::Filled;
pub(crate) use line::{Burden, Line, Row, Sums};

use crate::config::{AccountKind, Config, RateSource, Settlement};
use crate::ledger::Ledger;
use crate::models::fees::Fees;
use crate::numbers::{Result, add, convert, sub};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    sleeves: usize,
    currencies: usize,
    pub(crate) legs: usize,
    /// Whether figures of sleeves are kept: margin, or limits that ask for them.
    by_sleeve: bool,
    /// Whether the account is one on margin.
    on_margin: bool,
    /// Per instrument.
    facts: Vec<Facts>,
    /// Prices of currencies; None where not known yet.
    pub(crate) rates: Vec<Option<i128>>,
    /// Per sleeve, instrument and leg, in this order.
    holdings: Vec<Holding>,
    /// Per instrument.
    tallies: Vec<Tally>,
    sums: Sums,
    by_sector: Vec<i128>,
    /// Per sleeve: the worst cases of its lines.
    sleeve_gross: Vec<i128>,
    /// Per sleeve and currency.
    tills: Vec<Till>,
    /// Per currency: what exchanges in flight may bring and take, over all sleeves.
    flows: Vec<(i128, i128)>,
    /// Per instrument, where the gate asks for them.
    resting: Vec<Resting>,
    /// Whether an exchange instrument moves the currency.
    pub(crate) is_exchanged: Vec<bool>,
    /// Per instrument: the currency whose rate follows its mark, and whether it is the inverse.
    pub(crate) rate_of: Vec<Option<(usize, bool)>>,
}

/// A line and what it adds to the figures of its sleeve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Holding {
    line: Line,
    burden: Burden,
}

/// What follows from all lines of an instrument.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    row: Row,
    /// The worst case of the row.
    worst: i128,
    /// What may come to be short.
    short: i128,
    /// How many lines are not empty.
    active: u32,
}

/// Sums of a sleeve in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Till {
    /// The margin of the lines, in `10^-21`.
    margin: i128,
    /// What orders in flight hold against it.
    holds: i128,
    /// Cash reserved by buys.
    reserved: i128,
    /// Sold in flight as the base of an exchange.
    sold: i128,
    /// Proceeds expected of sales.
    expected: i128,
    /// What positions are worth beyond cash.
    value: i128,
}

impl Exposure {
    pub(crate) fn new(config: &Config) -> Self {
        let instruments = config.instruments.len();
        let (sleeves, currencies) = (config.sleeves.len(), config.currencies.len());
        let legs = config.account.legs();
        let listed = config.instruments.iter();
        let mut sectors: Vec<&str> = listed.map(|i| i.sector.as_str()).collect();
        sectors.sort_unstable();
        sectors.dedup();
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
            facts: (0..instruments)
                .map(|i| Facts::new(config, i, &sectors))
                .collect(),
            rates,
            holdings: vec![Holding::default(); instruments * sleeves * legs],
            tallies: vec![Tally::default(); instruments],
            sums: Sums::default(),
            by_sector: vec![0; sectors.len()],
            sleeve_gross: vec![0; sleeves],
            tills: vec![Till::default(); sleeves * currencies],
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
    #[inline(always)]
    pub(crate) fn notional(&self, instrument: usize, quantity: i64, price: i64) -> Result<i128> {
        self.facts[instrument].notional(quantity, price)
    }

    /// Money of a currency in the fund's. Without a rate it counts for nothing: the gate takes
    /// no new risk then.
    #[inline(always)]
    pub(crate) fn in_fund_currency(&self, currency: usize, amount: i128) -> Result<i128> {
        if currency == 0 {
            return Ok(amount);
        }
        convert(amount, self.rates[currency].unwrap_or(0))
    }

    #[inline(always)]
    fn place(&self, sleeve: usize, instrument: usize, leg: usize) -> usize {
        (sleeve * self.tallies.len() + instrument) * self.legs + leg
    }

    #[inline(always)]
    pub(crate) fn line(&self, sleeve: usize, instrument: usize, leg: usize) -> Line {
        self.holdings[self.place(sleeve, instrument, leg)].line
    }

    /// What positions of a sleeve are worth beyond its cash, in the fund's currency.
    pub(crate) fn sleeve_value(&self, sleeve: usize) -> Result<i128> {
        let mut sum = 0;
        for currency in 0..self.currencies {
            let value = self.tills[sleeve * self.currencies + currency].value;
            let value = self.in_fund_currency(currency, value)?;
            sum = add(sum, value, "the value of positions")?;
        }
        Ok(sum)
    }

    /// In the fund's currency; each currency is converted as a whole.
    #[inline(always)]
    pub(crate) fn sleeve_equity(&self, ledger: &Ledger, sleeve: usize) -> Result<i128> {
        if self.currencies == 1 {
            let value = self.tills[sleeve].value;
            return add(ledger.cash(sleeve, 0), value, "the equity of a sleeve");
        }
        self.equity_less(ledger, sleeve, 0, 0)
    }

    /// The same with an amount of a currency taken off.
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
            let value = self.tills[sleeve * self.currencies + currency].value;
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
