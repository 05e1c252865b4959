//! Orders that take from the standing market: `docs/engine/matching.md`, section 5.

use crate::accounts::Purse;
use crate::engine::Engine;
use crate::market::ladder::Level;
use crate::matching::{Candidate, Terms};
use crate::numbers::{Result, lots_in};
use crate::order::{Order, OrderKind, Reason, Side, TimeInForce};
use crate::output::{Figure, Liquidity, Outcome, Output, Rule, Verdict};
use crate::venue::desk::key_of;

/// A fill that an order is about to get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) quantity: i64,
    pub(crate) price: i64,
    /// What the market showed.
    pub(crate) reference: i64,
    pub(crate) liquidity: Liquidity,
}

impl Engine {
    /// Let an order take from the standing market what it may.
    pub(crate) fn take(&mut self, ts: i64, slot: usize, out: &mut Vec<Output>) -> Result<()> {
        let Some(order) = self.book.get(slot) else {
            return Ok(());
        };
        let (instrument, side) = (order.instrument, order.side);
        if order.tif == TimeInForce::Fok {
            let order = *order;
            if !self.can_take_whole(ts, slot, &order, out)? {
                return Ok(());
            }
        }
        let mut depth = 0;
        while let Some(order) = self.opened(slot) {
            let Some((level, left)) = self.next_level(order, &mut depth) else {
                return Ok(());
            };
            let quantity = order.unfilled().min(left);
            let price = self.price_at(ts, order, quantity, level.price)?;
            if is_banded(order) && !self.in_band(price, order.reference, order.side) {
                self.hold_outside(ts, slot, price, out);
                return Ok(());
            }
            let offer = Offer {
                quantity,
                price,
                reference: level.price,
                liquidity: Liquidity::Taker,
            };
            let filled = self.execute(ts, slot, offer, out)?;
            self.floor.pits[instrument]
                .standing
                .take(side, depth, filled);
            self.feel(ts, instrument, side, filled)?;
            if filled < quantity {
                return Ok(());
            }
        }
        Ok(())
    }

    /// An order, if there is something of it to fill.
    pub(crate) fn open(&self, slot: usize) -> Option<Order> {
        self.opened(slot).copied()
    }

    #[inline]
    pub(crate) fn opened(&self, slot: usize) -> Option<&Order> {
        self.book.get(slot).filter(|order| order.unfilled() > 0)
    }

    /// The next level at or below `depth` that has something left within an order's limit, and
    /// what is left there.
    #[inline(always)]
    pub(crate) fn next_level(&self, order: &Order, depth: &mut usize) -> Option<(Level, i64)> {
        let pit = &self.floor.pits[order.instrument];
        loop {
            let level = pit.standing.far_level(order.side, *depth)?;
            if let Some(limit) = order.limit_price
                && key_of(order.side, Some(level.price)) < key_of(order.side, Some(limit))
            {
                return None;
            }
            let left = pit.form.left(&level);
            if left > 0 {
                return Some((level, left));
            }
            *depth += 1;
        }
    }

    /// What an order pays for a quantity where the market shows `reference`.
    #[inline(always)]
    pub(crate) fn price_at(
        &self,
        ts: i64,
        order: &Order,
        quantity: i64,
        reference: i64,
    ) -> Result<i64> {
        let price = self.taking_price(ts, order.instrument, order.side, quantity, reference)?;
        Ok(match (order.side, order.limit_price) {
            (_, None) => price,
            (Side::Buy, Some(limit)) => price.min(limit),
            (Side::Sell, Some(limit)) => price.max(limit),
        })
    }

    /// Fill an order at what it is offered, as far as it may reduce and its funds allow; returns
    /// what it filled. What does not fill for want of funds is cancelled.
    #[inline(always)]
    pub(crate) fn execute(
        &mut self,
        ts: i64,
        slot: usize,
        offer: Offer,
        out: &mut Vec<Output>,
    ) -> Result<i64> {
        let Some(order) = self.book.get(slot) else {
            return Ok(0);
        };
        let lot = self.config.instruments[order.instrument].lot_size;
        let wanted = lots_in(self.reducing_part(order, offer.quantity)?, lot);
        if wanted == 0 {
            self.cancel(ts, slot, Reason::ReduceOnly, out)?;
            return Ok(0);
        }
        let candidate = candidate_of(slot, order);
        let lots = self.cut_to_funds(
            ts,
            order,
            wanted,
            offer.price,
            &mut Purse::of(order.sleeve),
            offer.liquidity,
            out,
        )?;
        let terms = Terms {
            group: 0,
            price: offer.price,
            reference: offer.reference,
            banded: false,
            liquidity: offer.liquidity,
        };
        let is_paid = lots == 0 || self.fill_at_venue(ts, &candidate, lots, terms, out)?;
        let filled = if is_paid { lots } else { 0 };
        if filled < wanted {
            let reason = self.reason_of_funds(candidate.instrument);
            self.cancel(ts, slot, reason, out)?;
        }
        Ok(filled * lot)
    }

    /// What of a quantity an order may fill: all of it, or what takes off a position.
    fn reducing_part(&self, order: &Order, quantity: i64) -> Result<i64> {
        if self.must_reduce(order) {
            Ok(quantity.min(self.reducible(order)?))
        } else {
            Ok(quantity)
        }
    }

    /// Whether the price band of an order without a limit keeps it from a price. It is said once,
    /// until the order fills.
    pub(crate) fn hold_if_outside(
        &mut self,
        ts: i64,
        slot: usize,
        price: i64,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(order) = self.book.get(slot) else {
            return true;
        };
        let is_outside = !self.in_band(price, order.reference, order.side);
        if is_outside {
            self.hold_outside(ts, slot, price, out);
        }
        is_outside
    }

    #[cold]
    fn hold_outside(&mut self, ts: i64, slot: usize, price: i64, out: &mut Vec<Output>) {
        let Some(order) = self.book.get(slot) else {
            return;
        };
        if order.reason != Reason::PriceBand {
            let edge = self.band_edge(order.reference, order.side);
            out.push(Output::Verdict(Verdict {
                ts,
                order: order.id,
                rule: Rule::PriceBand,
                figure: Figure::Price(price),
                limit: Figure::Price(edge),
                outcome: Outcome::Held,
            }));
            if let Some(order) = self.book.get_mut(slot) {
                order.reason = Reason::PriceBand;
            }
        }
    }

    /// Whether an order that fills whole or not at all may take what it is offered. Where the
    /// offer is too small, or out of its band, it is left to the caller; it is cancelled where its
    /// position or its funds do not allow it.
    pub(crate) fn may_fill_whole(
        &mut self,
        ts: i64,
        slot: usize,
        order: &Order,
        offer: &Offer,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let is_whole = offer.quantity == order.unfilled();
        if !is_whole
            || (is_banded(order) && !self.in_band(offer.price, order.reference, order.side))
        {
            return Ok(false);
        }
        let reason = if self.reducing_part(order, offer.quantity)? < offer.quantity {
            Reason::ReduceOnly
        } else if !self.is_covered(ts, slot, offer, out)? {
            self.reason_of_funds(order.instrument)
        } else {
            return Ok(true);
        };
        self.cancel(ts, slot, reason, out)?;
        Ok(false)
    }

    /// Whether funds cover all of what an order is offered; if not, it is said.
    fn is_covered(
        &self,
        ts: i64,
        slot: usize,
        offer: &Offer,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let Some(order) = self.book.get(slot) else {
            return Ok(false);
        };
        let lots = offer.quantity / self.config.instruments[order.instrument].lot_size;
        let (price, liquidity) = (offer.price, offer.liquidity);
        let mut purse = Purse::empty();
        let covered = self.cut_to_funds(ts, order, lots, price, &mut purse, liquidity, out)?;
        Ok(covered == lots)
    }

    /// Whether an order that fills whole or not at all can do so now; if not, it is cancelled.
    fn can_take_whole(
        &mut self,
        ts: i64,
        slot: usize,
        order: &Order,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let lot = self.config.instruments[order.instrument].lot_size;
        let mut purse = Purse::empty();
        let mut rest = *order;
        let mut depth = 0;
        let mut is_covered = true;
        let said = out.len();
        while rest.unfilled() > 0 {
            let Some((level, left)) = self.next_level(&rest, &mut depth) else {
                break;
            };
            let quantity = rest.unfilled().min(left);
            // Each slice moves the price for the next, so the whole up to it counts.
            let so_far = rest.filled - order.filled + quantity;
            let price = self.price_at(ts, order, so_far, level.price)?;
            if is_banded(order) && !self.in_band(price, order.reference, order.side) {
                break;
            }
            if is_covered {
                let lots = quantity / lot;
                let liquidity = Liquidity::Taker;
                let covered =
                    self.cut_to_funds(ts, order, lots, price, &mut purse, liquidity, out)?;
                is_covered = covered == lots;
            }
            rest.filled += quantity;
            depth += 1;
        }
        if rest.unfilled() > 0 {
            out.truncate(said);
            self.cancel(ts, slot, Reason::Fok, out)?;
            return Ok(false);
        }
        if self.reducing_part(order, order.unfilled())? < order.unfilled() {
            out.truncate(said);
            self.cancel(ts, slot, Reason::ReduceOnly, out)?;
            return Ok(false);
        }
        if !is_covered {
            let reason = self.reason_of_funds(order.instrument);
            self.cancel(ts, slot, reason, out)?;
        }
        Ok(is_covered)
    }
}

/// Whether an order is bound to the band around its reference price when it matches.
pub(crate) fn is_banded(order: &Order) -> bool {
    matches!(
        order.kind,
        OrderKind::Market | OrderKind::OnOpen | OrderKind::OnClose
    )
}

/// An order as those at barriers see it.
#[inline(always)]
pub(crate) fn candidate_of(slot: usize, order: &Order) -> Candidate {
    Candidate {
        slot,
        id: order.id,
        sleeve: order.sleeve,
        instrument: order.instrument,
        side: order.side,
        kind: order.kind,
        planned: 0,
    }
}
