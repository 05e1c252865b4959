//! Prices at which our own orders rest, so that we do not trade with ourselves.

use std::collections::BTreeMap;

use crate::order::{Order, OrderKind, OrderStatus, Side};

/// Own prices of an instrument, each with the number of orders there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resting {
    buys: BTreeMap<i64, u32>,
    sales: BTreeMap<i64, u32>,
}

impl Resting {
    pub(super) fn changed(&mut self, order: &Order, sign: i8) {
        let Some(price) = resting_price(order) else {
            return;
        };
        let prices = match order.side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sales,
        };
        let count = prices.entry(price).or_default();
        if sign > 0 {
            *count += 1;
        } else {
            *count -= 1;
            if *count == 0 {
                prices.remove(&price);
            }
        }
    }

    pub(super) fn highest_buy(&self) -> Option<i64> {
        self.buys.last_key_value().map(|(price, _)| *price)
    }

    pub(super) fn lowest_sale(&self) -> Option<i64> {
        self.sales.first_key_value().map(|(price, _)| *price)
    }
}

/// The price at which an order in flight rests, or will.
fn resting_price(order: &Order) -> Option<i64> {
    let is_active = order.kind == OrderKind::Limit || order.triggered;
    let is_in_flight = order.status != OrderStatus::Held && order.unfilled() > 0;
    order.limit_price.filter(|_| is_active && is_in_flight)
}
