//! A small market for tests of orders: one venue, one currency, instruments on bars.

#![allow(dead_code, reason = "every test file takes what it needs")]

use quantvista_engine::{
    AccountKind, AccountModel, Bar, Config, Engine, Event, Fill, Input, Instrument, Order,
    OrderKind, OrderRequest, Output, PositionMode, Reason, Rule, Side, Sleeve, TimeInForce, decode,
    encode,
};

pub const MONEY: i128 = 1_000_000_000_000;

pub fn instrument(id: &str) -> Instrument {
    Instrument {
        price_precision: 0,
        margin_initial: 100_000_000,
        margin_maintenance: 50_000_000,
        ..Instrument::new(id)
    }
}

/// Two instruments in a cash account of two sleeves: `a` on OHLC bars, `b` on closes.
pub fn config() -> Config {
    let mut closes = instrument("b");
    closes.close_only = true;
    let sleeves = ["one", "two"].map(|id| Sleeve::new(id, 1_000_000 * MONEY));
    let mut config = Config::new("test", vec![instrument("a"), closes], sleeves.into());
    config.venues[0].slippage.ticks = 1;
    config.limits.price_band = 500_000_000;
    config
}

/// The same in a margin account, where instruments may be sold short.
pub fn margin_config(positions: PositionMode) -> Config {
    let mut config = config();
    config.account = AccountModel {
        kind: AccountKind::Margin,
        positions,
        ..AccountModel::default()
    };
    for instrument in &mut config.instruments {
        instrument.shortable = 1_000_000;
    }
    config
}

pub struct Market {
    pub engine: Engine,
    ts: i64,
    sequence: u64,
}

impl Market {
    pub fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config).expect("a sound configuration"),
            ts: 0,
            sequence: 0,
        }
    }

    pub fn now(&self) -> i64 {
        self.ts
    }

    pub fn apply(&mut self, event: Event) -> Vec<Output> {
        self.sequence += 1;
        let input = Input {
            ts_event: self.ts,
            ts_received: self.ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        let out = self.engine.apply(&input).expect("a sound input");
        self.engine.audit().expect("sound books and sums");
        let snapshot = decode(&encode(&self.engine.snapshot())).expect("our own bytes");
        let restored = Engine::restore(snapshot).expect("a sound state");
        assert_eq!(restored.state_hash(), self.engine.state_hash());
        self.engine = restored;
        out
    }

    /// An input of the next time step.
    pub fn later(&mut self, event: Event) -> Vec<Output> {
        self.ts += 100;
        self.apply(event)
    }

    /// Bars of the next time step and their barrier.
    pub fn bars(&mut self, bars: &[(usize, Bar)]) -> Vec<Output> {
        self.barrier(bars, true, true)
    }

    pub fn barrier(&mut self, bars: &[(usize, Bar)], start: bool, end: bool) -> Vec<Output> {
        self.ts += 100;
        let mut out = Vec::new();
        for (instrument, bar) in bars {
            out.extend(self.apply(Event::Bar {
                instrument: *instrument,
                bar: *bar,
            }));
        }
        out.extend(self.apply(Event::Barrier {
            session_start: start,
            session_end: end,
        }));
        out
    }

    /// One OHLC bar of instrument 0 without end of session.
    pub fn bar(&mut self, open: i64, high: i64, low: i64, close: i64) -> Vec<Output> {
        self.barrier(&[(0, ohlc(open, high, low, close))], false, false)
    }

    /// One close of instrument 1 without end of session.
    pub fn close(&mut self, close: i64) -> Vec<Output> {
        self.barrier(&[(1, closing(close))], false, false)
    }

    pub fn submit(&mut self, request: OrderRequest) -> u64 {
        self.apply(Event::SubmitOrder(request));
        self.engine.last_order()
    }

    pub fn order(&self, id: u64) -> Order {
        *self.engine.order(id).expect("a working order")
    }

    pub fn position(&self) -> i64 {
        self.engine.ledger().quantity(0, 0)
    }

    /// Buy a position at the open of the next bar, which stands still at this price.
    pub fn hold(&mut self, quantity: i64, price: i64) {
        self.bar(price, price, price, price);
        self.submit(order(Side::Buy, quantity, OrderKind::Market));
        self.bar(price, price, price, price);
        assert_eq!(self.position(), quantity);
    }
}

pub fn ohlc(open: i64, high: i64, low: i64, close: i64) -> Bar {
    Bar {
        range: Some([open, high, low]),
        close,
        volume: None,
    }
}

pub fn closing(close: i64) -> Bar {
    Bar {
        range: None,
        close,
        volume: None,
    }
}

/// A GTC order of sleeve 0 in instrument 0.
pub fn order(side: Side, quantity: i64, kind: OrderKind) -> OrderRequest {
    OrderRequest::new(0, 0, side, quantity, kind, TimeInForce::Gtc)
}

pub fn limit(side: Side, quantity: i64, price: i64) -> OrderRequest {
    OrderRequest {
        limit_price: Some(price),
        ..order(side, quantity, OrderKind::Limit)
    }
}

pub fn stop(side: Side, quantity: i64, trigger: i64) -> OrderRequest {
    OrderRequest {
        trigger_price: Some(trigger),
        ..order(side, quantity, OrderKind::Stop)
    }
}

pub fn fills(out: &[Output]) -> Vec<Fill> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderFilled(fill) => Some(*fill),
            _ => None,
        })
        .collect()
}

/// Order, quantity and price of fills.
pub fn brief(out: &[Output]) -> Vec<(u64, i64, i64)> {
    fills(out)
        .iter()
        .map(|fill| (fill.order.expect("an order"), fill.quantity, fill.price))
        .collect()
}

pub fn cancels(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderCancelled { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}

pub fn expiries(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderExpired { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}

pub fn rejects(out: &[Output]) -> Vec<(u64, Rule)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderRejected { order, rule } => Some((order.id, *rule)),
            _ => None,
        })
        .collect()
}

pub fn triggered(out: &[Output]) -> Vec<u64> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderTriggered { order, .. } => Some(*order),
            _ => None,
        })
        .collect()
}
