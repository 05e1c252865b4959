//! Auctions: `docs/engine/matching.md`, section 8.

use crate::engine::Engine;
use crate::market::standing::UNLIMITED;
use crate::market::{Auction, AuctionKind};
use crate::numbers::Result;
use crate::order::{OrderKind, Reason, TimeInForce};
use crate::output::{Liquidity, Output};
use crate::venue::desk::{Queue, Stand, key_of};
use crate::venue::resting::SIDES;
use crate::venue::taking::{Offer, is_banded};

impl Engine {
    pub(crate) fn hold_auction(
        &mut self,
        ts: i64,
        instrument: usize,
        auction: &Auction,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let form = self.floor.pits[instrument].form;
        let mut left = form.offer(auction.volume.unwrap_or(UNLIMITED));
        for side in SIDES {
            let reached = key_of(side, Some(auction.price));
            let desk = &self.floor.pits[instrument].desk;
            let mut members: Vec<(Stand, usize)> = desk
                .up_to(Queue::Auction, side, 0)
                .filter(|(_, slot)| self.takes_part(ts, *slot, auction.kind))
                .chain(desk.up_to(Queue::Waiting, side, 0))
                .collect();
            members.sort_unstable_by_key(|(stand, _)| stand.rank);
            let unlimited = members.len();
            members.extend(desk.up_to(Queue::Resting, side, reached));
            members.extend(desk.up_to(Queue::Fresh, side, reached));
            members[unlimited..].sort_unstable_by_key(|(stand, _)| (stand.key, stand.rank));
            for (stand, slot) in members {
                if self.floor.stand(slot) == Some(stand) {
                    self.fill_in_auction(ts, slot, auction.price, &mut left, out)?;
                }
            }
            self.act(ts, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    /// Whether an on-open or on-close order is meant for this auction, and came in time.
    fn takes_part(&self, ts: i64, slot: usize, kind: AuctionKind) -> bool {
        let Some(order) = self.book.get(slot) else {
            return false;
        };
        match kind {
            AuctionKind::Open => order.kind == OrderKind::OnOpen,
            AuctionKind::Close => {
                let cutoff = self.config.venue_of(order.instrument).on_close_cutoff_ns;
                order.kind == OrderKind::OnClose && order.arrival <= ts.saturating_sub(cutoff)
            }
        }
    }

    fn fill_in_auction(
        &mut self,
        ts: i64,
        slot: usize,
        price: i64,
        left: &mut i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.open(slot) else {
            return Ok(());
        };
        let quantity = order.unfilled().min(*left);
        let offer = Offer {
            quantity,
            price,
            reference: price,
            liquidity: Liquidity::Taker,
        };
        if order.tif == TimeInForce::Fok {
            if !self.may_fill_whole(ts, slot, &order, &offer, out)? {
                return Ok(());
            }
        } else if is_banded(&order) && self.hold_if_outside(ts, slot, price, out) {
            return Ok(());
        }
        let filled = if quantity == 0 {
            0
        } else {
            self.execute(ts, slot, offer, out)?
        };
        if *left != UNLIMITED {
            *left -= filled;
        }
        if filled < order.unfilled()
            && let Some(order) = self.book.get_mut(slot)
        {
            order.reason = match order.kind {
                OrderKind::OnOpen | OrderKind::OnClose => Reason::Uncrossed,
                _ => order.reason,
            };
        }
        Ok(())
    }
}
