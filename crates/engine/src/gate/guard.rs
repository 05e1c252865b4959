//! What the gate remembers: states, counts, figures from statistics. Part of the engine's state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::breakers::Reference;
use super::counts::Times;
use super::figures::Figures;
use super::scenarios::Column;
use crate::config::Config;
use crate::input::OrderRequest;
use crate::order::Side;
use crate::risk::{Cause, FundState, SleeveState};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Guard {
    /// What holds now, each cause with the state that it asks for.
    pub(super) causes: BTreeMap<Cause, FundState>,
    pub(super) fund: FundState,
    pub(super) sleeves: Vec<SleeveWatch>,
    /// Highest equity, and equity when the day began.
    pub(super) peak: i128,
    pub(super) open: i128,
    /// Orders that were let through.
    pub(super) orders: Times,
    /// All that asked, and those that were refused, for the breakers.
    pub(super) asked: Times,
    pub(super) refused: Times,
    /// Per instrument.
    pub(super) references: Vec<Option<Reference>>,
    /// The newest order of each line and side.
    pub(super) newest: BTreeMap<(usize, Side), (i64, OrderRequest)>,
    pub(crate) figures: Figures,
    /// Per instrument.
    pub(super) columns: Vec<Option<Column>>,
    /// Breakers that have tripped in the input at hand; none between two inputs.
    #[serde(skip)]
    pub(super) tripped: Vec<super::breakers::Trip>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SleeveWatch {
    pub(super) state: SleeveState,
    pub(super) peak: i128,
    pub(super) orders: Times,
}

impl Guard {
    /// For an engine whose sleeves have so much equity.
    pub(crate) fn new(config: &Config, equities: &[i128]) -> Self {
        let equity = equities.iter().sum();
        let instruments = config.instruments.len();
        Self {
            causes: BTreeMap::new(),
            fund: FundState::Active,
            sleeves: equities
                .iter()
                .map(|equity| SleeveWatch {
                    state: SleeveState::On,
                    peak: *equity,
                    orders: Times::default(),
                })
                .collect(),
            peak: equity,
            open: equity,
            orders: Times::default(),
            asked: Times::default(),
            refused: Times::default(),
            references: vec![None; instruments],
            newest: BTreeMap::new(),
            figures: Figures::new(instruments),
            columns: vec![None; instruments],
            tripped: Vec::new(),
        }
    }

    pub(crate) fn fits(&self, config: &Config) -> bool {
        let instruments = config.instruments.len();
        let scenarios = config.limits.value_at_risk.map_or(0, |v| v.scenarios);
        let lines = config.sleeves.len() * instruments * config.account.legs();
        self.sleeves.len() == config.sleeves.len()
            && self.references.len() == instruments
            && self.figures.fits(instruments)
            && self.columns.len() == instruments
            && self
                .columns
                .iter()
                .flatten()
                .all(|column| column.returns.len() == scenarios as usize)
            && self.newest.keys().all(|(line, _)| *line < lines)
            && self.fund == self.strictest()
    }

    /// Whether all positions are to be closed.
    pub(crate) fn is_flattening(&self) -> bool {
        self.causes.contains_key(&Cause::Flatten)
    }

    pub(crate) fn fund_state(&self) -> FundState {
        self.fund
    }

    pub(crate) fn sleeve_state(&self, sleeve: usize) -> SleeveState {
        self.sleeves[sleeve].state
    }

    pub(super) fn strictest(&self) -> FundState {
        self.causes
            .values()
            .copied()
            .max()
            .unwrap_or(FundState::Active)
    }
}
