//! Bars of trades, quotes and shorter bars: by the clock, by a size, or by an imbalance of flow.
//!
//! A builder holds, for each kind of bar and each instrument, the bar that is open. Rows go in by
//! chunks of any size and closed bars come out; the same rows give the same bits however they are cut,
//! and also when the builder was saved and restored in between.
//!
//! A bar of the clock covers a half-open window, its start included and its end not, and is stamped
//! with its end. A row that is itself a bar is stamped with its end too, and so belongs to the window
//! that ends there or later. A bar of a size is closed by the row that reaches it, which is not split
//! (Lopez de Prado 2018, section 2.3), and is stamped with that row.

mod bar;
mod builder;
mod check;
mod clock;
mod imbalance;
mod output;
mod rows;
mod rules;
mod snapshot;
mod spec;
mod sum;

pub use builder::BarBuilder;
pub use check::Counts;
pub use clock::Frames;
pub use output::{BarColumns, Ending};
pub use rows::RowColumns;
pub use spec::{BarKind, BarRows, BarSetting, Flow, Policy, Sides};
