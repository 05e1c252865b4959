//! Opposite market orders of two sleeves meet inside the fund: `docs/engine/bars.md`, section 6.

use crate::accounts::Purse;
use crate::allocation::allocate;
use crate::engine::Engine;
use crate::matching::{Candidate, Session};
use crate::numbers::Result;
use crate::order::{Order, OrderKind, Reason, Side, TimeInForce};
use crate::output::{FillKind, Liquidity, Output};

impl Engine {
    pub(crate) fn plan_crosses(&self, session: &mut Session) {
        for range in &session.groups {
            let members = &session.candidates[range.clone()];
            let lots_of = |side: Side| -> (Vec<usize>, Vec<i64>) {
                let mut picked: Vec<usize> = range
                    .clone()
                    .filter(|i| {
                        session.candidates[*i].side == side
                            && self
                                .working(&session.candidates[*i])
                                .is_some_and(|order| self.may_cross(order))
                    })
                    .collect();
                picked.sort_by_key(|i| (session.candidates[*i].sleeve, session.candidates[*i].id));
                let lots = picked
                    .iter()
                    .map(|i| self.unfilled_lots(&session.candidates[*i]))
                    .collect();
                (picked, lots)
            };
            let is_mixed = members.windows(2).any(|pair| pair[0].side != pair[1].side);
            if !is_mixed {
                continue;
            }
            let (buys, buy_lots) = lots_of(Side::Buy);
            let (sales, sale_lots) = lots_of(Side::Sell);
            let total = buy_lots.iter().sum::<i64>().min(sale_lots.iter().sum());
            for (picked, lots) in [(buys, buy_lots), (sales, sale_lots)] {
                session.counts.crosses += usize::from(total > 0);
                for (index, planned) in picked.into_iter().zip(allocate(total, &lots)) {
                    session.candidates[index].planned = planned;
                }
            }
        }
    }

    /// Whether an order may meet one of another sleeve: not if other orders hang on it, or it on
    /// a position.
    fn may_cross(&self, order: &Order) -> bool {
        order.kind == OrderKind::Market
            && order.tif != TimeInForce::Fok
            && order.children == 0
            && order.parent.is_none()
            && !self.must_reduce(order)
    }

    /// Let planned crosses meet at the close.
    pub(crate) fn cross(
        &mut self,
        session: &mut Session,
        group: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let range = session.groups[group].clone();
        let mut members: Vec<Candidate> = session.candidates[range.clone()]
            .iter()
            .filter(|candidate| candidate.planned > 0 && self.working(candidate).is_some())
            .copied()
            .collect();
        if members.is_empty() {
            return Ok(());
        }
        members.sort_by_key(|candidate| (candidate.sleeve, candidate.id));
        let ts = session.ts;
        let price = self.instruments[members[0].instrument]
            .waiting
            .expect("a candidate has a bar")
            .close;
        let mut sides: [Vec<(Candidate, i64)>; 2] = [Vec::new(), Vec::new()];
        for (index, side) in [Side::Sell, Side::Buy].into_iter().enumerate() {
            for candidate in members.iter().filter(|candidate| candidate.side == side) {
                if !self.hold_outside_band(ts, candidate, price, out) {
                    sides[index].push((*candidate, candidate.planned));
                }
            }
        }
        let mut cancelled = Vec::new();
        for side in &mut sides {
            let mut purse = Purse::empty();
            for (candidate, lots) in side {
                let covered = match self.working(candidate) {
                    Some(order) => {
                        let none = Liquidity::None;
                        self.cut_to_funds(ts, order, *lots, price, &mut purse, none, out)?
                    }
                    None => 0,
                };
                if covered < *lots {
                    cancelled.push(candidate.slot);
                }
                *lots = covered;
            }
        }
        let sum = |side: &[(Candidate, i64)]| side.iter().map(|(_, lots)| *lots).sum::<i64>();
        let total = sum(&sides[0]).min(sum(&sides[1]));
        for side in &sides {
            let weights: Vec<i64> = side.iter().map(|(_, lots)| *lots).collect();
            for ((candidate, _), lots) in side.iter().zip(allocate(total, &weights)) {
                if lots < candidate.planned
                    && let Some(order) = self.book.get_mut(candidate.slot)
                {
                    order.reason = Reason::Uncrossed;
                }
                if lots > 0 {
                    // What has crossed is no longer withheld from the venue, where it is gone too.
                    let group = &mut session.candidates[range.clone()];
                    if let Ok(place) = group.binary_search_by_key(&candidate.id, |c| c.id) {
                        group[place].planned -= lots;
                    }
                    let quantity = lots * self.lot_of(candidate);
                    self.book_fill(
                        candidate.slot,
                        ts,
                        quantity,
                        price,
                        0,
                        0,
                        FillKind::Cross,
                        Liquidity::None,
                        out,
                    )?;
                }
            }
        }
        let reason = self.reason_of_funds(members[0].instrument);
        for slot in cancelled {
            self.cancel(ts, slot, reason, out)?;
        }
        Ok(())
    }
}
