//! Which configurations make sense: `docs/engine/accounts.md`, section 1.

use crate::config::{
    AccountKind, Config, Instrument, InstrumentKind, PositionMode, RateSource, Settlement,
};
use crate::error::EngineError;
use crate::numbers::{RATE_ONE, Result, add};

const SETTLEMENT_DAYS_MAX: u8 = 9;

/// # Errors
///
/// [`EngineError::Config`] saying what is wrong.
pub(crate) fn validate(config: &Config) -> Result<()> {
    let fail = |text: String| Err(EngineError::Config(text));
    if config.account.kind == AccountKind::Cash && config.account.positions == PositionMode::Hedging
    {
        return fail("needs a margin account for hedging".to_owned());
    }
    for (index, currency) in config.currencies.iter().enumerate() {
        let rates = [currency.credit_rate, currency.debit_rate];
        if rates.iter().any(|rate| !(0..=RATE_ONE).contains(rate)) {
            return fail(format!(
                "credit_rate and debit_rate of currency {} must be in [0, 1]",
                currency.code
            ));
        }
        if let Some(problem) = source_problem(config, index) {
            return fail(format!("source of currency {} {problem}", currency.code));
        }
    }
    for instrument in &config.instruments {
        if let Some(problem) =
            settlement_problem(config, instrument).or_else(|| margin_problem(config, instrument))
        {
            return fail(format!("instrument {} {problem}", instrument.id));
        }
    }
    check_settlement_days(config)?;
    for sleeve in &config.sleeves {
        let mut totals = vec![0_i128; config.currencies.len()];
        for (currency, amount) in &sleeve.balances {
            if *currency >= totals.len() || *amount < 0 {
                return fail(format!(
                    "balances of sleeve {} must be of the fund's currencies, and no debt",
                    sleeve.id
                ));
            }
            totals[*currency] = add(totals[*currency], *amount, "the starting cash")?;
        }
    }
    Ok(())
}

fn source_problem(config: &Config, currency: usize) -> Option<&'static str> {
    let RateSource::Pair {
        instrument,
        inverse,
    } = config.currencies[currency].source
    else {
        return None;
    };
    let Some(pair) = config.instruments.get(instrument) else {
        return Some("is an instrument that there is not");
    };
    let Settlement::Exchange { base } = pair.settlement else {
        return Some("must exchange it for the fund's currency");
    };
    let wanted = if inverse {
        (0, currency)
    } else {
        (currency, 0)
    };
    (currency == 0 || (base, pair.currency) != wanted)
        .then_some("must exchange it for the fund's currency, in the order that it says")
}

fn settlement_problem(config: &Config, instrument: &Instrument) -> Option<&'static str> {
    use InstrumentKind as K;
    let days = instrument.settlement_days;
    match (instrument.settlement, instrument.kind) {
        (Settlement::Asset, K::Equity | K::Etf | K::Spot) => {}
        (Settlement::Exchange { base }, K::Pair | K::Spot) => {
            if base >= config.currencies.len() || base == instrument.currency {
                return Some("must exchange two of the fund's currencies");
            }
            if instrument.multiplier != 1 || instrument.negative_prices {
                return Some("exchanges currencies: its multiplier must be 1, its prices positive");
            }
        }
        (Settlement::Difference, K::Perpetual | K::Future | K::Pair) => {
            if config.account.kind == AccountKind::Cash {
                return Some("needs a margin account");
            }
            if days != 0 {
                return Some("settles nothing later: settlement_days must be 0");
            }
        }
        _ => return Some("is not settled so: its kind has another settlement"),
    }
    (days > SETTLEMENT_DAYS_MAX).then_some("must settle within 9 days")
}

fn margin_problem(config: &Config, instrument: &Instrument) -> Option<&'static str> {
    let (initial, maintenance) = (instrument.margin_initial, instrument.margin_maintenance);
    if !(0 < maintenance && maintenance <= initial && initial <= RATE_ONE) {
        return Some("needs 0 < margin_maintenance <= margin_initial <= 1");
    }
    if !(0..=RATE_ONE).contains(&instrument.borrow_rate) || instrument.shortable < 0 {
        return Some("must have a borrow_rate in [0, 1], and no negative shortable");
    }
    let may_short =
        config.account.kind == AccountKind::Margin && instrument.settlement == Settlement::Asset;
    (instrument.shortable > 0 && !may_short)
        .then_some("may be shortable only as an asset in a margin account")
}

/// What may be spent before it is settled must settle by the time that it is paid.
fn check_settlement_days(config: &Config) -> Result<()> {
    if config.account.kind == AccountKind::Margin || !config.account.trade_on_unsettled {
        return Ok(());
    }
    let mut days = vec![None; config.currencies.len()];
    for instrument in &config.instruments {
        let base = match instrument.settlement {
            Settlement::Exchange { base } => Some(base),
            _ => None,
        };
        for currency in [Some(instrument.currency), base].into_iter().flatten() {
            let known = days[currency].get_or_insert(instrument.settlement_days);
            if *known != instrument.settlement_days {
                return Err(EngineError::Config(format!(
                    "settlement_days of instrument {} must be those of all others in its currency, or trade_on_unsettled off",
                    instrument.id
                )));
            }
        }
    }
    Ok(())
}
