//! Value at risk over integer scenarios: `docs/engine/gate.md`, section 4.

use serde::{Deserialize, Serialize};

use super::measure::Walk;
use super::rows::{RowKey, Rows};
use super::{Ask, NEXT, Step, pass};
use crate::config::{Config, Settlement};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::exposure::Row;
use crate::limits::ValueAtRisk;
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, mul, sub};
use crate::output::{Figure, Rule};
use crate::risk::Scenarios;

/// Money and rows must stay below this, so that losses of all rows together fit.
const VALUE_MAX: i128 = 1 << 94;

/// Returns of an instrument, until they expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(super) returns: Vec<i32>,
    pub(super) expires_at: i64,
}

/// What all rows together lose at the worst in each scenario, in `10^-21`, kept between orders.
/// It follows from rows and columns and is no state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    of_scenario: Vec<i128>,
    /// Per row, first of instruments, then of currencies: the values that are counted.
    counted: Vec<(i128, i128)>,
    /// The instrument whose returns are those of a row.
    column_of: Vec<Option<usize>>,
    /// Value at risk of what is counted, once it has been asked for.
    value: Option<i128>,
    /// Losses with an order.
    trial: Vec<i128>,
}

impl Losses {
    pub(crate) fn new(config: &Config) -> Self {
        let Some(risk) = config.limits.value_at_risk else {
            return Self::default();
        };
        let of_currency = |currency: usize| {
            config.instruments.iter().position(|instrument| {
                instrument.currency == 0
                    && instrument.settlement == Settlement::Exchange { base: currency }
            })
        };
        let instruments = config.instruments.len();
        Self {
            of_scenario: vec![0; risk.scenarios as usize],
            counted: vec![(0, 0); instruments + config.currencies.len()],
            column_of: (0..instruments)
                .map(Some)
                .chain((0..config.currencies.len()).map(of_currency))
                .collect(),
            value: None,
            trial: vec![0; risk.scenarios as usize],
        }
    }

    /// Count a row anew.
    fn count(&mut self, place: usize, row: &Row, returns: &[i32]) {
        let (up, down) = self.counted[place];
        let (more, less) = (row.up - up, down - row.down);
        for (loss, &rate) in self.of_scenario.iter_mut().zip(returns) {
            *loss = loss.wrapping_add(change(rate, more, less));
        }
        self.counted[place] = (row.up, row.down);
        self.value = None;
    }

    fn value(&mut self, beyond: usize) -> i128 {
        if let Some(value) = self.value {
            return value;
        }
        self.trial.clone_from(&self.of_scenario);
        let value = value_at_risk(&mut self.trial, beyond);
        self.value = Some(value);
        value
    }
}

/// By how much a loss grows where the upper bound of a row rises by `more` and the lower falls
/// by `less`. The worst of a falling price is what may be held most, of a rising one what may be
/// held least.
#[inline]
fn change(rate: i32, more: i128, less: i128) -> i128 {
    let size = i128::from(rate.unsigned_abs());
    // The caller has made sure that it fits; a check a scenario would double the time.
    if rate < 0 {
        more.wrapping_mul(size)
    } else {
        less.wrapping_mul(size)
    }
}

/// The loss that no more than `beyond` exceed, as money.
fn value_at_risk(losses: &mut [i128], beyond: usize) -> i128 {
    let place = losses.len() - 1 - beyond;
    let (_, loss, _) = losses.select_nth_unstable(place);
    div_round(*loss, i128::from(RATE_ONE), Rounding::Up).max(0)
}

impl Engine {
    pub(crate) fn receive_scenarios(&mut self, scenarios: &Scenarios) -> Result<()> {
        let instrument = scenarios.instrument;
        Self::check_index("instrument", instrument, self.instruments.len())?;
        let wanted = self.config.limits.value_at_risk.map_or(0, |v| v.scenarios) as usize;
        if wanted != scenarios.returns.len() || wanted == 0 {
            return Err(EngineError::InvalidFigure {
                kind: "scenarios",
                problem: "must have as many returns as `limits.value_at_risk` says",
                found: i64::try_from(scenarios.returns.len()).unwrap_or(i64::MAX),
            });
        }
        let mut losses = std::mem::take(&mut self.losses);
        if let Some(column) = &self.guard.columns[instrument] {
            for place in 0..losses.column_of.len() {
                if losses.column_of[place] == Some(instrument) {
                    losses.count(place, &Row::default(), &column.returns);
                }
            }
        }
        self.losses = losses;
        self.guard.columns[instrument] = Some(Column {
            returns: scenarios.returns.clone(),
            expires_at: scenarios.expires_at,
        });
        Ok(())
    }

    /// Bring the losses up to the rows of now; false if one of them has no valid returns.
    fn count_losses(&mut self, ts: i64) -> Result<bool> {
        if self.all_sums()?.gross > VALUE_MAX {
            return Err(EngineError::Overflow {
                place: "the value at risk",
            });
        }
        let mut losses = std::mem::take(&mut self.losses);
        let known = self.count_into(ts, &mut losses);
        self.losses = losses;
        known
    }

    fn count_into(&self, ts: i64, losses: &mut Losses) -> Result<bool> {
        let instruments = self.instruments.len();
        for place in 0..losses.counted.len() {
            let row = match place.checked_sub(instruments) {
                None => *self.exposure.row(place),
                Some(currency) if currency > 0 && self.exposure.is_exchanged[currency] => {
                    self.currency_row(currency)?
                }
                Some(_) => continue,
            };
            let column = losses.column_of[place].and_then(|i| self.guard.columns[i].as_ref());
            let is_valid = column.is_some_and(|column| ts < column.expires_at);
            if !is_valid && !row.is_empty() {
                return Ok(false);
            }
            if losses.counted[place] != (row.up, row.down)
                && let Some(column) = column
            {
                losses.count(place, &row, &column.returns);
            }
        }
        Ok(true)
    }

    pub(super) fn scenario_checks(&mut self, ask: &Ask, walk: &mut Walk) -> Step {
        let Some(risk) = self.config.limits.value_at_risk else {
            return Ok(NEXT);
        };
        if ask.is_reducing() || (risk.max.is_none() && risk.step_max.is_none()) {
            return Ok(NEXT);
        }
        let rows = self.rows_of(ask)?;
        let is_known = self.count_losses(ask.ts)? && self.have_returns(ask.ts, &rows);
        let before = if is_known && risk.step_max.is_some() {
            self.losses.value(risk.beyond())
        } else {
            0
        };
        if let (Some(_), Some(cap)) = (risk.max, self.caps.value_at_risk) {
            let rule = Rule::ValueAtRisk;
            if !is_known {
                pass!(Ok(walk.holds(
                    ask,
                    rule,
                    true,
                    Figure::None,
                    Figure::Money(cap)
                )));
            } else if !self.loses_at_most(ask, &rows, ask.lots(), cap, &risk)? {
                let before = self.losses.value(risk.beyond());
                let figure = |lots: i64| {
                    let after = self.value_after(ask, &rows, lots, &risk)?;
                    Ok(if after > before { after } else { i128::MIN })
                };
                let found = figure(ask.lots())?;
                pass!(walk.within(ask, rule, true, (found, cap), figure));
            }
        }
        if let (Some(_), Some(cap)) = (risk.step_max, self.caps.step) {
            let rule = Rule::IncrementalValueAtRisk;
            if !is_known {
                pass!(Ok(walk.holds(
                    ask,
                    rule,
                    true,
                    Figure::None,
                    Figure::Money(cap)
                )));
            } else if !self.loses_at_most(ask, &rows, ask.lots(), before + cap, &risk)? {
                let figure = |lots: i64| {
                    let after = self.value_after(ask, &rows, lots, &risk)?;
                    sub(after, before, "the value at risk")
                };
                let found = figure(ask.lots())?;
                pass!(walk.within(ask, rule, true, (found, cap), figure));
            }
        }
        Ok(NEXT)
    }

    /// Whether the rows that an order touches have valid returns.
    fn have_returns(&self, ts: i64, rows: &Rows) -> bool {
        rows.iter().flatten().all(|touched| {
            self.column(self.loss_place(touched.key))
                .is_some_and(|column| ts < column.expires_at)
        })
    }

    fn loss_place(&self, key: RowKey) -> usize {
        match key {
            RowKey::Instrument(i) => i,
            RowKey::Currency(currency) => self.instruments.len() + currency,
        }
    }

    fn column(&self, place: usize) -> Option<&Column> {
        self.losses.column_of[place].and_then(|i| self.guard.columns[i].as_ref())
    }

    /// What an order changes, row by row: returns, and the rise and fall of the bounds.
    fn changes(&self, ask: &Ask, rows: &Rows, lots: i64) -> Result<[(&[i32], i128, i128); 2]> {
        let mut changes: [(&[i32], i128, i128); 2] = [(&[], 0, 0); 2];
        for (change, touched) in changes.iter_mut().zip(rows.iter().flatten()) {
            let after = self.row_after(ask, touched, lots)?;
            if after.worst() > VALUE_MAX {
                return Err(EngineError::Overflow {
                    place: "the value at risk",
                });
            }
            let column = self.column(self.loss_place(touched.key));
            let returns = column.map_or(&[][..], |column| &column.returns[..]);
            let (more, less) = (after.up - touched.row.up, touched.row.down - after.down);
            *change = (returns, more, less);
        }
        Ok(changes)
    }

    /// Whether no more scenarios than allowed lose more than `cap` with an order. Counting is
    /// enough for that, and much less work than to find the value.
    fn loses_at_most(
        &self,
        ask: &Ask,
        rows: &Rows,
        lots: i64,
        cap: i128,
        risk: &ValueAtRisk,
    ) -> Result<bool> {
        let cap = mul(cap, i128::from(RATE_ONE), "the value at risk")?;
        let [
            (first, more, less),
            (second, more_of_second, less_of_second),
        ] = self.changes(ask, rows, lots)?;
        let losses = self.losses.of_scenario.iter().zip(first);
        let above = if second.is_empty() {
            losses
                .filter(|(loss, rate)| loss.wrapping_add(change(**rate, more, less)) > cap)
                .count()
        } else {
            losses
                .zip(second)
                .filter(|((loss, rate), other)| {
                    let one = loss.wrapping_add(change(**rate, more, less));
                    one.wrapping_add(change(**other, more_of_second, less_of_second)) > cap
                })
                .count()
        };
        Ok(above <= risk.beyond())
    }

    fn value_after(&self, ask: &Ask, rows: &Rows, lots: i64, risk: &ValueAtRisk) -> Result<i128> {
        let mut trial = self.losses.of_scenario.clone();
        for (returns, more, less) in self.changes(ask, rows, lots)? {
            for (loss, &rate) in trial.iter_mut().zip(returns) {
                *loss = loss.wrapping_add(change(rate, more, less));
            }
        }
        Ok(value_at_risk(&mut trial, risk.beyond()))
    }

    /// The value at risk of what is held and in flight; None where it is not known.
    pub(super) fn value_at_risk(&mut self, ts: i64) -> Result<Option<i128>> {
        let Some(risk) = self.config.limits.value_at_risk else {
            return Ok(None);
        };
        if !self.count_losses(ts)? {
            return Ok(None);
        }
        Ok(Some(self.losses.value(risk.beyond())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_losses_than_allowed_are_above_the_value() {
        let one = i128::from(RATE_ONE);
        let losses = [5 * one, -3 * one, 2 * one + 1, 9 * one];
        for (beyond, value) in [(0, 9), (1, 5), (2, 3), (3, 0)] {
            assert_eq!(value_at_risk(&mut losses.clone(), beyond), value);
        }
    }

    #[test]
    fn a_row_loses_by_its_upper_bound_where_prices_fall_and_by_its_lower_where_they_rise() {
        assert_eq!(change(-100, 7, 3), 700);
        assert_eq!(change(100, 7, 3), 300);
        assert_eq!(change(i32::MIN, 1, 0), 1 << 31);
    }
}
