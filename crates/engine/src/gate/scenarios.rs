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
use crate::numbers::{RATE_ONE, Result, Rounding, mul, per_rate, sub};
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
    /// When the first of the returns that count expires; long ago where that is not known.
    valid_until: i64,
    /// Value at risk of what is counted, once it has been asked for.
    value: Option<i128>,
    /// Memory for losses with an order.
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
            valid_until: i64::MIN,
            value: None,
            trial: vec![0; risk.scenarios as usize],
        }
    }

    /// Count a row anew.
    fn count(&mut self, place: usize, row: &Row, returns: &[i32]) {
        let (up, down) = self.counted[place];
        apply(&mut self.of_scenario, returns, row.up - up, down - row.down);
        self.counted[place] = (row.up, row.down);
        self.value = None;
    }

    fn value(&mut self, beyond: usize) -> i128 {
        if let Some(value) = self.value {
            return value;
        }
        let value = if beyond < FEW {
            in_money(highest_but(self.of_scenario.iter().copied(), beyond))
        } else {
            self.trial.clone_from(&self.of_scenario);
            value_at_risk(&mut self.trial, beyond)
        };
        self.value = Some(value);
        value
    }
}

/// How far a price falls, or rises, in a scenario. The worst of a falling price is what may be held
/// most, of a rising one what may be held least.
#[inline]
fn falls(rate: i32) -> u32 {
    rate.min(0).unsigned_abs()
}

#[inline]
fn rises(rate: i32) -> u32 {
    rate.max(0).unsigned_abs()
}

/// Add a change of a row to the losses.
fn apply(losses: &mut [i128], returns: &[i32], more: i128, less: i128) {
    fn each(losses: &mut [i128], returns: &[i32], change: &impl Fn(i32) -> i128) {
        for (loss, rate) in losses.iter_mut().zip(returns) {
            *loss = loss.wrapping_add(change(*rate));
        }
    }
    match (more, less, i64::try_from(more), i64::try_from(less)) {
        (_, 0, Ok(more), _) => each(losses, returns, &|rate| narrow(more, falls(rate))),
        (0, _, _, Ok(less)) => each(losses, returns, &|rate| narrow(less, rises(rate))),
        _ => each(losses, returns, &|rate| wide(more, less, rate)),
    }
}

/// How many losses are above `cap` with a change of one row.
fn count_above(losses: &[i128], returns: &[i32], more: i128, less: i128, cap: i128) -> usize {
    fn each(losses: &[i128], returns: &[i32], cap: i128, change: &impl Fn(i32) -> i128) -> usize {
        let losses = losses.iter().zip(returns);
        losses
            .map(|(loss, rate)| usize::from(loss.wrapping_add(change(*rate)) > cap))
            .sum()
    }
    match (more, less, i64::try_from(more), i64::try_from(less)) {
        (_, 0, Ok(more), _) => each(losses, returns, cap, &|rate| narrow(more, falls(rate))),
        (0, _, _, Ok(less)) => each(losses, returns, cap, &|rate| narrow(less, rises(rate))),
        _ => each(losses, returns, cap, &|rate| wide(more, less, rate)),
    }
}

// By how much a loss grows where the upper bound of a row rises by `more` and the lower falls by
// `less`. Mostly one of both is zero and the other one small; it is this that makes the gate fast.
// The caller has made sure that everything fits.

#[inline]
fn narrow(amount: i64, move_of_price: u32) -> i128 {
    i128::from(amount).wrapping_mul(i128::from(move_of_price))
}

#[inline]
fn wide(more: i128, less: i128, rate: i32) -> i128 {
    let fall = more.wrapping_mul(i128::from(falls(rate)));
    fall.wrapping_add(less.wrapping_mul(i128::from(rises(rate))))
}

/// Up to so many losses beyond the value are found in one go through them.
const FEW: usize = 32;

/// [`value_at_risk`] with a change of one row, and `losses` as they are. None where more losses
/// may lie beyond than can be kept in order on the way.
fn value_with(
    losses: &[i128],
    returns: &[i32],
    more: i128,
    less: i128,
    beyond: usize,
) -> Option<i128> {
    if beyond >= FEW {
        return None;
    }
    let losses = losses.iter().zip(returns);
    let value = match (more, less, i64::try_from(more), i64::try_from(less)) {
        (_, 0, Ok(more), _) => {
            let each = losses.map(|(loss, rate)| loss.wrapping_add(narrow(more, falls(*rate))));
            highest_but(each, beyond)
        }
        (0, _, _, Ok(less)) => {
            let each = losses.map(|(loss, rate)| loss.wrapping_add(narrow(less, rises(*rate))));
            highest_but(each, beyond)
        }
        _ => {
            let each = losses.map(|(loss, rate)| loss.wrapping_add(wide(more, less, *rate)));
            highest_but(each, beyond)
        }
    };
    Some(in_money(value))
}

/// The highest of some losses but `beyond` of them, which are fewer than [`FEW`].
fn highest_but(losses: impl Iterator<Item = i128>, beyond: usize) -> i128 {
    // The highest so far, in ascending order.
    let mut kept = [i128::MIN; FEW];
    let kept = &mut kept[..=beyond];
    for loss in losses {
        if loss <= kept[0] {
            continue;
        }
        let mut place = 0;
        while place < beyond && kept[place + 1] < loss {
            kept[place] = kept[place + 1];
            place += 1;
        }
        kept[place] = loss;
    }
    kept[0]
}

/// A loss in `10^-21` as money.
fn in_money(loss: i128) -> i128 {
    per_rate(loss, Rounding::Up).max(0)
}

/// The loss that no more than `beyond` exceed, as money.
fn value_at_risk(losses: &mut [i128], beyond: usize) -> i128 {
    let place = losses.len() - 1 - beyond;
    let (_, loss, _) = losses.select_nth_unstable(place);
    in_money(*loss)
}

impl Engine {
    pub(crate) fn receive_scenarios(&mut self, scenarios: &Scenarios) {
        let instrument = scenarios.instrument;
        let mut losses = std::mem::take(&mut self.losses);
        if let Some(column) = &self.guard.columns[instrument] {
            for place in 0..losses.column_of.len() {
                if losses.column_of[place] == Some(instrument) {
                    losses.count(place, &Row::default(), &column.returns);
                }
            }
        }
        losses.valid_until = i64::MIN;
        self.losses = losses;
        self.guard.columns[instrument] = Some(Column {
            returns: scenarios.returns.clone(),
            expires_at: scenarios.expires_at,
        });
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
        if ts >= losses.valid_until {
            losses.valid_until = self.valid_until(losses)?;
            if ts >= losses.valid_until {
                return Ok(false);
            }
        }
        for place in 0..losses.counted.len() {
            let Some(row) = self.loss_row(place)? else {
                continue;
            };
            if losses.counted[place] == (row.up, row.down) {
                continue;
            }
            let column = losses.column_of[place].and_then(|i| self.guard.columns[i].as_ref());
            let Some(column) = column.filter(|column| ts < column.expires_at || row.is_empty())
            else {
                losses.valid_until = i64::MIN;
                return Ok(false);
            };
            losses.count(place, &row, &column.returns);
            if !row.is_empty() {
                losses.valid_until = losses.valid_until.min(column.expires_at);
            }
        }
        Ok(true)
    }

    /// When the first returns that are needed expire; long ago if some are missing.
    fn valid_until(&self, losses: &Losses) -> Result<i64> {
        let mut first = i64::MAX;
        for place in 0..losses.counted.len() {
            if self.loss_row(place)?.is_some_and(|row| !row.is_empty()) {
                let column = losses.column_of[place].and_then(|i| self.guard.columns[i].as_ref());
                first = first.min(column.map_or(i64::MIN, |column| column.expires_at));
            }
        }
        Ok(first)
    }

    /// A row of an instrument, or of a currency that is exchanged. One in a currency that has no
    /// rate yet takes no part in sums.
    #[inline]
    fn loss_row(&self, place: usize) -> Result<Option<Row>> {
        let has_rate = |currency: usize| self.exposure.rates[currency].is_some();
        match place.checked_sub(self.instruments.len()) {
            None if has_rate(self.config.instruments[place].currency) => {
                Ok(Some(*self.exposure.row(place)))
            }
            Some(currency)
                if currency > 0 && self.exposure.is_exchanged[currency] && has_rate(currency) =>
            {
                self.currency_row(currency).map(Some)
            }
            _ => Ok(None),
        }
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
                // Only where it is beyond the limit already may it stay so.
                let before = self.losses.value(risk.beyond());
                let before = if before <= cap { 0 } else { before };
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
        let losses = &self.losses.of_scenario;
        let above = if second.is_empty() {
            count_above(losses, first, more, less, cap)
        } else {
            let mut trial = losses.clone();
            apply(&mut trial, first, more, less);
            count_above(&trial, second, more_of_second, less_of_second, cap)
        };
        Ok(above <= risk.beyond())
    }

    fn value_after(&self, ask: &Ask, rows: &Rows, lots: i64, risk: &ValueAtRisk) -> Result<i128> {
        let changes = self.changes(ask, rows, lots)?;
        let [(first, more, less), (second, ..)] = changes;
        let losses = &self.losses.of_scenario;
        if second.is_empty()
            && let Some(value) = value_with(losses, first, more, less, risk.beyond())
        {
            return Ok(value);
        }
        let mut trial = losses.clone();
        for (returns, more, less) in changes {
            apply(&mut trial, returns, more, less);
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
            assert_eq!(value_with(&losses, &[0; 4], 0, 0, beyond), Some(value));
        }
    }

    #[test]
    fn a_row_loses_by_its_upper_bound_where_prices_fall_and_by_its_lower_where_they_rise() {
        let large = 1_i128 << 70;
        for (more, less, expected) in [
            (7, 3, [700, 300]),
            (7, 0, [700, 0]),
            (0, 3, [0, 300]),
            (large, -3, [large * 100, -300]),
            (-7, large, [-700, large * 100]),
        ] {
            let mut losses = [0; 2];
            apply(&mut losses, &[-100, 100], more, less);
            assert_eq!(losses, expected);
            for beyond in [0, 1] {
                let value = value_at_risk(&mut losses.clone(), beyond);
                let found = value_with(&[0; 2], &[-100, 100], more, less, beyond);
                assert_eq!(found, Some(value));
            }
            let above = count_above(&[0; 2], &[-100, 100], more, less, 299);
            assert_eq!(above, losses.iter().filter(|loss| **loss > 299).count());
        }
        assert_eq!((falls(i32::MIN), rises(i32::MIN)), (1 << 31, 0));
    }
}
