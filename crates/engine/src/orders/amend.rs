//! Orders that change, and orders that take the place of others: `docs/engine/orders.md`, section 8.

use crate::engine::Engine;
use crate::gate::{Breach, Occasion};
use crate::input::{Amendment, OrderRequest};
use crate::market::DataKind;
use crate::numbers::Result;
use crate::order::{Order, OrderKind, OrderStatus, Origin, Reason};
use crate::orders::intake::{plain_breach, verdict_on};
use crate::output::{Figure, Outcome, Output, Rule};

impl Engine {
    /// Give a working order new terms, if the gate takes it with them.
    pub(crate) fn amend(
        &mut self,
        ts: i64,
        amendment: &Amendment,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let id = amendment.order;
        let Some(slot) = self.book.find(id) else {
            let rule = Rule::Unknown;
            out.push(Output::AmendRejected {
                ts,
                order: id,
                rule,
            });
            return Ok(());
        };
        let before = *self.book.get(slot).expect("a slot that was found");
        let mut after = Order {
            quantity: amendment.quantity.unwrap_or(before.quantity),
            limit_price: amendment.limit_price.or(before.limit_price),
            trigger_price: amendment.trigger_price.or(before.trigger_price),
            trail: amendment.trail.or(before.trail),
            expire_at: amendment.expire_at.or(before.expire_at),
            ..before
        };
        if let Some(breach) = self.amendment_breach(ts, slot, amendment, &before, &after)? {
            out.push(Output::AmendRejected {
                ts,
                order: id,
                rule: breach.rule,
            });
            out.push(verdict_on(ts, id, Outcome::Rejected, Some(&breach)));
            self.count_asked(ts, Some(breach.rule));
            return Ok(());
        }
        let anew = !only_lowers(&before, &after);
        if anew {
            self.renew(ts, &before, &mut after);
        }
        self.change(slot, after)?;
        if let Some(group) = after.group {
            self.count_largest(group)?;
        }
        let order = *self.book.get(slot).expect("an order that stays");
        self.count_sent(ts, order.sleeve);
        out.push(Output::OrderAmended { ts, order });
        out.push(verdict_on(ts, id, Outcome::Accepted, None));
        let is_event = self.config.instruments[order.instrument].matching != DataKind::Bars;
        if anew && is_event && order.is_at_venue() {
            self.activated.push((id, slot));
        }
        Ok(())
    }

    /// Terms that are measured anew when an order comes to the venue again.
    fn renew(&self, ts: i64, before: &Order, after: &mut Order) {
        self.measure(after);
        if after.kind == OrderKind::TrailingStop && after.trail != before.trail {
            after.trigger_price = Some(after.reference);
        }
        after.arrival = ts;
        after.rested = false;
    }

    fn amendment_breach(
        &mut self,
        ts: i64,
        slot: usize,
        amendment: &Amendment,
        before: &Order,
        after: &Order,
    ) -> Result<Option<Breach>> {
        if before.remote {
            return Ok(Some(plain_breach(Rule::Venue)));
        }
        let lot = self.config.instruments[before.instrument].lot_size;
        if after.unfilled() <= 0 || after.unfilled() % lot != 0 {
            let floor = if after.unfilled() <= 0 {
                before.filled
            } else {
                lot
            };
            return Ok(Some(Breach {
                rule: Rule::Lot,
                figure: Figure::Quantity(after.quantity),
                limit: Figure::Quantity(floor),
                most: 0,
            }));
        }
        let is_linked = before.group.is_some() || before.parent.is_some();
        if is_linked && after.quantity != before.quantity {
            return Ok(Some(plain_breach(Rule::Linked)));
        }
        let moves_trigger = amendment.trigger_price.is_some()
            && (before.triggered || before.kind == OrderKind::TrailingStop);
        if moves_trigger || (amendment.trail.is_some() && before.triggered) {
            return Ok(Some(plain_breach(Rule::Trigger)));
        }
        if only_lowers(before, after) {
            return Ok(None);
        }
        let request = after.request();
        if before.status == OrderStatus::Held {
            return Ok(self.child_breach(ts, &request));
        }
        let lifted = self.lift(slot)?;
        let past = self.past_of(before);
        let breach = self.judge_again(ts, &request, Occasion::Amend, past)?;
        self.put_back(lifted)?;
        Ok(breach)
    }

    /// Take what an order, or its group, has in flight out of all sums.
    fn lift(&mut self, slot: usize) -> Result<Option<usize>> {
        let group = self.book.get(slot).and_then(|order| order.group);
        let counted = match group {
            None => Some(slot),
            Some(group) => self
                .members(group)
                .as_slice()
                .iter()
                .copied()
                .find(|slot| self.book.get(*slot).is_some_and(|order| order.counted)),
        };
        if let Some(slot) = counted {
            self.weigh(slot, -1)?;
        }
        Ok(counted)
    }

    fn put_back(&mut self, counted: Option<usize>) -> Result<()> {
        match counted {
            Some(slot) => self.weigh(slot, 1),
            None => Ok(()),
        }
    }

    fn weigh(&mut self, slot: usize, sign: i8) -> Result<()> {
        let Some(order) = self.book.get(slot).copied() else {
            return Ok(());
        };
        let hold = self.book.hold(slot);
        let mark = self.mark_of(&order);
        self.exposure.in_flight_changed(&order, hold, mark, sign)
    }

    /// Let the member of a group that holds most be the one that counts.
    fn count_largest(&mut self, group: u64) -> Result<()> {
        let members = self.members(group);
        let mut largest: Option<(i128, usize)> = None;
        for &slot in members.as_slice() {
            let is_held = self
                .book
                .get(slot)
                .is_some_and(|order| order.status == OrderStatus::Held);
            let hold = self.book.hold(slot);
            if !is_held && largest.is_none_or(|(most, _)| hold > most) {
                largest = Some((hold, slot));
            }
        }
        for &slot in members.as_slice() {
            let counted = largest.is_some_and(|(_, largest)| largest == slot);
            let Some(order) = self.book.get(slot).copied() else {
                continue;
            };
            if order.counted != counted {
                self.change(slot, Order { counted, ..order })?;
            }
        }
        Ok(())
    }

    /// Put a new order in the place of a working one, or leave both as they are.
    pub(crate) fn replace(
        &mut self,
        ts: i64,
        id: u64,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let old = self.book.find(id);
        let breach = match old.and_then(|slot| self.book.get(slot)).copied() {
            None => Some(plain_breach(Rule::Unknown)),
            Some(order) if order.remote => Some(plain_breach(Rule::Venue)),
            Some(order) if !may_be_replaced(&order, request) => Some(plain_breach(Rule::Linked)),
            Some(_) => {
                let slot = old.expect("the order that was found");
                let lifted = self.lift(slot)?;
                let breach = self.judge(ts, request, Occasion::New)?;
                self.put_back(lifted)?;
                breach
            }
        };
        if let Some(breach) = breach {
            let order = self.new_order(ts, request, Origin::Strategy);
            self.refuse(ts, order, &breach, out);
            return Ok(());
        }
        if let Some(slot) = old {
            self.cancel(ts, slot, Reason::Replaced, out)?;
        }
        let order = self.new_order(ts, request, Origin::Strategy);
        self.admit_there(ts, order, out)?;
        self.book.sweep();
        Ok(())
    }
}

/// Whether nothing changes but the quantity, downwards, or nothing at all.
fn only_lowers(before: &Order, after: &Order) -> bool {
    let same = Order {
        quantity: before.quantity,
        ..*after
    };
    same == *before && after.quantity <= before.quantity
}

fn may_be_replaced(order: &Order, request: &OrderRequest) -> bool {
    order.group.is_none()
        && order.parent.is_none()
        && order.children == 0
        && (order.sleeve, order.instrument, order.side, order.leg)
            == (
                request.sleeve,
                request.instrument,
                request.side,
                request.leg,
            )
}
