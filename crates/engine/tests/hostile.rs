//! Inputs of every kind from dice that do not care what makes sense: whatever comes, the engine
//! does not panic, refuses without changing, keeps its books and its running sums, survives the
//! trip through bytes, and does not grow beyond what it was given.
//!
//! Each input is rolled from one number, so that a failure shrinks to few of them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use quantvista_engine::*;

const MONEY: i128 = 1_000_000_000_000;
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const INSTRUMENTS: usize = 8;

/// A stream of numbers from one seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = splitmix64(self.0);
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())].clone()
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below((high - low).unsigned_abs())).unwrap()
    }

    /// Mostly a price near 1000, now and then anything at all.
    fn price(&mut self) -> i64 {
        match self.below(60) {
            0 => i64::from_ne_bytes(self.roll().to_ne_bytes()),
            1 => self.between(-5, 5),
            2 => self.pick(&[i64::MIN, i64::MAX, i64::MIN + 1, 1 << 40]),
            3..10 => self.between(500, 1_500),
            _ => self.between(970, 1_030),
        }
    }

    fn size(&mut self) -> i64 {
        match self.below(60) {
            0 => i64::from_ne_bytes(self.roll().to_ne_bytes()),
            1 => self.pick(&[i64::MIN, i64::MAX, 0, -1]),
            2..6 => self.between(0, 100_000),
            _ => self.between(1, 300),
        }
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.one_in(5)).then(|| value(self))
    }

    fn instrument(&mut self) -> usize {
        if self.one_in(100) {
            99
        } else {
            self.index(INSTRUMENTS)
        }
    }

    fn sleeve(&mut self) -> usize {
        if self.one_in(100) { 99 } else { self.index(2) }
    }

    fn side(&mut self) -> Side {
        self.pick(Side::ALL)
    }

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

    fn ratio(&mut self) -> i64 {
        if self.one_in(20) {
            self.price()
        } else {
            self.between(1, 12)
        }
    }

    fn action(&mut self) -> Action {
        let (instrument, into) = (self.instrument(), self.instrument());
        let (numerator, denominator) = (self.ratio(), self.ratio());
        let into_price = self.maybe(Self::price);
        match self.below(9) {
            0 => Action::Split {
                instrument,
                numerator,
                denominator,
            },
            1 => Action::CashDividend {
                instrument,
                amount: i128::from(self.price()) * MONEY / 1_000,
            },
            2 => Action::StockDividend {
                instrument,
                numerator,
                denominator,
            },
            3 => Action::SymbolChange {
                instrument,
                symbol: format!("NEW{}.XSIM", self.below(3)),
            },
            4 => Action::MergerCash {
                instrument,
                price: self.price(),
            },
            5 => Action::MergerStock {
                instrument,
                into,
                numerator,
                denominator,
                cash: i128::from(self.size()) * MONEY,
                into_price,
            },
            6 => Action::SpinOff {
                instrument,
                into,
                numerator,
                denominator,
                cost_share: self.between(-1, 1_000_000_002),
                into_price,
            },
            7 => Action::Delisting {
                instrument,
                price: self.maybe(Self::price),
            },
            _ => Action::Precision {
                instrument,
                price_precision: self.pick(&[0, 2, 3, 4, 9, 200]),
                quantity_precision: self.pick(&[0, 1, 2, 9]),
                tick_size: self.ratio(),
                lot_size: self.ratio(),
            },
        }
    }

    fn command(&mut self) -> Command {
        match self.below(8) {
            0 => Command::Halt,
            1 => Command::Reduce,
            2 => Command::Flatten,
            3 => Command::Sleeve {
                sleeve: self.sleeve(),
                state: self.pick(SleeveState::ALL),
            },
            4 => Command::ChangeLimit {
                name: self
                    .pick(&["gross_max", "position_max", "nonsense"])
                    .to_owned(),
                value: self.maybe(|dice| i128::from(dice.price()) * 1_000_000),
            },
            _ => Command::Resume,
        }
    }

    fn bar(&mut self) -> Bar {
        let (open, up, down) = (self.price(), self.between(0, 30), self.between(0, 30));
        let (high, low) = (open.saturating_add(up), open.saturating_sub(down));
        let close = low.saturating_add(self.between(0, up + down + 1)).min(high);
        let range = (!self.one_in(30)).then_some([open, high, low]);
        Bar {
            range,
            close,
            volume: self.maybe(Self::size),
        }
    }

    /// Any event but those of bars, which come in rows.
    fn event(&mut self, ts: i64) -> Event {
        match self.below(9) {
            0..2 => self.account_event(ts),
            2..6 => self.market_event(),
            _ => self.order_event(ts),
        }
    }

    /// What people, companies and statistics do.
    fn account_event(&mut self, ts: i64) -> Event {
        let instrument = self.instrument();
        match self.below(11) {
            0 if self.one_in(3) => Event::Operator(self.command()),
            1 => Event::CashFlow {
                sleeve: self.sleeve(),
                currency: self.index(3),
                amount: i128::from(self.between(-2_000, 2_000)) * MONEY,
            },
            2 if self.one_in(3) => Event::Action(self.action()),
            3 if self.one_in(30) => Event::InstrumentEnded {
                instrument,
                price: self.maybe(Self::price),
            },
            4 => Event::CurrencyRate {
                currency: self.index(4),
                rate: self.between(-1, 3_000_000_000_000),
            },
            5 => Event::InterestRates {
                currency: self.index(4),
                credit_rate: self.between(-1, 90_000_000),
                debit_rate: self.between(-1, 90_000_000),
            },
            6 => Event::ShortTerms {
                instrument,
                shortable: self.size(),
                borrow_rate: self.between(-1, 90_000_000),
            },
            7 => Event::RiskFigure(RiskFigure {
                kind: self.pick(RiskKind::ALL),
                instrument: self.maybe(Self::instrument),
                value: self.price(),
                expires_at: ts.saturating_add(self.between(-SECOND, 5 * DAY)),
            }),
            8 => Event::Scenarios(Scenarios {
                instrument,
                returns: (0..self.pick(&[20, 20, 20, 3]))
                    .map(|_| i32::try_from(self.between(-90_000_000, 90_000_000)).unwrap())
                    .collect(),
                expires_at: ts.saturating_add(self.between(-SECOND, 5 * DAY)),
            }),
            9 => Event::Funding {
                instrument,
                rate: self.between(-2_000_000, 2_000_000),
            },
            _ => Event::DayEnded {
                trading: !self.one_in(3),
            },
        }
    }

    /// What the market does.
    fn market_event(&mut self) -> Event {
        let instrument = self.instrument();
        match self.below(17) {
            0 => Event::Status {
                instrument,
                status: self.pick(TradingStatus::ALL),
            },
            1..7 => {
                let bid = self.price();
                Event::Quote {
                    instrument,
                    quote: Quote {
                        bid: self.maybe(|_| bid),
                        bid_size: self.maybe(Self::size),
                        ask: self.maybe(|dice| bid.saturating_add(dice.between(-2, 8))),
                        ask_size: self.maybe(Self::size),
                    },
                }
            }
            7..10 => Event::Trade {
                instrument,
                trade: Tick {
                    price: self.price(),
                    size: self.size(),
                    aggressor: self.maybe(Self::side),
                },
            },
            10..13 => Event::BookLevel {
                instrument,
                level: BookLevel {
                    side: self.side(),
                    price: self.price(),
                    size: self.size(),
                    more: self.one_in(3),
                },
            },
            13 => Event::BookCleared {
                instrument,
                more: self.one_in(2),
            },
            14..16 => Event::BookOrder {
                instrument,
                order: BookOrder {
                    id: self.below(30),
                    side: self.side(),
                    price: self.price(),
                    size: self.size(),
                    more: self.one_in(3),
                },
            },
            _ => Event::Auction {
                instrument,
                auction: Auction {
                    kind: self.pick(AuctionKind::ALL),
                    price: self.price(),
                    volume: self.maybe(Self::size),
                },
            },
        }
    }

    /// What strategies ask for.
    fn order_event(&mut self, ts: i64) -> Event {
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

/// What one number stands for: a row of bars with its barrier, or one event.
fn inputs(seed: u64, ts: &mut i64, sequence: &mut u64) -> Vec<Input> {
    let mut dice = Dice(seed);
    *ts = ts.saturating_add(dice.pick(&[1, 1_000, SECOND, 60 * SECOND, DAY / 3]));
    let mut events = Vec::new();
    if dice.one_in(6) {
        for instrument in 0..3 {
            if dice.one_in(8) {
                events.push(Event::BarMissing { instrument });
            } else {
                let mut bar = dice.bar();
                if instrument == 1 && !dice.one_in(30) {
                    bar.range = None;
                }
                events.push(Event::Bar { instrument, bar });
            }
        }
        let session_start = dice.one_in(3);
        events.push(Event::Barrier {
            session_start,
            session_end: dice.one_in(3),
        });
    } else {
        events.push(dice.event(*ts));
    }
    events
        .into_iter()
        .map(|event| {
            *sequence += 1;
            let source = u32::try_from(dice.below(2)).unwrap();
            Input {
                ts_event: *ts,
                ts_received: *ts,
                source,
                sequence: *sequence,
                event,
            }
        })
        .collect()
}

fn instrument(index: usize, is_cash: bool, days: u8, dice: &mut Dice) -> Instrument {
    let matching = [
        DataKind::Bars,
        DataKind::Bars,
        DataKind::Bars,
        DataKind::Quotes,
        DataKind::Trades,
        DataKind::L2,
        DataKind::L3,
        DataKind::Quotes,
    ][index];
    let (kind, settlement) = match index {
        2 if !is_cash => (InstrumentKind::Future, Settlement::Difference),
        5 if !is_cash => (InstrumentKind::Perpetual, Settlement::Difference),
        7 => (InstrumentKind::Pair, Settlement::Exchange { base: 1 }),
        _ => (InstrumentKind::Equity, Settlement::Asset),
    };
    Instrument {
        id: format!("I{index}.XSIM"),
        currency: [0, 0, 0, 0, 1, 0, 2, 0][index],
        kind,
        settlement,
        matching,
        venue: index % 2,
        price_precision: if index == 7 { 3 } else { 2 },
        quantity_precision: if index == 7 { 2 } else { 0 },
        tick_size: dice.pick(&[1, 1, 5]),
        lot_size: dice.pick(&[1, 1, 10]),
        multiplier: if kind == InstrumentKind::Future { 5 } else { 1 },
        sector: ["mines", "banks"][index % 2].to_owned(),
        effective_from: None,
        effective_to: None,
        close_only: index == 1,
        has_auctions: index >= 3 && dice.one_in(2),
        negative_prices: kind == InstrumentKind::Future && dice.one_in(2),
        margin_initial: 200_000_000,
        margin_maintenance: 100_000_000,
        shortable: if is_cash || settlement != Settlement::Asset {
            0
        } else {
            dice.pick(&[0, 500, 1_000_000])
        },
        borrow_rate: if is_cash || settlement != Settlement::Asset {
            0
        } else {
            30_000_000
        },
        settlement_days: if settlement == Settlement::Asset {
            days
        } else {
            0
        },
        expiry: (kind == InstrumentKind::Future).then_some(40 * DAY),
        average_volume: Some(100_000),
        volatility: Some(20_000_000),
    }
}

fn venue(id: &str, dice: &mut Dice) -> Venue {
    Venue {
        id: id.to_owned(),
        fee: FeeModel {
            tiers: vec![
                FeeTier {
                    volume_from: 0,
                    maker: 100_000,
                    taker: 500_000,
                },
                FeeTier {
                    volume_from: 50_000 * MONEY,
                    maker: 50_000,
                    taker: 400_000,
                },
            ],
            per_unit: dice.pick(&[0, MONEY / 100]),
            minimum: dice.pick(&[0, MONEY]),
            window_days: 30,
        },
        slippage: SlippageModel {
            rate: dice.pick(&[0, 200_000]),
            ticks: dice.between(0, 2),
        },
        limit_fill_on_touch: dice.one_in(2),
        participation_max: None,
        on_close_cutoff_ns: 0,
        impact: dice.one_in(3).then_some(ImpactModel {
            coefficient: 100_000_000,
            half_life_ns: 60 * SECOND,
        }),
        latency: if dice.one_in(2) {
            LatencyModel::default()
        } else {
            LatencyModel {
                submit_ns: 2_000,
                amend_ns: 3_000,
                cancel_ns: 1_000,
                jitter_ns: SECOND,
            }
        },
    }
}

fn limits(dice: &mut Dice) -> Limits {
    let breaker = |dice: &mut Dice, limit, window_ns| {
        dice.one_in(2).then(|| Breaker {
            limit,
            window_ns,
            state: dice.pick(&[FundState::ReduceOnly, FundState::Halted]),
        })
    };
    let breakers = Breakers {
        drawdown: breaker(dice, 300_000_000, 0),
        day_loss: breaker(dice, 200_000_000, 0),
        rejects: breaker(dice, 30, DAY),
        dislocation: breaker(dice, 400_000_000, 60 * SECOND),
        order_rate: breaker(dice, 200, DAY),
    };
    Limits {
        gross_max: dice.one_in(3).then_some(3_000_000_000),
        weight_max: dice.one_in(3).then_some(500_000_000),
        leverage_max: dice.one_in(3).then_some(4_000_000_000),
        net_max: dice.one_in(3).then_some(2_000_000_000),
        order_rate: dice.one_in(4).then_some(OrderRate {
            count: 50,
            window_ns: 60 * SECOND,
        }),
        duplicate_window_ns: dice.one_in(4).then_some(SECOND),
        self_trade: dice.one_in(2),
        value_at_risk: dice.one_in(3).then_some(ValueAtRisk {
            scenarios: 20,
            confidence: 900_000_000,
            max: Some(200_000_000),
            step_max: None,
        }),
        crossed: dice.pick(Crossed::ALL),
        breakers,
        ..Limits::default()
    }
}

fn config(seed: u64) -> Config {
    let mut dice = Dice(seed);
    let is_cash = dice.one_in(3);
    let trade_on_unsettled = dice.one_in(2);
    // Money that may be used before it settles must settle at one time.
    let days = if trade_on_unsettled {
        0
    } else {
        dice.pick(&[0, 2])
    };
    let currency = |code: &str, precision| Currency {
        code: code.to_owned(),
        precision,
        source: RateSource::Input,
        credit_rate: 20_000_000,
        debit_rate: 60_000_000,
    };
    Config {
        semantics: SEMANTICS_SUPPORTED,
        fund: "hostile".to_owned(),
        epoch: 1,
        seed,
        currencies: vec![currency("USD", 2), currency("BTC", 8), currency("JPY", 0)],
        account: AccountModel {
            kind: if is_cash {
                AccountKind::Cash
            } else {
                AccountKind::Margin
            },
            positions: if is_cash {
                PositionMode::Netting
            } else {
                dice.pick(PositionMode::ALL)
            },
            trade_on_unsettled,
        },
        instruments: (0..INSTRUMENTS)
            .map(|index| instrument(index, is_cash, days, &mut dice))
            .collect(),
        sleeves: ["a", "b"]
            .map(|id| Sleeve {
                id: id.to_owned(),
                cash: 50_000 * MONEY,
                balances: vec![(1, 3 * MONEY)],
                limits: SleeveLimits::default(),
            })
            .into(),
        venues: vec![venue("one", &mut dice), venue("two", &mut dice)],
        limits: limits(&mut dice),
    }
}

/// The same cases everywhere, so that a failure is a change of the code; `QV_RANDOM=1` looks for more.
fn settings() -> ProptestConfig {
    let is_random = std::env::var_os("QV_RANDOM").is_some();
    ProptestConfig {
        cases: if is_random { 5_000 } else { 200 },
        rng_seed: if is_random {
            RngSeed::Random
        } else {
            RngSeed::Fixed(11)
        },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn whatever_comes_the_engine_stays_whole(seed in any::<u64>(), rolls in vec(any::<u64>(), 1..250)) {
        let mut engine = Engine::new(config(seed)).unwrap();
        let (mut ts, mut sequence) = (DAY, 0);
        for roll in rolls {
            for input in inputs(roll, &mut ts, &mut sequence) {
                let decoded: Input = decode(&encode(&input)).unwrap();
                prop_assert_eq!(&decoded, &input);
                let before = engine.state_hash();
                match engine.apply(&input) {
                    Ok(outputs) => {
                        for output in &outputs {
                            let decoded: Output = decode(&encode(output)).unwrap();
                            prop_assert_eq!(&decoded, output);
                        }
                        if let Err(error) = engine.audit() {
                            prop_assert!(false, "{error} after {input:?}");
                        }
                    }
                    Err(error) if error.is_fatal() => {
                        prop_assert!(engine.apply(&input).is_err());
                        return Ok(());
                    }
                    Err(error) => prop_assert_eq!(
                        engine.state_hash(), before, "refusing {:?} with {} changed the state", input, error
                    ),
                }
                let kind = engine.config().account.kind;
                for sleeve in 0..2 {
                    for currency in 0..3 {
                        let cash = engine.ledger().cash(sleeve, currency);
                        prop_assert!(kind == AccountKind::Margin || cash >= 0, "{cash} after {input:?}");
                    }
                }
            }
        }
        let bytes = encode(&engine.snapshot());
        let snapshot: Snapshot = decode(&bytes).unwrap();
        let restored = Engine::restore(snapshot).unwrap();
        prop_assert_eq!(restored.state_hash(), engine.state_hash());
    }

    #[test]
    fn bytes_that_decode_are_taken_or_refused(seed in any::<u64>(), noise in vec(any::<u8>(), 0..300), place in any::<prop::sample::Index>()) {
        // Past the head and its hash, MessagePack itself must hold against anything.
        for value in [encode(&Input { ts_event: 0, ts_received: 0, source: 0, sequence: 0, event: Event::Barrier { session_start: true, session_end: true } }), encode(&config(seed))] {
            let mut damaged = value.clone();
            let at = place.index(damaged.len());
            damaged.splice(at.., noise.iter().copied());
            let head: Vec<u8> = damaged.iter().copied().take(4).collect();
            let body = damaged.get(12..).unwrap_or_default();
            let whole = [head.as_slice(), &blake3::hash(body).as_bytes()[..8], body].concat();
            let _ = decode::<Input>(&whole);
            if let Ok(config) = decode::<Config>(&whole) {
                let _ = Engine::new(config);
            }
            let _ = decode::<Snapshot>(&whole).map(Engine::restore);
        }
    }
}
