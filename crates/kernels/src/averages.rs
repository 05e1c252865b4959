//! Averages that forget slowly.

use serde::{Deserialize, Serialize};

use crate::operator::{
    Operator, Parameter, count, fading, first, first_and_one, number, packs, size,
};
use crate::pack::{Fuse, Pack, Value, WIDTH, fuse};
use crate::rolling::{Mean, Sum, WeightedMean};
use crate::series::{Series, clean};
use crate::window::{Ring, Window};

/// An exponential average that begins with the mean of its first values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Exponential<V = f64> {
    start: u64,
    weight: f64,
    seen: u64,
    value: V,
}

fuse!(Exponential [start, weight, seen] { value } if |state| state.seen >= state.start);

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
}

impl<V: Value> Exponential<V> {
    /// The average; NaN for those instruments of a pack that have none.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn push(&mut self, x: V) -> Option<V> {
        if self.seen >= self.start {
            let value = (x - self.value) * self.weight + self.value;
            // Two values too far apart for a float would spoil all that follow.
            self.value = value.or(self.value);
            return value.any_finite().then(|| value.map(clean));
        }
        // Packs are made of averages that have begun.
        self.value = self.value + x;
        self.seen += 1;
        if !self.value.any_finite() {
            (self.seen, self.value) = (0, V::of(0.0));
            return None;
        }
        if self.seen < self.start {
            return None;
        }
        self.value = self.value / self.start as f64;
        Some(self.value)
    }
}

impl<V: Value> Series<1, V> for Exponential<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        self.push(x).unwrap_or(V::of(f64::NAN))
    }
}

/// Exponential averages of one another.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Chain<const COUNT: usize, V = f64> {
    first: Exponential<V>,
    second: Exponential<V>,
    third: Exponential<V>,
}

impl<const COUNT: usize> Fuse for Chain<COUNT> {
    type Wide = Chain<COUNT, Pack>;
    fn fuse(states: [&Self; WIDTH]) -> Option<Self::Wide> {
        let third = if COUNT == 2 {
            // It never begins.
            let Exponential {
                start,
                weight,
                seen,
                value,
            } = states[0].third;
            Exponential {
                start,
                weight,
                seen,
                value: Pack::of(value),
            }
        } else {
            Fuse::fuse(states.map(|state| &state.third))?
        };
        Some(Chain {
            first: Fuse::fuse(states.map(|state| &state.first))?,
            second: Fuse::fuse(states.map(|state| &state.second))?,
            third,
        })
    }
    fn lane(wide: &Self::Wide, lane: usize) -> Self {
        Self {
            first: Fuse::lane(&wide.first, lane),
            second: Fuse::lane(&wide.second, lane),
            third: Fuse::lane(&wide.third, lane),
        }
    }
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
}

impl<const COUNT: usize, V: Value> Chain<COUNT, V> {
    #[inline(always)]
    pub fn push(&mut self, x: V) -> Option<[V; 3]> {
        let first = self.first.push(x)?;
        let second = self.second.push(first)?;
        if COUNT == 2 {
            return Some([first, second, V::of(0.0)]);
        }
        Some([first, second, self.third.push(second)?])
    }
}

/// The double exponential average.
impl<V: Value> Series<1, V> for Chain<2, V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let averages = self.push(x);
        averages.map_or(V::of(f64::NAN), |[first, second, _]| first * 2.0 - second)
    }
}

/// The triple exponential average.
impl<V: Value> Series<1, V> for Chain<3, V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let averages = self.push(x);
        averages.map_or(V::of(f64::NAN), |[first, second, third]| {
            first * 3.0 - second * 3.0 + third
        })
    }
}

/// The change of a triple exponential average.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Trix<V = f64> {
    chain: Chain<3, V>,
    last: Option<V>,
}

fuse!(Trix { chain, last } if |state| state.last.is_some());

impl<V: Value> Series<1, V> for Trix<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let Some([_, _, third]) = self.chain.push(x) else {
            return V::of(f64::NAN);
        };
        let Some(last) = self.last else {
            self.last = Some(third);
            return V::of(f64::NAN);
        };
        self.last = Some(third.or(last));
        (third / last - 1.0) * 100.0
    }
}

/// A fast exponential average less a slow one, of which both begin at the same value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Convergence<V = f64> {
    wait: u64,
    fast: Exponential<V>,
    slow: Exponential<V>,
}

fuse!(Convergence [wait] { fast, slow });

impl<V: Value> Series<1, V> for Convergence<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let fast = if self.wait > 0 {
            self.wait -= 1;
            None
        } else {
            self.fast.push(x)
        };
        match (fast, self.slow.push(x)) {
            (Some(fast), Some(slow)) => fast - slow,
            _ => V::of(f64::NAN),
        }
    }
}

/// A mean of means, which weighs the middle most.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Triangular<V = f64> {
    first: Mean<V>,
    second: Mean<V>,
}

fuse!(Triangular { first, second });

impl Triangular {
    fn new(size: usize) -> Self {
        Self {
            first: Mean::new(size.div_ceil(2)),
            second: Mean::new(size / 2 + 1),
        }
    }
}

impl<V: Value> Series<1, V> for Triangular<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let mean = self.first.push(x).and_then(|mean| self.second.push(mean));
        mean.unwrap_or(V::of(f64::NAN))
    }
}

/// Hull's average: twice the fast one less the slow one, smoothed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Hull<V = f64> {
    fast: WeightedMean<V>,
    slow: WeightedMean<V>,
    smooth: WeightedMean<V>,
}

fuse!(Hull { fast, slow, smooth });

impl Hull {
    fn new(size: usize) -> Self {
        Self {
            fast: WeightedMean::new(size / 2),
            slow: WeightedMean::new(size),
            smooth: WeightedMean::new(size.isqrt()),
        }
    }
}

impl<V: Value> Series<1, V> for Hull<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let fast = self.fast.push(x);
        let slow = self.slow.push(x);
        let (Some(fast), Some(slow)) = (fast, slow) else {
            return V::of(f64::NAN);
        };
        let average = self.smooth.push(fast * 2.0 - slow);
        average.unwrap_or(V::of(f64::NAN))
    }
}

/// Kaufman's adaptive average, with 2 and 30 for the fastest and the slowest.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kaufman<V = f64> {
    values: Ring<V>,
    path: Window<Sum<V>>,
    last: Option<V>,
    average: Option<V>,
}

fuse!(Kaufman { values, path, last, average } if |state| state.average.is_some());

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

impl<V: Value> Series<1, V> for Kaufman<V> {
    #[inline(always)]
    fn update(&mut self, [x]: [V; 1]) -> V {
        let before = self.values.push(x);
        let last = self.last.replace(x);
        let path = last.and_then(|last| self.path.push((x - last).map(f64::abs)));
        let (Some(before), Some(last), Some(path)) = (before, last, path) else {
            return V::of(f64::NAN);
        };
        let (fast, slow) = (2.0 / 3.0, 2.0 / 31.0);
        let ratio = V::each([x, before, path.0], |[x, before, path]| {
            let way = (x - before).abs();
            let ratio = way / path;
            if way < path { ratio } else { 1.0 }
        });
        let weight = ratio * (fast - slow) + slow;
        let average = self.average.unwrap_or(last);
        let next = (x - average) * (weight * weight) + average;
        if next.any_finite() {
            self.average = Some(next.or(average));
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
    Operator::series("ema", X, |p, n| packs(Exponential::span(size(p[0])), n))
        .parameters(N)
        .recursive(first, |p| Some(span_fading(p)))
        .words(
            "Exponential average by span; it begins with the mean of the first n values.",
            "y[t] = y[t-1] + 2 / (n + 1) * (x[t] - y[t-1])",
        )
        .source("Warm-up as TA-Lib's EMA."),
    Operator::series("ewm", X, |p, n| packs(Exponential::new(1, p[0]), n))
        .parameters(&[number("alpha", 1e-6, 1.0)])
        .recursive(|_| 1, |p| Some(fading(1.0 - p[0])))
        .words(
            "Exponential average by weight; it begins with the first value.",
            "y[t] = y[t-1] + alpha * (x[t] - y[t-1])",
        ),
    Operator::series("wilder", X, |p, n| {
        packs(Exponential::wilder(size(p[0])), n)
    })
    .parameters(N)
    .recursive(first, |p| Some(fading(1.0 - 1.0 / p[0])))
    .words(
        "Wilder's smoothing; it begins with the mean of the first n values.",
        "y[t] = y[t-1] + (x[t] - y[t-1]) / n",
    )
    .source("Wilder (1978), New Concepts in Technical Trading Systems."),
    Operator::series("dema", X, |p, n| packs(Chain::<2>::new(size(p[0])), n))
        .parameters(N)
        .recursive(|p| 2 * first(p) - 1, |p| Some(2 * span_fading(p)))
        .words(
            "Double exponential average.",
            "2 e1 - e2, e1 = ema(x, n), e2 = ema(e1, n)",
        )
        .source("Mulloy (1994), Stocks & Commodities 12(1); warm-up as TA-Lib's DEMA."),
    Operator::series("tema", X, |p, n| packs(Chain::<3>::new(size(p[0])), n))
        .parameters(N)
        .recursive(|p| 3 * first(p) - 2, |p| Some(3 * span_fading(p)))
        .words(
            "Triple exponential average.",
            "3 e1 - 3 e2 + e3, e1 = ema(x, n), e2 = ema(e1, n), e3 = ema(e2, n)",
        )
        .source("Mulloy (1994), Stocks & Commodities 12(1); warm-up as TA-Lib's TEMA."),
    Operator::series("trix", X, |p, n| {
        packs(
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
        packs(
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
    Operator::series("trima", X, |p, n| packs(Triangular::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words(
            "Triangular average, which weighs the middle of the window most.",
            "mean(mean(x, ceil(n/2)), floor(n/2) + 1)",
        )
        .source("As TA-Lib's TRIMA."),
    Operator::series("hull", X, |p, n| packs(Hull::new(size(p[0])), n))
        .parameters(&[count("n", 2.0)])
        .window(|p| first(p) + size(p[0]).isqrt() as u64 - 1)
        .words(
            "Hull's average, which lags little.",
            "wma(2 wma(x, floor(n/2)) - wma(x, n), floor(sqrt(n)))",
        )
        .source("Hull (2005)."),
    Operator::series("kama", X, |p, n| packs(Kaufman::new(size(p[0])), n))
        .parameters(N)
        .recursive(first_and_one, |_| Some(fading(1.0 - 4.0 / 961.0)))
        .words(
            "Kaufman's adaptive average: fast in a trend, slow in a range.",
            "y[t] = y[t-1] + s^2 (x[t] - y[t-1]), s = e (2/3 - 2/31) + 2/31, \
             e = |x[t] - x[t-n]| / sum(|x[i] - x[i-1]|)",
        )
        .source("Kaufman (1995), Smarter Trading; warm-up as TA-Lib's KAMA."),
];
