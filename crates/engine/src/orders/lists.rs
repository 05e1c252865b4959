//! Lists of orders that hang together: `docs/engine/orders.md`, section 7.

use crate::engine::Engine;
use crate::gate::{Breach, Occasion};
use crate::input::OrderRequest;
use crate::numbers::Result;
use crate::order::{Link, Order, OrderKind, OrderStatus, Origin, TimeInForce};
use crate::orders::intake::{advance, plain_breach, verdict_on};
use crate::output::{Outcome, Output, Rule};

/// The most orders of a list.
pub(crate) const LIST_MAX: usize = 8;

impl Engine {
    /// Place orders that hang together: all of them or none.
    pub(crate) fn place_list(
        &mut self,
        ts: i64,
        requests: &[OrderRequest],
        link: Link,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let found = if !is_well_formed(requests, link) {
            Some((usize::MAX, plain_breach(Rule::Linked)))
        } else if self.is_remote(requests[0].instrument) {
            Some((0, plain_breach(Rule::Venue)))
        } else {
            self.list_breach(ts, requests, link)?
        };
        if let Some((place, breach)) = found {
            for (index, request) in requests.iter().enumerate() {
                let order = self.new_order(ts, request, Origin::Strategy);
                if index == place {
                    self.refuse(ts, order, &breach, out);
                } else {
                    self.refuse(ts, order, &plain_breach(Rule::Linked), out);
                }
            }
            return Ok(());
        }
        let first = self.last_order + 1;
        let orders: Vec<Order> = requests
            .iter()
            .enumerate()
            .map(|(index, request)| {
                let order = self.new_order(ts, request, Origin::Strategy);
                linked(order, link, index, first, requests.len())
            })
            .collect();
        let counted = self.largest_hold(&orders)?;
        for mut order in orders {
            if order.parent.is_some() {
                order.counted = false;
                advance(&mut order, OrderStatus::Held);
                self.measure(&mut order);
                self.insert(&order)?;
                self.count_asked(ts, None);
                out.push(Output::OrderHeld(order));
                out.push(verdict_on(ts, order.id, Outcome::Accepted, None));
            } else {
                order.counted = order.group.is_none() || Some(order.id) == counted;
                self.admit(ts, order, Outcome::Accepted, None, out)?;
            }
        }
        Ok(())
    }

    /// The first order that the gate refuses, and why.
    fn list_breach(
        &mut self,
        ts: i64,
        requests: &[OrderRequest],
        link: Link,
    ) -> Result<Option<(usize, Breach)>> {
        for (index, request) in requests.iter().enumerate() {
            let breach = if is_child(link, index) {
                self.child_breach(ts, request)
            } else {
                self.judge(ts, request, Occasion::New)?
            };
            if let Some(breach) = breach {
                return Ok(Some((index, breach)));
            }
        }
        Ok(None)
    }

    /// What the gate asks of an order that waits for its parent: that it makes sense.
    pub(crate) fn child_breach(&self, ts: i64, request: &OrderRequest) -> Option<Breach> {
        if !self.is_listed(request.instrument, ts) {
            return Some(plain_breach(Rule::NotListed));
        }
        match self.mark(request.instrument) {
            None => Some(plain_breach(Rule::NoPrice)),
            Some(mark) => self.form_breach(ts, request, mark),
        }
    }

    /// The order of a group that holds most, the first among equals.
    pub(crate) fn largest_hold(&self, orders: &[Order]) -> Result<Option<u64>> {
        let mut largest: Option<(i128, u64)> = None;
        for order in orders.iter().filter(|order| order.group.is_some()) {
            let mut priced = *order;
            self.measure(&mut priced);
            let hold = self.hold_of(&priced)?;
            if largest.is_none_or(|(most, _)| hold > most) {
                largest = Some((hold, order.id));
            }
        }
        Ok(largest.map(|(_, id)| id))
    }
}

fn is_child(link: Link, index: usize) -> bool {
    link != Link::Oco && index > 0
}

/// An order of a list with its ties to the others, whose ids begin with `first`.
fn linked(order: Order, link: Link, index: usize, first: u64, count: usize) -> Order {
    let child = is_child(link, index);
    let others = u8::try_from(count - 1).expect("a list is short");
    let grouped = match link {
        Link::Oco => true,
        Link::Oto => false,
        Link::Bracket => child,
    };
    Order {
        parent: child.then_some(first),
        children: if link == Link::Oco || child {
            0
        } else {
            others
        },
        group: grouped.then_some(if child { first + 1 } else { first }),
        ..order
    }
}

/// Rule `linked`, as far as the list itself goes.
fn is_well_formed(requests: &[OrderRequest], link: Link) -> bool {
    let Some(head) = requests.first() else {
        return false;
    };
    let size_fits = match link {
        Link::Bracket => requests.len() == 3,
        Link::Oco | Link::Oto => (2..=LIST_MAX).contains(&requests.len()),
    };
    let exit_side = match link {
        Link::Oco => Some(head.side),
        Link::Oto => None,
        Link::Bracket => Some(head.side.opposite()),
    };
    size_fits
        && requests.iter().enumerate().all(|(index, request)| {
            let is_parent = link != Link::Oco && index == 0;
            let same = (request.sleeve, request.instrument, request.leg)
                == (head.sleeve, head.instrument, head.leg)
                && request.quantity == head.quantity;
            let waits = !matches!(request.tif, TimeInForce::Ioc | TimeInForce::Fok);
            let grouped = link != Link::Oto;
            same && (is_parent
                || (waits
                    && exit_side.is_none_or(|side| request.side == side)
                    && (!grouped || request.kind != OrderKind::Market)))
        })
}
