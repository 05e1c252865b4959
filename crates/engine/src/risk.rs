//! Figures from statistics and commands of people, as inputs; the fund's and the sleeves' states.

use serde::{Deserialize, Serialize};

use crate::order::{kinds, named};

named!(
    /// What the fund as a whole may do.
    FundState { Active = "active", ReduceOnly = "reduce_only", Halted = "halted" }
);

named!(SleeveState { On = "on", ReduceOnly = "reduce_only", Off = "off" });

named!(
    /// What changed a state.
    Cause {
        Operator = "operator",
        Drawdown = "drawdown",
        DayLoss = "day_loss",
        Rejects = "rejects",
        Dislocation = "dislocation",
        OrderRate = "order_rate",
        LimitCrossed = "limit_crossed",
        /// The command to close everything.
        Flatten = "flatten",
    }
);

/// What the operator commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Halt,
    Reduce,
    Resume,
    /// Halt, cancel everything and close all positions.
    Flatten,
    Sleeve {
        sleeve: usize,
        state: SleeveState,
    },
    /// A limit by its name in `Limits`, in its own unit; None switches it off.
    ChangeLimit {
        name: String,
        value: Option<i128>,
    },
}

kinds!(Command {
    Halt = "halt",
    Reduce = "reduce",
    Resume = "resume",
    Flatten = "flatten",
    Sleeve = "sleeve",
    ChangeLimit = "change_limit",
});

named!(RiskKind {
    /// Of an instrument, a day: standard deviation of returns in `10^-9`.
    Volatility = "volatility",
    /// Of an instrument, a day: in quantity units.
    AverageVolume = "average_volume",
    /// Of an instrument with the fund, in `10^-9`.
    Correlation = "correlation",
    /// Of the fund, a day: standard deviation of returns in `10^-9`.
    FundVolatility = "fund_volatility",
    /// A label of the market's state.
    Regime = "regime",
});

/// A figure that the gate needs from statistics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskFigure {
    pub kind: RiskKind,
    /// None for figures of the fund.
    #[serde(default)]
    pub instrument: Option<usize>,
    pub value: i64,
    /// From then on the figure is stale.
    pub expires_at: i64,
}

/// Returns of one instrument in each scenario, for the value at risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenarios {
    pub instrument: usize,
    /// Of the value of a holding in the fund's currency, in `10^-9`.
    pub returns: Vec<i32>,
    /// From then on they are stale.
    pub expires_at: i64,
}
