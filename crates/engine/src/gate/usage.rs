//! How much of each limit is in use, for people who watch a fund.

use super::limits::Caps;
use crate::engine::Engine;
use crate::exposure::Row;
use crate::numbers::{Result, share_of, sub};
use crate::output::{Figure, Rule};
use crate::risk::Cause;

/// A limit that is set, and what stands against it now: what is held and, at its worst, in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Of a rule, or of the breaker that trips.
    pub name: &'static str,
    /// Whose, if it is a sleeve's.
    pub sleeve: Option<usize>,
    pub used: Figure,
    pub limit: Figure,
}

/// What has been found so far.
struct Found(Vec<Usage>);

impl Found {
    fn money(
        &mut self,
        name: &'static str,
        sleeve: Option<usize>,
        limit: Option<i128>,
        used: i128,
    ) {
        let (used, limit) = (Figure::Money(used), limit.map(Figure::Money));
        self.0.extend(limit.map(|limit| Usage {
            name,
            sleeve,
            used,
            limit,
        }));
    }

    fn count(&mut self, name: &'static str, sleeve: Option<usize>, used: i64, limit: i64) {
        self.0.push(Usage {
            name,
            sleeve,
            used: Figure::Count(used),
            limit: Figure::Count(limit),
        });
    }
}

impl Engine {
    /// All limits on sums, losses and rates that are set; those on single orders, which stand
    /// against nothing between orders, and value at risk are not among them.
    ///
    /// Where the equity cannot be told in the fund's currency, what is a share of it is left out.
    ///
    /// # Errors
    /// Numbers beyond their types.
    pub fn limits_in_use(&self, ts: i64) -> Result<Vec<Usage>> {
        let mut found = Found(Vec::new());
        if self.equity_is_known() {
            let equity = self.exposure.equity(&self.ledger)?;
            self.sums_in_use(&self.caps_at(equity.max(0))?, &mut found)?;
            self.losses_in_use(equity, &mut found)?;
        }
        for sleeve in 0..self.config.sleeves.len() {
            if self.is_equity_known(sleeve) {
                self.sleeve_in_use(sleeve, &mut found)?;
            }
        }
        self.counts_in_use(ts, &mut found);
        Ok(found.0)
    }

    fn sums_in_use(&self, caps: &Caps, found: &mut Found) -> Result<()> {
        let rows = self.all_rows()?;
        let heaviest = rows.iter().map(Row::worst).max().unwrap_or(0);
        let sums = self.all_sums()?;
        let sector = self.exposure.sectors().iter().copied().max().unwrap_or(0);
        let leverage = self.exposure.leverage()?;
        for (rule, limit, used) in [
            (Rule::Position, self.config.limits.position_max, heaviest),
            (Rule::Concentration, caps.weight, heaviest),
            (Rule::Sector, caps.sector, sector),
            (Rule::Gross, caps.gross, sums.gross),
            (Rule::Leverage, caps.leverage, leverage),
            (Rule::Net, caps.net, sums.net()),
        ] {
            found.money(rule.name(), None, limit, used);
        }
        Ok(())
    }

    fn losses_in_use(&self, equity: i128, found: &mut Found) -> Result<()> {
        let breakers = &self.config.limits.breakers;
        for (cause, breaker, from) in [
            (Cause::Drawdown, &breakers.drawdown, self.guard.peak),
            (Cause::DayLoss, &breakers.day_loss, self.guard.open),
        ] {
            if let Some(breaker) = breaker {
                let limit = share_of(from, breaker.limit, "a loss")?;
                let lost = sub(from, equity, "a loss")?.max(0);
                found.money(cause.name(), None, Some(limit), lost);
            }
        }
        Ok(())
    }

    fn sleeve_in_use(&self, sleeve: usize, found: &mut Found) -> Result<()> {
        let limits = &self.config.sleeves[sleeve].limits;
        let whose = Some(sleeve);
        if let Some(cap) = self.sleeve_cap(sleeve, limits.weight_max)? {
            let mut worst = 0;
            for instrument in 0..self.config.instruments.len() {
                for leg in 0..self.exposure.legs {
                    worst = worst.max(self.exposure.burden(sleeve, instrument, leg).worst);
                }
            }
            found.money(Rule::SleeveConcentration.name(), whose, Some(cap), worst);
        }
        if let Some(cap) = self.sleeve_cap(sleeve, limits.gross_max)? {
            let gross = self.exposure.sleeve_gross(sleeve);
            found.money(Rule::SleeveGross.name(), whose, Some(cap), gross);
        }
        if let Some(share) = limits.drawdown_max {
            let peak = self.guard.sleeves[sleeve].peak;
            let equity = self.exposure.sleeve_equity(&self.ledger, sleeve)?;
            let limit = share_of(peak, share, "a loss")?;
            let lost = sub(peak, equity, "a loss")?.max(0);
            found.money(Cause::Drawdown.name(), whose, Some(limit), lost);
        }
        Ok(())
    }

    fn counts_in_use(&self, ts: i64, found: &mut Found) {
        let (limits, guard) = (&self.config.limits, &self.guard);
        if let Some(rate) = limits.order_rate {
            let used = guard.orders.within(ts, rate.window_ns);
            found.count(Rule::OrderRate.name(), None, used, rate.count);
        }
        for (sleeve, each) in self.config.sleeves.iter().enumerate() {
            if let Some(rate) = each.limits.order_rate {
                let used = guard.sleeves[sleeve].orders.within(ts, rate.window_ns);
                found.count(Rule::SleeveOrderRate.name(), Some(sleeve), used, rate.count);
            }
        }
        if let Some(breaker) = limits.breakers.order_rate {
            let used = guard.asked.within(ts, breaker.window_ns);
            found.count("order_rate_breaker", None, used, breaker.limit);
        }
        if let Some(breaker) = limits.breakers.rejects {
            let used = guard.refused.within(ts, breaker.window_ns);
            found.count(Cause::Rejects.name(), None, used, breaker.limit);
        }
    }
}
