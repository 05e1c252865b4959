//! Matching at a barrier: `docs/engine.md`, sections 5 and 6.

use crate::allocation::allocate;
use crate::engine::Engine;
use crate::input::Bar;
use crate::numbers::{RATE_ONE, Result, Rounding, add, div_round, mul, sub};
use crate::order::{Order, OrderKind, OrderStatus, Reason, Side, TimeInForce};
use crate::output::{Figure, Fill, FillKind, Outcome, Output, Rule, Verdict};
use crate::sizing::advance;

/// An order that may match at this barrier.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    slot: usize,
    id: u64,
    sleeve: usize,
    instrument: usize,
    side: Side,
    kind: OrderKind,
    /// Lots planned to cross with another sleeve.
    planned: i64,
    /// Lots for the venue that it has not filled yet.
    external: i64,
}

/// The barrier at hand: what may match and how much volume is left for us.
struct Session {
    ts: i64,
    candidates: Vec<Candidate>,
    /// Ranges of `candidates`, one an instrument.
    groups: Vec<std::ops::Range<usize>>,
    /// Lots left under the participation cap, one a group.
    volume: Vec<Option<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Open,
    Close,
}

/// The terms on which a group of orders meets the venue.
#[derive(Clone, Copy)]
struct Terms {
    group: usize,
    price: i64,
    reference: i64,
    banded: bool,
}

impl Engine {
    pub(crate) fn match_barrier(
        &mut self,
        ts: i64,
        session_start: bool,
        session_end: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let (mut session, closing) = self.gather(ts, session_start, session_end)?;
        if !session.candidates.is_empty() {
            self.plan_crosses(&mut session);
            self.auction(&mut session, Step::Open, Side::Sell, out)?;
            self.auction(&mut session, Step::Open, Side::Buy, out)?;
            self.inside(&mut session, Side::Sell, out)?;
            self.inside(&mut session, Side::Buy, out)?;
            self.auction(&mut session, Step::Close, Side::Sell, out)?;
            for group in 0..session.groups.len() {
                self.cross(&mut session, group, out)?;
            }
            self.auction(&mut session, Step::Close, Side::Buy, out)?;
        }
        self.close_orders(ts, closing, out)?;
        self.book.sweep();
        Ok(())
    }

    /// Find the orders that may match, and those that end with this barrier.
    fn gather(
        &mut self,
        ts: i64,
        session_start: bool,
        session_end: bool,
    ) -> Result<(Session, Vec<(u64, usize)>)> {
        let cutoff = self.config.venue.on_close_cutoff_ns;
        let mut session = Session {
            ts,
            candidates: Vec::new(),
            groups: Vec::new(),
            volume: Vec::new(),
        };
        let mut closing = Vec::new();
        for instrument in 0..self.config.instruments.len() {
            if self.book.slots_of(instrument).is_empty() {
                continue;
            }
            let bar = self.instruments[instrument].waiting;
            let touch = self.config.venue.limit_fill_on_touch;
            let begin = session.candidates.len();
            for position in 0..self.book.slots_of(instrument).len() {
                let slot = self.book.slots_of(instrument)[position];
                let Some(order) = self.book.get_mut(slot) else {
                    continue;
                };
                if order.ts >= ts {
                    continue;
                }
                let may_match = match order.kind {
                    OrderKind::Market | OrderKind::Limit => true,
                    OrderKind::OnOpen => session_start,
                    OrderKind::OnClose => session_end && ts.saturating_sub(cutoff) >= order.ts,
                };
                order.due |= may_match;
                if order.due
                    && (order.tif == TimeInForce::Ioc
                        || (order.tif == TimeInForce::Day && session_end))
                {
                    closing.push((order.id, slot));
                }
                if !may_match {
                    continue;
                }
                let Some(bar) = &bar else {
                    order.reason = Reason::NoBar;
                    continue;
                };
                order.reason = Reason::Day;
                if let Some(limit) = order.limit_price {
                    order.reason = Reason::Limit;
                    if !reaches(bar, order.side, limit, touch) {
                        continue;
                    }
                }
                session.candidates.push(Candidate {
                    slot,
                    id: order.id,
                    sleeve: order.sleeve,
                    instrument,
                    side: order.side,
                    kind: order.kind,
                    planned: 0,
                    external: 0,
                });
            }
            if session.candidates.len() > begin {
                session.groups.push(begin..session.candidates.len());
                session
                    .volume
                    .push(self.volume_lots(instrument, bar.and_then(|b| b.volume))?);
            }
        }
        closing.sort_unstable();
        Ok((session, closing))
    }

    fn volume_lots(&self, instrument: usize, volume: Option<i64>) -> Result<Option<i64>> {
        let Some(rate) = self.config.venue.participation_max else {
            return Ok(None);
        };
        let product = mul(
            i128::from(volume.unwrap_or(0)),
            i128::from(rate),
            "a volume",
        )?;
        let units = div_round(product, i128::from(RATE_ONE), Rounding::Down);
        let lot = i128::from(self.config.instruments[instrument].lot_size);
        Ok(Some(
            i64::try_from(units / lot).expect("at most the volume"),
        ))
    }

    fn working(&self, candidate: &Candidate) -> Option<&Order> {
        self.book.get(candidate.slot)
    }

    fn lot_of(&self, candidate: &Candidate) -> i64 {
        self.config.instruments[candidate.instrument].lot_size
    }

    fn unfilled_lots(&self, candidate: &Candidate) -> i64 {
        self.working(candidate)
            .map_or(0, |order| order.unfilled() / self.lot_of(candidate))
    }

    fn plan_crosses(&self, session: &mut Session) {
        for candidate in &mut session.candidates {
            candidate.external = self.unfilled_lots(candidate);
        }
        for range in &session.groups {
            let members = &session.candidates[range.clone()];
            let lots_of = |side: Side| -> (Vec<usize>, Vec<i64>) {
                let mut picked: Vec<usize> = range
                    .clone()
                    .filter(|i| {
                        session.candidates[*i].kind == OrderKind::Market
                            && session.candidates[*i].side == side
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
                for (index, planned) in picked.into_iter().zip(allocate(total, &lots)) {
                    session.candidates[index].planned = planned;
                    session.candidates[index].external -= planned;
                }
            }
        }
    }

    /// One side of the open or of the close, instrument by instrument.
    fn auction(
        &mut self,
        session: &mut Session,
        step: Step,
        side: Side,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut members = Vec::new();
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
            members.clear();
            members.extend(range.clone().filter(|i| {
                let candidate = &session.candidates[*i];
                candidate.side == side
                    && match candidate.kind {
                        OrderKind::Market => is_first_price,
                        OrderKind::OnOpen => step == Step::Open,
                        OrderKind::OnClose => step == Step::Close,
                        OrderKind::Limit => false,
                    }
            }));
            let tick = self.config.instruments[instrument].tick_size;
            let slipped = self.config.venue.slippage.price(reference, side, tick)?;
            if !members.is_empty() {
                members.sort_by_key(|i| (session.candidates[*i].sleeve, session.candidates[*i].id));
                let terms = Terms {
                    group,
                    price: slipped,
                    reference,
                    banded: true,
                };
                self.fill_group(session, &members, terms, out)?;
            }
            if !is_first_price {
                continue;
            }
            for index in range {
                let candidate = session.candidates[index];
                if candidate.kind != OrderKind::Limit || candidate.side != side {
                    continue;
                }
                let Some(limit) = self.working(&candidate).and_then(|order| order.limit_price)
                else {
                    continue;
                };
                let (marketable, price) = match side {
                    Side::Buy => (limit >= reference, slipped.min(limit)),
                    Side::Sell => (limit <= reference, slipped.max(limit)),
                };
                if marketable {
                    let terms = Terms {
                        group,
                        price,
                        reference,
                        banded: false,
                    };
                    self.fill_group(session, &[index], terms, out)?;
                }
            }
        }
        Ok(())
    }

    /// Resting limit orders that the bar trades through after its open.
    fn inside(&mut self, session: &mut Session, side: Side, out: &mut Vec<Output>) -> Result<()> {
        for group in 0..session.groups.len() {
            for index in session.groups[group].clone() {
                let candidate = session.candidates[index];
                let Some(order) = self.working(&candidate) else {
                    continue;
                };
                let Some(limit) = order.limit_price.filter(|_| order.side == side) else {
                    continue;
                };
                let bar = self.instruments[candidate.instrument]
                    .waiting
                    .expect("a candidate has a bar");
                if let Some([_, high, low]) = bar.range
                    && crosses(
                        high,
                        low,
                        side,
                        limit,
                        self.config.venue.limit_fill_on_touch,
                    )
                {
                    let terms = Terms {
                        group,
                        price: limit,
                        reference: limit,
                        banded: false,
                    };
                    self.fill_group(session, &[index], terms, out)?;
                }
            }
        }
        Ok(())
    }

    /// Fill orders of one side of one instrument with the venue, `members` by (sleeve, order id).
    fn fill_group(
        &mut self,
        session: &mut Session,
        members: &[usize],
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut picked = Vec::with_capacity(members.len());
        let mut cancelled = Vec::new();
        let mut purse = (usize::MAX, 0_i128);
        for &index in members {
            let candidate = session.candidates[index];
            let external = candidate.external;
            if external <= 0
                || self.working(&candidate).is_none()
                || (terms.banded
                    && self.hold_outside_band(session.ts, &candidate, terms.price, out))
            {
                continue;
            }
            let lots = match candidate.side {
                Side::Sell => external,
                Side::Buy => self.cut_to_cash(
                    session.ts,
                    &candidate,
                    external,
                    terms.price,
                    &mut purse,
                    true,
                    out,
                )?,
            };
            if lots < external {
                cancelled.push(candidate.slot);
            }
            picked.push((index, lots));
        }
        let weights: Vec<i64> = picked.iter().map(|(_, lots)| *lots).collect();
        let total: i64 = weights.iter().sum();
        let granted = match session.volume[terms.group] {
            Some(left) if left < total => allocate(left, &weights),
            _ => weights.clone(),
        };
        for ((index, wanted), lots) in picked.into_iter().zip(granted) {
            let candidate = session.candidates[index];
            if lots < wanted
                && let Some(order) = self.book.get_mut(candidate.slot)
            {
                order.reason = Reason::Volume;
            }
            if lots == 0 {
                continue;
            }
            if self.fill_at_venue(session.ts, &candidate, lots, terms, out)? {
                session.candidates[index].external -= lots;
                if let Some(left) = &mut session.volume[terms.group] {
                    *left -= lots;
                }
            } else {
                cancelled.push(candidate.slot);
            }
        }
        for slot in cancelled {
            self.cancel(session.ts, slot, Reason::Cash, out)?;
        }
        Ok(())
    }

    /// Whether an order's price band keeps it from `price`; if so, say it and note the reason.
    fn hold_outside_band(
        &mut self,
        ts: i64,
        candidate: &Candidate,
        price: i64,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(order) = self.working(candidate) else {
            return true;
        };
        let (reference, side, id) = (order.reference, order.side, order.id);
        if self.in_band(price, reference, side) {
            return false;
        }
        let limit = Figure::Price(self.band_edge(reference, side));
        let figure = Figure::Price(price);
        out.push(Output::Verdict(Verdict {
            ts,
            order: id,
            rule: Rule::PriceBand,
            figure,
            limit,
            outcome: Outcome::Held,
        }));
        if let Some(order) = self.book.get_mut(candidate.slot) {
            order.reason = Reason::PriceBand;
        }
        true
    }

    /// The lots of a buy that the sleeve's cash covers; `purse` carries the cash left by the
    /// sleeve's orders before it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the purse is shared by the orders of a group"
    )]
    fn cut_to_cash(
        &self,
        ts: i64,
        candidate: &Candidate,
        wanted: i64,
        price: i64,
        purse: &mut (usize, i128),
        with_fee: bool,
        out: &mut Vec<Output>,
    ) -> Result<i64> {
        if purse.0 != candidate.sleeve {
            *purse = (candidate.sleeve, self.ledger.cash(candidate.sleeve));
        }
        let per_lot =
            self.exposure
                .notional(candidate.instrument, self.lot_of(candidate), price)?;
        let cost = |lots: i64| -> Result<i128> {
            let part = mul(i128::from(lots), per_lot, "the cost of an order")?;
            let fee = if with_fee {
                self.exposure.fee(&self.config, part)?
            } else {
                0
            };
            add(part, fee, "the cost of an order")
        };
        let whole = cost(wanted)?;
        let lots = if whole <= purse.1 {
            wanted
        } else if with_fee {
            self.affordable_lots(purse.1, per_lot, wanted)?
        } else {
            i64::try_from(div_round(purse.1, per_lot, Rounding::Down)).expect("fewer than wanted")
        };
        if lots < wanted {
            let (figure, limit) = (Figure::Money(whole), Figure::Money(purse.1));
            let (rule, outcome) = (Rule::Cash, Outcome::Cut);
            out.push(Output::Verdict(Verdict {
                ts,
                order: candidate.id,
                rule,
                figure,
                limit,
                outcome,
            }));
        }
        purse.1 = sub(purse.1, cost(lots)?, "cash left")?;
        Ok(lots)
    }

    /// Fill with the venue; false if the fee of a sale is more than the sleeve could pay.
    fn fill_at_venue(
        &mut self,
        ts: i64,
        candidate: &Candidate,
        lots: i64,
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let quantity = lots * self.lot_of(candidate);
        let notional = self
            .exposure
            .notional(candidate.instrument, quantity, terms.price)?;
        let fee = self.exposure.fee(&self.config, notional)?;
        if candidate.side == Side::Sell {
            let left = add(
                self.ledger.cash(candidate.sleeve),
                notional,
                "the proceeds of a sale",
            )?;
            if left < fee {
                let (figure, limit) = (Figure::Money(fee), Figure::Money(left));
                let (rule, outcome) = (Rule::Cash, Outcome::Cut);
                out.push(Output::Verdict(Verdict {
                    ts,
                    order: candidate.id,
                    rule,
                    figure,
                    limit,
                    outcome,
                }));
                return Ok(false);
            }
        }
        let lost = (terms.price - terms.reference).abs();
        let slippage = self
            .exposure
            .notional(candidate.instrument, quantity, lost)?;
        self.book_fill(
            candidate.slot,
            ts,
            quantity,
            terms.price,
            fee,
            slippage,
            FillKind::Trade,
            out,
        )?;
        Ok(true)
    }

    /// Let planned crosses meet at the close.
    fn cross(&mut self, session: &mut Session, group: usize, out: &mut Vec<Output>) -> Result<()> {
        let mut members: Vec<Candidate> = session.candidates[session.groups[group].clone()]
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
        let mut purse = (usize::MAX, 0_i128);
        let mut cancelled = Vec::new();
        for (candidate, lots) in &mut sides[1] {
            let covered = self.cut_to_cash(ts, candidate, *lots, price, &mut purse, false, out)?;
            if covered < *lots {
                cancelled.push(candidate.slot);
            }
            *lots = covered;
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
                    let quantity = lots * self.lot_of(candidate);
                    self.book_fill(
                        candidate.slot,
                        ts,
                        quantity,
                        price,
                        0,
                        0,
                        FillKind::Cross,
                        out,
                    )?;
                }
            }
        }
        for slot in cancelled {
            self.cancel(ts, slot, Reason::Cash, out)?;
        }
        Ok(())
    }

    /// Book a fill of a working order.
    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    fn book_fill(
        &mut self,
        slot: usize,
        ts: i64,
        quantity: i64,
        price: i64,
        fee: i128,
        slippage: i128,
        kind: FillKind,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.book.get(slot).copied() else {
            return Ok(());
        };
        let mark = self
            .mark(order.instrument)
            .expect("a filled order has a price");
        self.exposure
            .in_flight_changed(&self.config, &order, mark, -1)?;
        let mut filled = order;
        filled.filled += quantity;
        let done = filled.unfilled() == 0;
        advance(
            &mut filled,
            if done {
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            },
        );
        let fill = Fill {
            ts,
            id: self.last_fill + 1,
            order: Some(order.id),
            instrument: order.instrument,
            sleeve: order.sleeve,
            side: order.side,
            quantity,
            price,
            fee,
            slippage,
            kind,
        };
        self.book_trade(&fill, mark)?;
        out.push(Output::OrderFilled(fill));
        if done {
            self.book.remove(slot);
        } else {
            self.exposure
                .in_flight_changed(&self.config, &filled, mark, 1)?;
            *self.book.get_mut(slot).expect("found above") = filled;
        }
        Ok(())
    }

    fn close_orders(
        &mut self,
        ts: i64,
        closing: Vec<(u64, usize)>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for (_, slot) in closing {
            let Some(order) = self.book.get(slot).copied() else {
                continue;
            };
            if order.tif == TimeInForce::Ioc {
                self.cancel(ts, slot, Reason::Ioc, out)?;
            } else {
                self.finish(slot, OrderStatus::Expired)?;
                out.push(Output::OrderExpired {
                    ts,
                    order: order.id,
                    reason: order.reason,
                });
            }
        }
        Ok(())
    }
}

/// Whether a bar reaches a limit at all, at its first price or inside.
fn reaches(bar: &Bar, side: Side, limit: i64, touch: bool) -> bool {
    let first = bar.range.map_or(bar.close, |[open, _, _]| open);
    let marketable = match side {
        Side::Buy => limit >= first,
        Side::Sell => limit <= first,
    };
    marketable
        || bar
            .range
            .is_some_and(|[_, high, low]| crosses(high, low, side, limit, touch))
}

/// Whether the market trades through a resting limit, or touches it where that is enough.
fn crosses(high: i64, low: i64, side: Side, limit: i64, touch: bool) -> bool {
    match side {
        Side::Buy => low < limit || (touch && low == limit),
        Side::Sell => high > limit || (touch && high == limit),
    }
}
