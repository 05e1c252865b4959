//! The names of everything that has one: what codes in columns stand for, and what tests must cover.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use quantvista_engine::{
    Account, AccountKind, Action, AuctionKind, Cause, Command, Crossed, DataKind, Event, FillKind,
    FundState, InstrumentKind, Leg, Link, Liquidity, OrderKind, OrderStatus, Origin, Outcome,
    Output, PositionMode, PostingKind, RateSource, Reason, Report, RiskKind, Rule, Settlement,
    Side, SleeveState, TRANSITIONS, TimeInForce, TradingStatus, Trail, TriggerSource,
};

/// Lists of names by what they name.
pub fn names(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    macro_rules! lists {
        ($($key:literal: $type:ty),+ $(,)?) => {
            $(dict.set_item($key, <$type>::ALL.iter().map(|v| v.name()).collect::<Vec<_>>())?;)+
        };
    }
    lists! {
        "side": Side, "type": OrderKind, "tif": TimeInForce, "status": OrderStatus, "reason": Reason,
        "kind": FillKind, "liquidity": Liquidity, "outcome": Outcome, "rule": Rule,
        "posting": PostingKind, "leg": Leg, "link": Link, "origin": Origin, "account": Account,
        "fund_state": FundState, "sleeve_state": SleeveState, "cause": Cause,
        "risk_kind": RiskKind, "data_kind": DataKind, "trading_status": TradingStatus,
        "auction_kind": AuctionKind, "account_kind": AccountKind,
        "position_mode": PositionMode, "instrument_kind": InstrumentKind,
        "trigger_source": TriggerSource, "crossed": Crossed,
    }
    let cutting: Vec<_> = Rule::CUTTING.iter().map(|rule| rule.name()).collect();
    dict.set_item("cutting_rule", cutting)?;
    dict.set_item("settlement", Settlement::NAMES)?;
    dict.set_item("rate_source", RateSource::NAMES)?;
    dict.set_item("trail", Trail::NAMES)?;
    dict.set_item("event", Event::NAMES)?;
    dict.set_item("output", Output::NAMES)?;
    dict.set_item("report", Report::NAMES)?;
    dict.set_item("action", Action::NAMES)?;
    dict.set_item("command", Command::NAMES)?;
    Ok(dict)
}

/// Every change of an order's status that there is, as pairs of names.
pub fn transitions() -> Vec<(&'static str, &'static str)> {
    TRANSITIONS
        .iter()
        .map(|(from, to)| (from.name(), to.name()))
        .collect()
}

/// Which kind of order may have which time in force on which data, by name, and the rule that
/// refuses it, if one does.
pub fn order_matrix() -> Vec<(
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
)> {
    quantvista_engine::matrix()
        .iter()
        .map(|cell| {
            (
                cell.kind.name(),
                cell.tif.name(),
                cell.data.name(),
                cell.refused_by.map(quantvista_engine::Rule::name),
            )
        })
        .collect()
}
