//! Orders at venues outside: `docs/engine/remote.md`. They leave as outputs and are moved by
//! reports alone; until a report says otherwise, everything that may still happen counts.

mod memory;

pub(crate) use memory::Remote;

use crate::config::{PositionMode, Settlement};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::gate::Breach;
use crate::market::standing::LARGEST;
use crate::numbers::Result;
use crate::order::{Leg, Order, OrderStatus, Reason, Side, TimeInForce};
use crate::orders::{advance, verdict_on};
use crate::output::{Fill, FillKind, Outcome, Output, Rule};
use crate::report::{Execution, Report};

impl Engine {
    /// Whether an instrument trades at a venue outside.
    #[inline]
    pub(crate) fn is_remote(&self, instrument: usize) -> bool {
        self.floor.pits[instrument].form.is_remote
    }

    /// Whether an instrument exchanges two currencies, and so has no position.
    pub(crate) fn is_exchange(&self, instrument: usize) -> bool {
        let settlement = self.config.instruments[instrument].settlement;
        matches!(settlement, Settlement::Exchange { .. })
    }

    pub(crate) fn check_report(&self, report: &Report) -> Result<()> {
        let (Report::Filled(execution) | Report::Busted(execution)) = report else {
            return Ok(());
        };
        self.check_sleeve(execution.sleeve)?;
        self.check_instrument(execution.instrument)?;
        let is_netting = self.config.account.positions == PositionMode::Netting;
        let problem = if !self.is_remote(execution.instrument) {
            "a trade of an instrument whose venue is simulated"
        } else if !(1..=LARGEST).contains(&execution.quantity) {
            "the quantity of a trade must be positive and within 2^60"
        } else if !self.floor.pits[execution.instrument]
            .form
            .is_price(execution.price)
        {
            "the price of a trade must be positive, unless the instrument allows others, and within 2^60"
        } else if execution.fee.unsigned_abs() > LARGEST.unsigned_abs().into() {
            "the fee of a trade must be within 2^60"
        } else if (execution.leg == Leg::Net) != is_netting {
            "a trade must be of the leg that the account has"
        } else if execution.trade.is_empty() {
            "a trade must have a name"
        } else {
            return Ok(());
        };
        Err(EngineError::InvalidReport {
            report: report.name(),
            problem,
        })
    }

    /// Let an order that the gate took leave for its venue.
    pub(crate) fn send_away(
        &mut self,
        ts: i64,
        mut order: Order,
        outcome: Outcome,
        breach: Option<&Breach>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        order.remote = true;
        advance(&mut order, OrderStatus::Submitted);
        self.insert(&order)?;
        out.push(Output::OrderSubmitted(order));
        out.push(verdict_on(ts, order.id, outcome, breach));
        Ok(())
    }

    /// Ask a venue to cancel an order, once.
    pub(crate) fn request_cancel(
        &mut self,
        ts: i64,
        order: &Order,
        reason: Reason,
        out: &mut Vec<Output>,
    ) {
        if self.remote.cancelling.contains_key(&order.id) {
            return;
        }
        self.remote.cancelling.insert(order.id, reason);
        out.push(Output::CancelRequested {
            ts,
            order: order.id,
            reason,
        });
    }

    /// Keep the targets of a sleeve until the orders of its last ones have ended at their venues;
    /// whether that is needed.
    pub(crate) fn defer_targets(&mut self, sleeve: usize, targets: &[(usize, i64)]) -> bool {
        self.remote.targets.remove(&sleeve);
        let waits = !self.book.targets_of(sleeve).is_empty();
        if waits {
            self.remote.targets.insert(sleeve, targets.to_vec());
        }
        waits
    }

    /// Whether a venue has yet to say that orders of a sleeve are cancelled.
    pub(crate) fn awaits_cancels(&self, sleeve: usize) -> bool {
        let mut asked = self.remote.cancelling.keys();
        asked.any(|id| self.order(*id).is_some_and(|order| order.sleeve == sleeve))
    }

    pub(crate) fn receive_report(
        &mut self,
        ts: i64,
        report: &Report,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let was_used = match report {
            Report::Accepted { order } => self.confirm(*order, out),
            Report::Rejected { order } => self.end_outside(ts, *order, Ending::Rejected, out)?,
            Report::Cancelled { order } => self.end_outside(ts, *order, Ending::Cancelled, out)?,
            Report::Expired { order } => self.end_outside(ts, *order, Ending::Expired, out)?,
            Report::CancelRejected { order } => self.keep_working(ts, *order, out),
            Report::Unknown { order } => self.lose_sight(ts, *order, out),
            Report::Filled(execution) => self.receive_execution(ts, execution, out)?,
            Report::Busted(execution) => self.take_back(ts, execution, out)?,
        };
        if !was_used {
            let order = match report {
                Report::Accepted { order }
                | Report::Rejected { order }
                | Report::Cancelled { order }
                | Report::Expired { order }
                | Report::CancelRejected { order }
                | Report::Unknown { order } => Some(*order),
                Report::Filled(execution) | Report::Busted(execution) => execution.order,
            };
            out.push(Output::ReportIgnored {
                ts,
                report: report.name().to_owned(),
                order,
            });
        }
        self.book.sweep();
        Ok(())
    }

    fn outside(&self, id: u64) -> Option<(usize, Order)> {
        let slot = self.book.find(id)?;
        let order = self.book.get(slot).filter(|order| order.remote)?;
        Some((slot, *order))
    }

    fn confirm(&mut self, id: u64, out: &mut Vec<Output>) -> bool {
        let Some((slot, mut order)) = self.outside(id) else {
            return false;
        };
        if !order.is_unconfirmed() {
            return false;
        }
        advance(&mut order, OrderStatus::Accepted);
        if let Some(found) = self.book.get_mut(slot) {
            found.status = order.status;
        }
        out.push(Output::OrderAccepted(order));
        true
    }

    fn lose_sight(&mut self, ts: i64, id: u64, out: &mut Vec<Output>) -> bool {
        let Some((slot, order)) = self.outside(id) else {
            return false;
        };
        if order.status != OrderStatus::Submitted {
            return false;
        }
        if let Some(found) = self.book.get_mut(slot) {
            advance(found, OrderStatus::Unknown);
        }
        out.push(Output::OrderUnknown { ts, order: id });
        true
    }

    fn keep_working(&mut self, ts: i64, id: u64, out: &mut Vec<Output>) -> bool {
        if self.remote.cancelling.remove(&id).is_none() {
            return false;
        }
        out.push(Output::CancelRejected { ts, order: id });
        true
    }

    fn end_outside(
        &mut self,
        ts: i64,
        id: u64,
        ending: Ending,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let Some((slot, mut order)) = self.outside(id) else {
            return Ok(false);
        };
        let asked = self.remote.cancelling.remove(&id);
        match ending {
            Ending::Rejected if order.is_unconfirmed() => {
                self.finish(slot, OrderStatus::Rejected)?;
                advance(&mut order, OrderStatus::Rejected);
                let rule = Rule::Venue;
                out.push(Output::OrderRejected { order, rule });
                self.count_refused(ts, rule);
            }
            // It had been accepted: what the venue calls a rejection then takes it off the market.
            Ending::Rejected | Ending::Cancelled => {
                self.finish(slot, OrderStatus::Cancelled)?;
                out.push(Output::OrderCancelled {
                    ts,
                    order: id,
                    reason: asked.unwrap_or(Reason::Venue),
                });
            }
            Ending::Expired => {
                let reason = match order.tif {
                    TimeInForce::Day => Reason::Day,
                    TimeInForce::Gtd => Reason::Gtd,
                    TimeInForce::Ioc => Reason::Ioc,
                    TimeInForce::Fok => Reason::Fok,
                    TimeInForce::Gtc => Reason::Venue,
                };
                self.finish(slot, OrderStatus::Expired)?;
                out.push(Output::OrderExpired {
                    ts,
                    order: id,
                    reason,
                });
            }
        }
        self.after_outside(ts, &order, order.status == OrderStatus::Rejected, out)?;
        Ok(true)
    }

    fn receive_execution(
        &mut self,
        ts: i64,
        execution: &Execution,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let instrument = execution.instrument;
        let venue = self.config.instruments[instrument].venue;
        let name = (venue, false, execution.trade.as_str().into());
        if self.remote.knows(&name) {
            return Ok(false);
        }
        self.remote.learn(name);
        let of = execution
            .order
            .and_then(|id| self.outside(id))
            .filter(|(_, order)| {
                (order.sleeve, order.instrument, order.side, order.leg)
                    == (execution.sleeve, instrument, execution.side, execution.leg)
            });
        let mut rest = execution.clone();
        if let Some((slot, order)) = of {
            self.confirm(order.id, out);
            let quantity = execution.quantity.min(order.unfilled());
            self.book_fill(
                slot,
                ts,
                quantity,
                execution.price,
                execution.fee,
                0,
                FillKind::Trade,
                execution.liquidity,
                out,
            )?;
            rest.quantity -= quantity;
            rest.fee = 0;
            if !self.book.is_in(slot, order.id) {
                self.remote.cancelling.remove(&order.id);
            }
        }
        if rest.quantity > 0 {
            self.book_outside(ts, &rest, FillKind::External, out)?;
        }
        if let Some((_, order)) = of {
            self.after_outside(ts, &order, false, out)?;
        }
        self.after_trade(ts, execution, out)?;
        Ok(true)
    }

    /// Undo a trade that is known; one that comes later by the same name is then known too.
    fn take_back(&mut self, ts: i64, execution: &Execution, out: &mut Vec<Output>) -> Result<bool> {
        let venue = self.config.instruments[execution.instrument].venue;
        let made = (venue, false, execution.trade.as_str().into());
        let undone = (venue, true, execution.trade.as_str().into());
        if self.remote.knows(&undone) {
            return Ok(false);
        }
        let was_made = self.remote.knows(&made);
        self.remote.learn(undone);
        if !was_made {
            self.remote.learn(made);
            return Ok(false);
        }
        let reversed = Execution {
            side: execution.side.opposite(),
            fee: -execution.fee,
            ..execution.clone()
        };
        self.book_outside(ts, &reversed, FillKind::Bust, out)?;
        self.after_trade(ts, &reversed, out)?;
        Ok(true)
    }

    /// Book a trade that is of no order that works.
    fn book_outside(
        &mut self,
        ts: i64,
        execution: &Execution,
        kind: FillKind,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let (sleeve, instrument) = (execution.sleeve, execution.instrument);
        if self.mark(instrument).is_none() {
            self.change_mark(ts, instrument, execution.price)?;
        }
        let fill = Fill {
            order: execution
                .order
                .filter(|id| (1..=self.last_order).contains(id)),
            leg: execution.leg.index(),
            price: execution.price,
            fee: execution.fee,
            kind,
            liquidity: execution.liquidity,
            ..self.plain_fill(ts, sleeve, instrument, execution.side, execution.quantity)
        };
        let mark = self.mark(instrument).unwrap_or(execution.price);
        self.book_trade(&fill, mark)?;
        out.push(Output::OrderFilled(fill));
        Ok(())
    }

    /// What a position that a venue has changed leads to.
    fn after_trade(&mut self, ts: i64, execution: &Execution, out: &mut Vec<Output>) -> Result<()> {
        let (sleeve, instrument) = (execution.sleeve, execution.instrument);
        if self.guard.is_flattening() {
            self.flatten_line(ts, sleeve, instrument, execution.leg, out)?;
        }
        self.trim(ts, execution, out);
        self.check_margins_of(ts, instrument, out)
    }

    /// What waited for an order to end at its venue goes on.
    fn after_outside(
        &mut self,
        ts: i64,
        order: &Order,
        was_rejected: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if self.book.find(order.id).is_some() {
            return Ok(());
        }
        self.book.sweep();
        self.check_margin(ts, order.sleeve, out)?;
        if self.guard.is_flattening() {
            if was_rejected {
                // It would be again, for as long as the venue answers: that is for people.
                return Ok(());
            }
            return self.flatten_line(ts, order.sleeve, order.instrument, order.leg, out);
        }
        if self.remote.targets.contains_key(&order.sleeve)
            && self.book.targets_of(order.sleeve).is_empty()
            && let Some(targets) = self.remote.targets.remove(&order.sleeve)
        {
            self.apply_targets(ts, order.sleeve, &targets, out)?;
        }
        Ok(())
    }

    /// Ask for the cancel of orders that may only reduce and together would take more off a
    /// position than there is, the newest first.
    fn trim(&mut self, ts: i64, execution: &Execution, out: &mut Vec<Output>) {
        if self.is_exchange(execution.instrument) {
            return;
        }
        for side in [Side::Buy, Side::Sell] {
            let (sleeve, leg) = (execution.sleeve, execution.leg);
            self.trim_side(ts, (sleeve, execution.instrument, leg), side, out);
        }
    }

    fn trim_side(
        &mut self,
        ts: i64,
        (sleeve, instrument, leg): (usize, usize, Leg),
        side: Side,
        out: &mut Vec<Output>,
    ) {
        let mut excess = self.excess(sleeve, instrument, leg, side);
        for slot in self.book.slots_of(instrument).into_iter().rev() {
            if excess <= 0 {
                return;
            }
            let Some(order) = self.book.get(slot).copied() else {
                continue;
            };
            let is_there = order.remote
                && (order.sleeve, order.leg, order.side) == (sleeve, leg, side)
                && self.must_reduce(&order);
            if is_there {
                excess -= order.unfilled();
                self.request_cancel(ts, &order, Reason::ReduceOnly, out);
            }
        }
    }

    /// By how much orders of a side in flight exceed the position that they are against.
    fn excess(&self, sleeve: usize, instrument: usize, leg: Leg, side: Side) -> i64 {
        let line = self.exposure.line(sleeve, instrument, leg.index());
        let (against, in_flight) = match side {
            Side::Buy => (line.held.saturating_neg(), line.buys),
            Side::Sell => (line.held, line.sales),
        };
        in_flight.saturating_sub(against.max(0))
    }

    /// Whether an order at a venue outside may go on working where nothing may be enlarged: with
    /// all that is in flight beside it, it does no more than close the position.
    pub(crate) fn only_closes(&self, order: &Order) -> bool {
        self.excess(order.sleeve, order.instrument, order.leg, order.side) <= 0
    }
}

/// How a venue ends an order that did not fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Rejected,
    Cancelled,
    Expired,
}
