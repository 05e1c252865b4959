//! Going through the checks, and finding how much of an order each of them accepts.

use std::ops::ControlFlow;

use super::{Ask, Breach, NEXT, Step};
use crate::numbers::Result;
use crate::output::{Figure, Rule};

/// What the checks so far have found.
pub(crate) struct Walk {
    is_sized: bool,
    found: Option<Breach>,
}

impl Walk {
    pub(crate) fn new(is_sized: bool) -> Self {
        Self {
            is_sized,
            found: None,
        }
    }

    /// Whether no check has failed.
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        self.found.is_none()
    }

    pub(crate) fn found(self) -> Option<Breach> {
        self.found
    }

    /// A check has failed. Orders that are cut go on to find the check that leaves the least.
    pub(crate) fn fail(&mut self, breach: Breach) -> ControlFlow<()> {
        if self.found.is_none_or(|known| breach.most < known.most) {
            self.found = Some(breach);
        }
        if self.is_sized && breach.most > 0 {
            NEXT
        } else {
            ControlFlow::Break(())
        }
    }

    /// A check that accepts a quantity which is known at once.
    pub(crate) fn at_most(
        &mut self,
        ask: &Ask,
        rule: Rule,
        most: i64,
        figure: Figure,
        limit: Figure,
    ) -> ControlFlow<()> {
        if ask.quantity() <= most {
            return NEXT;
        }
        self.fail(Breach {
            rule,
            figure,
            limit,
            most: most.max(0) / ask.lot * ask.lot,
        })
    }

    /// A check that does not depend on the quantity; where it is `free`, what reduces passes.
    pub(crate) fn holds(
        &mut self,
        ask: &Ask,
        rule: Rule,
        free: bool,
        figure: Figure,
        limit: Figure,
    ) -> ControlFlow<()> {
        let most = if free { ask.room } else { 0 };
        self.at_most(ask, rule, most, figure, limit)
    }

    /// A figure that grows with the lots: `found` is that of the whole order.
    #[inline]
    pub(crate) fn within(
        &mut self,
        ask: &Ask,
        rule: Rule,
        free: bool,
        (found, limit): (i128, i128),
        figure: impl Fn(i64) -> Result<i128>,
    ) -> Step {
        if found <= limit || (free && ask.is_reducing()) {
            return Ok(NEXT);
        }
        self.beyond(ask, rule, free, (found, limit), figure)
    }

    #[cold]
    fn beyond(
        &mut self,
        ask: &Ask,
        rule: Rule,
        free: bool,
        (found, limit): (i128, i128),
        figure: impl Fn(i64) -> Result<i128>,
    ) -> Step {
        let mut most = 0;
        if self.is_sized {
            most = most_lots(limit, ask.lots(), figure)? * ask.lot;
            if free {
                most = most.max(ask.room / ask.lot * ask.lot);
            }
        }
        Ok(self.fail(Breach {
            rule,
            figure: Figure::Money(found),
            limit: Figure::Money(limit),
            most,
        }))
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
