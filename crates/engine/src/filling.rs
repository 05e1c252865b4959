//! Filling orders: price band, cash, volume, fee and the booking, `docs/engine/bars.md`, section 6.

use crate::allocation::allocate;
use crate::engine::Engine;
use crate::matching::{Candidate, Session, Share, Terms};
use crate::numbers::{Result, Rounding, add, div_round, mul, sub};
use crate::order::{OrderStatus, Reason, Side};
use crate::orders::advance;
use crate::output::{Figure, Fill, FillKind, Liquidity, Outcome, Output, Rule, Verdict};

impl Engine {
    /// Fill orders of one side of one instrument with the venue, `members` by (sleeve, order id).
    pub(crate) fn fill_group(
        &mut self,
        session: &mut Session,
        members: &[usize],
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let mut picked = std::mem::take(&mut session.picked);
        picked.clear();
        let mut cancelled = Vec::new();
        let mut purse = (usize::MAX, 0_i128);
        for &index in members {
            let candidate = session.candidates[index];
            let external = candidate.external;
            if external <= 0
                || self.working(&candidate).is_none()
                || (terms.banded
                    && self.hold_outside_band(session.ts, &candidate, terms.price, out))
            {
                continue;
            }
            let lots = match candidate.side {
                Side::Sell => external,
                Side::Buy => self.cut_to_cash(
                    session.ts,
                    &candidate,
                    external,
                    terms.price,
                    &mut purse,
                    true,
                    out,
                )?,
            };
            if lots < external {
                cancelled.push(candidate.slot);
            }
            picked.push(Share {
                index,
                wanted: lots,
                granted: lots,
            });
        }
        if let Some(left) = session.volume[terms.group]
            && left < picked.iter().map(|share| share.wanted).sum::<i64>()
        {
            let weights: Vec<i64> = picked.iter().map(|share| share.wanted).collect();
            for (share, granted) in picked.iter_mut().zip(allocate(left, &weights)) {
                share.granted = granted;
            }
        }
        for share in &picked {
            let (index, lots) = (share.index, share.granted);
            let candidate = session.candidates[index];
            if lots < share.wanted
                && let Some(order) = self.book.get_mut(candidate.slot)
            {
                order.reason = Reason::Volume;
            }
            if lots == 0 {
                continue;
            }
            if self.fill_at_venue(session.ts, &candidate, lots, terms, out)? {
                session.candidates[index].external -= lots;
                if let Some(left) = &mut session.volume[terms.group] {
                    *left -= lots;
                }
            } else {
                cancelled.push(candidate.slot);
            }
        }
        for slot in cancelled {
            self.cancel(session.ts, slot, Reason::Cash, out)?;
        }
        session.picked = picked;
        Ok(())
    }

    /// Whether an order's price band keeps it from `price`; if so, say it and note the reason.
    pub(crate) fn hold_outside_band(
        &mut self,
        ts: i64,
        candidate: &Candidate,
        price: i64,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(order) = self.working(candidate) else {
            return true;
        };
        let (reference, side, id) = (order.reference, order.side, order.id);
        if self.in_band(price, reference, side) {
            return false;
        }
        let limit = Figure::Price(self.band_edge(reference, side));
        let figure = Figure::Price(price);
        out.push(Output::Verdict(Verdict {
            ts,
            order: id,
            rule: Rule::PriceBand,
            figure,
            limit,
            outcome: Outcome::Held,
        }));
        if let Some(order) = self.book.get_mut(candidate.slot) {
            order.reason = Reason::PriceBand;
        }
        true
    }

    /// The lots of a buy that the sleeve's cash covers; `purse` carries the cash left by the
    /// sleeve's orders before it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the purse is shared by the orders of a group"
    )]
    pub(crate) fn cut_to_cash(
        &self,
        ts: i64,
        candidate: &Candidate,
        wanted: i64,
        price: i64,
        purse: &mut (usize, i128),
        with_fee: bool,
        out: &mut Vec<Output>,
    ) -> Result<i64> {
        if purse.0 != candidate.sleeve {
            *purse = (candidate.sleeve, self.cash_of(candidate));
        }
        let per_lot =
            self.exposure
                .notional(candidate.instrument, self.lot_of(candidate), price)?;
        let cost = |lots: i64| -> Result<i128> {
            let part = mul(i128::from(lots), per_lot, "the cost of an order")?;
            let fee = if with_fee {
                self.exposure.fees[candidate.instrument].fee(part)?
            } else {
                0
            };
            add(part, fee, "the cost of an order")
        };
        let whole = cost(wanted)?;
        let lots = if whole <= purse.1 {
            wanted
        } else if with_fee {
            self.affordable_lots(candidate.instrument, purse.1, per_lot, wanted)?
        } else {
            i64::try_from(div_round(purse.1, per_lot, Rounding::Down)).expect("fewer than wanted")
        };
        if lots < wanted {
            out.push(cut_by_cash(ts, candidate.id, whole, purse.1));
        }
        let paid = if lots == wanted { whole } else { cost(lots)? };
        purse.1 = sub(purse.1, paid, "cash left")?;
        Ok(lots)
    }

    /// Cash of the sleeve in the currency of the instrument.
    fn cash_of(&self, candidate: &Candidate) -> i128 {
        let currency = self.config.instruments[candidate.instrument].currency;
        self.ledger.cash(candidate.sleeve, currency)
    }

    /// Fill with the venue; false if the fee of a sale is more than the sleeve could pay.
    fn fill_at_venue(
        &mut self,
        ts: i64,
        candidate: &Candidate,
        lots: i64,
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let quantity = lots * self.lot_of(candidate);
        let notional = self
            .exposure
            .notional(candidate.instrument, quantity, terms.price)?;
        let fee = self.exposure.fees[candidate.instrument].fee(notional)?;
        if candidate.side == Side::Sell {
            let left = add(self.cash_of(candidate), notional, "the proceeds of a sale")?;
            if left < fee {
                out.push(cut_by_cash(ts, candidate.id, fee, left));
                return Ok(false);
            }
        }
        let lost = (terms.price - terms.reference).abs();
        let slippage = self
            .exposure
            .notional(candidate.instrument, quantity, lost)?;
        self.book_fill(
            candidate.slot,
            ts,
            quantity,
            terms.price,
            fee,
            slippage,
            FillKind::Trade,
            out,
        )?;
        Ok(true)
    }

    /// Book a fill of a working order.
    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    pub(crate) fn book_fill(
        &mut self,
        slot: usize,
        ts: i64,
        quantity: i64,
        price: i64,
        fee: i128,
        slippage: i128,
        kind: FillKind,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.book.get(slot).copied() else {
            return Ok(());
        };
        let mark = self
            .mark(order.instrument)
            .expect("a filled order has a price");
        let hold = self.book.hold(slot);
        self.exposure.in_flight_changed(&order, hold, mark, -1)?;
        let mut filled = order;
        filled.filled += quantity;
        let done = filled.unfilled() == 0;
        advance(
            &mut filled,
            if done {
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            },
        );
        let fill = Fill {
            ts,
            id: self.last_fill + 1,
            order: Some(order.id),
            instrument: order.instrument,
            sleeve: order.sleeve,
            leg: order.leg.index(),
            side: order.side,
            quantity,
            price,
            fee,
            slippage,
            kind,
            liquidity: match kind {
                FillKind::Cross => Liquidity::None,
                _ => Liquidity::Taker,
            },
        };
        self.book_trade(&fill, mark)?;
        out.push(Output::OrderFilled(fill));
        if done {
            self.book.remove(slot);
        } else {
            let hold = self.exposure.hold_of(&self.config, &filled)?;
            self.exposure.in_flight_changed(&filled, hold, mark, 1)?;
            self.book.replace(slot, filled, hold);
        }
        Ok(())
    }
}

/// What is said where cash does not cover an order at its match.
fn cut_by_cash(ts: i64, order: u64, cost: i128, cash: i128) -> Output {
    Output::Verdict(Verdict {
        ts,
        order,
        rule: Rule::Cash,
        figure: Figure::Money(cost),
        limit: Figure::Money(cash),
        outcome: Outcome::Cut,
    })
}
