//! What an engine is set up with: instruments, sleeves, the venue's models and the limits.

mod plain;

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::limits::{Limits, SleeveLimits};
use crate::market::DataKind;
use crate::models::slippage::Grid;
use crate::models::{FeeModel, ImpactModel, LatencyModel, SlippageModel};
use crate::numbers::{MONEY_DIGITS, RATE_ONE, Result, add};
use crate::order::{kinds, named};

/// Everything that fixes how an engine behaves; part of its state and of its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub semantics: u16,
    pub fund: String,
    pub epoch: u32,
    /// Of everything that is random, which only simulated latency is.
    #[serde(default)]
    pub seed: u64,
    /// The first is the fund's; amounts without another word are in it.
    pub currencies: Vec<Currency>,
    #[serde(default)]
    pub account: AccountModel,
    /// In ascending order of id.
    pub instruments: Vec<Instrument>,
    /// In ascending order of id.
    pub sleeves: Vec<Sleeve>,
    pub venues: Vec<Venue>,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    pub code: String,
    /// Digits of the minor unit: 2 for USD.
    pub precision: u8,
    #[serde(default)]
    pub source: RateSource,
    /// Interest a year on settled cash and on debt, in `10^-9`.
    #[serde(default)]
    pub credit_rate: i64,
    #[serde(default)]
    pub debit_rate: i64,
}

/// Where the price of a currency in the fund's comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateSource {
    /// Inputs say it; the fund's own currency needs none.
    #[default]
    Input,
    /// The mark of a pair: of the currency in the fund's, or the other way round.
    Pair { instrument: usize, inverse: bool },
}

kinds!(RateSource {
    Input = "input",
    Pair = "pair",
});

named!(AccountKind { Cash = "cash", Margin = "margin" });
named!(PositionMode { Netting = "netting", Hedging = "hedging" });

/// How the broker keeps our accounts. Every sleeve is an account of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountModel {
    pub kind: AccountKind,
    pub positions: PositionMode,
    /// Whether buys may use the proceeds of sales that have not settled yet.
    pub trade_on_unsettled: bool,
}

impl Default for AccountModel {
    fn default() -> Self {
        Self {
            kind: AccountKind::Cash,
            positions: PositionMode::Netting,
            trade_on_unsettled: true,
        }
    }
}

impl AccountModel {
    /// Positions that a sleeve may have in an instrument.
    #[must_use]
    pub fn legs(&self) -> usize {
        match self.positions {
            PositionMode::Netting => 1,
            PositionMode::Hedging => 2,
        }
    }
}

named!(InstrumentKind {
    Equity = "equity",
    Etf = "etf",
    /// A currency in another one.
    Pair = "pair",
    /// A coin that is held like a share.
    Spot = "spot",
    Perpetual = "perpetual",
    Future = "future",
});

/// What changes hands when an instrument trades.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The notional, for a position that is held at cost.
    #[default]
    Asset,
    /// Two currencies: the base, whose index this is, and the instrument's own.
    Exchange { base: usize },
    /// Nothing but gains and losses, when they are realised.
    Difference,
}

kinds!(Settlement {
    Asset = "asset",
    Exchange = "exchange",
    Difference = "difference",
});

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    pub id: String,
    /// Index of the currency of its prices.
    #[serde(default)]
    pub currency: usize,
    #[serde(default = "equity")]
    pub kind: InstrumentKind,
    #[serde(default)]
    pub settlement: Settlement,
    #[serde(default = "bars")]
    pub matching: DataKind,
    /// Index of the venue where it trades.
    #[serde(default)]
    pub venue: usize,
    pub price_precision: u8,
    pub quantity_precision: u8,
    /// In price units.
    pub tick_size: i64,
    /// In quantity units.
    pub lot_size: i64,
    pub multiplier: i64,
    pub sector: String,
    pub effective_from: Option<i64>,
    pub effective_to: Option<i64>,
    pub close_only: bool,
    /// Whether auctions are among its data, which on-open and on-close orders of event
    /// instruments need.
    #[serde(default)]
    pub has_auctions: bool,
    #[serde(default)]
    pub negative_prices: bool,
    /// Of the value of a position, in `10^-9`; for margin accounts.
    #[serde(default = "whole")]
    pub margin_initial: i64,
    #[serde(default = "whole")]
    pub margin_maintenance: i64,
    /// What may be sold short, in quantity units; 0 for nothing.
    #[serde(default)]
    pub shortable: i64,
    /// Fee a year on the value of a short position, in `10^-9`.
    #[serde(default)]
    pub borrow_rate: i64,
    /// Trading days until the proceeds of a sale are settled.
    #[serde(default)]
    pub settlement_days: u8,
    /// When a future ends, UTC nanoseconds.
    #[serde(default)]
    pub expiry: Option<i64>,
    /// In quantity units, a day; for impact, where no figure says it.
    #[serde(default)]
    pub average_volume: Option<i64>,
    /// Standard deviation of returns a day, in `10^-9`; for impact where no figure says it.
    #[serde(default)]
    pub volatility: Option<i64>,
}

fn equity() -> InstrumentKind {
    InstrumentKind::Equity
}

fn bars() -> DataKind {
    DataKind::Bars
}

fn whole() -> i64 {
    RATE_ONE
}

/// A strategy's share of the fund, kept in a sub-ledger of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sleeve {
    pub id: String,
    /// Money it starts with.
    pub cash: i128,
    /// Money in other currencies that it starts with: index and amount.
    #[serde(default)]
    pub balances: Vec<(usize, i128)>,
    #[serde(default)]
    pub limits: SleeveLimits,
}

/// A venue: a simulated one with one object per assumption, or one that reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    pub id: String,
    pub fee: FeeModel,
    pub slippage: SlippageModel,
    /// Whether the market must trade through a resting limit order, or only touch it.
    pub limit_fill_on_touch: bool,
    /// Cap on our part of the market's volume; needs data with volumes.
    pub participation_max: Option<i64>,
    pub on_close_cutoff_ns: i64,
    /// Needs the volatility and the average volume of its instruments.
    #[serde(default)]
    pub impact: Option<ImpactModel>,
    #[serde(default)]
    pub latency: LatencyModel,
    /// Whether orders leave for a venue outside, whose reports say what becomes of them. Of the
    /// models it has only `fee`, for what orders may cost.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remote: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

impl Currency {
    /// Money of the smallest coin.
    #[must_use]
    pub fn minor_unit(&self) -> i128 {
        10_i128.pow(u32::from(MONEY_DIGITS - self.precision))
    }
}

impl Instrument {
    /// Money of one quantity unit at one price unit.
    #[must_use]
    pub fn unit(&self) -> i128 {
        let digits = MONEY_DIGITS - self.price_precision - self.quantity_precision;
        i128::from(self.multiplier) * 10_i128.pow(u32::from(digits))
    }

    /// What prices of it look like.
    pub(crate) fn grid(&self) -> Grid {
        Grid {
            tick_size: self.tick_size,
            negative_prices: self.negative_prices,
        }
    }

    /// Money of one quantity unit of the base currency.
    #[must_use]
    pub fn base_unit(&self) -> i128 {
        10_i128.pow(u32::from(MONEY_DIGITS - self.quantity_precision))
    }

    fn validate(&self, config: &Config) -> Result<()> {
        let problem = if self.price_precision > 9 || self.quantity_precision > 9 {
            "has a precision above 9"
        } else if self.price_precision + self.quantity_precision > MONEY_DIGITS {
            "needs more than 12 digits for a notional"
        } else if self.tick_size <= 0 || self.lot_size <= 0 || self.multiplier <= 0 {
            "must have a positive tick size, lot size and multiplier"
        } else if self.currency >= config.currencies.len() {
            "is in a currency that the fund does not have"
        } else if self.venue >= config.venues.len() {
            "is at a venue that the fund does not have"
        } else if matches!((self.effective_from, self.effective_to), (Some(a), Some(b)) if a >= b) {
            "must take effect before it ends"
        } else {
            return Ok(());
        };
        Err(EngineError::Config(format!(
            "instrument {} {problem}",
            self.id
        )))
    }
}

impl Config {
    /// Money of a currency's smallest coin.
    #[must_use]
    pub fn minor_unit(&self, currency: usize) -> i128 {
        self.currencies[currency].minor_unit()
    }

    /// The venue where an instrument trades.
    #[must_use]
    pub fn venue_of(&self, instrument: usize) -> &Venue {
        &self.venues[self.instruments[instrument].venue]
    }

    /// # Errors
    ///
    /// [`EngineError::Config`] saying what is wrong.
    pub fn validate(&self) -> Result<()> {
        let fail = |text: String| Err(EngineError::Config(text));
        if let Some(found) = self.currencies.iter().find(|c| c.precision > MONEY_DIGITS) {
            return fail(format!(
                "precision of currency {} must be at most {MONEY_DIGITS}; found {}",
                found.code, found.precision
            ));
        }
        if self.currencies.is_empty()
            || self.venues.is_empty()
            || self.instruments.is_empty()
            || self.sleeves.is_empty()
        {
            return fail(
                "needs at least one currency, venue, instrument and sleeve each".to_owned(),
            );
        }
        for pair in self.instruments.windows(2) {
            if pair[0].id >= pair[1].id {
                return fail(format!(
                    "instruments must be in ascending order of id; found {} after {}",
                    pair[1].id, pair[0].id
                ));
            }
        }
        for pair in self.sleeves.windows(2) {
            if pair[0].id >= pair[1].id {
                return fail(format!(
                    "sleeves must be in ascending order of id; found {} after {}",
                    pair[1].id, pair[0].id
                ));
            }
        }
        let mut cash = 0_i128;
        for sleeve in &self.sleeves {
            if sleeve.cash < 0 {
                return fail(format!("sleeve {} must not start with debt", sleeve.id));
            }
            cash = add(cash, sleeve.cash, "the starting cash")?;
            sleeve.limits.validate()?;
        }
        for instrument in &self.instruments {
            instrument.validate(self)?;
        }
        crate::accounts::validate(self)?;
        self.validate_impact()?;
        self.validate_rates()
    }

    /// Impact without a volatility and a volume would silently be none.
    fn validate_impact(&self) -> Result<()> {
        let lacks = |instrument: &&Instrument| {
            self.venues[instrument.venue].impact.is_some()
                && (instrument.volatility.is_none_or(|v| v <= 0)
                    || instrument.average_volume.is_none_or(|v| v <= 0))
        };
        match self.instruments.iter().find(lacks) {
            Some(instrument) => Err(EngineError::Config(format!(
                "instrument {} needs a positive `volatility` and `average_volume` for the impact of its venue",
                instrument.id
            ))),
            None => Ok(()),
        }
    }

    fn validate_rates(&self) -> Result<()> {
        for venue in &self.venues {
            let rates = [
                (
                    "participation_max",
                    venue
                        .participation_max
                        .is_none_or(|r| (1..=RATE_ONE).contains(&r)),
                ),
                ("on_close_cutoff_ns", venue.on_close_cutoff_ns >= 0),
            ];
            if let Some((name, _)) = rates.iter().find(|(_, ok)| !ok) {
                return Err(EngineError::Config(format!("{name} is out of range")));
            }
            if venue.remote && has_models(venue) {
                return Err(EngineError::Config(format!(
                    "venue {}: a remote venue has no slippage, impact, latency, participation cap or cut-off of ours",
                    venue.id
                )));
            }
            let problems = [
                venue.fee.problem(),
                venue.slippage.problem(),
                venue.impact.and_then(|impact| impact.problem()),
                venue.latency.problem(),
            ];
            if let Some(problem) = problems.into_iter().flatten().next() {
                return Err(EngineError::Config(format!(
                    "venue {}: {problem}",
                    venue.id
                )));
            }
        }
        self.limits.validate()
    }
}

fn has_models(venue: &Venue) -> bool {
    venue.slippage != SlippageModel::default()
        || venue.limit_fill_on_touch
        || venue.participation_max.is_some()
        || venue.on_close_cutoff_ns != 0
        || venue.impact.is_some()
        || !venue.latency.is_none()
}
