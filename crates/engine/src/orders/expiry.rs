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
    pub(crate) fn settle_due(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        while let Some((time, id)) = self.book.next_expiry().filter(|next| next.0 <= ts) {
            self.expire_at_date(id, time, out)?;
        }
        Ok(())
    }
}
