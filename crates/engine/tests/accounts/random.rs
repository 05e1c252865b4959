//! Random lives of accounts: whatever happens, books balance, sums follow from the state, cash
//! accounts owe nothing, actions leave equity where it was, and margin calls end.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::{
    AccountKind, Action, Config, EngineError, Event, FeeModel, InstrumentKind, Leg, OrderKind,
    OrderRequest, Output, PositionMode, Side, Sleeve, TimeInForce,
};

use crate::market::*;

const EUROS: usize = 2;
const FUTURE: usize = 4;
const PERPETUAL: usize = 5;

#[derive(Debug, Clone)]
enum Step {
    /// Moves of closing prices in percent; an instrument without one has no bar.
    Close(Vec<Option<i64>>),
    Input(Event),
}

#[derive(Debug, Clone, Copy)]
struct Kind {
    on_margin: bool,
    hedges: bool,
    lends: bool,
    days: u8,
    fee: i64,
}

fn kinds() -> impl Strategy<Value = Kind> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0..4_u8,
        prop::sample::select(vec![0, 1_000_000, 30_000_000]),
    )
        .prop_map(|(on_margin, hedges, lends, days, fee)| Kind {
            on_margin,
            hedges: hedges && on_margin,
            lends,
            days,
            fee,
        })
}

fn configure(kind: Kind) -> Config {
    let mut euros = instrument("b");
    euros.currency = 1;
    euros.lot_size = 5;
    let mut dollars = instrument("a");
    dollars.borrow_rate = 50_000_000;
    let mut instruments = vec![dollars, instrument("aa"), euros, pair("c")];
    if kind.on_margin {
        let mut perpetual = difference("p", InstrumentKind::Perpetual);
        perpetual.quantity_precision = 2;
        instruments.push(difference("f", InstrumentKind::Future));
        instruments.push(perpetual);
    }
    for instrument in &mut instruments[..4] {
        instrument.settlement_days = kind.days;
    }
    let mut config = if kind.on_margin {
        on_margin(instruments)
    } else {
        config(instruments)
    };
    config.account.trade_on_unsettled = kind.lends;
    if kind.hedges {
        config.account.positions = PositionMode::Hedging;
    }
    config.venues[0].fee = FeeModel::flat(kind.fee);
    for currency in &mut config.currencies {
        (currency.credit_rate, currency.debit_rate) = (30_000_000, 60_000_000);
    }
    config.sleeves = ["one", "two"]
        .map(|id| Sleeve {
            id: id.to_owned(),
            balances: vec![(1, 3_000 * MONEY)],
            ..config.sleeves[0].clone()
        })
        .into();
    config
}

fn orders() -> impl Strategy<Value = Event> {
    (
        0..2_usize,
        0..6_usize,
        -60..80_i64,
        prop::option::weighted(0.3, 7_000..13_000_i64),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(sleeve, instrument, quantity, limit_price, closes)| {
            let quantity = if quantity == 0 { 1 } else { quantity };
            let side = if quantity > 0 { Side::Buy } else { Side::Sell };
            // Lots of five; leverage, so that margin is called.
            let quantity = match instrument {
                EUROS => 5 * quantity.abs(),
                FUTURE | PERPETUAL => 10 * quantity.abs(),
                _ => quantity.abs(),
            };
            let (kind, tif) = match limit_price {
                Some(_) => (OrderKind::Limit, TimeInForce::Gtc),
                None => (OrderKind::Market, TimeInForce::Day),
            };
            let leg = if (side == Side::Sell) == closes {
                Leg::Long
            } else {
                Leg::Short
            };
            Event::SubmitOrder(OrderRequest {
                limit_price,
                leg,
                ..OrderRequest::new(sleeve, instrument, side, quantity, kind, tif)
            })
        })
}

fn actions() -> impl Strategy<Value = Action> {
    let ratio = (1..8_i64, 1..8_i64);
    let price = prop::option::of(1..3_000_i64);
    (
        0..6_usize,
        0..3_usize,
        ratio,
        1..400_i128,
        price,
        0..16_usize,
    )
        .prop_map(
            |(any, instrument, (numerator, denominator), cents, price, which)| {
                let into = 1_usize.saturating_sub(instrument);
                let amount = cents * MONEY / 100;
                match which {
                    0..=2 => Action::Split {
                        instrument,
                        numerator,
                        denominator,
                    },
                    3 => Action::StockDividend {
                        instrument,
                        numerator,
                        denominator,
                    },
                    4..=6 => Action::CashDividend { instrument, amount },
                    7 => Action::SymbolChange {
                        instrument,
                        symbol: "NEW".to_owned(),
                    },
                    8 => Action::MergerCash {
                        instrument,
                        price: 9_000,
                    },
                    9 | 14 => Action::MergerStock {
                        instrument,
                        into,
                        numerator,
                        denominator,
                        cash: amount,
                        into_price: price,
                    },
                    10 | 15 => Action::SpinOff {
                        instrument,
                        into,
                        numerator,
                        denominator,
                        cost_share: 100_000_000,
                        into_price: price,
                    },
                    11 => Action::Delisting {
                        instrument: any,
                        price,
                    },
                    _ => Action::Precision {
                        instrument: any,
                        price_precision: 2 + u8::try_from(denominator % 2).unwrap(),
                        quantity_precision: u8::try_from(numerator % 3).unwrap(),
                        tick_size: 1,
                        lot_size: 1 + numerator % 2,
                    },
                }
            },
        )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let moves = vec(prop::option::weighted(0.9, -25..26_i64), 6);
    let flows =
        (0..2_usize, 0..2_usize, -4_000..4_000_i128).prop_map(|(sleeve, currency, amount)| {
            Event::CashFlow {
                sleeve,
                currency,
                amount: amount * MONEY,
            }
        });
    let terms = (0..2_usize, 0..300_i64).prop_map(|(instrument, shortable)| Event::ShortTerms {
        instrument,
        shortable,
        borrow_rate: 10_000_000,
    });
    let inputs = prop_oneof![
        20 => orders(),
        3 => any::<bool>().prop_map(|trading| Event::DayEnded { trading }),
        2 => actions().prop_map(Event::Action),
        2 => flows,
        1 => (8..13_i64).prop_map(|rate| Event::CurrencyRate {
            currency: 1,
            rate: rate * 100_000_000_000,
        }),
        1 => (-900_000..900_000_i64).prop_map(|rate| Event::Funding {
            instrument: PERPETUAL,
            rate,
        }),
        1 => terms,
        1 => (0..30_u64).prop_map(|order| Event::CancelOrder { order }),
    ];
    vec(
        prop_oneof![2 => moves.prop_map(Step::Close), 3 => inputs.prop_map(Step::Input)],
        20..70,
    )
}

struct Life {
    market: Market,
    kind: Kind,
}

impl Life {
    fn new(kind: Kind) -> Self {
        let mut market = Market::new(configure(kind));
        market.rate(1_000_000_000_000);
        let count = market.engine.config().instruments.len();
        let prices: Vec<_> = (0..count).map(|i| (i, 10_000)).collect();
        market.close(&prices);
        Self { market, kind }
    }

    fn count(&self) -> usize {
        self.market.engine.config().instruments.len()
    }

    fn close(&mut self, moves: &[Option<i64>]) -> Vec<Output> {
        let prices: Vec<_> = (0..self.count())
            .zip(moves)
            .filter(|(i, _)| !self.market.engine.has_ended(*i))
            .filter_map(|(i, percent)| {
                let mark = self.market.engine.mark(i)?;
                let price = mark.saturating_mul(100 + (*percent)?) / 100;
                Some((i, price.clamp(1, 10_000_000)))
            })
            .collect();
        self.market.close(&prices)
    }

    fn input(&mut self, event: &Event) -> Option<Vec<Output>> {
        self.market.ts += HOUR;
        let event = match event {
            Event::SubmitOrder(request) if !self.kind.hedges => Event::SubmitOrder(OrderRequest {
                leg: Leg::Net,
                ..*request
            }),
            event => event.clone(),
        };
        if let Event::SubmitOrder(request) = &event
            && request.instrument >= self.count()
        {
            return None;
        }
        match self.market.try_apply(event) {
            Ok(out) => Some(out),
            Err(error) => {
                assert!(!error.is_fatal(), "{error}");
                assert!(!matches!(error, EngineError::OutOfOrder { .. }));
                None
            }
        }
    }

    fn check(&self) {
        let engine = &self.market.engine;
        let (config, ledger) = (engine.config(), engine.ledger());
        let on_margin = config.account.kind == AccountKind::Margin;
        for sleeve in 0..2 {
            for currency in 0..2 {
                if !on_margin {
                    let lends = config.account.trade_on_unsettled;
                    let spendable = ledger.spendable(sleeve, currency, lends).unwrap();
                    assert!(spendable >= 0, "overdrawn by {spendable}");
                    assert!(ledger.settled(sleeve, currency) >= 0);
                    assert!(ledger.cash(sleeve, currency) >= 0);
                }
            }
            for (instrument, listed) in config.instruments.iter().enumerate() {
                for leg in 0..ledger.legs() {
                    let held = ledger.position(sleeve, instrument, leg);
                    assert_eq!(held.quantity % listed.lot_size, 0);
                    assert!(on_margin || held.quantity >= 0);
                    if self.kind.hedges {
                        assert!(if leg == 0 {
                            held.quantity >= 0
                        } else {
                            held.quantity <= 0
                        });
                    }
                    assert!(held.quantity != 0 || held.cost == 0);
                }
            }
        }
    }

    /// By how much the rounding of one mark may move equity.
    fn tolerance(&self, instrument: usize) -> i128 {
        let engine = &self.market.engine;
        let unit = engine.config().instruments[instrument].unit();
        let mut held = 0;
        for sleeve in 0..2 {
            for leg in 0..engine.ledger().legs() {
                let position = engine.ledger().position(sleeve, instrument, leg);
                held += i128::from(position.quantity).abs();
            }
        }
        // Half a price unit each, or a whole one at the least mark; a currency is worth up to 1.3.
        held * unit * 13 / 10 + 100
    }
}

fn settings() -> ProptestConfig {
    let mut config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("QV_FREE").is_none() {
        config.rng_seed = RngSeed::Fixed(20_240_401);
    }
    config
}

fn keeps_equity(event: &Event) -> Option<usize> {
    match event {
        Event::Action(
            Action::Split { instrument, .. }
            | Action::StockDividend { instrument, .. }
            | Action::CashDividend { instrument, .. }
            | Action::SpinOff { instrument, .. }
            | Action::Precision { instrument, .. },
        ) => Some(*instrument),
        _ => None,
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn accounts_stay_sound_and_calls_end(kind in kinds(), steps in steps()) {
        let mut life = Life::new(kind);
        for step in &steps {
            match step {
                Step::Close(moves) => {
                    life.close(moves);
                }
                Step::Input(event) => {
                    let before = life.market.equity();
                    let done = life.input(event).is_some();
                    if let (Some(instrument), true) = (keeps_equity(event), done) {
                        let moved = (life.market.equity() - before).abs();
                        prop_assert!(moved <= life.tolerance(instrument), "{event:?}: {moved}");
                    }
                }
            }
            life.check();
        }
        // At prices that stand still the last call is soon behind.
        let still = vec![Some(0); 6];
        for _ in 0..8 {
            life.close(&still);
        }
        let out = life.close(&still);
        let calls = out.iter().filter(|output| matches!(output, Output::MarginCalled { .. }));
        prop_assert_eq!(calls.count(), 0);
        life.check();
    }
}
