//! The simulated venue of event instruments: what market data lead to. `docs/engine/matching.md`.

mod arrival;
mod auction;
pub(crate) mod desk;
pub(crate) mod floor;
mod prints;
mod resting;
mod taking;

use crate::engine::Engine;
use crate::market::ladder::Level;
use crate::market::queue::left;
use crate::market::standing::UNLIMITED;
use crate::market::{BookLevel, BookOrder, DataKind, Quote, TradingStatus};
use crate::numbers::Result;
use crate::order::Side;
use crate::orders::Told;
use crate::output::Output;
use crate::venue::desk::Queue;
use crate::venue::floor::Pit;

impl Engine {
    pub(crate) fn receive_status(
        &mut self,
        ts: i64,
        instrument: usize,
        status: TradingStatus,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let halted = status == TradingStatus::Halted;
        let was_halted =
            std::mem::replace(&mut self.floor.pits[instrument].standing.halted, halted);
        if was_halted && !halted {
            let told = self.told_standing(instrument);
            self.tell_and_match(ts, instrument, told, out)?;
        }
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn receive_quote(
        &mut self,
        ts: i64,
        instrument: usize,
        quote: &Quote,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        if pit.form.kind != DataKind::Quotes {
            return Ok(());
        }
        pit.standing.set_quote(quote);
        self.market_changed(ts, instrument, out)
    }

    pub(crate) fn receive_level(
        &mut self,
        ts: i64,
        instrument: usize,
        level: &BookLevel,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        let depth = pit.standing.depth.as_mut().expect("an l2 book");
        depth.side_mut(level.side).set(level.price, level.size);
        if !pit.standing.cleared && !pit.desk.is_empty(Queue::Resting, level.side) {
            for seat in pit.desk.resting_at(level.side, level.price) {
                seat.ahead = seat.ahead.min(level.size);
            }
        }
        self.part_received(ts, instrument, level.more, out)
    }

    pub(crate) fn clear_book(
        &mut self,
        ts: i64,
        instrument: usize,
        more: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let standing = &mut self.floor.pits[instrument].standing;
        let depth = standing.depth.as_mut().expect("a book");
        depth.bids.clear();
        depth.asks.clear();
        depth.queue.clear();
        standing.cleared = true;
        self.part_received(ts, instrument, more, out)
    }

    pub(crate) fn receive_book_order(
        &mut self,
        ts: i64,
        instrument: usize,
        order: &BookOrder,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        let depth = pit.standing.depth.as_mut().expect("an l3 book");
        let (before, after) = depth.queue.change(order);
        if let Some(old) = before {
            let ladder = depth.side_mut(old.side);
            ladder.set(old.price, ladder.size_at(old.price) - old.size);
        }
        if let Some(new) = after {
            let ladder = depth.side_mut(new.side);
            ladder.set(new.price, ladder.size_at(new.price) + new.size);
        }
        if let Some(gone) = left(before, after)
            && !pit.desk.is_empty(Queue::Resting, gone.side)
        {
            for seat in pit.desk.resting_at(gone.side, gone.price) {
                if gone.place < seat.place {
                    seat.ahead -= gone.quantity;
                }
            }
        }
        self.part_received(ts, instrument, order.more, out)
    }

    /// A part of a book message has taken effect; the last part lets the market match.
    fn part_received(
        &mut self,
        ts: i64,
        instrument: usize,
        more: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        let was_incomplete = std::mem::replace(&mut pit.standing.incomplete, more);
        self.floor.incomplete += usize::from(more);
        self.floor.incomplete -= usize::from(was_incomplete);
        if more {
            return Ok(());
        }
        if std::mem::take(&mut pit.standing.cleared) {
            pit.snapshot_received();
        }
        pit.standing.refresh_best();
        self.market_changed(ts, instrument, out)
    }

    /// The standing market of an instrument is another one.
    #[inline(always)]
    fn market_changed(&mut self, ts: i64, instrument: usize, out: &mut Vec<Output>) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        let (is_met, moves_rate) = (pit.is_met(), pit.form.moves_rate);
        let mut moved = false;
        if let Some(middle) = pit.standing.middle() {
            pit.standing.was_quoted = true;
            moved = self.mark(instrument) != Some(middle);
            self.change_mark(ts, instrument, middle)?;
        }
        if is_met || self.watches[instrument].is_watching() {
            let told = self.told_standing(instrument);
            self.tell_and_match(ts, instrument, told, out)?;
        }
        if moved && (moves_rate || self.exposure.is_active(instrument)) {
            self.check_margins_of(ts, instrument, out)?;
        }
        Ok(())
    }

    /// What stands, as triggers see it: nothing in a halt.
    pub(crate) fn told_standing(&self, instrument: usize) -> Told {
        let standing = &self.floor.pits[instrument].standing;
        if standing.halted {
            return Told::default();
        }
        let is_open = standing.is_open();
        Told {
            last: None,
            bid: standing.far(Side::Sell).filter(|_| is_open),
            ask: standing.far(Side::Buy).filter(|_| is_open),
            mark: self.instruments[instrument].mark,
        }
    }

    /// Trigger what the prices meet, and match what stands with the orders.
    #[inline(never)]
    fn tell_and_match(
        &mut self,
        ts: i64,
        instrument: usize,
        told: Told,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.tell(ts, instrument, told, out);
        self.match_standing(ts, instrument, out)?;
        self.arrive_triggered(ts, out)
    }

    /// Trigger what the prices meet. Orders without a limit then wait like others; those with
    /// one are left for [`Engine::arrive_triggered`].
    pub(crate) fn tell(&mut self, ts: i64, instrument: usize, told: Told, out: &mut Vec<Output>) {
        let mut met = std::mem::take(&mut self.floor.met);
        self.tell_triggers(ts, instrument, told, &mut met, out);
        for &slot in &met {
            match self.book.get(slot).copied() {
                Some(order) if order.limit_price.is_none() => {
                    self.sit(slot, &order, Queue::Waiting);
                    self.wants_volume(slot);
                }
                Some(order) => self.floor.triggered.push((order.id, slot)),
                None => {}
            }
        }
        self.floor.met = met;
    }

    /// Orders with a limit that an event has triggered arrive behind what it matched.
    pub(crate) fn arrive_triggered(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        let triggered = std::mem::take(&mut self.floor.triggered);
        for &(id, slot) in &triggered {
            if self.book.is_in(slot, id) {
                self.arrive(ts, slot, out)?;
                self.act(ts, out)?;
            }
        }
        self.floor.triggered = triggered;
        self.floor.triggered.clear();
        self.book.sweep();
        Ok(())
    }

    /// A corporate action has changed an instrument and our orders in it.
    pub(crate) fn restate_market(&mut self, instrument: usize) {
        self.floor.restate(&self.config, instrument, &self.book);
        self.rewatch(instrument);
    }

    /// Whether an instrument does not trade now.
    pub(crate) fn is_halted(&self, instrument: usize) -> bool {
        self.floor.pits[instrument].standing.halted
    }
}

/// Reading the markets.
impl Engine {
    /// What stands best on both sides of an event instrument; crossed markets too.
    #[must_use]
    pub fn quote(&self, instrument: usize) -> Quote {
        let standing = &self.floor.pits[instrument].standing;
        let level = |side| standing.far_level(side, 0);
        let known = |level: &Level| Some(level.size).filter(|size| *size != UNLIMITED);
        let (bid, ask) = (level(Side::Sell), level(Side::Buy));
        Quote {
            bid: bid.map(|level| level.price),
            bid_size: bid.as_ref().and_then(known),
            ask: ask.map(|level| level.price),
            ask_size: ask.as_ref().and_then(known),
        }
    }

    /// Price of the last trade of an event instrument.
    #[must_use]
    pub fn last_trade(&self, instrument: usize) -> Option<i64> {
        self.floor.pits[instrument].standing.last
    }

    /// Price and size of a level of a book, so many below the best; buys are bids.
    #[must_use]
    pub fn book_level(&self, instrument: usize, side: Side, depth: usize) -> Option<(i64, i64)> {
        let book = self.floor.pits[instrument].standing.depth.as_ref()?;
        let level = book.side(side).level(depth)?;
        Some((level.price, level.size))
    }

    /// What stands before an order of ours that rests on a book.
    #[must_use]
    pub fn queue_ahead(&self, order: u64) -> Option<i64> {
        let slot = self.book.find(order)?;
        let instrument = self.book.get(slot)?.instrument;
        let stand = self.floor.stand(slot)?;
        let seat = self.floor.pits[instrument].desk.seat(stand)?;
        (stand.queue == Queue::Resting).then_some(seat.ahead)
    }
}

impl Pit {
    /// A whole new book has come in.
    fn snapshot_received(&mut self) {
        let Some(depth) = self.standing.depth.as_mut() else {
            return;
        };
        let had_orders = depth.queue.settle();
        for side in [Side::Buy, Side::Sell] {
            for (price, seat) in self.desk.resting(side) {
                seat.ahead = if had_orders {
                    depth.queue.ahead_of(side, price, seat.place)
                } else {
                    seat.ahead.min(depth.side(side).size_at(price))
                };
            }
        }
    }
}
