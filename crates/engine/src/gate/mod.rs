//! The gate: every order passes it, whoever sends it. Rules and figures are those of
//! `docs/engine/bars.md`, section 4.

use crate::engine::Engine;
use crate::input::OrderRequest;
use crate::numbers::{RATE_ONE, Result, Rounding, add, div_round, mul, share_of, sub};
use crate::order::Side;
use crate::output::{Figure, Rule};

/// A check that did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) figure: Figure,
    pub(crate) limit: Figure,
    /// The largest quantity that this check accepts.
    pub(crate) most: i64,
}

/// A check that grows with the quantity: it passes while `base + lots * per_lot`, plus a fee
/// where it says so, is within `limit`.
struct Measure {
    rule: Rule,
    in_money: bool,
    base: i128,
    per_lot: i128,
    limit: i128,
    /// Adds the fee of trading so much of an instrument.
    fee_of: Option<usize>,
}

/// The limits given as shares of equity, in money, for one equity: orders often come in numbers
/// between two changes of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caps {
    equity: Option<i128>,
    weight: Option<i128>,
    sector: Option<i128>,
    gross: Option<i128>,
}

impl Engine {
    /// The first rule that rejects the order as it stands.
    pub(crate) fn first_breach(
        &self,
        ts: i64,
        request: &OrderRequest,
        reference: i64,
    ) -> Result<Option<Breach>> {
        if let Some(breach) = self.sense_breach(ts, request) {
            return Ok(Some(breach));
        }
        let lots = request.quantity / self.config.instruments[request.instrument].lot_size;
        let mut found = None;
        self.measures(request, reference, |measure| {
            let figure = self.figure(&measure, lots)?;
            if figure <= measure.limit {
                return Ok(false);
            }
            found = Some(self.breach(&measure, request, figure)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The rule that allows the smallest quantity, if any cuts the order.
    pub(crate) fn tightest_breach(
        &self,
        request: &OrderRequest,
        reference: i64,
    ) -> Result<Option<Breach>> {
        let lots = request.quantity / self.config.instruments[request.instrument].lot_size;
        let mut tightest: Option<Breach> = None;
        self.measures(request, reference, |measure| {
            let figure = self.figure(&measure, lots)?;
            if figure > measure.limit {
                let breach = self.breach(&measure, request, figure)?;
                if tightest.is_none_or(|known| breach.most < known.most) {
                    tightest = Some(breach);
                }
            }
            Ok(false)
        })?;
        Ok(tightest)
    }

    /// Rules 1 to 7: whether the order makes sense at all.
    pub(crate) fn sense_breach(&self, ts: i64, request: &OrderRequest) -> Option<Breach> {
        let plain = |rule| {
            Some(Breach {
                rule,
                figure: Figure::None,
                limit: Figure::None,
                most: 0,
            })
        };
        if !self.is_listed(request.instrument, ts) {
            return plain(Rule::NotListed);
        }
        let Some(mark) = self.mark(request.instrument) else {
            return plain(Rule::NoPrice);
        };
        self.form_breach(ts, request, mark)
            .or_else(|| self.band_breach(request, mark))
    }

    /// Whether a price is on the right side of one edge of the band around `reference`:
    /// of the upper one for buys, of the lower one for sales.
    pub(crate) fn in_band(&self, price: i64, reference: i64, side: Side) -> bool {
        let band = self.config.limits.price_band;
        let price = i128::from(price) * i128::from(RATE_ONE);
        let reference = i128::from(reference);
        match side {
            Side::Buy => price <= reference * i128::from(RATE_ONE + band),
            Side::Sell => price >= reference * i128::from(RATE_ONE - band),
        }
    }

    /// The edge of the band in whole price units, rounded towards `reference`.
    pub(crate) fn band_edge(&self, reference: i64, side: Side) -> i64 {
        let band = self.config.limits.price_band;
        let (factor, rounding) = match side {
            Side::Buy => (RATE_ONE + band, Rounding::Down),
            Side::Sell => (RATE_ONE - band, Rounding::Up),
        };
        let product = i128::from(reference) * i128::from(factor);
        let edge = div_round(product, i128::from(RATE_ONE), rounding);
        i64::try_from(edge).unwrap_or(i64::MAX)
    }

    /// Rules 8 to 15, in order, until `visit` says that it has seen enough.
    #[inline]
    fn measures(
        &self,
        request: &OrderRequest,
        reference: i64,
        mut visit: impl FnMut(Measure) -> Result<bool>,
    ) -> Result<()> {
        let (i, sleeve) = (request.instrument, request.sleeve);
        let instrument = &self.config.instruments[i];
        let limits = &self.config.limits;
        let lot = instrument.lot_size;
        let in_quantity = |rule, limit| Measure {
            rule,
            in_money: false,
            base: 0,
            per_lot: i128::from(lot),
            limit,
            fee_of: None,
        };
        if let Some(most) = limits.fat_finger_quantity {
            let scale = 10_i128.pow(u32::from(instrument.quantity_precision));
            let limit = mul(i128::from(most), scale, "a limit")?;
            if visit(in_quantity(Rule::FatFingerQuantity, limit))? {
                return Ok(());
            }
        }
        let in_money = |rule, base, per_lot, limit| Measure {
            rule,
            in_money: true,
            base,
            per_lot,
            limit,
            fee_of: None,
        };
        let at_reference = self.exposure.notional(i, lot, reference)?;
        if let Some(limit) = limits.fat_finger_notional
            && visit(in_money(Rule::FatFingerNotional, 0, at_reference, limit))?
        {
            return Ok(());
        }
        if request.side == Side::Sell {
            let held = i128::from(self.ledger.quantity(sleeve, i));
            let limit = held - i128::from(self.exposure.line(sleeve, i, 0).sales);
            visit(in_quantity(Rule::NoShort, limit))?;
            return Ok(());
        }
        let mut cash = in_money(
            Rule::Cash,
            0,
            at_reference,
            self.available(sleeve, instrument.currency)?.max(0),
        );
        cash.fee_of = Some(i);
        if visit(cash)? {
            return Ok(());
        }
        self.exposure_measures(request, |rule, base, per_lot, limit| {
            visit(in_money(rule, base, per_lot, limit))
        })
    }

    /// Rules 12 to 15, which look at the whole fund.
    fn exposure_measures(
        &self,
        request: &OrderRequest,
        mut visit: impl FnMut(Rule, i128, i128, i128) -> Result<bool>,
    ) -> Result<()> {
        let limits = &self.config.limits;
        if (
            limits.position_max,
            limits.weight_max,
            limits.sector_max,
            limits.gross_max,
        ) == (None, None, None, None)
        {
            return Ok(());
        }
        let i = request.instrument;
        let mark = self
            .mark(i)
            .expect("an order is priced before it is measured");
        let per_lot = self
            .exposure
            .notional(i, self.config.instruments[i].lot_size, mark)?;
        let held = self.exposure.row(i).worst();
        if let Some(limit) = limits.position_max
            && visit(Rule::Position, held, per_lot, limit)?
        {
            return Ok(());
        }
        let sector = self.exposure.sector(i);
        let caps = self.caps;
        let shares = [
            (Rule::Concentration, caps.weight, held),
            (Rule::Sector, caps.sector, sector),
            (Rule::Gross, caps.gross, self.exposure.sums().gross),
        ];
        for (rule, cap, base) in shares {
            if let Some(cap) = cap
                && visit(rule, base, per_lot, cap)?
            {
                break;
            }
        }
        Ok(())
    }

    /// Bring the limits given as shares up to the equity of now, before buys are measured.
    pub(crate) fn update_caps(&mut self) -> Result<()> {
        let limits = &self.config.limits;
        let equity = self.exposure.equity(&self.ledger)?.max(0);
        if self.caps.equity != Some(equity) {
            let cap =
                |share: Option<i64>| share.map(|s| share_of(equity, s, "a limit")).transpose();
            self.caps = Caps {
                equity: Some(equity),
                weight: cap(limits.weight_max)?,
                sector: cap(limits.sector_max)?,
                gross: cap(limits.gross_max)?,
            };
        }
        Ok(())
    }

    /// What a measure comes to with so many lots.
    #[inline]
    fn figure(&self, measure: &Measure, lots: i64) -> Result<i128> {
        let part = mul(i128::from(lots), measure.per_lot, "a gate figure")?;
        let figure = add(measure.base, part, "a gate figure")?;
        let Some(instrument) = measure.fee_of else {
            return Ok(figure);
        };
        let quantity = lots * self.config.instruments[instrument].lot_size;
        add(
            figure,
            self.exposure.fees[instrument].worst(part, quantity)?,
            "a gate figure",
        )
    }

    /// What there is to say about a measure that is above its limit.
    #[cold]
    fn breach(&self, measure: &Measure, request: &OrderRequest, figure: i128) -> Result<Breach> {
        let lot = self.config.instruments[request.instrument].lot_size;
        let lots = request.quantity / lot;
        let most = if let Some(instrument) = measure.fee_of {
            self.affordable_lots(instrument, measure.limit, measure.per_lot, lots)?
        } else {
            let headroom = sub(measure.limit, measure.base, "a gate figure")?.max(0);
            let lots = div_round(headroom, measure.per_lot, Rounding::Down);
            i64::try_from(lots).expect("fewer lots than were asked for")
        };
        let (figure, limit) = if measure.in_money {
            (Figure::Money(figure), Figure::Money(measure.limit))
        } else {
            (quantity_figure(figure), quantity_figure(measure.limit))
        };
        Ok(Breach {
            rule: measure.rule,
            figure,
            limit,
            most: most * lot,
        })
    }

    /// What a sleeve may spend: its cash, less what its buys in flight reserve, plus what its
    /// sales in flight bring at the worst.
    pub(crate) fn available(&self, sleeve: usize, currency: usize) -> Result<i128> {
        let free = sub(
            self.spendable(sleeve, currency)?,
            self.exposure.reserved(sleeve, currency)?,
            "available cash",
        )?;
        add(
            free,
            self.exposure.expected(sleeve, currency),
            "available cash",
        )
    }

    /// The most lots, up to `wanted`, whose cost with fee is within `cash`.
    pub(crate) fn affordable_lots(
        &self,
        instrument: usize,
        cash: i128,
        per_lot: i128,
        wanted: i64,
    ) -> Result<i64> {
        let fees = &self.exposure.fees[instrument];
        let lot = self.config.instruments[instrument].lot_size;
        most_lots(cash, wanted, |lots| {
            let cost = mul(i128::from(lots), per_lot, "the cost of an order")?;
            add(cost, fees.worst(cost, lots * lot)?, "the cost of an order")
        })
    }
}

/// The most lots, up to `wanted`, whose cost is within `cash`, where more lots never cost less.
pub(crate) fn most_lots(
    cash: i128,
    wanted: i64,
    cost: impl Fn(i64) -> Result<i128>,
) -> Result<i64> {
    if cash < 0 || wanted <= 0 {
        return Ok(0);
    }
    let whole = cost(wanted)?;
    if whole <= cash {
        return Ok(wanted);
    }
    // Costs are nearly in proportion, so the answer is close to the first guess.
    let guess = i128::from(wanted)
        .checked_mul(cash)
        .and_then(|product| i64::try_from(product / whole).ok())
        .unwrap_or(wanted / 2);
    let (mut lower, mut upper) = (0, wanted - 1);
    let mut probe = guess.min(upper);
    let mut step = 1;
    while lower < upper {
        if cost(probe)? <= cash {
            lower = probe;
            probe = lower.saturating_add(step).min(upper);
        } else {
            upper = probe - 1;
            probe = (upper - step).max(lower);
        }
        step = step.saturating_mul(2);
        if step > upper - lower {
            probe = lower + (upper - lower + 1) / 2;
        }
    }
    Ok(lower)
}

fn quantity_figure(units: i128) -> Figure {
    Figure::Quantity(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn most_lots_fit_and_one_more_does_not(
            per_lot in 1..1_000_000_i128, fixed in 0..5_000_i128, coin in 1..5_000_i128,
            cash in -10..1_000_000_000_000_i128, wanted in 0..1_000_000_i64,
        ) {
            let cost = |lots: i64| {
                let part = i128::from(lots) * per_lot;
                Ok(part + (part / 100).max(fixed) / coin * coin)
            };
            let most = most_lots(cash, wanted, cost).unwrap();
            prop_assert!(most == 0 || cost(most).unwrap() <= cash);
            prop_assert!(most == wanted || cost(most + 1).unwrap() > cash);
        }
    }
}
