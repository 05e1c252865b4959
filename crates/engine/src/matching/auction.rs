//! The open and the close of bars: groups, and orders that match one at a time.

use crate::engine::Engine;
use crate::matching::gather::waiting_reason;
use crate::matching::{Session, Step, Terms, is_grouped, is_marketable};
use crate::numbers::Result;
use crate::order::{OrderKind, Reason, Side, TimeInForce};
use crate::orders::is_met;
use crate::output::{Liquidity, Output};

impl Engine {
    /// One side of the open or of the close, instrument by instrument.
    pub(super) fn auction(
        &mut self,
        session: &mut Session,
        step: Step,
        side: Side,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if session.counts.of(side) == 0 || (step == Step::Close && session.counts.at_close == 0) {
            return Ok(());
        }
        for group in 0..session.groups.len() {
            let range = session.groups[group].clone();
            let instrument = session.candidates[range.start].instrument;
            let bar = self.instruments[instrument]
                .waiting
                .expect("a candidate has a bar");
            let reference = match (step, bar.range) {
                (Step::Open, None) => continue,
                (Step::Open, Some([open, _, _])) => open,
                (Step::Close, _) => bar.close,
            };
            // Market and limit orders meet the first price of the bar: its open, or the close
            // where there is nothing else.
            let is_first_price = step == Step::Open || bar.range.is_none();
            let mut members = std::mem::take(&mut session.members);
            members.clear();
            members.extend(range.clone().filter(|i| {
                let candidate = &session.candidates[*i];
                candidate.side == side
                    && self.working(candidate).is_some_and(is_grouped)
                    && match candidate.kind {
                        OrderKind::OnOpen => step == Step::Open,
                        OrderKind::OnClose => step == Step::Close,
                        _ => is_first_price,
                    }
            }));
            if !members.is_empty() {
                members.sort_by_key(|i| (session.candidates[*i].sleeve, session.candidates[*i].id));
                let lots = members.iter().fold(0_i64, |sum, i| {
                    sum.saturating_add(self.external_lots(&session.candidates[*i]))
                });
                let lot = self.config.instruments[instrument].lot_size;
                let quantity = lots.saturating_mul(lot);
                let terms = Terms {
                    group,
                    price: self.taking_price(session.ts, instrument, side, quantity, reference)?,
                    reference,
                    banded: true,
                    liquidity: Liquidity::Taker,
                };
                self.fill_group(session, &members, terms, out)?;
            }
            session.members = members;
            if is_first_price && session.counts.singles > 0 {
                for index in range {
                    if session.candidates[index].side == side {
                        self.meet_price(session, group, index, reference, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Let an order that matches by itself meet a market price, as it now is: it may trigger, take,
    /// rest or be cancelled.
    pub(super) fn meet_price(
        &mut self,
        session: &mut Session,
        group: usize,
        index: usize,
        price: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let candidate = session.candidates[index];
        let Some(order) = self.working(&candidate).copied() else {
            return Ok(());
        };
        // A child with nothing unfilled, whose parent works, has nothing to trade.
        if is_grouped(&order) || order.unfilled() == 0 {
            return Ok(());
        }
        if order.waits_for_trigger() {
            if !is_met(&order, price) {
                return Ok(());
            }
            self.trigger(session.ts, candidate.slot, out);
            if let Some(order) = self.book.get_mut(candidate.slot) {
                order.reason = waiting_reason(order);
            }
        }
        match order.limit_price {
            None => {
                let banded = order.kind == OrderKind::Market;
                self.take_at(session, group, index, price, banded, out)
            }
            Some(limit) if !is_marketable(order.side, limit, price) => {
                self.rest(candidate.slot);
                Ok(())
            }
            Some(_) if order.post_only && !order.rested => {
                self.cancel(session.ts, candidate.slot, Reason::PostOnly, out)
            }
            Some(limit) if order.post_only => self.fill_at_limit(session, group, index, limit, out),
            Some(_) => self.take_at(session, group, index, price, false, out),
        }
    }

    fn rest(&mut self, slot: usize) {
        if let Some(order) = self.book.get_mut(slot) {
            order.rested = true;
        }
    }

    /// Fill as taker at a market price, slipped, at worst at the limit.
    pub(super) fn take_at(
        &mut self,
        session: &mut Session,
        group: usize,
        index: usize,
        reference: i64,
        banded: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let candidate = session.candidates[index];
        let (instrument, side) = (candidate.instrument, candidate.side);
        let Some(limit) = self.working(&candidate).map(|order| order.limit_price) else {
            return Ok(());
        };
        let lot = self.lot_of(&candidate);
        let quantity = self.external_lots(&candidate).saturating_mul(lot);
        let slipped = self.taking_price(session.ts, instrument, side, quantity, reference)?;
        let price = match (side, limit) {
            (_, None) => slipped,
            (Side::Buy, Some(limit)) => slipped.min(limit),
            (Side::Sell, Some(limit)) => slipped.max(limit),
        };
        let terms = Terms {
            group,
            price,
            reference,
            banded,
            liquidity: Liquidity::Taker,
        };
        self.fill_group(session, &[index], terms, out)
    }

    /// Fill as maker at the limit.
    pub(super) fn fill_at_limit(
        &mut self,
        session: &mut Session,
        group: usize,
        index: usize,
        limit: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let terms = Terms {
            group,
            price: limit,
            reference: limit,
            banded: false,
            liquidity: Liquidity::Maker,
        };
        self.fill_group(session, &[index], terms, out)
    }

    /// Whether an order must be filled in one go, and cannot be: then it is cancelled.
    pub(crate) fn kills(
        &mut self,
        ts: i64,
        slot: usize,
        lots: i64,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let Some(order) = self.book.get(slot) else {
            return Ok(false);
        };
        let lot = self.config.instruments[order.instrument].lot_size;
        if order.tif != TimeInForce::Fok || lots * lot == order.unfilled() {
            return Ok(false);
        }
        self.cancel(ts, slot, Reason::Fok, out)?;
        Ok(true)
    }
}
