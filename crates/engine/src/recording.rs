//! What a run leaves behind, as rows: it watches the outputs and reads the engine at barriers.

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::Result;
use crate::order::{Order, OrderStatus, Reason};
use crate::output::{Fill, Output, Rule, Verdict};
use crate::packed::{Costs, KeptVerdict, PackedFill, PackedOrder, plain_verdict};

/// An order and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    pub order: Order,
    pub reason: Option<Reason>,
    pub rejected_by: Option<Rule>,
}

/// A verdict and the instrument of its order, whose units its figures have.
#[derive(Debug, Clone, Copy)]
pub struct VerdictRow {
    pub verdict: Verdict,
    pub instrument: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct SleeveRow {
    pub ts: i64,
    pub sleeve: usize,
    pub equity: i128,
    pub cash: i128,
}

#[derive(Debug, Clone, Copy)]
pub struct PositionRow {
    pub ts: i64,
    pub instrument: usize,
    pub sleeve: usize,
    pub quantity: i64,
    pub mark: i64,
    pub value: i128,
    pub cost: i128,
}

/// Collects the rows of a run.
#[derive(Debug, Default)]
pub struct Recorder {
    /// In order of id, from 1 on.
    orders: Vec<PackedOrder>,
    fills: Vec<PackedFill>,
    costs: Vec<Costs>,
    /// Those that are not [`PackedOrder::accepted_whole`].
    verdicts: Vec<KeptVerdict>,
    pub sleeves: Vec<SleeveRow>,
    pub positions: Vec<PositionRow>,
    pub missed: u64,
}

impl Recorder {
    /// The row of an order.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<OrderRow> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.orders.get(index).map(|row| row.unpack(id))
    }

    /// All orders, in order of id.
    pub fn orders(&self) -> impl Iterator<Item = OrderRow> {
        (1..).zip(&self.orders).map(|(id, row)| row.unpack(id))
    }

    /// All fills as they happened, in their instruments' units.
    pub fn fills(&self) -> impl Iterator<Item = Fill> {
        self.fills.iter().map(|fill| fill.unpack(&self.costs))
    }

    #[must_use]
    pub fn fill_count(&self) -> usize {
        self.fills.len()
    }

    /// The fill at a place among all fills.
    ///
    /// # Panics
    ///
    /// If there are fewer, which is a programmer's mistake.
    #[must_use]
    pub fn fill(&self, index: usize) -> Fill {
        self.fills[index].unpack(&self.costs)
    }

    /// All verdicts as they were given.
    #[must_use]
    pub fn verdicts(&self) -> Vec<VerdictRow> {
        let mut rows = Vec::with_capacity(self.orders.len() + self.verdicts.len());
        let mut kept = self.verdicts.iter().peekable();
        for (index, (id, order)) in (1..).zip(&self.orders).enumerate() {
            if order.accepted_whole() {
                rows.push(VerdictRow {
                    verdict: plain_verdict(order.ts, id),
                    instrument: order.instrument(),
                });
            }
            while let Some(next) = kept.next_if(|next| next.orders <= index + 1) {
                rows.push(VerdictRow {
                    verdict: next.verdict,
                    instrument: self.instrument_of(next.verdict.order),
                });
            }
        }
        rows
    }

    fn instrument_of(&self, id: u64) -> usize {
        let place = usize::try_from(id - 1).expect("an order's place");
        self.orders[place].instrument()
    }

    fn order_mut(&mut self, id: u64) -> Option<&mut PackedOrder> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.orders.get_mut(index)
    }

    /// Go on from a restored engine, whose orders so far are `orders`: what was recorded of a later
    /// time than `now` is dropped, what was recorded before stays.
    ///
    /// # Errors
    ///
    /// [`EngineError::Decode`] if the orders are not the engine's.
    pub fn resume(&mut self, engine: &Engine, orders: &[OrderRow], now: i64) -> Result<()> {
        let config = engine.config();
        let sound = orders.len() as u64 == engine.last_order()
            && (1..).zip(orders).all(|(id, row)| {
                row.order.id == id
                    && row.order.sleeve < config.sleeves.len()
                    && row.order.instrument < config.instruments.len()
            });
        if !sound {
            return Err(EngineError::Decode(
                "the orders of the snapshot are not those of its engine".to_owned(),
            ));
        }
        let before = std::mem::take(&mut self.orders);
        self.orders = orders.iter().map(PackedOrder::pack).collect();
        for (order, known) in self.orders.iter_mut().zip(before) {
            if known.accepted_whole() {
                order.set_accepted_whole();
            }
        }
        self.fills.retain(|fill| fill.ts <= now);
        let last = engine.last_order();
        self.verdicts
            .retain(|kept| kept.verdict.ts <= now && kept.verdict.order <= last);
        self.sleeves.retain(|row| row.ts <= now);
        self.positions.retain(|row| row.ts <= now);
        self.missed = (0..config.instruments.len())
            .map(|instrument| engine.missed(instrument))
            .sum();
        Ok(())
    }

    /// Take in what an input led to.
    pub fn observe(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::OrderAccepted(order)
                | Output::OrderSubmitted(order)
                | Output::OrderHeld(order) => match self.order_mut(order.id) {
                    None => self.orders.push(PackedOrder::new(order, None)),
                    Some(row) => row.renew(order),
                },
                Output::OrderAmended { order, .. } => {
                    if let Some(row) = self.order_mut(order.id) {
                        row.renew(order);
                    }
                }
                Output::OrderRejected { order, rule } => {
                    let row = PackedOrder::new(order, Some(*rule));
                    match self.order_mut(order.id) {
                        None => self.orders.push(row),
                        Some(held) => *held = row,
                    }
                }
                Output::OrderTriggered { order, .. } => {
                    if let Some(row) = self.order_mut(*order) {
                        row.trigger();
                    }
                }
                Output::OrderFilled(fill) => self.observe_fill(fill),
                Output::OrderCancelled { order, reason, .. } => {
                    self.finish(*order, OrderStatus::Cancelled, *reason);
                }
                Output::OrderExpired { order, reason, .. } => {
                    self.finish(*order, OrderStatus::Expired, *reason);
                }
                Output::Verdict(verdict) => self.observe_verdict(verdict),
                Output::BarMissed { .. } => self.missed += 1,
                _ => {}
            }
        }
    }

    fn observe_verdict(&mut self, verdict: &Verdict) {
        let is_plain = *verdict == plain_verdict(verdict.ts, verdict.order);
        match self.order_mut(verdict.order) {
            Some(order) if is_plain => order.set_accepted_whole(),
            _ => self.verdicts.push(KeptVerdict {
                orders: self.orders.len(),
                verdict: *verdict,
            }),
        }
    }

    fn observe_fill(&mut self, fill: &Fill) {
        self.fills.push(PackedFill::pack(fill, &mut self.costs));
        if let Some(row) = fill.order.and_then(|id| self.order_mut(id)) {
            row.fill(fill.quantity);
        }
    }

    fn finish(&mut self, id: u64, status: OrderStatus, reason: Reason) {
        if let Some(row) = self.order_mut(id) {
            row.finish(status, reason);
        }
    }

    /// Write down accounts, and positions if asked to, as they stand.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Overflow`] if a value does not fit.
    pub fn mark(&mut self, engine: &Engine, ts: i64, with_positions: bool) -> Result<()> {
        let config = engine.config();
        for sleeve in 0..config.sleeves.len() {
            let equity = engine.sleeve_equity(sleeve)?;
            let cash = engine.sleeve_cash(sleeve)?;
            self.sleeves.push(SleeveRow {
                ts,
                sleeve,
                equity,
                cash,
            });
            if equity == cash || !with_positions {
                continue;
            }
            for instrument in 0..config.instruments.len() {
                let quantity = engine.ledger().quantity(sleeve, instrument);
                if quantity != 0 {
                    self.positions.push(PositionRow {
                        ts,
                        instrument,
                        sleeve,
                        quantity,
                        mark: engine.mark(instrument).unwrap_or(0),
                        value: engine.position_value(sleeve, instrument)?,
                        cost: engine.ledger().cost(sleeve, instrument),
                    });
                }
            }
        }
        Ok(())
    }
}
