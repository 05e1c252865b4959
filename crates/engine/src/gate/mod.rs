//! The gate: every order passes it, whoever sends it. Rules and figures are those of
//! `docs/engine/gate.md`.

mod breakers;
mod counts;
mod figures;
mod guard;
mod limits;
mod measure;
mod money;
mod permission;
mod rows;
mod scenarios;
mod states;
#[cfg(test)]
mod tests;
mod usage;

use std::ops::ControlFlow;

pub(crate) use guard::Guard;
pub(crate) use limits::{Caps, Enforced};
pub(crate) use measure::most_lots;
pub(crate) use scenarios::Losses;
pub use usage::Usage;

use crate::engine::Engine;
use crate::input::OrderRequest;
use crate::numbers::{RATE_ONE, Result, Rounding, div_round, lots_in};
use crate::order::{Order, Side};
use crate::orders::plain_breach;
use crate::output::{Figure, Rule};
use measure::Walk;

/// A check that did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) figure: Figure,
    pub(crate) limit: Figure,
    /// The largest quantity that this check accepts.
    pub(crate) most: i64,
}

/// Why an order stands at the gate, which decides what it has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A new order: whole or not at all.
    New,
    /// From a target: cut to what passes.
    Target,
    /// A child that its parent releases or enlarges: cut to what passes.
    Release,
    /// New terms of an order whose old ones are not in flight now.
    Amend,
}

/// What an order has behind it that stands at the gate again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Past {
    /// Its trigger was met: it acts like an order without one.
    pub(crate) has_triggered: bool,
    /// A fill has paid the venue's minimum fee.
    pub(crate) has_paid: bool,
    /// Of an order that grows: what it counts at, which its growth will count at too.
    pub(crate) price: Option<Priced>,
}

/// The reference price of an order that works, and what it would lose against the mark, a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Priced {
    pub(crate) reference: i64,
    pub(crate) adverse: i64,
}

/// An order as the gate sees it.
pub(crate) struct Ask<'a> {
    ts: i64,
    request: &'a OrderRequest,
    reference: i64,
    mark: i64,
    lot: i64,
    /// What the order may take off its position.
    room: i64,
    occasion: Occasion,
    past: Past,
}

/// Whether enough is known, or the next check is to be made.
type Step = Result<ControlFlow<()>>;

/// Go on to the next check unless the last one has ended the walk.
macro_rules! pass {
    ($step:expr) => {
        if $step?.is_break() {
            return Ok(std::ops::ControlFlow::Break(()));
        }
    };
}
use pass;

const NEXT: ControlFlow<()> = ControlFlow::Continue(());

impl Occasion {
    fn is_sized(self) -> bool {
        matches!(self, Self::Target | Self::Release)
    }
}

impl Ask<'_> {
    fn quantity(&self) -> i64 {
        self.request.quantity
    }

    fn lots(&self) -> i64 {
        lots_in(self.request.quantity, self.lot)
    }

    fn is_reducing(&self) -> bool {
        self.request.quantity <= self.room
    }
}

impl Engine {
    /// The check that stops an order: the first that fails, or for orders that are cut the one
    /// that leaves the least of it. None if all pass.
    pub(crate) fn judge(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        occasion: Occasion,
    ) -> Result<Option<Breach>> {
        self.judge_again(ts, request, occasion, Past::default())
    }

    /// The same of new terms, or of more, of an order that works already.
    pub(crate) fn judge_again(
        &mut self,
        ts: i64,
        request: &OrderRequest,
        occasion: Occasion,
        past: Past,
    ) -> Result<Option<Breach>> {
        let mut walk = Walk::new(occasion.is_sized());
        let reference = match past.price {
            Some(price) => price.reference,
            None => self.reference_now(request),
        };
        self.update_caps()?;
        let ask = Ask {
            ts,
            request,
            reference,
            mark: self.mark(request.instrument).unwrap_or(0),
            lot: self.config.instruments[request.instrument].lot_size,
            room: self.room_at_gate(request)?,
            occasion,
            past,
        };
        let _ = self.walk(&ask, &mut walk)?;
        if walk.is_clear() {
            // Nearly always; a breach is large, and not worth a copy where there is none.
            return Ok(None);
        }
        Ok(walk.found())
    }

    /// What the gate has to know of an order that has been there before.
    pub(crate) fn past_of(&self, order: &Order) -> Past {
        Past {
            has_triggered: order.triggered,
            has_paid: self.has_paid(order.id),
            price: None,
        }
    }

    #[inline(always)]
    fn walk(&mut self, ask: &Ask, walk: &mut Walk) -> Step {
        pass!(self.state_checks(ask, walk));
        if let Some(breach) = self.sense_breach(ask.ts, ask.request) {
            return Ok(walk.fail(breach));
        }
        pass!(self.reducing_checks(ask, walk));
        pass!(self.permission_checks(ask, walk));
        pass!(self.money_checks(ask, walk));
        if self.enforced.rows {
            pass!(self.row_checks(ask, walk));
        }
        if self.enforced.figures {
            pass!(self.figure_checks(ask, walk));
        }
        if self.config.limits.value_at_risk.is_some() {
            return self.scenario_checks(ask, walk);
        }
        Ok(NEXT)
    }

    /// Whether the order makes sense at all.
    #[inline(always)]
    fn sense_breach(&self, ts: i64, request: &OrderRequest) -> Option<Breach> {
        if !self.is_listed(request.instrument, ts) {
            return Some(plain_breach(Rule::NotListed));
        }
        let Some(mark) = self.mark(request.instrument) else {
            return Some(plain_breach(Rule::NoPrice));
        };
        self.form_breach(ts, request, mark)
            .or_else(|| self.band_breach(request, mark))
    }

    /// Whether a price is on the right side of one edge of the band around `reference`:
    /// of the upper one for buys, of the lower one for sales.
    #[inline]
    pub(crate) fn in_band(&self, price: i64, reference: i64, side: Side) -> bool {
        if price == reference {
            return true;
        }
        let band = self.config.limits.price_band;
        let (price, centre) = (i128::from(price), i128::from(reference));
        let beyond = match side {
            Side::Buy => price - centre,
            Side::Sell => centre - price,
        };
        beyond * i128::from(RATE_ONE) <= centre.abs() * i128::from(band)
    }

    /// The edge of the band in whole price units, rounded towards `reference`.
    pub(crate) fn band_edge(&self, reference: i64, side: Side) -> i64 {
        let band = self.config.limits.price_band;
        let centre = i128::from(reference) * i128::from(RATE_ONE);
        let width = i128::from(reference).abs() * i128::from(band);
        let (edge, rounding) = match side {
            Side::Buy => (centre + width, Rounding::Down),
            Side::Sell => (centre - width, Rounding::Up),
        };
        let edge = div_round(edge, i128::from(RATE_ONE), rounding);
        i64::try_from(edge).unwrap_or(i64::MAX)
    }
}
