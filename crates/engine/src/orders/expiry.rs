//! Orders that end at a time of their own: `docs/engine/orders.md`, section 6.

use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::{OrderStatus, Reason};
use crate::output::Output;

impl Engine {
    /// Expire an order that is good till a date, at that date.
    pub(crate) fn expire_at_date(
        &mut self,
        id: u64,
        time: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(slot) = self.book.find(id) {
            self.expire(time, slot, Reason::Gtd, out)?;
            self.book.sweep();
        }
        Ok(())
    }

    pub(crate) fn expire(
        &mut self,
        ts: i64,
        slot: usize,
        reason: Reason,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let Some(order) = self.book.get(slot).copied() {
            self.finish(slot, OrderStatus::Expired)?;
            out.push(Output::OrderExpired {
                ts,
                order: order.id,
                reason,
            });
            self.after_end(ts, &order, out)?;
        }
        Ok(())
    }

    /// Do what was due up to and with `ts`, before anything of that time is applied.
    #[inline]
    pub(crate) fn settle_due(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        let is_due = |next: Option<(i64, u64)>| next.is_some_and(|next| next.0 <= ts);
        if is_due(self.book.next_expiry()) || is_due(self.transit.next()) {
            return self.settle_due_now(ts, out);
        }
        Ok(())
    }

    fn settle_due_now(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        loop {
            let expiry = self.book.next_expiry().filter(|next| next.0 <= ts);
            let arrival = self.transit.next().filter(|next| next.0 <= ts);
            match (expiry, arrival) {
                (None, None) => return Ok(()),
                // Of the same time, what expires goes first.
                (Some((time, id)), arrival) if arrival.is_none_or(|next| time <= next.0) => {
                    self.expire_at_date(id, time, out)?;
                }
                _ => self.deliver(out)?,
            }
        }
    }
}
