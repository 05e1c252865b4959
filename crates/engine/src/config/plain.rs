//! Parts of a set-up without any of their optional terms, for code that changes what it needs.

use super::{
    AccountModel, Config, Currency, Instrument, InstrumentKind, RateSource, Settlement, Sleeve,
    Venue,
};
use crate::engine::SEMANTICS_SUPPORTED;
use crate::limits::{Limits, SleeveLimits};
use crate::market::DataKind;
use crate::models::{FeeModel, LatencyModel, SlippageModel};
use crate::numbers::RATE_ONE;

impl Config {
    /// A cash account in dollars at one venue that is free of costs, with a price band of a
    /// quarter and no other limits.
    #[must_use]
    pub fn new(fund: &str, instruments: Vec<Instrument>, sleeves: Vec<Sleeve>) -> Self {
        Self {
            semantics: SEMANTICS_SUPPORTED,
            fund: fund.to_owned(),
            epoch: 1,
            seed: 0,
            currencies: vec![Currency::new("USD", 2)],
            account: AccountModel::default(),
            instruments,
            sleeves,
            venues: vec![Venue::new("sim")],
            limits: Limits::default(),
        }
    }
}

impl Currency {
    /// A currency whose rate inputs say, without interest.
    #[must_use]
    pub fn new(code: &str, precision: u8) -> Self {
        Self {
            code: code.to_owned(),
            precision,
            source: RateSource::Input,
            credit_rate: 0,
            debit_rate: 0,
        }
    }
}

impl Instrument {
    /// A share on bars in the fund's currency, in hundredths and whole units, paid in full.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            currency: 0,
            kind: InstrumentKind::Equity,
            settlement: Settlement::Asset,
            matching: DataKind::Bars,
            venue: 0,
            price_precision: 2,
            quantity_precision: 0,
            tick_size: 1,
            lot_size: 1,
            multiplier: 1,
            sector: String::new(),
            effective_from: None,
            effective_to: None,
            close_only: false,
            has_auctions: false,
            negative_prices: false,
            margin_initial: RATE_ONE,
            margin_maintenance: RATE_ONE,
            shortable: 0,
            borrow_rate: 0,
            settlement_days: 0,
            expiry: None,
            average_volume: None,
            volatility: None,
        }
    }
}

impl Sleeve {
    /// A sleeve with money in the fund's currency and no limits of its own.
    #[must_use]
    pub fn new(id: &str, cash: i128) -> Self {
        Self {
            id: id.to_owned(),
            cash,
            balances: Vec::new(),
            limits: SleeveLimits::default(),
        }
    }
}

impl Venue {
    /// A venue without costs, latency or caps.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            fee: FeeModel::flat(0),
            slippage: SlippageModel::default(),
            limit_fill_on_touch: false,
            participation_max: None,
            on_close_cutoff_ns: 0,
            impact: None,
            latency: LatencyModel::default(),
            remote: false,
        }
    }
}
