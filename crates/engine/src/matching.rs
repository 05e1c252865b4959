//! Matching at a barrier: `docs/engine/bars.md`, sections 5 and 6.

use crate::engine::Engine;
use crate::input::Bar;
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, mul};
use crate::order::{Order, OrderKind, OrderStatus, Reason, Side, TimeInForce};
use crate::output::{Liquidity, Output};

/// An order that may match at this barrier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) slot: usize,
    pub(crate) id: u64,
    pub(crate) sleeve: usize,
    pub(crate) instrument: usize,
    pub(crate) side: Side,
    pub(crate) kind: OrderKind,
    /// Lots planned to cross with another sleeve.
    pub(crate) planned: i64,
    /// Lots for the venue that it has not filled yet.
    pub(crate) external: i64,
}

/// The barrier at hand: what may match and how much volume is left for us. It is no state; the
/// engine keeps it so that its memory is used again.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) ts: i64,
    pub(crate) candidates: Vec<Candidate>,
    /// Ranges of `candidates`, one an instrument.
    pub(crate) groups: Vec<std::ops::Range<usize>>,
    /// Lots left under the participation cap, one a group.
    pub(crate) volume: Vec<Option<i64>>,
    pub(crate) counts: Counts,
    /// Id and slot of the orders that end with this barrier.
    closing: Vec<(u64, usize)>,
    /// Of the group at hand: its members, and what they may fill.
    members: Vec<usize>,
    pub(crate) picked: Vec<Share>,
}

/// How many candidates there are of some kinds, so that steps without any are left out.
#[derive(Default)]
pub(crate) struct Counts {
    sales: usize,
    buys: usize,
    limits: usize,
    /// On-close orders, and all orders of close-only instruments.
    at_close: usize,
    pub(crate) crosses: usize,
}

/// Part of an order in a group's fill: index of its candidate, lots wanted and granted.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) index: usize,
    pub(crate) wanted: i64,
    pub(crate) granted: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Open,
    Close,
}

/// The terms on which a group of orders meets the venue.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) group: usize,
    pub(crate) price: i64,
    pub(crate) reference: i64,
    pub(crate) banded: bool,
    pub(crate) liquidity: Liquidity,
}

impl Counts {
    fn add(&mut self, order: &Order, bar: &Bar) {
        match order.side {
            Side::Sell => self.sales += 1,
            Side::Buy => self.buys += 1,
        }
        self.limits += usize::from(order.kind == OrderKind::Limit);
        let at_close = order.kind == OrderKind::OnClose || bar.range.is_none();
        self.at_close += usize::from(at_close);
    }

    fn of(&self, side: Side) -> usize {
        match side {
            Side::Sell => self.sales,
            Side::Buy => self.buys,
        }
    }
}

impl Engine {
    pub(crate) fn match_barrier(
        &mut self,
        ts: i64,
        session_start: bool,
        session_end: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut session = std::mem::take(&mut self.matching);
        self.gather(&mut session, ts, session_start, session_end)?;
        if !session.candidates.is_empty() {
            self.plan_crosses(&mut session);
            self.auction(&mut session, Step::Open, Side::Sell, out)?;
            self.auction(&mut session, Step::Open, Side::Buy, out)?;
            self.inside(&mut session, Side::Sell, out)?;
            self.inside(&mut session, Side::Buy, out)?;
            self.auction(&mut session, Step::Close, Side::Sell, out)?;
            if session.counts.crosses > 0 {
                for group in 0..session.groups.len() {
                    self.cross(&mut session, group, out)?;
                }
            }
            self.auction(&mut session, Step::Close, Side::Buy, out)?;
        }
        self.close_orders(&session, out)?;
        self.book.sweep();
        self.matching = session;
        Ok(())
    }

    /// Find the orders that may match, and those that end with this barrier.
    fn gather(
        &mut self,
        session: &mut Session,
        ts: i64,
        session_start: bool,
        session_end: bool,
    ) -> Result<()> {
        session.ts = ts;
        session.candidates.clear();
        session.groups.clear();
        session.volume.clear();
        session.closing.clear();
        session.counts = Counts::default();
        for instrument in 0..self.config.instruments.len() {
            if self.book.orders_of(instrument).is_empty() {
                continue;
            }
            let bar = self.instruments[instrument].waiting;
            let cutoff = self.config.venue_of(instrument).on_close_cutoff_ns;
            let touch = self.config.venue_of(instrument).limit_fill_on_touch;
            let begin = session.candidates.len();
            for position in 0..self.book.orders_of(instrument).len() {
                let (id, slot) = self.book.orders_of(instrument)[position];
                let Some(order) = self.book.get_mut(slot).filter(|order| order.id == id) else {
                    continue;
                };
                if order.ts >= ts {
                    continue;
                }
                let may_match = match order.kind {
                    OrderKind::Market | OrderKind::Limit => true,
                    OrderKind::OnOpen => session_start,
                    OrderKind::OnClose => session_end && ts.saturating_sub(cutoff) >= order.ts,
                    _ => false,
                };
                order.due |= may_match;
                if order.due
                    && (order.tif == TimeInForce::Ioc
                        || (order.tif == TimeInForce::Day && session_end))
                {
                    session.closing.push((order.id, slot));
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
                session.counts.add(order, bar);
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
        session.closing.sort_unstable();
        Ok(())
    }

    fn volume_lots(&self, instrument: usize, volume: Option<i64>) -> Result<Option<i64>> {
        let Some(rate) = self.config.venue_of(instrument).participation_max else {
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

    pub(crate) fn working(&self, candidate: &Candidate) -> Option<&Order> {
        self.book.get(candidate.slot)
    }

    pub(crate) fn lot_of(&self, candidate: &Candidate) -> i64 {
        self.config.instruments[candidate.instrument].lot_size
    }

    pub(crate) fn unfilled_lots(&self, candidate: &Candidate) -> i64 {
        self.working(candidate)
            .map_or(0, |order| order.unfilled() / self.lot_of(candidate))
    }

    /// One side of the open or of the close, instrument by instrument.
    fn auction(
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
                    && match candidate.kind {
                        OrderKind::Market => is_first_price,
                        OrderKind::OnOpen => step == Step::Open,
                        OrderKind::OnClose => step == Step::Close,
                        _ => false,
                    }
            }));
            let lot = self.config.instruments[instrument].lot_size;
            if !members.is_empty() {
                members.sort_by_key(|i| (session.candidates[*i].sleeve, session.candidates[*i].id));
                let lots = members.iter().fold(0_i64, |sum, i| {
                    sum.saturating_add(session.candidates[*i].external)
                });
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
                let marketable = match side {
                    Side::Buy => limit >= reference,
                    Side::Sell => limit <= reference,
                };
                if marketable {
                    let quantity = candidate.external.saturating_mul(lot);
                    let slipped =
                        self.taking_price(session.ts, instrument, side, quantity, reference)?;
                    let price = match side {
                        Side::Buy => slipped.min(limit),
                        Side::Sell => slipped.max(limit),
                    };
                    let terms = Terms {
                        group,
                        price,
                        reference,
                        banded: false,
                        liquidity: Liquidity::Taker,
                    };
                    self.fill_group(session, &[index], terms, out)?;
                }
            }
        }
        Ok(())
    }

    /// Resting limit orders that the bar trades through after its open.
    fn inside(&mut self, session: &mut Session, side: Side, out: &mut Vec<Output>) -> Result<()> {
        if session.counts.of(side) == 0 || session.counts.limits == 0 {
            return Ok(());
        }
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
                        self.config
                            .venue_of(candidate.instrument)
                            .limit_fill_on_touch,
                    )
                {
                    let terms = Terms {
                        group,
                        price: limit,
                        reference: limit,
                        banded: false,
                        liquidity: Liquidity::Maker,
                    };
                    self.fill_group(session, &[index], terms, out)?;
                }
            }
        }
        Ok(())
    }

    fn close_orders(&mut self, session: &Session, out: &mut Vec<Output>) -> Result<()> {
        let ts = session.ts;
        for &(_, slot) in &session.closing {
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
