//! What trades of others do to our orders: `docs/engine/matching.md`, sections 6 and 7.

use crate::engine::Engine;
use crate::market::{DataKind, Tick};
use crate::numbers::Result;
use crate::order::{Order, Reason, Side, TimeInForce};
use crate::orders::Told;
use crate::output::{Liquidity, Output};
use crate::venue::desk::{Queue, Stand, key_of};
use crate::venue::resting::SIDES;
use crate::venue::taking::{Offer, is_banded};

/// A trade, and what our orders have had of it.
struct Print {
    ts: i64,
    instrument: usize,
    trade: Tick,
    /// What we may have of it.
    offer: i64,
    used: i64,
}

impl Engine {
    pub(crate) fn receive_trade(
        &mut self,
        ts: i64,
        instrument: usize,
        trade: &Tick,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let pit = &mut self.floor.pits[instrument];
        let kind = pit.form.kind;
        if kind == DataKind::Bars {
            return Ok(());
        }
        pit.standing.last = Some(trade.price);
        let mut print = Print {
            ts,
            instrument,
            trade: *trade,
            offer: pit.form.offer(trade.size),
            used: 0,
        };
        let sets_mark = !pit.standing.was_quoted;
        let halted = pit.standing.halted;
        let moved = sets_mark && self.mark(instrument) != Some(trade.price);
        if sets_mark {
            self.change_mark(ts, instrument, trade.price)?;
        }
        if !halted && self.watches[instrument].is_watching() {
            let told = Told {
                last: Some(trade.price),
                mark: Some(trade.price).filter(|_| sets_mark),
                ..Told::default()
            };
            self.tell(ts, instrument, told, out);
        }
        if kind != DataKind::Trades {
            self.print_at_resting(&mut print, out)?;
        } else if !halted {
            for side in SIDES {
                self.print_at_waiting(&mut print, side, out)?;
                self.print_at_fresh(&mut print, side, out)?;
                self.print_on(&mut print, side, out)?;
                self.act(ts, out)?;
            }
        }
        self.arrive_triggered(ts, out)?;
        if moved {
            self.check_margins_of(ts, instrument, out)?;
        }
        Ok(())
    }

    fn print_at_resting(&mut self, print: &mut Print, out: &mut Vec<Output>) -> Result<()> {
        let desk = &self.floor.pits[print.instrument].desk;
        let price = print.trade.price;
        let reaches_buys = desk
            .best_resting(Side::Buy)
            .is_some_and(|best| best >= price);
        let reaches_sales = desk
            .best_resting(Side::Sell)
            .is_some_and(|best| best <= price);
        if reaches_sales {
            self.print_on(print, Side::Sell, out)?;
            self.act(print.ts, out)?;
        }
        if reaches_buys {
            self.print_on(print, Side::Buy, out)?;
            self.act(print.ts, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    /// Resting orders of a side that the trade reaches.
    fn print_on(&mut self, print: &mut Print, side: Side, out: &mut Vec<Output>) -> Result<()> {
        let mut members = std::mem::take(&mut self.floor.members);
        members.clear();
        let reached = key_of(side, Some(print.trade.price));
        let desk = &self.floor.pits[print.instrument].desk;
        members.extend(desk.up_to(Queue::Resting, side, reached));
        for &(stand, slot) in &members {
            if self.floor.stand(slot) == Some(stand) {
                self.print_at(print, stand, slot, out)?;
            }
        }
        self.floor.members = members;
        Ok(())
    }

    fn print_at(
        &mut self,
        print: &mut Print,
        stand: Stand,
        slot: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.open(slot) else {
            return Ok(());
        };
        let on_touch = self.config.venue_of(print.instrument).limit_fill_on_touch;
        let pit = &mut self.floor.pits[print.instrument];
        let (form, halted) = (pit.form, pit.standing.halted);
        let is_touch = stand.price() == print.trade.price;
        // Our own side met the far one, which ours has met where it was shown.
        let has_met = is_touch || form.kind != DataKind::Trades;
        if has_met && print.trade.aggressor == Some(order.side) {
            return Ok(());
        }
        let is_book = pit.standing.depth.is_some();
        if is_touch && !is_book && !on_touch {
            return Ok(());
        }
        let Some(seat) = pit.desk.seat_mut(stand) else {
            return Ok(());
        };
        let ahead = if is_touch { seat.ahead } else { 0 };
        let shown = if is_book && is_touch {
            seat.shown
        } else {
            i64::MAX
        };
        if form.kind == DataKind::L2 {
            seat.ahead = (ahead - print.trade.size).max(0);
        }
        let reaches = (print.trade.size - ahead).min(print.offer) - print.used;
        let quantity = form.lots(order.unfilled().min(reaches).min(shown));
        if halted || quantity == 0 {
            return Ok(());
        }
        print.used += self.rest_fill(print.ts, slot, stand.price(), quantity, out)?;
        Ok(())
    }

    /// Orders without a limit, on an instrument where nothing stands.
    fn print_at_waiting(
        &mut self,
        print: &mut Print,
        side: Side,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for (stand, slot) in self.members_of(print.instrument, Queue::Waiting, side) {
            let Some(order) = self.open(slot) else {
                continue;
            };
            if self.floor.stand(slot) != Some(stand) {
                continue;
            }
            self.take_print(print, slot, &order, out)?;
            match order.tif {
                TimeInForce::Ioc | TimeInForce::Fok => self.settle_down(print.ts, slot, out)?,
                _ => self.wants_volume(slot),
            }
        }
        Ok(())
    }

    /// Orders with a limit that meet their first trade.
    fn print_at_fresh(
        &mut self,
        print: &mut Print,
        side: Side,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let far = key_of(side, Some(print.trade.price));
        for (stand, slot) in self.members_of(print.instrument, Queue::Fresh, side) {
            let Some(order) = self.open(slot) else {
                continue;
            };
            if self.floor.stand(slot) != Some(stand) {
                continue;
            }
            if stand.key <= far {
                if order.post_only {
                    self.cancel(print.ts, slot, Reason::PostOnly, out)?;
                    continue;
                }
                self.take_print(print, slot, &order, out)?;
            }
            if self.book.get(slot).is_some() {
                self.floor.leave(print.instrument, slot);
                self.stay(print.ts, slot, Some(stand.rank), out)?;
            }
        }
        Ok(())
    }

    fn members_of(&self, instrument: usize, queue: Queue, side: Side) -> Vec<(Stand, usize)> {
        self.floor.pits[instrument]
            .desk
            .up_to(queue, side, i64::MAX)
            .collect()
    }

    /// Let an order take of a trade what it may.
    fn take_print(
        &mut self,
        print: &mut Print,
        slot: usize,
        order: &Order,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let (instrument, side) = (print.instrument, order.side);
        let form = self.floor.pits[instrument].form;
        let quantity = form.lots(order.unfilled().min(print.offer - print.used));
        if quantity == 0 {
            return Ok(());
        }
        let price = self.price_at(print.ts, order, quantity, print.trade.price)?;
        let offer = Offer {
            quantity,
            price,
            reference: print.trade.price,
            liquidity: Liquidity::Taker,
        };
        if order.tif == TimeInForce::Fok {
            if !self.may_fill_whole(print.ts, slot, order, &offer, out)? {
                return Ok(());
            }
        } else if is_banded(order) && self.hold_if_outside(print.ts, slot, price, out) {
            return Ok(());
        }
        let filled = self.execute(print.ts, slot, offer, out)?;
        print.used += filled;
        self.feel(print.ts, instrument, side, filled)
    }
}
