//! Filling orders: price band, cash, volume, fee and the booking, `docs/engine/bars.md`, section 6.

use crate::accounts::Purse;
use crate::allocation::allocate;
use crate::engine::Engine;
use crate::exposure::{Filled, fees_of};
use crate::matching::{Candidate, Session, Share, Terms};
use crate::models::impact::Activity;
use crate::numbers::{Result, add};
use crate::order::{Leg, Order, OrderStatus, Origin, Reason, Side};
use crate::orders::advance;
use crate::output::{Figure, Fill, FillKind, Liquidity, Outcome, Output, Rule, Verdict, say};
use crate::risk::RiskKind;

/// Lots of a group's orders so far, of one sleeve, by leg.
#[derive(Default)]
struct Before {
    sleeve: usize,
    lots: [i64; 2],
}

impl Before {
    fn of(&self, sleeve: usize, leg: Leg) -> i64 {
        if self.sleeve == sleeve {
            self.lots[leg.index()]
        } else {
            0
        }
    }

    fn add(&mut self, sleeve: usize, leg: Leg, lots: i64) {
        if self.sleeve != sleeve {
            *self = Self {
                sleeve,
                lots: [0; 2],
            };
        }
        let sum = &mut self.lots[leg.index()];
        *sum = sum.saturating_add(lots);
    }
}

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
        let mut purse = Purse::empty();
        let mut before = Before::default();
        for &index in members {
            let candidate = session.candidates[index];
            let wanted = self.external_lots(&candidate);
            if wanted <= 0
                || (terms.banded
                    && self.hold_outside_band(session.ts, &candidate, terms.price, out))
            {
                continue;
            }
            let external = self.cut_to_position(&candidate, wanted, &before)?;
            if external == 0 {
                let reason = Reason::ReduceOnly;
                self.cancel(session.ts, candidate.slot, reason, out)?;
                continue;
            }
            let Some(order) = self.working(&candidate) else {
                continue;
            };
            let lots = self.cut_to_funds(
                session.ts,
                order,
                external,
                terms.price,
                &mut purse,
                terms.liquidity,
                out,
            )?;
            if lots < external {
                cancelled.push(candidate.slot);
            }
            before.add(candidate.sleeve, order.leg, lots);
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
        if let [share] = picked.as_slice()
            && self.kills(
                session.ts,
                session.candidates[share.index].slot,
                share.granted,
                out,
            )?
        {
            session.picked = picked;
            return Ok(());
        }
        for share in &picked {
            let candidate = session.candidates[share.index];
            // A sibling that filled before it may have left it less.
            let lots = share.granted.min(self.external_lots(&candidate));
            if share.granted < share.wanted
                && let Some(order) = self.book.get_mut(candidate.slot)
            {
                order.reason = Reason::Volume;
            }
            if lots == 0 {
                continue;
            }
            if self.fill_at_venue(session.ts, &candidate, lots, terms, out)? {
                if terms.liquidity == Liquidity::Taker {
                    let quantity = lots * self.lot_of(&candidate);
                    self.feel(session.ts, candidate.instrument, candidate.side, quantity)?;
                }
                if let Some(left) = &mut session.volume[terms.group] {
                    *left -= lots;
                }
            } else {
                cancelled.push(candidate.slot);
            }
        }
        if !cancelled.is_empty() {
            let instrument = session.candidates[members[0]].instrument;
            let reason = self.reason_of_funds(instrument);
            for slot in cancelled {
                self.cancel(session.ts, slot, reason, out)?;
            }
        }
        session.picked = picked;
        Ok(())
    }

    /// The lots of an order, if it may only reduce, that its position and the orders before it in
    /// its group leave to it.
    fn cut_to_position(&self, candidate: &Candidate, wanted: i64, before: &Before) -> Result<i64> {
        match self.working(candidate) {
            Some(order) if self.must_reduce(order) => {
                let lots = self.reducible(order)? / self.lot_of(candidate);
                let taken = before.of(candidate.sleeve, order.leg);
                Ok(wanted.min((lots - taken).max(0)))
            }
            _ => Ok(wanted),
        }
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

    /// Fill with the venue; false if the fee of a sale is more than the sleeve could pay.
    #[inline(always)]
    pub(crate) fn fill_at_venue(
        &mut self,
        ts: i64,
        candidate: &Candidate,
        lots: i64,
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<bool> {
        let instrument = candidate.instrument;
        let quantity = lots * self.lot_of(candidate);
        let notional = self.exposure.notional(instrument, quantity, terms.price)?;
        let fee = self.fee_of_fill(
            candidate.id,
            instrument,
            notional,
            quantity,
            terms.liquidity,
        )?;
        if candidate.side == Side::Sell && !self.exposure.on_margin(instrument) {
            let currency = self.config.instruments[instrument].currency;
            let cash = self.spendable(candidate.sleeve, currency)?;
            let left = add(cash, notional, "the proceeds of a sale")?;
            if left < fee {
                out.push(cut_by_cash(ts, candidate.id, fee, left));
                return Ok(false);
            }
        }
        let slippage = if terms.price == terms.reference {
            0
        } else {
            let lost = (terms.price - terms.reference).abs();
            self.exposure.notional(instrument, quantity, lost)?
        };
        self.count_turnover(candidate, notional, quantity, terms.liquidity)?;
        self.book_fill(
            candidate.slot,
            ts,
            quantity,
            terms.price,
            fee,
            slippage,
            FillKind::Trade,
            terms.liquidity,
            out,
        )?;
        Ok(true)
    }

    /// What the taking side gets for a quantity where the market shows `reference`.
    #[inline(always)]
    pub(crate) fn taking_price(
        &self,
        ts: i64,
        instrument: usize,
        side: Side,
        quantity: i64,
        reference: i64,
    ) -> Result<i64> {
        let grid = self.config.instruments[instrument].grid();
        if self.floor.pits[instrument].form.is_exact && grid.allows(reference) {
            return Ok(reference);
        }
        self.slipped_price(ts, instrument, side, quantity, reference)
    }

    #[inline(never)]
    fn slipped_price(
        &self,
        ts: i64,
        instrument: usize,
        side: Side,
        quantity: i64,
        reference: i64,
    ) -> Result<i64> {
        let venue = self.config.venue_of(instrument);
        let impact = venue.impact.map_or(0, |model| {
            let felt = self.felt[instrument];
            model.rate(felt, ts, side, quantity, self.activity(instrument))
        });
        let grid = self.config.instruments[instrument].grid();
        venue.slippage.price(reference, side, impact, grid)
    }

    /// Count a fill that took from the market, for impact.
    #[inline(always)]
    pub(crate) fn feel(
        &mut self,
        ts: i64,
        instrument: usize,
        side: Side,
        quantity: i64,
    ) -> Result<()> {
        if !self.floor.pits[instrument].form.has_impact {
            return Ok(());
        }
        match self.config.venue_of(instrument).impact {
            Some(model) => model.add(&mut self.felt[instrument], ts, side, quantity),
            None => Ok(()),
        }
    }

    fn activity(&self, instrument: usize) -> Activity {
        let listed = &self.config.instruments[instrument];
        let newest = |kind| self.guard.figures.newest(kind, instrument);
        let volatility = newest(RiskKind::Volatility).or(listed.volatility);
        let volume = newest(RiskKind::AverageVolume).or(listed.average_volume);
        Activity {
            volatility: volatility.unwrap_or(0),
            volume: volume.unwrap_or(0),
        }
    }

    /// The fee of a fill of an order.
    #[inline(always)]
    pub(crate) fn fee_of_fill(
        &self,
        order: u64,
        instrument: usize,
        notional: i128,
        quantity: i64,
        liquidity: Liquidity,
    ) -> Result<i128> {
        if liquidity == Liquidity::None {
            return Ok(0);
        }
        let fees = self.exposure.fees(instrument);
        let exact = fees.exact(notional, quantity, liquidity)?;
        if !fees.has_minimum() {
            return Ok(exact);
        }
        fees.charged(self.fees_paid.get(&order).copied(), exact)
    }

    /// Whether a fill of an order has paid the minimum of its venue.
    #[inline]
    pub(crate) fn has_paid(&self, order: u64) -> bool {
        self.fees_paid.contains_key(&order)
    }

    /// What an order holds.
    #[inline]
    pub(crate) fn hold_of(&self, order: &Order) -> Result<i128> {
        let has_paid = self.has_paid(order.id);
        self.exposure.hold_of(&self.config, order, has_paid)
    }

    /// Remember what a fill adds to the venue's volume, and to the fees of its order.
    #[inline(always)]
    fn count_turnover(
        &mut self,
        candidate: &Candidate,
        notional: i128,
        quantity: i64,
        liquidity: Liquidity,
    ) -> Result<()> {
        let instrument = candidate.instrument;
        let currency = self.config.instruments[instrument].currency;
        let volume = self.exposure.in_fund_currency(currency, notional)?;
        self.turnover[self.config.instruments[instrument].venue].add(volume)?;
        let fees = self.exposure.fees(instrument);
        if fees.has_minimum() {
            let exact = fees.exact(notional, quantity, liquidity)?;
            let paid = self.fees_paid.entry(candidate.id).or_insert(0);
            *paid = add(*paid, exact, "the fees of an order")?;
        }
        Ok(())
    }

    /// The schedules of venues whose tier changes with the day.
    pub(crate) fn end_day_of_venues(&mut self) -> Result<()> {
        for venue in 0..self.config.venues.len() {
            if !self.turnover[venue].end_day(&self.config.venues[venue].fee)? {
                continue;
            }
            let tier = self.turnover[venue].tier;
            for instrument in 0..self.config.instruments.len() {
                if self.config.instruments[instrument].venue == venue {
                    let fees = fees_of(&self.config, instrument, tier);
                    self.exposure.set_fees(instrument, &fees);
                }
            }
        }
        Ok(())
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
        liquidity: Liquidity,
        out: &mut Vec<Output>,
    ) -> Result<()> {
        let Some(order) = self.book.get(slot) else {
            return Ok(());
        };
        let mark = self.mark_of(order);
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
            kind: match (kind, order.origin) {
                (FillKind::Trade, Origin::Liquidation) => FillKind::Liquidation,
                _ => kind,
            },
            liquidity,
        };
        let is_whole = order.unfilled() == quantity;
        let cost = self.book_in_ledger(&fill)?;
        let order = self.book.latest(slot);
        let hold = if is_whole {
            0
        } else {
            self.hold_of(&order.after(quantity))?
        };
        let change = Filled {
            order,
            holds: (self.book.hold(slot), hold),
            quantity,
            cost,
        };
        self.exposure.order_filled(&change, mark)?;
        let (id, is_over) = (order.id, is_whole && !self.has_working_parent(order));
        say(out, || Output::OrderFilled(fill));
        if is_whole {
            self.floor.leave(fill.instrument, slot);
        }
        if let Some(order) = self.book.get_mut(slot) {
            order.filled += quantity;
            let next = if is_over {
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            };
            advance(order, next);
        }
        if is_over {
            self.forget_fees(id);
            self.book.remove(slot);
        } else {
            self.book.set_hold(slot, hold);
        }
        let order = self.book.latest(slot);
        if self.is_alone(order) {
            return Ok(());
        }
        let order = *order;
        self.after_fill(ts, &order, quantity, out)
    }

    /// An order has ended, and what it paid no longer counts.
    #[inline]
    pub(crate) fn forget_fees(&mut self, order: u64) {
        if !self.fees_paid.is_empty() {
            self.fees_paid.remove(&order);
        }
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
