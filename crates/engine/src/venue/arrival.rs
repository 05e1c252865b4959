//! Orders that come to the venue: `docs/engine/matching.md`, section 3.

use crate::engine::Engine;
use crate::market::DataKind;
use crate::numbers::Result;
use crate::order::{Order, OrderKind, Reason, TimeInForce};
use crate::output::Output;
use crate::venue::desk::{Queue, Seat, Stand, key_of};
use crate::venue::floor::key_in;

impl Engine {
    /// An order has come to the venue of an event instrument, is released or changed there, or
    /// has triggered: it takes what it can and stands with the rest.
    pub(crate) fn arrive(&mut self, ts: i64, slot: usize, out: &mut Vec<Output>) -> Result<()> {
        let Some(order) = self.book.get(slot) else {
            return Ok(());
        };
        self.floor.leave(order.instrument, slot);
        if order.unfilled() == 0 {
            // A child whose parent may enlarge it.
            return Ok(());
        }
        if matches!(order.kind, OrderKind::OnOpen | OrderKind::OnClose) {
            let order = *order;
            self.sit(slot, &order, Queue::Auction);
            return Ok(());
        }
        let pit = &self.floor.pits[order.instrument];
        if pit.form.kind == DataKind::Trades {
            let is_immediate = matches!(order.tif, TimeInForce::Ioc | TimeInForce::Fok);
            if pit.standing.halted && is_immediate {
                return self.settle_down(ts, slot, out);
            }
            let queue = match order.limit_price {
                Some(_) => Queue::Fresh,
                None => Queue::Waiting,
            };
            let order = *order;
            self.sit(slot, &order, queue);
            if queue == Queue::Waiting {
                self.wants_volume(slot);
            }
            return Ok(());
        }
        if self.is_marketable(order) {
            if order.post_only {
                return self.cancel(ts, slot, Reason::PostOnly, out);
            }
            self.take(ts, slot, out)?;
        }
        if self.opened(slot).is_none() {
            return Ok(());
        }
        self.settle_down(ts, slot, out)
    }

    /// What becomes of an order that has taken what it could.
    pub(crate) fn settle_down(
        &mut self,
        ts: i64,
        slot: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.stay(ts, slot, None, out)
    }

    /// The same of an order that keeps its rank, if it had one.
    pub(crate) fn stay(
        &mut self,
        ts: i64,
        slot: usize,
        rank: Option<u64>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.open(slot) else {
            return Ok(());
        };
        match order.tif {
            TimeInForce::Ioc => self.cancel(ts, slot, Reason::Ioc, out),
            TimeInForce::Fok => self.cancel(ts, slot, Reason::Fok, out),
            TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd => {
                let queue = match order.limit_price {
                    Some(_) => Queue::Resting,
                    None => Queue::Waiting,
                };
                match rank {
                    Some(rank) => self.sit_at(slot, &order, queue, rank),
                    None => self.sit(slot, &order, queue),
                }
                if queue == Queue::Waiting {
                    self.wants_volume(slot);
                }
                Ok(())
            }
        }
    }

    /// An order without a limit still waits for somebody to trade with.
    pub(crate) fn wants_volume(&mut self, slot: usize) {
        if let Some(order) = self.book.get_mut(slot)
            && order.reason != Reason::PriceBand
        {
            order.reason = Reason::Volume;
        }
    }

    /// Whether the standing market has something for an order.
    fn is_marketable(&self, order: &Order) -> bool {
        let standing = &self.floor.pits[order.instrument].standing;
        if !standing.is_open() {
            return false;
        }
        let far = standing.far(order.side);
        far.is_some_and(|price| {
            order.limit_price.is_none_or(|limit| {
                key_of(order.side, Some(limit)) <= key_of(order.side, Some(price))
            })
        })
    }

    /// Give an order its place at the end of a queue.
    pub(crate) fn sit(&mut self, slot: usize, order: &Order, queue: Queue) {
        let rank = self.floor.pits[order.instrument].desk.next_rank();
        self.sit_at(slot, order, queue, rank);
    }

    /// Give an order its place by rank.
    fn sit_at(&mut self, slot: usize, order: &Order, queue: Queue, rank: u64) {
        let pit = &mut self.floor.pits[order.instrument];
        let mut seat = Seat {
            slot,
            ahead: 0,
            shown: order.display_quantity.unwrap_or(i64::MAX),
            place: 0,
        };
        if queue == Queue::Resting
            && let Some(depth) = &mut pit.standing.depth
        {
            let limit = order.limit_price.unwrap_or(0);
            seat.ahead = depth.side(order.side).size_at(limit);
            seat.place = depth.queue.next_place();
        }
        let stand = Stand {
            queue,
            side: order.side,
            key: key_in(queue, order),
            rank,
        };
        self.floor.sit(order.instrument, stand, seat);
    }
}
