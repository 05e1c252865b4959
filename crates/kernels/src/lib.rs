//! Streaming feature operators of `QuantVista`, programs made of them, bars, and recordings.
//!
//! An operator is a state and an update. A batch run, a run in chunks, a stream of single rows and a
//! run that was snapshotted and restored in the middle call the same update in the same order, and so
//! give the same bits. No crate of ours stands below this one, and it does no input or output.
//!
//! Missing data has one rule: a row in which any input of a series operator is NaN gives NaN and
//! leaves the state as it was, so that windows hold the last *defined* values. A result that is not
//! finite (a division by zero, the logarithm of nothing) is NaN as well: a feature never is infinite.
//!
//! What runs for every value is inlined always: a state stays in registers only where no call takes
//! its address.

mod averages;
mod bars;
mod binance;
mod channels;
mod cross;
mod decimal;
mod directional;
mod error;
mod extremes;
mod microstructure;
mod moments;
mod operator;
mod oscillators;
mod pairs;
mod plan;
mod pointwise;
mod program;
mod rolling;
mod running;
mod series;
mod shifts;
mod snapshot;
mod stage;
mod table;
mod volatility;
mod volume;
mod window;

pub use bars::{
    BarBuilder, BarColumns, BarKind, BarRows, BarSetting, Counts, Ending, Flow, Frames, Policy,
    RowColumns, Sides,
};
pub use binance::{Books, Quotes, Recording, Trades, decode_binance};
pub use error::KernelError;
pub use operator::{Kind, Memory, Operator, Parameter};
pub use plan::{NodeSpec, Spec};
pub use program::Program;
pub use table::{operator, operators};
