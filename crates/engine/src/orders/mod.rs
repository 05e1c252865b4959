//! What becomes of orders before and beside their matching: `docs/engine/orders.md`.

mod amend;
mod expiry;
mod form;
mod intake;
mod links;
mod lists;
mod trail;
mod triggers;

pub(crate) use form::reference_of;
pub use form::{CellData, MatrixCell, matrix};
pub(crate) use intake::{advance, adverse, plain_breach, verdict_on};
pub(crate) use trail::trail_trigger;
pub(crate) use triggers::{Told, Watch, is_met, is_rising, moved_trigger};
