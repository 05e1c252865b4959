//! What a run leaves behind, as rows: it watches the outputs and reads the engine at barriers.

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::Result;
use crate::order::{Order, OrderStatus, Reason};
use crate::output::{Fill, Outcome, Output, Rule, Verdict};

/// An order and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    pub order: Order,
    pub reason: Option<Reason>,
    pub rejected_by: Option<Rule>,
}

/// A fill, in its instrument's units.
pub type FillRow = Fill;

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
    pub orders: Vec<OrderRow>,
    pub fills: Vec<FillRow>,
    pub verdicts: Vec<VerdictRow>,
    pub sleeves: Vec<SleeveRow>,
    pub positions: Vec<PositionRow>,
    pub missed: u64,
}

impl Recorder {
    /// The row of an order.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<&OrderRow> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.orders.get(index)
    }

    fn order_mut(&mut self, id: u64) -> Option<&mut OrderRow> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.orders.get_mut(index)
    }

    /// Go on from a restored engine, whose orders so far are `orders`: what was recorded of a later
    /// time than `now` is dropped, what was recorded before stays.
    ///
    /// # Errors
    ///
    /// [`EngineError::Decode`] if the orders are not the engine's.
    pub fn resume(&mut self, engine: &Engine, orders: Vec<OrderRow>, now: i64) -> Result<()> {
        let config = engine.config();
        let sound = orders.len() as u64 == engine.last_order()
            && (1..).zip(&orders).all(|(id, row)| {
                row.order.id == id
                    && row.order.sleeve < config.sleeves.len()
                    && row.order.instrument < config.instruments.len()
            });
        if !sound {
            return Err(EngineError::Decode(
                "the orders of the snapshot are not those of its engine".to_owned(),
            ));
        }
        self.orders = orders;
        self.fills.retain(|fill| fill.ts <= now);
        self.verdicts.retain(|row| row.verdict.ts <= now);
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
                Output::OrderAccepted(order) => {
                    self.orders.push(OrderRow {
                        order: *order,
                        reason: None,
                        rejected_by: None,
                    });
                }
                Output::OrderRejected { order, rule } => {
                    self.orders.push(OrderRow {
                        order: *order,
                        reason: None,
                        rejected_by: Some(*rule),
                    });
                }
                Output::OrderFilled(fill) => self.observe_fill(fill),
                Output::OrderCancelled { order, reason, .. } => {
                    self.finish(*order, OrderStatus::Cancelled, *reason);
                }
                Output::OrderExpired { order, reason, .. } => {
                    self.finish(*order, OrderStatus::Expired, *reason);
                }
                Output::Verdict(verdict) => {
                    let instrument = self
                        .order(verdict.order)
                        .map_or(0, |row| row.order.instrument);
                    self.verdicts.push(VerdictRow {
                        verdict: *verdict,
                        instrument,
                    });
                }
                Output::BarMissed { .. } => self.missed += 1,
                Output::CancelRejected { .. }
                | Output::InstrumentSettled { .. }
                | Output::SemanticsActivated { .. } => {}
            }
        }
    }

    fn observe_fill(&mut self, fill: &Fill) {
        self.fills.push(*fill);
        if let Some(row) = fill.order.and_then(|id| self.order_mut(id)) {
            row.order.filled += fill.quantity;
            let done = row.order.unfilled() == 0;
            row.order.status = if done {
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            };
        }
    }

    fn finish(&mut self, id: u64, status: OrderStatus, reason: Reason) {
        if let Some(row) = self.order_mut(id) {
            row.order.status = status;
            row.reason = Some(reason);
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
            let cash = engine.ledger().cash(sleeve);
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
                        cost: engine
                            .ledger()
                            .balance(sleeve, crate::ledger::Account::Position(instrument)),
                    });
                }
            }
        }
        Ok(())
    }

    /// How many verdicts had each outcome.
    #[must_use]
    pub fn outcome_count(&self, outcome: Outcome) -> usize {
        self.verdicts
            .iter()
            .filter(|row| row.verdict.outcome == outcome)
            .count()
    }
}
