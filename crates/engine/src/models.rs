//! What a simulated venue assumes, one object per assumption: `docs/engine/matching.md`, sections
//! 10 to 12.

pub(crate) mod fees;
pub(crate) mod impact;
pub(crate) mod latency;
pub(crate) mod slippage;

pub use fees::{FeeModel, FeeTier};
pub use impact::ImpactModel;
pub use latency::{LatencyKind, LatencyModel};
pub use slippage::SlippageModel;
