//! What companies and exchanges do to instruments: `docs/engine/actions.md`.

mod conversion;
mod dividend;
mod ending;
mod orders;
mod rescale;

use crate::action::Action;
use crate::config::Settlement;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::{MONEY_DIGITS, Result};
use crate::output::Output;
use conversion::Exchanged;
use rescale::Ratio;

impl Engine {
    pub(crate) fn apply_action(
        &mut self,
        ts: i64,
        action: &Action,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let instrument = action.instrument();
        Self::check_index("instrument", instrument, self.config.instruments.len())?;
        if let Some(problem) = self.action_problem(action)? {
            return Err(EngineError::InvalidAction {
                action: action.name(),
                instrument: self.config.instruments[instrument].id.clone(),
                problem,
            });
        }
        match action {
            Action::Split {
                numerator,
                denominator,
                ..
            } => self.split(ts, instrument, *numerator, *denominator, out)?,
            Action::StockDividend {
                numerator,
                denominator,
                ..
            } => self.split(ts, instrument, numerator + denominator, *denominator, out)?,
            Action::Precision {
                price_precision,
                quantity_precision,
                tick_size,
                lot_size,
                ..
            } => {
                let digits = (*price_precision, *quantity_precision);
                let steps = (*tick_size, *lot_size);
                self.change_precision(ts, instrument, digits, steps, out)?;
            }
            Action::CashDividend { amount, .. } => {
                self.pay_dividend(ts, instrument, *amount, out)?;
            }
            Action::SymbolChange { symbol, .. } => {
                self.instruments[instrument].symbol = Some(symbol.clone());
                out.push(Output::SymbolChanged {
                    ts,
                    instrument,
                    symbol: symbol.clone(),
                });
            }
            Action::MergerCash { price, .. } => self.wind_up(ts, instrument, *price, out)?,
            Action::Delisting { price, .. } => {
                self.wind_up(ts, instrument, price.unwrap_or(0), out)?;
            }
            Action::MergerStock { into_price, .. } | Action::SpinOff { into_price, .. } => {
                let exchanged = Exchanged::of(action);
                self.mark_if_new(ts, exchanged.into, *into_price)?;
                if matches!(action, Action::MergerStock { .. }) {
                    self.merge(ts, &exchanged, out)?;
                } else {
                    self.spin_off(ts, &exchanged, out)?;
                }
            }
        }
        out.push(Output::ActionApplied {
            ts,
            instrument,
            action: action.name().to_owned(),
        });
        Ok(())
    }

    /// Why an action cannot be what it says.
    fn action_problem(&self, action: &Action) -> Result<Option<&'static str>> {
        let instrument = action.instrument();
        let listed = &self.config.instruments[instrument];
        if self.instruments[instrument].ended {
            return Ok(Some("the instrument has ended"));
        }
        let fits = match action {
            Action::Delisting { .. } => true,
            Action::Precision { .. } | Action::SymbolChange { .. } => {
                !matches!(listed.settlement, Settlement::Exchange { .. })
                    || matches!(action, Action::SymbolChange { .. })
            }
            _ => listed.settlement == Settlement::Asset,
        };
        if !fits {
            return Ok(Some("its kind of instrument has none"));
        }
        let ratio = |a: i64, b: i64| {
            (a <= 0 || b <= 0 || a.checked_add(b).is_none())
                .then_some("its ratio must be of positive numbers")
        };
        let price = |price: Option<i64>| {
            price
                .is_some_and(|p| p < 0 && !listed.negative_prices)
                .then_some("its price must not be negative")
        };
        Ok(match action {
            Action::Split {
                numerator,
                denominator,
                ..
            }
            | Action::StockDividend {
                numerator,
                denominator,
                ..
            } => ratio(*numerator, *denominator),
            Action::CashDividend { amount, .. } => self.dividend_problem(instrument, *amount)?,
            Action::SymbolChange { symbol, .. } => {
                symbol.is_empty().then_some("its symbol must not be empty")
            }
            Action::MergerCash { price: paid, .. } => price(Some(*paid)),
            Action::Delisting { price: paid, .. } => price(*paid),
            Action::Precision {
                price_precision,
                quantity_precision,
                tick_size,
                lot_size,
                ..
            } => {
                let sound = *price_precision <= 9
                    && *quantity_precision <= 9
                    && price_precision + quantity_precision <= MONEY_DIGITS
                    && *tick_size > 0
                    && *lot_size > 0;
                (!sound).then_some("its precisions and steps must be those of an instrument")
            }
            Action::MergerStock {
                into,
                numerator,
                denominator,
                cash,
                into_price,
                ..
            } => {
                if *cash < 0 {
                    return Ok(Some("its cash must not be negative"));
                }
                ratio(*numerator, *denominator).or(self.successor_problem(
                    instrument,
                    *into,
                    *into_price,
                )?)
            }
            Action::SpinOff {
                into,
                numerator,
                denominator,
                cost_share,
                into_price,
                ..
            } => {
                if !(0..=crate::numbers::RATE_ONE).contains(cost_share) {
                    return Ok(Some("its share of the cost must be in [0, 1]"));
                }
                match ratio(*numerator, *denominator).or(self.successor_problem(
                    instrument,
                    *into,
                    *into_price,
                )?) {
                    None => self.spin_off_problem(&Exchanged::of(action), *into_price)?,
                    problem => problem,
                }
            }
        })
    }

    fn successor_problem(
        &self,
        instrument: usize,
        into: usize,
        price: Option<i64>,
    ) -> Result<Option<&'static str>> {
        Self::check_index("into", into, self.config.instruments.len())?;
        let (old, new) = (
            &self.config.instruments[instrument],
            &self.config.instruments[into],
        );
        Ok(if into == instrument || self.instruments[into].ended {
            Some("what it becomes must be another instrument that has not ended")
        } else if new.settlement != Settlement::Asset || new.currency != old.currency {
            Some("what it becomes must be an asset in the same currency")
        } else if price.is_some_and(|p| p <= 0) {
            Some("its price must be positive")
        } else if self.mark(into).or(price).is_none() {
            Some("what it becomes has no mark; give its price")
        } else {
            None
        })
    }

    fn mark_if_new(&mut self, ts: i64, instrument: usize, price: Option<i64>) -> Result<()> {
        match (self.mark(instrument), price) {
            (None, Some(price)) => self.change_mark(ts, instrument, price),
            _ => Ok(()),
        }
    }

    fn split(
        &mut self,
        ts: i64,
        instrument: usize,
        numerator: i64,
        denominator: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let quantities = Ratio::of(numerator, denominator);
        self.rescale(ts, instrument, quantities, quantities.inverse(), out)
    }

    fn change_precision(
        &mut self,
        ts: i64,
        instrument: usize,
        (price_precision, quantity_precision): (u8, u8),
        (tick_size, lot_size): (i64, i64),
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let listed = &mut self.config.instruments[instrument];
        let quantities = Ratio::of_digits(listed.quantity_precision, quantity_precision);
        let prices = Ratio::of_digits(listed.price_precision, price_precision);
        (listed.price_precision, listed.quantity_precision) = (price_precision, quantity_precision);
        (listed.tick_size, listed.lot_size) = (tick_size, lot_size);
        self.rescale(ts, instrument, quantities, prices, out)
    }
}
