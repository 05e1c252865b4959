//! Triggers of event instruments: `docs/engine/orders.md`, section 5. Those of bars are met on the
//! path of a bar, see `matching::path`.

use std::collections::BTreeSet;

use crate::engine::Engine;
use crate::market::DataKind;
use crate::order::{Order, OrderStatus, Side, TriggerSource};
use crate::orders::intake::advance;
use crate::orders::trail::{is_nearer, trail_trigger};
use crate::output::Output;

/// Prices that an event tells, or that stand when an order arrives; None where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) last: Option<i64>,
    pub(crate) bid: Option<i64>,
    pub(crate) ask: Option<i64>,
    pub(crate) mark: Option<i64>,
}

impl Told {
    #[inline]
    fn price(&self, source: TriggerSource) -> Option<i64> {
        match source {
            TriggerSource::Last => self.last,
            TriggerSource::Bid => self.bid,
            TriggerSource::Ask => self.ask,
            TriggerSource::Mark => self.mark,
        }
    }
}

/// The orders of one event instrument that wait for their trigger, by the price that they watch.
/// It follows from the orders and is no state of its own.
#[derive(Default)]
pub(crate) struct Watch {
    by_source: [Watched; 4],
    count: usize,
}

/// Triggers with the ids of their orders, and trailing stops.
#[derive(Default)]
struct Watched {
    /// Met by prices at or above them.
    rising: BTreeSet<(i64, u64)>,
    /// Met by prices at or below them.
    falling: BTreeSet<(i64, u64)>,
    /// The nearest of each, to be looked at without the sets.
    lowest: Option<i64>,
    highest: Option<i64>,
    sales: Trailing,
    buys: Trailing,
}

/// Trailing stops of one side: all of them have followed the market to `best`.
#[derive(Default)]
struct Trailing {
    ids: Vec<u64>,
    best: Option<i64>,
}

/// The price that an order's trigger watches.
fn source_of(order: &Order, matching: DataKind) -> TriggerSource {
    order.trigger_by.unwrap_or(match (matching, order.side) {
        (DataKind::Bars | DataKind::Trades, _) => TriggerSource::Last,
        (_, Side::Buy) => TriggerSource::Ask,
        (_, Side::Sell) => TriggerSource::Bid,
    })
}

/// Whether an order's trigger is met by prices at or above it; else at or below.
pub(crate) fn is_rising(order: &Order) -> bool {
    order.kind.is_stop() == (order.side == Side::Buy)
}

/// Whether a price meets the trigger of an order that waits for it.
#[inline]
pub(crate) fn is_met(order: &Order, price: i64) -> bool {
    order.trigger_price.is_some_and(|trigger| {
        if is_rising(order) {
            price >= trigger
        } else {
            price <= trigger
        }
    })
}

/// Where a trailing stop's trigger goes at a price, if that is nearer.
pub(crate) fn moved_trigger(order: &Order, price: i64, tick: i64) -> Option<i64> {
    let trigger = trail_trigger(order.side, order.trail?, price, tick)?;
    is_nearer(order.side, trigger, order.trigger_price?).then_some(trigger)
}

impl Watch {
    /// Whether any order waits for its trigger.
    #[inline]
    pub(crate) fn is_watching(&self) -> bool {
        self.count > 0
    }
}

impl Watched {
    fn trailing(&mut self, side: Side) -> &mut Trailing {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sales,
        }
    }

    fn insert(&mut self, order: &Order, trigger: i64) {
        if is_rising(order) {
            self.rising.insert((trigger, order.id));
            self.lowest = self.rising.first().map(|first| first.0);
        } else {
            self.falling.insert((trigger, order.id));
            self.highest = self.falling.last().map(|last| last.0);
        }
    }

    fn remove(&mut self, order: &Order, trigger: i64) -> bool {
        if is_rising(order) {
            let known = self.rising.remove(&(trigger, order.id));
            self.lowest = self.rising.first().map(|first| first.0);
            known
        } else {
            let known = self.falling.remove(&(trigger, order.id));
            self.highest = self.falling.last().map(|last| last.0);
            known
        }
    }

    /// Ids of the orders whose trigger a price meets.
    #[inline]
    fn met(&self, price: i64, ids: &mut Vec<u64>) {
        if self.lowest.is_some_and(|trigger| price >= trigger) {
            let met = self.rising.range(..=(price, u64::MAX));
            ids.extend(met.map(|(_, id)| *id));
        }
        if self.highest.is_some_and(|trigger| price <= trigger) {
            let met = self.falling.range((price, 0)..);
            ids.extend(met.map(|(_, id)| *id));
        }
    }
}

impl Trailing {
    /// Whether a price may move a trigger.
    #[inline]
    fn is_behind(&self, side: Side, price: i64) -> bool {
        !self.ids.is_empty() && self.best.is_none_or(|best| is_nearer(side, price, best))
    }
}

impl Engine {
    /// Let an order that came to an event instrument wait for its trigger, unless the standing
    /// prices meet it. True if it is active now.
    pub(crate) fn await_trigger(
        &mut self,
        ts: i64,
        slot: usize,
        standing: Told,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(mut order) = self.book.get(slot).copied() else {
            return false;
        };
        if !order.waits_for_trigger() {
            return true;
        }
        let listed = &self.config.instruments[order.instrument];
        let price = standing.price(source_of(&order, listed.matching));
        if let (Some(price), Some(trail), false) = (price, order.trail, self.is_watched(&order)) {
            order.trigger_price = trail_trigger(order.side, trail, price, listed.tick_size);
            if let Some(known) = self.book.get_mut(slot) {
                known.trigger_price = order.trigger_price;
            }
        }
        let can_trade = order.unfilled() > 0;
        if can_trade && price.is_some_and(|price| is_met(&order, price)) {
            self.trigger(ts, slot, out);
            return true;
        }
        self.watch(&order, price);
        false
    }

    fn is_watched(&self, order: &Order) -> bool {
        let source = source_of(order, self.config.instruments[order.instrument].matching);
        let watched = &self.watches[order.instrument].by_source[source as usize];
        order.trigger_price.is_some_and(|trigger| {
            let set = if is_rising(order) {
                &watched.rising
            } else {
                &watched.falling
            };
            set.contains(&(trigger, order.id))
        })
    }

    /// Watch for the trigger of an order; `price` is where a trailing stop has followed to.
    pub(crate) fn watch(&mut self, order: &Order, price: Option<i64>) {
        let Some(trigger) = order.trigger_price else {
            return;
        };
        if self.is_watched(order) {
            return;
        }
        let source = source_of(order, self.config.instruments[order.instrument].matching);
        let watch = &mut self.watches[order.instrument];
        watch.count += 1;
        let watched = &mut watch.by_source[source as usize];
        watched.insert(order, trigger);
        if order.trail.is_some() {
            let trailing = watched.trailing(order.side);
            trailing.ids.push(order.id);
            trailing.best = match (trailing.best, price) {
                (Some(best), Some(price)) if is_nearer(order.side, best, price) => Some(price),
                (Some(best), Some(_)) => Some(best),
                _ if trailing.ids.len() == 1 => price,
                _ => None,
            };
        }
    }

    /// Watch anew for all orders of an instrument that wait for a trigger.
    pub(crate) fn rewatch(&mut self, instrument: usize) {
        self.watches[instrument] = Watch::default();
        if self.config.instruments[instrument].matching == DataKind::Bars {
            return;
        }
        for slot in self.book.slots_of(instrument) {
            if let Some(order) = self.book.get(slot).copied()
                && order.waits_for_trigger()
            {
                self.watch(&order, None);
            }
        }
    }

    /// An order no longer waits for its trigger.
    pub(crate) fn unwatch(&mut self, order: &Order) {
        let matching = self.config.instruments[order.instrument].matching;
        let Some(trigger) = order.trigger_price else {
            return;
        };
        if matching == DataKind::Bars || !order.kind.is_triggered() {
            return;
        }
        let watch = &mut self.watches[order.instrument];
        let watched = &mut watch.by_source[source_of(order, matching) as usize];
        if watched.remove(order, trigger) {
            watch.count -= 1;
            if order.trail.is_some() {
                watched
                    .trailing(order.side)
                    .ids
                    .retain(|id| *id != order.id);
            }
        }
    }

    /// What an event told of prices: orders whose trigger it meets are triggered and their slots
    /// given in `met`, by id; then trailing triggers move.
    pub(crate) fn tell_triggers(
        &mut self,
        ts: i64,
        instrument: usize,
        told: Told,
        met: &mut Vec<usize>,
        out: &mut Vec<Output>,
    ) {
        met.clear();
        if self.watches[instrument].count == 0 {
            return;
        }
        let mut ids = std::mem::take(&mut self.met_ids);
        for (watched, source) in self.watches[instrument]
            .by_source
            .iter()
            .zip(TriggerSource::ALL)
        {
            if let Some(price) = told.price(*source) {
                watched.met(price, &mut ids);
            }
        }
        ids.sort_unstable();
        for id in ids.drain(..) {
            // A child with nothing unfilled, whose parent works, has nothing to trade.
            if let Some(slot) = self.book.find(id)
                && self.open(slot).is_some()
            {
                self.trigger(ts, slot, out);
                met.push(slot);
            }
        }
        self.met_ids = ids;
        for source in TriggerSource::ALL {
            if let Some(price) = told.price(*source) {
                self.move_trailing(instrument, *source, price);
            }
        }
    }

    fn move_trailing(&mut self, instrument: usize, source: TriggerSource, price: i64) {
        let tick = self.config.instruments[instrument].tick_size;
        for side in [Side::Sell, Side::Buy] {
            let watched = &mut self.watches[instrument].by_source[source as usize];
            let trailing = watched.trailing(side);
            if !trailing.is_behind(side, price) {
                continue;
            }
            trailing.best = Some(price);
            let ids = std::mem::take(&mut trailing.ids);
            for id in &ids {
                let Some(slot) = self.book.find(*id) else {
                    continue;
                };
                let Some(order) = self.book.get_mut(slot) else {
                    continue;
                };
                if let Some(trigger) = moved_trigger(order, price, tick) {
                    let watched = &mut self.watches[instrument].by_source[source as usize];
                    if let Some(old) = order.trigger_price {
                        watched.remove(order, old);
                    }
                    order.trigger_price = Some(trigger);
                    watched.insert(order, trigger);
                }
            }
            self.watches[instrument].by_source[source as usize]
                .trailing(side)
                .ids = ids;
        }
    }

    /// The trigger of an order is met.
    pub(crate) fn trigger(&mut self, ts: i64, slot: usize, out: &mut Vec<Output>) {
        let Some(order) = self.book.get_mut(slot) else {
            return;
        };
        let before = *order;
        order.triggered = true;
        advance(order, OrderStatus::Triggered);
        let order = *order;
        out.push(Output::OrderTriggered {
            ts,
            order: order.id,
        });
        self.exposure.resting_changed(&before, -1);
        self.exposure.resting_changed(&order, 1);
        self.unwatch(&order);
    }
}
