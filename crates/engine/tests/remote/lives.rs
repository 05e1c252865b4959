//! Random lives of orders at a venue that does what it wants.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::{
    AccountKind, Command, Event, Execution, Order, OrderKind, Output, Report, Side,
};

use crate::support::{MONEY, Market, order};
use crate::{execution, margin, market};

/// What happens next between the fund and its venue; numbers choose among the orders.
#[derive(Debug, Clone)]
enum Step {
    Ask {
        buy: bool,
        quantity: i64,
        reduce_only: bool,
        sleeve: usize,
    },
    Cancel(usize),
    Reports(usize),
    Fill {
        of: usize,
        part: i64,
    },
    Again,
    Price(i64),
    State(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (any::<bool>(), 1..20_i64, any::<bool>(), 0..2_usize).prop_map(
            |(buy, quantity, reduce_only, sleeve)| Step::Ask { buy, quantity, reduce_only, sleeve }
        ),
        2 => (0..8_usize).prop_map(Step::Cancel),
        4 => (0..40_usize).prop_map(Step::Reports),
        6 => (0..8_usize, 1..12_i64).prop_map(|(of, part)| Step::Fill { of, part }),
        2 => Just(Step::Again),
        1 => (80..120_i64).prop_map(Step::Price),
        1 => (0..4_u8).prop_map(Step::State),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A venue that does what it wants with the orders that it was sent, and what it told.
struct Outside {
    market: Market,
    sent: Vec<Order>,
    open: Vec<u64>,
    told: Vec<Report>,
    net: [i64; 2],
    cash: [i128; 2],
}

impl Outside {
    fn hear(&mut self, out: &[Output]) {
        for output in out {
            if let Output::OrderSubmitted(order) = output {
                self.sent.push(*order);
                self.open.push(order.id);
            }
        }
    }

    fn tell(&mut self, report: Report) {
        self.told.push(report.clone());
        let out = self.market.later(Event::Report(report));
        self.hear(&out);
    }

    fn do_step(&mut self, step: &Step, restricted: &mut bool) {
        match step {
            Step::Ask {
                buy,
                quantity,
                reduce_only,
                sleeve,
            } => {
                let side = if *buy { Side::Buy } else { Side::Sell };
                let mut request = order(side, *quantity, OrderKind::Market);
                request.reduce_only = *reduce_only;
                request.sleeve = *sleeve;
                let held = self.market.engine.held(*sleeve, 0);
                let out = self.market.later(Event::SubmitOrder(request));
                let accepted = out
                    .iter()
                    .any(|output| matches!(output, Output::OrderSubmitted(_)));
                if accepted && (*reduce_only || *restricted) {
                    // With all that is in flight it cannot flip what is held.
                    let same: i64 = (self
                        .sent
                        .iter()
                        .filter_map(|o| self.market.engine.order(o.id)))
                    .filter(|o| o.side == side && o.sleeve == *sleeve)
                    .map(Order::unfilled)
                    .sum();
                    assert!(same + quantity <= held.abs() && held.signum() == -side.signed(1));
                }
                self.hear(&out);
            }
            Step::Cancel(which) => {
                if let Some(order) = self.open.get(*which).copied() {
                    let out = self.market.later(Event::CancelOrder { order });
                    self.hear(&out);
                }
            }
            Step::Reports(which) => {
                let Some(order) = self.open.get(which / 5).copied() else {
                    return;
                };
                let report = match which % 5 {
                    0 => Report::Accepted { order },
                    1 => Report::Unknown { order },
                    2 => Report::CancelRejected { order },
                    3 => Report::Cancelled { order },
                    _ => Report::Expired { order },
                };
                if which % 5 > 2 {
                    self.open.retain(|id| *id != order);
                }
                self.tell(report);
            }
            Step::Fill { of, part } => {
                // Also of orders that have ended: late.
                let Some(sent) = self.sent.get(*of).copied() else {
                    return;
                };
                let price = 100;
                let trade = Execution {
                    sleeve: sent.sleeve,
                    ..execution(
                        &format!("t{}", self.told.len()),
                        sent.id,
                        sent.side,
                        *part,
                        price,
                    )
                };
                self.net[sent.sleeve] += sent.side.signed(*part);
                self.cash[sent.sleeve] -=
                    i128::from(sent.side.signed(*part) * price) * MONEY + MONEY;
                self.tell(Report::Filled(trade));
            }
            Step::Again => {
                if let Some(last) = self.told.last().cloned()
                    && matches!(last, Report::Filled(_))
                {
                    let out = self.market.later(Event::Report(last));
                    self.hear(&out);
                }
            }
            Step::Price(price) => {
                let out = self.market.bar(*price, *price, *price, *price);
                self.hear(&out);
            }
            Step::State(which) => {
                let command = match which {
                    0 => Command::Reduce,
                    1 => Command::Halt,
                    2 => Command::Flatten,
                    _ => Command::Resume,
                };
                *restricted = *which < 3;
                let out = self.market.later(Event::Operator(command));
                self.hear(&out);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        rng_seed: RngSeed::Fixed(6),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Positions are the trades that the venue told, each once, whatever the order of things;
    /// nothing that may only reduce can flip, with everything in flight.
    #[test]
    fn the_books_are_the_trades_of_the_venue(steps in steps()) {
        let mut config = margin();
        config.account.kind = AccountKind::Margin;
        let mut outside = Outside {
            market: market(config),
            sent: Vec::new(),
            open: Vec::new(),
            told: Vec::new(),
            net: [0; 2],
            cash: [1_000_000 * MONEY; 2],
        };
        let mut restricted = false;
        for step in &steps {
            outside.do_step(step, &mut restricted);
        }
        for sleeve in 0..2 {
            let engine = &outside.market.engine;
            prop_assert_eq!(engine.held(sleeve, 0), outside.net[sleeve]);
            prop_assert_eq!(engine.ledger().cash(sleeve, 0), outside.cash[sleeve]);
        }
    }
}
