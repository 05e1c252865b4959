//! Decimal numbers in text as whole numbers, without a float on the way.

/// The finest precision: one and 18 zeros still is a whole number of 64 bits.
pub const PRECISION_MOST: u32 = 18;

/// How many units of `10^-precision` a number such as `61737.63000000` is; says what is wrong with
/// it. Signs and exponents are no prices.
#[inline]
pub fn units(text: &str, precision: u32) -> Result<i64, String> {
    exact(text.as_bytes(), precision).ok_or_else(|| refusal(text, precision))
}

#[inline]
fn exact(text: &[u8], precision: u32) -> Option<i64> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b"0"[..]),
    };
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let kept = fraction.len().min(precision as usize);
    let (fraction, rest) = fraction.split_at(kept);
    if rest.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let value = digits(digits(0, whole)?, fraction)?;
    let missing = precision - u32::try_from(kept).ok()?;
    let value = value.checked_mul(10_u64.checked_pow(missing)?)?;
    i64::try_from(value).ok()
}

/// The number whose digits are those of `value`, followed by these.
#[inline]
fn digits(mut value: u64, mut text: &[u8]) -> Option<u64> {
    while let Some((eight, rest)) = text.split_first_chunk::<8>() {
        value = value
            .checked_mul(100_000_000)?
            .checked_add(eight_digits(*eight)?)?;
        text = rest;
    }
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// Eight digits at once: neighbours are joined to pairs, pairs to fours, and fours to the number.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let found = u64::from_le_bytes(text);
    let values = found ^ 0x3030_3030_3030_3030;
    // A digit is 0 to 9 by now: more reaches the highest bit of its byte when 118 is added.
    if (values | (values & !HIGH).wrapping_add(0x7676_7676_7676_7676)) & HIGH != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// Why a text is refused.
#[cold]
fn refusal(text: &str, precision: u32) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rule = if !plain(whole) || !plain(fraction) {
        "must be a decimal number".to_owned()
    } else if fraction.trim_end_matches('0').len() > precision as usize {
        format!("must have at most {precision} decimals")
    } else {
        format!("must fit into 64 bits with {precision} decimals")
    };
    format!("{rule}; found '{}'", shown(text))
}

/// The beginning of it: a message need not repeat a thousand digits.
pub fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::units;

    /// The same by arithmetic on 128 bits, one digit after the other.
    fn reference(text: &str, precision: u32) -> Option<i64> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if whole.is_empty() || fraction.is_empty() {
            return None;
        }
        let mut value = 0_i128;
        let mut all = whole.to_owned();
        for place in 0..fraction.len().max(precision as usize) {
            let digit = fraction
                .as_bytes()
                .get(place)
                .map_or('0', |byte| char::from(*byte));
            if place < precision as usize {
                all.push(digit);
            } else if digit != '0' {
                return None;
            }
        }
        for digit in all.chars() {
            value = value
                .checked_mul(10)?
                .checked_add(i128::from(digit.to_digit(10)?))?;
        }
        i64::try_from(value).ok()
    }

    proptest! {
        #[test]
        fn numbers_are_what_their_digits_say(
            text in "[0-9]{0,22}(\\.[0-9]{0,12}0{0,12})?",
            precision in 0_u32..=18,
        ) {
            prop_assert_eq!(units(&text, precision).ok(), reference(&text, precision));
        }

        #[test]
        fn other_text_is_refused_with_words(text in ".{0,12}", precision in 0_u32..=18) {
            match units(&text, precision) {
                Ok(value) => prop_assert_eq!(Some(value), reference(&text, precision)),
                Err(error) => prop_assert!(error.starts_with("must "), "{}", error),
            }
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (text, precision, words) in [
            ("", 8, "must be a decimal number; found ''"),
            ("-1", 8, "must be a decimal number; found '-1'"),
            ("1e5", 8, "must be a decimal number; found '1e5'"),
            ("1.", 8, "must be a decimal number; found '1.'"),
            (".5", 8, "must be a decimal number; found '.5'"),
            ("1.2.3", 8, "must be a decimal number; found '1.2.3'"),
            ("0.125", 2, "must have at most 2 decimals; found '0.125'"),
            ("92233720369", 8, "must fit into 64 bits with 8 decimals"),
            (
                "99999999999999999999",
                0,
                "must fit into 64 bits with 0 decimals",
            ),
            ("1234567:", 0, "must be a decimal number; found '1234567:'"),
            ("1234567/", 0, "must be a decimal number; found '1234567/'"),
        ] {
            let found = units(text, precision).expect_err(text);
            assert!(found.starts_with(words), "{found}");
        }
        assert_eq!(units("92233720368.54775807", 8), Ok(i64::MAX));
        assert_eq!(units("0.120000000000000000000000000", 2), Ok(12));
    }
}
