//! How an order comes into the book, or does not.

use crate::engine::Engine;
use crate::gate::Breach;
use crate::input::OrderRequest;
use crate::numbers::Result;
use crate::order::{Order, OrderKind, OrderStatus, Origin, Reason, Side};
use crate::orders::reference_of;
use crate::output::{Figure, Outcome, Output, Rule, Verdict};

impl Engine {
    /// Place a strategy's order: whole or not at all.
    pub(crate) fn place(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let tick = self.config.instruments[request.instrument].tick_size;
        let mark = self.mark(request.instrument);
        let reference = reference_of(request, mark, tick).unwrap_or(0);
        if request.side == Side::Buy {
            self.update_caps()?;
        }
        match self.first_breach(ts, request, reference)? {
            None => self.accept(
                ts,
                request,
                reference,
                Origin::Strategy,
                Outcome::Accepted,
                None,
                out,
            ),
            Some(breach) => {
                self.reject(
                    ts,
                    request,
                    Origin::Strategy,
                    breach.rule,
                    breach.figure,
                    breach.limit,
                    out,
                );
                Ok(())
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one record of what was decided, used three times"
    )]
    pub(crate) fn accept(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        reference: i64,
        origin: Origin,
        outcome: Outcome,
        breach: Option<Breach>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut order = self.new_order(ts, request, origin);
        order.reference = reference;
        if order.kind == OrderKind::TrailingStop {
            order.trigger_price = Some(reference);
        }
        advance(&mut order, OrderStatus::Accepted);
        let mark = self
            .mark(order.instrument)
            .expect("an accepted order has a price");
        order.adverse = adverse(order.side, reference, mark);
        let hold = self.exposure.hold_of(&self.config, &order)?;
        self.exposure.in_flight_changed(&order, hold, mark, 1)?;
        self.book.insert(order, hold);
        out.push(Output::OrderAccepted(order));
        out.push(Output::Verdict(Verdict {
            ts,
            order: order.id,
            rule: breach.map_or(Rule::All, |b| b.rule),
            figure: breach.map_or(Figure::None, |b| b.figure),
            limit: breach.map_or(Figure::None, |b| b.limit),
            outcome,
        }));
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one record of what was decided, used four times"
    )]
    pub(crate) fn reject(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        origin: Origin,
        rule: Rule,
        figure: Figure,
        limit: Figure,
        out: &mut Vec<Output>,
    ) {
        let mut order = self.new_order(ts, request, origin);
        advance(&mut order, OrderStatus::Rejected);
        out.push(Output::OrderRejected { order, rule });
        let outcome = Outcome::Rejected;
        out.push(Output::Verdict(Verdict {
            ts,
            order: order.id,
            rule,
            figure,
            limit,
            outcome,
        }));
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

/// Move an order on; an illegal step is a programmer's mistake.
pub(crate) fn advance(order: &mut Order, next: OrderStatus) {
    debug_assert!(
        order.status.may_become(next),
        "{:?} -> {next:?}",
        order.status
    );
    order.status = next;
}
