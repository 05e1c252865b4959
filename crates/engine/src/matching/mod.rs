//! Matching at a barrier: `docs/engine/bars.md`, sections 5 and 6, and `docs/engine/orders.md`,
//! section 10.

mod auction;
mod gather;
mod path;

use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::{Order, OrderKind, Reason, Side, TimeInForce};
use crate::output::{Liquidity, Output};
use path::Path;

/// An order that may match at this barrier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) slot: usize,
    pub(crate) id: u64,
    pub(crate) sleeve: usize,
    pub(crate) instrument: usize,
    pub(crate) side: Side,
    pub(crate) kind: OrderKind,
    /// Lots planned to cross with another sleeve.
    pub(crate) planned: i64,
}

/// The barrier at hand: what may match and how much volume is left for us. It is no state; the
/// engine keeps it so that its memory is used again.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) ts: i64,
    ends_day: bool,
    pub(crate) candidates: Vec<Candidate>,
    /// Ranges of `candidates`, one an instrument.
    pub(crate) groups: Vec<std::ops::Range<usize>>,
    /// Lots left under the participation cap, one a group.
    pub(crate) volume: Vec<Option<i64>>,
    pub(crate) counts: Counts,
    /// Id and slot of the orders that end with this barrier.
    closing: Vec<(u64, usize)>,
    /// Of the group at hand: its members, and what they may fill.
    members: Vec<usize>,
    pub(crate) picked: Vec<Share>,
    path: Path,
}

/// How many candidates there are of some kinds, so that steps without any are left out.
#[derive(Default)]
pub(crate) struct Counts {
    sales: usize,
    buys: usize,
    /// Orders that match one at a time: limits, triggers, FOK.
    singles: usize,
    /// On-close orders, and all orders of close-only instruments.
    at_close: usize,
    pub(crate) crosses: usize,
}

/// Part of an order in a group's fill: index of its candidate, lots wanted and granted.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) index: usize,
    pub(crate) wanted: i64,
    pub(crate) granted: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Open,
    Close,
}

/// The terms on which a group of orders meets the venue.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) group: usize,
    pub(crate) price: i64,
    pub(crate) reference: i64,
    pub(crate) banded: bool,
    pub(crate) liquidity: Liquidity,
}

impl Counts {
    fn of(&self, side: Side) -> usize {
        match side {
            Side::Sell => self.sales,
            Side::Buy => self.buys,
        }
    }
}

/// Whether a market price is within an order's limit.
#[inline]
fn is_marketable(side: Side, limit: i64, price: i64) -> bool {
    match side {
        Side::Buy => limit >= price,
        Side::Sell => limit <= price,
    }
}

/// Whether an order matches with the others of its auction, rather than by itself.
fn is_grouped(order: &Order) -> bool {
    match order.kind {
        OrderKind::Market => order.tif != TimeInForce::Fok,
        OrderKind::OnOpen | OrderKind::OnClose => true,
        _ => false,
    }
}

impl Engine {
    pub(crate) fn match_barrier(
        &mut self,
        ts: i64,
        session_start: bool,
        session_end: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut session = std::mem::take(&mut self.matching);
        self.gather(&mut session, ts, session_start, session_end)?;
        if !session.candidates.is_empty() {
            self.plan_crosses(&mut session);
            self.auction(&mut session, Step::Open, Side::Sell, out)?;
            self.auction(&mut session, Step::Open, Side::Buy, out)?;
            self.inside(&mut session, out)?;
            self.auction(&mut session, Step::Close, Side::Sell, out)?;
            if session.counts.crosses > 0 {
                for group in 0..session.groups.len() {
                    self.cross(&mut session, group, out)?;
                }
            }
            self.auction(&mut session, Step::Close, Side::Buy, out)?;
            if session.counts.singles > 0 {
                self.trail_closes(&session);
            }
        }
        self.close_orders(&mut session, out)?;
        // What was released too late for this barrier waits for the next one.
        self.activated.clear();
        self.book.sweep();
        self.matching = session;
        Ok(())
    }

    pub(crate) fn working(&self, candidate: &Candidate) -> Option<&Order> {
        self.book
            .get(candidate.slot)
            .filter(|order| order.id == candidate.id)
    }

    pub(crate) fn lot_of(&self, candidate: &Candidate) -> i64 {
        self.config.instruments[candidate.instrument].lot_size
    }

    pub(crate) fn unfilled_lots(&self, candidate: &Candidate) -> i64 {
        self.working(candidate)
            .map_or(0, |order| order.unfilled() / self.lot_of(candidate))
    }

    /// What is left of an order for the venue, in lots, as the order now is.
    pub(crate) fn external_lots(&self, candidate: &Candidate) -> i64 {
        (self.unfilled_lots(candidate) - candidate.planned).max(0)
    }

    fn close_orders(&mut self, session: &mut Session, out: &mut Vec<Output>) -> Result<()> {
        let ts = session.ts;
        session.closing.sort_unstable();
        for &(id, slot) in &session.closing {
            let Some(order) = self.book.get(slot).filter(|order| order.id == id).copied() else {
                continue;
            };
            match order.tif {
                TimeInForce::Ioc => self.cancel(ts, slot, Reason::Ioc, out)?,
                TimeInForce::Fok => self.cancel(ts, slot, Reason::Fok, out)?,
                TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd => {
                    self.expire(ts, slot, order.reason, out)?;
                }
            }
        }
        Ok(())
    }
}
