//! Actions that cannot be: `docs/engine/actions.md`.

use super::conversion::Exchanged;
use crate::action::Action;
use crate::config::Settlement;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::{MONEY_DIGITS, RATE_ONE, Result};

type Problem = Option<&'static str>;

impl Engine {
    /// Refuse an action that cannot be.
    pub(crate) fn check_action(&self, action: &Action) -> Result<()> {
        let instrument = action.instrument();
        Self::check_index("instrument", instrument, self.config.instruments.len())?;
        match self.action_problem(action)? {
            None => Ok(()),
            Some(problem) => Err(EngineError::InvalidAction {
                action: action.name(),
                instrument: self.config.instruments[instrument].id.clone(),
                problem,
            }),
        }
    }

    /// Refuse the end of what has ended, or at a price that cannot be.
    pub(crate) fn check_end(&self, instrument: usize, price: Option<i64>) -> Result<()> {
        Self::check_index("instrument", instrument, self.instruments.len())?;
        let listed = &self.config.instruments[instrument];
        if self.instruments[instrument].ended {
            return Err(EngineError::EndedTwice {
                instrument: listed.id.clone(),
            });
        }
        if price.is_some_and(|p| p < 0) && !listed.negative_prices {
            return Err(EngineError::InvalidAction {
                action: "instrument_ended",
                instrument: listed.id.clone(),
                problem: "its price must not be negative",
            });
        }
        Ok(())
    }

    /// Why an action cannot be what it says.
    fn action_problem(&self, action: &Action) -> Result<Problem> {
        let instrument = action.instrument();
        if self.instruments[instrument].ended {
            return Ok(Some("the instrument has ended"));
        }
        let settlement = self.config.instruments[instrument].settlement;
        let fits = match action {
            Action::Delisting { .. } => true,
            Action::Precision { .. } => !matches!(settlement, Settlement::Exchange { .. }),
            _ => settlement == Settlement::Asset,
        };
        if !fits {
            return Ok(Some("its kind of instrument has none"));
        }
        if let Some(problem) = ratio_problem(action) {
            return Ok(Some(problem));
        }
        match action {
            Action::CashDividend { amount, .. } => self.dividend_problem(instrument, *amount),
            Action::Precision { .. } => Ok(precision_problem(action)),
            Action::SymbolChange { symbol, .. } if symbol.is_empty() => {
                Ok(Some("its symbol must not be empty"))
            }
            Action::MergerCash { price, .. } => Ok(price_problem(Some(*price))),
            Action::Delisting { price, .. } => Ok(price_problem(*price)),
            Action::MergerStock {
                into,
                cash,
                into_price,
                ..
            } => {
                if *cash < 0 {
                    return Ok(Some("its cash must not be negative"));
                }
                self.successor_problem(instrument, *into, *into_price)
            }
            Action::SpinOff {
                into,
                cost_share,
                into_price,
                ..
            } => {
                if !(0..=RATE_ONE).contains(cost_share) {
                    return Ok(Some("its share of the cost must be in [0, 1]"));
                }
                match self.successor_problem(instrument, *into, *into_price)? {
                    None => self.spin_off_problem(&Exchanged::of(action), *into_price),
                    problem => Ok(problem),
                }
            }
            Action::Split { .. } | Action::StockDividend { .. } | Action::SymbolChange { .. } => {
                Ok(None)
            }
        }
    }

    fn successor_problem(
        &self,
        instrument: usize,
        into: usize,
        price: Option<i64>,
    ) -> Result<Problem> {
        Self::check_index("into", into, self.config.instruments.len())?;
        let instruments = &self.config.instruments;
        let (old, new) = (&instruments[instrument], &instruments[into]);
        Ok(if into == instrument || self.instruments[into].ended {
            Some("what it becomes must be another instrument that has not ended")
        } else if new.settlement != Settlement::Asset || new.currency != old.currency {
            Some("what it becomes must be an asset in the same currency")
        } else if self.mark(into).or(price).is_none() {
            Some("what it becomes has no mark; give its price")
        } else {
            price_problem(price)
        })
    }
}

fn ratio_problem(action: &Action) -> Problem {
    let (Action::Split {
        numerator,
        denominator,
        ..
    }
    | Action::StockDividend {
        numerator,
        denominator,
        ..
    }
    | Action::MergerStock {
        numerator,
        denominator,
        ..
    }
    | Action::SpinOff {
        numerator,
        denominator,
        ..
    }) = action
    else {
        return None;
    };
    let fits = *numerator > 0 && *denominator > 0 && numerator.checked_add(*denominator).is_some();
    (!fits).then_some("its ratio must be of positive numbers")
}

fn price_problem(price: Option<i64>) -> Problem {
    price
        .is_some_and(|price| price <= 0)
        .then_some("its price must be positive")
}

fn precision_problem(action: &Action) -> Problem {
    let Action::Precision {
        price_precision,
        quantity_precision,
        tick_size,
        lot_size,
        ..
    } = action
    else {
        return None;
    };
    let sound = *price_precision <= 9
        && *quantity_precision <= 9
        && price_precision + quantity_precision <= MONEY_DIGITS
        && *tick_size > 0
        && *lot_size > 0;
    (!sound).then_some("its precisions and steps must be those of an instrument")
}
