//! What marks, rates, positions and orders change in the sums.

use super::line::Move;
use super::{Burden, Exposure, Holding, Line, Row, Sums, Tally, Till};
use crate::config::Settlement;
use crate::numbers::{Result, add, mul, sub};

/// How the bounds of a row in the fund's currency move, and what that is worth.
struct RowMove {
    rise: i128,
    fall: i128,
    up: i128,
    down: i128,
}

/// Move the bounds of a row, and with them the sums.
#[inline(always)]
fn move_row(moved: &RowMove, tally: &mut Tally, sums: &mut Sums, sector: &mut i128) -> Result<()> {
    let place = "an exposure";
    let row = &mut tally.row;
    if moved.rise != 0 {
        row.high = add(row.high, moved.rise, place)?;
        row.up = add(row.up, moved.up, place)?;
        sums.up = add(sums.up, moved.up, place)?;
    }
    if moved.fall != 0 {
        row.low = add(row.low, moved.fall, place)?;
        row.down = add(row.down, moved.down, place)?;
        sums.down = add(sums.down, moved.down, place)?;
    }
    let worst = row.worst();
    let change = sub(worst, tally.worst, place)?;
    if change != 0 {
        tally.worst = worst;
        sums.gross = add(sums.gross, change, place)?;
        *sector = add(*sector, change, "a sector's exposure")?;
    }
    Ok(())
}

/// Change what a line adds to the figures of its sleeve.
#[inline(always)]
fn add_burden(
    change: &Burden,
    holding: &mut Holding,
    gross: &mut i128,
    till: &mut Till,
) -> Result<()> {
    let burden = &mut holding.burden;
    burden.worst = add(burden.worst, change.worst, "an exposure")?;
    burden.margin = add(burden.margin, change.margin, "a margin")?;
    *gross = add(*gross, change.worst, "a sleeve's exposure")?;
    till.margin = add(till.margin, change.margin, "a sleeve's margin")?;
    Ok(())
}

impl Exposure {
    #[inline]
    pub(crate) fn mark_changed(&mut self, instrument: usize, old: i64, new: i64) -> Result<()> {
        if self.tallies[instrument].active == 0 {
            return Ok(());
        }
        self.marked(instrument, old, new)
    }

    #[inline(never)]
    fn marked(&mut self, instrument: usize, old: i64, new: i64) -> Result<()> {
        let facts = &self.facts[instrument];
        let change = sub(i128::from(new), i128::from(old), "a mark")?;
        let per_unit = mul(change, facts.unit, "a mark")?;
        let is_position = !matches!(facts.settlement, Settlement::Exchange { .. });
        let currency = facts.currency;
        for sleeve in 0..self.sleeves {
            for leg in 0..self.legs {
                let line = self.line(sleeve, instrument, leg);
                if line.held != 0 && is_position {
                    let gain = mul(i128::from(line.held), per_unit, "a marked position")?;
                    let till = &mut self.tills[sleeve * self.currencies + currency];
                    till.value = add(till.value, gain, "a marked position")?;
                }
                if self.by_sleeve && line != Line::default() {
                    self.weigh(sleeve, instrument, leg, new)?;
                }
            }
        }
        self.refresh(instrument, new)
    }

    /// A position changed without an order; `cost` is how much its cost changed.
    pub(crate) fn position_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        leg: usize,
        quantity: i64,
        cost: i128,
        mark: i64,
    ) -> Result<()> {
        let facts = &self.facts[instrument];
        // The position in a currency is cash of the base currency.
        if matches!(facts.settlement, Settlement::Exchange { .. }) {
            return Ok(());
        }
        let change = self.value_added(instrument, quantity, cost, mark)?;
        let till = &mut self.tills[sleeve * self.currencies + facts.currency];
        till.value = add(till.value, change, "a marked position")?;
        let change = Line {
            held: quantity,
            ..Line::default()
        };
        self.line_changed((sleeve, instrument, leg), mark, &change)
    }

    /// What a change of a position adds to what positions are worth beyond cash.
    #[inline]
    pub(super) fn value_added(
        &self,
        instrument: usize,
        quantity: i64,
        cost: i128,
        mark: i64,
    ) -> Result<i128> {
        let worth = self.notional(instrument, quantity, mark)?;
        match self.facts[instrument].settlement {
            Settlement::Difference => sub(worth, cost, "a marked position"),
            _ => Ok(worth),
        }
    }

    /// The cost of a position of differences changed, and nothing else.
    pub(crate) fn cost_changed(
        &mut self,
        sleeve: usize,
        instrument: usize,
        cost: i128,
    ) -> Result<()> {
        let currency = self.facts[instrument].currency;
        let till = &mut self.tills[sleeve * self.currencies + currency];
        till.value = sub(till.value, cost, "a marked position")?;
        Ok(())
    }

    /// Change a line by so much, and all that follows from it, at the mark at which all of it
    /// stands.
    #[inline(never)]
    pub(super) fn line_changed(
        &mut self,
        (sleeve, instrument, leg): (usize, usize, usize),
        mark: i64,
        change: &Line,
    ) -> Result<()> {
        let (legs, by_sleeve) = (self.legs, self.by_sleeve);
        let place = self.place(sleeve, instrument, leg);
        let holding = &mut self.holdings[place];
        let old = holding.line;
        let new = old.plus(change)?;
        holding.line = new;
        let tally = &mut self.tallies[instrument];
        match (old.is_empty(), new.is_empty()) {
            (true, false) => tally.active += 1,
            (false, true) => tally.active -= 1,
            _ => {}
        }
        let facts = &self.facts[instrument];
        // Nearly always everything fits in 64 bits, and is in the fund's currency.
        let narrow = Move::new(&old, &new, legs, leg).zip(facts.per_unit(mark));
        let Some((moved, per_unit)) = narrow.filter(|_| facts.currency == 0) else {
            return self.line_changed_widely((sleeve, instrument, leg), mark, (&old, &new));
        };
        tally.short += i128::from(moved.shorter);
        if by_sleeve && moved.heavier != 0 {
            let (worst, margin) = facts.burden(moved.heavier, per_unit)?;
            let till = &mut self.tills[sleeve * self.currencies];
            let gross = &mut self.sleeve_gross[sleeve];
            add_burden(&Burden { worst, margin }, holding, gross, till)?;
        }
        // Most changes move one bound.
        let amount = |quantity: i64| match quantity {
            0 => 0,
            _ => i128::from(quantity) * i128::from(per_unit),
        };
        let moved = RowMove {
            rise: i128::from(moved.rise),
            fall: i128::from(moved.fall),
            up: amount(moved.rise),
            down: amount(moved.fall),
        };
        let sector = &mut self.by_sector[facts.sector];
        move_row(&moved, tally, &mut self.sums, sector)
    }

    /// The same in another currency, or of quantities that do not fit in 64 bits.
    #[inline(never)]
    fn line_changed_widely(
        &mut self,
        (sleeve, instrument, leg): (usize, usize, usize),
        mark: i64,
        (old, new): (&Line, &Line),
    ) -> Result<()> {
        let (legs, place) = (self.legs, self.place(sleeve, instrument, leg));
        let tally = &mut self.tallies[instrument];
        let (rise, fall) = (new.high() - old.high(), new.low() - old.low());
        tally.short += new.short(legs, leg) - old.short(legs, leg);
        let heavier = new.worst(legs, leg) - old.worst(legs, leg);
        let facts = &self.facts[instrument];
        if facts.currency != 0 {
            // What is converted is rounded as a whole.
            tally.row.high += rise;
            tally.row.low += fall;
            if self.by_sleeve && heavier != 0 {
                self.weigh(sleeve, instrument, leg, mark)?;
            }
            return self.refresh(instrument, mark);
        }
        if self.by_sleeve && heavier != 0 {
            let worst = facts.amount(heavier, mark)?;
            let burden = Burden {
                worst,
                margin: facts.margin(worst)?,
            };
            self.burden_changed(place, (sleeve, 0), &burden)?;
        }
        let facts = &self.facts[instrument];
        let moved = RowMove {
            rise,
            fall,
            up: facts.amount(rise, mark)?,
            down: facts.amount(fall, mark)?,
        };
        let tally = &mut self.tallies[instrument];
        let sector = &mut self.by_sector[facts.sector];
        move_row(&moved, tally, &mut self.sums, sector)
    }

    /// A currency has a new rate.
    pub(crate) fn rate_changed(
        &mut self,
        currency: usize,
        rate: i128,
        mark_of: impl Fn(usize) -> i64,
    ) -> Result<()> {
        self.rates[currency] = Some(rate);
        for instrument in 0..self.tallies.len() {
            if self.facts[instrument].currency == currency && self.tallies[instrument].active > 0 {
                let mark = mark_of(instrument);
                if self.by_sleeve {
                    for place in 0..self.sleeves * self.legs {
                        self.weigh(place / self.legs, instrument, place % self.legs, mark)?;
                    }
                }
                self.refresh(instrument, mark)?;
            }
        }
        Ok(())
    }

    /// A quantity of an instrument at its mark, in the fund's currency, with its sign.
    #[inline(always)]
    fn value_of(&self, instrument: usize, quantity: i128, mark: i64) -> Result<i128> {
        let facts = &self.facts[instrument];
        self.worth_of(facts.currency, facts.amount(quantity, mark)?)
    }

    /// An amount in the fund's currency, rounded towards zero.
    #[inline(always)]
    fn worth_of(&self, currency: usize, amount: i128) -> Result<i128> {
        if currency == 0 {
            return Ok(amount);
        }
        let value = self.in_fund_currency(currency, amount.abs())?;
        Ok(if amount < 0 { -value } else { value })
    }

    /// A row with other bounds.
    #[inline]
    pub(crate) fn row_of(
        &self,
        instrument: usize,
        high: i128,
        low: i128,
        mark: i64,
    ) -> Result<Row> {
        let up = self.value_of(instrument, high, mark)?;
        let down = if low == high {
            up
        } else {
            self.value_of(instrument, low, mark)?
        };
        Ok(Row {
            high,
            low,
            up,
            down,
        })
    }

    /// The margin that a line needs more if it becomes another one, in `10^-21`.
    #[inline(always)]
    pub(crate) fn margin_added(
        &self,
        instrument: usize,
        leg: usize,
        (old, new): (&Line, &Line),
        mark: i64,
    ) -> Result<i128> {
        let facts = &self.facts[instrument];
        let heavier = new.worst(self.legs, leg) - old.worst(self.legs, leg);
        facts.margin(facts.amount(heavier, mark)?)
    }

    /// What a line would add to its sleeve's figures.
    #[inline]
    pub(crate) fn burden_of(
        &self,
        instrument: usize,
        leg: usize,
        line: &Line,
        mark: i64,
    ) -> Result<Burden> {
        let facts = &self.facts[instrument];
        let amount = facts.amount(line.worst(self.legs, leg), mark)?;
        Ok(Burden {
            worst: self.worth_of(facts.currency, amount)?,
            margin: facts.margin(amount)?,
        })
    }

    /// Bring what a line adds to its sleeve's figures up to date.
    fn weigh(&mut self, sleeve: usize, instrument: usize, leg: usize, mark: i64) -> Result<()> {
        let place = self.place(sleeve, instrument, leg);
        let new = self.burden_of(instrument, leg, &self.holdings[place].line, mark)?;
        let old = self.holdings[place].burden;
        let change = Burden {
            worst: new.worst - old.worst,
            margin: new.margin - old.margin,
        };
        let currency = self.facts[instrument].currency;
        self.burden_changed(place, (sleeve, currency), &change)
    }

    fn burden_changed(
        &mut self,
        place: usize,
        (sleeve, currency): (usize, usize),
        change: &Burden,
    ) -> Result<()> {
        let till = &mut self.tills[sleeve * self.currencies + currency];
        let gross = &mut self.sleeve_gross[sleeve];
        add_burden(change, &mut self.holdings[place], gross, till)
    }

    /// Bring the worst case of an instrument, and the sums over it, up to date.
    #[inline]
    fn refresh(&mut self, instrument: usize, mark: i64) -> Result<()> {
        let Row { high, low, .. } = self.tallies[instrument].row;
        let row = self.row_of(instrument, high, low, mark)?;
        self.set_row(instrument, row)
    }

    #[inline]
    fn set_row(&mut self, instrument: usize, new: Row) -> Result<()> {
        let tally = &mut self.tallies[instrument];
        let old = std::mem::replace(&mut tally.row, new);
        tally.worst = new.worst();
        self.sums = self.sums.replace(&old, &new)?;
        let change = sub(new.worst(), old.worst(), "an exposure")?;
        let sector = &mut self.by_sector[self.facts[instrument].sector];
        *sector = add(*sector, change, "a sector's exposure")?;
        Ok(())
    }
}
