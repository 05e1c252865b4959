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

/// `amount / 10^9`, rounded as named: [`div_round`] by [`RATE_ONE`] without a wide division.
#[inline]
pub(crate) fn per_rate(amount: i128, rounding: Rounding) -> i128 {
    round_power::<9, 1_953_125, 43>(amount, rounding)
}

/// `amount / 10^12`, rounded as named: [`div_round`] by [`MONEY_ONE`] without a wide division.
#[inline]
pub(crate) fn per_money(amount: i128, rounding: Rounding) -> i128 {
    round_power::<12, 244_140_625, 36>(amount, rounding)
}

/// `amount / 10^ZEROS`, where `FIVES` is `5^ZEROS`, rounded as named.
///
/// After a shift by the power of two, three digits of `BITS` bits are divided one after the other,
/// each with the rest of the last: these fit in 64 bits, and the divisor is known to the compiler.
#[inline]
fn round_power<const ZEROS: u32, const FIVES: u64, const BITS: u32>(
    amount: i128,
    rounding: Rounding,
) -> i128 {
    let size = amount.unsigned_abs();
    let shifted = size >> ZEROS;
    let mut has_rest = shifted << ZEROS != size;
    let quotient = if let Ok(narrow) = u64::try_from(shifted) {
        has_rest |= narrow % FIVES != 0;
        u128::from(narrow / FIVES)
    } else {
        let (mut quotient, mut rest) = (0_u128, 0_u64);
        for digit in [2, 1, 0] {
            let mask = if digit == 2 {
                u64::MAX
            } else {
                (1 << BITS) - 1
            };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the rest is for the others"
            )]
            let part = (shifted >> (digit * BITS)) as u64 & mask;
            let part = rest << BITS | part;
            quotient = quotient << BITS | u128::from(part / FIVES);
            rest = part % FIVES;
        }
        has_rest |= rest != 0;
        quotient
    };
    let is_further = match rounding {
        Rounding::Down => has_rest && amount < 0,
        Rounding::Up => has_rest && amount > 0,
    };
    let quotient = quotient.cast_signed();
    let quotient = if amount < 0 { -quotient } else { quotient };
    match (is_further, rounding) {
        (false, _) => quotient,
        (true, Rounding::Down) => quotient - 1,
        (true, Rounding::Up) => quotient + 1,
    }
}

/// `dividend / divisor` for a positive divisor, to the nearest whole number, a half up.
pub(crate) fn div_nearest(dividend: i128, divisor: i128) -> i128 {
    let down = div_round(dividend, divisor, Rounding::Down);
    let rest = dividend - down * divisor;
    down + i128::from(rest >= divisor - rest)
}

/// `a * b / divisor` rounded as named, for `a` and `b` that are not negative and a positive
/// divisor; the product may be of 256 bits.
pub(crate) fn mul_div(a: i128, b: i128, divisor: i128, rounding: Rounding) -> Result<i128> {
    assert!(
        a >= 0 && b >= 0 && divisor > 0,
        "a share of a positive amount"
    );
    if let Some(product) = a.checked_mul(b) {
        return Ok(div_round(product, divisor, rounding));
    }
    let (mut high, mut low) = wide_product(a.unsigned_abs(), b.unsigned_abs());
    let divisor = divisor.unsigned_abs();
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    for _ in 0..256 {
        // The rest is below the divisor, which has 127 bits, so doubling it fits.
        rest = (rest << 1) | (high >> 127);
        high = (high << 1) | (low >> 127);
        low <<= 1;
        if quotient >> 127 != 0 {
            return Err(overflow("a share"));
        }
        quotient <<= 1;
        if rest >= divisor {
            rest -= divisor;
            quotient |= 1;
        }
    }
    let up = u128::from(rounding == Rounding::Up && rest > 0);
    i128::try_from(quotient + up).map_err(|_| overflow("a share"))
}

/// The 256 bits of a product of two numbers below `2^127`: high and low half.
fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a1, a0) = (a >> 64, a & HALF);
    let (b1, b0) = (b >> 64, b & HALF);
    let low = a0 * b0;
    let (left, right) = (a1 * b0, a0 * b1);
    let middle = (low >> 64) + (left & HALF) + (right & HALF);
    let high = a1 * b1 + (left >> 64) + (right >> 64) + (middle >> 64);
    (high, (low & HALF) | (middle << 64))
}

/// Money for `quantity` at `price`, where `unit` is the money of one quantity unit at one price unit.
///
/// # Errors
///
/// [`EngineError::Overflow`] if the amount does not fit.
#[inline(always)]
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

#[inline(always)]
pub(crate) fn add(a: i128, b: i128, place: &'static str) -> Result<i128> {
    match a.checked_add(b) {
        Some(sum) => Ok(sum),
        None => Err(overflow(place)),
    }
}

#[inline(always)]
pub(crate) fn sub(a: i128, b: i128, place: &'static str) -> Result<i128> {
    match a.checked_sub(b) {
        Some(difference) => Ok(difference),
        None => Err(overflow(place)),
    }
}

#[inline(always)]
pub(crate) fn mul(a: i128, b: i128, place: &'static str) -> Result<i128> {
    // Most factors fit in 64 bits, where a product cannot overflow.
    if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) {
        return Ok(i128::from(a) * i128::from(b));
    }
    wide_mul(a, b, place)
}

#[inline(never)]
fn wide_mul(a: i128, b: i128, place: &'static str) -> Result<i128> {
    match a.checked_mul(b) {
        Some(product) => Ok(product),
        None => Err(overflow(place)),
    }
}

#[inline(always)]
pub(crate) fn quantity_add(a: i64, b: i64, place: &'static str) -> Result<i64> {
    match a.checked_add(b) {
        Some(sum) => Ok(sum),
        None => Err(overflow(place)),
    }
}

/// How many times a lot goes into a quantity. Lots are nearly always of one unit, and a comparison
/// is much cheaper than a division.
#[inline(always)]
pub(crate) fn lots_in(quantity: i64, lot: i64) -> i64 {
    if lot == 1 { quantity } else { quantity / lot }
}

/// Whether a quantity is whole lots.
#[inline(always)]
pub(crate) fn is_multiple(quantity: i64, lot: i64) -> bool {
    lot == 1 || quantity % lot == 0
}

/// Money of one currency in another, whose price is `rate`, rounded down.
pub(crate) fn convert(amount: i128, rate: i128) -> Result<i128> {
    let product = mul(amount, rate, "a converted amount")?;
    Ok(per_money(product, Rounding::Down))
}

/// `amount * rate / 10^9`, rounded down: a share of an amount of money.
pub(crate) fn share_of(amount: i128, rate: i64, place: &'static str) -> Result<i128> {
    let product = mul(amount, i128::from(rate), place)?;
    Ok(per_rate(product, Rounding::Down))
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

    #[test]
    fn the_nearest_number_and_a_half_up() {
        let found = [-5, -3, -1, 1, 3, 5, 6].map(|x| div_nearest(x, 4));
        assert_eq!(found, [-1, -1, 0, 0, 1, 1, 2]);
        assert_eq!(div_nearest(-2, 4), 0);
        assert_eq!(div_nearest(2, 4), 1);
    }

    #[test]
    fn a_wide_share_that_does_not_fit_is_an_overflow() {
        assert!(mul_div(i128::MAX, 4, 2, Rounding::Down).is_err());
        assert_eq!(
            mul_div(i128::MAX, i128::MAX, i128::MAX, Rounding::Down).unwrap(),
            i128::MAX
        );
    }

    proptest! {
        #[test]
        fn shares_are_exact_however_wide(
            a in 0..i128::MAX, b in 0..i128::MAX, divisor in 1..i128::MAX, rest in 0..i64::MAX,
        ) {
            let (high, low) = wide_product(a.unsigned_abs(), b.unsigned_abs());
            prop_assert_eq!(low, a.unsigned_abs().wrapping_mul(b.unsigned_abs()));
            prop_assert!(high <= a.unsigned_abs().min(b.unsigned_abs()));
            // a * divisor + rest over divisor.
            prop_assert_eq!(mul_div(a, divisor, divisor, Rounding::Down).unwrap(), a);
            let rest = i128::from(rest);
            let down = mul_div(rest, b, divisor, Rounding::Down);
            let up = mul_div(rest, b, divisor, Rounding::Up);
            if let (Ok(down), Ok(up)) = (down, up) {
                prop_assert!(up - down <= 1);
                let exact = wide_product(rest.unsigned_abs(), b.unsigned_abs());
                let below = wide_product(down.unsigned_abs(), divisor.unsigned_abs());
                let above = wide_product(up.unsigned_abs(), divisor.unsigned_abs());
                prop_assert!(below <= exact && exact <= above);
            }
        }

        #[test]
        fn powers_of_ten_divide_like_any_number(
            high in any::<i128>(), shift in 0..128_u32, near in -2..3_i128,
        ) {
            let near_whole = (high >> shift) / 1_000_000_000_000 * 1_000_000_000_000;
            for amount in [high >> shift, near_whole.saturating_add(near)] {
                for rounding in [Rounding::Down, Rounding::Up] {
                    let rate = div_round(amount, i128::from(RATE_ONE), rounding);
                    prop_assert_eq!(per_rate(amount, rounding), rate);
                    let money = div_round(amount, i128::from(MONEY_ONE), rounding);
                    prop_assert_eq!(per_money(amount, rounding), money);
                }
            }
        }

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
