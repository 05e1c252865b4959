//! Orders that hang together, and orders that change.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::input::{Amendment, OrderRequest};
use crate::numbers::Result;
use crate::order::Link;
use crate::output::Output;

impl Engine {
    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn place_list(
        &mut self,
        ts: i64,
        orders: &[OrderRequest],
        link: Link,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("place_list is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn amend(
        &mut self,
        ts: i64,
        amendment: &Amendment,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("amend is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn replace(
        &mut self,
        ts: i64,
        order: u64,
        request: &OrderRequest,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("replace is being built".to_owned()))
    }
}
