//! Limits on what the fund and its sleeves may come to hold.

use super::measure::Walk;
use super::{Ask, NEXT, Step, pass};
use crate::config::Settlement;
use crate::engine::Engine;
use crate::exposure::{Line, Row, Sums};
use crate::numbers::{Result, add, mul, sub};
use crate::order::Side;
use crate::output::Rule;

/// Which row an order touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKey {
    Instrument(usize),
    Currency(usize),
}

/// A row that an order touches, as it is without the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touched {
    pub(super) key: RowKey,
    pub(super) row: Row,
}

/// At most two: both currencies of an exchange.
pub(super) type Rows = [Option<Touched>; 2];

impl Row {
    /// The largest quantity, without sign, that may come to be held.
    fn reach(&self) -> i128 {
        self.high.max(-self.low)
    }

    pub(super) fn is_raised_by(&self, after: &Self) -> bool {
        after.reach() > self.reach()
    }
}

impl Engine {
    /// The rows that an order touches.
    pub(super) fn rows_of(&self, ask: &Ask) -> Result<Rows> {
        let i = ask.request.instrument;
        let Settlement::Exchange { base } = self.config.instruments[i].settlement else {
            let row = Touched {
                key: RowKey::Instrument(i),
                row: *self.exposure.row(i),
            };
            return Ok([Some(row), None]);
        };
        let of = |currency: usize| -> Result<Option<Touched>> {
            if currency == 0 {
                return Ok(None);
            }
            Ok(Some(Touched {
                key: RowKey::Currency(currency),
                row: self.currency_row(currency)?,
            }))
        };
        Ok([of(base)?, of(self.config.instruments[i].currency)?])
    }

    /// What the fund has of a currency that is exchanged, and may come to have.
    pub(super) fn currency_row(&self, currency: usize) -> Result<Row> {
        let mut held = 0;
        for sleeve in 0..self.config.sleeves.len() {
            held = add(held, self.ledger.cash(sleeve, currency), "an exposure")?;
        }
        let (into, out) = self.exposure.flows(currency);
        let (high, low) = (
            add(held, into, "an exposure")?,
            sub(held, out, "an exposure")?,
        );
        self.row_of_currency(currency, high, low)
    }

    fn row_of_currency(&self, currency: usize, high: i128, low: i128) -> Result<Row> {
        let value = |amount: i128| -> Result<i128> {
            let value = self.exposure.in_fund_currency(currency, amount.abs())?;
            Ok(if amount < 0 { -value } else { value })
        };
        Ok(Row {
            high,
            low,
            up: value(high)?,
            down: value(low)?,
        })
    }

    /// A row as it would be with so many lots of the order.
    pub(super) fn row_after(&self, ask: &Ask, touched: &Touched, lots: i64) -> Result<Row> {
        let quantity = lots * ask.lot;
        let i = ask.request.instrument;
        let Row { high, low, .. } = touched.row;
        let (amount, comes_in) = match touched.key {
            RowKey::Instrument(_) => (i128::from(quantity), ask.request.side == Side::Buy),
            RowKey::Currency(currency) if currency == self.config.instruments[i].currency => {
                let paid = self.exposure.notional(i, quantity, ask.reference.max(0))?;
                (paid, ask.request.side == Side::Sell)
            }
            RowKey::Currency(_) => {
                let unit = self.exposure.base_unit(i);
                let given = mul(i128::from(quantity), unit, "an exposure")?;
                (given, ask.request.side == Side::Buy)
            }
        };
        let (high, low) = if comes_in {
            (add(high, amount, "an exposure")?, low)
        } else {
            (high, sub(low, amount, "an exposure")?)
        };
        match touched.key {
            RowKey::Instrument(i) => self.exposure.row_of(i, high, low, ask.mark),
            RowKey::Currency(currency) => self.row_of_currency(currency, high, low),
        }
    }

    /// Every row: of the instruments, then of the currencies that are exchanged.
    pub(super) fn all_rows(&self) -> Result<Vec<Row>> {
        let instruments = (0..self.instruments.len()).map(|i| Ok(*self.exposure.row(i)));
        let currencies = (1..self.config.currencies.len())
            .filter(|currency| self.exposure.is_exchanged[*currency])
            .map(|currency| self.currency_row(currency));
        instruments.chain(currencies).collect()
    }

    /// Sums over all rows, of instruments and of currencies.
    pub(super) fn all_sums(&self) -> Result<Sums> {
        let mut sums = self.exposure.sums();
        for currency in 1..self.config.currencies.len() {
            if self.exposure.is_exchanged[currency] {
                let row = self.currency_row(currency)?;
                sums = sums.replace(&Row::default(), &row)?;
            }
        }
        Ok(sums)
    }

    fn sums_after(&self, ask: &Ask, rows: &Rows, sums: Sums, lots: i64) -> Result<Sums> {
        rows.iter().flatten().try_fold(sums, |sums, touched| {
            let after = self.row_after(ask, touched, lots)?;
            sums.replace(&touched.row, &after)
        })
    }

    pub(super) fn line_after(&self, ask: &Ask, quantity: i64) -> Result<Line> {
        let request = ask.request;
        let leg = request.leg.index();
        let line = self.exposure.line(request.sleeve, request.instrument, leg);
        line.plus(&Line::in_flight(request.side, quantity))
    }

    pub(super) fn row_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let limits = &self.config.limits;
        let caps = self.caps;
        let of_sleeve = &self.config.sleeves[ask.request.sleeve].limits;
        let rows = self.rows_of(ask)?;
        for (rule, limit) in [
            (Rule::Position, limits.position_max),
            (Rule::Concentration, caps.weight),
        ] {
            if let Some(limit) = limit {
                pass!(self.single_row_check(ask, walk, rule, &rows, limit));
            }
        }
        if let Some(cap) = self.sleeve_cap(ask.request.sleeve, of_sleeve.weight_max)? {
            pass!(
                self.line_check(ask, walk, (Rule::SleeveConcentration, cap), |worst, _| Ok(
                    worst
                ))
            );
        }
        if let (Some(cap), RowKey::Instrument(i)) =
            (caps.sector, rows[0].map_or(RowKey::Currency(0), |r| r.key))
        {
            let total = self.exposure.sector(i);
            pass!(self.sum_check(ask, walk, (Rule::Sector, cap), &rows, total));
        }
        let sums = if caps.gross.is_some() || caps.net.is_some() {
            self.all_sums()?
        } else {
            Sums::default()
        };
        if let Some(cap) = caps.gross {
            pass!(self.sum_check(ask, walk, (Rule::Gross, cap), &rows, sums.gross));
        }
        if let Some(cap) = self.sleeve_cap(ask.request.sleeve, of_sleeve.gross_max)? {
            let total = self.exposure.sleeve_gross(ask.request.sleeve);
            pass!(
                self.line_check(ask, walk, (Rule::SleeveGross, cap), |worst, before| {
                    add(total, sub(worst, before, "an exposure")?, "an exposure")
                })
            );
        }
        if let Some(cap) = caps.leverage {
            let total = self.exposure.leverage()?;
            pass!(
                self.line_check(ask, walk, (Rule::Leverage, cap), |worst, before| {
                    add(total, sub(worst, before, "an exposure")?, "an exposure")
                })
            );
        }
        if let Some(cap) = caps.net {
            let before = sums.net();
            let figure = |lots: i64| {
                let after = self.sums_after(ask, &rows, sums, lots)?.net();
                Ok(if after > before { after } else { i128::MIN })
            };
            let found = figure(ask.lots())?;
            pass!(walk.within(ask, Rule::Net, true, (found, cap), figure));
        }
        Ok(NEXT)
    }

    /// Each row that the order raises by itself.
    fn single_row_check(
        &self,
        ask: &Ask,
        walk: &mut Walk,
        rule: Rule,
        rows: &Rows,
        limit: i128,
    ) -> Step {
        for touched in rows.iter().flatten() {
            let figure = |lots: i64| {
                let after = self.row_after(ask, touched, lots)?;
                Ok(if touched.row.is_raised_by(&after) {
                    after.worst()
                } else {
                    i128::MIN
                })
            };
            let found = figure(ask.lots())?;
            pass!(walk.within(ask, rule, false, (found, limit), figure));
        }
        Ok(NEXT)
    }

    /// A sum over rows, if the order raises one of them.
    fn sum_check(
        &self,
        ask: &Ask,
        walk: &mut Walk,
        (rule, limit): (Rule, i128),
        rows: &Rows,
        total: i128,
    ) -> Step {
        let figure = |lots: i64| {
            let mut is_raised = false;
            let mut sum = total;
            for touched in rows.iter().flatten() {
                let after = self.row_after(ask, touched, lots)?;
                is_raised |= touched.row.is_raised_by(&after);
                let change = sub(after.worst(), touched.row.worst(), "an exposure")?;
                sum = add(sum, change, "an exposure")?;
            }
            Ok(if is_raised { sum } else { i128::MIN })
        };
        let found = figure(ask.lots())?;
        walk.within(ask, rule, false, (found, limit), figure)
    }

    /// A figure of the line that the order is on, if the order raises it.
    fn line_check(
        &self,
        ask: &Ask,
        walk: &mut Walk,
        (rule, limit): (Rule, i128),
        total: impl Fn(i128, i128) -> Result<i128>,
    ) -> Step {
        let (sleeve, i) = (ask.request.sleeve, ask.request.instrument);
        if matches!(
            self.config.instruments[i].settlement,
            Settlement::Exchange { .. }
        ) {
            return Ok(NEXT);
        }
        let leg = ask.request.leg.index();
        let legs = self.exposure.legs;
        let line = self.exposure.line(sleeve, i, leg);
        let before = self.exposure.burden(sleeve, i, leg).worst;
        let figure = |lots: i64| {
            let after = self.line_after(ask, lots * ask.lot)?;
            if after.worst(legs, leg) <= line.worst(legs, leg) {
                return Ok(i128::MIN);
            }
            let worst = self.exposure.burden_of(i, leg, &after, ask.mark)?.worst;
            total(worst, before)
        };
        let found = figure(ask.lots())?;
        walk.within(ask, rule, false, (found, limit), figure)
    }
}
