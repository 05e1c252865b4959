//! Whether an order may be sent at all: states, ages, counts, our own orders on the other side.

use std::ops::ControlFlow;

use super::measure::Walk;
use super::{Ask, NEXT, Occasion, Step, pass};
use crate::config::{PositionMode, Settlement};
use crate::engine::Engine;
use crate::input::OrderRequest;
use crate::market::DataKind;
use crate::numbers::{Result, mul, sub};
use crate::order::{Leg, Order, Side, TimeInForce};
use crate::output::{Figure, Rule};
use crate::risk::{FundState, RiskKind, SleeveState};

impl Engine {
    /// What an order may take off its sleeve's position.
    #[inline(always)]
    pub(crate) fn room(&self, request: &OrderRequest) -> Result<i64> {
        let (sleeve, i) = (request.sleeve, request.instrument);
        if let Settlement::Exchange { base } = self.config.instruments[i].settlement {
            return self.room_to_exchange(request, base);
        }
        if request.leg.index() >= self.exposure.legs {
            return Ok(0);
        }
        let line = self.exposure.line(sleeve, i, request.leg.index());
        let (held, in_flight) = match request.side {
            Side::Buy => (line.held.saturating_neg(), line.buys),
            Side::Sell => (line.held, line.sales),
        };
        let taken = if request.reduce_only { 0 } else { in_flight };
        Ok(held.max(0).saturating_sub(taken).max(0))
    }

    /// What a new order may take off the position. A venue outside does not cut an order at its
    /// match, so that there all that is in flight counts.
    #[inline(always)]
    pub(crate) fn room_at_gate(&self, request: &OrderRequest) -> Result<i64> {
        if request.reduce_only && self.is_remote(request.instrument) {
            let reduce_only = false;
            return self.room(&OrderRequest {
                reduce_only,
                ..*request
            });
        }
        self.room(request)
    }

    /// The same where a currency is given away for the fund's own.
    #[inline(never)]
    fn room_to_exchange(&self, request: &OrderRequest, base: usize) -> Result<i64> {
        let quote = self.config.instruments[request.instrument].currency;
        match request.side {
            Side::Buy if base == 0 => Ok(i64::MAX),
            Side::Sell if quote == 0 => {
                let sold = if request.reduce_only {
                    0
                } else {
                    self.exposure.sold(request.sleeve, base)
                };
                let free = sub(self.ledger.cash(request.sleeve, base), sold, "a position")?.max(0);
                let lot = self.config.instruments[request.instrument].lot_size;
                let per_lot = mul(
                    i128::from(lot),
                    self.exposure.base_unit(request.instrument),
                    "a position",
                )?;
                let lots = i64::try_from(free / per_lot).unwrap_or(i64::MAX / lot);
                Ok(lots.saturating_mul(lot))
            }
            _ => Ok(0),
        }
    }

    /// Whether an order is cut at its match to what it takes off the position.
    pub(crate) fn only_reduces(&self, order: &Order) -> bool {
        order.reduce_only
            || self.guard.fund_state() != FundState::Active
            || self.guard.sleeve_state(order.sleeve) != SleeveState::On
    }

    #[inline(always)]
    pub(super) fn state_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let fund = self.guard.fund_state();
        if fund != FundState::Active {
            let free = fund == FundState::ReduceOnly;
            pass!(Ok(walk.holds(
                ask,
                Rule::State,
                free,
                Figure::None,
                Figure::None
            )));
        }
        let sleeve = self.guard.sleeve_state(ask.request.sleeve);
        if sleeve != SleeveState::On {
            let free = sleeve == SleeveState::ReduceOnly;
            let none = Figure::None;
            pass!(Ok(walk.holds(ask, Rule::SleeveState, free, none, none)));
        }
        Ok(NEXT)
    }

    /// Orders that may only reduce.
    #[inline(always)]
    pub(super) fn reducing_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let request = ask.request;
        let (asked, room) = (
            Figure::Quantity(request.quantity),
            Figure::Quantity(ask.room),
        );
        if request.reduce_only {
            pass!(Ok(walk.at_most(
                ask,
                Rule::ReduceOnly,
                ask.room,
                asked,
                room
            )));
        }
        let closes = matches!(
            (request.leg, request.side),
            (Leg::Long, Side::Sell) | (Leg::Short, Side::Buy)
        );
        if closes && self.config.account.positions == PositionMode::Hedging {
            pass!(Ok(walk.at_most(ask, Rule::Leg, ask.room, asked, room)));
        }
        Ok(NEXT)
    }

    #[inline(always)]
    pub(super) fn permission_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let request = ask.request;
        let none = Figure::None;
        if self.lacks_a_rate(request.instrument) {
            pass!(Ok(walk.holds(ask, Rule::NoRate, true, none, none)));
        }
        let is_immediate = matches!(request.tif, TimeInForce::Ioc | TimeInForce::Fok);
        if is_immediate && self.is_halted(request.instrument) {
            pass!(Ok(walk.holds(ask, Rule::Halted, false, none, none)));
        }
        if self.enforced.counts || self.enforced.circumstances {
            return self.circumstance_checks(ask, walk);
        }
        Ok(NEXT)
    }

    fn circumstance_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        let request = ask.request;
        let limits = &self.config.limits;
        let none = Figure::None;
        let is_barrier = self.config.instruments[request.instrument].matching == DataKind::Bars;
        let age_max = if is_barrier {
            limits.bar_age_max_ns
        } else {
            limits.quote_age_max_ns
        };
        if let Some(limit) = age_max {
            let age = ask
                .ts
                .saturating_sub(self.instruments[request.instrument].priced_at);
            if age > limit {
                let (age, limit) = (Figure::Duration(age), Figure::Duration(limit));
                pass!(Ok(walk.holds(ask, Rule::StalePrice, true, age, limit)));
            }
        }
        if let Some(blocked) = limits.regimes_blocked {
            let label = self.guard.figures.get(RiskKind::Regime, None, ask.ts);
            if label.is_none_or(|label| blocked >> label & 1 == 1) {
                let figure = label.map_or(none, Figure::Count);
                pass!(Ok(walk.holds(ask, Rule::Regime, true, figure, none)));
            }
        }
        pass!(self.rate_checks(ask, walk));
        Ok(self.self_trade_check(ask, walk))
    }

    /// How many orders there were, and whether this one was among them.
    fn rate_checks(&self, ask: &Ask, walk: &mut Walk) -> Step {
        if ask.occasion == Occasion::Release {
            return Ok(NEXT);
        }
        let sleeve = ask.request.sleeve;
        let rates = [
            (
                Rule::OrderRate,
                self.config.limits.order_rate,
                &self.guard.orders,
            ),
            (
                Rule::SleeveOrderRate,
                self.config.sleeves[sleeve].limits.order_rate,
                &self.guard.sleeves[sleeve].orders,
            ),
        ];
        for (rule, rate, times) in rates {
            if let Some(rate) = rate
                && !times.allow(ask.ts, &rate)
            {
                let count = Figure::Count(times.within(ask.ts, rate.window_ns));
                let limit = Figure::Count(rate.count);
                pass!(Ok(walk.holds(ask, rule, false, count, limit)));
            }
        }
        if let Some(window) = self.config.limits.duplicate_window_ns
            && ask.occasion == Occasion::New
            && let Some((ts, newest)) = self.guard.newest.get(&self.line_and_side(ask.request))
            && newest == ask.request
            && ask.ts.saturating_sub(*ts) < window
        {
            let since = Figure::Duration(ask.ts.saturating_sub(*ts));
            let window = Figure::Duration(window);
            pass!(Ok(walk.holds(ask, Rule::Duplicate, false, since, window)));
        }
        Ok(NEXT)
    }

    pub(super) fn line_and_side(&self, request: &OrderRequest) -> (usize, Side) {
        let line = request.sleeve * self.instruments.len() + request.instrument;
        (
            line * self.exposure.legs + request.leg.index(),
            request.side,
        )
    }

    /// Whether an order would meet one of ours.
    fn self_trade_check(&self, ask: &Ask, walk: &mut Walk) -> ControlFlow<()> {
        let request = ask.request;
        let waits = (request.kind.is_triggered() && !ask.past.has_triggered)
            || self.config.instruments[request.instrument].matching == DataKind::Bars;
        if !self.config.limits.self_trade || waits {
            return NEXT;
        }
        let ours = match request.side {
            Side::Buy => self.exposure.lowest_sale(request.instrument),
            Side::Sell => self.exposure.highest_buy(request.instrument),
        };
        let Some(ours) = ours else { return NEXT };
        let meets = match (request.limit_price, request.side) {
            (Some(price), Side::Buy) => ours <= price,
            (Some(price), Side::Sell) => ours >= price,
            (None, _) => true,
        };
        if !meets {
            return NEXT;
        }
        let own = request.limit_price.map_or(Figure::None, Figure::Price);
        walk.holds(ask, Rule::SelfTrade, false, Figure::Price(ours), own)
    }

    /// Whether the currencies of an instrument, or of any balance, have no rate.
    #[inline(always)]
    fn lacks_a_rate(&self, instrument: usize) -> bool {
        !self.is_single_currency() && self.lacks_some_rate(instrument)
    }

    fn lacks_some_rate(&self, instrument: usize) -> bool {
        if self.exposure.rates.iter().all(Option::is_some) {
            return false;
        }
        let lacks = |currency: usize| self.exposure.rates[currency].is_none();
        let listed = &self.config.instruments[instrument];
        let base_lacks = match listed.settlement {
            Settlement::Exchange { base } => lacks(base),
            _ => false,
        };
        lacks(listed.currency) || base_lacks || !self.equity_is_known()
    }
}
