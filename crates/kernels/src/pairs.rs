//! Two series together, and a series against time.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first, lanes, size};
use crate::series::Series;
use crate::window::{Aggregate, Window};

/// Central moments of two series.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Joint {
    count: f64,
    x: f64,
    y: f64,
    x_squares: f64,
    y_squares: f64,
    products: f64,
}

impl Aggregate for Joint {
    type Item = (f64, f64);
    #[inline(always)]
    fn of((x, y): (f64, f64)) -> Self {
        Self {
            count: 1.0,
            x,
            y,
            ..Self::default()
        }
    }
    /// Pébay (2008), Sandia report SAND2008-6212, section 3.
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let share = newer.count / count;
        let weight = self.count * share;
        let (x, y) = (newer.x - self.x, newer.y - self.y);
        Self {
            count,
            x: self.x + x * share,
            y: self.y + y * share,
            x_squares: self.x_squares + newer.x_squares + x * x * weight,
            y_squares: self.y_squares + newer.y_squares + y * y * weight,
            products: self.products + newer.products + x * y * weight,
        }
    }
}

impl Joint {
    #[inline(always)]
    pub fn covariance(&self) -> f64 {
        self.products / (self.count - 1.0)
    }

    /// The slope of the first series on the second.
    #[inline(always)]
    pub fn beta(&self) -> f64 {
        self.products / self.y_squares
    }

    #[inline(always)]
    fn correlation(&self) -> f64 {
        let ratio = self.products / (self.x_squares.sqrt() * self.y_squares.sqrt());
        // Rounding alone can lead out of [-1, 1]; NaN stays NaN.
        ratio.clamp(-1.0, 1.0)
    }
}

/// Central moments of a series and of time, which counts the values.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Trend {
    count: f64,
    mean: f64,
    squares: f64,
    products: f64,
}

impl Aggregate for Trend {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self {
            count: 1.0,
            mean: item,
            ..Self::default()
        }
    }
    /// As [`Joint`], where the means of time are half the counts apart.
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let count = self.count + newer.count;
        let share = newer.count / count;
        let gap = newer.mean - self.mean;
        Self {
            count,
            mean: self.mean + gap * share,
            squares: self.squares + newer.squares + gap * gap * (self.count * share),
            products: self.products + newer.products + 0.5 * gap * self.count * newer.count,
        }
    }
}

impl Trend {
    #[inline(always)]
    fn slope(&self) -> f64 {
        self.products / self.time_squares()
    }

    #[inline(always)]
    fn time_squares(&self) -> f64 {
        self.count * (self.count * self.count - 1.0) / 12.0
    }

    #[inline(always)]
    fn middle(&self) -> f64 {
        (self.count - 1.0) / 2.0
    }
}

macro_rules! of_window {
    ($($name:ident($aggregate:ty, $count:literal), ($inputs:pat, $item:expr, $window:ident) => $result:expr;)*) => {$(
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        struct $name(Window<$aggregate>);

        impl $name {
            fn new(parameters: &[f64]) -> Self {
                Self(Window::new(size(parameters[0])))
            }
        }

        impl Series<$count> for $name {
            #[inline(always)]
            fn update(&mut self, $inputs: [f64; $count]) -> f64 {
                match self.0.push($item) {
                    Some($window) => $result,
                    None => f64::NAN,
                }
            }
        }
    )*};
}

of_window! {
    Correlation(Joint, 2), ([x, y], (x, y), window) => window.correlation();
    Covariance(Joint, 2), ([x, y], (x, y), window) => window.covariance();
    Beta(Joint, 2), ([x, y], (x, y), window) => window.beta();
    Slope(Trend, 1), ([x], x, window) => window.slope();
    Intercept(Trend, 1), ([x], x, window) => window.mean - window.slope() * window.middle();
    Residual(Trend, 1), ([x], x, window) => x - (window.mean + window.slope() * window.middle());
    Fit(Trend, 1), ([x], x, window) => {
        let share = window.products * window.slope() / window.squares;
        if share > 1.0 { 1.0 } else { share }
    };
}

const X: &[&str] = &["x"];
const XY: &[&str] = &["x", "y"];
const N: &[Parameter] = &[count("n", 2.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("corr", XY, |p, n| lanes(Correlation::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Correlation of the last n pairs; NaN where either does not move.",
            "cov(x, y, n) / (std(x, n) std(y, n))",
        ),
    Operator::series("cov", XY, |p, n| lanes(Covariance::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Covariance of the last n pairs (divisor n - 1).",
            "sum((x - mean x) (y - mean y)) / (n - 1)",
        ),
    Operator::series("beta", XY, |p, n| lanes(Beta::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Slope of x on y over the last n pairs.",
            "cov(x, y, n) / var(y, n)",
        ),
    Operator::series("slope", X, |p, n| lanes(Slope::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Slope of the line through the last n values, a value.",
            "cov(x, i, n) / var(i, n), i = 0..n-1",
        ),
    Operator::series("intercept", X, |p, n| lanes(Intercept::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Height of the line through the last n values, at the oldest of them.",
            "mean(x, n) - slope(x, n) (n - 1) / 2",
        ),
    Operator::series("rsquare", X, |p, n| lanes(Fit::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Share of the variance of the last n values that the line through them explains.",
            "corr(x, i, n)^2, i = 0..n-1",
        ),
    Operator::series("resid", X, |p, n| lanes(Residual::new(p), n))
        .parameters(N)
        .window(first)
        .words(
            "Distance of the newest value from the line through the last n.",
            "x - (intercept(x, n) + slope(x, n) (n - 1))",
        ),
];
