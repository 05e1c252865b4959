//! Checked integer arithmetic with named rounding. Units are those of `docs/engine/bars.md`, section 1.

use crate::error::EngineError;

/// Decimal digits of a money amount: one unit is `10^-12` of the currency.
pub const MONEY_DIGITS: u8 = 12;

/// One in rates, weights and shares.
pub const RATE_ONE: i64 = 1_000_000_000;

/// One unit of a currency, in money.
pub(crate) const MONEY_ONE: i64 = 1_000_000_000_000;

pub(crate) type Result<T> = std::result::Result<T, EngineError>;

/// Which way a quotient that is not whole goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
}

/// `dividend / divisor` for a positive divisor, rounded as named.
///
/// # Panics
///
/// If the divisor is not positive, which is a programmer's mistake.
#[must_use]
#[inline]
pub fn div_round(dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
    assert!(divisor > 0, "the divisor must be positive");
    // Most amounts fit in 64 bits, where a division takes a fraction of the time.
    // Quotients go towards zero here; the rest has the sign of the dividend.
    let narrow = (i64::try_from(dividend), i64::try_from(divisor));
    let (quotient, rest) = if let (Ok(a), Ok(b)) = narrow {
        (i128::from(a / b), i128::from(a % b))
    } else {
        let quotient = dividend / divisor;
        let whole = quotient.wrapping_mul(divisor); // no larger than the dividend
        (quotient, dividend.wrapping_sub(whole))
    };
    match rounding {
        Rounding::Down => quotient - i128::from(rest < 0),
        Rounding::Up => quotient + i128::from(rest > 0),
    }
}

/// Money for `quantity` at `price`, where `unit` is the money of one quantity unit at one price unit.
///
/// # Errors
///
/// [`EngineError::Overflow`] if the amount does not fit.
#[inline]
pub fn notional(quantity: i64, price: i64, unit: i128) -> Result<i128> {
    // The product of two i64 always fits into an i128.
    mul(
        i128::from(quantity) * i128::from(price),
        unit,
        "the notional of an order",
    )
}

// The sums below run at every order and bar: the error is made out of line, and only if needed.

#[cold]
#[inline(never)]
fn overflow(place: &'static str) -> EngineError {
    EngineError::Overflow { place }
}

#[inline]
pub(crate) fn add(a: i128, b: i128, place: &'static str) -> Result<i128> {
    match a.checked_add(b) {
        Some(sum) => Ok(sum),
        None => Err(overflow(place)),
    }
}

#[inline]
pub(crate) fn sub(a: i128, b: i128, place: &'static str) -> Result<i128> {
    match a.checked_sub(b) {
        Some(difference) => Ok(difference),
        None => Err(overflow(place)),
    }
}

#[inline]
pub(crate) fn mul(a: i128, b: i128, place: &'static str) -> Result<i128> {
    // Most factors fit in 64 bits, where a product cannot overflow.
    if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) {
        return Ok(i128::from(a) * i128::from(b));
    }
    match a.checked_mul(b) {
        Some(product) => Ok(product),
        None => Err(overflow(place)),
    }
}

#[inline]
pub(crate) fn quantity_add(a: i64, b: i64, place: &'static str) -> Result<i64> {
    match a.checked_add(b) {
        Some(sum) => Ok(sum),
        None => Err(overflow(place)),
    }
}

/// Money of one currency in another, whose price is `rate`, rounded down.
#[inline]
pub(crate) fn convert(amount: i128, rate: i128) -> Result<i128> {
    let product = mul(amount, rate, "a converted amount")?;
    Ok(div_round(product, i128::from(MONEY_ONE), Rounding::Down))
}

/// `amount * rate / 10^9`, rounded down: a share of an amount of money.
pub(crate) fn share_of(amount: i128, rate: i64, place: &'static str) -> Result<i128> {
    let product = mul(amount, i128::from(rate), place)?;
    Ok(div_round(product, i128::from(RATE_ONE), Rounding::Down))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounding_goes_the_named_way_for_both_signs() {
        assert_eq!(div_round(7, 2, Rounding::Down), 3);
        assert_eq!(div_round(7, 2, Rounding::Up), 4);
        assert_eq!(div_round(-7, 2, Rounding::Down), -4);
        assert_eq!(div_round(-7, 2, Rounding::Up), -3);
        assert_eq!(div_round(8, 2, Rounding::Up), 4);
    }

    proptest! {
        #[test]
        fn quotients_bracket_the_dividend(a in any::<i64>(), b in 1..i64::MAX, wide in any::<bool>()) {
            let scale = if wide { 1_i128 << 62 } else { 1 };
            let (a, b) = (i128::from(a) * scale, i128::from(b));
            let down = div_round(a, b, Rounding::Down);
            let up = div_round(a, b, Rounding::Up);
            prop_assert!(down * b <= a && a <= up * b && up - down <= 1);
        }
    }
}
