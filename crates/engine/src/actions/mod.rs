//! What companies and exchanges do to instruments: `docs/engine/actions.md`.

mod conversion;
mod dividend;
mod ending;
mod orders;
mod problems;
mod rescale;

use crate::action::Action;
use crate::engine::Engine;
use crate::numbers::Result;
use crate::output::Output;
use conversion::Exchanged;
use rescale::Ratio;

impl Engine {
    pub(crate) fn apply_action(
        &mut self,
        ts: i64,
        action: &Action,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let instrument = action.instrument();
        self.carry_out(ts, action, out)?;
        self.restate_market(instrument);
        out.push(Output::ActionApplied {
            ts,
            instrument,
            action: action.name().to_owned(),
        });
        Ok(())
    }

    fn carry_out(&mut self, ts: i64, action: &Action, out: &mut Vec<Output>) -> Result<()> {
        let instrument = action.instrument();
        match action {
            Action::Split {
                numerator,
                denominator,
                ..
            } => self.split(ts, instrument, *numerator, *denominator, out)?,
            Action::StockDividend {
                numerator,
                denominator,
                ..
            } => self.split(ts, instrument, numerator + denominator, *denominator, out)?,
            Action::Precision {
                price_precision,
                quantity_precision,
                tick_size,
                lot_size,
                ..
            } => {
                let digits = (*price_precision, *quantity_precision);
                let steps = (*tick_size, *lot_size);
                self.change_precision(ts, instrument, digits, steps, out)?;
            }
            Action::CashDividend { amount, .. } => {
                self.pay_dividend(ts, instrument, *amount, out)?;
            }
            Action::SymbolChange { symbol, .. } => {
                self.instruments[instrument].symbol = Some(symbol.clone());
                out.push(Output::SymbolChanged {
                    ts,
                    instrument,
                    symbol: symbol.clone(),
                });
            }
            Action::MergerCash { price, .. } => self.wind_up(ts, instrument, *price, out)?,
            Action::Delisting { price, .. } => {
                self.wind_up(ts, instrument, price.unwrap_or(0), out)?;
            }
            Action::MergerStock { into_price, .. } | Action::SpinOff { into_price, .. } => {
                let exchanged = Exchanged::of(action);
                self.mark_if_new(ts, exchanged.into, *into_price)?;
                if matches!(action, Action::MergerStock { .. }) {
                    self.merge(ts, &exchanged, out)?;
                } else {
                    self.spin_off(ts, &exchanged, out)?;
                }
            }
        }
        Ok(())
    }

    fn mark_if_new(&mut self, ts: i64, instrument: usize, price: Option<i64>) -> Result<()> {
        match (self.mark(instrument), price) {
            (None, Some(price)) => {
                self.change_mark(ts, instrument, price)?;
                self.forget_reference(instrument);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn split(
        &mut self,
        ts: i64,
        instrument: usize,
        numerator: i64,
        denominator: i64,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let quantities = Ratio::of(numerator, denominator);
        self.rescale(ts, instrument, quantities, quantities.inverse(), out)
    }

    fn change_precision(
        &mut self,
        ts: i64,
        instrument: usize,
        (price_precision, quantity_precision): (u8, u8),
        (tick_size, lot_size): (i64, i64),
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let listed = &mut self.config.instruments[instrument];
        let quantities = Ratio::of_digits(listed.quantity_precision, quantity_precision);
        let prices = Ratio::of_digits(listed.price_precision, price_precision);
        (listed.price_precision, listed.quantity_precision) = (price_precision, quantity_precision);
        (listed.tick_size, listed.lot_size) = (tick_size, lot_size);
        self.rescale(ts, instrument, quantities, prices, out)
    }
}
