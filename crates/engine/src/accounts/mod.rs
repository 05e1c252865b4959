//! What moves money without a trade: days, deposits, funding, corporate actions.

mod funds;
mod rates;

pub(crate) use funds::Purse;

use crate::action::Action;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::Result;
use crate::output::Output;

impl Engine {
    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn move_cash(
        &mut self,
        ts: i64,
        sleeve: usize,
        currency: usize,
        amount: i128,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("move_cash is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn apply_action(
        &mut self,
        ts: i64,
        action: &Action,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "apply_action is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn end_day(&mut self, ts: i64, trading: bool, out: &mut Vec<Output>) -> Result<()> {
        Err(EngineError::Config("end_day is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn pay_funding(
        &mut self,
        ts: i64,
        instrument: usize,
        rate: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("pay_funding is being built".to_owned()))
    }
}
