//! The simulated venue of event instruments: what market data lead to.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::market::{Auction, BookLevel, BookOrder, Quote, Tick, TradingStatus};
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
    pub(crate) fn receive_status(
        &mut self,
        ts: i64,
        instrument: usize,
        status: TradingStatus,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "receive_status is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn receive_quote(
        &mut self,
        ts: i64,
        instrument: usize,
        quote: &Quote,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "receive_quote is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn receive_trade(
        &mut self,
        ts: i64,
        instrument: usize,
        trade: &Tick,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "receive_trade is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn receive_level(
        &mut self,
        ts: i64,
        instrument: usize,
        level: &BookLevel,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "receive_level is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn clear_book(
        &mut self,
        ts: i64,
        instrument: usize,
        more: bool,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config("clear_book is being built".to_owned()))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn receive_book_order(
        &mut self,
        ts: i64,
        instrument: usize,
        order: &BookOrder,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "receive_book_order is being built".to_owned(),
        ))
    }

    #[expect(
        unused_variables,
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        reason = "being built"
    )]
    pub(crate) fn hold_auction(
        &mut self,
        ts: i64,
        instrument: usize,
        auction: &Auction,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        Err(EngineError::Config(
            "hold_auction is being built".to_owned(),
        ))
    }
}
