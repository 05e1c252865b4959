//! Operators that look at one value before.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first_and_one, lanes, size};
use crate::series::Series;
use crate::window::Ring;

/// What the value and the one before it become.
macro_rules! shift {
    ($($name:ident, ($now:ident, $before:ident) => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name(Ring);

        impl $name {
            fn new(parameters: &[f64]) -> Self {
                Self(Ring::new(size(parameters[0])))
            }
        }

        impl Series<1> for $name {
            #[inline(always)]
            fn update(&mut self, [$now]: [f64; 1]) -> f64 {
                match self.0.push($now) {
                    Some($before) => $result,
                    None => f64::NAN,
                }
            }
        }
    )*};
}

shift! {
    Delay, (_now, before) => before;
    Delta, (now, before) => now - before;
    Returns, (now, before) => now / before - 1.0;
    LogReturns, (now, before) => {
        if now > 0.0 && before > 0.0 { (now / before).ln() } else { f64::NAN }
    };
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0).or(1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("delay", X, |p, n| lanes(Delay::new(p), n))
        .parameters(N)
        .window(first_and_one)
        .words("The value n defined values ago.", "x[t-n]"),
    Operator::series("delta", X, |p, n| lanes(Delta::new(p), n))
        .parameters(N)
        .window(first_and_one)
        .words("Change over n values.", "x[t] - x[t-n]"),
    Operator::series("returns", X, |p, n| lanes(Returns::new(p), n))
        .parameters(N)
        .window(first_and_one)
        .words("Simple return over n values.", "x[t] / x[t-n] - 1"),
    Operator::series("log_returns", X, |p, n| lanes(LogReturns::new(p), n))
        .parameters(N)
        .window(first_and_one)
        .words(
            "Logarithmic return over n values; NaN unless both are positive.",
            "ln(x[t] / x[t-n])",
        ),
];
