//! The way of a market through its bar: open, nearer extreme, other extreme, close, and what
//! happens to orders on it. `docs/engine/orders.md`, section 10.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::Engine;
use crate::matching::gather::{candidate_of, waiting_reason};
use crate::matching::{Session, is_grouped};
use crate::numbers::Result;
use crate::order::{Order, OrderKind, Side, TimeInForce};
use crate::orders::{is_rising, moved_trigger, trail_trigger};
use crate::output::Output;

/// Orders on the path of one instrument, and what lies before them. Kept for its memory.
#[derive(Default)]
pub(super) struct Path {
    walkers: Vec<Walker>,
    events: BinaryHeap<Reverse<PathEvent>>,
}

/// An order on the path: the index of its candidate, and whether it has filled at its limit as far
/// as it could.
#[derive(Clone, Copy)]
struct Walker {
    index: usize,
    spent: bool,
}

/// Something that may happen on a segment, in the order in which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PathEvent {
    distance: i128,
    /// Prices that are touched come before those that are traded through.
    phase: u8,
    id: u64,
    walker: usize,
    price: i64,
}

/// A straight part of the path, and where on it the market is.
#[derive(Clone, Copy)]
struct Segment {
    from: i64,
    to: i64,
    position: i64,
    touch: bool,
}

impl Segment {
    /// What may happen to an order on what is left of the segment: price and phase.
    fn event_of(&self, order: &Order) -> Option<(i64, u8)> {
        let is_up = self.to > self.from;
        if self.to == self.from {
            return None;
        }
        if order.waits_for_trigger() {
            let trigger = order.trigger_price?;
            let is_ahead = if is_up {
                self.position < trigger && trigger <= self.to
            } else {
                self.to <= trigger && trigger < self.position
            };
            return (is_ahead && is_rising(order) == is_up).then_some((trigger, 0));
        }
        let limit = order.limit_price?;
        if (order.side == Side::Sell) != is_up {
            return None;
        }
        let is_through = if is_up {
            self.to > limit
        } else {
            self.to < limit
        };
        let is_reached = is_through || (self.touch && self.to == limit);
        if !is_reached {
            return None;
        }
        let price = if is_up {
            limit.max(self.position)
        } else {
            limit.min(self.position)
        };
        Some((price, u8::from(!self.touch)))
    }
}

fn corners([open, high, low]: [i64; 3], close: i64) -> [i64; 4] {
    let up = i128::from(high) - i128::from(open);
    let down = i128::from(open) - i128::from(low);
    if up < down {
        [open, high, low, close]
    } else {
        [open, low, high, close]
    }
}

impl Engine {
    /// Walk the bars of all instruments that have orders inside, one after the other.
    pub(super) fn inside(&mut self, session: &mut Session, out: &mut Vec<Output>) -> Result<()> {
        if session.counts.singles == 0 && self.activated.is_empty() {
            return Ok(());
        }
        self.activated.sort_unstable();
        let mut path = std::mem::take(&mut session.path);
        for group in 0..session.groups.len() {
            let instrument = session.candidates[session.groups[group].start].instrument;
            let bar = self.instruments[instrument]
                .waiting
                .expect("a candidate has a bar");
            let Some(range) = bar.range else { continue };
            path.walkers.clear();
            for index in session.groups[group].clone() {
                let candidate = &session.candidates[index];
                if self
                    .working(candidate)
                    .is_some_and(|order| !is_grouped(order) && may_walk(order))
                {
                    path.walkers.push(Walker {
                        index,
                        spent: false,
                    });
                }
            }
            if !path.walkers.is_empty() || !self.activated.is_empty() {
                self.walk_bar(session, &mut path, group, corners(range, bar.close), out)?;
            }
        }
        session.path = path;
        Ok(())
    }

    fn walk_bar(
        &mut self,
        session: &mut Session,
        path: &mut Path,
        group: usize,
        corners: [i64; 4],
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let instrument = session.candidates[session.groups[group].start].instrument;
        for walker in &path.walkers {
            self.follow(session.candidates[walker.index].slot, corners[0]);
        }
        self.enter(session, path, group, corners[0], None, out)?;
        for pair in corners.windows(2) {
            let mut segment = Segment {
                from: pair[0],
                to: pair[1],
                position: pair[0],
                touch: self.config.venue_of(instrument).limit_fill_on_touch,
            };
            path.events.clear();
            for walker in 0..path.walkers.len() {
                self.foresee(session, path, walker, &segment);
            }
            while let Some(Reverse(event)) = path.events.pop() {
                segment.position = event.price;
                self.happen(session, path, group, &event, out)?;
                self.foresee(session, path, event.walker, &segment);
                if !self.activated.is_empty() {
                    self.enter(session, path, group, event.price, Some(&segment), out)?;
                }
            }
            for walker in &path.walkers {
                self.follow(session.candidates[walker.index].slot, segment.to);
            }
        }
        Ok(())
    }

    /// Note what may happen next to an order on a segment.
    fn foresee(&self, session: &Session, path: &mut Path, walker: usize, segment: &Segment) {
        let Walker { index, spent } = path.walkers[walker];
        let Some(order) = self.working(&session.candidates[index]) else {
            return;
        };
        if spent || !may_walk(order) {
            return;
        }
        if let Some((price, phase)) = segment.event_of(order) {
            path.events.push(Reverse(PathEvent {
                distance: (i128::from(price) - i128::from(segment.from)).abs(),
                phase,
                id: order.id,
                walker,
                price,
            }));
        }
    }

    fn happen(
        &mut self,
        session: &mut Session,
        path: &mut Path,
        group: usize,
        event: &PathEvent,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Walker { index, spent } = path.walkers[event.walker];
        let Some(order) = self.working(&session.candidates[index]).copied() else {
            return Ok(());
        };
        if order.waits_for_trigger() {
            return self.meet_price(session, group, index, event.price, out);
        }
        match order.limit_price {
            Some(limit) if !spent => {
                path.walkers[event.walker].spent = true;
                self.fill_at_limit(session, group, index, limit, out)
            }
            _ => Ok(()),
        }
    }

    /// Let the orders that were released or enlarged act at a price of this instrument's path.
    fn enter(
        &mut self,
        session: &mut Session,
        path: &mut Path,
        group: usize,
        price: i64,
        segment: Option<&Segment>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let instrument = session.candidates[session.groups[group].start].instrument;
        let mut place = 0;
        while let Some(&(id, slot)) = self.activated.get(place) {
            let order = self.book.get(slot).filter(|order| order.id == id).copied();
            if order.is_some_and(|order| order.instrument != instrument) {
                place += 1;
                continue;
            }
            self.activated.remove(place);
            let Some(order) = order.filter(|order| !waits_for_auction(order)) else {
                continue;
            };
            let walker = join(session, path, slot, &order);
            if !order.due {
                self.begin_on_path(slot, price);
                if order.tif == TimeInForce::Day && session.ends_day {
                    session.closing.push((id, slot));
                }
            }
            let index = path.walkers[walker].index;
            if order.limit_price.is_none() && !order.waits_for_trigger() {
                let banded = order.kind == OrderKind::Market;
                self.take_at(session, group, index, price, banded, out)?;
            } else {
                self.meet_price(session, group, index, price, out)?;
            }
            if let Some(segment) = segment {
                self.foresee(session, path, walker, segment);
            }
        }
        Ok(())
    }

    /// A released order is at the venue from this price on.
    fn begin_on_path(&mut self, slot: usize, price: i64) {
        let Some(order) = self.book.get_mut(slot) else {
            return;
        };
        order.due = true;
        order.reason = waiting_reason(order);
        let tick = self.config.instruments[order.instrument].tick_size;
        if let Some(trail) = order.trail {
            order.trigger_price = trail_trigger(order.side, trail, price, tick);
        }
    }

    /// Let the trigger of a trailing stop follow the market to a price.
    fn follow(&mut self, slot: usize, price: i64) {
        if let Some(order) = self.book.get_mut(slot)
            && order.waits_for_trigger()
        {
            let tick = self.config.instruments[order.instrument].tick_size;
            if let Some(trigger) = moved_trigger(order, price, tick) {
                order.trigger_price = Some(trigger);
            }
        }
    }

    /// Let trailing stops of close-only instruments follow the closes.
    pub(super) fn trail_closes(&mut self, session: &Session) {
        for candidate in &session.candidates {
            let bar = self.instruments[candidate.instrument].waiting;
            if let Some(bar) = bar.filter(|bar| bar.range.is_none()) {
                self.follow(candidate.slot, bar.close);
            }
        }
    }
}

/// The walker of an order, which may be new on the path.
fn join(session: &mut Session, path: &mut Path, slot: usize, order: &Order) -> usize {
    let known = path
        .walkers
        .iter()
        .position(|walker| session.candidates[walker.index].id == order.id);
    if let Some(place) = known {
        path.walkers[place].spent = false;
        return place;
    }
    session.candidates.push(candidate_of(slot, order));
    path.walkers.push(Walker {
        index: session.candidates.len() - 1,
        spent: false,
    });
    path.walkers.len() - 1
}

fn waits_for_auction(order: &Order) -> bool {
    matches!(order.kind, OrderKind::OnOpen | OrderKind::OnClose)
}

/// Whether something can happen to an order between the corners of a bar.
fn may_walk(order: &Order) -> bool {
    order.limit_price.is_some() || order.waits_for_trigger()
}
