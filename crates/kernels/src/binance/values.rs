//! Values of fields, as the numbers that columns hold.

use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::decimal::{shown, units};

/// Make a seed that visits one kind of value.
macro_rules! seed {
    ($name:ty, $value:ty, $method:ident, $words:literal) => {
        impl<'de> DeserializeSeed<'de> for $name {
            type Value = $value;
            #[inline]
            fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<$value, D::Error> {
                parser.$method(self)
            }
        }
        impl $name {
            fn words(&self, to: &mut Formatter<'_>) -> fmt::Result {
                write!(to, "`{}`, {}", self.0, $words)
            }
        }
    };
}

pub(super) struct Symbol<'s>(pub(super) &'static str, pub(super) &'s mut String);
seed!(Symbol<'_>, i64, deserialize_str, "a name in quotes");

impl Visitor<'_> for Symbol<'_> {
    type Value = i64;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.words(to)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        if self.1.is_empty() {
            text.clone_into(self.1);
        }
        if self.1 == text {
            return Ok(0);
        }
        Err(E::custom(format_args!(
            "`{}` must be that of one symbol; found {}, {}",
            self.0,
            shown(self.1),
            shown(text)
        )))
    }
}

pub(super) struct Whole(pub(super) &'static str);
seed!(Whole, i64, deserialize_i64, "a whole number");

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.words(to)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| {
            E::custom(format_args!(
                "`{}` must be a whole number of 63 bits; found {value}",
                self.0
            ))
        })
    }
}

pub(super) struct Truth(pub(super) &'static str);
seed!(Truth, i64, deserialize_bool, "true or false");

impl Visitor<'_> for Truth {
    type Value = i64;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.words(to)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<i64, E> {
        Ok(i64::from(value))
    }
}

pub(super) struct Decimal(pub(super) &'static str, pub(super) u32);
seed!(Decimal, i64, deserialize_str, "a decimal number in quotes");

impl Visitor<'_> for Decimal {
    type Value = i64;

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.words(to)
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        units(text, self.1).map_err(|error| E::custom(format_args!("`{}` {error}", self.0)))
    }
}

/// One side of a book.
pub(super) struct Levels<'r> {
    pub(super) name: &'static str,
    pub(super) precision: u32,
    pub(super) price: &'r mut Vec<i64>,
    pub(super) size: &'r mut Vec<i64>,
}

impl<'de> DeserializeSeed<'de> for Levels<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Levels<'_> {
    type Value = ();

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "`{}`, a list of levels", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let level = Level(self.name, self.precision);
        while let Some((price, size)) = seq.next_element_seed(level)? {
            self.price.push(price);
            self.size.push(size);
        }
        Ok(())
    }
}

/// A price and a size.
#[derive(Clone, Copy)]
struct Level(&'static str, u32);
seed!(
    Level,
    (i64, i64),
    deserialize_seq,
    "of which a level is [price, size]"
);

impl<'de> Visitor<'de> for Level {
    type Value = (i64, i64);

    fn expecting(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.words(to)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(i64, i64), A::Error> {
        let Self(name, precision) = self;
        let price = seq.next_element_seed(Decimal(name, precision))?;
        let size = seq.next_element_seed(Decimal(name, precision))?;
        let more = seq.next_element::<IgnoredAny>()?;
        match (price, size, more) {
            (Some(price), Some(size), None) => Ok((price, size)),
            _ => Err(A::Error::custom(format_args!(
                "`{name}` must have levels of a price and a size; found another"
            ))),
        }
    }
}
