//! Corporate actions, as inputs.

use serde::{Deserialize, Serialize};

use crate::order::kinds;

/// What a company, an exchange or an issuer does to an instrument. Quantities are ratios of whole
/// numbers; prices are in price units of the instrument named first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `numerator` new for `denominator` old units; a reverse split has the smaller numerator.
    Split {
        instrument: usize,
        numerator: i64,
        denominator: i64,
    },
    /// Money for each whole unit, in `10^-12` of the instrument's currency.
    CashDividend {
        instrument: usize,
        amount: i128,
    },
    /// `numerator` free units for `denominator` held.
    StockDividend {
        instrument: usize,
        numerator: i64,
        denominator: i64,
    },
    SymbolChange {
        instrument: usize,
        symbol: String,
    },
    MergerCash {
        instrument: usize,
        price: i64,
    },
    /// `numerator` units of `into` and `cash` (money) for `denominator` units.
    MergerStock {
        instrument: usize,
        into: usize,
        numerator: i64,
        denominator: i64,
        cash: i128,
        /// Mark of `into`, where it has none yet.
        #[serde(default)]
        into_price: Option<i64>,
    },
    /// `numerator` units of `into` for `denominator` held; `cost_share` (`10^-9`) of the cost goes with them.
    SpinOff {
        instrument: usize,
        into: usize,
        numerator: i64,
        denominator: i64,
        cost_share: i64,
        /// Mark of `into`, where it has none yet.
        #[serde(default)]
        into_price: Option<i64>,
    },
    /// At a price, or worthless without one.
    Delisting {
        instrument: usize,
        price: Option<i64>,
    },
    /// New precisions and steps; positions and orders keep their value.
    Precision {
        instrument: usize,
        price_precision: u8,
        quantity_precision: u8,
        tick_size: i64,
        lot_size: i64,
    },
}

kinds!(Action {
    Split = "split",
    CashDividend = "cash_dividend",
    StockDividend = "stock_dividend",
    SymbolChange = "symbol_change",
    MergerCash = "merger_cash",
    MergerStock = "merger_stock",
    SpinOff = "spin_off",
    Delisting = "delisting",
    Precision = "precision",
});

impl Action {
    #[must_use]
    pub fn instrument(&self) -> usize {
        match self {
            Self::Split { instrument, .. }
            | Self::CashDividend { instrument, .. }
            | Self::StockDividend { instrument, .. }
            | Self::SymbolChange { instrument, .. }
            | Self::MergerCash { instrument, .. }
            | Self::MergerStock { instrument, .. }
            | Self::SpinOff { instrument, .. }
            | Self::Delisting { instrument, .. }
            | Self::Precision { instrument, .. } => *instrument,
        }
    }
}
