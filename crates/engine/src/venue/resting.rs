//! Orders that wait or rest at the venue, and what comes to them: `docs/engine/matching.md`,
//! sections 4 and 6.

use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::Side;
use crate::output::{Liquidity, Output};
use crate::venue::desk::{Queue, Stand, key_of};
use crate::venue::taking::Offer;

/// Sales match before buys everywhere: their proceeds pay.
pub(crate) const SIDES: [Side; 2] = [Side::Sell, Side::Buy];

impl Engine {
    /// Match the orders of an instrument with its standing market.
    #[inline(never)]
    pub(crate) fn match_standing(
        &mut self,
        ts: i64,
        instrument: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut members = std::mem::take(&mut self.floor.members);
        for side in SIDES {
            let pit = &self.floor.pits[instrument];
            let Some(far) = pit.standing.far(side).filter(|_| pit.standing.is_open()) else {
                continue;
            };
            let reached = key_of(side, Some(far));
            members.clear();
            members.extend(pit.desk.up_to(Queue::Waiting, side, 0));
            members.extend(pit.desk.up_to(Queue::Resting, side, reached));
            for &(stand, slot) in &members {
                if self.floor.stand(slot) != Some(stand) {
                    continue;
                }
                match stand.queue {
                    Queue::Waiting => self.try_again(ts, slot, out)?,
                    _ => self.meet(ts, slot, stand, out)?,
                }
            }
            self.floor.members = members;
            self.act(ts, out)?;
            members = std::mem::take(&mut self.floor.members);
        }
        self.floor.members = members;
        self.book.sweep();
        Ok(())
    }

    /// Let a waiting order take what stands now.
    fn try_again(&mut self, ts: i64, slot: usize, out: &mut Vec<Output>) -> Result<()> {
        self.take(ts, slot, out)?;
        self.wants_volume(slot);
        Ok(())
    }

    /// Let the far side fill an order that it has reached, at the order's own limit.
    fn meet(&mut self, ts: i64, slot: usize, stand: Stand, out: &mut Vec<Output>) -> Result<()> {
        let mut depth = 0;
        while let Some(order) = self.open(slot) {
            let Some((_, left)) = self.next_level(&order, &mut depth) else {
                return Ok(());
            };
            let instrument = order.instrument;
            let quantity = order.unfilled().min(left);
            let filled = self.rest_fill(ts, slot, stand.price(), quantity, out)?;
            self.floor.pits[instrument]
                .standing
                .take(order.side, depth, filled);
            if filled < quantity {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fill a resting order at its limit; an iceberg shows its next part when one is filled.
    pub(crate) fn rest_fill(
        &mut self,
        ts: i64,
        slot: usize,
        limit: i64,
        quantity: i64,
        out: &mut Vec<Output>,
    ) -> Result<i64> {
        let offer = Offer {
            quantity,
            price: limit,
            reference: limit,
            liquidity: Liquidity::Maker,
        };
        let filled = self.execute(ts, slot, offer, out)?;
        let Some(order) = self.book.get(slot).copied() else {
            return Ok(filled);
        };
        if order.display_quantity.is_none() {
            return Ok(filled);
        }
        let instrument = order.instrument;
        if let Some(stand) = self.floor.stand(slot)
            && let Some(seat) = self.floor.pits[instrument].desk.seat_mut(stand)
        {
            seat.shown -= filled;
            if seat.shown <= 0 {
                self.floor.leave(instrument, slot);
                self.sit(slot, &order, Queue::Resting);
            }
        }
        Ok(filled)
    }
}
