//! Measures that change the fund's state by themselves: `docs/engine/gate.md`, section 7.

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::limits::Breaker;
use crate::numbers::{RATE_ONE, Result, add, mul, share_of, sub};
use crate::order::{Order, Origin};
use crate::output::{Figure, Output, Rule};
use crate::risk::{Cause, FundState, SleeveState};

/// Where the price of an instrument was, against which a dislocation is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference {
    price: i64,
    ts: i64,
    /// The newest mark, and its time.
    last: i64,
    last_ts: i64,
}

/// A breaker that has tripped in the input at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trip {
    pub(super) cause: Cause,
    pub(super) state: FundState,
    pub(super) figure: Figure,
    pub(super) limit: Figure,
}

impl Engine {
    /// A mark has been set, to whatever it is.
    #[inline]
    pub(crate) fn watch_mark(&mut self, ts: i64, instrument: usize, mark: i64) -> Result<()> {
        let Some(breaker) = self.config.limits.breakers.dislocation else {
            return Ok(());
        };
        self.watch_for_dislocation(ts, instrument, mark, breaker)
    }

    fn watch_for_dislocation(
        &mut self,
        ts: i64,
        instrument: usize,
        mark: i64,
        breaker: Breaker,
    ) -> Result<()> {
        let old = self.guard.references[instrument];
        let is_fresh = |since: i64| ts.saturating_sub(since) <= breaker.window_ns;
        let (price, since) = match old {
            Some(known) if is_fresh(known.ts) => (known.price, known.ts),
            Some(known) if is_fresh(known.last_ts) => (known.last, known.last_ts),
            _ => (mark, ts),
        };
        self.guard.references[instrument] = Some(Reference {
            price,
            ts: since,
            last: mark,
            last_ts: ts,
        });
        let moved = (i128::from(mark) - i128::from(price)).abs();
        let size = i128::from(price).abs();
        let rate = i128::from(RATE_ONE);
        if mul(moved, rate, "a dislocation")?
            > mul(size, i128::from(breaker.limit), "a dislocation")?
        {
            let figure = if size == 0 {
                i64::MAX
            } else {
                i64::try_from(moved * rate / size).unwrap_or(i64::MAX)
            };
            self.trip(
                Cause::Dislocation,
                breaker,
                Figure::Rate(figure),
                Figure::Rate(breaker.limit),
            );
        }
        Ok(())
    }

    /// A corporate action has restated the price of an instrument.
    pub(crate) fn forget_reference(&mut self, instrument: usize) {
        self.guard.references[instrument] = None;
    }

    fn trip(&mut self, cause: Cause, breaker: Breaker, figure: Figure, limit: Figure) {
        let holds = self.guard.causes.contains_key(&cause)
            || self.guard.tripped.iter().any(|trip| trip.cause == cause);
        if !holds {
            self.guard.tripped.push(Trip {
                cause,
                state: breaker.state,
                figure,
                limit,
            });
        }
    }

    /// Count an order or an amendment that asked, and whether it was refused by `rule`.
    #[inline]
    pub(crate) fn count_asked(&mut self, ts: i64, refused_by: Option<Rule>) {
        if self.enforced.counts {
            self.count_one(ts, refused_by);
        }
    }

    /// Count a refusal of an order that was counted when it left.
    pub(crate) fn count_refused(&mut self, ts: i64, rule: Rule) {
        if self.enforced.counts {
            self.count_refusal(ts, Some(rule));
        }
    }

    fn count_one(&mut self, ts: i64, refused_by: Option<Rule>) {
        if let Some(breaker) = self.config.limits.breakers.order_rate
            && self.guard.asked.trips(ts, &breaker)
        {
            let figure = Figure::Count(breaker.limit + 1);
            self.trip(
                Cause::OrderRate,
                breaker,
                figure,
                Figure::Count(breaker.limit),
            );
        }
        self.count_refusal(ts, refused_by);
    }

    fn count_refusal(&mut self, ts: i64, refused_by: Option<Rule>) {
        let counts =
            refused_by.is_some_and(|rule| !matches!(rule, Rule::State | Rule::SleeveState));
        if counts
            && let Some(breaker) = self.config.limits.breakers.rejects
            && self.guard.refused.trips(ts, &breaker)
        {
            let figure = Figure::Count(breaker.limit + 1);
            self.trip(
                Cause::Rejects,
                breaker,
                figure,
                Figure::Count(breaker.limit),
            );
        }
    }

    /// Count an order, an amendment or a release that the gate let through.
    #[inline(always)]
    pub(crate) fn count_sent(&mut self, ts: i64, sleeve: usize) {
        if self.enforced.counts {
            self.count_one_sent(ts, sleeve);
        }
    }

    #[inline(never)]
    fn count_one_sent(&mut self, ts: i64, sleeve: usize) {
        if let Some(rate) = self.config.limits.order_rate {
            self.guard.orders.push(ts, rate.count);
        }
        if let Some(rate) = self.config.sleeves[sleeve].limits.order_rate {
            self.guard.sleeves[sleeve].orders.push(ts, rate.count);
        }
        self.count_one(ts, None);
    }

    /// Note a strategy's new order, so that the same one is known again.
    #[inline(always)]
    pub(crate) fn remember(&mut self, ts: i64, order: &Order) {
        if self.config.limits.duplicate_window_ns.is_some() {
            self.remember_newest(ts, order);
        }
    }

    #[inline(never)]
    fn remember_newest(&mut self, ts: i64, order: &Order) {
        if order.origin == Origin::Strategy {
            let request = order.request();
            let key = self.line_and_side(&request);
            self.guard.newest.insert(key, (ts, request));
        }
    }

    /// Money paid in, or out where negative, in the fund's currency: no gain and no loss.
    pub(crate) fn capital_moved(&mut self, sleeve: usize, amount: i128) -> Result<()> {
        let place = "a deposit";
        self.guard.peak = add(self.guard.peak, amount, place)?;
        self.guard.open = add(self.guard.open, amount, place)?;
        let peak = &mut self.guard.sleeves[sleeve].peak;
        *peak = add(*peak, amount, place)?;
        Ok(())
    }

    /// Whether the fund or a sleeve has lost too much.
    pub(super) fn measure_losses(&mut self) -> Result<()> {
        let breakers = self.config.limits.breakers.clone();
        let losses = [
            (Cause::Drawdown, breakers.drawdown, self.guard.peak),
            (Cause::DayLoss, breakers.day_loss, self.guard.open),
        ];
        if losses.iter().all(|(_, breaker, _)| breaker.is_none()) || !self.equity_is_known() {
            return Ok(());
        }
        let equity = self.exposure.equity(&self.ledger)?;
        for (cause, breaker, from) in losses {
            let Some(breaker) = breaker else { continue };
            let lost = sub(from, equity, "a loss")?;
            let limit = share_of(from, breaker.limit, "a loss")?;
            if lost > limit {
                self.trip(cause, breaker, Figure::Money(lost), Figure::Money(limit));
            }
        }
        Ok(())
    }

    pub(super) fn measure_sleeves(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        for sleeve in 0..self.guard.sleeves.len() {
            let Some(share) = self.config.sleeves[sleeve].limits.drawdown_max else {
                continue;
            };
            if !self.is_equity_known(sleeve) || self.guard.sleeves[sleeve].state != SleeveState::On
            {
                continue;
            }
            let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
            let peak = self.guard.sleeves[sleeve].peak;
            let lost = sub(peak, equity, "a loss")?;
            if lost > share_of(peak, share, "a loss")? {
                self.set_sleeve(ts, sleeve, SleeveState::ReduceOnly, Cause::Drawdown, out)?;
            }
        }
        Ok(())
    }

    /// Take new highs of equity.
    pub(super) fn raise_peaks(&mut self) -> Result<()> {
        if self.equity_is_known() {
            self.guard.peak = self.guard.peak.max(self.exposure.equity(&self.ledger)?);
        }
        for sleeve in 0..self.guard.sleeves.len() {
            if !self.is_equity_known(sleeve) {
                continue;
            }
            let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
            let peak = &mut self.guard.sleeves[sleeve].peak;
            *peak = (*peak).max(equity);
        }
        Ok(())
    }

    /// Start all measures anew: what happened before no longer counts. Losses are still measured
    /// from what was known where a currency lacks its rate.
    pub(super) fn restart_measures(&mut self) -> Result<()> {
        if self.equity_is_known() {
            let equity = self.exposure.equity(&self.ledger)?;
            (self.guard.peak, self.guard.open) = (equity, equity);
        }
        let guard = &mut self.guard;
        guard.asked.clear();
        guard.refused.clear();
        guard.references.fill(None);
        Ok(())
    }
}
