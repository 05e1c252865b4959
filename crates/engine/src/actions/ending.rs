//! Instruments that end: `docs/engine/actions.md`, section 3.

use crate::engine::Engine;
use crate::numbers::Result;
use crate::order::{Reason, Side};
use crate::output::{Fill, FillKind, Liquidity, Output};

impl Engine {
    /// What ends by itself: a listing, or a future at its expiry.
    pub(crate) fn end_instrument(
        &mut self,
        ts: i64,
        instrument: usize,
        price: Option<i64>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.cancel_all(ts, instrument, Reason::InstrumentEnded, out)?;
        self.settle_positions(ts, instrument, price, out)
    }

    /// What a company or an exchange ends: a cash merger, or a delisting.
    pub(crate) fn wind_up(
        &mut self,
        ts: i64,
        instrument: usize,
        price: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        self.cancel_all(ts, instrument, Reason::Action, out)?;
        self.settle_positions(ts, instrument, Some(price), out)
    }

    pub(crate) fn cancel_all(
        &mut self,
        ts: i64,
        instrument: usize,
        reason: Reason,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        for slot in self.book.slots_of(instrument) {
            self.cancel(ts, slot, reason, out)?;
        }
        self.book.sweep();
        Ok(())
    }

    /// Close all positions at a price, else at the mark, free of fee and slippage.
    fn settle_positions(
        &mut self,
        ts: i64,
        instrument: usize,
        price: Option<i64>,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        if let (Some(price), Some(_)) = (price, self.mark(instrument)) {
            // What the end pays is no move of the market, so nothing may be held against it.
            self.forget_reference(instrument);
            self.change_mark(ts, instrument, price)?;
            self.forget_reference(instrument);
        }
        let price = self.mark(instrument).or(price);
        for sleeve in 0..self.config.sleeves.len() {
            for leg in 0..self.ledger.legs() {
                let held = self.ledger.position(sleeve, instrument, leg).quantity;
                let (Some(price), true) = (price, held != 0) else {
                    continue;
                };
                let side = if held > 0 { Side::Sell } else { Side::Buy };
                let fill = Fill {
                    leg,
                    price,
                    kind: FillKind::Settlement,
                    ..self.plain_fill(ts, sleeve, instrument, side, held.abs())
                };
                self.book_trade(&fill, price)?;
                out.push(Output::OrderFilled(fill));
            }
        }
        self.instruments[instrument].ended = true;
        out.push(Output::InstrumentSettled {
            ts,
            instrument,
            price,
        });
        Ok(())
    }

    /// A fill without an order, of what an action gives or takes.
    pub(crate) fn plain_fill(
        &self,
        ts: i64,
        sleeve: usize,
        instrument: usize,
        side: Side,
        quantity: i64,
    ) -> Fill {
        Fill {
            ts,
            id: self.last_fill + 1,
            order: None,
            instrument,
            sleeve,
            leg: 0,
            side,
            quantity,
            price: 0,
            fee: 0,
            slippage: 0,
            kind: FillKind::Action,
            liquidity: Liquidity::None,
        }
    }
}
