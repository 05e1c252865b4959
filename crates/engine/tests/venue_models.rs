//! Slippage, impact, fees and latency of a venue: `docs/engine/matching.md`, sections 10 to 12.

mod single;

use quantvista_engine::Liquidity::Taker;
use quantvista_engine::Side::{Buy, Sell};
use quantvista_engine::{
    DataKind, Engine, EngineError, Event, FeeModel, FeeTier, ImpactModel, LatencyModel, Output,
    Reason, SlippageModel,
};
use single::{MONEY, Run, cancels, config, fills, limit, order, quote, short};

#[test]
fn slippage_and_impact_make_takers_pay_and_slices_cost_like_the_whole() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].slippage = SlippageModel { rate: 0, ticks: 1 };
    config.venues[0].impact = Some(ImpactModel {
        coefficient: 1_000_000_000,
        half_life_ns: 1_000_000_000,
    });
    config.instruments[0].volatility = Some(20_000_000);
    config.instruments[0].average_volume = Some(1_000_000);
    let mut whole = Run::new(config.clone());
    whole.quote((9_900, 20_000), (10_000, 20_000));
    let out = whole.submit(order(Buy, 10_000));
    // A hundredth of the volume: a tenth of 2 %, and a tick.
    assert_eq!(short(&out), [(1, 10_021, 10_000, Taker)]);
    let mut sliced = Run::new(config);
    sliced.quote((9_900, 20_000), (10_000, 20_000));
    let first = short(&sliced.submit(order(Buy, 5_000)));
    assert!(first[0].1 < 10_021);
    let second = short(&sliced.submit(order(Buy, 5_000)));
    assert_eq!(second[0].1, 10_021);
    let back = sliced.submit(order(Sell, 5_000));
    assert_eq!(
        short(&back)[0].1,
        9_899,
        "no impact on the way back, and no gain"
    );
    assert_eq!(fills(&back)[0].slippage, MONEY / 100 * 5_000);
}

#[test]
fn fees_know_makers_takers_shares_minimum_and_tiers() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].fee = FeeModel {
        tiers: vec![
            FeeTier {
                volume_from: 0,
                maker: 100_000,
                taker: 1_000_000,
            },
            FeeTier {
                volume_from: 500 * MONEY,
                maker: 0,
                taker: 500_000,
            },
        ],
        per_unit: MONEY / 100,
        minimum: MONEY / 2,
        window_days: 1,
    };
    let mut run = Run::new(config);
    run.quote((9_900, 5), (10_000, 5));
    let fee = |out: &[Output]| fills(out)[0].fee;
    // 0.5 + 0.05, then nothing more than the schedule: 0.2 + 0.02 on top.
    let first = run.submit(order(Buy, 7));
    assert_eq!(fee(&first), 55 * MONEY / 100);
    let second = run.quote((9_900, 5), (10_000, 5));
    assert_eq!(fee(&second), 22 * MONEY / 100);
    run.submit(limit(Sell, 5, 10_050));
    let third = run.quote((10_050, 5), (10_100, 5));
    assert_eq!(fee(&third), MONEY / 2, "the minimum of an order");
    run.next(Event::DayEnded { trading: true });
    run.quote((9_900, 50), (10_000, 50));
    assert_eq!(fee(&run.submit(order(Buy, 20))), 120 * MONEY / 100);
}

#[test]
fn commands_take_their_time_and_do_not_overtake() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].latency = LatencyModel {
        submit_ns: 10,
        amend_ns: 10,
        cancel_ns: 2,
        jitter_ns: 0,
    };
    let mut run = Run::new(config);
    run.quote((9_900, 5), (10_000, 5));
    let out = run.submit(limit(Buy, 2, 9_950));
    assert!(matches!(out[0], Output::OrderSubmitted(_)));
    run.next(Event::CancelOrder { order: 1 });
    run.ts += 20;
    let out = run.now(Event::Quote {
        instrument: 0,
        quote: quote((9_900, 5), (9_950, 5)),
    });
    assert!(matches!(&out[0], Output::OrderAccepted(order) if order.arrival == 12));
    assert_eq!(cancels(&out), [(1, Reason::Requested)]);
    assert_eq!(short(&out), [], "it was gone before the quote");
    run.submit(order(Buy, 2));
    let out = run.quote((9_900, 5), (9_800, 5));
    assert_eq!(short(&out), [], "still on its way");
    run.ts += 20;
    let out = run.quote((9_700, 5), (9_750, 5));
    assert_eq!(
        short(&out),
        [(2, 9_750, 2, Taker)],
        "it came to a crossed market, and waited"
    );
    assert_eq!(run.engine.transit_count(), 0);
}

#[test]
fn random_latency_is_the_same_for_the_same_seed() {
    let arrivals = |seed| {
        let mut config = config(DataKind::Quotes);
        config.seed = seed;
        config.venues[0].latency.jitter_ns = 1_000;
        let mut run = Run::new(config);
        run.quote((9_900, 5), (10_000, 5));
        let mut found = Vec::new();
        for _ in 0..5 {
            for output in run.submit(limit(Buy, 1, 9_000)) {
                if let Output::OrderSubmitted(order) = output {
                    found.push(order.arrival - order.ts);
                }
            }
        }
        found
    };
    assert_eq!(arrivals(1), arrivals(1));
    assert_ne!(arrivals(1), arrivals(2));
}

#[test]
fn a_model_without_its_data_is_refused_by_name() {
    let mut config = config(DataKind::Quotes);
    config.venues[0].impact = Some(ImpactModel {
        coefficient: 1,
        half_life_ns: 1,
    });
    config.instruments[0].volatility = Some(1);
    let refused = Engine::new(config.clone()).err();
    let said =
        matches!(refused, Some(EngineError::Config(text)) if text.contains("average_volume"));
    assert!(said);
    config.instruments[0].average_volume = Some(1);
    assert!(Engine::new(config).is_ok());
}
