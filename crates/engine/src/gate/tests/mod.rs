//! The gate's rules one by one, and its promises under random commands.

mod edges;
mod permission;
mod promises;
mod rules;
mod states;
mod usage;

use crate::config::{AccountKind, Config, Instrument, Sleeve};
use crate::engine::Engine;
use crate::input::{Bar, Event, Input, OrderRequest};
use crate::limits::Limits;
use crate::order::{Order, OrderKind, Side, TimeInForce};
use crate::output::{Output, Verdict};
use crate::risk::{RiskFigure, RiskKind, Scenarios};

pub(super) const MONEY: i128 = 1_000_000_000_000;
pub(super) const DAY: i64 = 86_400_000_000_000;

/// An equity that is matched at closes, priced and traded in whole units.
pub(super) fn equity(id: &str, sector: &str) -> Instrument {
    Instrument {
        price_precision: 0,
        sector: sector.to_owned(),
        close_only: true,
        margin_initial: 500_000_000,
        margin_maintenance: 250_000_000,
        shortable: 1_000_000,
        ..Instrument::new(id)
    }
}

/// Three equities, two of them of one sector, and two sleeves with 100 000 each.
pub(super) fn config(kind: AccountKind, limits: Limits) -> Config {
    let equities = [("A.X", "mines"), ("B.X", "mines"), ("C.X", "banks")];
    let instruments = equities.map(|(id, sector)| equity(id, sector)).into();
    let sleeves = ["a", "b"].map(|id| Sleeve::new(id, 100_000 * MONEY)).into();
    let mut config = Config::new("test", instruments, sleeves);
    config.account.kind = kind;
    config.limits = limits;
    if kind == AccountKind::Cash {
        config.instruments.iter_mut().for_each(|i| i.shortable = 0);
    }
    config
}

/// An engine with a clock of its own.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) ts: i64,
    sequence: u64,
    class: u8,
}

impl Desk {
    pub(super) fn new(config: Config) -> Self {
        Self {
            engine: Engine::new(config).expect("a sound configuration"),
            ts: 0,
            sequence: 0,
            class: 0,
        }
    }

    pub(super) fn margin(limits: Limits) -> Self {
        let mut desk = Self::new(config(AccountKind::Margin, limits));
        desk.session(&[100, 100, 100]);
        desk
    }

    pub(super) fn cash(limits: Limits) -> Self {
        let mut desk = Self::new(config(AccountKind::Cash, limits));
        desk.session(&[100, 100, 100]);
        desk
    }

    pub(super) fn feed(&mut self, event: Event) -> Vec<Output> {
        self.sequence += 1;
        // A lower class may only come later.
        self.ts += i64::from(event.class() < self.class);
        self.class = event.class();
        let input = Input {
            ts_event: self.ts,
            ts_received: self.ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        let out = self.engine.apply(&input).expect("an input that is taken");
        self.engine.audit().expect("running sums as from scratch");
        out
    }

    /// Bars of all instruments at these closes, a day later, and their barrier.
    pub(super) fn session(&mut self, closes: &[i64]) -> Vec<Output> {
        self.ts += DAY;
        self.class = 0;
        let mut out = Vec::new();
        for (instrument, close) in closes.iter().enumerate() {
            let bar = Bar {
                range: None,
                close: *close,
                volume: None,
            };
            out.extend(self.feed(Event::Bar { instrument, bar }));
        }
        out.extend(self.feed(Event::Barrier {
            session_start: true,
            session_end: true,
        }));
        out
    }

    pub(super) fn submit(&mut self, request: OrderRequest) -> Verdict {
        let out = self.feed(Event::SubmitOrder(request));
        verdicts(&out)[0]
    }

    pub(super) fn buy(&mut self, sleeve: usize, instrument: usize, quantity: i64) -> Verdict {
        self.submit(market(sleeve, instrument, Side::Buy, quantity))
    }

    pub(super) fn sell(&mut self, sleeve: usize, instrument: usize, quantity: i64) -> Verdict {
        self.submit(market(sleeve, instrument, Side::Sell, quantity))
    }

    pub(super) fn figure(&mut self, kind: RiskKind, instrument: Option<usize>, value: i64) {
        self.feed(Event::RiskFigure(RiskFigure {
            kind,
            instrument,
            value,
            expires_at: self.ts + DAY + 1,
        }));
    }

    pub(super) fn scenarios(&mut self, instrument: usize, returns: &[i32]) {
        self.feed(Event::Scenarios(Scenarios {
            instrument,
            returns: returns.to_vec(),
            expires_at: self.ts + 10 * DAY,
        }));
    }

    pub(super) fn held(&self, sleeve: usize, instrument: usize) -> i64 {
        self.engine.ledger.quantity(sleeve, instrument)
    }

    pub(super) fn working(&self) -> Vec<Order> {
        self.engine.book.working()
    }
}

pub(super) fn market(sleeve: usize, instrument: usize, side: Side, quantity: i64) -> OrderRequest {
    let (kind, tif) = (OrderKind::Market, TimeInForce::Gtc);
    OrderRequest::new(sleeve, instrument, side, quantity, kind, tif)
}

pub(super) fn limit(
    sleeve: usize,
    instrument: usize,
    side: Side,
    quantity: i64,
    price: i64,
) -> OrderRequest {
    OrderRequest {
        limit_price: Some(price),
        kind: OrderKind::Limit,
        ..market(sleeve, instrument, side, quantity)
    }
}

pub(super) fn verdicts(out: &[Output]) -> Vec<Verdict> {
    out.iter()
        .filter_map(|output| match output {
            Output::Verdict(verdict) => Some(*verdict),
            _ => None,
        })
        .collect()
}
