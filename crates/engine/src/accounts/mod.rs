//! What moves money without a trade, and what money and margin allow:
//! `docs/engine/accounts.md`.

mod cash;
mod checks;
mod days;
mod funds;
mod margin;
mod rates;
mod rules;

pub(crate) use funds::{Purse, surely_within};
pub(crate) use rules::validate;
