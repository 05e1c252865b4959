//! Averages that forget slowly.

use serde::{Deserialize, Serialize};

use crate::operator::{
    Operator, Parameter, count, fading, first, first_and_one, lanes, number, size,
};
use crate::rolling::{Mean, Sum, WeightedMean};
use crate::series::Series;
use crate::window::{Ring, Window};

/// An exponential average that begins with the mean of its first values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Exponential {
    start: u64,
    weight: f64,
    seen: u64,
    value: f64,
}

impl Exponential {
    pub fn new(start: usize, weight: f64) -> Self {
        Self {
            start: start as u64,
            weight,
            seen: 0,
            value: 0.0,
        }
    }

    /// By span, as an exponential moving average.
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn span(size: usize) -> Self {
        Self::new(size, 2.0 / (size as f64 + 1.0))
    }

    /// After Wilder, where a value weighs one in `size`.
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn wilder(size: usize) -> Self {
        Self::new(size, 1.0 / size as f64)
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn push(&mut self, x: f64) -> Option<f64> {
        if self.seen >= self.start {
            let value = (x - self.value) * self.weight + self.value;
            // Two values too far apart for a float would spoil all that follow.
            if !value.is_finite() {
                return None;
            }
            self.value = value;
            return Some(value);
        }
        self.value += x;
        self.seen += 1;
        if !self.value.is_finite() {
            (self.seen, self.value) = (0, 0.0);
            return None;
        }
        if self.seen < self.start {
            return None;
        }
        self.value /= self.start as f64;
        Some(self.value)
    }
}

impl Series<1> for Exponential {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x).unwrap_or(f64::NAN)
    }
}

/// Exponential averages of one another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Chain<const COUNT: usize> {
    first: Exponential,
    second: Exponential,
    third: Exponential,
}

impl<const COUNT: usize> Chain<COUNT> {
    pub fn new(size: usize) -> Self {
        let average = Exponential::span(size);
        Self {
            first: average.clone(),
            second: average.clone(),
            third: average,
        }
    }

    #[inline(always)]
    pub fn push(&mut self, x: f64) -> Option<[f64; 3]> {
        let first = self.first.push(x)?;
        let second = self.second.push(first)?;
        if COUNT == 2 {
            return Some([first, second, 0.0]);
        }
        Some([first, second, self.third.push(second)?])
    }
}

/// The double exponential average.
impl Series<1> for Chain<2> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let averages = self.push(x);
        averages.map_or(f64::NAN, |[first, second, _]| 2.0 * first - second)
    }
}

/// The triple exponential average.
impl Series<1> for Chain<3> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let averages = self.push(x);
        averages.map_or(f64::NAN, |[first, second, third]| {
            3.0 * first - 3.0 * second + third
        })
    }
}

/// The change of a triple exponential average.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Trix {
    chain: Chain<3>,
    last: Option<f64>,
}

impl Series<1> for Trix {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let Some([_, _, third]) = self.chain.push(x) else {
            return f64::NAN;
        };
        match self.last.replace(third) {
            Some(last) => 100.0 * (third / last - 1.0),
            None => f64::NAN,
        }
    }
}

/// A fast exponential average less a slow one, of which both begin at the same value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Convergence {
    wait: u64,
    fast: Exponential,
    slow: Exponential,
}

impl Series<1> for Convergence {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let fast = if self.wait > 0 {
            self.wait -= 1;
            None
        } else {
            self.fast.push(x)
        };
        match (fast, self.slow.push(x)) {
            (Some(fast), Some(slow)) => fast - slow,
            _ => f64::NAN,
        }
    }
}

/// A mean of means, which weighs the middle most.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Triangular {
    first: Mean,
    second: Mean,
}

impl Triangular {
    fn new(size: usize) -> Self {
        Self {
            first: Mean::new(size.div_ceil(2)),
            second: Mean::new(size / 2 + 1),
        }
    }
}

impl Series<1> for Triangular {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let mean = self.first.push(x).and_then(|mean| self.second.push(mean));
        mean.unwrap_or(f64::NAN)
    }
}

/// Hull's average: twice the fast one less the slow one, smoothed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Hull {
    fast: WeightedMean,
    slow: WeightedMean,
    smooth: WeightedMean,
}

impl Hull {
    fn new(size: usize) -> Self {
        Self {
            fast: WeightedMean::new(size / 2),
            slow: WeightedMean::new(size),
            smooth: WeightedMean::new(size.isqrt()),
        }
    }
}

impl Series<1> for Hull {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let fast = self.fast.push(x);
        let slow = self.slow.push(x);
        let (Some(fast), Some(slow)) = (fast, slow) else {
            return f64::NAN;
        };
        self.smooth.push(2.0 * fast - slow).unwrap_or(f64::NAN)
    }
}

/// Kaufman's adaptive average, with 2 and 30 for the fastest and the slowest.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kaufman {
    values: Ring,
    path: Window<Sum>,
    last: Option<f64>,
    average: Option<f64>,
}

impl Kaufman {
    fn new(size: usize) -> Self {
        Self {
            values: Ring::new(size),
            path: Window::new(size),
            last: None,
            average: None,
        }
    }
}

impl Series<1> for Kaufman {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let before = self.values.push(x);
        let last = self.last.replace(x);
        let path = last.and_then(|last| self.path.push((x - last).abs()));
        let (Some(before), Some(last), Some(path)) = (before, last, path) else {
            return f64::NAN;
        };
        let (fast, slow) = (2.0 / 3.0, 2.0 / 31.0);
        let way = (x - before).abs();
        let ratio = if way < path.0 { way / path.0 } else { 1.0 };
        let weight = ratio * (fast - slow) + slow;
        let average = self.average.unwrap_or(last);
        let next = (x - average) * (weight * weight) + average;
        if next.is_finite() {
            self.average = Some(next);
        }
        next
    }
}

fn span_fading(parameters: &[f64]) -> u64 {
    fading(1.0 - 2.0 / (parameters[0] + 1.0))
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("ema", X, |p, n| lanes(Exponential::span(size(p[0])), n))
        .parameters(N)
        .recursive(first, |p| Some(span_fading(p)))
        .words(
            "Exponential average by span; it begins with the mean of the first n values.",
            "y[t] = y[t-1] + 2 / (n + 1) * (x[t] - y[t-1])",
        )
        .source("Warm-up as TA-Lib's EMA."),
    Operator::series("ewm", X, |p, n| lanes(Exponential::new(1, p[0]), n))
        .parameters(&[number("alpha", 1e-6, 1.0)])
        .recursive(|_| 1, |p| Some(fading(1.0 - p[0])))
        .words(
            "Exponential average by weight; it begins with the first value.",
            "y[t] = y[t-1] + alpha * (x[t] - y[t-1])",
        ),
    Operator::series("wilder", X, |p, n| {
        lanes(Exponential::wilder(size(p[0])), n)
    })
    .parameters(N)
    .recursive(first, |p| Some(fading(1.0 - 1.0 / p[0])))
    .words(
        "Wilder's smoothing; it begins with the mean of the first n values.",
        "y[t] = y[t-1] + (x[t] - y[t-1]) / n",
    )
    .source("Wilder (1978), New Concepts in Technical Trading Systems."),
    Operator::series("dema", X, |p, n| lanes(Chain::<2>::new(size(p[0])), n))
        .parameters(N)
        .recursive(|p| 2 * first(p) - 1, |p| Some(2 * span_fading(p)))
        .words(
            "Double exponential average.",
            "2 e1 - e2, e1 = ema(x, n), e2 = ema(e1, n)",
        )
        .source("Mulloy (1994), Stocks & Commodities 12(1); warm-up as TA-Lib's DEMA."),
    Operator::series("tema", X, |p, n| lanes(Chain::<3>::new(size(p[0])), n))
        .parameters(N)
        .recursive(|p| 3 * first(p) - 2, |p| Some(3 * span_fading(p)))
        .words(
            "Triple exponential average.",
            "3 e1 - 3 e2 + e3, e1 = ema(x, n), e2 = ema(e1, n), e3 = ema(e2, n)",
        )
        .source("Mulloy (1994), Stocks & Commodities 12(1); warm-up as TA-Lib's TEMA."),
    Operator::series("trix", X, |p, n| {
        lanes(
            Trix {
                chain: Chain::new(size(p[0])),
                last: None,
            },
            n,
        )
    })
    .parameters(N)
    .recursive(|p| 3 * first(p) - 1, |p| Some(3 * span_fading(p)))
    .words(
        "Change of a triple exponential average, in percent.",
        "100 (y[t] / y[t-1] - 1), y = ema(ema(ema(x, n), n), n)",
    )
    .source("Hutson (1983), Stocks & Commodities 1(5); as TA-Lib's TRIX."),
    Operator::series("macd", X, |p, n| {
        let (fast, slow) = (size(p[0]), size(p[1]));
        lanes(
            Convergence {
                wait: (slow - fast) as u64,
                fast: Exponential::span(fast),
                slow: Exponential::span(slow),
            },
            n,
        )
    })
    .parameters(&[count("fast", 1.0).or(12.0), count("slow", 1.0).or(26.0)])
    .rule(|p| (p[0] > p[1]).then_some("`fast` must not be above `slow`"))
    .recursive(
        |p| size(p[1]) as u64,
        |p| Some(fading(1.0 - 2.0 / (p[1] + 1.0))),
    )
    .words(
        "Fast exponential average less a slow one; the fast one waits, so that both begin at once.",
        "ema(x, fast) - ema(x, slow)",
    )
    .source("Appel (1979); warm-up as TA-Lib's MACD."),
    Operator::series("trima", X, |p, n| lanes(Triangular::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words(
            "Triangular average, which weighs the middle of the window most.",
            "mean(mean(x, ceil(n/2)), floor(n/2) + 1)",
        )
        .source("As TA-Lib's TRIMA."),
    Operator::series("hull", X, |p, n| lanes(Hull::new(size(p[0])), n))
        .parameters(&[count("n", 2.0)])
        .window(|p| first(p) + size(p[0]).isqrt() as u64 - 1)
        .words(
            "Hull's average, which lags little.",
            "wma(2 wma(x, floor(n/2)) - wma(x, n), floor(sqrt(n)))",
        )
        .source("Hull (2005)."),
    Operator::series("kama", X, |p, n| lanes(Kaufman::new(size(p[0])), n))
        .parameters(N)
        .recursive(first_and_one, |_| Some(fading(1.0 - 4.0 / 961.0)))
        .words(
            "Kaufman's adaptive average: fast in a trend, slow in a range.",
            "y[t] = y[t-1] + s^2 (x[t] - y[t-1]), s = e (2/3 - 2/31) + 2/31, \
             e = |x[t] - x[t-n]| / sum(|x[i] - x[i-1]|)",
        )
        .source("Kaufman (1995), Smarter Trading; warm-up as TA-Lib's KAMA."),
];
