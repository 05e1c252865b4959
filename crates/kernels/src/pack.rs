//! Several instruments at once: the same arithmetic in the same order for each, side by side.
//!
//! The states of neighbouring instruments that have seen equally many values differ in nothing but
//! their numbers, so one update of packs does what as many updates of single numbers would, bit for
//! bit, and the compiler turns it into vector instructions. Where they have not, for one of them
//! misses a bar, each goes on by itself.

use std::ops::{Add, Div, Mul, Sub};

/// Instruments of a pack: one cache line.
pub const WIDTH: usize = 8;

/// One number of each of [`WIDTH`] instruments.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub struct Pack(pub [f64; WIDTH]);

/// What a formula works on: the number of one instrument, or those of a pack.
pub trait Value:
    Copy
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The same number for each instrument.
    fn of(number: f64) -> Self;
    /// A formula for each instrument by itself; without branches it becomes vector instructions.
    fn each<const N: usize>(inputs: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self;
    /// Whether there is any instrument with a finite number.
    fn any_finite(self) -> bool;

    #[inline(always)]
    fn map(self, formula: impl Fn(f64) -> f64) -> Self {
        Self::each([self], |[x]| formula(x))
    }

    /// This where it is finite, else the other.
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self::each([self, other], |[x, y]| if x.is_finite() { x } else { y })
    }
}

impl Value for f64 {
    #[inline(always)]
    fn of(number: f64) -> Self {
        number
    }
    #[inline(always)]
    fn each<const N: usize>(inputs: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self {
        formula(inputs)
    }
    #[inline(always)]
    fn any_finite(self) -> bool {
        self.is_finite()
    }
}

impl Value for Pack {
    #[inline(always)]
    fn of(number: f64) -> Self {
        Self([number; WIDTH])
    }
    #[inline(always)]
    fn each<const N: usize>(inputs: [Self; N], formula: impl Fn([f64; N]) -> f64) -> Self {
        let mut result = [0.0; WIDTH];
        for (lane, result) in result.iter_mut().enumerate() {
            let mut values = [0.0; N];
            for (value, input) in values.iter_mut().zip(&inputs) {
                *value = input.0[lane];
            }
            *result = formula(values);
        }
        Self(result)
    }
    #[inline(always)]
    fn any_finite(self) -> bool {
        self.0.iter().any(|x| x.is_finite())
    }
}

macro_rules! arithmetic {
    ($($name:ident $method:ident $sign:tt;)*) => {$(
        impl $name for Pack {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::each([self, other], |[x, y]| x $sign y)
            }
        }
        impl $name<f64> for Pack {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                Self::each([self], |[x]| x $sign other)
            }
        }
    )*};
}

arithmetic! {
    Add add +;
    Sub sub -;
    Mul mul *;
    Div div /;
}

/// States of single instruments that can become one of a pack, and again single ones.
pub trait Fuse: Sized {
    type Wide;
    /// One state for all, unless they stand at different places.
    fn fuse(states: [&Self; WIDTH]) -> Option<Self::Wide>;
    /// The state of one of them.
    fn lane(wide: &Self::Wide, lane: usize) -> Self;
}

impl Fuse for f64 {
    type Wide = Pack;
    fn fuse(states: [&Self; WIDTH]) -> Option<Pack> {
        Some(Pack(states.map(|state| *state)))
    }
    fn lane(wide: &Pack, lane: usize) -> Self {
        wide.0[lane]
    }
}

impl<T: Fuse> Fuse for Option<T> {
    type Wide = Option<T::Wide>;
    fn fuse(states: [&Self; WIDTH]) -> Option<Self::Wide> {
        if states.iter().all(|state| state.is_none()) {
            return Some(None);
        }
        let mut inner = [states[0].as_ref()?; WIDTH];
        for (inner, state) in inner.iter_mut().zip(states) {
            *inner = state.as_ref()?;
        }
        T::fuse(inner).map(Some)
    }
    fn lane(wide: &Self::Wide, lane: usize) -> Self {
        wide.as_ref().map(|wide| T::lane(wide, lane))
    }
}

impl<T: Fuse> Fuse for Vec<T> {
    type Wide = Vec<T::Wide>;
    fn fuse(states: [&Self; WIDTH]) -> Option<Self::Wide> {
        if states.iter().any(|state| state.len() != states[0].len()) {
            return None;
        }
        (0..states[0].len())
            .map(|place| T::fuse(states.map(|state| &state[place])))
            .collect()
    }
    fn lane(wide: &Self::Wide, lane: usize) -> Self {
        wide.iter().map(|wide| T::lane(wide, lane)).collect()
    }
}

impl<T: Fuse, U: Fuse> Fuse for (T, U) {
    type Wide = (T::Wide, U::Wide);
    fn fuse(states: [&Self; WIDTH]) -> Option<Self::Wide> {
        let first = T::fuse(states.map(|state| &state.0))?;
        Some((first, U::fuse(states.map(|state| &state.1))?))
    }
    fn lane(wide: &Self::Wide, lane: usize) -> Self {
        (T::lane(&wide.0, lane), U::lane(&wide.1, lane))
    }
}

/// Whether all are the same.
pub fn alike<T: PartialEq>(values: [&T; WIDTH]) -> bool {
    values.iter().all(|value| *value == values[0])
}

/// How a state fuses: the fields that must be the same, those with a number of each instrument, and
/// what else must hold of each.
macro_rules! fuse {
    (
        $name:ident $(<$size:ident: $kind:ty>)? $([$($same:ident),*])? { $($own:tt),* }
        $(if $ready:expr)?
    ) => {
        impl $(<const $size: $kind>)? $crate::pack::Fuse for $name<$($size,)? f64> {
            type Wide = $name<$($size,)? $crate::pack::Pack>;
            fn fuse(states: [&Self; $crate::pack::WIDTH]) -> Option<Self::Wide> {
                $(
                    let ready: fn(&Self) -> bool = $ready;
                    if !states.iter().all(|state| ready(state)) {
                        return None;
                    }
                )?
                $($(
                    if !$crate::pack::alike(states.map(|state| &state.$same)) {
                        return None;
                    }
                )*)?
                Some($name {
                    $($($same: states[0].$same,)*)?
                    $($own: $crate::pack::Fuse::fuse(states.map(|state| &state.$own))?,)*
                })
            }
            fn lane(wide: &Self::Wide, lane: usize) -> Self {
                $name {
                    $($($same: wide.$same,)*)?
                    $($own: $crate::pack::Fuse::lane(&wide.$own, lane),)*
                }
            }
        }
    };
}
pub(crate) use fuse;
