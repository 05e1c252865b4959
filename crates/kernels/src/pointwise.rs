//! Operators without a memory: arithmetic, comparisons, logic.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, lanes, number};
use crate::series::Series;

/// A state that is none, and the formula of a row.
macro_rules! pointwise {
    ($($name:ident, $count:literal, $inputs:pat => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
        struct $name;

        impl Series<$count> for $name {
            #[inline(always)]
            fn update(&mut self, $inputs: [f64; $count]) -> f64 {
                $result
            }
        }
    )*};
}

/// True is 1, false is 0; whatever is not 0 counts as true.
#[inline(always)]
fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[expect(clippy::float_cmp, reason = "equality is what the user asked for")]
#[inline(always)]
fn same(x: f64, y: f64) -> bool {
    x == y
}

pointwise! {
    Add, 2, [x, y] => x + y;
    Sub, 2, [x, y] => x - y;
    Mul, 2, [x, y] => x * y;
    Div, 2, [x, y] => x / y;
    Neg, 1, [x] => 0.0 - x;
    Abs, 1, [x] => x.abs();
    Sign, 1, [x] => truth(x > 0.0) - truth(x < 0.0);
    Log, 1, [x] => if x > 0.0 { x.ln() } else { f64::NAN };
    Exp, 1, [x] => x.exp();
    Sqrt, 1, [x] => x.sqrt();
    Power, 2, [x, y] => x.powf(y);
    Minimum, 2, [x, y] => if y < x { y } else { x };
    Maximum, 2, [x, y] => if y > x { y } else { x };
    Where, 3, [condition, x, y] => if condition == 0.0 { y } else { x };
    Gt, 2, [x, y] => truth(x > y);
    Ge, 2, [x, y] => truth(x >= y);
    Lt, 2, [x, y] => truth(x < y);
    Le, 2, [x, y] => truth(x <= y);
    Eq, 2, [x, y] => truth(same(x, y));
    And, 2, [x, y] => truth(x != 0.0 && y != 0.0);
    Or, 2, [x, y] => truth(x != 0.0 || y != 0.0);
    Not, 1, [x] => truth(x == 0.0);
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Constant(f64);

impl Series<0> for Constant {
    #[inline(always)]
    fn update(&mut self, []: [f64; 0]) -> f64 {
        self.0
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Clip {
    low: f64,
    high: f64,
}

impl Series<1> for Clip {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        if x < self.low {
            self.low
        } else if x > self.high {
            self.high
        } else {
            x
        }
    }
}

const X: &[&str] = &["x"];
const XY: &[&str] = &["x", "y"];
const MOST: f64 = f64::MAX;

pub const OPERATORS: &[Operator] = &[
    Operator::series("constant", &[], |p, n| lanes(Constant(p[0]), n))
        .parameters(&[number("value", -MOST, MOST)])
        .words("The same number in every row.", "value"),
    Operator::series("add", XY, |_, n| lanes(Add, n)).words("Sum of two values.", "x + y"),
    Operator::series("sub", XY, |_, n| lanes(Sub, n)).words("Difference of two values.", "x - y"),
    Operator::series("mul", XY, |_, n| lanes(Mul, n)).words("Product of two values.", "x * y"),
    Operator::series("div", XY, |_, n| lanes(Div, n))
        .words("Ratio of two values; NaN where the divisor is 0.", "x / y"),
    Operator::series("neg", X, |_, n| lanes(Neg, n)).words("The value with its sign turned.", "-x"),
    Operator::series("abs", X, |_, n| lanes(Abs, n)).words("The value without its sign.", "|x|"),
    Operator::series("sign", X, |_, n| lanes(Sign, n))
        .words("1 above zero, -1 below, 0 at zero.", "[x > 0] - [x < 0]"),
    Operator::series("log", X, |_, n| lanes(Log, n))
        .words("Natural logarithm; NaN where the value is not positive.", "ln x"),
    Operator::series("exp", X, |_, n| lanes(Exp, n)).words("Exponential.", "e^x"),
    Operator::series("sqrt", X, |_, n| lanes(Sqrt, n))
        .words("Square root; NaN below zero.", "sqrt(x)"),
    Operator::series("power", XY, |_, n| lanes(Power, n))
        .words("One value to the power of another; NaN where that is not real.", "x^y"),
    Operator::series("minimum", XY, |_, n| lanes(Minimum, n)).words("The lesser of two.", "min(x, y)"),
    Operator::series("maximum", XY, |_, n| lanes(Maximum, n)).words("The greater of two.", "max(x, y)"),
    Operator::series("clip", X, |p, n| {
        lanes(
            Clip {
                low: p[0],
                high: p[1],
            },
            n,
        )
    })
    .parameters(&[number("low", -MOST, MOST), number("high", -MOST, MOST)])
    .rule(|p| (p[0] > p[1]).then_some("`low` must not be above `high`"))
    .words("The value, kept within limits.", "min(max(x, low), high)"),
    Operator::series("where", &["condition", "x", "y"], |_, n| lanes(Where, n)).words(
        "One value where a condition holds, another where it does not; NaN where any of the three is.",
        "condition != 0 ? x : y",
    ),
    Operator::series("gt", XY, |_, n| lanes(Gt, n)).words("1 where greater, else 0.", "[x > y]"),
    Operator::series("ge", XY, |_, n| lanes(Ge, n))
        .words("1 where greater or equal, else 0.", "[x >= y]"),
    Operator::series("lt", XY, |_, n| lanes(Lt, n)).words("1 where less, else 0.", "[x < y]"),
    Operator::series("le", XY, |_, n| lanes(Le, n))
        .words("1 where less or equal, else 0.", "[x <= y]"),
    Operator::series("eq", XY, |_, n| lanes(Eq, n))
        .words("1 where exactly equal, else 0.", "[x = y]"),
    Operator::series("and", XY, |_, n| lanes(And, n))
        .words("1 where both are not 0, else 0.", "[x != 0 and y != 0]"),
    Operator::series("or", XY, |_, n| lanes(Or, n))
        .words("1 where either is not 0, else 0.", "[x != 0 or y != 0]"),
    Operator::series("not", X, |_, n| lanes(Not, n)).words("1 where 0, else 0.", "[x = 0]"),
];
