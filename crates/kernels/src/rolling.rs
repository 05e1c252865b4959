//! Sums over windows, plain and weighted.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first, packs, size};
use crate::pack::{Value, fuse};
use crate::series::Series;
use crate::window::{Aggregate, Window};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sum<V = f64>(pub V);

fuse!(Sum { 0 });

impl<V: Value> Aggregate for Sum<V> {
    type Item = V;
    #[inline(always)]
    fn of(item: V) -> Self {
        Self(item)
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self(self.0 + newer.0)
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Product<V = f64>(V);

fuse!(Product { 0 });

impl<V: Value> Aggregate for Product<V> {
    type Item = V;
    #[inline(always)]
    fn of(item: V) -> Self {
        Self(item)
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        Self(self.0 * newer.0)
    }
}

/// Sums of two series.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Two<V = f64> {
    pub x: V,
    pub y: V,
}

fuse!(Two { x, y });

impl<V: Value> Aggregate for Two<V> {
    type Item = (V, V);
    #[inline(always)]
    fn of((x, y): (V, V)) -> Self {
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

impl<V: Value> Two<V> {
    #[inline(always)]
    pub fn ratio(&self) -> V {
        self.x / self.y
    }
}

/// Values weighted by their place, 1 for the oldest.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Weighted<V = f64> {
    count: f64,
    sum: V,
    by_place: V,
}

fuse!(Weighted [count] { sum, by_place });

impl<V: Value> Aggregate for Weighted<V> {
    type Item = V;
    #[inline(always)]
    fn of(item: V) -> Self {
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
            by_place: self.by_place + (newer.by_place + newer.sum * self.count),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RollingSum<V = f64>(Window<Sum<V>>);

fuse!(RollingSum { 0 });

impl<V: Value> Series<1, V> for RollingSum<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        self.0.push(x).map_or(V::of(f64::NAN), |window| window.0)
    }
}

/// The mean of the last values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Mean<V = f64> {
    window: Window<Sum<V>>,
    count: f64,
}

fuse!(Mean [count] { window });

impl<V: Value> Mean<V> {
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn new(size: usize) -> Self {
        Self {
            window: Window::new(size),
            count: size as f64,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, x: V) -> Option<V> {
        Some(self.window.push(x)?.0 / self.count)
    }
}

impl<V: Value> Series<1, V> for Mean<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        self.push(x).unwrap_or(V::of(f64::NAN))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RollingProduct<V = f64>(Window<Product<V>>);

fuse!(RollingProduct { 0 });

impl<V: Value> Series<1, V> for RollingProduct<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        self.0.push(x).map_or(V::of(f64::NAN), |window| window.0)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct CountTrue<V = f64>(Window<Sum<V>>);

fuse!(CountTrue { 0 });

impl<V: Value> Series<1, V> for CountTrue<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let counts = x.map(|x| f64::from(u8::from(x != 0.0)));
        self.0
            .push(counts)
            .map_or(V::of(f64::NAN), |window| window.0)
    }
}

/// The mean of the last values, with weights 1 (the oldest) to n.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WeightedMean<V = f64> {
    window: Window<Weighted<V>>,
    weights: f64,
}

fuse!(WeightedMean [weights] { window });

impl<V: Value> WeightedMean<V> {
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn new(size: usize) -> Self {
        Self {
            window: Window::new(size),
            weights: (size * (size + 1) / 2) as f64,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, x: V) -> Option<V> {
        Some(self.window.push(x)?.by_place / self.weights)
    }
}

impl<V: Value> Series<1, V> for WeightedMean<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        self.push(x).unwrap_or(V::of(f64::NAN))
    }
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("sum", X, |p, n| {
        packs(RollingSum(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Sum of the last n values.", "sum(x[t-n+1..t])"),
    Operator::series("mean", X, |p, n| packs(Mean::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words("Mean of the last n values.", "sum(x[t-n+1..t]) / n"),
    Operator::series("product", X, |p, n| {
        packs(RollingProduct(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Product of the last n values.", "prod(x[t-n+1..t])"),
    Operator::series("count_true", X, |p, n| {
        packs(CountTrue(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("How many of the last n values are not 0.", "sum([x != 0])"),
    Operator::series("wma", X, |p, n| packs(WeightedMean::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words(
            "Mean of the last n values with weights 1 (the oldest) to n.",
            "sum(i * x[t-n+i], i=1..n) / (n (n+1) / 2)",
        ),
    Operator::series("decay_linear", X, |p, n| {
        packs(WeightedMean::new(size(p[0])), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Mean of the last n values with weights 1 (the oldest) to n.",
        "sum(i * x[t-n+i], i=1..n) / (n (n+1) / 2)",
    )
    .source("Kakushadze (2016), 101 Formulaic Alphas, appendix A."),
];
