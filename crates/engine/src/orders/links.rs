//! What fills and ends of an order do to the orders that hang on it: `docs/engine/orders.md`,
//! section 7.

use crate::engine::Engine;
use crate::gate::{Breach, Occasion, Priced};
use crate::input::OrderRequest;
use crate::numbers::Result;
use crate::order::{Leg, Order, OrderKind, OrderStatus, Reason, Side};
use crate::orders::intake::{advance, verdict_on};
use crate::orders::lists::LIST_MAX;
use crate::output::{Outcome, Output};

/// Slots of a few orders, in order of id.
#[derive(Clone, Copy)]
pub(crate) struct Few {
    slots: [usize; LIST_MAX],
    count: usize,
}

impl Few {
    fn new() -> Self {
        Self {
            slots: [0; LIST_MAX],
            count: 0,
        }
    }

    fn push(&mut self, slot: usize) {
        self.slots[self.count] = slot;
        self.count += 1;
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        &self.slots[..self.count]
    }
}

impl Engine {
    /// The working orders of a group, whose ids are next to each other.
    pub(crate) fn members(&self, group: u64) -> Few {
        self.few(group, |order| order.group == Some(group))
    }

    fn few(&self, first: u64, is_one: impl Fn(&Order) -> bool) -> Few {
        let mut few = Few::new();
        for id in (first..).take(LIST_MAX) {
            let slot = self.book.find(id);
            if let Some(slot) = slot.filter(|slot| self.book.get(*slot).is_some_and(&is_one)) {
                few.push(slot);
            }
        }
        few
    }

    fn children_of(&self, parent: &Order) -> Few {
        if parent.children == 0 {
            return Few::new();
        }
        self.few(parent.id + 1, |order| order.parent == Some(parent.id))
    }

    /// Whether an order may still be enlarged by its parent.
    pub(crate) fn has_working_parent(&self, order: &Order) -> bool {
        order.parent.is_some_and(|id| self.book.find(id).is_some())
    }

    /// Whether an order may only take off a position.
    pub(crate) fn must_reduce(&self, order: &Order) -> bool {
        self.only_reduces(order)
            || matches!(
                (order.leg, order.side),
                (Leg::Long, Side::Sell) | (Leg::Short, Side::Buy)
            )
    }

    /// What an order may take off the position that it works on.
    pub(crate) fn reducible(&self, order: &Order) -> Result<i64> {
        self.room(&OrderRequest {
            reduce_only: true,
            ..order.request()
        })
    }

    /// Whether fills of an order lead to nothing else.
    #[inline]
    pub(crate) fn is_alone(&self, order: &Order) -> bool {
        order.group.is_none() && order.children == 0 && !self.must_reduce(order)
    }

    /// After `quantity` of an order was filled, as it is now.
    pub(crate) fn after_fill(
        &mut self,
        ts: i64,
        order: &Order,
        quantity: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(group) = order.group {
            for &slot in self.members(group).as_slice() {
                self.reduce_sibling(ts, slot, order, quantity, out)?;
            }
        }
        if self.must_reduce(order)
            && self.reducible(order)? == 0
            && let Some(slot) = self.book.find(order.id)
        {
            self.cancel(ts, slot, Reason::ReduceOnly, out)?;
        }
        if order.children > 0 {
            self.fill_reaches_children(ts, order, quantity, out)?;
        }
        Ok(())
    }

    fn reduce_sibling(
        &mut self,
        ts: i64,
        slot: usize,
        filled: &Order,
        quantity: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(mut order) = self.book.get(slot).copied() else {
            return Ok(());
        };
        if order.id == filled.id || order.status == OrderStatus::Held {
            return Ok(());
        }
        order.quantity -= quantity;
        self.change(slot, order)?;
        if order.unfilled() == 0 && !self.has_working_parent(&order) {
            return self.cancel(ts, slot, Reason::Linked, out);
        }
        out.push(Output::OrderAmended { ts, order });
        Ok(())
    }

    /// After an order was cancelled or expired.
    pub(crate) fn after_end(
        &mut self,
        ts: i64,
        order: &Order,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(group) = order.group {
            for &slot in self.members(group).as_slice() {
                self.cancel(ts, slot, Reason::Linked, out)?;
            }
        }
        for &slot in self.children_of(order).as_slice() {
            let ends = self
                .book
                .get(slot)
                .is_some_and(|child| child.status == OrderStatus::Held || child.unfilled() == 0);
            if ends {
                self.cancel(ts, slot, Reason::Linked, out)?;
            }
        }
        Ok(())
    }

    fn fill_reaches_children(
        &mut self,
        ts: i64,
        parent: &Order,
        quantity: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let children = self.children_of(parent);
        let mut rest = children.as_slice();
        while let Some(&slot) = rest.first() {
            let group = self.book.get(slot).and_then(|child| child.group);
            let size = if group.is_some() { rest.len() } else { 1 };
            let (set, others) = rest.split_at(size);
            rest = others;
            match self.book.get(slot).map(|child| child.status) {
                Some(OrderStatus::Held) => self.release(ts, parent, set, out)?,
                Some(_) => self.enlarge(ts, quantity, set, out)?,
                None => {}
            }
        }
        if parent.unfilled() == 0 {
            self.end_of_enlarging(ts, parent, out)?;
        }
        Ok(())
    }

    /// The parent is filled: what has nothing left to fill is done.
    fn end_of_enlarging(&mut self, ts: i64, parent: &Order, out: &mut Vec<Output>) -> Result<()> {
        for &slot in self.children_of(parent).as_slice() {
            let Some(child) = self.book.get(slot).copied() else {
                continue;
            };
            if child.unfilled() > 0 {
                continue;
            }
            if child.filled > 0 {
                self.finish(slot, OrderStatus::Filled)?;
            } else {
                self.cancel(ts, slot, Reason::Linked, out)?;
            }
        }
        Ok(())
    }

    /// Let held children, alone or a group, work for what their parent has filled.
    fn release(
        &mut self,
        ts: i64,
        parent: &Order,
        set: &[usize],
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let (judged, granted) = self.judge_set(ts, set, parent.filled)?;
        let mut taken = Vec::new();
        for (&slot, breach) in set.iter().zip(&judged) {
            let Some(mut order) = self.book.get(slot).copied() else {
                continue;
            };
            if !is_refusal(breach.as_ref(), granted) {
                order.quantity = granted;
                order.arrival = ts;
                taken.push(order);
            }
        }
        let counted = self.largest_hold(&taken)?;
        // Until one is taken they are judged with what the parent has filled, then with its lots.
        let mut asked = parent.filled;
        for (&slot, breach) in set.iter().zip(&judged) {
            let Some(mut order) = self.book.get(slot).copied() else {
                continue;
            };
            if is_refusal(breach.as_ref(), granted) {
                let breach = breach.as_ref().expect("a refusal has a breach");
                self.book.remove(slot);
                order.quantity = asked;
                self.refuse(ts, order, breach, out);
                continue;
            }
            asked = granted;
            order.quantity = granted;
            order.arrival = ts;
            self.measure(&mut order);
            if order.kind == OrderKind::TrailingStop {
                order.trigger_price = Some(order.reference);
            }
            order.counted = order.group.is_none() || Some(order.id) == counted;
            advance(&mut order, OrderStatus::Accepted);
            self.change(slot, order)?;
            self.count_sent(ts, order.sleeve);
            out.push(Output::OrderAccepted(order));
            let outcome = outcome_of(breach.as_ref());
            out.push(verdict_on(ts, order.id, outcome, breach.as_ref()));
            self.activated.push((order.id, slot));
        }
        Ok(())
    }

    /// Let children that work already, alone or a group, work for more.
    fn enlarge(
        &mut self,
        ts: i64,
        quantity: i64,
        set: &[usize],
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let (judged, granted) = self.judge_set(ts, set, quantity)?;
        for (&slot, breach) in set.iter().zip(&judged) {
            if is_refusal(breach.as_ref(), granted)
                && let Some(order) = self.book.get(slot)
            {
                let refused = verdict_on(ts, order.id, Outcome::Rejected, breach.as_ref());
                out.push(refused);
                self.count_asked(ts, breach.as_ref().map(|breach| breach.rule));
                return Ok(());
            }
        }
        for (&slot, breach) in set.iter().zip(&judged) {
            let Some(mut order) = self.book.get(slot).copied() else {
                continue;
            };
            order.quantity += granted;
            self.change(slot, order)?;
            self.count_sent(ts, order.sleeve);
            out.push(Output::OrderAmended { ts, order });
            let outcome = outcome_of(breach.as_ref());
            out.push(verdict_on(ts, order.id, outcome, breach.as_ref()));
            self.activated.push((order.id, slot));
        }
        Ok(())
    }

    /// What the gate says of so much more of each order of a set, none of which counts for the
    /// others, and what it leaves: the first that it takes is sized, the rest are judged whole.
    fn judge_set(
        &mut self,
        ts: i64,
        set: &[usize],
        quantity: i64,
    ) -> Result<(Vec<Option<Breach>>, i64)> {
        let mut granted = None;
        let mut judged = Vec::with_capacity(set.len());
        for &slot in set {
            let Some(order) = self.book.get(slot).copied() else {
                judged.push(None);
                continue;
            };
            let mut request = order.request();
            request.quantity = granted.unwrap_or(quantity);
            request.display_quantity = order
                .display_quantity
                .map(|shown| shown.min(request.quantity));
            let mut past = self.past_of(&order);
            if order.status != OrderStatus::Held {
                // What it grows by is reserved at its own price, whatever the mark is by now.
                past.price = Some(Priced {
                    reference: order.reference,
                    adverse: order.adverse,
                });
            }
            let breach = self.judge_again(ts, &request, Occasion::Release, past)?;
            match &breach {
                None => granted = Some(request.quantity),
                Some(breach) if granted.is_none() && breach.most > 0 => granted = Some(breach.most),
                Some(_) => {}
            }
            judged.push(breach);
        }
        Ok((judged, granted.unwrap_or(0)))
    }
}

/// Whether the gate left an order less than its set was granted.
fn is_refusal(breach: Option<&Breach>, granted: i64) -> bool {
    breach.is_some_and(|breach| breach.most <= 0 || breach.most < granted)
}

fn outcome_of(breach: Option<&Breach>) -> Outcome {
    if breach.is_some() {
        Outcome::Cut
    } else {
        Outcome::Accepted
    }
}
