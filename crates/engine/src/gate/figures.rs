//! Figures from statistics: what they are now, and the checks that need them.

use serde::{Deserialize, Serialize};

use super::measure::Walk;
use super::{Ask, NEXT, Step, pass};
use crate::engine::Engine;
use crate::numbers::RATE_ONE;
use crate::order::Side;
use crate::output::{Figure, Rule};
use crate::risk::{RiskFigure, RiskKind};

/// A figure until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    value: i64,
    expires_at: i64,
}

/// The newest figures of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Per instrument: volatility, average volume, correlation.
    of_instruments: Vec<[Option<Known>; 3]>,
    /// Volatility of the fund, regime.
    of_fund: [Option<Known>; 2],
}

impl Figures {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            of_instruments: vec![[None; 3]; instruments],
            of_fund: [None; 2],
        }
    }

    pub(super) fn fits(&self, instruments: usize) -> bool {
        self.of_instruments.len() == instruments
    }

    fn place(&self, kind: RiskKind, instrument: Option<usize>) -> Option<&Option<Known>> {
        let column = match kind {
            RiskKind::Volatility => 0,
            RiskKind::AverageVolume => 1,
            RiskKind::Correlation => 2,
            RiskKind::FundVolatility => return self.of_fund.first(),
            RiskKind::Regime => return self.of_fund.last(),
        };
        self.of_instruments.get(instrument?)?.get(column)
    }

    /// A figure that has not expired.
    pub(crate) fn get(&self, kind: RiskKind, instrument: Option<usize>, ts: i64) -> Option<i64> {
        self.place(kind, instrument)?
            .filter(|known| ts < known.expires_at)
            .map(|known| known.value)
    }

    /// The newest figure, expired or not.
    pub(crate) fn newest(&self, kind: RiskKind, instrument: usize) -> Option<i64> {
        self.place(kind, Some(instrument))?.map(|known| known.value)
    }

    /// An action has changed what a unit is.
    pub(crate) fn rescale(&mut self, instrument: usize, scale: impl Fn(i64) -> i64) {
        if let Some(volume) = &mut self.of_instruments[instrument][1] {
            volume.value = scale(volume.value);
        }
    }

    fn set(&mut self, figure: &RiskFigure) {
        let known = Some(Known {
            value: figure.value,
            expires_at: figure.expires_at,
        });
        let column = match figure.kind {
            RiskKind::Volatility => 0,
            RiskKind::AverageVolume => 1,
            RiskKind::Correlation => 2,
            RiskKind::FundVolatility => {
                self.of_fund[0] = known;
                return;
            }
            RiskKind::Regime => {
                self.of_fund[1] = known;
                return;
            }
        };
        if let Some(instrument) = figure.instrument {
            self.of_instruments[instrument][column] = known;
        }
    }
}

impl RiskKind {
    pub(crate) fn is_of_fund(self) -> bool {
        matches!(self, Self::FundVolatility | Self::Regime)
    }

    pub(crate) fn allows(self, value: i64) -> bool {
        match self {
            Self::Volatility | Self::AverageVolume | Self::FundVolatility => value >= 0,
            Self::Correlation => (-RATE_ONE..=RATE_ONE).contains(&value),
            Self::Regime => (0..64).contains(&value),
        }
    }
}

impl Engine {
    pub(crate) fn receive_figure(&mut self, figure: &RiskFigure) {
        self.guard.figures.set(figure);
    }

    /// Volatility and correlation.
    pub(super) fn figure_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let limits = &self.config.limits;
        let instrument = Some(ask.request.instrument);
        let figures = &self.guard.figures;
        let sign = match ask.request.side {
            Side::Buy => 1,
            Side::Sell => -1,
        };
        let checks = [
            (
                Rule::Volatility,
                limits.volatility_max,
                RiskKind::FundVolatility,
                None,
                1,
            ),
            (
                Rule::Volatility,
                limits.instrument_volatility_max,
                RiskKind::Volatility,
                instrument,
                1,
            ),
            (
                Rule::Correlation,
                limits.correlation_max,
                RiskKind::Correlation,
                instrument,
                sign,
            ),
        ];
        for (rule, limit, kind, of, sign) in checks {
            let Some(limit) = limit else { continue };
            let found = figures.get(kind, of, ask.ts).map(|value| sign * value);
            if found.is_none_or(|value| value > limit) {
                let figure = found.map_or(Figure::None, Figure::Rate);
                pass!(Ok(walk.holds(ask, rule, true, figure, Figure::Rate(limit))));
            }
        }
        Ok(NEXT)
    }
}
