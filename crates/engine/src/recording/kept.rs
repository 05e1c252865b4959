//! The orders that a recorder knows: all of a run, or of one without an end the newest.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::Result;
use crate::output::{Fill, FillKind, Output};
use crate::packed::{PackedFill, PackedOrder};
use crate::recording::{OrderRow, Recorder};

/// By id.
#[derive(Debug)]
pub(crate) enum Orders {
    /// From 1 on.
    All(Vec<PackedOrder>),
    Window(Window),
}

/// Those that are not finished, and the newest of those that are.
#[derive(Debug)]
pub(crate) struct Window {
    rows: BTreeMap<u64, PackedOrder>,
    /// Ids in the order in which they finished; one that was enlarged again stands here twice.
    finished: VecDeque<u64>,
    last: u64,
    keep: usize,
}

impl Default for Orders {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Orders {
    pub(crate) fn window(keep: usize) -> Self {
        Self::Window(Window {
            rows: BTreeMap::new(),
            finished: VecDeque::new(),
            last: 0,
            keep,
        })
    }

    /// How many finished orders are kept; None if all are.
    pub(crate) fn kept(&self) -> Option<usize> {
        match self {
            Self::All(_) => None,
            Self::Window(window) => Some(window.keep),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&PackedOrder> {
        match self {
            Self::All(rows) => rows.get(place(id)?),
            Self::Window(window) => window.rows.get(&id),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut PackedOrder> {
        match self {
            Self::All(rows) => rows.get_mut(place(id)?),
            Self::Window(window) => window.rows.get_mut(&id),
        }
    }

    /// Add the next order.
    #[inline]
    pub(crate) fn push(&mut self, id: u64, row: PackedOrder) {
        match self {
            Self::All(rows) => rows.push(row),
            Self::Window(window) => {
                window.rows.insert(id, row);
                window.last = id;
            }
        }
    }

    /// Id of the newest.
    #[inline]
    pub(crate) fn last(&self) -> u64 {
        match self {
            Self::All(rows) => rows.len() as u64,
            Self::Window(window) => window.last,
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::All(rows) => rows.len(),
            Self::Window(window) => window.rows.len(),
        }
    }

    /// In order of id.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (u64, &PackedOrder)> + '_> {
        match self {
            Self::All(rows) => Box::new((1..).zip(rows)),
            Self::Window(window) => Box::new(window.rows.iter().map(|(id, row)| (*id, row))),
        }
    }

    /// An order has finished: the oldest that did is forgotten, where not all are kept.
    pub(crate) fn finished(&mut self, id: u64) {
        let Self::Window(window) = self else { return };
        if !window.rows.get(&id).is_some_and(PackedOrder::is_final) {
            return;
        }
        window.finished.push_back(id);
        if window.finished.len() > window.keep
            && let Some(oldest) = window.finished.pop_front()
            && window.rows.get(&oldest).is_some_and(PackedOrder::is_final)
        {
            window.rows.remove(&oldest);
        }
    }

    /// Ids of finished orders as they finished; none where all are kept.
    pub(crate) fn finished_ids(&self) -> Vec<u64> {
        match self {
            Self::All(_) => Vec::new(),
            Self::Window(window) => window.finished.iter().copied().collect(),
        }
    }

    /// Put the orders of a snapshot in the place of the present ones.
    pub(crate) fn resume(
        &mut self,
        engine: &Engine,
        orders: &[OrderRow],
        finished: &[u64],
    ) -> Result<()> {
        let (config, last) = (engine.config(), engine.last_order());
        let known = |id: u64| orders.binary_search_by_key(&id, |row| row.order.id);
        let is_whole = match self {
            Self::All(_) => orders.len() as u64 == last && finished.is_empty(),
            Self::Window(window) => {
                finished.len() <= window.keep && finished.iter().all(|id| (1..=last).contains(id))
            }
        };
        let sound = is_whole
            && orders
                .windows(2)
                .all(|two| two[0].order.id < two[1].order.id)
            && orders.iter().all(|row| {
                (1..=last).contains(&row.order.id)
                    && row.order.sleeve < config.sleeves.len()
                    && row.order.instrument < config.instruments.len()
            })
            && engine
                .working_orders()
                .iter()
                .all(|order| known(order.id).is_ok());
        if !sound {
            return Err(EngineError::Decode(
                "the orders of the snapshot are not those of its engine".to_owned(),
            ));
        }
        let packed = orders.iter().map(PackedOrder::pack);
        match self {
            Self::All(rows) => {
                let before = std::mem::replace(rows, packed.collect());
                for (order, known) in rows.iter_mut().zip(before) {
                    if known.accepted_whole() {
                        order.set_accepted_whole();
                    }
                }
            }
            Self::Window(window) => {
                let ids = orders.iter().map(|row| row.order.id);
                window.rows = ids.zip(packed).collect();
                window.finished = finished.iter().copied().collect();
                window.last = last;
            }
        }
        Ok(())
    }
}

impl Recorder {
    /// One that knows the orders that are not finished and the newest `keep` that are; of all other
    /// rows the newest, `keep` at least and twice as many at most.
    #[must_use]
    pub fn newest(keep: usize) -> Self {
        Self {
            orders: Orders::window(keep),
            ..Self::default()
        }
    }

    /// Finished orders as they finished, where only the newest are known.
    #[must_use]
    pub fn finished(&self) -> Vec<u64> {
        self.orders.finished_ids()
    }

    /// How many rows of all kinds there are.
    #[must_use]
    pub fn row_count(&self) -> usize {
        let accounts = self.sleeves.len() + self.positions.len() + self.balances.len();
        let rest = self.postings.len() + self.states.len() + self.actions.len();
        let orders = self.orders.count() + self.verdicts.len();
        orders + self.fills.len() + self.costs.len() + accounts + rest
    }

    /// Forget what is too old after these outputs, where not all is kept.
    #[inline]
    pub(super) fn forget(&mut self, outputs: &[Output]) {
        if let Some(keep) = self.orders.kept() {
            self.forget_but(keep, outputs);
        }
    }

    #[cold]
    fn forget_but(&mut self, keep: usize, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::OrderRejected { order, .. } => self.orders.finished(order.id),
                Output::OrderCancelled { order, .. } | Output::OrderExpired { order, .. } => {
                    self.orders.finished(*order);
                }
                // What fills an order that has ended does not end it again.
                Output::OrderFilled(Fill {
                    order: Some(id),
                    kind,
                    ..
                }) if !matches!(kind, FillKind::External | FillKind::Bust) => {
                    self.orders.finished(*id);
                }
                _ => {}
            }
        }
        if self.fills.len() > 2 * keep {
            let newest: Vec<Fill> = self.fills().skip(self.fills.len() - keep).collect();
            self.costs.clear();
            let costs = &mut self.costs;
            self.fills = newest
                .iter()
                .map(|fill| PackedFill::pack(fill, costs))
                .collect();
        }
        trim(&mut self.verdicts, keep);
        trim(&mut self.sleeves, keep);
        trim(&mut self.positions, keep);
        trim(&mut self.balances, keep);
        trim(&mut self.postings, keep);
        trim(&mut self.states, keep);
        trim(&mut self.actions, keep);
    }
}

fn trim<T>(rows: &mut Vec<T>, keep: usize) {
    if rows.len() > 2 * keep {
        rows.drain(..rows.len() - keep);
    }
}

fn place(id: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(1)?).ok()
}
