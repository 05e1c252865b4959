//! The fund that the inputs come to.

use quantvista_engine::*;

use crate::dice::Dice;

pub const MONEY: i128 = 1_000_000_000_000;
pub const SECOND: i64 = 1_000_000_000;
pub const DAY: i64 = 86_400 * SECOND;
pub const INSTRUMENTS: usize = 8;

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
        ..Instrument::new(&format!("I{index}.XSIM"))
    }
}

fn venue(id: &str, dice: &mut Dice) -> Venue {
    Venue {
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
        ..Venue::new(id)
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

pub fn config(seed: u64) -> Config {
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
        credit_rate: 20_000_000,
        debit_rate: 60_000_000,
        ..Currency::new(code, precision)
    };
    let positions = dice.pick(PositionMode::ALL);
    let instruments = (0..INSTRUMENTS)
        .map(|index| instrument(index, is_cash, days, &mut dice))
        .collect();
    let sleeves = ["a", "b"].map(|id| Sleeve {
        balances: vec![(1, 3 * MONEY)],
        ..Sleeve::new(id, 50_000 * MONEY)
    });
    Config {
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
                positions
            },
            trade_on_unsettled,
        },
        venues: vec![venue("one", &mut dice), venue("two", &mut dice)],
        limits: limits(&mut dice),
        ..Config::new("hostile", instruments, sleeves.into())
    }
}
