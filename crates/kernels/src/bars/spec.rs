//! What bars are to be made, of what, and what is done about rows that cannot be used.

use serde::{Deserialize, Serialize};

use crate::error::{KernelError, Result};

/// What a row of the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BarRows {
    Trades,
    /// Prices without sizes.
    Quotes,
    /// Shorter bars.
    Bars,
}

/// What the flow of an imbalance bar is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    Ticks,
    Volume,
    Dollars,
}

/// When a bar ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BarKind {
    /// After `step` nanoseconds, and at the end of its frame; `fill` makes bars of empty windows.
    Time { step: i64, fill: bool },
    /// At so many rows.
    Tick { size: u64 },
    /// As soon as so much was traded.
    Volume { size: f64 },
    /// As soon as price times size reaches so much.
    Dollar { size: f64 },
    /// As soon as buys and sells differ by more than is expected.
    Imbalance {
        of: Flow,
        /// Rows of the first bar.
        expected: u64,
        /// A bar has no fewer rows, and no more.
        least: u64,
        most: u64,
        /// Of the exponential averages, in bars.
        span: f64,
    },
}

/// From where it is known who took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    Unknown,
    Given,
    /// The sign of the last change of the price.
    TickRule,
}

/// What to do about a row that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    Refuse,
    /// Leave it out and count it.
    Drop,
}

/// A setting of a builder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarSetting {
    pub rows: BarRows,
    pub kinds: Vec<BarKind>,
    pub sides: Sides,
    /// Rows before an earlier one of their instrument.
    pub late: Policy,
    /// Rows without a price or a size.
    pub missing: Policy,
}

impl BarSetting {
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(KernelError::Spec(text.to_owned()));
        if self.kinds.is_empty() {
            return refuse("`kinds` must name at least one kind of bar; found none");
        }
        for kind in &self.kinds {
            let fits = match *kind {
                BarKind::Time { step, .. } => step >= 1,
                BarKind::Tick { size } => size >= 1,
                BarKind::Volume { size } | BarKind::Dollar { size } => {
                    size.is_finite() && size > 0.0
                }
                BarKind::Imbalance {
                    expected,
                    least,
                    most,
                    span,
                    ..
                } => {
                    (1..=expected).contains(&least)
                        && expected <= most
                        && span.is_finite()
                        && span >= 1.0
                }
            };
            if !fits {
                return Err(KernelError::Spec(format!(
                    "`kinds` must have positive sizes, and 1 <= least <= expected <= most with \
                     span >= 1; found {kind:?}"
                )));
            }
            match (self.rows, kind) {
                (BarRows::Quotes, BarKind::Volume { .. } | BarKind::Dollar { .. }) => {
                    return refuse("`kinds` of quotes must be time or tick: quotes have no volume");
                }
                (BarRows::Bars, BarKind::Tick { .. } | BarKind::Imbalance { .. }) => {
                    return refuse("`kinds` of bars must be time, volume or dollar");
                }
                (_, BarKind::Imbalance { of, .. }) => {
                    if self.sides == Sides::Unknown {
                        return refuse("`sides` must be given or tick_rule for imbalance bars");
                    }
                    if self.rows == BarRows::Quotes && *of != Flow::Ticks {
                        return refuse("`kinds` of quotes must not count volume: quotes have none");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
