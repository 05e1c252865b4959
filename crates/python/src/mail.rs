//! What became of a sleeve's orders, kept until its strategy is called.

use std::collections::VecDeque;

use quantvista_engine::{Fill, OrderRow, OrderStatus, Output, Reason, Recorder, Rule};

/// One thing to tell a strategy.
#[derive(Debug, Clone, Copy)]
pub enum Notice {
    Fill(Fill),
    Order(Change),
}

/// A change of an order.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub id: u64,
    pub instrument: usize,
    /// What happened to it.
    pub what: &'static str,
    pub status: OrderStatus,
    pub reason: &'static str,
    pub ts: i64,
}

/// What each sleeve wants to hear of, and what it has not heard yet.
#[derive(Debug, Default)]
pub struct Mail {
    boxes: Vec<VecDeque<Notice>>,
    wants_fills: Vec<bool>,
    wants_orders: Vec<bool>,
    any: bool,
    waiting: usize,
}

impl Mail {
    /// Start again for sleeves that want to hear of fills, and of orders.
    pub fn open(&mut self, wants_fills: Vec<bool>, wants_orders: Vec<bool>) {
        self.any = wants_fills.iter().chain(&wants_orders).any(|wants| *wants);
        self.boxes = vec![VecDeque::new(); wants_fills.len()];
        self.wants_fills = wants_fills;
        self.wants_orders = wants_orders;
        self.waiting = 0;
    }

    /// Whether any sleeve wants to hear of anything.
    pub fn is_wanted(&self) -> bool {
        self.any
    }

    /// Whether there is something to tell.
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// How much there is to tell a sleeve.
    pub fn count(&self, sleeve: usize) -> usize {
        self.boxes.get(sleeve).map_or(0, VecDeque::len)
    }

    pub fn take(&mut self, sleeve: usize) -> Option<Notice> {
        let notice = self.boxes.get_mut(sleeve)?.pop_front()?;
        self.waiting -= 1;
        Some(notice)
    }

    fn put(&mut self, sleeve: usize, notice: Notice) {
        self.boxes[sleeve].push_back(notice);
        self.waiting += 1;
    }

    /// Keep what an output, which the recorder has seen already, says to a strategy.
    pub fn keep(&mut self, output: &Output, recorder: &Recorder, now: i64) {
        match output {
            Output::OrderHeld(order) => self.order(recorder, order.id, now, "held", ""),
            Output::OrderSubmitted(order) => self.order(recorder, order.id, now, "submitted", ""),
            Output::OrderAccepted(order) => self.order(recorder, order.id, now, "accepted", ""),
            Output::OrderRejected { order, rule } => {
                self.order(recorder, order.id, now, "rejected", rule.name());
            }
            Output::OrderTriggered { ts, order } => {
                self.order(recorder, *order, *ts, "triggered", "");
            }
            Output::OrderAmended { ts, order } => {
                self.order(recorder, order.id, *ts, "amended", "");
            }
            Output::OrderFilled(fill) => {
                // The order first: whoever answers a fill then knows whether it still works.
                if let Some(id) = fill.order {
                    self.order(recorder, id, fill.ts, "", "");
                }
                if self.wants_fills[fill.sleeve] {
                    self.put(fill.sleeve, Notice::Fill(*fill));
                }
            }
            Output::OrderCancelled { ts, order, reason } => {
                self.order(recorder, *order, *ts, "cancelled", reason.name());
            }
            Output::OrderExpired { ts, order, reason } => {
                self.order(recorder, *order, *ts, "expired", reason.name());
            }
            Output::OrderUnknown { ts, order } => self.order(recorder, *order, *ts, "unknown", ""),
            Output::CancelRejected { ts, order } => {
                let row = recorder.order(*order).map(|row| row.order);
                let is_outside = row.is_some_and(|order| order.remote && !order.status.is_final());
                let rule = if is_outside {
                    Rule::Venue
                } else {
                    Rule::Unknown
                };
                self.order(recorder, *order, *ts, "cancel_rejected", rule.name());
            }
            Output::AmendRejected { ts, order, rule } => {
                self.order(recorder, *order, *ts, "amend_rejected", rule.name());
            }
            _ => {}
        }
    }

    /// `change` empty: it is the status that the order now has.
    fn order(
        &mut self,
        recorder: &Recorder,
        id: u64,
        ts: i64,
        change: &'static str,
        reason: &'static str,
    ) {
        let Some(row) = recorder.order(id) else {
            return;
        };
        if self.wants_orders[row.order.sleeve] {
            let status = row.order.status;
            let change = Change {
                id,
                instrument: row.order.instrument,
                what: if change.is_empty() {
                    status.name()
                } else {
                    change
                },
                status,
                reason,
                ts,
            };
            self.put(row.order.sleeve, Notice::Order(change));
        }
    }
}

/// Rule or cause of an order's end; empty while there is none.
pub fn reason_of(row: &OrderRow) -> &'static str {
    row.rejected_by
        .map(Rule::name)
        .or(row.reason.map(Reason::name))
        .unwrap_or("")
}
