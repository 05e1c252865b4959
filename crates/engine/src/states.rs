//! What the fund and its sleeves may do.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::numbers::Result;
use crate::output::Output;
use crate::risk::{Command, RiskFigure, Scenarios};

impl Engine {
    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn command(
        &mut self,
        ts: i64,
        command: &Command,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("command is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "being built"
    )]
    pub(crate) fn receive_figure(&mut self, figure: &RiskFigure) -> Result<()> {
        Err(EngineError::Config(
            "receive_figure is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "being built"
    )]
    pub(crate) fn receive_scenarios(&mut self, scenarios: &Scenarios) -> Result<()> {
        Err(EngineError::Config(
            "receive_scenarios is being built".to_owned(),
        ))
    }
}
