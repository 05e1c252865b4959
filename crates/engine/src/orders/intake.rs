//! How an order comes into the book, or does not.

use crate::engine::Engine;
use crate::gate::{Breach, Occasion};
use crate::input::OrderRequest;
use crate::models::LatencyKind;
use crate::numbers::Result;
use crate::order::{Order, OrderKind, OrderStatus, Origin, Reason, Side};
use crate::orders::reference_of;
use crate::output::{Figure, Outcome, Output, Rule, Verdict, say};
use crate::transit::{Errand, Message};

impl Engine {
    /// Place a strategy's order: whole or not at all.
    #[inline(never)]
    pub(crate) fn place(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        match self.judge(ts, request, Occasion::New)? {
            None => {
                let order = self.new_order(ts, request, Origin::Strategy);
                self.admit(ts, order, Outcome::Accepted, None, out)
            }
            Some(breach) => {
                let order = self.new_order(ts, request, Origin::Strategy);
                self.refuse(ts, order, &breach, out);
                Ok(())
            }
        }
    }

    /// The price at which an order is measured; 0 where there is none, which the gate refuses.
    #[inline]
    pub(crate) fn reference_now(&self, request: &OrderRequest) -> i64 {
        let tick = self.config.instruments[request.instrument].tick_size;
        reference_of(request, self.mark(request.instrument), tick).unwrap_or(0)
    }

    /// Fix the price at which an order counts, and what it would lose against the mark.
    #[inline(always)]
    pub(crate) fn measure(&self, order: &mut Order) {
        let mark = self.mark_of(order);
        order.reference = if order.kind.is_triggered() {
            self.reference_of_trigger(order)
        } else {
            order.limit_price.unwrap_or(mark)
        };
        order.adverse = adverse(order.side, order.reference, mark);
    }

    #[inline(never)]
    fn reference_of_trigger(&self, order: &Order) -> i64 {
        self.reference_now(&order.request())
    }

    /// Put what the gate took into the book, on its way or at work at once.
    pub(crate) fn admit(
        &mut self,
        ts: i64,
        mut order: Order,
        outcome: Outcome,
        breach: Option<&Breach>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.take_terms(ts, &mut order);
        if self.is_remote(order.instrument) {
            return self.send_away(ts, order, outcome, breach, out);
        }
        // A list travels as one, as its first order would alone.
        let first = order.group.unwrap_or(order.id);
        order.arrival = self.arrival_of(ts, order.instrument, first, LatencyKind::Submit);
        if order.arrival > ts {
            advance(&mut order, OrderStatus::Submitted);
            self.insert(&order)?;
            self.transit.send(Message {
                at: order.arrival,
                order: order.id,
                errand: Errand::Submit,
            });
            out.push(Output::OrderSubmitted(order));
            out.push(verdict_on(ts, order.id, outcome, breach));
            return Ok(());
        }
        self.work(ts, &mut order, outcome, breach, out)
    }

    /// Take in an order that is at its venue already, in the place of another.
    pub(crate) fn admit_there(
        &mut self,
        ts: i64,
        mut order: Order,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.take_terms(ts, &mut order);
        order.arrival = ts;
        self.work(ts, &mut order, Outcome::Accepted, None, out)
    }

    /// Count an order that the gate let through, and fix what it is measured by.
    #[inline(always)]
    fn take_terms(&mut self, ts: i64, order: &mut Order) {
        if order.origin != Origin::Liquidation {
            self.remember(ts, order);
            self.count_sent(ts, order.sleeve);
        }
        self.measure(order);
        if order.kind == OrderKind::TrailingStop {
            order.trigger_price = Some(order.reference);
        }
    }

    /// Let an order work at its venue from now on.
    #[inline(never)]
    fn work(
        &mut self,
        ts: i64,
        order: &mut Order,
        outcome: Outcome,
        breach: Option<&Breach>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        advance(order, OrderStatus::Accepted);
        let slot = self.insert(order)?;
        // Named anew, the status lets the order be copied once, to where it stays.
        let accepted = || Order {
            status: OrderStatus::Accepted,
            ..*order
        };
        say(out, || Output::OrderAccepted(accepted()));
        match breach {
            None => say(out, || verdict_on(ts, order.id, outcome, None)),
            Some(_) => say(out, || verdict_on(ts, order.id, outcome, breach)),
        }
        self.activated.push((order.id, slot));
        Ok(())
    }

    /// Add an order to the book and to what is in flight.
    #[inline]
    pub(crate) fn insert(&mut self, order: &Order) -> Result<usize> {
        let hold = self.hold_of(order)?;
        let mark = self.mark_of(order);
        self.exposure.in_flight_changed(order, hold, mark, 1)?;
        Ok(self.book.insert(order, hold))
    }

    /// Give a working order other terms, with what it has in flight.
    pub(crate) fn change(&mut self, slot: usize, order: Order) -> Result<()> {
        let Some(before) = self.book.get(slot).copied() else {
            return Ok(());
        };
        let mark = self.mark_of(&order);
        let hold = self.book.hold(slot);
        self.exposure.in_flight_changed(&before, hold, mark, -1)?;
        let hold = self.hold_of(&order)?;
        self.exposure.in_flight_changed(&order, hold, mark, 1)?;
        if before.waits_for_trigger()
            && (before.trigger_price, before.trail) != (order.trigger_price, order.trail)
        {
            self.unwatch(&before);
        }
        if before.expire_at != order.expire_at {
            self.book
                .move_expiry(order.id, before.expire_at, order.expire_at);
        }
        self.book.replace(slot, order, hold);
        if order.unfilled() == 0 {
            self.floor.leave(order.instrument, slot);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn mark_of(&self, order: &Order) -> i64 {
        self.mark(order.instrument)
            .expect("an order that the gate took has a price")
    }

    /// Say that the gate refused an order that never was in the book.
    pub(crate) fn refuse(
        &mut self,
        ts: i64,
        mut order: Order,
        breach: &Breach,
        out: &mut Vec<Output>,
    ) {
        self.count_asked(ts, Some(breach.rule));
        advance(&mut order, OrderStatus::Rejected);
        out.push(Output::OrderRejected {
            order,
            rule: breach.rule,
        });
        out.push(verdict_on(ts, order.id, Outcome::Rejected, Some(breach)));
    }

    pub(crate) fn new_order(&mut self, ts: i64, request: &OrderRequest, origin: Origin) -> Order {
        self.last_order += 1;
        Order {
            id: self.last_order,
            ts,
            arrival: ts,
            sleeve: request.sleeve,
            instrument: request.instrument,
            side: request.side,
            kind: request.kind,
            tif: request.tif,
            limit_price: request.limit_price,
            trigger_price: request.trigger_price,
            trail: request.trail,
            trigger_by: request.trigger_by,
            expire_at: request.expire_at,
            display_quantity: request.display_quantity,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            leg: request.leg,
            origin,
            quantity: request.quantity,
            filled: 0,
            reference: 0,
            adverse: 0,
            status: OrderStatus::Initialised,
            due: false,
            triggered: false,
            rested: false,
            reason: Reason::Day,
            parent: None,
            children: 0,
            group: None,
            counted: true,
            remote: false,
        }
    }
}

/// By how much a price is worse than the mark.
pub(crate) fn adverse(side: Side, price: i64, mark: i64) -> i64 {
    match side {
        Side::Buy => price.saturating_sub(mark).max(0),
        Side::Sell => mark.saturating_sub(price).max(0),
    }
}

/// A refusal without figures.
pub(crate) fn plain_breach(rule: Rule) -> Breach {
    Breach {
        rule,
        figure: Figure::None,
        limit: Figure::None,
        most: 0,
    }
}

/// What the gate said of an order; without a breach all rules passed.
#[inline(always)]
pub(crate) fn verdict_on(ts: i64, order: u64, outcome: Outcome, breach: Option<&Breach>) -> Output {
    Output::Verdict(Verdict {
        ts,
        order,
        rule: breach.map_or(Rule::All, |b| b.rule),
        figure: breach.map_or(Figure::None, |b| b.figure),
        limit: breach.map_or(Figure::None, |b| b.limit),
        outcome,
    })
}

/// Move an order on; an illegal step is a programmer's mistake.
pub(crate) fn advance(order: &mut Order, next: OrderStatus) {
    debug_assert!(
        order.status.may_become(next),
        "{:?} -> {next:?}",
        order.status
    );
    order.status = next;
}
