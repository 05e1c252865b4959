//! What the fund and its sleeves may do, and what changes that: `docs/engine/gate.md`, section 6.

use crate::config::PositionMode;
use crate::engine::Engine;
use crate::input::{Event, OrderRequest};
use crate::limits::Crossed;
use crate::numbers::Result;
use crate::order::{Leg, Order, OrderKind, OrderStatus, Origin, Reason, Side, TimeInForce};
use crate::orders::plain_breach;
use crate::output::{Figure, Outcome, Output, Rule};
use crate::risk::{Cause, Command, FundState, SleeveState};

/// What a cause has to say for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grounds {
    rule: Rule,
    figure: Figure,
    limit: Figure,
}

const NO_GROUNDS: Grounds = Grounds {
    rule: Rule::All,
    figure: Figure::None,
    limit: Figure::None,
};

impl Engine {
    /// What the fund may do now.
    #[must_use]
    pub fn fund_state(&self) -> FundState {
        self.guard.fund_state()
    }

    /// What a sleeve may do now, as far as it is up to it.
    #[must_use]
    pub fn sleeve_state(&self, sleeve: usize) -> SleeveState {
        self.guard.sleeve_state(sleeve)
    }

    pub(crate) fn command(
        &mut self,
        ts: i64,
        command: &Command,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        match command {
            Command::Halt => {
                self.begin(ts, Cause::Operator, FundState::Halted, NO_GROUNDS, out)?;
            }
            Command::Reduce => {
                self.begin(ts, Cause::Operator, FundState::ReduceOnly, NO_GROUNDS, out)?;
            }
            Command::Resume => self.resume(ts, out)?,
            Command::Flatten => self.flatten(ts, out)?,
            Command::Sleeve { sleeve, state } => {
                if *state == SleeveState::On && self.is_equity_known(*sleeve) {
                    let equity = self.exposure.sleeve_equity(&self.ledger, *sleeve)?;
                    self.guard.sleeves[*sleeve].peak = equity;
                }
                self.set_sleeve(ts, *sleeve, *state, Cause::Operator, out)?;
            }
            Command::ChangeLimit { name, value } => {
                self.config.limits.change(name, *value)?;
                self.caps = super::Caps::default();
                self.enforced = super::Enforced::new(&self.config);
                // Which figures are kept follows from the limits.
                self.exposure = self.exposure_from_scratch()?;
                out.push(Output::LimitChanged {
                    ts,
                    name: name.clone(),
                    value: *value,
                });
            }
        }
        self.book.sweep();
        Ok(())
    }

    fn resume(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        let before = self.guard.fund;
        let held = self.guard.causes.len();
        self.guard
            .causes
            .retain(|cause, _| *cause == Cause::LimitCrossed);
        let has_ended = self.guard.causes.len() < held;
        let crossed = self.crossed(ts, true)?;
        if crossed.is_none() {
            self.guard.causes.remove(&Cause::LimitCrossed);
        }
        self.guard.fund = self.guard.strictest();
        if self.guard.fund != before {
            let cause = if has_ended {
                Cause::Operator
            } else {
                Cause::LimitCrossed
            };
            self.tell_state(ts, cause, NO_GROUNDS, out);
        }
        self.restart_measures()?;
        match crossed {
            Some(grounds) => self.begin_crossed(ts, grounds, out),
            None => Ok(()),
        }
    }

    /// A cause begins to hold, or to ask for more.
    fn begin(
        &mut self,
        ts: i64,
        cause: Cause,
        state: FundState,
        grounds: Grounds,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if self
            .guard
            .causes
            .get(&cause)
            .is_some_and(|held| *held >= state)
        {
            return Ok(());
        }
        self.guard.causes.insert(cause, state);
        let now = self.guard.strictest();
        let before = std::mem::replace(&mut self.guard.fund, now);
        self.tell_state(ts, cause, grounds, out);
        if self.guard.fund == before {
            return Ok(());
        }
        self.withdraw(ts, None, self.guard.fund == FundState::Halted, out)
    }

    fn end(&mut self, ts: i64, cause: Cause, out: &mut Vec<Output>) {
        if self.guard.causes.remove(&cause).is_some() {
            let now = self.guard.strictest();
            let before = std::mem::replace(&mut self.guard.fund, now);
            if self.guard.fund != before {
                self.tell_state(ts, cause, NO_GROUNDS, out);
            }
        }
    }

    fn tell_state(&self, ts: i64, cause: Cause, grounds: Grounds, out: &mut Vec<Output>) {
        out.push(Output::StateChanged {
            ts,
            state: self.guard.fund,
            cause,
            rule: grounds.rule,
            figure: grounds.figure,
            limit: grounds.limit,
        });
    }

    pub(super) fn set_sleeve(
        &mut self,
        ts: i64,
        sleeve: usize,
        state: SleeveState,
        cause: Cause,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let before = std::mem::replace(&mut self.guard.sleeves[sleeve].state, state);
        if before == state {
            return Ok(());
        }
        out.push(Output::SleeveChanged {
            ts,
            sleeve,
            state,
            cause,
        });
        match state {
            SleeveState::On => Ok(()),
            SleeveState::ReduceOnly => self.withdraw(ts, Some(sleeve), false, out),
            SleeveState::Off => self.withdraw(ts, Some(sleeve), true, out),
        }
    }

    /// Cancel what may no longer work: all of it, or what does not reduce.
    fn withdraw(
        &mut self,
        ts: i64,
        sleeve: Option<usize>,
        all: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for order in self.book.working() {
            let is_closing = order.origin == Origin::Liquidation
                || (order.origin == Origin::Operator && sleeve.is_some());
            if is_closing || sleeve.is_some_and(|sleeve| sleeve != order.sleeve) {
                continue;
            }
            let stays = !all
                && if order.remote && !self.is_exchange(order.instrument) {
                    self.only_closes(&order)
                } else {
                    order.status == OrderStatus::Held || self.is_opposite(&order)?
                };
            // Another cancel may have taken it along.
            if let (false, Some(slot)) = (stays, self.book.find(order.id)) {
                let reason = if all {
                    Reason::State
                } else {
                    Reason::ReduceOnly
                };
                self.cancel(ts, slot, reason, out)?;
            }
        }
        Ok(())
    }

    /// Whether an order is on the side that takes off a position.
    fn is_opposite(&self, order: &Order) -> Result<bool> {
        let mut request = OrderRequest::new(
            order.sleeve,
            order.instrument,
            order.side,
            0,
            order.kind,
            order.tif,
        );
        request.leg = order.leg;
        // Flagged, so that what is in flight, this order too, is left aside.
        request.reduce_only = true;
        Ok(self.room(&request)? > 0)
    }

    /// Halt, cancel everything and close all positions.
    fn flatten(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        self.guard.causes.insert(Cause::Flatten, FundState::Halted);
        self.remote.forget_targets();
        self.guard.fund = FundState::Halted;
        self.tell_state(ts, Cause::Flatten, NO_GROUNDS, out);
        self.withdraw(ts, None, true, out)?;
        self.book.sweep();
        for sleeve in 0..self.config.sleeves.len() {
            for instrument in 0..self.instruments.len() {
                for leg in self.legs() {
                    self.flatten_line(ts, sleeve, instrument, *leg, out)?;
                }
            }
        }
        Ok(())
    }

    fn legs(&self) -> &'static [Leg] {
        match self.config.account.positions {
            PositionMode::Netting => &[Leg::Net],
            PositionMode::Hedging => &[Leg::Long, Leg::Short],
        }
    }

    pub(crate) fn flatten_line(
        &mut self,
        ts: i64,
        sleeve: usize,
        instrument: usize,
        leg: Leg,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let is_exchange = self.is_exchange(instrument);
        if is_exchange && leg.index() > 0 {
            // There is one balance, and no position by legs.
            return Ok(());
        }
        let held = self.exposure.line(sleeve, instrument, leg.index()).held;
        let side = if held < 0 { Side::Buy } else { Side::Sell };
        let (kind, tif) = (OrderKind::Market, TimeInForce::Gtc);
        let mut request = OrderRequest::new(sleeve, instrument, side, 0, kind, tif);
        request.leg = leg;
        // An exchange gives its base away, less what another pair gives away already.
        request.reduce_only = !is_exchange;
        // Whole lots: what is left, less than a lot, stays.
        let room = self.room_at_gate(&request)?;
        request.quantity = room - room % self.config.instruments[instrument].lot_size;
        request.reduce_only = true;
        if request.quantity == 0 {
            return Ok(());
        }
        let refused = if !self.is_listed(instrument, ts) {
            Some(Rule::NotListed)
        } else if self.mark(instrument).is_none() {
            Some(Rule::NoPrice)
        } else {
            None
        };
        let order = self.new_order(ts, &request, Origin::Operator);
        if let Some(rule) = refused {
            self.refuse(ts, order, &plain_breach(rule), out);
            return Ok(());
        }
        self.admit(ts, order, Outcome::Accepted, None, out)
    }

    /// What is looked at before a decision.
    #[inline]
    pub(crate) fn before_decision(
        &mut self,
        ts: i64,
        event: &Event,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if event.class() < 4 {
            return Ok(());
        }
        // A command that came to its venue since the last input may have tripped a breaker.
        if !self.enforced.losses && self.guard.tripped.is_empty() {
            return Ok(());
        }
        self.look_before_decision(ts, event, out)
    }

    fn look_before_decision(
        &mut self,
        ts: i64,
        event: &Event,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.measure_losses()?;
        self.settle_trips(ts, out)?;
        self.measure_sleeves(ts, out)?;
        if !matches!(event, Event::CancelOrder { .. }) {
            self.look_for_crossed(ts, false, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    /// What is looked at when an input has been applied.
    #[inline]
    pub(crate) fn after_input(
        &mut self,
        ts: i64,
        event: &Event,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let is_end = matches!(event, Event::Barrier { .. } | Event::DayEnded { .. });
        if !is_end && self.guard.tripped.is_empty() {
            return Ok(());
        }
        self.look_after_input(ts, event, is_end, out)
    }

    fn look_after_input(
        &mut self,
        ts: i64,
        event: &Event,
        is_end: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let held = self.guard.causes.contains_key(&Cause::DayLoss);
        if is_end {
            self.measure_losses()?;
        }
        if matches!(event, Event::DayEnded { .. }) {
            if self.equity_is_known() {
                self.guard.open = self.exposure.equity(&self.ledger)?;
            }
            if held {
                self.end(ts, Cause::DayLoss, out);
            }
        }
        self.settle_trips(ts, out)?;
        if is_end {
            self.measure_sleeves(ts, out)?;
            self.raise_peaks()?;
            self.look_for_crossed(ts, true, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    fn settle_trips(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        let mut tripped = std::mem::take(&mut self.guard.tripped);
        tripped.sort_by_key(|trip| trip.cause);
        for trip in tripped {
            let grounds = Grounds {
                rule: Rule::All,
                figure: trip.figure,
                limit: trip.limit,
            };
            self.begin(ts, trip.cause, trip.state, grounds, out)?;
        }
        Ok(())
    }

    /// Whether the market has moved a figure beyond its limit.
    fn look_for_crossed(&mut self, ts: i64, all: bool, out: &mut Vec<Output>) -> Result<()> {
        if self.config.limits.crossed != Crossed::ReduceOnly {
            return Ok(());
        }
        match self.crossed(ts, all)? {
            Some(grounds) => self.begin_crossed(ts, grounds, out),
            // What else is crossed has been found where everything is looked at; it stays.
            None if !all => Ok(()),
            None => {
                self.end(ts, Cause::LimitCrossed, out);
                Ok(())
            }
        }
    }

    fn begin_crossed(&mut self, ts: i64, grounds: Grounds, out: &mut Vec<Output>) -> Result<()> {
        let state = FundState::ReduceOnly;
        self.begin(ts, Cause::LimitCrossed, state, grounds, out)
    }

    /// The first limit that a figure is beyond, where that makes the fund reduce only.
    fn crossed(&mut self, ts: i64, all: bool) -> Result<Option<Grounds>> {
        if self.config.limits.crossed != Crossed::ReduceOnly {
            return Ok(None);
        }
        self.update_caps()?;
        let mut found = self.crossed_sums()?;
        if all {
            found = self.crossed_rows()?.or(found);
            if found.is_none()
                && let Some(cap) = self.caps.value_at_risk
                && let Some(value) = self.value_at_risk(ts)?
                && value > cap
            {
                found = Some((Rule::ValueAtRisk, value, cap));
            }
        }
        Ok(found.map(|(rule, figure, limit)| Grounds {
            rule,
            figure: Figure::Money(figure),
            limit: Figure::Money(limit),
        }))
    }

    fn crossed_rows(&self) -> Result<Option<(Rule, i128, i128)>> {
        let limits = &self.config.limits;
        let rows = self.all_rows()?;
        for (rule, limit) in [
            (Rule::Position, limits.position_max),
            (Rule::Concentration, self.caps.weight),
        ] {
            let Some(limit) = limit else { continue };
            if let Some(row) = rows.iter().find(|row| row.worst() > limit) {
                return Ok(Some((rule, row.worst(), limit)));
            }
        }
        let Some(limit) = self.caps.sector else {
            return Ok(None);
        };
        let beyond = self.exposure.sectors().iter().find(|sum| **sum > limit);
        Ok(beyond.map(|sum| (Rule::Sector, *sum, limit)))
    }

    fn crossed_sums(&self) -> Result<Option<(Rule, i128, i128)>> {
        let sums = self.all_sums()?;
        let figures = [
            (Rule::Gross, sums.gross, self.caps.gross),
            (
                Rule::Leverage,
                self.exposure.leverage()?,
                self.caps.leverage,
            ),
            (Rule::Net, sums.net(), self.caps.net),
        ];
        Ok(figures.into_iter().find_map(|(rule, figure, limit)| {
            let limit = limit.filter(|limit| figure > *limit)?;
            Some((rule, figure, limit))
        }))
    }

    /// Whether every balance can be told in the fund's currency.
    pub(super) fn equity_is_known(&self) -> bool {
        (0..self.config.sleeves.len()).all(|sleeve| self.is_equity_known(sleeve))
    }
}
