//! An engine with one event instrument, spoken to in few words.

#![allow(dead_code, reason = "each test file uses its own part")]

use quantvista_engine::{
    AccountKind, BookLevel, BookOrder, Config, DataKind, Engine, EngineError, Event, Fill, Input,
    Instrument, Liquidity, OrderKind, OrderRequest, Output, Quote, Reason, Side, Sleeve, Snapshot,
    Tick, TimeInForce, Venue, decode, encode,
};

pub const MONEY: i128 = 1_000_000_000_000;

pub fn instrument(id: &str, matching: DataKind) -> Instrument {
    Instrument {
        matching,
        has_auctions: true,
        margin_initial: 100_000_000,
        margin_maintenance: 50_000_000,
        shortable: 1_000_000_000,
        ..Instrument::new(id)
    }
}

/// One instrument, a margin account that may sell short, no costs, `limit_fill = touch`.
pub fn config(matching: DataKind) -> Config {
    let instruments = vec![instrument("A.SIM", matching)];
    let mut config = Config::new(
        "test",
        instruments,
        vec![Sleeve::new("s", 1_000_000 * MONEY)],
    );
    config.account.kind = AccountKind::Margin;
    config.venues = vec![venue()];
    config
}

pub fn venue() -> Venue {
    Venue {
        limit_fill_on_touch: true,
        ..Venue::new("sim")
    }
}

pub fn order(side: Side, quantity: i64) -> OrderRequest {
    OrderRequest::new(0, 0, side, quantity, OrderKind::Market, TimeInForce::Gtc)
}

pub fn limit(side: Side, quantity: i64, price: i64) -> OrderRequest {
    OrderRequest {
        kind: OrderKind::Limit,
        limit_price: Some(price),
        ..order(side, quantity)
    }
}

/// Order, price, quantity and liquidity of a fill.
pub type Short = (u64, i64, i64, Liquidity);

pub struct Run {
    pub engine: Engine,
    pub ts: i64,
    sequence: u64,
}

impl Run {
    pub fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config).expect("a sound configuration"),
            ts: 0,
            sequence: 0,
        }
    }

    pub fn on(matching: DataKind) -> Self {
        Self::new(config(matching))
    }

    /// Apply an event one nanosecond later.
    pub fn next(&mut self, event: Event) -> Vec<Output> {
        self.ts += 1;
        self.now(event)
    }

    /// Apply an event at the time that it is.
    pub fn now(&mut self, event: Event) -> Vec<Output> {
        self.attempt(event).expect("an input that is taken")
    }

    pub fn attempt(&mut self, event: Event) -> Result<Vec<Output>, EngineError> {
        self.sequence += 1;
        let input = Input {
            ts_event: self.ts,
            ts_received: self.ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        let out = self.engine.apply(&input)?;
        self.engine.audit().expect("sums that agree");
        let bytes = encode(&self.engine.snapshot());
        let snapshot: Snapshot = decode(&bytes).expect("our own bytes");
        let restored = Engine::restore(snapshot).expect("a sound state");
        assert_eq!(restored.state_hash(), self.engine.state_hash());
        self.engine = restored;
        Ok(out)
    }

    pub fn quote(&mut self, bid: (i64, i64), ask: (i64, i64)) -> Vec<Output> {
        self.next(Event::Quote {
            instrument: 0,
            quote: quote(bid, ask),
        })
    }

    pub fn trade(&mut self, price: i64, size: i64, aggressor: Option<Side>) -> Vec<Output> {
        self.next(Event::Trade {
            instrument: 0,
            trade: Tick {
                price,
                size,
                aggressor,
            },
        })
    }

    /// A book message of whole levels.
    pub fn levels(&mut self, levels: &[(Side, i64, i64)]) -> Vec<Output> {
        self.ts += 1;
        let mut out = Vec::new();
        for (index, &(side, price, size)) in levels.iter().enumerate() {
            let more = index + 1 < levels.len();
            let level = BookLevel {
                side,
                price,
                size,
                more,
            };
            out.extend(self.now(Event::BookLevel {
                instrument: 0,
                level,
            }));
        }
        out
    }

    /// A change of one order of an L3 book.
    pub fn stands(&mut self, id: u64, side: Side, price: i64, shown: i64) -> Vec<Output> {
        self.next(Event::BookOrder {
            instrument: 0,
            order: BookOrder {
                id,
                side,
                price,
                size: shown,
                more: false,
            },
        })
    }

    pub fn submit(&mut self, request: OrderRequest) -> Vec<Output> {
        self.next(Event::SubmitOrder(request))
    }
}

pub fn quote(bid: (i64, i64), ask: (i64, i64)) -> Quote {
    Quote {
        bid: Some(bid.0),
        bid_size: Some(bid.1),
        ask: Some(ask.0),
        ask_size: Some(ask.1),
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

pub fn short(out: &[Output]) -> Vec<Short> {
    fills(out)
        .iter()
        .map(|fill| {
            (
                fill.order.unwrap_or(0),
                fill.price,
                fill.quantity,
                fill.liquidity,
            )
        })
        .collect()
}

/// Orders that were cancelled, and why.
pub fn cancels(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderCancelled { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}
