//! A small market on closing prices: every step is audited, and goes through bytes.

use quantvista_engine::{
    AccountKind, Action, Bar, Config, Currency, Engine, EngineError, Event, Fill, Input,
    Instrument, InstrumentKind, Leg, OrderKind, OrderRequest, Output, PositionMode, Posting,
    PostingKind, Reason, Rule, Settlement, Side, Sleeve, TimeInForce, decode, encode,
};

pub const MONEY: i128 = 1_000_000_000_000;
pub const ONE: i64 = 1_000_000_000;
pub const HOUR: i64 = 3_600_000_000_000;

/// Prices in hundredths, whole units.
pub fn instrument(id: &str) -> Instrument {
    Instrument {
        close_only: true,
        margin_initial: ONE / 2,
        margin_maintenance: ONE / 4,
        ..Instrument::new(id)
    }
}

pub fn difference(id: &str, kind: InstrumentKind) -> Instrument {
    Instrument {
        kind,
        settlement: Settlement::Difference,
        margin_initial: ONE / 10,
        margin_maintenance: ONE / 20,
        ..instrument(id)
    }
}

/// A pair of the currency with index 1 in the fund's, in ten-thousandths.
pub fn pair(id: &str) -> Instrument {
    Instrument {
        kind: InstrumentKind::Pair,
        settlement: Settlement::Exchange { base: 1 },
        price_precision: 4,
        ..instrument(id)
    }
}

/// A cash account with 10,000 in the fund's currency.
pub fn config(instruments: Vec<Instrument>) -> Config {
    let mut config = Config::new(
        "test",
        instruments,
        vec![Sleeve::new("one", 10_000 * MONEY)],
    );
    config.currencies.push(Currency::new("EUR", 2));
    config.limits.price_band = 900_000_000;
    config
}

pub fn on_margin(instruments: Vec<Instrument>) -> Config {
    let mut config = config(instruments);
    config.account.kind = AccountKind::Margin;
    for instrument in &mut config.instruments {
        if instrument.settlement == Settlement::Asset {
            instrument.shortable = 1_000;
        }
    }
    config
}

pub fn hedging(instruments: Vec<Instrument>) -> Config {
    let mut config = on_margin(instruments);
    config.account.positions = PositionMode::Hedging;
    config
}

pub struct Market {
    pub engine: Engine,
    pub ts: i64,
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

    pub fn try_apply(&mut self, event: Event) -> Result<Vec<Output>, EngineError> {
        self.sequence += 1;
        let input = Input {
            ts_event: self.ts,
            ts_received: self.ts,
            source: 0,
            sequence: self.sequence,
            event,
        };
        let out = self.engine.apply(&input)?;
        self.engine.audit().expect("sound books and sums");
        let snapshot = decode(&encode(&self.engine.snapshot())).expect("our own bytes");
        let restored = Engine::restore(snapshot).expect("a sound state");
        assert_eq!(restored.state_hash(), self.engine.state_hash());
        self.engine = restored;
        Ok(out)
    }

    /// Apply an input an hour later.
    pub fn apply(&mut self, event: Event) -> Vec<Output> {
        self.ts += HOUR;
        self.try_apply(event).expect("a sound input")
    }

    pub fn act(&mut self, action: Action) -> Vec<Output> {
        self.apply(Event::Action(action))
    }

    /// Closing prices by instrument, and their barrier.
    pub fn close(&mut self, prices: &[(usize, i64)]) -> Vec<Output> {
        self.ts += HOUR;
        for &(instrument, close) in prices {
            let bar = Bar {
                range: None,
                close,
                volume: None,
            };
            self.try_apply(Event::Bar { instrument, bar })
                .expect("a sound bar");
        }
        self.try_apply(Event::Barrier {
            session_start: true,
            session_end: true,
        })
        .expect("a sound barrier")
    }

    pub fn rate(&mut self, rate: i64) {
        self.apply(Event::CurrencyRate { currency: 1, rate });
    }

    pub fn end_day(&mut self, trading: bool) -> Vec<Output> {
        self.apply(Event::DayEnded { trading })
    }

    pub fn pay(&mut self, currency: usize, amount: i128) -> Vec<Output> {
        self.apply(Event::CashFlow {
            sleeve: 0,
            currency,
            amount,
        })
    }

    /// A market order: bought if positive.
    pub fn order(&mut self, instrument: usize, quantity: i64) -> Vec<Output> {
        self.apply(Event::SubmitOrder(request(instrument, quantity)))
    }

    /// A resting order at a limit.
    pub fn limit(&mut self, instrument: usize, quantity: i64, price: i64) -> Vec<Output> {
        self.apply(Event::SubmitOrder(OrderRequest {
            kind: OrderKind::Limit,
            tif: TimeInForce::Gtc,
            limit_price: Some(price),
            ..request(instrument, quantity)
        }))
    }

    pub fn quantity(&self, instrument: usize) -> i64 {
        self.engine.held(0, instrument)
    }

    /// Cash of a currency in thousandths of a cent, settled or not.
    pub fn cash(&self, currency: usize) -> i128 {
        self.engine.ledger().cash(0, currency)
    }

    pub fn equity(&self) -> i128 {
        self.engine.equity().expect("an equity that fits")
    }
}

pub fn request(instrument: usize, quantity: i64) -> OrderRequest {
    let side = if quantity > 0 { Side::Buy } else { Side::Sell };
    OrderRequest::new(
        0,
        instrument,
        side,
        quantity.abs(),
        OrderKind::Market,
        TimeInForce::Day,
    )
}

pub fn on_leg(instrument: usize, quantity: i64, leg: Leg) -> Event {
    Event::SubmitOrder(OrderRequest {
        leg,
        ..request(instrument, quantity)
    })
}

pub fn rejected_by(out: &[Output]) -> Option<Rule> {
    out.iter().find_map(|output| match output {
        Output::OrderRejected { rule, .. } => Some(*rule),
        _ => None,
    })
}

pub fn cancelled(out: &[Output]) -> Vec<(u64, Reason)> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderCancelled { order, reason, .. } => Some((*order, *reason)),
            _ => None,
        })
        .collect()
}

pub fn fills(out: &[Output]) -> Vec<Fill> {
    out.iter()
        .filter_map(|output| match output {
            Output::OrderFilled(fill) => Some(*fill),
            _ => None,
        })
        .collect()
}

pub fn postings(out: &[Output]) -> Vec<Posting> {
    out.iter()
        .filter_map(|output| match output {
            Output::Posted(posting) => Some(*posting),
            _ => None,
        })
        .collect()
}

/// Kinds and amounts of what was posted.
pub fn posted(out: &[Output]) -> Vec<(PostingKind, i128)> {
    postings(out).iter().map(|p| (p.kind, p.amount)).collect()
}
