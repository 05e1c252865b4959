//! Volatility of a bar from the prices within it.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::moments::Spread;
use crate::operator::{Operator, Parameter, count, first, first_and_one, lanes, size};
use crate::rolling::Mean;
use crate::series::Series;
use crate::window::Window;

/// Logarithms of prices; `None` unless all are positive. Such a row counts as missing.
#[inline(always)]
fn logarithms<const N: usize>(prices: [f64; N]) -> Option<[f64; N]> {
    let positive = prices.iter().all(|price| *price > 0.0);
    positive.then(|| prices.map(f64::ln))
}

/// The root of a mean of what each bar contributes.
macro_rules! estimator {
    ($($name:ident, $count:literal, $prices:pat => $variance:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name(Mean);

        impl Series<$count> for $name {
            #[inline(always)]
            fn update(&mut self, prices: [f64; $count]) -> f64 {
                let Some($prices) = logarithms(prices) else {
                    return f64::NAN;
                };
                self.0.push($variance).map_or(f64::NAN, f64::sqrt)
            }
        }
    )*};
}

estimator! {
    Parkinson, 2, [high, low] => (high - low) * (high - low) / (4.0 * LN_2);
    GarmanKlass, 4, [open, high, low, close] => {
        0.5 * (high - low) * (high - low) - (2.0 * LN_2 - 1.0) * (close - open) * (close - open)
    };
    RogersSatchell, 4, [open, high, low, close] => rogers_satchell(open, high, low, close);
}

#[inline(always)]
fn rogers_satchell(open: f64, high: f64, low: f64, close: f64) -> f64 {
    (high - close) * (high - open) + (low - close) * (low - open)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct YangZhang {
    close: Option<f64>,
    overnight: Window<Spread>,
    day: Window<Spread>,
    within: Mean,
}

impl YangZhang {
    fn new(size: usize) -> Self {
        Self {
            close: None,
            overnight: Window::new(size),
            day: Window::new(size),
            within: Mean::new(size),
        }
    }
}

impl Series<4> for YangZhang {
    #[inline(always)]
    fn update(&mut self, prices: [f64; 4]) -> f64 {
        let Some([open, high, low, close]) = logarithms(prices) else {
            return f64::NAN;
        };
        let Some(before) = self.close.replace(close) else {
            return f64::NAN;
        };
        let overnight = self.overnight.push(open - before);
        let day = self.day.push(close - open);
        let within = self.within.push(rogers_satchell(open, high, low, close));
        match (overnight, day, within) {
            (Some(overnight), Some(day), Some(within)) => {
                let n = day.count;
                let weight = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
                let variance = overnight.variance() + weight * day.variance();
                (variance + (1.0 - weight) * within).sqrt()
            }
            _ => f64::NAN,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Realised {
    last: Option<f64>,
    squares: Window<crate::rolling::Sum>,
}

impl Series<1> for Realised {
    #[inline(always)]
    fn update(&mut self, prices: [f64; 1]) -> f64 {
        let Some([x]) = logarithms(prices) else {
            return f64::NAN;
        };
        let Some(before) = self.last.replace(x) else {
            return f64::NAN;
        };
        let window = self.squares.push((x - before) * (x - before));
        window.map_or(f64::NAN, |sum| sum.0.sqrt())
    }
}

const OHLC: &[&str] = &["open", "high", "low", "close"];
const N: &[Parameter] = &[count("n", 1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("parkinson", &["high", "low"], |p, n| {
        lanes(Parkinson(Mean::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Volatility of a bar from high and low.",
        "sqrt(mean(ln(high / low)^2, n) / (4 ln 2))",
    )
    .source("Parkinson (1980), J. Business 53(1)."),
    Operator::series("garman_klass", OHLC, |p, n| {
        lanes(GarmanKlass(Mean::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Volatility of a bar from open, high, low and close.",
        "sqrt(mean(ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2, n))",
    )
    .source("Garman and Klass (1980), J. Business 53(1)."),
    Operator::series("rogers_satchell", OHLC, |p, n| {
        lanes(RogersSatchell(Mean::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Volatility of a bar from open, high, low and close, whatever the trend.",
        "sqrt(mean(ln(high/close) ln(high/open) + ln(low/close) ln(low/open), n))",
    )
    .source("Rogers and Satchell (1991), Annals of Applied Probability 1(4)."),
    Operator::series("yang_zhang", OHLC, |p, n| {
        lanes(YangZhang::new(size(p[0])), n)
    })
    .parameters(&[count("n", 2.0)])
    .window(first_and_one)
    .words(
        "Volatility of a bar with the jump before its open, whatever the trend.",
        "sqrt(var(ln(open / close[t-1]), n) + k var(ln(close / open), n) + (1 - k) r^2), \
             r = rogers_satchell(n), k = 0.34 / (1.34 + (n + 1) / (n - 1))",
    )
    .source("Yang and Zhang (2000), J. Business 73(3)."),
    Operator::series("realised", &["x"], |p, n| {
        lanes(
            Realised {
                last: None,
                squares: Window::new(size(p[0])),
            },
            n,
        )
    })
    .parameters(N)
    .window(first_and_one)
    .words(
        "Realised volatility of n values together; divide by sqrt(n) for that of one.",
        "sqrt(sum(ln(x[t] / x[t-1])^2, n))",
    )
    .source("Andersen, Bollerslev, Diebold and Labys (2003), Econometrica 71(2)."),
];
