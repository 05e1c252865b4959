//! Accounts and corporate actions, rule by rule: `docs/engine/accounts.md` and
//! `docs/engine/actions.md`.

mod actions;
mod cash;
mod days;
mod margin;
mod market;
mod random;
