//! Cash accounts: currencies, exchanges, what may be spent, deposits and withdrawals.

use quantvista_engine::{
    Account, Breaker, Command, Config, Crossed, Event, FundState, Output, PostingKind, RateSource,
    Reason, Rule, Scenarios, Settlement, SleeveState, ValueAtRisk,
};

use crate::market::*;

fn in_euros(id: &str) -> quantvista_engine::Instrument {
    quantvista_engine::Instrument {
        currency: 1,
        ..instrument(id)
    }
}

fn with_euros(mut config: Config, amount: i128) -> Config {
    config.sleeves[0].balances = vec![(1, amount * MONEY)];
    config
}

#[test]
fn each_currency_pays_for_itself() {
    let mut market = Market::new(with_euros(config(vec![in_euros("a")]), 1_000));
    market.rate(1_100_000_000_000);
    market.close(&[(0, 10_000)]);
    assert_eq!(rejected_by(&market.order(0, 11)), Some(Rule::Cash));
    market.order(0, 10);
    market.close(&[(0, 10_000)]);
    assert_eq!((market.cash(0), market.cash(1)), (10_000 * MONEY, 0));
    assert_eq!(market.equity(), 11_100 * MONEY);
    market.close(&[(0, 9_999)]);
    assert_eq!(market.equity(), 10_000 * MONEY + 1_099_890_000_000_000);
    market.rate(1_000_000_000_000);
    assert_eq!(market.equity(), 10_999_900_000_000_000);
}

#[test]
fn a_currency_without_a_rate_takes_no_new_risk() {
    let mut market = Market::new(with_euros(config(vec![instrument("a")]), 1));
    market.close(&[(0, 100)]);
    assert_eq!(rejected_by(&market.order(0, 1)), Some(Rule::NoRate));
    let refused = market.pay(0, -MONEY);
    assert!(matches!(
        refused[..],
        [Output::CashFlowRejected { available: 0, .. }]
    ));
    market.rate(1_000_000_000_000);
    assert_eq!(rejected_by(&market.order(0, 1)), None);
}

#[test]
fn exchanges_swap_two_currencies_and_never_overdraw_either() {
    let mut market = Market::new(config(vec![pair("EUR-USD")]));
    market.rate(1_250_000_000_000);
    market.close(&[(0, 12_500)]);
    assert_eq!(rejected_by(&market.order(0, -1)), Some(Rule::Cash));
    assert_eq!(rejected_by(&market.order(0, 8_001)), Some(Rule::Cash));
    market.order(0, 4_000);
    market.close(&[(0, 12_500)]);
    assert_eq!(
        (market.cash(0), market.cash(1)),
        (5_000 * MONEY, 4_000 * MONEY)
    );
    assert_eq!(market.quantity(0), 4_000);
    assert_eq!(market.equity(), 10_000 * MONEY);
    let ledger = market.engine.ledger();
    assert_eq!(ledger.balance(0, 1, Account::Clearing), -4_000 * MONEY);
    assert_eq!(ledger.balance(0, 0, Account::Clearing), 5_000 * MONEY);
    // What one sale gives away is not there for the next.
    market.limit(0, -3_000, 13_000);
    assert_eq!(rejected_by(&market.order(0, -1_001)), Some(Rule::Cash));
    market.order(0, -1_000);
    market.close(&[(0, 12_500)]);
    assert_eq!(
        (market.cash(0), market.cash(1)),
        (6_250 * MONEY, 3_000 * MONEY)
    );
}

#[test]
fn rates_follow_the_marks_of_pairs() {
    let mut inverse = pair("USD-EUR");
    inverse.settlement = Settlement::Exchange { base: 0 };
    inverse.currency = 1;
    for (listed, inverse, mark, expected) in [
        (pair("EUR-USD"), false, 12_345, 1_234_500_000_000_i128),
        (inverse, true, 8_000, 1_250_000_000_000),
        (
            pair("EUR-USD"),
            false,
            150_000_000_000,
            15_000_000_000_000_000_000,
        ),
    ] {
        let mut config = with_euros(config(vec![listed]), 1);
        config.currencies[1].source = RateSource::Pair {
            instrument: 0,
            inverse,
        };
        let mut market = Market::new(config);
        market.close(&[(0, mark)]);
        assert_eq!(market.equity(), 10_000 * MONEY + expected);
        let set = market.try_apply(Event::CurrencyRate {
            currency: 1,
            rate: 1,
        });
        assert!(set.is_err(), "its pair says it");
    }
}

#[test]
fn owed_money_is_gone_and_proceeds_come_with_their_day() {
    let mut listed = instrument("a");
    listed.settlement_days = 2;
    let mut config = config(vec![listed]);
    config.account.trade_on_unsettled = false;
    let mut market = Market::new(config);
    market.close(&[(0, 10_000)]);
    market.order(0, 60);
    market.close(&[(0, 10_000)]);
    assert_eq!(market.engine.ledger().settled(0, 0), 10_000 * MONEY);
    assert_eq!(market.cash(0), 4_000 * MONEY);
    assert_eq!(rejected_by(&market.order(0, 41)), Some(Rule::Cash));
    market.order(0, -60);
    market.close(&[(0, 10_000)]);
    assert_eq!(market.cash(0), 10_000 * MONEY);
    assert_eq!(rejected_by(&market.order(0, 41)), Some(Rule::Cash));
    assert_eq!(posted(&market.end_day(true)), []);
    assert_eq!(posted(&market.end_day(false)), []);
    assert_eq!(rejected_by(&market.order(0, 41)), Some(Rule::Cash));
    // The purchase and the sale are of one day: they settle net.
    assert_eq!(posted(&market.end_day(true)), []);
    assert_eq!(market.engine.ledger().settled(0, 0), 10_000 * MONEY);
    assert_eq!(rejected_by(&market.order(0, 100)), None);
}

#[test]
fn proceeds_may_be_spent_at_once_where_the_account_lends_them() {
    let mut listed = instrument("a");
    listed.settlement_days = 1;
    let mut market = Market::new(config(vec![listed]));
    market.close(&[(0, 10_000)]);
    market.order(0, 100);
    market.close(&[(0, 10_000)]);
    market.end_day(true);
    market.order(0, -100);
    market.close(&[(0, 11_000)]);
    assert_eq!(market.cash(0), 11_000 * MONEY);
    assert_eq!(market.engine.ledger().settled(0, 0), 0);
    let refused = market.pay(0, -1);
    assert!(matches!(
        refused[..],
        [Output::CashFlowRejected { available: 0, .. }]
    ));
    market.order(0, 100);
    market.close(&[(0, 11_000)]);
    assert_eq!(market.quantity(0), 100);
    assert_eq!(posted(&market.end_day(true)), []);
    assert_eq!(market.engine.ledger().settled(0, 0), 0);
}

#[test]
fn deposits_and_withdrawals_are_capital() {
    let mut market = Market::new(config(vec![instrument("a")]));
    market.close(&[(0, 10_000)]);
    market.order(0, 50);
    market.close(&[(0, 12_000)]);
    let paid = postings(&market.pay(0, 500 * MONEY));
    assert_eq!(paid[0].kind, PostingKind::Deposit);
    assert_eq!(paid[0].equity, Some(10_000 * MONEY));
    market.close(&[(0, 10_000)]);
    market.limit(0, 10, 9_000);
    // 4,500 in cash, of which a resting buy reserves 900.
    let refused = market.pay(0, -3_601 * MONEY);
    assert_eq!(
        refused,
        [Output::CashFlowRejected {
            ts: market.ts,
            sleeve: 0,
            currency: 0,
            amount: -3_601 * MONEY,
            available: 3_600 * MONEY,
        }]
    );
    let taken = postings(&market.pay(0, -3_600 * MONEY));
    assert_eq!(taken[0].kind, PostingKind::Withdrawal);
    let capital = market.engine.ledger().balance(0, 0, Account::Capital);
    assert_eq!(capital, -(10_000 + 500 - 3_600) * MONEY);
    let nothing = Event::CashFlow {
        sleeve: 0,
        currency: 0,
        amount: 0,
    };
    assert!(market.try_apply(nothing).is_err());
}

#[test]
fn a_price_that_rose_is_cut_to_the_cash_there_is() {
    let mut market = Market::new(with_euros(config(vec![in_euros("a")]), 1_000));
    market.rate(1_000_000_000_000);
    market.close(&[(0, 10_000)]);
    let order = market.order(0, 10);
    assert_eq!(rejected_by(&order), None);
    let out = market.close(&[(0, 12_000)]);
    assert_eq!(fills(&out)[0].quantity, 8);
    assert_eq!(cancelled(&out), [(1, Reason::Cash)]);
    assert_eq!(market.cash(1), 40 * MONEY);
}

type Change = fn(&mut Config);

#[test]
fn configurations_without_sense_are_refused_by_name() {
    let sound = || config(vec![instrument("a"), pair("b")]);
    let broken: [(&str, Change); 12] = [
        ("margin account for hedging", |c| {
            c.account.positions = quantvista_engine::PositionMode::Hedging;
        }),
        ("credit_rate", |c| c.currencies[1].credit_rate = -1),
        ("source of currency EUR", |c| {
            c.currencies[1].source = RateSource::Pair {
                instrument: 0,
                inverse: false,
            };
        }),
        ("source of currency EUR", |c| {
            c.currencies[1].source = RateSource::Pair {
                instrument: 1,
                inverse: true,
            };
        }),
        ("its kind has another settlement", |c| {
            c.instruments[0].settlement = Settlement::Difference;
        }),
        ("two of the fund's currencies", |c| {
            c.instruments[1].settlement = Settlement::Exchange { base: 0 };
        }),
        ("multiplier must be 1", |c| c.instruments[1].multiplier = 10),
        ("needs a margin account", |c| {
            c.instruments[1].settlement = Settlement::Difference;
        }),
        ("margin_maintenance", |c| {
            c.instruments[0].margin_maintenance = ONE;
        }),
        ("shortable", |c| c.instruments[0].shortable = 1),
        ("within 9 days", |c| c.instruments[0].settlement_days = 10),
        ("settlement_days of instrument b", |c| {
            c.instruments[0].settlement_days = 1;
        }),
    ];
    assert!(sound().validate().is_ok());
    for (word, change) in broken {
        let mut config = sound();
        change(&mut config);
        let error = config.validate().expect_err(word).to_string();
        assert!(error.contains(word), "{word}: {error}");
    }
    let mut debts = sound();
    debts.sleeves[0].balances = vec![(1, -1)];
    assert!(debts.validate().is_err());
}

#[test]
fn measures_stay_while_a_currency_has_no_rate() {
    let mut config = on_margin(vec![instrument("a")]);
    let fall = Breaker {
        limit: ONE / 10,
        window_ns: 0,
        state: FundState::Halted,
    };
    config.limits.breakers.day_loss = Some(fall);
    config.sleeves[0].limits.drawdown_max = Some(ONE / 10);
    let mut market = Market::new(config);
    market.close(&[(0, 10_000)]);
    market.order(0, 100);
    market.close(&[(0, 10_000)]);
    market.pay(1, MONEY);
    // A gain that nobody can tell, for a currency has no rate: nothing is measured from it.
    market.close(&[(0, 12_000)]);
    market.apply(Event::Operator(Command::Resume));
    market.apply(Event::Operator(Command::Sleeve {
        sleeve: 0,
        state: SleeveState::On,
    }));
    market.rate(1_000_000_000_000);
    let out = market.close(&[(0, 10_500)]);
    let has_changed = |output: &Output| {
        matches!(
            output,
            Output::StateChanged { .. } | Output::SleeveChanged { .. }
        )
    };
    assert!(!out.iter().any(has_changed));
    // From what it is now a tenth is too much.
    let out = market.close(&[(0, 8_900)]);
    assert_eq!(out.iter().filter(|each| has_changed(each)).count(), 2);
}

#[test]
fn a_currency_without_a_rate_takes_no_part_in_the_value_at_risk() {
    let mut config = on_margin(vec![instrument("a"), pair("b")]);
    config.limits.crossed = Crossed::ReduceOnly;
    config.limits.value_at_risk = Some(ValueAtRisk {
        scenarios: 4,
        confidence: 740_000_000,
        max: Some(ONE / 25),
        step_max: None,
    });
    let mut market = Market::new(config);
    let falls = |market: &mut Market, by: i32| {
        market.apply(Event::Scenarios(Scenarios {
            instrument: 0,
            returns: vec![-by; 4],
            expires_at: i64::MAX,
        }));
    };
    market.close(&[(0, 10_000)]);
    falls(&mut market, 10_000_000);
    assert_eq!(rejected_by(&market.order(0, 100)), None);
    market.close(&[(0, 10_000)]);
    market.pay(1, MONEY);
    falls(&mut market, 50_000_000);
    let out = market.close(&[(0, 10_000)]);
    assert!(out.iter().any(|output| matches!(
        output,
        Output::StateChanged {
            rule: Rule::ValueAtRisk,
            ..
        }
    )));
}
