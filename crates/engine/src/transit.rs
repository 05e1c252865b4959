//! Commands on their way to a venue: `docs/engine/matching.md`, section 11.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::input::{Amendment, OrderRequest};
use crate::market::DataKind;
use crate::models::LatencyKind;
use crate::numbers::Result;
use crate::order::{OrderStatus, Reason};
use crate::orders::advance;
use crate::output::Output;

/// What a command wants of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Errand {
    Submit,
    Amend(Amendment),
    Replace(OrderRequest),
    Cancel,
}

/// A command as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) at: i64,
    pub(crate) order: u64,
    pub(crate) errand: Errand,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Transit {
    /// By arrival, order and order of sending.
    queue: BTreeMap<(i64, u64, u64), Errand>,
    /// By order: when its last command arrives, for none overtakes another.
    latest: BTreeMap<u64, i64>,
    sent: u64,
}

impl Transit {
    pub(crate) fn send(&mut self, message: Message) {
        self.sent += 1;
        self.latest.insert(message.order, message.at);
        self.queue
            .insert((message.at, message.order, self.sent), message.errand);
    }

    /// When the next command arrives, and of which order it is.
    #[inline]
    pub(crate) fn next(&self) -> Option<(i64, u64)> {
        let (at, order, _) = self.queue.first_key_value()?.0;
        Some((*at, *order))
    }

    fn receive(&mut self) -> Option<Message> {
        let ((at, order, _), errand) = self.queue.pop_first()?;
        if self.latest.get(&order) == Some(&at) && self.next_of(order, at).is_none() {
            self.latest.remove(&order);
        }
        Some(Message { at, order, errand })
    }

    fn next_of(&self, order: u64, at: i64) -> Option<()> {
        let mut same = self.queue.range((at, order, 0)..=(at, order, u64::MAX));
        same.next().map(|_| ())
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.queue
            .iter()
            .map(|(&(at, order, _), &errand)| Message { at, order, errand })
            .collect()
    }
}

impl Engine {
    /// How many commands are on their way.
    #[must_use]
    pub fn transit_count(&self) -> usize {
        self.transit.queue.len()
    }

    /// When a command of an order reaches its venue; `ts` if that is at once.
    #[inline(always)]
    pub(crate) fn arrival_of(
        &self,
        ts: i64,
        instrument: usize,
        order: u64,
        kind: LatencyKind,
    ) -> i64 {
        if self.floor.pits[instrument].form.is_prompt && self.transit.latest.is_empty() {
            return ts;
        }
        self.arrival_later(ts, instrument, order, kind)
    }

    #[inline(never)]
    fn arrival_later(&self, ts: i64, instrument: usize, order: u64, kind: LatencyKind) -> i64 {
        let delay = if self.floor.pits[instrument].form.is_prompt {
            0
        } else {
            let latency = &self.config.venue_of(instrument).latency;
            latency.delay(self.config.seed, order, kind)
        };
        let own = ts.saturating_add(delay);
        self.transit
            .latest
            .get(&order)
            .map_or(own, |latest| own.max(*latest))
    }

    /// When a command of a working order acts. None if the order does not work.
    fn acts_at(&self, ts: i64, id: u64, kind: LatencyKind) -> Option<i64> {
        let order = self.order(id)?;
        Some(match order.status {
            // It waits with us, not at the venue.
            OrderStatus::Held => ts,
            _ => self.arrival_of(ts, order.instrument, id, kind),
        })
    }

    /// A strategy wants something of an order: it is done at once, or sent to its venue.
    pub(crate) fn command_order(
        &mut self,
        ts: i64,
        order: u64,
        errand: Errand,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let kind = match errand {
            Errand::Submit => LatencyKind::Submit,
            Errand::Amend(_) | Errand::Replace(_) => LatencyKind::Amend,
            Errand::Cancel => LatencyKind::Cancel,
        };
        match self.acts_at(ts, order, kind) {
            Some(at) if at > ts => {
                self.transit.send(Message { at, order, errand });
                Ok(())
            }
            _ => self.run_errand(ts, order, &errand, out),
        }
    }

    fn run_errand(
        &mut self,
        ts: i64,
        order: u64,
        errand: &Errand,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        match errand {
            Errand::Submit => {
                self.come_to_venue(order, out);
                Ok(())
            }
            Errand::Amend(amendment) => self.amend(ts, amendment, out),
            Errand::Replace(request) => self.replace(ts, order, request, out),
            Errand::Cancel => self.cancel_at_venue(ts, order, out),
        }
    }

    fn cancel_at_venue(&mut self, ts: i64, id: u64, out: &mut Vec<Output>) -> Result<()> {
        match self.book.find(id) {
            Some(slot) => {
                self.cancel(ts, slot, Reason::Requested, out)?;
                self.book.sweep();
            }
            None => out.push(Output::CancelRejected { ts, order: id }),
        }
        Ok(())
    }

    /// The next command arrives.
    pub(crate) fn deliver(&mut self, out: &mut Vec<Output>) -> Result<()> {
        let Some(Message { at, order, errand }) = self.transit.receive() else {
            return Ok(());
        };
        self.run_errand(at, order, &errand, out)?;
        self.act(at, out)
    }

    fn come_to_venue(&mut self, id: u64, out: &mut Vec<Output>) {
        // It may have ended on its way.
        let Some(slot) = self.book.find(id) else {
            return;
        };
        if let Some(order) = self.book.get_mut(slot) {
            advance(order, OrderStatus::Accepted);
            out.push(Output::OrderAccepted(*order));
        }
        self.activated.push((id, slot));
    }

    /// Let the orders act that came to a venue, or came anew; a fill may bring further ones.
    #[inline(always)]
    pub(crate) fn act(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        if self.activated.is_empty() {
            return Ok(());
        }
        self.act_now(ts, out)
    }

    #[inline(never)]
    fn act_now(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        let mut next = 0;
        while let Some(&(id, slot)) = self.activated.get(next) {
            next += 1;
            if self.book.is_in(slot, id) {
                self.reach_venue(ts, slot, out)?;
            }
        }
        self.activated.clear();
        self.book.sweep();
        Ok(())
    }

    /// An order is at the venue of its instrument, whatever it does there.
    fn reach_venue(&mut self, ts: i64, slot: usize, out: &mut Vec<Output>) -> Result<()> {
        let Some(order) = self.book.get(slot) else {
            return Ok(());
        };
        let instrument = order.instrument;
        if self.floor.pits[instrument].form.kind == DataKind::Bars {
            return Ok(());
        }
        if order.waits_for_trigger() {
            let told = self.told_standing(instrument);
            if !self.await_trigger(ts, slot, told, out) {
                return Ok(());
            }
        }
        self.arrive(ts, slot, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(at: i64, order: u64, errand: Errand) -> Message {
        Message { at, order, errand }
    }

    #[test]
    fn commands_arrive_by_time_then_order_then_sending() {
        let mut transit = Transit::default();
        for sent in [
            message(20, 1, Errand::Submit),
            message(10, 3, Errand::Submit),
            message(10, 2, Errand::Submit),
            message(10, 2, Errand::Cancel),
        ] {
            transit.send(sent);
        }
        assert_eq!(transit.next(), Some((10, 2)));
        let all = transit.messages();
        let mut received = Vec::new();
        while let Some(message) = transit.receive() {
            received.push(message);
        }
        assert_eq!(received, all);
        let order: Vec<(u64, Errand)> = received.iter().map(|m| (m.order, m.errand)).collect();
        assert_eq!(
            order,
            [
                (2, Errand::Submit),
                (2, Errand::Cancel),
                (3, Errand::Submit),
                (1, Errand::Submit)
            ]
        );
        assert!(transit.latest.is_empty());
    }
}
