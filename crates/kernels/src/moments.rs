//! Spread and shape of windows, from central moments that are joined and never subtracted.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first, lanes, size};
use crate::series::Series;
use crate::window::{Aggregate, Window};

/// Count, mean and sum of squared distances from the mean.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Spread {
    pub count: f64,
    pub mean: f64,
    pub squares: f64,
}

impl Aggregate for Spread {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self {
            count: 1.0,
            mean: item,
            squares: 0.0,
        }
    }
    /// Chan, Golub and `LeVeque` (1979), equation 2.1.
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let share = newer.count / count;
        let gap = newer.mean - self.mean;
        Self {
            count,
            mean: self.mean + gap * share,
            squares: self.squares + newer.squares + gap * gap * (self.count * share),
        }
    }
}

impl Spread {
    #[inline(always)]
    pub fn variance(&self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

/// Sums of the first four powers of the distances from the mean.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Shape {
    count: f64,
    mean: f64,
    squares: f64,
    cubes: f64,
    fourths: f64,
}

impl Aggregate for Shape {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self {
            count: 1.0,
            mean: item,
            ..Self::default()
        }
    }
    /// Pébay (2008), Sandia report SAND2008-6212, equations 2.1 and 2.2.
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let (a, b) = (self.count, newer.count);
        let count = a + b;
        let gap = newer.mean - self.mean;
        let part = gap / count;
        let square = gap * part * a * b;
        Self {
            count,
            mean: self.mean + part * b,
            squares: self.squares + newer.squares + square,
            cubes: self.cubes
                + newer.cubes
                + square * part * (a - b)
                + 3.0 * part * (a * newer.squares - b * self.squares),
            fourths: self.fourths
                + newer.fourths
                + square * part * part * (a * a - a * b + b * b)
                + 6.0 * part * part * (a * a * newer.squares + b * b * self.squares)
                + 4.0 * part * (a * newer.cubes - b * self.cubes),
        }
    }
}

macro_rules! of_window {
    ($($name:ident($aggregate:ty), ($x:ident, $window:ident) => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name(Window<$aggregate>);

        impl $name {
            fn new(parameters: &[f64]) -> Self {
                Self(Window::new(size(parameters[0])))
            }
        }

        impl Series<1> for $name {
            #[inline(always)]
            fn update(&mut self, [$x]: [f64; 1]) -> f64 {
                match self.0.push($x) {
                    Some($window) => $result,
                    None => f64::NAN,
                }
            }
        }
    )*};
}

of_window! {
    Variance(Spread), (_x, window) => window.variance();
    Deviation(Spread), (_x, window) => window.variance().sqrt();
    ZScore(Spread), (x, window) => (x - window.mean) / window.variance().sqrt();
    Skewness(Shape), (_x, window) => skewness(&window);
    Kurtosis(Shape), (_x, window) => kurtosis(&window);
}

/// Joanes and Gill (1998), the estimator G1.
#[inline(always)]
fn skewness(window: &Shape) -> f64 {
    let n = window.count;
    let second = window.squares / n;
    let third = window.cubes / n;
    (n * (n - 1.0)).sqrt() / (n - 2.0) * (third / (second * second.sqrt()))
}

/// Joanes and Gill (1998), the estimator G2.
#[inline(always)]
fn kurtosis(window: &Shape) -> f64 {
    let n = window.count;
    let ratio = n * window.fourths / (window.squares * window.squares) - 3.0;
    (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * ratio + 6.0)
}

const X: &[&str] = &["x"];
const TWO: &[Parameter] = &[count("n", 2.0)];
const THREE: &[Parameter] = &[count("n", 3.0)];
const FOUR: &[Parameter] = &[count("n", 4.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("std", X, |p, n| lanes(Deviation::new(p), n))
        .parameters(TWO)
        .window(first)
        .words(
            "Standard deviation of the last n values (divisor n - 1).",
            "sqrt(sum((x - mean)^2) / (n - 1))",
        )
        .source("Chan, Golub and LeVeque (1979), equation 2.1."),
    Operator::series("var", X, |p, n| lanes(Variance::new(p), n))
        .parameters(TWO)
        .window(first)
        .words(
            "Variance of the last n values (divisor n - 1).",
            "sum((x - mean)^2) / (n - 1)",
        )
        .source("Chan, Golub and LeVeque (1979), equation 2.1."),
    Operator::series("zscore", X, |p, n| lanes(ZScore::new(p), n))
        .parameters(TWO)
        .window(first)
        .words(
            "Distance from the mean of the last n values, in their standard deviations.",
            "(x - mean(x, n)) / std(x, n)",
        ),
    Operator::series("skew", X, |p, n| lanes(Skewness::new(p), n))
        .parameters(THREE)
        .window(first)
        .words(
            "Skewness of the last n values, adjusted for small samples.",
            "sqrt(n (n-1)) / (n-2) * m3 / m2^1.5",
        )
        .source("Joanes and Gill (1998), G1; Pébay (2008), equation 2.1."),
    Operator::series("kurt", X, |p, n| lanes(Kurtosis::new(p), n))
        .parameters(FOUR)
        .window(first)
        .words(
            "Excess kurtosis of the last n values, adjusted for small samples.",
            "(n-1) / ((n-2) (n-3)) * ((n+1) (m4 / m2^2 - 3) + 6)",
        )
        .source("Joanes and Gill (1998), G2; Pébay (2008), equation 2.2."),
];
