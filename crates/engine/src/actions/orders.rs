//! Orders after an action: `docs/engine/actions.md`, section 4.

use super::rescale::Ratio;
use crate::config::Instrument;
use crate::engine::Engine;
use crate::numbers::{Result, Rounding, div_nearest, div_round};
use crate::order::{Order, OrderKind, Reason, Side, Trail};
use crate::orders::adverse;
use crate::output::Output;

/// What an action does to prices and quantities.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms {
    Rescaled {
        quantities: Ratio,
        prices: Ratio,
    },
    /// By so many price units.
    Lowered {
        drop: i64,
    },
}

impl Engine {
    /// Restate the orders of an instrument and all that follows from these, the mark and the
    /// positions; cancel those of which nothing tradable is left.
    pub(crate) fn adjust_orders(
        &mut self,
        ts: i64,
        instrument: usize,
        terms: &Terms,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let slots = self.book.slots_of(instrument);
        let mut changes = Vec::with_capacity(slots.len());
        for &slot in &slots {
            let Some(before) = self.book.get(slot).copied() else {
                continue;
            };
            let after = if before.remote {
                // What its venue makes of it, the venue says; we want it no more.
                None
            } else {
                adjusted(&before, &self.config.instruments[instrument], terms)
            };
            self.book.replace(slot, after.unwrap_or(before), 0);
            changes.push((slot, before, after));
        }
        self.exposure = self.exposure_from_scratch()?;
        for &slot in &slots {
            if let Some(order) = self.book.get(slot).copied() {
                let hold = self.hold_of(&order)?;
                self.book.replace(slot, order, hold);
            }
        }
        self.rewatch(instrument);
        for (slot, before, after) in changes {
            // The end of one may have ended another that hangs on it.
            if !self.book.is_in(slot, before.id) {
                continue;
            }
            match after {
                None => self.cancel(ts, slot, Reason::Action, out)?,
                Some(order) if are_terms_new(&before, &order) => {
                    out.push(Output::OrderAmended { ts, order });
                }
                Some(_) => {}
            }
        }
        self.book.sweep();
        Ok(())
    }
}

fn are_terms_new(before: &Order, after: &Order) -> bool {
    let terms = |order: &Order| {
        (
            order.quantity,
            order.limit_price,
            order.trigger_price,
            order.trail,
            order.display_quantity,
        )
    };
    terms(before) != terms(after)
}

/// The order as it is after an action, if anything tradable is left of it.
fn adjusted(before: &Order, listed: &Instrument, terms: &Terms) -> Option<Order> {
    let mut order = *before;
    if let Terms::Rescaled { quantities, .. } = terms {
        let unfilled = scaled_lots(before.unfilled(), *quantities, listed.lot_size)?;
        // A child may have nothing unfilled and wait for its parent to enlarge it.
        if unfilled == 0 && before.unfilled() > 0 {
            return None;
        }
        order.quantity = before.filled.checked_add(unfilled)?;
        if let Some(shown) = before.display_quantity {
            let shown = scaled_lots(shown, *quantities, listed.lot_size)?;
            order.display_quantity = Some(shown.max(listed.lot_size));
        }
    }
    let new_price = |price: i64, rounding: Rounding| -> Option<i64> {
        let price = match terms {
            Terms::Rescaled { prices, .. } => scaled(price, *prices, listed.tick_size, rounding)?,
            Terms::Lowered { .. } if !is_lowered(before) => return Some(price),
            Terms::Lowered { drop } => {
                let price = i128::from(price) - i128::from(*drop);
                to_ticks(price, 1, listed.tick_size, Rounding::Down)?
            }
        };
        (price > 0 || listed.negative_prices).then_some(price)
    };
    if let Some(limit) = before.limit_price {
        // A buy never bids more, a sale never asks less.
        let rounding = match before.side {
            Side::Buy => Rounding::Down,
            Side::Sell => Rounding::Up,
        };
        order.limit_price = Some(new_price(limit, rounding)?);
    }
    if let Some(trigger) = before.trigger_price {
        // It never triggers earlier.
        let rounding = if waits_for_rise(before) {
            Rounding::Up
        } else {
            Rounding::Down
        };
        order.trigger_price = Some(new_price(trigger, rounding)?);
    }
    if let (Terms::Rescaled { prices, .. }, Some(Trail::Amount(amount))) = (terms, before.trail) {
        let amount = scaled(amount, *prices, listed.tick_size, Rounding::Up)?;
        order.trail = Some(Trail::Amount(amount.max(listed.tick_size)));
    }
    // The mark at acceptance, as far as the order still knows it.
    let mark = match before.side {
        Side::Buy => before.reference.checked_sub(before.adverse)?,
        Side::Sell => before.reference.checked_add(before.adverse)?,
    };
    order.reference = restated(before.reference, listed, terms)?;
    order.adverse = adverse(before.side, order.reference, restated(mark, listed, terms)?);
    Some(order)
}

/// A price that is not the order's own: to the nearest unit.
fn restated(price: i64, listed: &Instrument, terms: &Terms) -> Option<i64> {
    let price = match terms {
        Terms::Rescaled { prices, .. } => {
            div_nearest(prices.times(price).ok()?, prices.denominator)
        }
        Terms::Lowered { drop } => i128::from(price) - i128::from(*drop),
    };
    let least = if listed.negative_prices { i128::MIN } else { 1 };
    i64::try_from(price.max(least)).ok()
}

/// Whether a dividend lowers the prices of an order: what would trade only because the price
/// falls by it.
fn is_lowered(order: &Order) -> bool {
    match order.kind {
        OrderKind::Stop | OrderKind::StopLimit | OrderKind::TrailingStop => {
            order.side == Side::Sell
        }
        _ => order.side == Side::Buy,
    }
}

fn waits_for_rise(order: &Order) -> bool {
    let is_if_touched = matches!(
        order.kind,
        OrderKind::MarketIfTouched | OrderKind::LimitIfTouched
    );
    (order.side == Side::Buy) != is_if_touched
}

fn scaled_lots(quantity: i64, ratio: Ratio, lot: i64) -> Option<i64> {
    to_ticks(
        ratio.times(quantity).ok()?,
        ratio.denominator,
        lot,
        Rounding::Down,
    )
}

fn scaled(price: i64, ratio: Ratio, tick: i64, rounding: Rounding) -> Option<i64> {
    to_ticks(ratio.times(price).ok()?, ratio.denominator, tick, rounding)
}

/// `exact / divisor` in whole ticks (or lots).
fn to_ticks(exact: i128, divisor: i128, tick: i64, rounding: Rounding) -> Option<i64> {
    let divisor = divisor.checked_mul(i128::from(tick))?;
    let ticks = div_round(exact, divisor, rounding);
    i64::try_from(ticks.checked_mul(i128::from(tick))?).ok()
}
