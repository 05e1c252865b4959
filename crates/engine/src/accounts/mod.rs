//! What moves money without a trade, and what money and margin allow:
//! `docs/engine/accounts.md`.

mod cash;
mod days;
mod funds;
mod margin;
mod rates;
#[cfg(test)]
mod tests;

pub(crate) use funds::Purse;
