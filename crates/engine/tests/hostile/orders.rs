//! What strategies ask for.

use quantvista_engine::{
    Amendment, Event, Leg, Link, OrderKind, OrderRequest, TimeInForce, Trail, TriggerSource,
};

use crate::dice::Dice;
use crate::world::DAY;

impl Dice {
    fn trail(&mut self) -> Trail {
        if self.one_in(2) {
            Trail::Amount(self.between(-1, 40))
        } else {
            Trail::Rate(self.between(-1, 50_000_000))
        }
    }

    fn request(&mut self, ts: i64) -> OrderRequest {
        let kind = self.pick(OrderKind::ALL);
        let tif = self.pick(TimeInForce::ALL);
        let sensible = !self.one_in(12);
        let has = |kinds: &[OrderKind]| kinds.contains(&kind) == sensible;
        let limit = has(&[
            OrderKind::Limit,
            OrderKind::StopLimit,
            OrderKind::LimitIfTouched,
        ]);
        let trigger = has(&[
            OrderKind::Stop,
            OrderKind::StopLimit,
            OrderKind::MarketIfTouched,
            OrderKind::LimitIfTouched,
        ]);
        OrderRequest {
            limit_price: limit.then(|| self.price()),
            trigger_price: trigger.then(|| self.price()),
            trail: has(&[OrderKind::TrailingStop]).then(|| self.trail()),
            trigger_by: self.one_in(8).then(|| self.pick(TriggerSource::ALL)),
            expire_at: ((tif == TimeInForce::Gtd) == sensible)
                .then(|| ts.saturating_add(self.between(-1, 3 * DAY))),
            display_quantity: self.one_in(8).then(|| self.size()),
            post_only: self.one_in(8),
            reduce_only: self.one_in(6),
            leg: if self.one_in(4) {
                self.pick(Leg::ALL)
            } else {
                Leg::Net
            },
            ..OrderRequest::new(
                self.sleeve(),
                self.instrument(),
                self.side(),
                self.size(),
                kind,
                tif,
            )
        }
    }

    pub fn order_event(&mut self, ts: i64) -> Event {
        match self.below(12) {
            0 => Event::TargetPortfolio {
                sleeve: self.sleeve(),
                targets: (0..self.index(4))
                    .map(|_| (self.instrument(), self.between(-400_000_000, 600_000_000)))
                    .collect(),
            },
            1..3 => Event::SubmitList {
                orders: {
                    let first = self.request(ts);
                    (0..self.index(4))
                        .map(|place| {
                            let mut order = if self.one_in(6) {
                                self.request(ts)
                            } else {
                                first
                            };
                            if place > 0 && !self.one_in(3) {
                                order.side = first.side.opposite();
                                order.kind = self.pick(&[OrderKind::Limit, OrderKind::Stop]);
                                order.limit_price =
                                    (order.kind == OrderKind::Limit).then(|| self.price());
                                order.trigger_price =
                                    (order.kind == OrderKind::Stop).then(|| self.price());
                            }
                            order
                        })
                        .collect()
                },
                link: self.pick(&[Link::Oco, Link::Oto, Link::Bracket]),
            },
            3 => Event::AmendOrder(Amendment {
                order: self.below(120),
                quantity: self.maybe(Self::size),
                limit_price: self.maybe(Self::price),
                trigger_price: self.one_in(4).then(|| self.price()),
                trail: self.one_in(6).then(|| self.trail()),
                expire_at: self
                    .one_in(6)
                    .then(|| ts.saturating_add(self.between(-1, DAY))),
            }),
            4 => Event::ReplaceOrder {
                order: self.below(120),
                request: self.request(ts),
            },
            5 => Event::CancelOrder {
                order: self.below(120),
            },
            6 if self.one_in(9) => Event::ActivateSemantics {
                number: self.pick(&[0, 2, 3]),
            },
            _ => Event::SubmitOrder(self.request(ts)),
        }
    }
}
