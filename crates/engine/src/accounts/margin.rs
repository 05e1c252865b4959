//! Margin calls, and liquidation by rule: `docs/engine/accounts.md`, section 6.

use crate::config::{AccountKind, PositionMode};
use crate::engine::Engine;
use crate::input::OrderRequest;
use crate::numbers::{Result, Rounding, add, div_round, sub};
use crate::order::{Leg, OrderKind, Origin, Reason, Side, TimeInForce};
use crate::output::{Outcome, Output};

/// What a liquidation may close of a position.
#[derive(Debug, Clone, Copy)]
struct Closable {
    instrument: usize,
    leg: usize,
    side: Side,
    /// Lots that no liquidation order closes yet.
    lots: i64,
}

impl Engine {
    /// Look for margin calls of all sleeves; while bars wait, their barrier will.
    pub(crate) fn check_all_margins(&mut self, ts: i64, out: &mut Vec<Output>) -> Result<()> {
        if self.config.account.kind == AccountKind::Margin {
            for sleeve in 0..self.config.sleeves.len() {
                self.check_margin(ts, sleeve, out)?;
            }
        }
        Ok(())
    }

    /// Look for margin calls after the mark of an event instrument has moved.
    #[inline(never)]
    pub(crate) fn check_margins_of(
        &mut self,
        ts: i64,
        instrument: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if self.config.account.kind == AccountKind::Cash {
            return Ok(());
        }
        let moves_rate = self.exposure.rate_of[instrument].is_some();
        for sleeve in 0..self.config.sleeves.len() {
            let is_held = (0..self.ledger.legs())
                .any(|leg| self.ledger.position(sleeve, instrument, leg).quantity != 0);
            if is_held || moves_rate {
                self.check_margin(ts, sleeve, out)?;
            }
        }
        Ok(())
    }

    pub(crate) fn check_margin(
        &mut self,
        ts: i64,
        sleeve: usize,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if self.config.account.kind == AccountKind::Cash || self.waiting_since.is_some() {
            return Ok(());
        }
        let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
        // Maintenance of what is held is never more than this, which is at hand.
        if equity >= self.required(sleeve)? || !self.is_equity_known(sleeve) {
            return Ok(());
        }
        self.call_margin(ts, sleeve, equity, out)
    }

    #[cold]
    fn call_margin(
        &mut self,
        ts: i64,
        sleeve: usize,
        equity: i128,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let positions = self.closable(sleeve);
        let maintenance = |engine: &Self, i: usize| engine.config.instruments[i].margin_maintenance;
        let initial = |engine: &Self, i: usize| engine.config.instruments[i].margin_initial;
        let required = self.margin_of_positions(&positions, maintenance)?;
        if self.awaits_cancels(sleeve) {
            // They may fill yet; the reports of their ends lead here again.
            return Ok(());
        }
        // Nothing is left that no liquidation closes yet: what is lost beyond stays a debt.
        if equity >= required || !positions.iter().any(|position| self.can_close(position)) {
            return Ok(());
        }
        out.push(Output::MarginCalled {
            ts,
            sleeve,
            equity,
            required,
        });
        self.cancel_for_margin(ts, sleeve, out)?;
        if self.awaits_cancels(sleeve) {
            return Ok(());
        }
        let mut order = Vec::with_capacity(positions.len());
        for position in &positions {
            let rate = maintenance(self, position.instrument);
            let margin = self.margin_of_lots(position, position.lots, rate)?;
            order.push((std::cmp::Reverse(margin), position.instrument, position.leg));
        }
        order.sort_unstable();
        for (_, instrument, leg) in order {
            let left = self.closable(sleeve);
            let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
            let missing = sub(
                self.margin_of_positions(&left, initial)?,
                equity,
                "a margin",
            )?;
            if missing <= 0 {
                break;
            }
            let is_it = |p: &&Closable| (p.instrument, p.leg) == (instrument, leg);
            let Some(position) = left.iter().find(is_it).filter(|p| self.can_close(p)) else {
                continue;
            };
            let per_lot = self.margin_of_lots(position, 1, initial(self, instrument))?;
            let lots = if per_lot == 0 {
                position.lots
            } else {
                let wanted = div_round(missing, per_lot, Rounding::Up).max(1);
                i64::try_from(wanted).unwrap_or(i64::MAX).min(position.lots)
            };
            self.liquidate(ts, sleeve, position, lots, out)?;
            // It may fill at once, and what is missing then is another sum.
            self.act(ts, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    /// Positions of a sleeve on margin, by instrument and leg.
    fn closable(&self, sleeve: usize) -> Vec<Closable> {
        let mut found = Vec::new();
        for instrument in 0..self.config.instruments.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, instrument, leg).quantity;
                if held == 0 {
                    continue;
                }
                let side = if held > 0 { Side::Sell } else { Side::Buy };
                let closing: i64 = self
                    .book
                    .slots_of(instrument)
                    .into_iter()
                    .filter_map(|slot| self.book.get(slot))
                    .filter(|order| {
                        order.sleeve == sleeve
                            && order.origin == Origin::Liquidation
                            && order.leg.index() == leg
                            && order.side == side
                    })
                    .map(crate::order::Order::unfilled)
                    .sum();
                let lot = self.config.instruments[instrument].lot_size;
                found.push(Closable {
                    instrument,
                    leg,
                    side,
                    lots: (held.abs() - closing).max(0) / lot,
                });
            }
        }
        found
    }

    /// Whether a liquidation can close some of it: trades at a remote venue may come after the
    /// instrument has ended.
    fn can_close(&self, position: &Closable) -> bool {
        let listed = &self.instruments[position.instrument];
        position.lots > 0 && !listed.ended && listed.mark.is_some()
    }

    fn margin_of_lots(&self, position: &Closable, lots: i64, rate: i64) -> Result<i128> {
        let listed = &self.config.instruments[position.instrument];
        let quantity = i128::from(lots) * i128::from(listed.lot_size);
        let margin = self.margin_of(position.instrument, quantity, rate)?;
        self.margin_money(listed.currency, margin)
    }

    fn margin_of_positions(
        &self,
        positions: &[Closable],
        rate_of: impl Fn(&Self, usize) -> i64,
    ) -> Result<i128> {
        let mut sums = vec![0; self.config.currencies.len()];
        for position in positions {
            let listed = &self.config.instruments[position.instrument];
            let quantity = i128::from(position.lots) * i128::from(listed.lot_size);
            let rate = rate_of(self, position.instrument);
            let margin = self.margin_of(position.instrument, quantity, rate)?;
            let sum = &mut sums[listed.currency];
            *sum = add(*sum, margin, "a margin")?;
        }
        self.margin_with(&sums, 0, 0)
    }

    fn cancel_for_margin(&mut self, ts: i64, sleeve: usize, out: &mut Vec<Output>) -> Result<()> {
        for order in self.book.working() {
            if order.sleeve == sleeve
                && order.origin != Origin::Liquidation
                && let Some(slot) = self.book.find(order.id)
            {
                self.cancel(ts, slot, Reason::Margin, out)?;
            }
        }
        Ok(())
    }

    fn liquidate(
        &mut self,
        ts: i64,
        sleeve: usize,
        position: &Closable,
        lots: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let quantity = lots * self.config.instruments[position.instrument].lot_size;
        let leg = match (self.config.account.positions, position.leg) {
            (PositionMode::Netting, _) => Leg::Net,
            (PositionMode::Hedging, 0) => Leg::Long,
            (PositionMode::Hedging, _) => Leg::Short,
        };
        let request = OrderRequest {
            reduce_only: true,
            leg,
            ..OrderRequest::new(
                sleeve,
                position.instrument,
                position.side,
                quantity,
                OrderKind::Market,
                TimeInForce::Gtc,
            )
        };
        let order = self.new_order(ts, &request, Origin::Liquidation);
        self.admit(ts, order, Outcome::Accepted, None, out)
    }
}
