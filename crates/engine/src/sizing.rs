//! From target weights to orders: `docs/engine/bars.md`, section 3.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::gate::{Breach, Occasion};
use crate::input::OrderRequest;
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, mul, share_of};
use crate::order::{OrderKind, Origin, Reason, Side, TimeInForce};
use crate::orders::plain_breach;
use crate::output::{Figure, Outcome, Output, Rule};

/// What one target asks of the market.
enum Wanted {
    Nothing,
    Trade { side: Side, quantity: i64 },
    TooSmall { figure: Figure, limit: Figure },
    Impossible(Rule),
}

impl Engine {
    /// Turn the targets of a sleeve into orders, by instrument.
    pub(crate) fn apply_targets(
        &mut self,
        ts: i64,
        sleeve: usize,
        targets: &[(usize, i64)],
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for slot in self.book.targets_of(sleeve) {
            self.cancel(ts, slot, Reason::Superseded, out)?;
        }
        self.book.sweep();
        if self.defer_targets(sleeve, targets) {
            return Ok(());
        }
        let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?.max(0);
        let mut trades = Vec::new();
        let mut sorted = targets.to_vec();
        sorted.sort_unstable();
        for &(instrument, weight) in &sorted {
            let side = if weight > 0 { Side::Buy } else { Side::Sell };
            let request = market_order(sleeve, instrument, side, 0);
            match self.wanted(ts, sleeve, instrument, weight, equity)? {
                Wanted::Nothing => {}
                Wanted::Trade { side, quantity } => trades.push((side, instrument, quantity)),
                Wanted::TooSmall { figure, limit } => {
                    let breach = Breach {
                        figure,
                        limit,
                        ..plain_breach(Rule::Lot)
                    };
                    let order = self.new_order(ts, &request, Origin::Target);
                    self.refuse(ts, order, &breach, out);
                }
                Wanted::Impossible(rule) => {
                    let order = self.new_order(ts, &request, Origin::Target);
                    self.refuse(ts, order, &plain_breach(rule), out);
                }
            }
        }
        for side in [Side::Sell, Side::Buy] {
            for &(_, instrument, quantity) in trades.iter().filter(|trade| trade.0 == side) {
                self.place_sized(ts, &market_order(sleeve, instrument, side, quantity), out)?;
            }
        }
        Ok(())
    }

    fn wanted(
        &self,
        ts: i64,
        sleeve: usize,
        instrument: usize,
        weight: i64,
        equity: i128,
    ) -> Result<Wanted> {
        let lot = self.config.instruments[instrument].lot_size;
        let currency = self.config.instruments[instrument].currency;
        let mark = self.mark(instrument);
        let obstacle = if mark.is_none() {
            Some(Rule::NoPrice)
        } else if !self.is_listed(instrument, ts) {
            Some(Rule::NotListed)
        } else if mark == Some(0) {
            Some(Rule::NoPrice)
        } else if self.exposure.rates[currency].is_none() {
            Some(Rule::NoRate)
        } else {
            None
        };
        if let Some(rule) = obstacle {
            return Ok(if weight == 0 {
                Wanted::Nothing
            } else {
                Wanted::Impossible(rule)
            });
        }
        let mark = mark.unwrap_or(0);
        let per_lot = self.exposure.notional(instrument, lot, mark)?.abs();
        let per_lot = self.exposure.in_fund_currency_up(currency, per_lot)?;
        let size = i64::try_from(weight.unsigned_abs()).map_err(|_| EngineError::Overflow {
            place: "a target weight",
        })?;
        let money = mul(equity, i128::from(size), "a target")?;
        let divisor = mul(per_lot, i128::from(RATE_ONE), "a target")?;
        let lots = i64::try_from(div_round(money, divisor, Rounding::Down)).map_err(|_| {
            EngineError::Overflow {
                place: "a target quantity",
            }
        })?;
        let quantity = lots.checked_mul(lot).ok_or(EngineError::Overflow {
            place: "a target quantity",
        })?;
        let desired = if weight < 0 { -quantity } else { quantity };
        let delta =
            desired
                .checked_sub(self.held(sleeve, instrument))
                .ok_or(EngineError::Overflow {
                    place: "a target quantity",
                })?;
        Ok(match delta {
            0 if weight != 0 && lots == 0 => Wanted::TooSmall {
                figure: Figure::Money(share_of(equity, size, "a target")?),
                limit: Figure::Money(per_lot),
            },
            0 => Wanted::Nothing,
            _ if delta < 0 => Wanted::Trade {
                side: Side::Sell,
                quantity: -delta,
            },
            _ => Wanted::Trade {
                side: Side::Buy,
                quantity: delta,
            },
        })
    }

    /// Place an order from a target: cut it to what the gate accepts.
    fn place_sized(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let breach = self.judge(ts, request, Occasion::Target)?;
        let mut order = self.new_order(ts, request, Origin::Target);
        match &breach {
            None => {
                self.admit(ts, order, Outcome::Accepted, None, out)?;
                self.act(ts, out)
            }
            Some(breach) if breach.most <= 0 => {
                self.refuse(ts, order, breach, out);
                Ok(())
            }
            Some(breach) => {
                order.quantity = breach.most;
                self.admit(ts, order, Outcome::Cut, Some(breach), out)?;
                self.act(ts, out)
            }
        }
    }
}

fn market_order(sleeve: usize, instrument: usize, side: Side, quantity: i64) -> OrderRequest {
    OrderRequest::new(
        sleeve,
        instrument,
        side,
        quantity,
        OrderKind::Market,
        TimeInForce::Day,
    )
}
