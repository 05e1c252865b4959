//! Sums over windows, plain and weighted.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first, lanes, size};
use crate::series::Series;
use crate::window::{Aggregate, Window};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sum(pub f64);

impl Aggregate for Sum {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self(item)
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Product(f64);

impl Aggregate for Product {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self(item)
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self(self.0 * newer.0)
    }
}

/// Sums of two series.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Two {
    pub x: f64,
    pub y: f64,
}

impl Aggregate for Two {
    type Item = (f64, f64);
    #[inline(always)]
    fn of((x, y): (f64, f64)) -> Self {
        Self { x, y }
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self {
            x: self.x + newer.x,
            y: self.y + newer.y,
        }
    }
}

impl Two {
    #[inline(always)]
    pub fn ratio(&self) -> f64 {
        self.x / self.y
    }
}

/// Values weighted by their place, 1 for the oldest.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Weighted {
    count: f64,
    sum: f64,
    by_place: f64,
}

impl Aggregate for Weighted {
    type Item = f64;
    #[inline(always)]
    fn of(item: f64) -> Self {
        Self {
            count: 1.0,
            sum: item,
            by_place: item,
        }
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self {
            count: self.count + newer.count,
            sum: self.sum + newer.sum,
            by_place: self.by_place + (newer.by_place + self.count * newer.sum),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RollingSum(Window<Sum>);

impl Series<1> for RollingSum {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.0.push(x).map_or(f64::NAN, |window| window.0)
    }
}

/// The mean of the last values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Mean {
    window: Window<Sum>,
    count: f64,
}

impl Mean {
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn new(size: usize) -> Self {
        Self {
            window: Window::new(size),
            count: size as f64,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.window.push(x)?.0 / self.count)
    }
}

impl Series<1> for Mean {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x).unwrap_or(f64::NAN)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RollingProduct(Window<Product>);

impl Series<1> for RollingProduct {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.0.push(x).map_or(f64::NAN, |window| window.0)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct CountTrue(Window<Sum>);

impl Series<1> for CountTrue {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let counts = f64::from(u8::from(x != 0.0));
        self.0.push(counts).map_or(f64::NAN, |window| window.0)
    }
}

/// The mean of the last values, with weights 1 (the oldest) to n.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WeightedMean {
    window: Window<Weighted>,
    weights: f64,
}

impl WeightedMean {
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn new(size: usize) -> Self {
        Self {
            window: Window::new(size),
            weights: (size * (size + 1) / 2) as f64,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.window.push(x)?.by_place / self.weights)
    }
}

impl Series<1> for WeightedMean {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x).unwrap_or(f64::NAN)
    }
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("sum", X, |p, n| {
        lanes(RollingSum(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Sum of the last n values.", "sum(x[t-n+1..t])"),
    Operator::series("mean", X, |p, n| lanes(Mean::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words("Mean of the last n values.", "sum(x[t-n+1..t]) / n"),
    Operator::series("product", X, |p, n| {
        lanes(RollingProduct(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Product of the last n values.", "prod(x[t-n+1..t])"),
    Operator::series("count_true", X, |p, n| {
        lanes(CountTrue(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("How many of the last n values are not 0.", "sum([x != 0])"),
    Operator::series("wma", X, |p, n| lanes(WeightedMean::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words(
            "Mean of the last n values with weights 1 (the oldest) to n.",
            "sum(i * x[t-n+i], i=1..n) / (n (n+1) / 2)",
        ),
    Operator::series("decay_linear", X, |p, n| {
        lanes(WeightedMean::new(size(p[0])), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Mean of the last n values with weights 1 (the oldest) to n.",
        "sum(i * x[t-n+i], i=1..n) / (n (n+1) / 2)",
    )
    .source("Kakushadze (2016), 101 Formulaic Alphas, appendix A."),
];
