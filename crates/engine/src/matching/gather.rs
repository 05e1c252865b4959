//! Which orders may match at a barrier, and which end with it.

use crate::engine::Engine;
use crate::input::Bar;
use crate::market::DataKind;
use crate::matching::{Candidate, Counts, Session, is_grouped, is_marketable};
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, mul};
use crate::order::{Order, OrderKind, Reason, Side, TimeInForce};
use crate::orders::is_rising;

/// What of a barrier says whether an order takes part.
#[derive(Clone, Copy)]
struct Call {
    ts: i64,
    session_start: bool,
    session_end: bool,
    cutoff: i64,
    touch: bool,
}

impl Counts {
    fn add(&mut self, order: &Order, bar: &Bar) {
        match order.side {
            Side::Sell => self.sales += 1,
            Side::Buy => self.buys += 1,
        }
        self.singles += usize::from(!is_grouped(order));
        let at_close = order.kind == OrderKind::OnClose || bar.range.is_none();
        self.at_close += usize::from(at_close);
    }
}

impl Call {
    fn lets_match(&self, order: &Order) -> bool {
        match order.kind {
            OrderKind::OnOpen => self.session_start,
            OrderKind::OnClose => {
                self.session_end && self.ts.saturating_sub(self.cutoff) >= order.arrival
            }
            _ => true,
        }
    }

    /// Whether a due order ends with the barrier, matched or not.
    fn ends(&self, order: &Order) -> bool {
        match order.tif {
            TimeInForce::Ioc | TimeInForce::Fok => true,
            TimeInForce::Day => self.session_end,
            TimeInForce::Gtc | TimeInForce::Gtd => false,
        }
    }

    /// Note how an order comes into the bar; whether it can be reached there at all.
    fn meets(&self, order: &mut Order, bar: &Bar) -> bool {
        order.reason = waiting_reason(order);
        if order.waits_for_trigger() {
            return order.trail.is_some() || reaches_trigger(bar, order);
        }
        let Some(limit) = order.limit_price else {
            return true;
        };
        let first = bar.range.map_or(bar.close, |[open, _, _]| open);
        if is_marketable(order.side, limit, first) {
            return true;
        }
        order.rested |= order.unfilled() > 0;
        bar.range.is_some_and(|[_, high, low]| match order.side {
            Side::Buy => low < limit || (self.touch && low == limit),
            Side::Sell => high > limit || (self.touch && high == limit),
        })
    }
}

/// Why an order is not filled, as long as nothing else is known of it.
pub(super) fn waiting_reason(order: &Order) -> Reason {
    if order.waits_for_trigger() {
        Reason::Trigger
    } else if order.limit_price.is_some() {
        Reason::Limit
    } else {
        Reason::Day
    }
}

fn reaches_trigger(bar: &Bar, order: &Order) -> bool {
    let (high, low) = bar
        .range
        .map_or((bar.close, bar.close), |[_, high, low]| (high, low));
    order.trigger_price.is_some_and(|trigger| {
        if is_rising(order) {
            high >= trigger
        } else {
            low <= trigger
        }
    })
}

impl Engine {
    /// Find the orders that may match, and those that end with this barrier.
    pub(super) fn gather(
        &mut self,
        session: &mut Session,
        ts: i64,
        session_start: bool,
        session_end: bool,
    ) -> Result<()> {
        session.ts = ts;
        session.ends_day = session_end;
        session.candidates.clear();
        session.groups.clear();
        session.volume.clear();
        session.closing.clear();
        session.counts = Counts::default();
        for instrument in 0..self.config.instruments.len() {
            if self.book.orders_of(instrument).is_empty() {
                continue;
            }
            if self.config.instruments[instrument].matching != DataKind::Bars {
                if session_end {
                    self.end_day_of(session, instrument);
                }
                continue;
            }
            let venue = self.config.venue_of(instrument);
            let call = Call {
                ts,
                session_start,
                session_end,
                cutoff: venue.on_close_cutoff_ns,
                touch: venue.limit_fill_on_touch,
            };
            let (bar, absent) = if self.is_halted(instrument) {
                (None, Reason::Halted)
            } else {
                (self.instruments[instrument].waiting, Reason::NoBar)
            };
            let begin = session.candidates.len();
            for position in 0..self.book.orders_of(instrument).len() {
                let (id, slot) = self.book.orders_of(instrument)[position];
                if let Some(order) = self.book.get_mut(slot).filter(|order| order.id == id) {
                    session.consider(order, slot, &call, bar.as_ref().ok_or(absent));
                }
            }
            if session.candidates.len() > begin {
                session.groups.push(begin..session.candidates.len());
                let volume = self.volume_lots(instrument, bar.and_then(|b| b.volume))?;
                session.volume.push(volume);
            }
        }
        Ok(())
    }

    /// Orders for the day of an event instrument end with the session, for the last reason that
    /// was noted of them, or for what they wait for.
    fn end_day_of(&mut self, session: &mut Session, instrument: usize) {
        for position in 0..self.book.orders_of(instrument).len() {
            let (id, slot) = self.book.orders_of(instrument)[position];
            let Some(order) = self.book.get_mut(slot).filter(|order| order.id == id) else {
                continue;
            };
            let is_due = order.is_at_venue() && order.arrival <= session.ts;
            if order.tif != TimeInForce::Day || !is_due {
                continue;
            }
            if !matches!(
                order.reason,
                Reason::Volume | Reason::PriceBand | Reason::Uncrossed
            ) {
                order.reason = waiting_reason(order);
            }
            session.closing.push((id, slot));
        }
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
}

impl Session {
    fn consider(
        &mut self,
        order: &mut Order,
        slot: usize,
        call: &Call,
        bar: std::result::Result<&Bar, Reason>,
    ) {
        if order.ts >= call.ts || !order.is_at_venue() {
            return;
        }
        let may_match = call.lets_match(order);
        order.due |= may_match;
        if order.due && call.ends(order) {
            self.closing.push((order.id, slot));
        }
        if !may_match {
            return;
        }
        match bar {
            Err(absent) => order.reason = absent,
            Ok(bar) if call.meets(order, bar) => {
                self.counts.add(order, bar);
                self.candidates.push(candidate_of(slot, order));
            }
            Ok(_) => {}
        }
    }
}

pub(super) fn candidate_of(slot: usize, order: &Order) -> Candidate {
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
