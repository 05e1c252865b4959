//! Windows by size: extremes and where they stand, quantiles, ranks.

use serde::{Deserialize, Serialize};

use crate::operator::{Operator, Parameter, count, first, lanes, number, size};
use crate::series::Series;
use crate::window::{Aggregate, Sorted, Window, quantile};

/// The greatest value, or the least; of equals the newest.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Extreme<const GREATEST: bool> {
    pub value: f64,
}

impl<const GREATEST: bool> Aggregate for Extreme<GREATEST> {
    type Item = f64;
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self { value }
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let beaten = if GREATEST {
            newer.value >= self.value
        } else {
            newer.value <= self.value
        };
        if beaten { newer } else { self }
    }
}

/// The same, with the number of the value.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Place<const GREATEST: bool> {
    pub value: f64,
    pub at: u64,
}

impl<const GREATEST: bool> Aggregate for Place<GREATEST> {
    type Item = (f64, u64);
    #[inline(always)]
    fn of((value, at): (f64, u64)) -> Self {
        Self { value, at }
    }
    #[inline(always)]
    fn join(self, newer: Self) -> Self {
        let beaten = if GREATEST {
            newer.value >= self.value
        } else {
            newer.value <= self.value
        };
        if beaten { newer } else { self }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RollingExtreme<const GREATEST: bool>(Window<Extreme<GREATEST>>);

impl<const GREATEST: bool> Series<1> for RollingExtreme<GREATEST> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.0.push(x).map_or(f64::NAN, |window| window.value)
    }
}

/// Values since the extreme of the window; 0 is now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Since<const GREATEST: bool> {
    window: Window<Place<GREATEST>>,
    seen: u64,
}

impl<const GREATEST: bool> Since<GREATEST> {
    pub fn new(size: usize) -> Self {
        Self {
            window: Window::new(size),
            seen: 0,
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    pub fn push(&mut self, x: f64) -> Option<f64> {
        self.seen += 1;
        let place = self.window.push((x, self.seen))?;
        Some((self.seen - place.at) as f64)
    }
}

impl<const GREATEST: bool> Series<1> for Since<GREATEST> {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        self.push(x).unwrap_or(f64::NAN)
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Quantile {
    window: Sorted,
    share: f64,
}

impl Series<1> for Quantile {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let share = self.share;
        let window = self.window.push(x);
        window.map_or(f64::NAN, |sorted| quantile(sorted, share))
    }
}

/// The median distance from the median.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MedianDeviation(Sorted);

impl Series<1> for MedianDeviation {
    #[inline(always)]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let Some(sorted) = self.0.push(x) else {
            return f64::NAN;
        };
        let median = quantile(sorted, 0.5);
        let below = sorted.partition_point(|value| *value < median);
        let low = |k: usize| median - sorted[below - 1 - k];
        let high = |k: usize| sorted[below + k] - median;
        let distance = |k: usize| nth_of_two(k, below, low, sorted.len() - below, high);
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            distance(half)
        } else {
            f64::midpoint(distance(half - 1), distance(half))
        }
    }
}

/// The value that has `k` values before it in two ascending sequences taken together.
fn nth_of_two(
    k: usize,
    first_count: usize,
    first: impl Fn(usize) -> f64,
    second_count: usize,
    second: impl Fn(usize) -> f64,
) -> f64 {
    // So many come from the first sequence: the least number that leaves none of them out.
    let mut least = k.saturating_sub(second_count);
    let mut most = k.min(first_count);
    while least < most {
        let middle = usize::midpoint(least, most);
        if first(middle) < second(k - 1 - middle) {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    let rest = k - least;
    if least == first_count {
        second(rest)
    } else if rest == second_count {
        first(least)
    } else {
        let (one, other) = (first(least), second(rest));
        if other < one { other } else { one }
    }
}

/// Where the newest value stands among the last ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct RankInTime(Sorted);

impl Series<1> for RankInTime {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "windows are short")]
    fn update(&mut self, [x]: [f64; 1]) -> f64 {
        let Some(sorted) = self.0.push(x) else {
            return f64::NAN;
        };
        let below = sorted.partition_point(|value| *value < x);
        let equal = sorted[below..].partition_point(|value| *value <= x);
        (below as f64 + f64::midpoint(equal as f64, 1.0)) / sorted.len() as f64
    }
}

const X: &[&str] = &["x"];
const N: &[Parameter] = &[count("n", 1.0)];

pub const OPERATORS: &[Operator] = &[
    Operator::series("min", X, |p, n| {
        lanes(RollingExtreme::<false>(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Least of the last n values.", "min(x[t-n+1..t])"),
    Operator::series("max", X, |p, n| {
        lanes(RollingExtreme::<true>(Window::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words("Greatest of the last n values.", "max(x[t-n+1..t])"),
    Operator::series("argmin", X, |p, n| {
        lanes(Since::<false>::new(size(p[0])), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Values since the least of the last n; 0 is now, and of equals the newest counts.",
        "t - max(argmin(x[t-n+1..t]))",
    ),
    Operator::series("argmax", X, |p, n| lanes(Since::<true>::new(size(p[0])), n))
        .parameters(N)
        .window(first)
        .words(
            "Values since the greatest of the last n; 0 is now, and of equals the newest counts.",
            "t - max(argmax(x[t-n+1..t]))",
        ),
    Operator::series("median", X, |p, n| {
        lanes(
            Quantile {
                window: Sorted::new(size(p[0])),
                share: 0.5,
            },
            n,
        )
    })
    .parameters(N)
    .window(first)
    .words("Median of the last n values.", "quantile(x[t-n+1..t], 0.5)"),
    Operator::series("quantile", X, |p, n| {
        lanes(
            Quantile {
                window: Sorted::new(size(p[0])),
                share: p[1],
            },
            n,
        )
    })
    .parameters(&[count("n", 1.0), number("q", 0.0, 1.0)])
    .window(first)
    .words(
        "Quantile of the last n values, in a straight line between neighbours.",
        "x(k) + (h - k) (x(k+1) - x(k)), h = q (n-1), k = floor(h)",
    )
    .source("Hyndman and Fan (1996), definition 7."),
    Operator::series("mad", X, |p, n| {
        lanes(MedianDeviation(Sorted::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Median distance of the last n values from their median.",
        "median(|x - median(x)|)",
    ),
    Operator::series("rank_ts", X, |p, n| {
        lanes(RankInTime(Sorted::new(size(p[0]))), n)
    })
    .parameters(N)
    .window(first)
    .words(
        "Rank of the newest of the last n values, from 1/n to 1; equals share their mean rank.",
        "(#{x' < x} + (#{x' = x} + 1) / 2) / n",
    ),
];
