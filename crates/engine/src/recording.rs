//! What a run leaves behind, as rows: it watches the outputs and reads the engine at barriers.

use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::{Order, OrderStatus, Reason};
use crate::output::{Fill, Outcome, Output, Rule, Verdict};

/// An order and what became of it.
#[derive(Debug, Clone, Copy)]
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
    /// In order of id, starting at `first_order`.
    pub orders: Vec<OrderRow>,
    pub fills: Vec<FillRow>,
    pub verdicts: Vec<VerdictRow>,
    pub sleeves: Vec<SleeveRow>,
    pub positions: Vec<PositionRow>,
    pub missed: u64,
    first_order: u64,
}

impl Recorder {
    /// A recorder for an engine whose last order so far is `last_order`.
    #[must_use]
    pub fn new(last_order: u64) -> Self {
        Self {
            first_order: last_order + 1,
            ..Self::default()
        }
    }

    /// The row of an order, unless it was made before recording began.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<&OrderRow> {
        let index = usize::try_from(id.checked_sub(self.first_order)?).ok()?;
        self.orders.get(index)
    }

    fn order_mut(&mut self, id: u64) -> Option<&mut OrderRow> {
        let index = usize::try_from(id.checked_sub(self.first_order)?).ok()?;
        self.orders.get_mut(index)
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
