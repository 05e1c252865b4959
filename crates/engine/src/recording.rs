//! What a run leaves behind, as rows: it watches the outputs and reads the engine at barriers.

mod kept;

use serde::{Deserialize, Serialize};

use crate::config::{AccountKind, Config, Settlement};
use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::{Order, OrderStatus, Reason};
use crate::output::{Figure, Fill, FillKind, Output, Posting, Rule, Verdict};
use crate::packed::{Costs, KeptVerdict, PackedFill, PackedOrder, plain_verdict};
use crate::reading::Worth;
use kept::Orders;

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
    pub worth: Worth,
}

/// What a sleeve has of a currency.
#[derive(Debug, Clone, Copy)]
pub struct BalanceRow {
    pub ts: i64,
    pub sleeve: usize,
    pub currency: usize,
    pub settled: i128,
    pub unsettled: i128,
    pub value: i128,
}

/// A change of a state, a limit or a call, in the names of the engine.
#[derive(Debug, Clone)]
pub struct StateRow {
    pub ts: i64,
    pub event: &'static str,
    pub sleeve: Option<usize>,
    /// The new state, or the name of the limit.
    pub state: String,
    pub cause: &'static str,
    pub rule: Option<Rule>,
    pub figure: Figure,
    pub limit: Figure,
}

/// What happened to an instrument.
#[derive(Debug, Clone)]
pub struct ActionRow {
    pub ts: i64,
    pub instrument: usize,
    pub action: String,
    /// A new symbol.
    pub symbol: Option<String>,
    /// At which it was settled.
    pub price: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub struct PositionRow {
    pub ts: i64,
    pub instrument: usize,
    pub sleeve: usize,
    pub leg: usize,
    pub quantity: i64,
    pub mark: i64,
    pub value: i128,
    pub cost: i128,
}

/// Collects the rows of a run.
#[derive(Debug, Default)]
pub struct Recorder {
    orders: Orders,
    fills: Vec<PackedFill>,
    costs: Vec<Costs>,
    /// Those that are not [`PackedOrder::accepted_whole`].
    verdicts: Vec<KeptVerdict>,
    pub sleeves: Vec<SleeveRow>,
    pub positions: Vec<PositionRow>,
    /// Only where there is more than one currency.
    pub balances: Vec<BalanceRow>,
    pub postings: Vec<Posting>,
    pub states: Vec<StateRow>,
    pub actions: Vec<ActionRow>,
    pub missed: u64,
    /// Whether positions are worth just what equity is beyond cash; found out when it matters.
    is_plain: Option<bool>,
}

impl Recorder {
    /// The row of an order.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<OrderRow> {
        self.orders.get(id).map(|row| row.unpack(id))
    }

    /// The orders that it knows, in order of id.
    pub fn orders(&self) -> impl Iterator<Item = OrderRow> {
        self.orders.iter().map(|(id, row)| row.unpack(id))
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
        let mut rows = Vec::with_capacity(self.orders.count() + self.verdicts.len());
        let mut kept = self.verdicts.iter().peekable();
        for (id, order) in self.orders.iter() {
            if order.accepted_whole() {
                rows.push(VerdictRow {
                    verdict: plain_verdict(order.ts, id),
                    instrument: order.instrument(),
                });
            }
            while let Some(next) = kept.next_if(|next| next.orders <= id) {
                rows.extend(self.verdict_row(next));
            }
        }
        rows.extend(kept.filter_map(|next| self.verdict_row(next)));
        rows
    }

    /// None where its order is forgotten.
    fn verdict_row(&self, kept: &KeptVerdict) -> Option<VerdictRow> {
        let order = self.orders.get(kept.verdict.order)?;
        Some(VerdictRow {
            verdict: kept.verdict,
            instrument: order.instrument(),
        })
    }

    /// Go on from a restored engine, whose orders so far are `orders`, and where only the newest
    /// are known `finished` as they did: what was recorded of a later time than `now` is dropped,
    /// what was recorded before stays.
    ///
    /// # Errors
    ///
    /// [`crate::EngineError::Decode`] if the orders are not the engine's.
    pub fn resume(
        &mut self,
        engine: &Engine,
        orders: &[OrderRow],
        finished: &[u64],
        now: i64,
    ) -> Result<()> {
        self.orders.resume(engine, orders, finished)?;
        self.fills.retain(|fill| fill.ts <= now);
        let last = engine.last_order();
        self.verdicts
            .retain(|kept| kept.verdict.ts <= now && kept.verdict.order <= last);
        self.sleeves.retain(|row| row.ts <= now);
        self.positions.retain(|row| row.ts <= now);
        self.balances.retain(|row| row.ts <= now);
        self.postings.retain(|row| row.ts <= now);
        self.states.retain(|row| row.ts <= now);
        self.actions.retain(|row| row.ts <= now);
        self.missed = (0..engine.config().instruments.len())
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
                | Output::OrderHeld(order) => match self.orders.get_mut(order.id) {
                    None => self.orders.push(order.id, PackedOrder::new(order, None)),
                    Some(row) => row.renew(order),
                },
                Output::OrderAmended { order, .. } => {
                    if let Some(row) = self.orders.get_mut(order.id) {
                        row.renew(order);
                    }
                }
                Output::OrderRejected { order, rule } => {
                    let row = PackedOrder::new(order, Some(*rule));
                    match self.orders.get_mut(order.id) {
                        None => self.orders.push(order.id, row),
                        Some(held) => *held = row,
                    }
                }
                Output::OrderTriggered { order, .. } => {
                    if let Some(row) = self.orders.get_mut(*order) {
                        row.trigger();
                    }
                }
                Output::OrderUnknown { order, .. } => {
                    if let Some(row) = self.orders.get_mut(*order) {
                        row.lose_sight();
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
                Output::Posted(posting) => self.postings.push(*posting),
                _ => self.observe_rare(output),
            }
        }
        self.forget(outputs);
    }

    #[cold]
    fn observe_rare(&mut self, output: &Output) {
        let row = |ts: i64, event: &'static str, sleeve: Option<usize>| StateRow {
            ts,
            event,
            sleeve,
            state: String::new(),
            cause: "",
            rule: None,
            figure: Figure::None,
            limit: Figure::None,
        };
        let state = match output {
            Output::StateChanged {
                ts,
                state,
                cause,
                rule,
                figure,
                limit,
            } => StateRow {
                state: state.name().to_owned(),
                cause: cause.name(),
                rule: (*rule != Rule::All).then_some(*rule),
                figure: *figure,
                limit: *limit,
                ..row(*ts, "state_changed", None)
            },
            Output::SleeveChanged {
                ts,
                sleeve,
                state,
                cause,
            } => StateRow {
                state: state.name().to_owned(),
                cause: cause.name(),
                ..row(*ts, "sleeve_changed", Some(*sleeve))
            },
            Output::MarginCalled {
                ts,
                sleeve,
                equity,
                required,
            } => StateRow {
                figure: Figure::Money(*equity),
                limit: Figure::Money(*required),
                ..row(*ts, "margin_called", Some(*sleeve))
            },
            Output::CashFlowRejected {
                ts,
                sleeve,
                amount,
                available,
                ..
            } => StateRow {
                figure: Figure::Money(*amount),
                limit: Figure::Money(*available),
                ..row(*ts, "cash_flow_rejected", Some(*sleeve))
            },
            Output::LimitChanged { ts, name, .. } => StateRow {
                state: name.clone(),
                ..row(*ts, "limit_changed", None)
            },
            _ => return self.observe_action(output),
        };
        self.states.push(state);
    }

    fn observe_action(&mut self, output: &Output) {
        let row = match output {
            Output::ActionApplied {
                ts,
                instrument,
                action,
            } => (*ts, *instrument, action.clone(), None, None),
            Output::SymbolChanged {
                ts,
                instrument,
                symbol,
            } => (
                *ts,
                *instrument,
                "symbol_changed".to_owned(),
                Some(symbol.clone()),
                None,
            ),
            Output::InstrumentSettled {
                ts,
                instrument,
                price,
            } => (*ts, *instrument, "settled".to_owned(), None, *price),
            _ => return,
        };
        let (ts, instrument, action, symbol, price) = row;
        self.actions.push(ActionRow {
            ts,
            instrument,
            action,
            symbol,
            price,
        });
    }

    fn observe_verdict(&mut self, verdict: &Verdict) {
        let is_plain = *verdict == plain_verdict(verdict.ts, verdict.order);
        match self.orders.get_mut(verdict.order) {
            Some(order) if is_plain => order.set_accepted_whole(),
            _ => self.verdicts.push(KeptVerdict {
                orders: self.orders.last(),
                verdict: *verdict,
            }),
        }
    }

    fn observe_fill(&mut self, fill: &Fill) {
        self.fills.push(PackedFill::pack(fill, &mut self.costs));
        if let Some(row) = fill.order.and_then(|id| self.orders.get_mut(id)) {
            match fill.kind {
                FillKind::External => row.fill_late(fill.quantity),
                // The order had it; that it was taken back is a fill of its own.
                FillKind::Bust => {}
                _ => row.fill(fill.quantity),
            }
        }
    }

    fn finish(&mut self, id: u64, status: OrderStatus, reason: Reason) {
        if let Some(row) = self.orders.get_mut(id) {
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
        let is_plain = *self.is_plain.get_or_insert_with(|| is_plain(config));
        for sleeve in 0..config.sleeves.len() {
            let equity = engine.sleeve_equity(sleeve)?;
            let cash = engine.sleeve_cash(sleeve)?;
            let worth = if is_plain {
                let value = equity - cash;
                Worth {
                    gross: value,
                    net: value,
                }
            } else {
                engine.worth(sleeve)?
            };
            self.sleeves.push(SleeveRow {
                ts,
                sleeve,
                equity,
                cash,
                worth,
            });
            if with_positions && !(is_plain && equity == cash) {
                self.mark_positions(engine, ts, sleeve)?;
            }
            if config.currencies.len() > 1 {
                self.mark_balances(engine, ts, sleeve)?;
            }
        }
        self.forget(&[]);
        Ok(())
    }

    fn mark_positions(&mut self, engine: &Engine, ts: i64, sleeve: usize) -> Result<()> {
        let ledger = engine.ledger();
        for instrument in 0..engine.config().instruments.len() {
            for leg in 0..ledger.legs() {
                let position = ledger.position(sleeve, instrument, leg);
                if position.quantity != 0 {
                    let currency = engine.config().instruments[instrument].currency;
                    self.positions.push(PositionRow {
                        ts,
                        instrument,
                        sleeve,
                        leg,
                        quantity: position.quantity,
                        mark: engine.mark(instrument).unwrap_or(0),
                        value: engine.leg_value(sleeve, instrument, leg)?,
                        cost: engine.converted(currency, position.cost)?,
                    });
                }
            }
        }
        Ok(())
    }

    fn mark_balances(&mut self, engine: &Engine, ts: i64, sleeve: usize) -> Result<()> {
        for currency in 0..engine.config().currencies.len() {
            let total = engine.ledger().cash(sleeve, currency);
            let settled = engine.ledger().settled(sleeve, currency);
            if total != 0 || settled != 0 {
                self.balances.push(BalanceRow {
                    ts,
                    sleeve,
                    currency,
                    settled,
                    unsettled: total - settled,
                    value: engine.converted(currency, total)?,
                });
            }
        }
        Ok(())
    }
}

/// Whether positions are worth what equity is beyond cash, without signs too: long only, in one
/// currency, and the notional has changed hands.
fn is_plain(config: &Config) -> bool {
    config.account.kind == AccountKind::Cash
        && config.currencies.len() == 1
        && config
            .instruments
            .iter()
            .all(|i| i.settlement == Settlement::Asset && !i.negative_prices)
}
